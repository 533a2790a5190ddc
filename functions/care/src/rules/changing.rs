//! What people do about a ticket: those of the merchant, and its customer.

use aftercart::{
    messages::{CallWanted, Message, RemedyAsked, TicketNews, TicketSolved, TicketWhy},
    model::{
        care::CarePolicy,
        id::VoucherId,
        order::Actor,
        price::RuleId,
        text::Text,
        ticket::{
            CauseCode, DeskId, MAX_ENTRIES, MAX_MESSAGE, MAX_REMEDIES, Outcome, Priority, Remedy,
            RemedyKind, Ticket, TicketEntry, TicketEvent, TicketStatus, Took, Writer,
        },
        time::Timestamp,
        voucher::Voucher,
    },
};

use super::{clock, opening, priority};

/// What was written.
pub type Words = Text<MAX_MESSAGE>;

/// What somebody does about a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Gives it to a desk, or to somebody there.
    Assign {
        /// Which desk; the one that has it, if there is none.
        desk: Option<DeskId>,
        /// Who of them.
        assignee: Option<Text<128>>,
    },
    /// Writes to the customer.
    Reply {
        /// What.
        text: Words,
        /// Whether the customer is to say something.
        waits: bool,
    },
    /// Writes down what the customer does not read.
    Note {
        /// What.
        text: Words,
        /// The remedy that it reports on: a call that was made.
        called: Option<Text<128>>,
    },
    /// Has it seen to sooner or later.
    Prioritise {
        /// How soon.
        priority: Priority,
    },
    /// Does something for the customer.
    Remedy {
        /// What tells it from others of the ticket.
        key: Text<128>,
        /// What.
        kind: RemedyKind,
    },
    /// Says that it is solved.
    Solve {
        /// Why it came to it.
        cause: CauseCode,
        /// What the customer reads of it.
        text: Option<Words>,
    },
    /// Opens it again.
    Reopen {
        /// Why; the customer does not read it.
        text: Option<Words>,
    },
    /// The customer writes: a solved ticket is opened again.
    Write {
        /// What.
        text: Words,
    },
    /// The customer says that it is solved.
    Confirm,
}

/// What somebody does, who, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doing {
    /// What.
    pub deed: Deed,
    /// Who.
    pub by: Writer,
    /// When.
    pub at: Timestamp,
    /// What tells the call from others, for deeds that add something each time.
    pub request: Option<(Text<40>, Text<40>)>,
}

/// A ticket after something was done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The ticket.
    pub ticket: Ticket,
    /// What is noted of it.
    pub entry: TicketEntry,
    /// Who is told.
    pub messages: Vec<Message>,
    /// A voucher that is given.
    pub voucher: Option<Voucher>,
}

/// Why something cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is solved.
    #[error("The ticket is solved; open it again first.")]
    Solved,
    /// It is open, and nobody would read why it is to be opened again.
    #[error("The ticket is open; write a note instead.")]
    Open,
    /// There is too much on it.
    #[error("The ticket has {MAX_ENTRIES} entries, as many as may be; go on by telephone.")]
    Full,
    /// There is too much done about it.
    #[error("The ticket has {MAX_REMEDIES} remedies, as many as may be.")]
    TooMany,
    /// No such desk.
    #[error("The policy has no desk {0}.")]
    UnknownDesk(DeskId),
    /// No such cause.
    #[error("The policy has no cause {0}.")]
    UnknownCause(CauseCode),
    /// Guests have no account.
    #[error("The customer is a guest, who has no account for that.")]
    MembersOnly,
    /// Nothing that it could be about.
    #[error("The ticket is about no order.")]
    NoOrder,
    /// Nothing was asked for.
    #[error("The remedy is nothing: it names no points, no money and no goods.")]
    Nothing,
    /// No price rule that a voucher is good for.
    #[error(
        "No price rule {0} takes vouchers and is in force: a voucher of it would be worth \
         nothing. New rules are seen within a minute."
    )]
    NoVoucher(RuleId),
    /// No call was asked for under that key, or it was made.
    #[error("The ticket has no call to make under that key.")]
    NoCall,
    /// The key was used for something else.
    #[error("The key was used for something else.")]
    KeyReused,
}

