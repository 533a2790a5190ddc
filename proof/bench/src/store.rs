//! DynamoDB for a measurement: an embedded database that honours conditions,
//! transactions and indexes, behind DynamoDB's own HTTP protocol, in a process
//! of its own so that what it uses is counted apart.
//!
//! What a write waits for is a choice, [`Durability`]. By default it is
//! answered only when the disk has it. Several writes share one such wait, as
//! in every database that commits in groups: each is applied and written to the
//! file first, in turn; then one call of the system makes all of them durable.
//! A condition that did not hold waits as well, because it tells of a write.
//! Reads do not wait.
//!
//! Besides DynamoDB it answers for Secrets Manager, and tells the changes of
//! its tables, when they are durable, to whoever asks at [`CHANGES`].

mod disk;
mod engine;

use std::{net::SocketAddr, path::PathBuf, str::FromStr, sync::Arc};

use aftercart_infra::providers::sandbox;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    BenchError,
    http::{self as wire, Call, Reply},
    process,
};

use self::{
    disk::Disk,
    engine::{Applied, Change, Engine},
};

pub use self::engine::{deployed, recover};

/// Where changes are asked for.
pub const CHANGES: &str = "/-/changes";

/// The most changes in one answer: as many as a stream gives a function at once.
const CHANGES_MAX: usize = 100;

/// What a write waits for before it is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// The disk has it, in the log of a database file: it survives a power cut.
    #[default]
    Synced,
    /// The disk has it, in a log of requests from which the tables, which are
    /// in memory, are made again: it survives a power cut.
    Logged,
    /// The system has it: it survives a crash of the process.
    Written,
    /// Nothing.
    Memory,
}

impl Durability {
    /// Whether a write that was answered survives a power cut.
    #[must_use]
    pub const fn is_durable(self) -> bool {
        matches!(self, Self::Synced | Self::Logged)
    }

    /// How tables say it.
    #[must_use]
    pub const fn told(self) -> &'static str {
        match self {
            Self::Synced => "a database file, and every write waits for the disk",
            Self::Logged => {
                "tables in memory with a log of every write, and every write waits for the disk"
            }
            Self::Written => "a database file, and no write waits for the disk",
            Self::Memory => "tables in memory",
        }
    }
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "synced" => Ok(Self::Synced),
            "logged" => Ok(Self::Logged),
            "written" => Ok(Self::Written),
            "memory" => Ok(Self::Memory),
            other => Err(format!("--store is synced, logged, written or memory, not {other}")),
        }
    }
}

/// How the process of a store is started.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settings {
    /// The folder of its files.
    pub folder: PathBuf,
    /// What a write waits for.
    pub durability: Durability,
}

/// A store that runs.
struct Store {
    engine: Engine,
    disk: Option<Disk>,
    changed: Notify,
}

/// Runs the process of a store until whoever started it goes away. Its first
/// line on standard output is its address.
///
/// # Errors
/// [`BenchError`].
pub fn serve(settings: &Settings) -> Result<(), BenchError> {
    let engine = Engine::open(settings)?;
    let disk = engine.log().map(Disk::start).transpose()?;
    let store = Arc::new(Store { engine, disk, changed: Notify::new() });
    process::part(async move {
        let (listener, address) = wire::listen().await?;
        process::tell(&address)?;
        wire::serve(listener, move |call| Arc::clone(&store).answer(call)).await;
        Ok(())
    })
}

/// The address that a store told.
///
/// # Errors
/// When it is none.
pub fn address(told: &str) -> Result<SocketAddr, BenchError> {
    use crate::failure::Trying as _;
    serde_json::from_str(told).trying("read the address of the store")
}

impl Store {
    async fn answer(self: Arc<Self>, call: Call) -> Reply {
        if call.uri.path() == CHANGES {
            return self.changes().await;
        }
        let target = call.header("x-amz-target");
        match target.split_once('.') {
            Some(("DynamoDB_20120810", operation)) => {
                let operation = operation.to_owned();
                self.database(&operation, &call.body).await
            }
            Some(("secretsmanager", "GetSecretValue")) => secret(&call.body),
            _ => refused(&format!("there is no {target} here")),
        }
    }

    async fn database(&self, operation: &str, body: &Bytes) -> Reply {
        let Applied { status, body, waits, changes } = self.engine.apply(operation, body);
        if waits && let Some(disk) = &self.disk {
            disk.synced().await;
        }
        if !changes.is_empty() {
            self.engine.release(changes);
            self.changed.notify_one();
        }
        sealed(status, body)
    }

    /// The next changes, as soon as there are any.
    async fn changes(&self) -> Reply {
        loop {
            let changes: Vec<Change> = self.engine.take(CHANGES_MAX);
            if changes.is_empty() {
                self.changed.notified().await;
                continue;
            }
            return match serde_json::to_vec(&changes) {
                Ok(body) => wire::json(200, body),
                Err(error) => refused(&error.to_string()),
            };
        }
    }
}

/// An answer with the checksum that DynamoDB adds, and clients check.
fn sealed(status: u16, body: Vec<u8>) -> Reply {
    let sum = crc32fast::hash(&body);
    let mut reply = wire::json(status, body);
    reply.headers_mut().insert("x-amz-crc32", http::HeaderValue::from(sum));
    reply
}

fn refused(message: &str) -> Reply {
    let body = json!({ "__type": "ValidationException", "message": message });
    wire::json(400, body.to_string())
}

/// The secrets of a measurement: the sandbox's, and a key of links.
fn secret(body: &[u8]) -> Reply {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let name = asked["SecretId"].as_str().unwrap_or_default();
    let text = match name {
        "PAYMENTS_SECRET_ARN" => {
            json!({ "sandbox": { "webhook_secrets": [sandbox::SECRET] } }).to_string()
        }
        "LINKS_SECRET_ARN" => {
            json!({ "current": aftercart_infra::world::secrets::LINKS }).to_string()
        }
        _ => json!({}).to_string(),
    };
    wire::json(200, json!({ "ARN": name, "Name": name, "SecretString": text }).to_string())
}
