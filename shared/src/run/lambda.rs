//! The start of a binary on Lambda.

use std::{process::ExitCode, sync::Arc, time::Duration};

use aws_sdk_dynamodb::config::{Credentials, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, value::RawValue};

use crate::model::time::{Clock, Timestamp};

use super::{
    App, ConfigError, Fault, Function, Invocation, Need, Platform,
    config::Aws,
    log,
    metrics::Metrics,
    outgoing::{Https, Nobody, Outgoing},
};

/// How long one call of an AWS service may take with its retries.
const CALL_MAX: Duration = Duration::from_secs(5);

/// How long one try of it may take: DynamoDB's slowest hundredth of
/// transactions takes a tenth of a second.
const TRY_MAX: Duration = Duration::from_millis(1_500);

/// What Lambda itself gives every function.
const AWS_VARIABLES: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"];

/// The clock of the system.
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let millis = since.ok().and_then(|since| i64::try_from(since.as_millis()).ok());
        millis.and_then(|millis| Timestamp::from_unix_millis(millis).ok()).unwrap_or_else(|| {
            tracing::error!("the system's clock is out of range");
            Timestamp::EPOCH
        })
    }
}

/// Runs a function until Lambda ends it. What it cannot start without is
/// logged, by name, and the process ends with 1.
#[must_use]
pub fn start(function: &'static Function) -> ExitCode {
    log::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(function)),
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(function = function.name, error = %error, "cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn run(function: &'static Function) -> Result<(), lambda_runtime::Error> {
    let environment = |name: &str| std::env::var(name).ok();
    let platform = platform(function)?;
    let app = Arc::new(App::new(function, &environment, &platform)?);
    let service = service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let app = Arc::clone(&app);
        async move { handle(function, app, event).await }
    });
    lambda_runtime::run(service).await
}

async fn handle(
    function: &'static Function,
    app: Arc<App>,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<Value, lambda_runtime::Error> {
    let call = Invocation {
        payload: event.payload,
        request_id: event.context.request_id,
        trace: event.context.xray_trace_id,
    };
    (function.handle)(app, call).await.map_err(|Fault(text)| text.into())
}

fn platform(function: &Function) -> Result<Platform, lambda_runtime::Error> {
    let optional = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let missing: Vec<&'static str> =
        AWS_VARIABLES.into_iter().filter(|name| optional(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(ConfigError { function: function.name, missing }.into());
    }
    let variable = |name: &str| optional(name).unwrap_or_default();
    let crypto = Provider::Rustls(CryptoMode::AwsLc);
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
        optional("AWS_SESSION_TOKEN"),
        None,
        "environment",
    );
    let timeout = TimeoutConfig::builder()
        .operation_timeout(CALL_MAX)
        .operation_attempt_timeout(TRY_MAX)
        .build();
    let calls_provider = function.needs.contains(&Need::Outgoing);
    // Only an emulator is reached under another address than AWS's own.
    let endpoint = optional("AWS_ENDPOINT_URL");
    let outgoing: Arc<dyn Outgoing> = match (calls_provider, &endpoint) {
        (false, _) => Arc::new(Nobody),
        (true, None) => Arc::new(Https::new()?),
        (true, Some(_)) => Arc::new(Https::new()?.in_development()),
    };
    let namespace = optional("METRICS_NAMESPACE").unwrap_or_else(|| "Aftercart".to_owned());
    Ok(Platform {
        aws: Aws {
            region: variable("AWS_REGION"),
            endpoint,
            credentials,
            http: Builder::new().tls_provider(crypto).build_https(),
            retry: RetryConfig::standard().with_max_attempts(3),
            timeout,
        },
        outgoing,
        clock: Arc::new(SystemClock),
        metrics: Metrics::stdout(&namespace),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_comes_through_the_runtimes_reader_as_it_was() {
        let text = br#"{"Records": [ {"a": "\u00e9", "n": 1.50} ]}"#;
        let mut json = serde_json::Deserializer::from_slice(text);
        let raw: Box<RawValue> = serde_path_to_error::deserialize(&mut json).unwrap();
        assert_eq!(raw.get().as_bytes(), text);
    }

    #[test]
    fn what_is_missing_is_named() {
        use crate::{
            messages::Queue,
            run::{Setting, Trigger},
            store::Table,
        };
        const FUNCTION: Function = Function {
            name: "sample",
            about: "",
            trigger: Trigger::Queue(Queue::Points),
            needs: &[Need::Table(Table::Points, &[]), Need::Setting(Setting::PublicUrl)],
            handle: |_, _| Box::pin(async { Ok(Value::Null) }),
        };
        let lookup = |name: &str| (name == "POINTS_TABLE").then(|| "points".to_owned());
        let error = super::super::config::read(&FUNCTION, &lookup).unwrap_err();
        assert_eq!(error.missing, ["DEAD_LETTER_QUEUE_URL", "PUBLIC_URL"]);
        assert!(error.to_string().contains("sample cannot start: set DEAD_LETTER_QUEUE_URL"));
    }
}
