//! `cargo dev fire`: the real stack while its processes are killed.
//!
//! Customers order, pay and answer side by side, over HTTP, and repeat what was
//! not answered, under the same key. Meanwhile functions are killed at work,
//! two of them are broken until their messages wear out, the emulator is ended
//! and started with what it held, and dead-letter queues are redriven. At the
//! end everything is delivered, and the audit must find every order that a
//! customer was told of, once, and nothing else.

mod after;
mod buyers;
mod killer;
mod queues;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use self::{
    buyers::{Field, Story},
    killer::Killer,
    queues::Queues,
};
use super::{
    child::Stop,
    failure::Failure,
    place::Place,
    show::{self, bold, faint, green, red},
    stack::Stack,
    up::{self, Open, Wanted},
};

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Options {
    /// How many orders.
    pub(super) orders: u32,
    /// What chance begins with.
    pub(super) seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { orders: 200, seed: 1 }
    }
}

/// How many customers act at the same time: more than the machine has cores,
/// few enough that a call is answered within seconds.
const CUSTOMERS: usize = 8;

/// The functions that cannot reach their tables for a while.
const BROKEN: [&str; 2] = ["shipment-open", "points-post"];

/// When that begins and ends, in hundredths of the orders.
const BREAK: usize = 20;
const MEND: usize = 45;

/// When the emulator is ended and started again, in hundredths of the orders.
const RESTARTS: [usize; 2] = [60, 85];

/// How long the broken functions stay so at the least: five receives of a
/// message, and what the emulator takes for them.
const OUTAGE: Duration = Duration::from_secs(30);

/// Plays it, on a stack of its own.
pub(super) fn run(place: &Place, stop: &Stop, options: Options) -> Result<(), Failure> {
    show::line(format!("{}\n", bold("A stack of its own, to be set on fire")))?;
    let begun = Instant::now();
    let wanted = Wanted { port: up::PORT, fresh: true, state: "fire" };
    let mut open = Open::new(place, stop, &wanted)?;
    let outcome = play(place, stop, &mut open, options);
    let log = place.local("fire/emulator.log")?;
    drop(open);
    let took = faint(&show::seconds(begun.elapsed()));
    match outcome {
        Ok(()) => show::line(format!("{}  {took}", green("Nothing is lost, nothing is doubled."))),
        Err(Failure::Trouble { what, .. }) => {
            show::line(format!("{} {what}  {took}", red("It does not hold.")))?;
            show::line(format!(
                "The same again: cargo dev fire --orders {} --seed {}; what it logged is in {}",
                options.orders,
                options.seed,
                place.shown(&log)
            ))?;
            Err(Failure::Told)
        }
        Err(other) => Err(other),
    }
}

fn play(place: &Place, stop: &Stop, open: &mut Open, options: Options) -> Result<(), Failure> {
    let stack = open.stack.clone();
    let queues = Queues::of(&stack)?;
    queues.hurry()?;
    let field = Field::new(&stack, open.page.clone(), stop, options)?;
    let killer = Killer::new(place, options.seed)?;
    killer.aim(open.pid());
    let stories = Story::all(options);
    let done = AtomicUsize::new(0);
    let next = AtomicUsize::new(0);
    let ended = thread::scope(|scope| {
        scope.spawn(|| killer.run(stop));
        let (field, stories, done, next) = (&field, &stories, &done, &next);
        let customers: Vec<_> = (0..CUSTOMERS)
            .map(|_| scope.spawn(move || serve(field, stories, next, done)))
            .collect();
        let outcome = trouble(
            place,
            stop,
            open,
            &Fire { stack: &stack, queues: &queues, killer: &killer, done, all: stories.len() },
        );
        if outcome.is_err() {
            field.give_up();
        }
        let lost: Vec<String> = customers
            .into_iter()
            .flat_map(|it| it.join().unwrap_or_else(|_| vec!["A customer broke off.".to_owned()]))
            .collect();
        killer.end();
        outcome.map(|()| lost)
    })?;
    let told = field.told();
    show::line(format!(
        "Customers    {} orders were confirmed, {} calls were repeated",
        told.len(),
        field.repeated()
    ))?;
    show::line(format!("Killed       {}", killer.report()))?;
    if let Some(first) = ended.first() {
        return Err(Failure::new(format!("{} of the customers gave up. {first}", ended.len())));
    }
    after::settle(&stack, &queues, stop)?;
    after::audit(&stack, &open.page, &queues, &told)
}

/// A customer after the other, until there is none; what went wrong.
fn serve(field: &Field, stories: &[Story], next: &AtomicUsize, done: &AtomicUsize) -> Vec<String> {
    let mut lost = Vec::new();
    while let Some(story) = stories.get(next.fetch_add(1, Ordering::Relaxed)) {
        match story.live(field) {
            Ok(()) => {}
            Err(Failure::Trouble { what, .. }) => {
                lost.push(format!("Order {}: {what}", story.number))
            }
            Err(_) => lost.push("It was stopped.".to_owned()),
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
    lost
}

/// What is done to the stack while customers use it.
struct Fire<'a> {
    stack: &'a Stack,
    queues: &'a Queues<'a>,
    killer: &'a Killer,
    done: &'a AtomicUsize,
    all: usize,
}

fn trouble(place: &Place, stop: &Stop, open: &mut Open, fire: &Fire<'_>) -> Result<(), Failure> {
    fire.wait(stop, BREAK)?;
    show::line(format!("Broken       {} cannot reach their tables", BROKEN.join(" and ")))?;
    let begun = Instant::now();
    for function in BROKEN {
        fire.set_tables(function, "gone-")?;
    }
    fire.wait(stop, MEND)?;
    stop.pause(OUTAGE.saturating_sub(begun.elapsed()))?;
    for function in BROKEN {
        fire.set_tables(function, "")?;
    }
    let moved = fire.queues.redrive()?;
    show::line(format!(
        "Mended       after {}; {moved} messages had worn out and were redriven",
        show::seconds(begun.elapsed())
    ))?;
    for share in RESTARTS {
        fire.wait(stop, share)?;
        fire.killer.aim(None);
        open.restart(place, stop)?;
        fire.killer.aim(open.pid());
    }
    fire.wait(stop, 100)
}

impl Fire<'_> {
    /// Waits until so many hundredths of the orders are done with.
    fn wait(&self, stop: &Stop, share: usize) -> Result<(), Failure> {
        while self.done.load(Ordering::Relaxed) * 100 < self.all * share {
            stop.pause(Duration::from_millis(100))?;
        }
        Ok(())
    }

    /// Gives a function tables of other names, or with no prefix the right ones.
    fn set_tables(&self, function: &str, prefix: &str) -> Result<(), Failure> {
        let deployed = self.stack.function(function)?;
        let mut variables = deployed.environment.clone();
        for (name, value) in &mut variables {
            if name.ends_with("_TABLE") {
                *value = format!("{prefix}{value}");
            }
        }
        self.stack.configure(function, &json!({ "Environment": { "Variables": variables } }))
    }
}
