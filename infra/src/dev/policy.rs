//! The policy of the local stack: short periods, so that a day of the shop
//! passes in a minute.

use std::fs;

use aftercart::{
    model::policy::Policy,
    run::config::Aws,
    store::{Store, Table, settings::put_policy},
};
use aws_smithy_http_client::Builder;

use super::{
    failure::{Failure, Trying},
    place::Place,
    running::Running,
    stack::Stack,
};

const FILE: &str = "infra/local/policy.json";

/// Our own page on the usual port, as it stands in the document; the stack's
/// port may be another.
const PAGE: &str = "http://127.0.0.1:4586";

/// Puts the document of `infra/local/policy.json` into the settings table. A
/// running function follows it within a minute.
pub(super) fn put(place: &Place, stack: &Stack, running: &Running) -> Result<(), Failure> {
    let document = fs::read_to_string(place.of(FILE)).trying(format_args!("read {FILE}"))?;
    let document = document.replace(PAGE, &running.page_url());
    Policy::parse(&document).trying(format_args!("use {FILE}"))?;
    let table = stack.variable(Table::Settings.variable())?;
    let store = Store::new(aws(stack).dynamodb(), vec![(Table::Settings, table.to_owned())]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.trying("write the policy")?;
    runtime.block_on(store.commit(put_policy(&document))).trying("write the policy")
}

fn aws(stack: &Stack) -> Aws {
    Aws {
        region: stack.region.clone(),
        endpoint: Some(stack.endpoint.clone()),
        credentials: aws_sdk_dynamodb::config::Credentials::new(
            "test", "test", None, None, "local",
        ),
        http: Builder::new().build_http(),
        retry: aws_sdk_dynamodb::config::retry::RetryConfig::standard(),
        timeout: aws_sdk_dynamodb::config::timeout::TimeoutConfig::disabled(),
    }
}
