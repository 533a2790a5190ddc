//! A stack from nothing to open, held for as long as it is wanted.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::TcpListener,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    carriers,
    providers::{self, StandIns},
};

use super::{
    binaries, catalogue,
    child::{self, Stop},
    emulator::Emulator,
    failure::{Failure, Trying},
    hooks::{self, Hooks},
    outbox::Outbox,
    page::{self, Page},
    place::Place,
    policy,
    running::Running,
    show::{self, Step, bold, faint},
    stack::Stack,
    tools::Tools,
};

/// Where the emulator listens unless told otherwise.
pub(super) const PORT: u16 = 4566;

/// How a stack is wanted.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The emulator's port.
    pub(super) port: u16,
    /// Forget what an earlier stack held.
    pub(super) fresh: bool,
    /// The folder in `.aftercart` for what it holds.
    pub(super) state: &'static str,
}

/// A stack that this process holds. Dropping it ends all of its processes.
pub(super) struct Open {
    /// None while it is started anew.
    emulator: Option<Emulator>,
    tools: Tools,
    _note: Note,
    /// How it is called.
    pub(super) stack: Stack,
    /// How others find it.
    pub(super) running: Running,
    /// What is outside of it.
    pub(super) page: Arc<Page>,
}

/// The note by which others find the stack, for as long as this lives.
struct Note(Place);

impl Drop for Note {
    fn drop(&mut self) {
        Running::forget(&self.0);
    }
}

impl Open {
    /// Opens a stack, showing each step.
    pub(super) fn new(place: &Place, stop: &Stop, wanted: &Wanted) -> Result<Self, Failure> {
        refuse_a_second(place)?;
        let running = Running::new(wanted.port, wanted.state)?;
        drop(listen(running.port)?);
        let listener = listen(running.page_port())?;
        prepare_state(place, wanted)?;
        let tools = Tools::of_stack(place, stop)?;
        let folder = binaries::build(place, stop)?;
        let outbox = Outbox::open(place.local(&format!("{}/outbox.jsonl", wanted.state))?);
        let page = Arc::new(Page {
            running: running.clone(),
            outbox,
            open: AtomicBool::new(false),
            stop: stop.clone(),
            providers: StandIns::default(),
            carriers: carriers::StandIns::default(),
            hooks: Hooks::default(),
        });
        page::serve(listener, &page);
        running.note(place)?;
        let note = Note(place.clone());
        let emulator = Emulator::start(place, &tools, stop, running.port, wanted.state)?;
        let stack = deploy(place, &tools, stop, &running, &folder)?;
        policy::put(place, &stack, &running)?;
        receive(&page, stop, &stack);
        catalogue::fill(place, &stack)?;
        page.open.store(true, Ordering::Relaxed);
        Ok(Self { emulator: Some(emulator), tools, _note: note, stack, running, page })
    }

    /// Waits until the end is wanted, or the emulator dies.
    pub(super) fn hold(&mut self, stop: &Stop) -> Result<(), Failure> {
        while stop.pause(Duration::from_millis(200)).is_ok() {
            if let Some(emulator) = &mut self.emulator
                && !emulator.lives()
            {
                return Err(emulator.obituary());
            }
        }
        Ok(())
    }

    /// The emulator's process.
    pub(super) fn pid(&self) -> Option<u32> {
        self.emulator.as_ref().map(Emulator::pid)
    }

    /// Ends the emulator and all functions with it, and starts it with what it
    /// held then.
    pub(super) fn restart(&mut self, place: &Place, stop: &Stop) -> Result<(), Failure> {
        drop(self.emulator.take());
        let Running { port, state, .. } = &self.running;
        self.emulator = Some(Emulator::start(place, &self.tools, stop, *port, state)?);
        Ok(())
    }
}

fn refuse_a_second(place: &Place) -> Result<(), Failure> {
    match Running::find(place) {
        None => Ok(()),
        Some(running) => Err(Failure::new(format!(
            "A stack of this project runs already (process {}, port {}).",
            running.pid, running.port
        ))
        .remedy("Use it, or close it first with `cargo dev down`.")),
    }
}

