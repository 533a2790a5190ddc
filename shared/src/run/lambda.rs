//! The start of a binary on Lambda.

use std::{panic::AssertUnwindSafe, process::ExitCode, sync::Arc, time::Duration};

use futures::{FutureExt as _, future::join_all};
use tracing::Instrument as _;

use crate::{
    aws::{Aws, Broken, Credentials, Patience, Service},
    model::time::{Clock, Timestamp},
};

use super::{
    App, ConfigError, Fault, Function, Invocation, Need, Platform, log,
    metrics::Metrics,
    outgoing::{Https, Nobody, Outgoing},
    runtime::Runtime,
};

/// How long one call of an AWS service may take with its retries.
const CALL_MAX: Duration = Duration::from_secs(5);

/// How long one try of it may take: DynamoDB's slowest hundredth of
/// transactions takes a tenth of a second.
const TRY_MAX: Duration = Duration::from_millis(1_500);

/// How often a call is tried.
const ATTEMPTS: u32 = 3;

/// The longest that a function waits for its connections before it asks for
/// its first event. They take some milliseconds; without them it works, too.
const OPEN_MAX: Duration = Duration::from_millis(500);

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

async fn run(function: &'static Function) -> Result<(), Broken> {
    let https = Https::new()?;
    let runtime = Runtime::of_environment(Arc::new(https.clone()));
    let runtime = runtime.ok_or("this is a function of AWS Lambda, which starts it")?;
    let app = match prepared(function, https).await {
        Ok(app) => app,
        Err(error) => {
            runtime.cannot_start(&error.to_string()).await?;
            return Err(error.into());
        }
    };
    loop {
        let call = runtime.next().await?;
        let request_id = call.request_id.clone();
        let span = tracing::info_span!("invocation", requestId = request_id, trace = call.trace);
        let outcome = handled(function, &app, call).instrument(span).await;
        match outcome {
            Ok(answer) => runtime.answer(&request_id, answer).await?,
            Err(Fault(why)) => {
                tracing::error!(request_id, why, "failed");
                runtime.fail(&request_id, &why).await?;
            }
        }
    }
}

/// The answer of a function, as Lambda takes it. A panic that nobody caught
/// fails this one event.
async fn handled(function: &Function, app: &Arc<App>, call: Invocation) -> Result<Vec<u8>, Fault> {
    let handling = AssertUnwindSafe((function.handle)(Arc::clone(app), call)).catch_unwind().await;
    let answer = handling.map_err(|_| Fault("the function panicked".to_owned()))??;
    serde_json::to_vec(&answer).map_err(|error| Fault(error.to_string()))
}

/// Reads what the function needs from its environment, and opens its
/// connections while Lambda gives it a whole processor.
async fn prepared(function: &'static Function, https: Https) -> Result<Arc<App>, ConfigError> {
    let environment = |name: &str| std::env::var(name).ok();
    let platform = platform(function, https)?;
    let app = App::new(function, &environment, &platform)?;
    let opened = join_all(services(function).into_iter().map(|service| {
        let client = platform.aws.client(service);
        async move { client.open().await }
    }));
    if tokio::time::timeout(OPEN_MAX, opened).await.is_err() {
        tracing::warn!("the connections are not open yet");
    }
    Ok(Arc::new(app))
}

/// The services that most events of a function call. A queue's consumer parks
/// few messages, so its dead-letter queue is none of them.
fn services(function: &Function) -> Vec<Service> {
    let needs = |wanted: fn(&Need) -> bool| function.needs.iter().any(wanted);
    let services = [
        (Service::DynamoDb, needs(|it| matches!(it, Need::Table(..) | Need::Index(..)))),
        (Service::Sqs, needs(|it| matches!(it, Need::Queue(_)))),
        (Service::SecretsManager, needs(|it| matches!(it, Need::Secret(_)))),
    ];
    services.into_iter().filter_map(|(service, needed)| needed.then_some(service)).collect()
}

fn platform(function: &Function, https: Https) -> Result<Platform, ConfigError> {
    let optional = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let missing: Vec<&'static str> =
        AWS_VARIABLES.into_iter().filter(|name| optional(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(ConfigError { function: function.name, missing });
    }
    let variable = |name: &str| optional(name).unwrap_or_default();
    let credentials = Credentials {
        access_key: variable("AWS_ACCESS_KEY_ID"),
        secret: variable("AWS_SECRET_ACCESS_KEY").into(),
        session: optional("AWS_SESSION_TOKEN").map(Into::into),
    };
    // Only an emulator is reached under another address than AWS's own.
    let endpoint = optional("AWS_ENDPOINT_URL");
    let calls_provider = function.needs.contains(&Need::Outgoing);
    let outgoing: Arc<dyn Outgoing> = match (calls_provider, &endpoint) {
        (false, _) => Arc::new(Nobody),
        (true, None) => Arc::new(https.clone()),
        (true, Some(_)) => Arc::new(https.clone().in_development()),
    };
    let namespace = optional("METRICS_NAMESPACE").unwrap_or_else(|| "Aftercart".to_owned());
    Ok(Platform {
        aws: Aws {
            region: variable("AWS_REGION"),
            endpoint,
            credentials,
            transport: Arc::new(https),
            attempts: ATTEMPTS,
            patience: Some(Patience { call: CALL_MAX, attempt: TRY_MAX }),
        },
        outgoing,
        clock: Arc::new(SystemClock),
        metrics: Metrics::stdout(&namespace),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

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
