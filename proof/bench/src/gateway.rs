//! What AWS has between the API and the functions, in one process: the HTTP
//! API, each function's Runtime API, the streams' reader, and the queues.
//!
//! A call of the API becomes an event as API Gateway makes it (payload format
//! 2.0), goes to a process of its function, and its answer becomes an HTTP
//! answer. Tokens are not checked here, they are taken at their word
//! ([`api::MEMBER`]): API Gateway does that before a function is called. The
//! changes of the store go to the relay, what the relay sends lies in memory,
//! and goes to the queue's function, if it runs here. Who wants to know what a
//! function has finished listens at [`Addresses::finished`].

pub mod api;
mod queues;
mod streams;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use aftercart::{
    messages::Queue,
    run::{Function, Trigger},
};
use serde::{Deserialize, Serialize};
use tokio::{io::AsyncWriteExt as _, net::TcpListener, sync::broadcast};

use crate::{BenchError, failure::trouble, http as wire, process, runtime_api::RuntimeApi};

use self::{api::Api, queues::Queues};

/// How many finished messages may wait for a slow listener.
const FINISHED_MAX: usize = 100_000;

/// How the process of a gateway is started.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settings {
    /// Where the store is.
    pub store: SocketAddr,
    /// The functions that run, by name.
    pub functions: Vec<String>,
}

/// How a gateway is reached.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Addresses {
    /// The HTTP API.
    pub api: SocketAddr,
    /// SQS. What is DynamoDB's is handed on to the store.
    pub queues: SocketAddr,
    /// A line for every message that its function has finished: its body.
    pub finished: SocketAddr,
    /// Each function's Runtime API.
    pub runtimes: BTreeMap<String, SocketAddr>,
}

/// Runs the process of a gateway until whoever started it goes away. Its first
/// line on standard output is its [`Addresses`].
///
/// # Errors
/// [`BenchError`].
pub fn serve(settings: &Settings) -> Result<(), BenchError> {
    process::part(run(settings))
}

async fn run(settings: &Settings) -> Result<(), BenchError> {
    let functions = chosen(&settings.functions)?;
    let mut runtimes = BTreeMap::new();
    for function in &functions {
        runtimes.insert(function.name, RuntimeApi::open(function.name).await?);
    }
    let (told, _) = broadcast::channel(FINISHED_MAX);
    let consumers = consumers(&functions, &runtimes);
    let queues = Queues::start(settings.store, consumers, told.clone());
    if let Some(relay) = runtimes.get("relay") {
        tokio::spawn(streams::pump(settings.store, relay.clone()));
    }
    let (api_listener, api) = wire::listen().await?;
    let (queue_listener, queue_address) = wire::listen().await?;
    let (finished_listener, finished) = wire::listen().await?;
    tokio::spawn(wire::serve(queue_listener, move |call| Arc::clone(&queues).answer(call)));
    tokio::spawn(tell_finished(finished_listener, told));
    let addresses = runtimes.iter().map(|(name, it)| ((*name).to_owned(), it.address()));
    let runtimes_told = addresses.collect();
    process::tell(&Addresses { api, queues: queue_address, finished, runtimes: runtimes_told })?;
    let routes = Arc::new(Api::new(&functions, &runtimes));
    wire::serve(api_listener, move |call| Arc::clone(&routes).answer(call)).await;
    Ok(())
}

/// The functions of these names.
///
/// # Errors
/// When there is none of a name.
pub fn chosen(names: &[String]) -> Result<Vec<Function>, BenchError> {
    let all = aftercart_infra::functions();
    let of_name = |name: &String| {
        let found = all.iter().find(|function| function.name == name.as_str());
        found.copied().ok_or_else(|| trouble(format!("find {name}"), "there is no such function"))
    };
    names.iter().map(of_name).collect()
}

fn consumers(
    functions: &[Function],
    runtimes: &BTreeMap<&'static str, RuntimeApi>,
) -> Vec<(Queue, RuntimeApi)> {
    let consumer = |function: &Function| match function.trigger {
        Trigger::Queue(queue) => Some((queue, runtimes.get(function.name)?.clone())),
        _ => None,
    };
    functions.iter().filter_map(consumer).collect()
}

/// Writes a line for each finished message to whoever listens.
async fn tell_finished(listener: TcpListener, told: broadcast::Sender<Arc<str>>) {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { continue };
        let _slower: std::io::Result<()> = stream.set_nodelay(true);
        let mut heard = told.subscribe();
        tokio::spawn(async move {
            while let Ok(first) = heard.recv().await {
                let mut lines = format!("{first}\n");
                while let Ok(next) = heard.try_recv() {
                    lines += &next;
                    lines.push('\n');
                }
                if stream.write_all(lines.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}
