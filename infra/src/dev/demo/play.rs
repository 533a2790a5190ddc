//! The stage of the demo: calls, what is expected of them, and what became of it.

use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use crate::dev::{
    catalogue::{self, Good},
    child::Stop,
    failure::Failure,
    http::{Answer, text},
    page,
    running::{Running, now},
    show::{self, bold, faint, green, red},
    stack::Stack,
};

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(40);

/// How many chapters the day has.
const CHAPTERS: usize = 16;

/// How often it is looked at.
const GLANCE: Duration = Duration::from_millis(250);

/// One row of the table at the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    /// Who bought.
    pub(super) who: String,
    /// What, in short.
    pub(super) goods: String,
    /// For how much.
    pub(super) total: String,
    /// What became of the money.
    pub(super) money: String,
    /// What became of the parcel.
    pub(super) parcel: String,
    /// What became of the points.
    pub(super) points: String,
    /// What became of the survey.
    pub(super) survey: String,
    /// The order.
    pub(super) order: String,
}

/// Who calls the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The first shopper.
    Ana,
    /// The second shopper.
    Ben,
    /// Whoever runs the shop.
    Operator,
    /// Anybody.
    Nobody,
}

/// The demo as it goes.
pub(super) struct Play<'a> {
    /// The stack it plays on.
    pub(super) stack: &'a Stack,
    running: &'a Running,
    stop: &'a Stop,
    tokens: [String; 3],
    /// Tells this run's keys and numbers from those of others.
    pub(super) run: String,
    chapters: usize,
    expected: usize,
    failed: usize,
    /// The table at the end.
    pub(super) rows: Vec<Row>,
    /// A survey that is open still.
    pub(super) survey: String,
    /// A tracking page.
    pub(super) page: String,
}

impl<'a> Play<'a> {
    /// Signs everybody in.
    pub(super) fn new(
        stack: &'a Stack,
        running: &'a Running,
        stop: &'a Stop,
    ) -> Result<Self, Failure> {
        let shopper = |index: usize| {
            let found = stack.people.shoppers.get(index);
            let shopper =
                found.ok_or_else(|| Failure::new("The user pool has too few shoppers."))?;
            stack.shopper_token(shopper)
        };
        let tokens = [shopper(0)?, shopper(1)?, stack.operator_token()?];
        let run = now().unix_millis().to_string();
        Ok(Self {
            stack,
            running,
            stop,
            tokens,
            run,
            chapters: 0,
            expected: 0,
            failed: 0,
            rows: Vec::new(),
            survey: String::new(),
            page: String::new(),
        })
    }

    /// How much was expected.
    pub(super) fn expected(&self) -> usize {
        self.expected
    }

    /// How much of it did not come true.
    pub(super) fn failed(&self) -> usize {
        self.failed
    }

    /// Begins a chapter.
    pub(super) fn chapter(&mut self, title: &str) -> Result<(), Failure> {
        self.chapters += 1;
        let gap = if self.chapters == 1 { "" } else { "\n" };
        show::line(format!("{gap}{}", bold(&format!("{}/{CHAPTERS}  {title}", self.chapters))))
    }

    /// Tells something that nobody doubts.
    pub(super) fn remark(&self, text: &str) -> Result<(), Failure> {
        show::line(faint(&format!("     {text}")))
    }

    /// A key of this run.
    pub(super) fn key(&self, name: &str) -> String {
        format!("demo-{}-{name}", self.run)
    }

