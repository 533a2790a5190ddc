//! SQS, in memory: standard queues with visibility, counted receives and
//! dead-letter queues.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use aftercart::{
    messages::Queue,
    model::time::{Period, Timestamp},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::permit::Action;

/// How long a message that was received and not finished stays away, and
/// after how many receives it is parked: as template.yaml has it.
const VISIBILITY: Period = Period::of_seconds(120);
const RECEIVES_MAX: u32 = 5;

/// The most messages that are kept after they are finished; another takes the
/// place of one of them then.
const FINISHED_MAX: usize = 4_096;

/// Where queues are.
const ADDRESS: &str = "http://queues.local/000000000000/";

/// The URL of a queue by its name.
pub(super) fn url(name: &str) -> String {
    format!("{ADDRESS}{name}")
}

/// The name of a queue's dead-letter queue.
#[must_use]
pub fn dead_letters(queue: Queue) -> String {
    dead_letters_of(queue.name())
}

/// The name of the dead-letter queue of a reader of streams.
#[must_use]
pub fn dead_letters_of(reader: &str) -> String {
    format!("{reader}-dlq")
}

/// A message in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// SQS's identity of it.
    pub id: String,
    /// Its text.
    pub body: String,
    /// The reason it was parked with, if it was.
    pub reason: Option<String>,
    /// How often it was received.
    pub receives: u32,
    pub(super) sent_at: Timestamp,
    pub(super) visible_at: Timestamp,
}

/// All queues, by name.
#[derive(Default)]
pub(super) struct Queues(Mutex<State>);

#[derive(Clone, Default)]
struct State {
    queues: BTreeMap<String, Vec<Message>>,
    /// Every message that a queue ever took, by its queue and its own identity.
    taken: BTreeSet<(String, String)>,
    count: u64,
    /// Whether messages that are finished are kept, to be sent again.
    remembers: bool,
    /// Messages that were finished, each with its queue.
    finished: Vec<(String, Message)>,
}

/// A request, read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    queue_url: String,
    #[serde(default)]
    message_body: Option<String>,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    string_value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    message_body: String,
}

impl Request {
    pub(super) fn action(&self) -> Action {
        let name = self.name();
        let sent = Queue::ALL.into_iter().find(|queue| queue.name() == name);
        let parked = Queue::ALL.into_iter().find(|queue| dead_letters(*queue) == name);
        match (sent, parked) {
            (Some(queue), _) => Action::Send(queue),
            (_, Some(queue)) => Action::Park(queue),
            _ => Action::Other(format!("SendMessage {name}")),
        }
    }

    /// How many messages it carries.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn name(&self) -> &str {
        self.queue_url.strip_prefix(ADDRESS).unwrap_or(&self.queue_url)
    }
}

impl Queues {
    /// Other queues with the same messages.
    pub(super) fn copy(&self) -> Self {
        Self(Mutex::new(self.state().clone()))
    }

    /// Takes the messages of a request; of a batch only the first `most`, and
    /// says of the rest that they failed.
    pub(super) fn send(&self, request: Request, most: usize, now: Timestamp) -> Value {
        let mut state = self.state();
        let name = request.name().to_owned();
        let Some(body) = request.message_body else {
            let (mut successful, mut failed) = (Vec::new(), Vec::new());
            for (position, entry) in request.entries.into_iter().enumerate() {
                if position < most {
                    let id = state.take(&name, entry.message_body, None, now);
                    successful
                        .push(json!({ "Id": entry.id, "MessageId": id, "MD5OfMessageBody": "" }));
                } else {
                    let code = "InternalError";
                    failed.push(json!({ "Id": entry.id, "Code": code, "SenderFault": false }));
                }
            }
            return json!({ "Successful": successful, "Failed": failed });
        };
        let reason = request.message_attributes.get("reason");
        let id = state.take(&name, body, reason.map(|reason| reason.string_value.clone()), now);
        json!({ "MessageId": id, "MD5OfMessageBody": "" })
    }

    /// Answers a request as if all its messages were taken, and takes only the
    /// first `kept` of them.
    pub(super) fn pretend(&self, mut request: Request, kept: usize, now: Timestamp) -> Value {
        let told: Vec<Value> = request
            .entries
            .iter()
            .map(|it| json!({ "Id": it.id, "MessageId": it.id, "MD5OfMessageBody": "" }))
            .collect();
        request.entries.truncate(kept);
        if !request.entries.is_empty() {
            self.send(request, kept, now);
        }
        json!({ "Successful": told, "Failed": [] })
    }

    /// Puts a message into a queue, as somebody outside would.
    pub(super) fn put(&self, name: &str, body: String, reason: Option<String>, now: Timestamp) {
        self.state().take(name, body, reason, now);
    }

    /// Receives up to `most` messages that are visible now, the first ones
    /// after they were put in order; they stay away until they are finished
    /// or their visibility ends.
    pub(super) fn receive(
        &self,
        name: &str,
        most: usize,
        now: Timestamp,
        order: impl FnOnce(&mut [&mut Message]),
    ) -> Vec<Message> {
        let mut state = self.state();
        let messages = state.queues.entry(name.to_owned()).or_default();
        let mut visible: Vec<&mut Message> =
            messages.iter_mut().filter(|message| message.visible_at <= now).collect();
        order(&mut visible);
        let received = visible.into_iter().take(most).map(|message| {
            message.receives += 1;
            message.visible_at = now.plus(VISIBILITY);
            message.clone()
        });
        received.collect()
    }

