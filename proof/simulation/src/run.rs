//! One run: a seed, from the opening of its shop until nothing is left to do.

use std::{collections::BTreeMap, fmt};

use aftercart::{
    model::time::{Period, TimeError, Timestamp},
    run::Trigger,
};
use aftercart_infra::{
    functions,
    world::{Mutant, Options, Violation, Weather, World, WorldError},
};
use futures::future::join_all;

use crate::{
    acts,
    book::Book,
    check::{self, Found},
    dice::Dice,
    errand::{Came, Errand},
    learn,
    shop::{OPENS, Shop},
    trace::Trace,
};

/// What is run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// What chance begins with: the same seed, the same run.
    pub seed: u64,
    /// For how many hours people act.
    pub hours: u32,
    /// How many people there are.
    pub people: u32,
    /// How the suite is broken on purpose.
    pub mutant: Option<&'static Mutant>,
    /// Whether all that happens is written to stderr.
    pub shown: bool,
}

impl Plan {
    /// A short run of a seed.
    #[must_use]
    pub fn short(seed: u64) -> Self {
        Self { seed, hours: 3, people: 4, mutant: None, shown: false }
    }

    /// A run that is as short as it can be and still be worth something.
    #[must_use]
    pub fn tiny(seed: u64) -> Self {
        Self { hours: 1, people: 3, ..Self::short(seed) }
    }
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Of which seed.
    pub seed: u64,
    /// A digest of everything that happened.
    pub digest: u64,
    /// How many things people and the outside did.
    pub errands: u64,
    /// How many orders were placed.
    pub orders: u64,
    /// How often what was answered how.
    pub answers: BTreeMap<(&'static str, u16), u32>,
    /// The invariant that does not hold, if there is one.
    pub broken: Option<String>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many minutes of virtual time have passed.
    pub minutes: u32,
    /// How many orders were placed.
    pub orders: usize,
    /// How many things were done.
    pub errands: u64,
}

/// Why a run says nothing about the suite.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// The world around the functions failed.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The shop has no policy.
    #[error(transparent)]
    Policy(#[from] aftercart::model::policy::PolicyError),
    /// The shop opens at no moment.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// The shop could not be opened.
    #[error("the shop could not be opened: {0}")]
    Closed(String),
    /// There is no executor for the run.
    #[error("no executor: {0}")]
    Executor(#[from] std::io::Error),
    /// A thread of runs ended early.
    #[error("a thread of runs ended early")]
    Thread,
}

/// How many seconds pass between two turns of a run of few people, on average.
const TURN: u32 = 300;

/// How much one person does in an hour, in thousandths of an errand, in a run of
/// many; those of a run of few do more.
const PER_PERSON_HOUR: u32 = 400;

/// The most turns in which schedules find something to do at one moment.
const SWEEPS_MAX: usize = 40;

/// What is left is done in these steps, in hours: what waits for an hour, a
/// night, a parcel, the end of a return window, the end of an invitation.
const STEPS: [u32; 7] = [1, 5, 20, 50, 100, 300, 400];

/// How often parked messages are sent again in the end.
const REDRIVES_MAX: usize = 20;

/// Runs a plan to its end on a thread of its own executor, in which time stands
/// still until nothing else is to be done.
///
/// # Errors
/// [`SimulationError`] when the run says nothing about the suite.
pub fn run(plan: &Plan, told: &mut dyn FnMut(Progress)) -> Result<Outcome, SimulationError> {
    let executor =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    executor.block_on(play(plan, told))
}

async fn play(plan: &Plan, told: &mut dyn FnMut(Progress)) -> Result<Outcome, SimulationError> {
    fastrand::seed(plan.seed);
    let mut run = Run::open(plan).await?;
    let broken = run.whole(plan, told).await?.err();
    Ok(Outcome {
        seed: plan.seed,
        digest: run.trace.digest(),
        errands: run.errands,
        orders: u64::try_from(run.book.orders.len()).unwrap_or(u64::MAX),
        answers: run.book.answers,
        broken,
    })
}

struct Run {
    world: World,
    book: Book,
    dice: Dice,
    trace: Trace,
    schedules: Vec<&'static str>,
    errands: u64,
    seed: u64,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Run of {}", self.seed)
    }
}

impl Run {
    async fn open(plan: &Plan) -> Result<Self, SimulationError> {
        let start = Timestamp::parse(OPENS)?;
        let mut dice = Dice::new(plan.seed, 2);
        let shop = Shop::of(plan.seed);
        let policy = shop.policy(start)?;
        let sdk_attempts = if dice.chance(500) { 1 } else { 3 };
        let options = Options { start, sdk_attempts, ..Options::default() };
        let world = World::new(&functions(), options).await?;
        for ask in shop.opening(&policy, &mut dice) {
            let reply = world.ask(&ask).await?;
            if !(200..300).contains(&reply.status) {
                return Err(SimulationError::Closed(format!("{ask:?}: {}", reply.body)));
            }
        }
        // Functions see a new policy a minute later.
        world.clock().advance(Period::of_seconds(61));
        world.set_mutant(plan.mutant);
        let people = usize::try_from(plan.people).unwrap_or(usize::MAX);
        let scheduled = |it: &aftercart::run::Function| {
            matches!(it.trigger, Trigger::Schedule(_)).then_some(it.name)
        };
        let schedules = functions().iter().filter_map(scheduled).collect();
        Ok(Self {
            book: Book::new(plan.seed, people, world.now()),
            world,
            dice,
            trace: Trace::new(plan.shown),
            schedules,
            errands: 0,
            seed: plan.seed,
        })
    }

