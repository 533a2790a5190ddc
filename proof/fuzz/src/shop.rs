//! A shop in one process, at which inputs are thrown. It has products, and
//! customers whose orders are paid, on their way and complained about.
//!
//! Each input meets the shop as it was prepared: whatever was written is thrown
//! away with the copy in which it was written.

use std::{cell::RefCell, rc::Rc};

use aftercart::model::time::Timestamp;
use aftercart_infra::world::{World, WorldError};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::{Finding, story, watch::Watch};

/// What the shop's people know that inputs may name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// A member's order that is paid and on its way.
    pub(crate) order: String,
    /// The attempt that paid it.
    pub(crate) payment: String,
    /// Its shipment.
    pub(crate) shipment: String,
    /// A guest's order.
    pub(crate) guest_order: String,
    /// The guest's pass to it.
    pub(crate) order_token: String,
    /// A ticket about the member's order.
    pub(crate) ticket: String,
    /// The tokens of links, by what their paths begin with.
    pub(crate) links: Vec<(&'static str, String)>,
}

/// The shop, and the copy of it that inputs meet now.
pub(crate) struct Shop {
    runtime: Runtime,
    watch: Watch,
    first: World,
    state: RefCell<Option<Rc<Value>>>,
    now: RefCell<Option<Rc<World>>>,
    /// What inputs may name.
    pub(crate) known: Known,
}

/// What an input led to.
pub(crate) struct Led<T> {
    /// What came out.
    pub(crate) out: T,
    /// What was logged as bugs of ours.
    pub(crate) bugs: Vec<String>,
    /// Whether anything was written, or tried to be.
    pub(crate) wrote: bool,
}

thread_local! {
    static SHOP: RefCell<Option<Rc<Shop>>> = const { RefCell::new(None) };
}

impl Shop {
    /// This thread's shop.
    pub(crate) fn here() -> Result<Rc<Self>, Finding> {
        if let Some(shop) = SHOP.with_borrow(Option::clone) {
            return Ok(shop);
        }
        let shop = Rc::new(Self::prepare()?);
        SHOP.set(Some(Rc::clone(&shop)));
        Ok(shop)
    }

    fn prepare() -> Result<Self, Finding> {
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(Finding::unprepared)?;
        let (first, known) = runtime.block_on(story::tell())?;
        let (state, now) = (RefCell::default(), RefCell::default());
        Ok(Self { runtime, watch: Watch::default(), first, state, now, known })
    }

    /// What time it is there.
    pub(crate) fn time(&self) -> Timestamp {
        self.first.now()
    }

    /// Does something in the shop as it was prepared.
    pub(crate) fn run<T>(
        &self,
        act: impl AsyncFnOnce(&World) -> Result<T, WorldError>,
    ) -> Result<Led<T>, Finding> {
        let world = self.world()?;
        let (units, told) = (world.write_units(), queued(&world));
        let out = tracing::subscriber::with_default(self.watch.clone(), || {
            self.runtime.block_on(act(&world))
        });
        let wrote = world.write_units() != units || queued(&world) != told;
        if wrote || world.now() != self.time() {
            *self.now.borrow_mut() = None;
        }
        let out = out.map_err(|error| Finding::new(format!("an invocation failed: {error}")))?;
        let forbidden = world.forbidden();
        hold!(forbidden.is_empty(), "a function did what it had not declared: {forbidden:?}");
        Ok(Led { out, bugs: self.watch.bugs(), wrote })
    }

    /// Everything that is kept in a copy of the shop.
    pub(crate) fn state_of(&self, world: &World) -> Result<Value, Finding> {
        self.runtime.block_on(world.state()).map_err(Finding::unprepared)
    }

    /// Everything that was kept when the shop was prepared.
    pub(crate) fn first_state(&self) -> Result<Rc<Value>, Finding> {
        if let Some(state) = self.state.borrow().as_ref() {
            return Ok(Rc::clone(state));
        }
        let state = Rc::new(self.state_of(&self.first)?);
        *self.state.borrow_mut() = Some(Rc::clone(&state));
        Ok(state)
    }

    /// The copy that inputs meet now.
    pub(crate) fn world(&self) -> Result<Rc<World>, Finding> {
        if let Some(world) = self.now.borrow().as_ref() {
            return Ok(Rc::clone(world));
        }
        let world = Rc::new(self.first.fork().map_err(Finding::unprepared)?);
        *self.now.borrow_mut() = Some(Rc::clone(&world));
        Ok(world)
    }
}

/// How many messages there are.
fn queued(world: &World) -> usize {
    use aftercart::messages::Queue;
    use aftercart_infra::world::dead_letters;
    let of =
        |queue: Queue| world.queue(queue.name()).len() + world.queue(&dead_letters(queue)).len();
    Queue::ALL.into_iter().map(of).sum()
}
