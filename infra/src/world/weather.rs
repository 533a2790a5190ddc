//! What goes wrong between the functions and AWS, by dice that a seed throws:
//! calls that fail, processes that die, reads that see the past, answers that
//! come late. The same seed has the same weather, whatever the machine.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fastrand::Rng;

use super::{Mutant, World, port::Fault};

/// Chances are in thousandths.
const WHOLE: u16 = 1_000;

/// The most writes of an item that a read does not see which sees the past.
const UNSEEN_MAX: usize = 3;

/// What goes wrong between the functions and AWS, by dice. Chances are per
/// mille of calls (or deliveries).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weather {
    /// What the dice are thrown with.
    pub seed: u64,
    /// A call never arrives.
    pub before: u16,
    /// A call is applied, and its answer is lost.
    pub after: u16,
    /// A write meets another transaction.
    pub conflict: u16,
    /// A call is throttled.
    pub throttle: u16,
    /// Half of a batch is not done.
    pub partial: u16,
    /// The process dies at this call, before or after it was applied: nothing of
    /// the invocation goes on, the function is cold next time, and whoever called
    /// it is told nothing.
    pub crash: u16,
    /// An eventually consistent read (an index is read so always) does not see
    /// the last writes of items that were written a moment ago. Consistent
    /// reads see them.
    pub stale: u16,
    /// A call waits for up to `turns` turns of the executor, so that others
    /// come in between.
    pub slow: u16,
    /// The most turns that a slow call waits.
    pub turns: u16,
}

impl Weather {
    /// Nothing goes wrong.
    #[must_use]
    pub fn calm(seed: u64) -> Self {
        Self {
            seed,
            before: 0,
            after: 0,
            conflict: 0,
            throttle: 0,
            partial: 0,
            crash: 0,
            stale: 0,
            slow: 0,
            turns: 0,
        }
    }

    /// Everything goes wrong, each so often that most invocations still end
    /// well: about one call in twenty fails, one in a hundred takes its process
    /// along, and one in four lets others pass.
    #[must_use]
    pub fn rough(seed: u64) -> Self {
        Self {
            before: 15,
            after: 15,
            conflict: 20,
            throttle: 10,
            partial: 30,
            crash: 10,
            stale: 200,
            slow: 250,
            turns: 8,
            ..Self::calm(seed)
        }
    }
}

/// The weather of a world as it goes on.
#[derive(Debug)]
pub(super) struct Sky(Mutex<State>);

#[derive(Debug)]
struct State {
    weather: Option<Weather>,
    mutant: Option<&'static Mutant>,
    dice: Rng,
}

impl Default for Sky {
    fn default() -> Self {
        Self(Mutex::new(State { weather: None, mutant: None, dice: Rng::with_seed(0) }))
    }
}

impl Sky {
    /// How many turns a call waits before it arrives; one at least, as on a
    /// network.
    pub(super) fn turns(&self) -> u16 {
        self.drawn(1, |weather, dice| {
            let slow = weather.turns > 0 && is(weather.slow, dice);
            if slow { dice.u16(1..=weather.turns) } else { 1 }
        })
    }

    /// How a call fails, if it does.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.drawn(None, |weather, dice| {
            let mut thrown = dice.u16(0..WHOLE);
            let chances = [
                (weather.before, Fault::Before),
                (weather.after, Fault::After),
                (weather.conflict, Fault::Conflict),
                (weather.throttle, Fault::Throttle),
                (weather.partial, Fault::Partial),
                (weather.crash / 2, Fault::DieBefore),
                (weather.crash.div_ceil(2), Fault::DieAfter),
            ];
            for (chance, fault) in chances {
                if thrown < chance {
                    return Some(fault);
                }
                thrown -= chance;
            }
            None
        })
    }

    /// Dice of how many of its last writes a read does not see of each item; none
    /// when it sees all.
    pub(super) fn stale(&self) -> Option<Unseen> {
        self.drawn(None, |weather, dice| is(weather.stale, dice).then(|| Unseen(dice.fork())))
    }

    /// Throws the dice, whatever the weather.
    pub(super) fn dice<T>(&self, throw: impl FnOnce(&mut Rng) -> T) -> T {
        throw(&mut self.state().dice)
    }

    pub(super) fn mutant(&self) -> Option<&'static Mutant> {
        self.state().mutant
    }

    fn drawn<T>(&self, calm: T, draw: impl FnOnce(&Weather, &mut Rng) -> T) -> T {
        let mut state = self.state();
        let State { weather, dice, .. } = &mut *state;
        weather.as_ref().map_or(calm, |weather| draw(weather, dice))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is(chance: u16, dice: &mut Rng) -> bool {
    chance > 0 && dice.u16(0..WHOLE) < chance
}

/// Says of each item how many of its last writes a read does not see.
#[derive(Debug)]
pub(super) struct Unseen(Rng);

impl Unseen {
    /// Dice for a read that is to see the past, whatever the weather.
    pub(super) fn always(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    pub(super) fn writes(&mut self) -> usize {
        self.0.usize(0..=UNSEEN_MAX)
    }
}

impl World {
    /// Changes what goes wrong from now on; nothing does when there is none.
    /// Throws the dice anew, also those that functions of this thread throw when
    /// they wait before they try again. In weather, a world's tables are quick
    /// ones: see [`Options::quick`](super::Options::quick).
    pub fn set_weather(&self, weather: Option<Weather>) {
        let mut state = self.outside.sky.state();
        if let Some(weather) = &weather {
            state.dice = Rng::with_seed(weather.seed);
            fastrand::seed(weather.seed);
        }
        self.outside.queues.remember(weather.is_some());
        state.weather = weather;
        self.remember(&state);
    }

    /// Breaks the suite in this way from now on, or mends it.
    pub fn set_mutant(&self, mutant: Option<&'static Mutant>) {
        let mut state = self.outside.sky.state();
        state.mutant = mutant;
        self.remember(&state);
    }

    /// Lets reads see the past, if any may.
    fn remember(&self, state: &State) {
        let remembers = state.weather.is_some() || state.mutant.is_some();
        self.outside.tables.remember(remembers);
    }
}
