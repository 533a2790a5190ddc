//! One more order of a member who has bought before.

use std::time::Instant;

use crate::{
    BenchError,
    cost::{
        self,
        life::{Life, Living},
    },
};

/// How many products the shop has for each order of the history.
const PRODUCTS: u64 = 10;

/// How many orders are timed; the middle one counts.
const TIMED: usize = 21;

/// What an order cost.
#[derive(Debug, Clone, Copy)]
pub struct Grown {
    /// Write units, from the button to the answered survey.
    pub writes: u64,
    /// Halves of read units.
    pub read_halves: u64,
    /// Calls.
    pub round_trips: u64,
    /// All of it, in pico-dollars.
    pub pico_dollars: u64,
    /// How long placing one took here, in microseconds: functions and tables in
    /// one process.
    pub place_us: u64,
}

/// What an order costs after so many.
///
/// # Errors
/// [`BenchError`].
pub async fn measured(orders: u64) -> Result<Grown, BenchError> {
    let mut life = Life::begin().await?;
    for product in 0..orders.saturating_mul(PRODUCTS) {
        life.sell(&format!("OTHER-{product:04}"), 10).await?;
    }
    for _ in 0..orders {
        life.live_shortly("member-0").await?;
    }
    // All that was earned is the member's, and nobody was asked of late.
    for _ in 0..4 {
        life.rest(30);
        life.sweep().await?;
    }
    drop(life.world.take_costs());
    life.live(Living { members: 1, first: 0 }).await?;
    let sum = cost::total(&cost::summed(&life.world.take_costs()));
    life.check().await?;
    let mut took = Vec::with_capacity(TIMED);
    for number in 0..TIMED {
        let started = Instant::now();
        life.place("member-0", &format!("a-timed-order-{number:04}")).await?;
        took.push(u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    took.sort_unstable();
    Ok(Grown {
        writes: sum.writes,
        read_halves: sum.read_halves,
        round_trips: sum.round_trips,
        pico_dollars: sum.pico_dollars().iter().map(|(_, amount)| amount).sum(),
        place_us: took.get(TIMED / 2).copied().unwrap_or(0),
    })
}