/// The entry that the same call wrote, if it was made before.
///
/// # Errors
/// [`Refusal::KeyReused`] when the call had that key and said something else.
pub fn known<'a>(
    entries: &'a [TicketEntry],
    request: &(Text<40>, Text<40>),
) -> Result<Option<&'a TicketEntry>, Refusal> {
    let of = |it: &&TicketEntry| it.request.as_ref().is_some_and(|(key, _)| *key == request.0);
    match entries.iter().find(of) {
        Some(it) if it.request.as_ref() == Some(request) => Ok(Some(it)),
        Some(_) => Err(Refusal::KeyReused),
        None => Ok(None),
    }
}

/// The ticket after that was done; none if it is so already. `entries` are those
/// that it has, and `link` is the page of the ticket. A ticket whose desk the
/// policy does not have any more comes to the first one by it.
///
/// # Errors
/// [`Refusal`].
pub fn change(
    ticket: &Ticket,
    entries: &[TicketEntry],
    doing: &Doing,
    care: &CarePolicy,
    link: &str,
) -> Result<Option<Changed>, Refusal> {
    let mut ticket = ticket.clone();
    ticket.desk = priority::stranded(&ticket.desk, care).unwrap_or(ticket.desk);
    let changing = Changing { ticket, entries, doing, care, link };
    match &doing.deed {
        Deed::Assign { desk, assignee } => changing.assign(desk.as_ref(), assignee.as_ref()),
        Deed::Reply { text, waits } => changing.reply(text, *waits).map(Some),
        Deed::Note { text, called } => changing.note(text, called.as_ref()).map(Some),
        Deed::Prioritise { priority } => changing.prioritise(*priority),
        Deed::Remedy { key, kind } => changing.remedy(key, kind).map(Some),
        Deed::Solve { cause, text } => changing.solve(cause, text.as_ref()),
        Deed::Reopen { text } => changing.reopen(text.as_ref()),
        Deed::Write { text } => changing.write(text).map(Some),
        Deed::Confirm => changing.confirm(),
    }
}

struct Changing<'a> {
    ticket: Ticket,
    entries: &'a [TicketEntry],
    doing: &'a Doing,
    care: &'a CarePolicy,
    link: &'a str,
}

