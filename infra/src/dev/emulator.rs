//! The AWS emulator: one process on 127.0.0.1, which runs the functions as its
//! own children.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{
    child::{self, Stop},
    failure::{Failure, Trying},
    http::Http,
    place::Place,
    show::Step,
    tools::Tools,
};

/// How long it may take to answer first.
const START: Duration = Duration::from_secs(30);

/// How long it may take to save its state and end.
const GRACE: Duration = Duration::from_secs(10);

/// A running emulator. It ends when this is dropped, and also when this
/// process ends in any other way: it reads its stdin, which closes then.
pub(super) struct Emulator {
    child: Child,
    /// Where it listens.
    pub(super) endpoint: String,
    /// What it writes.
    pub(super) log: PathBuf,
}

impl Emulator {
    /// Starts it and waits until it answers. What it holds is kept in `state`.
    pub(super) fn start(
        place: &Place,
        tools: &Tools,
        stop: &Stop,
        port: u16,
        state: &str,
    ) -> Result<Self, Failure> {
        let step = Step::begin("Emulator", "starting AWS on this machine")?;
        let endpoint = format!("http://127.0.0.1:{port}");
        let log = place.local(&format!("{state}/emulator.log"))?;
        let scratch = place.local(&format!("{state}/tmp/."))?;
        let out = File::create(&log).trying("write the emulator's log")?;
        let mut command = tools.command("python");
        command
            .arg(place.of("infra/local/emulator.py"))
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN")
            .env_remove("LOG_LEVEL")
            .envs([
                ("BIND_HOST", "127.0.0.1"),
                ("MINISTACK_HOST", "127.0.0.1"),
                ("GATEWAY_PORT", &port.to_string()),
                ("AWS_ENDPOINT_URL", &endpoint),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("AWS_DEFAULT_REGION", "us-east-1"),
                ("NO_PROXY", "127.0.0.1,localhost"),
                ("IOT_MTLS_ENABLED", "0"),
                ("PERSIST_STATE", "1"),
                ("S3_PERSIST", "1"),
            ])
            .env("STATE_DIR", place.local(&format!("{state}/aws"))?)
            .env("S3_DATA_DIR", place.local(&format!("{state}/aws/s3"))?)
            .env("TMPDIR", scratch)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(out.try_clone().trying("write the emulator's log")?)
            .stderr(out);
        let child = command.spawn().trying("start the emulator")?;
        let mut emulator = Self { child, endpoint, log };
        emulator.wait_until_ready(stop)?;
        step.done(&format!("on 127.0.0.1:{port}"))?;
        Ok(emulator)
    }

    fn wait_until_ready(&mut self, stop: &Stop) -> Result<(), Failure> {
        let (http, health) = (Http::new(), format!("{}/_ministack/health", self.endpoint));
        let until = Instant::now() + START;
        while !http.send("GET", &health, &[], "").is_ok_and(|answer| answer.status == 200) {
            stop.pause(Duration::from_millis(50))?;
            if !self.lives() || Instant::now() > until {
                return Err(self.obituary());
            }
        }
        Ok(())
    }

    /// Its process.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub(super) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Why it does not run any more, as far as it says.
    pub(super) fn obituary(&self) -> Failure {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let last = log.trim().lines().last().unwrap_or("It wrote nothing").to_owned();
        Failure::new(format!("The emulator does not run. Its last words: {last}"))
            .remedy(format!("All of them are in {}.", self.log.display()))
    }

    fn end(&mut self) {
        // Closing its stdin asks it to save its state and end.
        drop(self.child.stdin.take());
        let until = Instant::now() + GRACE;
        while Instant::now() < until && self.lives() {
            thread::sleep(Duration::from_millis(20));
        }
        child::end(&mut self.child, Signal::TERM);
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.end();
    }
}