/// Takes a port of this machine, or says what to do when another has it.
fn listen(port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
        Failure::new(format!("Port {port} of this machine is not free: {error}."))
            .remedy(format!("Choose another with `--port`, such as `--port {}`. The stack needs that port and the one 20 above it.", PORT + 100))
    })
}

/// Forgets what an earlier stack held when that is wanted, or when it cannot
/// be used: it knows its own port in the addresses of its queues.
fn prepare_state(place: &Place, wanted: &Wanted) -> Result<(), Failure> {
    let note = place.local(&format!("{}/port", wanted.state))?;
    let port = wanted.port.to_string();
    let usable = !wanted.fresh && fs::read_to_string(&note).is_ok_and(|known| known == port);
    if let (false, Some(folder)) = (usable, note.parent()) {
        fs::remove_dir_all(folder).trying("forget the earlier stack")?;
        fs::create_dir_all(folder).trying("make a folder for the stack")?;
    }
    fs::write(note, port).trying("note the stack's port")
}

fn deploy(
    place: &Place,
    tools: &Tools,
    stop: &Stop,
    running: &Running,
    folder: &std::path::Path,
) -> Result<Stack, Failure> {
    let step = Step::begin("Deployment", "template.yaml, as it would go to AWS")?;
    let template = place.of("template.yaml");
    if !template.is_file() {
        return Err(Failure::new("There is no template.yaml in the project's root.")
            .remedy("Bring it back: `git checkout template.yaml`."));
    }
    let out = place.local(&format!("{}/stack.json", running.state))?;
    let senders = place.local(&format!("{}/senders.json", running.state))?;
    let page = running.page_url();
    let known = json!({
        "payments": providers::credentials(&format!("{page}{}", page::PROVIDERS)),
        "carriers": carriers::credentials(&format!("{page}{}", page::CARRIERS)),
        "webhooks": hooks::credentials(),
    });
    fs::write(&senders, known.to_string()).trying("note the secrets of the stand-ins")?;
    let mut command = tools.command("python");
    command
        .env_remove("AWS_PROFILE")
        .env("NO_PROXY", "127.0.0.1,localhost")
        .arg(place.of("infra/local/deploy.py"))
        .arg("--template")
        .arg(template)
        .args(["--endpoint", &format!("http://127.0.0.1:{}", running.port)])
        .arg("--binaries")
        .arg(folder)
        .arg("--secrets")
        .arg(place.local(&format!("{}/secrets.json", running.state))?)
        .arg("--senders")
        .arg(senders)
        .arg("--out")
        .arg(&out);
    let said = child::run(&mut command, stop, |_| ())?;
    if !said.ok {
        let failure =
            Failure::new(format!("template.yaml was not deployed. {}", said.last_words(12)));
        return Err(match said.err.contains("The stack ended") {
            true => failure.remedy("If it changed much since the stack was last up, begin anew: `cargo dev up --fresh`."),
            false => failure,
        });
    }
    step.done(said.out.trim())?;
    Stack::read(&out)
}

fn receive(page: &Arc<Page>, stop: &Stop, stack: &Stack) {
    let (page, stop, stack) = (Arc::clone(page), stop.clone(), stack.clone());
    thread::spawn(move || page.outbox.receive_until(&stop, &stack));
}

/// `cargo dev up`.
pub(super) fn run(
    place: &Place,
    stop: &Stop,
    wanted: &Wanted,
    detached: bool,
) -> Result<(), Failure> {
    show::line(format!("{}\n", bold("Aftercart on this machine")))?;
    let begun = Instant::now();
    let mut open = Open::new(place, stop, wanted)?;
    let took = show::seconds(begun.elapsed());
    show::line(format!("\n{} {}\n", bold("The shop is open."), faint(&took)))?;
    welcome(&open.stack, &open.running)?;
    if detached {
        show::line("`cargo dev down` closes it.")?;
    } else {
        show::line("Ctrl-C closes it; what it holds is kept for the next time.")?;
    }
    let outcome = open.hold(stop);
    if outcome.is_ok() {
        show::line("\nClosing ...")?;
    }
    drop(open);
    outcome?;
    show::line("Closed. `cargo dev up` opens it again as it was, `cargo dev up --fresh` empty.")
}

