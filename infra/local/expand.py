"""Writes template.yaml as CloudFormation sees it, without SAM, for tools that
know CloudFormation only."""

import json
import sys
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from deploy import BUCKET, Refused, expand


def main(template, out):
    document = yaml_parse(Path(template).read_text())
    for logical, resource in document["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            # Where the code lies says nothing of the settings; SAM wants it to be in S3.
            resource["Properties"]["CodeUri"] = {"Bucket": BUCKET, "Key": f"{logical}.zip"}
    try:
        expanded = expand(document)
    except Refused as refused:
        sys.exit(str(refused))
    Path(out).write_text(json.dumps(expanded, indent=1, default=str))


main(*sys.argv[1:])
