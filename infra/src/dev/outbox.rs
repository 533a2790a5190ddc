//! The outbox: what the suite wants people to be told. On AWS the merchant's
//! mailer reads the notifications queue; here we do, and keep what comes.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aftercart::{
    messages::{Envelope, Message},
    model::{customer::Language, dispatch::ShipmentLine, time::Timestamp},
};
use serde_json::{Value, json};

use super::{
    child::Stop,
    failure::{Failure, Trying},
    http::text,
    place::Place,
    running::Running,
    show::{self, bold, faint},
    stack::Stack,
};

/// How long one call waits for messages.
const WAIT_SECONDS: u32 = 2;

/// The messages received so far, in memory and in a file of JSON lines.
pub(super) struct Outbox {
    file: PathBuf,
    messages: Mutex<Vec<Envelope>>,
}

impl Outbox {
    /// Opens the file; messages of earlier days are kept.
    pub(super) fn open(file: PathBuf) -> Self {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let known = text.lines().filter_map(|line| Envelope::parse(line).ok()).collect();
        Self { file, messages: Mutex::new(known) }
    }

    /// All messages, oldest first.
    pub(super) fn messages(&self) -> Vec<Envelope> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Receives until the end is wanted. A failed call is repeated: the
    /// emulator may be starting, or busy.
    pub(super) fn receive_until(&self, stop: &Stop, stack: &Stack) {
        while !stop.requested() {
            if self.receive(stack).is_err() && stop.pause(Duration::from_secs(1)).is_err() {
                return;
            }
        }
    }

    fn receive(&self, stack: &Stack) -> Result<(), Failure> {
        let queue = stack.variable("NOTIFICATIONS_QUEUE_URL")?;
        let call = |operation: &str, body: Value| {
            stack.aws("sqs", &format!("AmazonSQS.{operation}"), &body)
        };
        let wanted = json!({
            "QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": WAIT_SECONDS,
        });
        let received = call("ReceiveMessage", wanted)?;
        if received.status != 200 {
            return Err(Failure::new(format!(
                "The notifications queue answers {}.",
                received.body
            )));
        }
        let messages = received.json();
        for message in messages.get("Messages").and_then(Value::as_array).into_iter().flatten() {
            self.keep(&text(message, "/Body"))?;
            let handle = text(message, "/ReceiptHandle");
            call("DeleteMessage", json!({ "QueueUrl": queue, "ReceiptHandle": handle }))?;
        }
        Ok(())
    }

    /// Keeps a message unless it is known: queues may deliver twice.
    fn keep(&self, body: &str) -> Result<(), Failure> {
        let Ok(envelope) = Envelope::parse(body) else {
            return Ok(());
        };
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        if messages.iter().any(|known| known.id == envelope.id) {
            return Ok(());
        }
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.file)
            .trying("write the outbox")?;
        writeln!(file, "{body}").trying("write the outbox")?;
        messages.push(envelope);
        Ok(())
    }
}

/// A message in a few words: to whom, what about, and the link to follow.
pub(super) struct Notice {
    /// To whom it goes.
    pub(super) to: String,
    /// What it is about.
    pub(super) about: String,
    /// What it says.
    pub(super) says: String,
    /// Where it leads; empty when nowhere.
    pub(super) link: String,
}

/// A moment to the minute: `2026-11-21 12:00 UTC`.
pub(super) fn minute(at: Timestamp) -> String {
    let text = at.to_string().replace('T', " ");
    format!("{} UTC", text.get(..16).unwrap_or(&text))
}

/// What a message says to people.
pub(super) fn notice(message: &Message) -> Notice {
    match message {
        Message::SurveyInvited(survey) => Notice {
            to: survey.email.clone().into(),
            about: survey.question.as_str().to_owned(),
            says: format!(
                "{} in {} to a short survey{}. Open until {}.",
                if survey.reminder { "The reminder of an invitation" } else { "An invitation" },
                match survey.language {
                    Language::En => "English",
                    Language::Zh => "Chinese",
                },
                survey.order.as_ref().map(|it| format!(" about order {it}")).unwrap_or_default(),
                minute(survey.expires)
            ),
            link: survey.link.clone(),
        },
        Message::ShipmentOpened(task) => Notice {
            to: format!("the warehouse {}", task.location),
            about: "A parcel to pack".to_owned(),
            says: format!(
                "{} for shipment {} of order {}, by {}{}, to leave by {}.",
                units(&task.lines),
                task.shipment,
                task.order,
                task.method,
                task.service.as_ref().map(|service| format!(" with {service}")).unwrap_or_default(),
                task.ship_by
            ),
            link: String::new(),
        },
        Message::ParcelNews(news) => Notice {
            to: news.email.clone().into(),
            about: format!("Your parcel: {}", plain(news.status.as_str())),
            says: format!("Shipment {} of order {}.", news.shipment, news.order),
            link: news.link.clone(),
        },
        Message::DeliveryAlert(alert) => Notice {
            to: alert.email.clone().into(),
            about: format!("About your delivery: {}", plain(alert.kind.as_str())),
            says: match alert.points {
                0 => format!("Shipment {} of order {}.", alert.shipment, alert.order),
                points => format!(
                    "Shipment {} of order {}. We are sorry, and give you {points} points.",
                    alert.shipment, alert.order
                ),
            },
            link: alert.link.clone(),
        },
        Message::AlertRaised(alert) => Notice {
            to: format!("{:?}", alert.owner).to_lowercase(),
            about: format!("A delivery wants you: {}", plain(alert.kind.as_str())),
            says: format!(
                "Shipment {} of order {}, to be seen to by {}.",
                alert.shipment,
                alert.order,
                minute(alert.due)
            ),
            link: String::new(),
        },
        Message::WishMade(wish) => Notice {
            to: format!("{:?}", wish.owner).to_lowercase(),
            about: "A buyer chose".to_owned(),
            says: format!(
                "{:?}, for shipment {} of order {}.",
                wish.choice, wish.shipment, wish.order
            ),
            link: String::new(),
        },
        other => Notice {
            to: "nobody in particular".to_owned(),
            about: other.kind().to_owned(),
            says: other.subject(),
            link: String::new(),
        },
    }
}

fn units(lines: &[ShipmentLine]) -> String {
    let each = lines.iter().map(|line| format!("{} x {}", line.quantity, line.sku));
    each.collect::<Vec<_>>().join(", ")
}

fn plain(name: &str) -> String {
    name.replace('_', " ")
}

/// `cargo dev outbox`: the messages of the stack that is up, newest last.
pub(super) fn list(place: &Place) -> Result<(), Failure> {
    let (running, _) = Running::stack(place)?;
    let answer = running.ask("GET", "/outbox.jsonl")?;
    let messages: Vec<Envelope> =
        answer.body.lines().filter_map(|line| Envelope::parse(line).ok()).collect();
    if messages.is_empty() {
        show::line("Nothing yet. `cargo dev demo` plays a day of the shop.")?;
    }
    for envelope in &messages {
        let Notice { to, about, says, link } = notice(&envelope.message);
        show::line(format!("{}  To {to}: {}", faint(&minute(envelope.at)), bold(&about)))?;
        show::line(format!("  {says}"))?;
        if !link.is_empty() {
            show::line(format!("  {link}"))?;
        }
    }
    show::line(format!("\nAs a page: {}", running.page_url()))
}