/// Where everything is, and what to try.
fn welcome(stack: &Stack, running: &Running) -> Result<(), Failure> {
    let lines = [
        ("API", stack.api_url.clone()),
        ("Outbox", format!("{}  what people would be sent", running.page_url())),
        ("AWS", format!("{}  for the AWS CLI and SDKs", stack.endpoint)),
    ];
    for (name, value) in lines {
        show::line(format!("  {name:8}{value}"))?;
    }
    show::line("\nIn another terminal:")?;
    show::line(
        "  cargo dev demo              a day of the shop, with one order followed to the end",
    )?;
    show::line("  cargo dev logs order-place  what a function logs; -f follows")?;
    show::line(format!(
        "  curl -H \"authorization: Bearer $(cargo dev token)\" {}/orders\n",
        stack.api_url
    ))
}

/// `cargo dev up --detach`: the same in another process, until it is open.
pub(super) fn detach(place: &Place, stop: &Stop, wanted: &Wanted) -> Result<(), Failure> {
    refuse_a_second(place)?;
    let log = place.local("up.log")?;
    let out = File::create(&log).trying("write .aftercart/up.log")?;
    let mut command = Command::new(std::env::current_exe().trying("find the dev command")?);
    command.args(["up", "--detached", "--port", &wanted.port.to_string()]);
    if wanted.fresh {
        command.arg("--fresh");
    }
    let errors = out.try_clone().trying("write .aftercart/up.log")?;
    command.process_group(0).stdin(Stdio::null()).stdout(out).stderr(errors);
    let mut child = command.spawn().trying("start the stack in the background")?;
    let mut shown = File::open(&log).trying("read .aftercart/up.log")?;
    loop {
        let ended = child.try_wait().trying("wait for the stack")?;
        let open = Running::find(place).is_some_and(|running| running.ready());
        pass_on(&mut shown)?;
        if let Some(status) = ended {
            return if status.success() { Err(Failure::Stopped) } else { Err(Failure::Told) };
        }
        if open {
            thread::sleep(Duration::from_millis(200));
            return pass_on(&mut shown);
        }
        if stop.pause(Duration::from_millis(100)).is_err() {
            child::end(&mut child, rustix::process::Signal::TERM);
            return Err(Failure::Stopped);
        }
    }
}

fn pass_on(from: &mut File) -> Result<(), Failure> {
    let mut text = String::new();
    from.read_to_string(&mut text).trying("read .aftercart/up.log")?;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|_| Failure::Unread)
}

/// `cargo dev down`.
pub(super) fn down(place: &Place, stop: &Stop) -> Result<(), Failure> {
    let Some(running) = Running::find(place) else {
        Running::forget(place);
        return show::line("No local stack is running.");
    };
    let step = Step::begin("Closing", "the stack saves what it holds")?;
    running.ask("POST", "/stop")?;
    let until = Instant::now() + Duration::from_secs(30);
    while TcpListener::bind(("127.0.0.1", running.page_port())).is_err() {
        stop.pause(Duration::from_millis(100))?;
        if Instant::now() > until {
            return Err(Failure::new(format!("Process {} does not end.", running.pid))
                .remedy(format!("End it with `kill {}`.", running.pid)));
        }
    }
    step.done("closed; `cargo dev up` opens it again as it was")
}

/// `cargo dev status`.
pub(super) fn status(place: &Place) -> Result<(), Failure> {
    let Some(running) = Running::find(place) else {
        return show::line("No local stack is running. `cargo dev up` starts one.");
    };
    if !running.ready() {
        return show::line(format!("The stack is starting (process {}).", running.pid));
    }
    let (running, stack) = Running::stack(place)?;
    let functions = stack.functions.len();
    show::line(format!("The shop is open: {functions} functions, process {}.\n", running.pid))?;
    welcome(&stack, &running)
}