impl Changing<'_> {
    fn assign(
        mut self,
        desk: Option<&DeskId>,
        assignee: Option<&Text<128>>,
    ) -> Result<Option<Changed>, Refusal> {
        let desk = desk.unwrap_or(&self.ticket.desk).clone();
        self.care.desk(&desk).ok_or_else(|| Refusal::UnknownDesk(desk.clone()))?;
        if self.ticket.desk == desk && self.ticket.assignee.as_ref() == assignee {
            return Ok(None);
        }
        self.open()?;
        self.room()?;
        self.ticket.desk = desk.clone();
        self.ticket.assignee = assignee.cloned();
        let event = TicketEvent::Assigned { desk, assignee: assignee.cloned() };
        Ok(Some(self.hidden(event).told(TicketWhy::Assigned)))
    }

    fn reply(mut self, text: &Words, waits: bool) -> Result<Changed, Refusal> {
        self.room()?;
        if waits {
            self.open()?;
        }
        self.answered();
        if waits {
            clock::wait(&mut self.ticket, self.care, self.doing.at);
        }
        let link = self.link;
        Ok(self.noted(None, Some(text), false).news(link))
    }

    fn note(mut self, text: &Words, called: Option<&Text<128>>) -> Result<Changed, Refusal> {
        self.room()?;
        if let Some(key) = called {
            let is_call = |it: &&Remedy| matches!(it.kind, RemedyKind::CallBack { .. });
            self.ticket.remedy(key.as_str()).filter(is_call).ok_or(Refusal::NoCall)?;
            let done = Outcome::Done { at: self.doing.at, reference: None };
            self.ticket = self.ticket.settle(key.as_str(), done).ok_or(Refusal::NoCall)?;
        }
        Ok(self.noted(None, Some(text), true))
    }

    fn prioritise(mut self, priority: Priority) -> Result<Option<Changed>, Refusal> {
        if self.ticket.priority == priority {
            return Ok(None);
        }
        self.open()?;
        self.room()?;
        let is_sooner = clock::prioritise(&mut self.ticket, self.care, priority, self.doing.at);
        let changed = self.hidden(TicketEvent::Prioritised { priority });
        Ok(Some(if is_sooner { changed.told(TicketWhy::Raised) } else { changed }))
    }

    fn remedy(mut self, key: &Text<128>, kind: &RemedyKind) -> Result<Changed, Refusal> {
        if self.ticket.remedies.len() >= MAX_REMEDIES {
            return Err(Refusal::TooMany);
        }
        self.possible(kind)?;
        let voucher = match kind {
            RemedyKind::Coupon { rule, lasts } => {
                Some(self.voucher(key, rule, lasts.map(|lasts| self.doing.at.plus(lasts))))
            }
            _ => None,
        };
        let outcome = voucher.as_ref().map_or(Outcome::Asked, |voucher| Outcome::Done {
            at: self.doing.at,
            reference: Text::new(voucher.id.as_str()).ok(),
        });
        self.ticket.links.vouchers.extend(voucher.as_ref().map(|it| it.id.clone()));
        self.ticket.remedies.push(Remedy {
            key: key.clone(),
            kind: kind.clone(),
            by: match &self.doing.by {
                Writer::Operator(name) => Actor::Operator(name.clone()),
                Writer::Customer => Actor::Buyer,
                Writer::Suite => Actor::Rule,
            },
            at: self.doing.at,
            outcome,
        });
        // Of a late ticket somebody is told each day anyway, and of this as well.
        if self.ticket.reminders < 2 {
            let looks = clock::due(&self.ticket, self.care);
            self.ticket.due = self.ticket.due.into_iter().chain(looks).min();
        }
        let (link, message) = (self.link, asked(&self.ticket, key, kind));
        let event = TicketEvent::Remedied { remedy: kind.clone() };
        let mut changed = self.noted(Some(event), None, false);
        changed.messages.extend(message);
        changed.voucher = voucher;
        // Of points, money and goods others tell, once there is something to tell.
        Ok(if changed.voucher.is_some() { changed.news(link) } else { changed })
    }

    /// Whether the customer can have that, as far as the ticket tells. What an
    /// order allows, the part of the shop decides that has the order.
    fn possible(&self, kind: &RemedyKind) -> Result<(), Refusal> {
        let is_about_order = self.ticket.links.order.is_some();
        match kind {
            RemedyKind::Points { points: 0 } => Err(Refusal::Nothing),
            RemedyKind::Points { .. } | RemedyKind::Coupon { .. }
                if !self.ticket.customer.is_member() =>
            {
                Err(Refusal::MembersOnly)
            }
            RemedyKind::Refund { .. } | RemedyKind::Reship { .. } if !is_about_order => {
                Err(Refusal::NoOrder)
            }
            RemedyKind::Refund { lines, delivery: false, goodwill: None } if lines.is_empty() => {
                Err(Refusal::Nothing)
            }
            // Without a number it is that of the order's address.
            RemedyKind::CallBack { phone: None } if !is_about_order => Err(Refusal::NoOrder),
            _ => Ok(()),
        }
    }

    fn voucher(&self, key: &Text<128>, rule: &RuleId, expires_at: Option<Timestamp>) -> Voucher {
        let customer = self.ticket.customer.clone();
        Voucher {
            id: VoucherId::derive(&[customer.as_str(), self.ticket.id.as_str(), key.as_str()]),
            customer,
            rule: rule.clone(),
            granted_at: self.doing.at,
            expires_at,
            used_by: None,
        }
    }

    fn solve(
        mut self,
        cause: &CauseCode,
        text: Option<&Words>,
    ) -> Result<Option<Changed>, Refusal> {
        self.care.cause(cause).ok_or_else(|| Refusal::UnknownCause(cause.clone()))?;
        if self.ticket.status == TicketStatus::Solved {
            return self.explain(cause, text);
        }
        self.resume();
        self.ticket.cause = Some(cause.clone());
        self.answered();
        self.solved();
        let (link, event) = (self.link, TicketEvent::Solved { cause: cause.clone() });
        Ok(Some(self.noted(Some(event), text, false).asking().news(link)))
    }

    /// Says why it came to a ticket that is solved: its customer said so, time
    /// closed it, or the cause was another one. Nobody is told, and the clock does
    /// not run. The customer would not read words that come with it.
    fn explain(
        mut self,
        cause: &CauseCode,
        text: Option<&Words>,
    ) -> Result<Option<Changed>, Refusal> {
        let is_said = |it: &TicketEntry| {
            matches!(it.event, Some(TicketEvent::Solved { .. }))
                && Some(it.at) == self.ticket.solved_at
                && it.text.as_ref() == text
        };
        if text.is_some() && !self.entries.iter().any(is_said) {
            return Err(Refusal::Solved);
        }
        if self.ticket.cause.as_ref() == Some(cause) {
            return Ok(None);
        }
        self.ticket.cause = Some(cause.clone());
        Ok(Some(self.hidden(TicketEvent::Explained { cause: cause.clone() })))
    }

    fn reopen(mut self, text: Option<&Words>) -> Result<Option<Changed>, Refusal> {
        if self.ticket.status != TicketStatus::Solved {
            // The same words as those with which its clock began.
            let is_said = |it: &TicketEntry| {
                it.event == Some(TicketEvent::Reopened)
                    && it.at == self.ticket.clock_from
                    && it.text.as_ref() == text
            };
            let is_so = text.is_none() || self.entries.iter().any(is_said);
            return if is_so { Ok(None) } else { Err(Refusal::Open) };
        }
        clock::reopen(&mut self.ticket, self.care, self.doing.at);
        let changed = self.noted(Some(TicketEvent::Reopened), text, true);
        Ok(Some(changed.told(TicketWhy::Reopened)))
    }

    fn write(mut self, text: &Words) -> Result<Changed, Refusal> {
        self.room()?;
        let (event, why) = match self.ticket.status {
            TicketStatus::Solved => {
                clock::reopen(&mut self.ticket, self.care, self.doing.at);
                (Some(TicketEvent::Reopened), TicketWhy::Reopened)
            }
            TicketStatus::Open | TicketStatus::Waiting => (None, TicketWhy::Written),
        };
        // The clock runs before an alarm in the words sets it.
        self.resume();
        let text = &self.heard(text);
        Ok(self.noted(event, Some(text), false).told(why))
    }

    /// Solves it, where it is not; otherwise the word is noted.
    fn confirm(mut self) -> Result<Option<Changed>, Refusal> {
        if self.ticket.status != TicketStatus::Solved {
            self.resume();
            self.solved();
            return Ok(Some(self.noted(Some(TicketEvent::Confirmed), None, false).asking()));
        }
        self.room()?;
        Ok(Some(self.noted(Some(TicketEvent::Confirmed), None, false)))
    }

    /// What a customer wrote, as people read it. Words that alarm make the
    /// ticket urgent, as they do when it is opened.
    fn heard(&mut self, text: &Words) -> Words {
        let read = opening::read(text, self.care);
        let known = &mut self.ticket.alarms;
        known.extend(
            read.alarms.iter().filter(|it| !known.contains(it)).cloned().collect::<Vec<_>>(),
        );
        if !read.alarms.is_empty() && self.ticket.priority != Priority::Urgent {
            clock::prioritise(&mut self.ticket, self.care, Priority::Urgent, self.doing.at);
        }
        Text::new(&read.masked).unwrap_or_else(|_| text.clone())
    }

    /// Refuses what makes no sense of a solved ticket.
    fn open(&self) -> Result<(), Refusal> {
        match self.ticket.status {
            TicketStatus::Solved => Err(Refusal::Solved),
            TicketStatus::Open | TicketStatus::Waiting => Ok(()),
        }
    }

    /// Refuses what could go on for ever where there is too much. What opens or
    /// ends a ticket is noted all the same: it can always be solved.
    fn room(&self) -> Result<(), Refusal> {
        if self.ticket.entries >= MAX_ENTRIES { Err(Refusal::Full) } else { Ok(()) }
    }

    /// The time that the customer took is not the shop's, whatever comes next.
    fn resume(&mut self) {
        if self.ticket.status == TicketStatus::Waiting {
            clock::resume(&mut self.ticket, self.care, self.doing.at);
        }
    }

    /// The customer has an answer. The first one that there ever was is counted.
    fn answered(&mut self) {
        if self.ticket.answered_at.is_none() {
            let took = self.took(self.ticket.answer_by);
            self.ticket.counted.answered.get_or_insert(took);
            self.ticket.answered_at = Some(self.doing.at);
            self.rewind();
        }
    }

    /// It is solved. The first time is counted.
    fn solved(&mut self) {
        let took = self.took(self.ticket.solve_by);
        self.ticket.counted.solved.get_or_insert(took);
        self.ticket.status = TicketStatus::Solved;
        self.ticket.solved_at = Some(self.doing.at);
        self.ticket.waiting_since = None;
        self.rewind();
    }

    /// How long it took until now, and whether that is by then.
    fn took(&self, by: Timestamp) -> Took {
        let Doing { at, .. } = self.doing;
        let seconds = at.unix_seconds().saturating_sub(self.ticket.opened_at.unix_seconds());
        Took { seconds, in_time: *at <= by }
    }

    /// Has the reminders begin anew.
    fn rewind(&mut self) {
        self.ticket.reminders = 0;
        self.ticket.due = clock::due(&self.ticket, self.care);
    }

    /// What the customer does not read.
    fn hidden(self, event: TicketEvent) -> Changed {
        self.noted(Some(event), None, true)
    }

    fn noted(self, event: Option<TicketEvent>, text: Option<&Words>, internal: bool) -> Changed {
        let Self { mut ticket, doing, .. } = self;
        let entry = ticket.entry(doing.at, doing.by.clone(), event);
        let (text, request) = (text.cloned(), doing.request.clone());
        Changed {
            entry: TicketEntry { text, internal, request, ..entry },
            ticket,
            messages: Vec::new(),
            voucher: None,
        }
    }
}