    /// Removes messages that are finished.
    pub(super) fn finish(&self, name: &str, ids: &BTreeSet<String>) {
        let mut state = self.state();
        let messages = state.queues.remove(name).unwrap_or_default();
        let (done, kept): (Vec<_>, Vec<_>) =
            messages.into_iter().partition(|message| ids.contains(&message.id));
        state.queues.insert(name.to_owned(), kept);
        if state.remembers {
            done.into_iter().for_each(|message| state.keep(name, message));
        }
    }

    /// Whether messages that are finished are kept from now on.
    pub(super) fn remember(&self, remembers: bool) {
        let mut state = self.state();
        state.remembers |= remembers;
    }

    /// Moves parked messages of this queue back, up to so many. How many.
    pub(super) fn move_back(&self, queue: Queue, most: usize, now: Timestamp) -> usize {
        let mut state = self.state();
        let parked = state.queues.entry(dead_letters(queue)).or_default();
        let many = parked.len().min(most);
        let back: Vec<Message> = parked.drain(..many).collect();
        let back = back.into_iter();
        let back = back.map(|it| Message { receives: 0, reason: None, visible_at: now, ..it });
        state.queues.entry(queue.name().to_owned()).or_default().extend(back);
        many
    }

    /// Sends a message once more that was finished, the one of this number of
    /// those that are kept; whether there is one.
    pub(super) fn send_again(&self, number: usize, now: Timestamp) -> bool {
        let mut state = self.state();
        let Some((name, message)) = state.finished.get(number).cloned() else { return false };
        state.take(&name, message.body, None, now);
        true
    }

    /// Takes a message out of a queue, by its text.
    pub(super) fn take_out(&self, name: &str, body: &str) {
        let mut state = self.state();
        if let Some(messages) = state.queues.get_mut(name)
            && let Some(place) = messages.iter().position(|it| it.body == body)
        {
            messages.remove(place);
        }
    }

    /// How many messages are kept that were finished.
    pub(super) fn finished(&self) -> usize {
        self.state().finished.len()
    }

    /// Makes messages visible again that were received.
    pub(super) fn show(&self, name: &str, ids: &BTreeSet<String>, now: Timestamp) {
        let mut state = self.state();
        let messages = state.queues.get_mut(name).into_iter().flatten();
        for message in messages.filter(|message| ids.contains(&message.id)) {
            message.visible_at = now;
        }
    }

    /// Moves messages that were received too often to a dead-letter queue.
    pub(super) fn park_worn_out(&self, name: &str, dead_letters: &str) {
        let mut state = self.state();
        let messages = state.queues.remove(name).unwrap_or_default();
        let (worn_out, kept) =
            messages.into_iter().partition(|message| message.receives >= RECEIVES_MAX);
        state.queues.insert(name.to_owned(), kept);
        state.queues.entry(dead_letters.to_owned()).or_default().extend(worn_out);
    }

    /// The messages of a queue, in the order they came.
    pub(super) fn messages(&self, name: &str) -> Vec<Message> {
        self.state().queues.get(name).cloned().unwrap_or_default()
    }

    /// Every queue that has messages, and these.
    pub(super) fn all(&self) -> BTreeMap<String, Vec<Message>> {
        let mut all = self.state().queues.clone();
        all.retain(|_, messages| !messages.is_empty());
        all
    }

    /// When the next message of these queues is visible.
    pub(super) fn next_visible(&self, names: &[&str]) -> Option<Timestamp> {
        let state = self.state();
        let messages = names.iter().filter_map(|name| state.queues.get(*name)).flatten();
        messages.map(|message| message.visible_at).min()
    }

    /// Every message that a queue ever took, by its queue and its own identity.
    pub(super) fn taken(&self) -> BTreeSet<(String, String)> {
        self.state().taken.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Keeps a message that is finished, if need be in the place of another.
    fn keep(&mut self, name: &str, message: Message) {
        let kept = (name.to_owned(), message);
        if self.finished.len() < FINISHED_MAX {
            self.finished.push(kept);
            return;
        }
        let place = usize::try_from(self.count).unwrap_or(0) % FINISHED_MAX;
        if let Some(old) = self.finished.get_mut(place) {
            *old = kept;
        }
    }

    fn take(&mut self, name: &str, body: String, reason: Option<String>, now: Timestamp) -> String {
        #[derive(Deserialize)]
        struct Known {
            id: String,
        }
        if let Ok(known) = serde_json::from_str::<Known>(&body) {
            self.taken.insert((name.to_owned(), known.id));
        }
        self.count += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", self.count);
        let message =
            Message { id: id.clone(), body, reason, receives: 0, sent_at: now, visible_at: now };
        self.queues.entry(name.to_owned()).or_default().push(message);
        id
    }
}
