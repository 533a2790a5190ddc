//! Stand-ins for carriers and for those who watch them: each takes the calls of
//! the suite by its carrier's rules, as far as the suite makes any, and pushes
//! what happened to a parcel as its carrier would, signed. For tests and the
//! demo. One file each.

pub mod aftership;
pub mod easypost;
pub mod generic;
pub mod kdniao;
pub mod kuaidi100;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use aftercart::model::{shipment::Carrier, time::Timestamp};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use crate::{
    providers::json_answer,
    signing::{Callback, Push, Scan},
};

/// What happened to a parcel, in its carrier's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// The carrier's word for where the parcel is.
    pub status: String,
    /// Where it was scanned.
    pub place: String,
    /// When, by the carrier's clock.
    pub at: Timestamp,
}

/// What a carrier knows of a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The scans.
    pub scans: Vec<Happened>,
    /// When the parcel is expected.
    pub eta: Option<Timestamp>,
    /// When the carrier last heard of it.
    pub at: Timestamp,
}

/// What stand-ins remember, by carrier and number.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    known: BTreeMap<(Carrier, String), Known>,
    followed: BTreeSet<(Carrier, String)>,
    asked: BTreeMap<(Carrier, String), u32>,
    refusing: BTreeMap<Carrier, u16>,
}

impl Memory {
    /// Has a carrier know this of a parcel, instead of what it knew before.
    pub fn happen(&mut self, carrier: Carrier, number: &str, known: Known) {
        self.known.insert((carrier, number.to_owned()), known);
    }

    /// Whether a carrier was told to follow a parcel.
    #[must_use]
    pub fn follows(&self, carrier: Carrier, number: &str) -> bool {
        self.followed.contains(&(carrier, number.to_owned()))
    }

    /// How often a carrier was asked about a parcel.
    #[must_use]
    pub fn asked(&self, carrier: Carrier, number: &str) -> u32 {
        self.asked.get(&(carrier, number.to_owned())).copied().unwrap_or_default()
    }

    /// Has a carrier answer every call with this status from now on; as usual
    /// again, if there is none.
    pub fn refuse(&mut self, carrier: Carrier, status: Option<u16>) {
        match status {
            Some(status) => drop(self.refusing.insert(carrier, status)),
            None => drop(self.refusing.remove(&carrier)),
        }
    }

    /// Notes that a carrier shall follow a parcel; tells whether it is new.
    pub fn follow(&mut self, carrier: Carrier, number: &str) -> bool {
        self.followed.insert((carrier, number.to_owned()))
    }

    /// Notes that a carrier was asked about a parcel, and tells what it knows.
    pub fn ask<T>(
        &mut self,
        carrier: Carrier,
        number: &str,
        tell: impl FnOnce(&Push<'_>) -> T,
    ) -> Option<T> {
        *self.asked.entry((carrier, number.to_owned())).or_default() += 1;
        self.tell(carrier, number, tell)
    }

    /// What a carrier knows of a parcel.
    pub fn tell<T>(
        &self,
        carrier: Carrier,
        number: &str,
        tell: impl FnOnce(&Push<'_>) -> T,
    ) -> Option<T> {
        self.known.get(&(carrier, number.to_owned())).map(|known| known.told(number, tell))
    }
}

impl Known {
    fn told<T>(&self, number: &str, tell: impl FnOnce(&Push<'_>) -> T) -> T {
        let scan = |it: &Happened| (it.status.clone(), it.place.clone(), it.at);
        let scans: Vec<(String, String, Timestamp)> = self.scans.iter().map(scan).collect();
        let scans: Vec<Scan<'_>> =
            scans.iter().map(|(status, place, at)| Scan { status, place, at: *at }).collect();
        let event = format!("evt_{number}");
        tell(&Push { event: &event, number, scans: &scans, eta: self.eta, at: self.at })
    }
}

/// One carrier's stand-in.
pub trait StandIn: Sync {
    /// What the suite's secret of carriers says of the carrier, whose API is at
    /// this address.
    fn credentials(&self, api_url: &str) -> Value;

    /// Answers a call.
    fn answer(&self, memory: &mut Memory, path: &str, request: &Request<Bytes>) -> Response<Bytes>;

    /// What the carrier tells of a parcel by itself.
    fn push(&self, push: &Push<'_>) -> Callback;
}

/// The stand-in of a carrier.
#[must_use]
pub fn of(carrier: Carrier) -> &'static dyn StandIn {
    match carrier {
        Carrier::Easypost => &easypost::EasyPost,
        Carrier::Aftership => &aftership::AfterShip,
        Carrier::Kuaidi100 => &kuaidi100::Kuaidi100,
        Carrier::Kdniao => &kdniao::KdNiao,
        Carrier::Generic => &generic::Generic,
    }
}

/// The suite's secret of carriers, for stand-ins under this address.
#[must_use]
pub fn credentials(base: &str) -> Value {
    let of_each = Carrier::ALL.iter().map(|carrier| {
        let api_url = format!("{base}/{carrier}");
        (carrier.to_string(), of(*carrier).credentials(&api_url))
    });
    Value::Object(of_each.collect())
}

/// All stand-ins, with what they remember.
#[derive(Debug, Default)]
pub struct StandIns(Mutex<Memory>);

impl StandIns {
    /// Others that remember the same.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(Mutex::new(self.memory(|memory| memory.clone())))
    }

    /// Answers a call to `<anything>/<carrier>/<path>`.
    pub fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let path = request.uri().path();
        let found = Carrier::ALL.iter().find_map(|carrier| {
            let (_, rest) = path.split_once(&format!("/{carrier}/"))?;
            Some((*carrier, format!("/{rest}")))
        });
        let Some((carrier, rest)) = found else {
            return json_answer(404, &json!({ "error": "no such carrier" }));
        };
        self.memory(|memory| match memory.refusing.get(&carrier) {
            Some(status) => json_answer(*status, &json!({ "error": "not now" })),
            None => of(carrier).answer(memory, &rest, request),
        })
    }

    /// Looks into, or changes, what they remember.
    pub fn memory<T>(&self, f: impl FnOnce(&mut Memory) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A field of a call's query; empty when it is missing.
#[must_use]
pub fn query(request: &Request<Bytes>, name: &str) -> String {
    crate::providers::field(request.uri().query().unwrap_or_default().as_bytes(), name)
}
