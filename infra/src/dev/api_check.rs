//! `cargo dev api-check`: the API against its description.
//!
//! The whole suite runs in this process behind a port, with a shop in which
//! there is something of every kind. schemathesis reads the API's description
//! and sends each operation requests that fit it and requests that do not. What
//! comes back has to be what the description says: statuses, types, bodies; no
//! token means no answer, and what breaks the description is refused. In the
//! end the books of the shop have to add up. The same seed sends the same.

mod config;
mod shop;

use std::{collections::BTreeMap, fs, net::Ipv4Addr, sync::Arc};

use tokio::{net::TcpListener, runtime::Runtime};

use crate::{
    openapi,
    world::{Caller, Gateway, World},
};

use self::shop::Shop;

use super::{
    causes,
    child::{self, Stop},
    failure::{Failure, Trying},
    place::Place,
    show::Step,
    tools::Tools,
};

/// How many requests an operation gets unless told otherwise.
pub(super) const EXAMPLES: u32 = 50;

/// What chance begins with: a finding is found again.
const SEED: &str = "1";

/// The bearer tokens of the check.
const TOKENS: [(&str, &str); 2] =
    [("member", "a-members-token"), ("operator", "an-operators-token")];

/// Checks the API with so many requests an operation, beside those of the
/// description's limits.
pub(super) fn run(place: &Place, stop: &Stop, examples: u32) -> Result<(), Failure> {
    let tools = Tools::of_api_check(place, stop)?;
    let threads =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = threads.trying("serve the suite")?;
    let step = Step::begin("Shop", "orders, parcels, tickets, gifts, rewards")?;
    let shop = runtime
        .block_on(Shop::open())
        .map_err(|error| Failure::new(format!("The shop was not prepared: {}.", causes(&error))))?;
    let url = serve(&runtime, Arc::clone(&shop.world))?;
    step.done(&format!("at {url}"))?;
    let folder = place.local("api-check/openapi.json")?;
    let folder = folder.parent().unwrap_or(&folder);
    let document = openapi::document();
    let write = |name: &str, text: String| {
        fs::write(folder.join(name), text).trying(format_args!("write {name}"))
    };
    write("openapi.json", document.to_string())?;
    write("schemathesis.toml", config::written(&document, &shop, &TOKENS))?;
    let mut schemathesis = tools.command("schemathesis");
    schemathesis
        .current_dir(folder)
        .args(["--config-file", "schemathesis.toml", "run", "openapi.json", "--url", &url])
        .args(["--seed", SEED, "--max-examples", &examples.to_string()]);
    let checked = child::hand_over(&mut schemathesis, stop);
    stop.check()?;
    books(&runtime, &shop.world)?;
    checked.map_err(|_| {
        Failure::new("The API and its description do not agree.")
            .remedy("Mend the code or infra/src/openapi by what schemathesis says above.")
    })
}

/// Serves the suite on a free port of this machine, as long as the runtime lives.
fn serve(runtime: &Runtime, world: Arc<World>) -> Result<String, Failure> {
    let callers = [Caller::Member(shop::MEMBER.to_owned()), Caller::Operator];
    let tokens: BTreeMap<String, Caller> =
        TOKENS.iter().map(|(_, token)| (*token).to_owned()).zip(callers).collect();
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let listener = listener.trying("listen on 127.0.0.1")?;
    let port = listener.local_addr().trying("listen on 127.0.0.1")?.port();
    runtime.spawn(Arc::new(Gateway::new(world, tokens)).serve(listener));
    Ok(format!("http://127.0.0.1:{port}"))
}

/// Lets everything follow from what was sent, and audits it.
fn books(runtime: &Runtime, world: &World) -> Result<(), Failure> {
    let step = Step::begin("Books", "what was sent takes its course")?;
    let audited = runtime.block_on(async {
        world.settle().await.map_err(|error| causes(&error))?;
        world.check_invariants().await.map_err(|error| causes(&error))
    });
    let audited =
        audited.map_err(|why| Failure::new(format!("The books do not add up: {why}.")))?;
    let forbidden = world.forbidden();
    if let Some(first) = forbidden.first() {
        return Err(Failure::new(format!("A function tried what it had not declared: {first}.")));
    }
    step.done(&format!("{} orders, {} ledgers add up", audited.orders, audited.ledgers))
}
