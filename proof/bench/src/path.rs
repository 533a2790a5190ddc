//! The path of a checkout, as processes of this machine: a store, a gateway,
//! and the functions' own binaries.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path as Folder, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use aftercart::{
    aws::Aws,
    messages::Queue,
    run::{Function, Setting, Trigger, config, outgoing::Https, secrets::Secret},
    store::{Store, Table},
};

use crate::{
    BenchError, Options,
    failure::{Trying as _, trouble},
    gateway::{self, Addresses},
    process::{Process, Usage},
    store,
};

/// The functions between an order and "paid".
pub const CHECKOUT: [&str; 5] =
    ["order-place", "payment-start", "payment-callback", "relay", "payment-fold"];

/// Those that put goods on sale, before anything is measured.
const SEEDING: [&str; 2] = ["product-put", "stock-receive"];

/// In which region the store pretends to be.
const REGION: &str = "eu-west-1";

/// Tells the folders of one program apart.
static PATHS: AtomicU64 = AtomicU64::new(0);

/// A path that is up. Dropping it ends its processes and removes its files.
#[derive(Debug)]
pub struct Path {
    /// The store's process.
    pub store: Process,
    /// The gateway's process.
    pub gateway: Process,
    /// The processes of each function that is measured.
    pub functions: Vec<(String, Vec<Process>)>,
    /// How the gateway is reached.
    pub addresses: Addresses,
    /// Where the store is.
    pub store_address: SocketAddr,
    _seeding: Vec<Process>,
    folder: Scratch,
}

/// A folder that goes away with its owner.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left of it is in the system's folder for such things.
        let _left: std::io::Result<()> = fs::remove_dir_all(&self.0);
    }
}

/// What the processes of a path used, by what they are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Used {
    /// All functions' CPU, in milliseconds.
    pub functions_ms: u64,
    /// The store's.
    pub store_ms: u64,
    /// The gateway's.
    pub gateway_ms: u64,
    /// This process's, which makes the load.
    pub load_ms: u64,
    /// The most that one process of a function held, in kibibytes.
    pub peak_kib: u64,
}

impl Path {
    /// Brings up a path with so many processes of each function of a checkout.
    /// What is called before they have started waits for them.
    ///
    /// # Errors
    /// [`BenchError`].
    pub async fn open(options: &Options, processes: usize) -> Result<Self, BenchError> {
        let binaries = binaries(options)?;
        let folder = scratch()?;
        let durability = options.store;
        let settings = store::Settings { folder: folder.0.join("store"), durability };
        let (store, told) = Process::part("store", &settings)?;
        let store_address = store::address(&told)?;
        let names = CHECKOUT.iter().chain(&SEEDING).map(|name| (*name).to_owned()).collect();
        let settings = gateway::Settings { store: store_address, functions: names };
        let (gateway, told) = Process::part("gateway", &settings)?;
        let addresses: Addresses =
            serde_json::from_str(&told).trying("read the addresses of the gateway")?;
        let launch = Launch { binaries, folder: &folder.0, addresses: &addresses, store_address };
        let mut functions = Vec::new();
        for name in CHECKOUT {
            functions.push((name.to_owned(), launch.start(name, processes)?));
        }
        let mut seeding = Vec::new();
        for name in SEEDING {
            seeding.extend(launch.start(name, 1)?);
        }
        Ok(Self { store, gateway, functions, addresses, store_address, _seeding: seeding, folder })
    }

    /// What its processes used until now.
    ///
    /// # Errors
    /// When one of them has ended.
    pub fn used(&self) -> Result<Used, BenchError> {
        let mut used = Used {
            store_ms: self.store.usage()?.cpu_ms,
            gateway_ms: self.gateway.usage()?.cpu_ms,
            load_ms: Usage::own()?.cpu_ms,
            ..Used::default()
        };
        for (name, processes) in &self.functions {
            for process in processes {
                let usage = process.usage().trying(format!("see {name}, which has ended"))?;
                used.functions_ms += usage.cpu_ms;
                used.peak_kib = used.peak_kib.max(usage.peak_kib);
            }
        }
        Ok(used)
    }

    /// The milliseconds of CPU of each function's processes together.
    ///
    /// # Errors
    /// When one of them has ended.
    pub fn used_by_function(&self) -> Result<Vec<(&str, u64)>, BenchError> {
        let mut used = Vec::new();
        for (name, processes) in &self.functions {
            let mut sum = 0;
            for process in processes {
                sum += process.usage()?.cpu_ms;
            }
            used.push((name.as_str(), sum));
        }
        Ok(used)
    }

