"""Deploys template.yaml, as it stands, to the local AWS emulator.

Safe to repeat: what exists is updated, and what has not changed is left alone.
Writes one JSON document (`--out`) with everything that the dev command needs
to use the stack. Progress goes to stdout, one line a step; a failure is one
sentence on stderr and exit status 1.
"""

import argparse
import io
import json
import os
import platform
import re
import secrets
import sys
import time
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

STACK = "aftercart"
API_ID = "aftercart"
BUCKET = "aftercart-code"
REGION = "us-east-1"
SCOPE = "aftercart/operate"
SHOPPERS = ["ana", "ben"]


class Refused(Exception):
    """The deployment cannot go on; the text is for the developer."""


def main():
    options = arguments()
    try:
        deploy(options)
    except Refused as refused:
        sys.exit(str(refused))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"The emulator refused a request: {str(error)[:300]}")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--endpoint", required=True, help="the emulator, e.g. http://127.0.0.1:4566")
    parser.add_argument("--binaries", type=Path, required=True, help="the folder with one binary a function")
    parser.add_argument("--secrets", type=Path, required=True, help="signing secrets; made when missing")
    parser.add_argument("--senders", type=Path, required=True, help="the secrets of payments, carriers and webhooks, for their stand-ins")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def deploy(options):
    aws = Clients(options.endpoint)
    people = identities(aws)
    api_url = f"{options.endpoint}/_aws/execute-api/{API_ID}"
    parameters = {
        "Stage": "dev",
        "JwtIssuer": people["issuer"],
        "JwtAudience": people["client"],
        "PublicUrl": api_url,
    }
    template = yaml_parse(options.template.read_text())
    binaries = put_code(aws, template, options.binaries)
    document = expand(template)
    definition = localize(document)
    put_stack(aws, STACK, document, known(parameters, document))
    functions = functions_of(aws, binaries)
    routes = routes_of(definition, {logical: functions[binary]["arn"] for logical, binary in binaries.items()})
    put_stack(aws, f"{STACK}-routes", routes, known(parameters, routes))
    signing = local_secrets(options.secrets) | json.loads(options.senders.read_text())
    put_secrets(aws, functions, signing)
    options.out.write_text(json.dumps({
        "endpoint": options.endpoint,
        "region": REGION,
        "api_url": api_url,
        "people": people,
        "functions": functions,
        "secrets": signing,
    }, indent=2))
    print(f"{len(functions)} functions at {api_url}")


class Clients:
    """Clients of the emulator. Its keys are placeholders: it has no account."""

    def __init__(self, endpoint):
        self._endpoint = endpoint

    def __getattr__(self, service):
        client = boto3.client(
            service.replace("_", "-"),
            endpoint_url=self._endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )
        setattr(self, service, client)
        return client


# Identities: on AWS they belong to the merchant; here a user pool stands in.

def identities(aws):
    """A user pool with two shoppers and one client."""
    cognito = aws.cognito_idp
    pools = cognito.list_user_pools(MaxResults=60)["UserPools"]
    pool = next((pool["Id"] for pool in pools if pool["Name"] == STACK), None)
    if pool is None:
        pool = cognito.create_user_pool(PoolName=STACK)["UserPool"]["Id"]
        identifier, scope = SCOPE.split("/")
        cognito.create_resource_server(
            UserPoolId=pool, Identifier=identifier, Name=identifier,
            Scopes=[{"ScopeName": scope, "ScopeDescription": "Run the shop."}],
        )
    client = client_of(cognito, pool)
    return {
        "issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{pool}",
        "client": client["ClientId"],
        "client_secret": client["ClientSecret"],
        "operator_scope": SCOPE,
        "shoppers": [shopper_of(cognito, pool, name) for name in SHOPPERS],
    }


def client_of(cognito, pool):
    """One client for both, because the API accepts one audience: shoppers sign
    in with a password, operators with the client's own credentials."""
    clients = cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]
    if clients:
        return cognito.describe_user_pool_client(UserPoolId=pool, ClientId=clients[0]["ClientId"])["UserPoolClient"]
    return cognito.create_user_pool_client(
        UserPoolId=pool, ClientName=STACK, GenerateSecret=True,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        AllowedOAuthFlowsUserPoolClient=True, AllowedOAuthFlows=["client_credentials"], AllowedOAuthScopes=[SCOPE],
    )["UserPoolClient"]