    async fn whole(
        &mut self,
        plan: &Plan,
        told: &mut dyn FnMut(Progress),
    ) -> Result<Found, SimulationError> {
        let begin = self.world.now();
        let end = begin.plus(Period::of_seconds(plan.hours * 3_600));
        let mut hour = 0;
        self.storm(0);
        while self.world.now() < end {
            self.turn(plan).await?;
            let passed = self.world.now().unix_seconds() - begin.unix_seconds();
            let minutes = u32::try_from(passed / 60).unwrap_or_default();
            if minutes / 60 > hour {
                hour = minutes / 60;
                let found = self.pause(hour).await?;
                let (orders, errands) = (self.book.orders.len(), self.errands);
                told(Progress { minutes, orders, errands });
                if found.is_err() {
                    return Ok(found);
                }
            }
        }
        self.rest().await
    }

    fn storm(&self, number: u32) {
        let seed = self.seed.wrapping_mul(1_000).wrapping_add(u64::from(number));
        self.world.set_weather(Some(Weather::rough(seed)));
    }

    /// Some things happen at once: people act, messages are delivered, schedules
    /// run, one of them perhaps twice.
    async fn turn(&mut self, plan: &Plan) -> Result<(), SimulationError> {
        let busy = plan.people * PER_PERSON_HOUR / 1_000;
        let pause = TURN.min(7_200 / busy.max(1));
        let gap = self.dice.between(0, 2 * pause);
        self.world.clock().advance(Period::of_seconds(gap));
        self.book.now = self.world.now();
        let mut errands = self.due();
        for _ in 0..self.dice.between(1, 3) {
            errands.extend(acts::draw(&mut self.book));
        }
        let schedules = self.drawn_schedules();
        let asked = self.ready(errands);
        let world = &self.world;
        let (came, (moved, swept)) = futures::future::join(
            join_all(asked.iter().map(|errand| errand.run(world))),
            futures::future::join(
                world.deliver_side_by_side(),
                join_all(schedules.iter().map(|name| world.run_schedule(name))),
            ),
        )
        .await;
        moved?;
        for (name, swept) in schedules.iter().zip(swept) {
            self.trace.add(&format!("{name} {}", swept.is_ok()));
        }
        for (errand, came) in asked.into_iter().zip(came) {
            self.hear(errand, came?);
        }
        if self.dice.chance(400) {
            self.world.deliver_side_by_side().await?;
        }
        if self.dice.chance(100) {
            learn::read_mails(&mut self.book, &self.world);
        }
        if self.dice.chance(20) {
            let again = self.world.redrive(3);
            self.trace.add(&format!("redriven {again}"));
        }
        Ok(())
    }

    /// What is due of what was to happen later, in the order of time.
    fn due(&mut self) -> Vec<Errand> {
        let now = self.book.now;
        let (mut due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.book.later).into_iter().partition(|(at, _)| *at <= now);
        self.book.later = later;
        due.sort_by_key(|(at, _)| *at);
        due.into_iter().map(|(_, errand)| errand).collect()
    }

    fn ready(&mut self, errands: Vec<Errand>) -> Vec<Errand> {
        let now = self.book.now;
        let asked: Vec<Errand> = errands.into_iter().map(|errand| errand.at(now)).collect();
        for errand in &asked {
            learn::about_to_tell(&mut self.book, errand);
        }
        learn::charge(&self.book, &self.world);
        self.errands += u64::try_from(asked.len()).unwrap_or_default();
        asked
    }

    /// Which schedules run in this turn; sometimes one runs twice at once.
    fn drawn_schedules(&mut self) -> Vec<&'static str> {
        let mut drawn = Vec::new();
        for _ in 0..2 {
            if let Some(name) = self.dice.pick(&self.schedules).copied() {
                drawn.push(name);
                if self.dice.chance(150) {
                    drawn.push(name);
                }
            }
        }
        drawn
    }

