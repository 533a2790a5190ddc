//! Deliveries as AWS makes them: many at the same time, some twice.

use std::{future::Future, pin::Pin};

use aftercart::{messages::Queue, model::time::Clock as _, store::Table};
use futures::future::join_all;

use super::{
    super::{World, WorldError, queues::dead_letters_of, tables::Change, tables::READERS},
    CHANGES_MAX, MESSAGES_MAX, Message,
};

/// The most invocations of one consumer at the same time.
const CONSUMERS_MAX: usize = 3;

/// Of so many deliveries one comes twice.
const TWICE: u8 = 8;

/// An invocation that is under way.
type Run<'w> = Pin<Box<dyn Future<Output = Result<(), WorldError>> + Send + 'w>>;

impl World {
    /// One round of deliveries side by side: readers of streams and consumers
    /// of queues all at once, several invocations of one consumer at the same
    /// time, with different messages, and sometimes with the same, as SQS does
    /// it. Whether anything moved. Messages that failed stay away for as long as
    /// their queue has it; time does not go on by this.
    ///
    /// # Errors
    /// [`WorldError`] when a function cannot be called at all.
    pub async fn deliver_side_by_side(&self) -> Result<bool, WorldError> {
        let mut runs: Vec<Run<'_>> = Vec::new();
        for (reader, _) in READERS {
            for table in Table::ALL.into_iter().filter(|table| table.sends()) {
                let batch = self.some_changes(reader, table);
                if !batch.is_empty() {
                    let twice = self.again(true);
                    runs.push(Box::pin(self.hand_over(reader, batch, twice)));
                }
            }
        }
        for queue in Queue::ALL {
            let Some(function) = self.consumer(queue) else { continue };
            for batch in self.some_messages(queue) {
                runs.push(Box::pin(self.hand_messages(queue, function, batch, true)));
            }
        }
        let moved = !runs.is_empty();
        self.outside.sky.dice(|dice| dice.shuffle(&mut runs));
        for outcome in join_all(runs).await {
            outcome?;
        }
        Ok(moved)
    }

    /// Whether something is delivered once more that was delivered.
    pub(super) fn again(&self, side_by_side: bool) -> bool {
        match side_by_side {
            true => self.outside.sky.dice(|dice| dice.u8(0..TWICE) == 0),
            false => self.deliveries().again(),
        }
    }

    /// The first changes of a table for a reader, as many as the dice have it.
    fn some_changes(&self, reader: &str, table: Table) -> Vec<Change> {
        let for_reader = |it: &Change| it.table == table && it.reader == reader;
        let (mut batch, mut rest): (Vec<Change>, Vec<Change>) =
            self.outside.tables.take_changes().into_iter().partition(for_reader);
        let size = batch.len().min(CHANGES_MAX);
        if size > 0 {
            let size = self.outside.sky.dice(|dice| dice.usize(1..=size));
            rest.splice(0..0, batch.split_off(size));
        }
        self.outside.tables.put_back(rest);
        batch
    }

    /// Messages of a queue for some invocations of its consumer.
    fn some_messages(&self, queue: Queue) -> Vec<Vec<Message>> {
        let (now, mut batches) = (self.clock().now(), Vec::new());
        for _ in 0..self.outside.sky.dice(|dice| dice.usize(1..=CONSUMERS_MAX)) {
            let size = self.outside.sky.dice(|dice| dice.usize(1..=MESSAGES_MAX));
            let sky = &self.outside.sky;
            let batch = self.outside.queues.receive(queue.name(), size, now, |waiting| {
                sky.dice(|dice| dice.shuffle(waiting));
            });
            if batch.is_empty() {
                break;
            }
            batches.push(batch);
        }
        if !batches.is_empty() && self.again(true) {
            let twice = batches.iter().flatten().next().cloned();
            batches.push(twice.into_iter().collect());
        }
        batches
    }

    /// Sends some of the messages again that were finished, some of them long
    /// ago, as an operator does who redrives a dead-letter queue days later;
    /// parked ones are moved back first. How many. Messages that are finished
    /// are kept from the first weather on.
    pub fn redrive(&self, at_most: usize) -> usize {
        let mut many = self.move_back(at_most);
        while many < at_most {
            let kept = self.outside.queues.finished();
            if kept == 0 {
                break;
            }
            let number = self.outside.sky.dice(|dice| dice.usize(0..kept));
            many += usize::from(self.outside.queues.send_again(number, self.clock().now()));
        }
        many
    }

    /// Moves everything back that is parked, as an operator does when the
    /// trouble is over: messages to their queues, changes to their readers. How
    /// many.
    pub fn unpark(&self) -> usize {
        self.move_back(usize::MAX)
    }

    fn move_back(&self, at_most: usize) -> usize {
        let told = self.outside.tables.tell_again(at_most);
        let mut many = told.len();
        for (change, text) in told {
            self.outside.queues.take_out(&dead_letters_of(change.reader), &text);
            self.tries().remove(&change.sequence);
        }
        let now = self.clock().now();
        for queue in Queue::ALL.into_iter().filter(|queue| self.consumer(*queue).is_some()) {
            many += self.outside.queues.move_back(queue, at_most.saturating_sub(many), now);
        }
        many
    }
}