def shopper_of(cognito, pool, name):
    password = f"{name.title()}-shops-here-1"
    try:
        cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
        cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
    except cognito.exceptions.UsernameExistsException:
        pass
    return {"name": name, "password": password}


# Code: a package holds a launcher of the built binary, not a copy of it. The
# binaries of a development build are large, and a start should take seconds.

def put_code(aws, template, folder):
    """Packs each function's binary and points its CodeUri at the package."""
    try:
        aws.s3.create_bucket(Bucket=BUCKET)
    except aws.s3.exceptions.BucketAlreadyOwnedByYou:
        pass
    binaries = {}
    for logical, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        name = binary_name(logical, resource)
        binary = current_binary(folder, name)
        key = f"{binary.name}.zip"
        aws.s3.put_object(Bucket=BUCKET, Key=key, Body=package(binary))
        resource["Properties"]["CodeUri"] = {"Bucket": BUCKET, "Key": key}
        binaries[logical] = name
    if not binaries:
        raise Refused("The template has no functions. Is it the one in the project's root?")
    return binaries


def binary_name(logical, resource):
    """Each function's CodeUri is target/lambda/<binary>/."""
    code = resource["Properties"].get("CodeUri")
    name = Path(code).name if isinstance(code, str) else ""
    if not name:
        raise Refused(f"The function {logical} has no CodeUri of the form target/lambda/<binary>/ in template.yaml.")
    return name


def current_binary(folder, name):
    found = sorted(folder.glob(f"{name}@*"))
    if len(found) != 1:
        raise Refused(
            f"The template names the function {name}, but the build made no binary of that name. "
            f"Expected it in functions/*/src/bin/{name}.rs."
        )
    return found[0].resolve()


def package(binary):
    launcher = zipfile.ZipInfo("bootstrap")
    launcher.external_attr = 0o755 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(launcher, f"#!/bin/sh\nexec '{binary}'\n")
    return out.getvalue()


# The template: expanded as CloudFormation would, then bridged where the
# emulator differs from AWS.

class NoManagedPolicies:
    """Managed policies are looked up on AWS only; here their standard ARNs do."""

    def load(self):
        return {}


def expand(template):
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    extensions = [name for name in as_list(template.get("Transform")) if name != "AWS::Serverless-2016-10-31"]
    try:
        document = transform(template, {}, NoManagedPolicies())
    except InvalidDocumentException as invalid:
        raise Refused("template.yaml is not valid: " + " ".join(cause.message for cause in invalid.causes))
    if extensions:
        document["Transform"] = extensions
    return document


def as_list(value):
    return value if isinstance(value, list) else [value] if value else []


def localize(document):
    """Bridges what the emulator does otherwise than AWS. Gives the definition of
    the API, which the emulator ignores."""
    machine = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    definition = {}
    for logical, resource in list(document["Resources"].items()):
        # Nobody would hear the alarms here.
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            del document["Resources"][logical]
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Architectures"] = [machine]
            # A log group for each function, which Lambda makes: `cargo dev logs` reads one function's.
            resource["Properties"].get("LoggingConfig", {}).pop("LogGroup", None)
        if resource["Type"] == "AWS::ApiGatewayV2::Api" and "Body" in resource["Properties"]:
            definition = resource["Properties"].pop("Body")
            resource["Properties"].update({"Name": STACK, "ProtocolType": "HTTP", "Tags": {"ms-custom-id": API_ID}})
    return definition


def routes_of(definition, arns):
    """A stack with the routes, integrations and authorizers that the definition
    of an API says. A stack of its own: with them, that of the template would
    have more than CloudFormation's 500 resources."""
    resources = {}
    for name, scheme in definition.get("components", {}).get("securitySchemes", {}).items():
        resources[f"{name}Authorizer"] = authorizer(name, scheme["x-amazon-apigateway-authorizer"])
    for path, operations in definition["paths"].items():
        for method, operation in operations.items():
            add_route(resources, arns, f"{method.upper()} {path}", operation)
    texts = {name: {"Type": "String"} for name in ("JwtIssuer", "JwtAudience")}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Parameters": texts, "Resources": resources}