    /// What a client makes of what came: what was not answered is asked again,
    /// the same.
    fn hear(&mut self, errand: Errand, came: Came) {
        let lost = self.dice.chance(30);
        match came {
            Came::Answer(reply) if reply.status < 500 && !lost => {
                self.trace.add(&format!(
                    "{} {} {} {}",
                    self.book.now, errand.name, reply.status, reply.body
                ));
                learn::learn(&mut self.book, &errand, &reply);
            }
            came => {
                if let Came::Answer(reply) = &came
                    && reply.status == 500
                {
                    learn::learn(&mut self.book, &errand, reply);
                }
                let status = match came {
                    Came::Answer(reply) => reply.status,
                    Came::Nothing => 0,
                };
                self.trace.add(&format!("{} {} {status} lost", self.book.now, errand.name));
                let again = self.dice.between(1, 400);
                self.book.later(again, errand);
            }
        }
    }

    /// Once an hour: what must always be so. Now and then the storm pauses,
    /// everything is delivered, and everything is looked at.
    async fn pause(&mut self, hour: u32) -> Result<Found, SimulationError> {
        let found = check::always(&self.world, &self.book).await?;
        if found.is_err() || !(hour.is_multiple_of(12) || self.dice.chance(100)) {
            return Ok(found);
        }
        self.world.set_weather(None);
        self.deliver().await?;
        self.trace.add(&format!("a calm hour at {}", self.world.now()));
        let found = self.invariants().await?;
        self.storm(hour);
        Ok(found)
    }

    async fn invariants(&self) -> Result<Found, SimulationError> {
        match self.world.check_invariants().await {
            Ok(_) => Ok(Ok(())),
            Err(Violation::Broken(what)) => Ok(Err(what)),
            Err(Violation::Unread(error)) => Err(WorldError::from(error).into()),
        }
    }

    /// Everything is delivered, also what was parked while it stormed.
    async fn deliver(&mut self) -> Result<(), SimulationError> {
        self.world.settle().await?;
        for _ in 0..REDRIVES_MAX {
            if self.world.unpark() == 0 {
                break;
            }
            self.world.settle().await?;
        }
        self.book.now = self.world.now();
        Ok(())
    }

    /// The storm is over. Everybody gets an answer, everything is delivered, all
    /// schedules run until they find nothing, and everything is looked at.
    async fn rest(&mut self) -> Result<Found, SimulationError> {
        self.world.set_weather(None);
        self.deliver().await?;
        for hours in STEPS {
            let found = self.step(hours).await?;
            if found.is_err() {
                return Ok(found);
            }
        }
        let found = check::always(&self.world, &self.book).await?;
        let found = match found {
            Ok(()) => check::finally(&self.world, &self.book).await?,
            broken => broken,
        };
        match found {
            Ok(()) => self.invariants().await,
            broken => Ok(broken),
        }
    }

    async fn step(&mut self, hours: u32) -> Result<Found, SimulationError> {
        self.world.clock().advance(Period::of_seconds(hours * 3_600));
        self.book.now = self.world.now();
        loop {
            let errands = self.due();
            if errands.is_empty() {
                break;
            }
            for errand in self.ready(errands) {
                let came = errand.run(&self.world).await?;
                let unanswered = match &came {
                    Came::Nothing => Some("died".to_owned()),
                    Came::Answer(reply) if reply.status >= 500 => Some(reply.body.clone()),
                    Came::Answer(_) => None,
                };
                if let Some(why) = unanswered {
                    return Ok(Err(format!(
                        "{} is not answered in calm weather: {why}",
                        errand.name
                    )));
                }
                if let Came::Answer(reply) = came {
                    self.trace.add(&format!("{} {} {}", errand.name, reply.status, reply.body));
                    learn::learn(&mut self.book, &errand, &reply);
                }
            }
            self.deliver().await?;
        }
        let found = self.sweep().await?;
        learn::read_mails(&mut self.book, &self.world);
        Ok(found)
    }

    /// Runs all schedules until none of them finds anything to do.
    async fn sweep(&mut self) -> Result<Found, SimulationError> {
        for name in self.schedules.clone() {
            let mut rounds = 0;
            loop {
                let swept = self.world.run_schedule(name).await?;
                self.trace.add(&format!("{name} {swept}"));
                if swept["failed"].as_u64().unwrap_or(0) > 0 && rounds > 0 {
                    return Ok(Err(format!("{name} fails in calm weather: {swept}")));
                }
                if swept["done"].as_u64().unwrap_or(0) == 0 {
                    break;
                }
                rounds += 1;
                if rounds == SWEEPS_MAX {
                    return Ok(Err(format!("{name} finds no end: {swept}")));
                }
            }
        }
        self.deliver().await?;
        Ok(Ok(()))
    }
}