impl Changed {
    /// Tells the desk.
    fn told(mut self, why: TicketWhy) -> Self {
        self.messages.push(opening::waits(&self.ticket, why));
        self
    }

    /// Tells the customer.
    fn news(mut self, link: &str) -> Self {
        self.messages.push(Message::TicketNews(TicketNews {
            ticket: self.ticket.id.clone(),
            entry: self.entry.number,
            email: self.ticket.email.clone(),
            language: self.ticket.language,
            text: self.entry.text.clone(),
            solved: self.ticket.status == TicketStatus::Solved,
            link: link.to_owned(),
        }));
        self
    }

    /// Has the customer asked whether it is solved.
    fn asking(mut self) -> Self {
        let solved = TicketSolved { ticket: self.ticket.id.clone(), at: self.entry.at };
        self.messages.push(Message::TicketSolved(solved));
        self
    }
}

/// Asks the part of the shop, or the people, who do a remedy of a ticket. It is
/// safe to ask again: what was done is known there.
#[must_use]
pub fn asked(ticket: &Ticket, key: &Text<128>, kind: &RemedyKind) -> Option<Message> {
    let asked = RemedyAsked { ticket: ticket.id.clone(), remedy: key.clone() };
    match kind {
        RemedyKind::Points { .. } => Some(Message::PointsAsked(asked)),
        RemedyKind::Refund { .. } => Some(Message::RefundAsked(asked)),
        RemedyKind::Reship { .. } => Some(Message::ReshipAsked(asked)),
        RemedyKind::CallBack { phone } => Some(Message::CallWanted(CallWanted {
            ticket: asked.ticket,
            remedy: asked.remedy,
            phone: phone.clone(),
            order: ticket.links.order.clone(),
        })),
        RemedyKind::Coupon { .. } => None,
    }
}

#[cfg(test)]
mod tests;
