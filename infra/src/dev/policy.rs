//! The policy of the local stack: short periods, so that a day of the shop
//! passes in a minute.

use std::{fs, sync::Arc};

use aftercart::{
    aws::Aws,
    model::policy::Policy,
    run::outgoing::Https,
    store::{Store, Table, settings::put_policy},
};

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
    let store = store(stack)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.trying("write the policy")?;
    runtime.block_on(store.commit(put_policy(&document))).trying("write the policy")
}

/// The stack's tables, with every permission.
pub(super) fn store(stack: &Stack) -> Result<Store, Failure> {
    let name = |table: Table| Ok((table, stack.variable(table.variable())?.to_owned()));
    let names = Table::ALL.into_iter().map(name).collect::<Result<_, Failure>>()?;
    let https = Https::new().trying("open a way to the tables")?;
    let aws = Aws::emulator(&stack.region, &stack.endpoint, Arc::new(https));
    Ok(Store::new(aws.dynamodb(), names))
}