    /// The tables, for looking.
    ///
    /// # Errors
    /// When no client of HTTP can be made.
    pub fn tables(&self) -> Result<Store, BenchError> {
        let https = Https::new().trying("open a way to the store")?;
        let endpoint = format!("http://{}", self.store_address);
        let aws = Aws::emulator(REGION, &endpoint, Arc::new(https));
        let names = Table::ALL.into_iter().map(|table| (table, store::deployed(table)));
        Ok(Store::new(aws.dynamodb(), names.collect()))
    }

    /// Where the store keeps its files.
    #[must_use]
    pub fn store_folder(&self) -> PathBuf {
        self.folder.0.join("store")
    }
}

/// What the binaries are started with.
struct Launch<'a> {
    binaries: PathBuf,
    folder: &'a Folder,
    addresses: &'a Addresses,
    store_address: SocketAddr,
}

impl Launch<'_> {
    fn start(&self, name: &str, count: usize) -> Result<Vec<Process>, BenchError> {
        let [function] = gateway::chosen(&[name.to_owned()])?
            .try_into()
            .map_err(|_| trouble(format!("find {name}"), "there are several"))?;
        let runtime = self.addresses.runtimes.get(name);
        let runtime =
            runtime.ok_or_else(|| trouble(format!("start {name}"), "it has no runtime"))?;
        // The relay sends to the queues; the others have the tables only.
        let aws = if matches!(function.trigger, Trigger::Stream(_)) {
            self.addresses.queues
        } else {
            self.store_address
        };
        let environment = environment(&function, *runtime, aws);
        let log = self.folder.join(format!("{name}.log"));
        let start = |_| Process::binary(&self.binaries.join(name), &environment, &log);
        (0..count).map(start).collect()
    }
}

/// The environment of a function: what template.yaml gives it, and Lambda.
#[must_use]
pub fn environment(
    function: &Function,
    runtime: SocketAddr,
    aws: SocketAddr,
) -> BTreeMap<String, String> {
    let queue_url = |name: &str| format!("http://{aws}/000000000000/{name}");
    let mut known = BTreeMap::new();
    for table in Table::ALL {
        known.insert(table.variable(), store::deployed(table));
    }
    for queue in Queue::ALL {
        known.insert(queue.variable(), queue_url(queue.name()));
    }
    for secret in Secret::ALL {
        known.insert(secret.variable(), secret.variable().to_owned());
    }
    known.insert(Setting::PublicUrl.variable(), "https://shop.example".to_owned());
    known.insert(config::PARKING_VARIABLE, queue_url("parked"));
    let needed = config::variables(function);
    known.retain(|name, _| needed.contains(name));
    let lambda = [
        ("AWS_LAMBDA_RUNTIME_API", runtime.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://{aws}")),
        ("LOG_LEVEL", "info".to_owned()),
        ("METRICS_NAMESPACE", "Aftercart".to_owned()),
    ];
    known.into_iter().chain(lambda).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn scratch() -> Result<Scratch, BenchError> {
    let count = PATHS.fetch_add(1, Ordering::Relaxed);
    let name = format!("aftercart-bench-{}-{count}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).trying("make a folder for the store")?;
    Ok(Scratch(folder))
}

/// The folder of the functions' binaries: those that were named, or those that
/// this builds with the profile that is deployed.
///
/// # Errors
/// When they do not build.
pub fn binaries(options: &Options) -> Result<PathBuf, BenchError> {
    let folder = match &options.binaries {
        Some(folder) => folder.clone(),
        None => build(options)?,
    };
    for name in CHECKOUT.iter().chain(&SEEDING) {
        if !folder.join(name).is_file() {
            let why = format!("there is no {name} in {}", folder.display());
            return Err(trouble("start the functions", why));
        }
    }
    Ok(folder)
}

fn build(options: &Options) -> Result<PathBuf, BenchError> {
    let root = Folder::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(program);
    cargo.current_dir(&root).args(["build", "--release", "--quiet"]);
    for package in ["checkout", "payments", "relay"] {
        cargo.args(["--package", &format!("aftercart-{package}")]);
    }
    for name in CHECKOUT.iter().chain(&SEEDING) {
        cargo.args(["--bin", name]);
    }
    options.progress("Building the functions as they are deployed; the first time takes minutes.");
    let built = cargo.status().trying("run cargo")?;
    if !built.success() {
        return Err(trouble("build the functions", "cargo failed"));
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    Ok(target.join("release"))
}