    /// Calls the API.
    pub(super) fn call(
        &self,
        caller: Caller,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, Failure> {
        self.stop.check()?;
        let token = match caller {
            Caller::Ana => &self.tokens[0],
            Caller::Ben => &self.tokens[1],
            Caller::Operator => &self.tokens[2],
            Caller::Nobody => "",
        };
        self.stack.call(method, path, token, headers, body)
    }

    /// The identity of a shopper: `cus_` and the subject of the token.
    pub(super) fn customer(&self, shopper: usize) -> String {
        let token = self.tokens.get(shopper).map_or("", String::as_str);
        let claims = token.split('.').nth(1).unwrap_or_default();
        let claims = BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap_or_default();
        let claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
        format!("cus_{}", text(&claims, "/sub"))
    }

    /// Shows a call and what came of it, and counts whether that was expected.
    pub(super) fn expect(
        &mut self,
        call: &str,
        answer: &Answer,
        holds: bool,
        saw: &str,
    ) -> Result<bool, Failure> {
        let said = match answer.text("/detail") {
            detail if detail.is_empty() => answer.body.chars().take(200).collect(),
            detail => detail,
        };
        let saw = if holds { saw.to_owned() } else { format!("not expected: {said}") };
        self.note(holds, &format!("{call:54} {}  {saw}", answer.status))
    }

    /// The same of something that was not one call.
    pub(super) fn note(&mut self, holds: bool, text: &str) -> Result<bool, Failure> {
        self.expected += 1;
        self.failed += usize::from(!holds);
        let mark = if holds { green("ok") } else { red("NO") };
        show::line(format!("  {mark} {text}"))?;
        Ok(holds)
    }

    /// Waits until a look at the world finds what is awaited.
    pub(super) fn wait<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&Self) -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        let waiting = show::waiting(what);
        loop {
            if let Some(found) = look(self)? {
                waiting.finish_and_clear();
                let took = show::seconds(begun.elapsed());
                self.note(true, &format!("{what}  {}", faint(&format!("after {took}"))))?;
                return Ok(found);
            }
            if begun.elapsed() > PATIENCE {
                waiting.finish_and_clear();
                self.note(false, &format!("{what}: not within {} s", PATIENCE.as_secs()))?;
                return Err(Failure::new(format!("Waited in vain: {what}."))
                    .remedy("The logs of the functions tell more: `cargo dev logs`."));
            }
            self.stop.pause(GLANCE)?;
        }
    }

    /// Lets time pass, saying what for.
    pub(super) fn let_pass(&self, time: Duration, why: &str) -> Result<(), Failure> {
        if !time.is_zero() {
            self.remark(why)?;
        }
        self.stop.pause(time)
    }

    /// Calls a function as its schedule would.
    pub(super) fn tick(&self, function: &str) -> Result<(), Failure> {
        self.stack.tick(function, &now().to_string())
    }

    /// The messages in the outbox.
    pub(super) fn outbox(&self) -> Result<Vec<Value>, Failure> {
        let answer = self.running.ask("GET", "/outbox.jsonl")?;
        Ok(answer.body.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// The path of a link. A job makes links under the API's address; a
    /// request under the one that the gateway says was called, and the emulator
    /// names AWS's there.
    pub(super) fn path_of(&self, link: &str) -> String {
        let beyond_host = || {
            let (_, rest) = link.split_once("://")?;
            rest.find('/').and_then(|at| rest.get(at..))
        };
        let path = link.strip_prefix(&self.stack.api_url).or_else(beyond_host);
        path.unwrap_or(link).to_owned()
    }

    /// The message of a kind about an order, if it is in the outbox.
    pub(super) fn message(&self, kind: &str, order: &str) -> Result<Option<Value>, Failure> {
        let wanted = |message: &Value| {
            text(message, "/type") == kind && text(message, "/body/order") == order
        };
        Ok(self.outbox()?.into_iter().find(wanted))
    }

    /// Has a carrier's stand-in know of a parcel.
    pub(super) fn happen(&self, what: &Value) -> Result<(), Failure> {
        let answer = self.running.tell(page::HAPPEN, what)?;
        match answer.status {
            200 => Ok(()),
            _ => {
                Err(Failure::new(format!("The carrier's stand-in did not listen: {}", answer.body)))
            }
        }
    }

    /// What a system of the merchant was told.
    pub(super) fn hooks(&self) -> Result<Vec<Value>, Failure> {
        let answer = self.running.ask("GET", "/hooks.jsonl")?;
        Ok(answer.body.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Puts a good on sale and takes a delivery of it in.
    pub(super) fn stock(
        &self,
        sku: &str,
        title: &str,
        amount: u32,
        pieces: u32,
    ) -> Result<(), Failure> {
        let price = serde_json::json!({ "amount": amount, "currency": "GBP" });
        let good = Good { sku: sku.to_owned(), title: title.to_owned(), price, stock: pieces };
        let token = &self.tokens[2];
        catalogue::put(self.stack, token, &good)?;
        catalogue::receive(self.stack, token, sku, pieces, &self.key("delivery"))
    }

    /// Takes in what the day will sell, so that it can be played any number of times.
    pub(super) fn restock(&self) -> Result<(), Failure> {
        for (sku, pieces) in [("TEA-001", 3), ("POT-CLAY", 1), ("CUP-PAIR", 4)] {
            let note = self.key("morning");
            catalogue::receive(self.stack, &self.tokens[2], sku, pieces, &note)?;
        }
        Ok(())
    }

    /// The table at the end.
    pub(super) fn summary(&self) -> Result<(), Failure> {
        let head = ["who", "goods", "total", "money", "parcel", "points", "survey"];
        let mut table = vec![head.map(str::to_owned).to_vec()];
        for row in self.rows.clone() {
            table.push(vec![
                row.who, row.goods, row.total, row.money, row.parcel, row.points, row.survey,
            ]);
        }
        show::line(format!("\n{}", bold("What happened")))?;
        for (index, line) in show::table(&table).iter().enumerate() {
            show::line(if index == 0 { faint(&format!("  {line}")) } else { format!("  {line}") })?;
        }
        show::line("")
    }

    /// Where to look at it, on a stack that stays.
    pub(super) fn pointers(&self) -> Result<(), Failure> {
        let token = "curl -H \"authorization: Bearer $(cargo dev token ana)\"";
        let api = &self.stack.api_url;
        let order = self.rows.first().map_or("", |row| row.order.as_str());
        show::line(bold("To look at"))?;
        show::line(format!("  what people were sent  {}", self.running.page_url()))?;
        if !self.survey.is_empty() {
            show::line(format!("  the guest's survey     {}", self.survey))?;
        }
        if !self.page.is_empty() {
            show::line(format!("  Ben's parcels          {api}{}", self.page))?;
        }
        show::line(format!("  Ana's orders           {token} {api}/orders"))?;
        show::line(format!("  her parcel             {token} {api}/orders/{order}/tracking"))?;
        show::line(format!("  her points             {token} {api}/me/points\n"))
    }
}

/// An amount for people: `89.00 GBP`. The demo's currency has two decimals.
pub(super) fn amount(value: &Value) -> String {
    let minor = value.get("amount").and_then(Value::as_i64).unwrap_or_default();
    format!("{}.{:02} {}", minor / 100, minor % 100, text(value, "/currency"))
}
