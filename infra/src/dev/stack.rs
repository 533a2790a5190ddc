//! A deployed stack: where everything is, and how it is called.

use std::{collections::BTreeMap, fs, path::Path};

use aftercart::model::signature;
use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    failure::{Failure, Trying},
    http::{Answer, Http},
};

/// What the deployment tells of itself, in `stack.json`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Stack {
    /// The emulator.
    pub(super) endpoint: String,
    /// The region that it plays.
    pub(super) region: String,
    /// The API.
    pub(super) api_url: String,
    /// Who may sign in.
    pub(super) people: People,
    /// The functions, by their names in the project.
    pub(super) functions: BTreeMap<String, Deployed>,
    /// The signing secrets, as the functions read them.
    pub(super) secrets: Value,
    #[serde(skip, default = "Http::new")]
    http: Http,
}

/// Who may sign in.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct People {
    /// The client that people sign in with, and the audience of their tokens.
    client: String,
    client_secret: String,
    operator_scope: String,
    /// Members of the shop.
    pub(super) shoppers: Vec<Shopper>,
}

/// A member of the shop.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Shopper {
    /// The name to sign in with.
    pub(super) name: String,
    password: String,
}

/// A deployed function.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Deployed {
    /// Its name in the stack.
    pub(super) name: String,
    /// Where its logs are.
    pub(super) log_group: String,
    /// Its environment variables.
    pub(super) environment: BTreeMap<String, String>,
}

impl Stack {
    /// Reads what the deployment told.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).trying("read what was deployed")?;
        serde_json::from_str(&text).trying("understand what was deployed")
    }

    /// Calls the API. `token` may be empty.
    pub(super) fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, Failure> {
        let url = format!("{}{path}", self.api_url);
        let bearer = format!("Bearer {token}");
        let mut all = vec![("accept", "application/json")];
        if !token.is_empty() {
            all.push(("authorization", &bearer));
        }
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "content-type") {
            all.push(("content-type", "application/json"));
        }
        all.extend_from_slice(headers);
        self.http.send(method, &url, &all, body)
    }

    /// Signs a shopper in and gives the access token, good for an hour.
    pub(super) fn shopper_token(&self, shopper: &Shopper) -> Result<String, Failure> {
        let secret = self.people.client_secret.as_bytes();
        let parts = [shopper.name.as_bytes(), self.people.client.as_bytes()];
        let request = json!({
            "AuthFlow": "USER_PASSWORD_AUTH",
            "ClientId": self.people.client,
            "AuthParameters": {
                "USERNAME": shopper.name,
                "PASSWORD": shopper.password,
                "SECRET_HASH": BASE64.encode(&signature::hmac_sha256(secret, &parts)),
            },
        });
        let answer =
            self.aws("cognito-idp", "AWSCognitoIdentityProviderService.InitiateAuth", &request)?;
        token(&answer, "/AuthenticationResult/AccessToken", &shopper.name)
    }

    /// Gives an operator's access token, good for an hour.
    pub(super) fn operator_token(&self) -> Result<String, Failure> {
        let people = &self.people;
        let client = format!("{}:{}", people.client, people.client_secret);
        let basic = format!("Basic {}", BASE64.encode(client.as_bytes()));
        let answer = self.http.send(
            "POST",
            &format!("{}/oauth2/token", self.endpoint),
            &[("authorization", &basic), ("content-type", "application/x-www-form-urlencoded")],
            &format!("grant_type=client_credentials&scope={}", people.operator_scope),
        )?;
        token(&answer, "/access_token", "the operator")
    }

    /// Calls a service of the emulator that speaks JSON.
    pub(super) fn aws(&self, service: &str, target: &str, body: &Value) -> Result<Answer, Failure> {
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/{}/{service}/aws4_request, \
             SignedHeaders=host, Signature=none",
            self.region
        );
        let headers = [
            ("authorization", credential.as_str()),
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target),
        ];
        self.http.send("POST", &format!("{}/", self.endpoint), &headers, &body.to_string())
    }

    /// Calls a function as its schedule would, and waits for its end.
    pub(super) fn tick(&self, function: &str, now: &str) -> Result<(), Failure> {
        let deployed = self.function(function)?;
        let event = json!({
            "version": "0", "id": "00000000-0000-4000-8000-000000000000",
            "detail-type": "Scheduled Event", "source": "aws.scheduler",
            "account": "000000000000", "time": now, "region": self.region,
            "resources": [], "detail": "{}",
        });
        let url = format!("{}/2015-03-31/functions/{}/invocations", self.endpoint, deployed.name);
        let answer = self.http.send("POST", &url, &[], &event.to_string())?;
        if answer.status == 200 && answer.header("x-amz-function-error").is_none() {
            return Ok(());
        }
        Err(Failure::new(format!("{function} failed: {}.", answer.body))
            .remedy(format!("`cargo dev logs {function}` tells more.")))
    }

    /// Changes how a function is deployed; its processes end.
    pub(super) fn configure(&self, function: &str, change: &Value) -> Result<(), Failure> {
        let name = &self.function(function)?.name;
        let url = format!("{}/2015-03-31/functions/{name}/configuration", self.endpoint);
        let answer = self.http.send("PUT", &url, &[], &change.to_string())?;
        match answer.status {
            200 => Ok(()),
            _ => Err(Failure::new(format!("{function} was not changed: {}.", answer.body))),
        }
    }

    /// A function by its name in the project.
    pub(super) fn function(&self, name: &str) -> Result<&Deployed, Failure> {
        self.functions.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.functions.keys().map(String::as_str).collect();
            Failure::new(format!("There is no function {name}."))
                .remedy(format!("There are: {}.", names.join(", ")))
        })
    }

    /// A variable that some function has, such as the name of a table.
    pub(super) fn variable(&self, name: &str) -> Result<&str, Failure> {
        let mut values =
            self.functions.values().filter_map(|function| function.environment.get(name));
        values.next().map(String::as_str).ok_or_else(|| {
            Failure::new(format!("No function of template.yaml has the variable {name}."))
        })
    }
}

fn token(answer: &Answer, pointer: &str, who: &str) -> Result<String, Failure> {
    match answer.text(pointer) {
        token if token.is_empty() => {
            Err(Failure::new(format!("The user pool gave no token to {who}: {}.", answer.body)))
        }
        token => Ok(token),
    }
}