def authorizer(name, scheme):
    token = scheme["jwtConfiguration"]
    return {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": {
        "ApiId": API_ID,
        "Name": name,
        "AuthorizerType": "JWT",
        "IdentitySource": [scheme["identitySource"]],
        "JwtConfiguration": {"Issuer": token["issuer"], "Audience": token["audience"]},
    }}


def add_route(resources, arns, key, operation):
    uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
    function = re.search(r"\$\{(\w+)\.Arn\}/invocations", uri).group(1)
    integration = f"{function}Integration"
    resources[integration] = {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {
        "ApiId": API_ID,
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": arns[function],
        "PayloadFormatVersion": "2.0",
    }}
    route = {
        "ApiId": API_ID,
        "RouteKey": key,
        "Target": {"Fn::Join": ["/", ["integrations", {"Ref": integration}]]},
    }
    for name, scopes in (pair for need in operation.get("security", []) for pair in need.items()):
        route.update({
            "AuthorizationType": "JWT",
            "AuthorizerId": {"Ref": f"{name}Authorizer"},
            "AuthorizationScopes": scopes,
        })
    resources[re.sub(r"\W", "", key.title()) + "Route"] = {
        "Type": "AWS::ApiGatewayV2::Route", "Properties": route,
    }


# The stacks.

def known(parameters, document):
    """The values of the parameters that the template declares."""
    declared = document.get("Parameters", {})
    missing = [name for name, about in declared.items() if name not in parameters and "Default" not in about]
    if missing:
        raise Refused(
            f"template.yaml has a parameter without a default that the local stack does not know: {', '.join(missing)}. "
            "Give it a default, or a value in infra/local/deploy.py."
        )
    return [{"ParameterKey": name, "ParameterValue": parameters[name]} for name in declared if name in parameters]


def put_stack(aws, name, document, parameters):
    stacks = aws.cloudformation
    key = f"{name}.json"
    aws.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(document, default=str))
    request = {
        "StackName": name,
        "TemplateURL": f"{aws.s3.meta.endpoint_url}/{BUCKET}/{key}",
        "Parameters": parameters,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    }
    try:
        if exists(stacks, name):
            stacks.update_stack(**request)
        else:
            stacks.create_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise
    wait_for(stacks, name)


def exists(stacks, name):
    try:
        stacks.describe_stacks(StackName=name)
        return True
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise


def wait_for(stacks, name):
    deadline = time.monotonic() + 120
    while True:
        status = stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return
        if not status.endswith("_IN_PROGRESS") or time.monotonic() > deadline:
            raise Refused(f"The stack {name} ended as {status}. {failures(stacks, name)}")
        time.sleep(0.1)


def failures(stacks, name):
    events = stacks.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("_FAILED")]
    return " ".join(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}." for event in failed[:5])


def functions_of(aws, binaries):
    """Each function by its binary's name: its name in the stack and its environment."""
    resources = aws.cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
    physical = {r["LogicalResourceId"]: r["PhysicalResourceId"] for page in resources for r in page["StackResourceSummaries"]}
    functions = {}
    for logical, binary in sorted(binaries.items(), key=lambda pair: pair[1]):
        settings = aws.__getattr__("lambda").get_function_configuration(FunctionName=physical[logical])
        functions[binary] = {
            "name": physical[logical],
            "arn": settings["FunctionArn"],
            "log_group": settings.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{physical[logical]}",
            "environment": settings.get("Environment", {}).get("Variables", {}),
        }
    return functions


# Secrets: random, made once, and of use on this machine only.

def local_secrets(path):
    if path.exists():
        return json.loads(path.read_text())
    made = {
        "links": {"current": secrets.token_urlsafe(36)},
    }
    path.write_text(json.dumps(made, indent=2))
    path.chmod(0o600)
    return made


def put_secrets(aws, functions, signing):
    for name, value in signing.items():
        variable = f"{name.upper()}_SECRET_ARN"
        for arn in {function["environment"].get(variable) for function in functions.values()} - {None}:
            aws.secretsmanager.put_secret_value(SecretId=arn, SecretString=json.dumps(value))


if __name__ == "__main__":
    main()
