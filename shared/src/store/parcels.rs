//! Parcels by carrier and number: one item holds the link to the shipment and
//! the set of all that was told. A set only grows, and what is told again
//! changes nothing: DynamoDB itself joins them.
//!
//! A scan is one text, its parts with tabs between (no text of ours holds any):
//! `S` with the letters of the status and the reason, and `z` if its zone was
//! assumed; the time, and after a comma when it was told, if that matters; the
//! code; the place. `Se`, `tosxg0`, `~3/~d`, `Leeds, GB` is such a scan, in some
//! 35 bytes. An estimate is `E`, when it was told, the estimate. Times are
//! seconds of the epoch to the base 36, and after a point the milliseconds, if
//! there are any. Frequent words of codes are their places in a table.
//!
//! A write costs a unit a kilobyte of the whole item. A parcel with its link and
//! its message takes two for some 40 scans; if an estimate comes with each of
//! them, for some 30.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_dynamo::AttributeValue;

use crate::model::{
    customer::CustomerId,
    dispatch::Direction,
    id::{OrderId, ShipmentId},
    shipment::{
        Carrier, Estimate, History, MAX_EVENTS, MAX_TOLD, Parcel, ParcelStatus, Push, Reason,
        Tracking, TrackingEvent, TrackingNumber, Window,
    },
    text::Text,
    time::{Date, Period, Timestamp, Zone},
};

use super::{
    Due, DueTable, Item, Key, Sends, Store, StoreError, Write,
    commit::{Change, Condition},
    item::{StoredError, as_texts, from_item, is_default, number, stored, to_item},
    key::{DUE, DUE_SHARD},
};

/// After this time a carrier may use a number again, and a label with it is
/// another parcel's. Carriers wait some months: UPS and USPS say four at least.
pub const REUSED_AFTER: Period = Period::of_days(120);

const TOLD: &str = "e";
const LABELLED_AT: &str = "at";
const VOID: &str = "x";

/// What the partitions of the index of what is due begin with in which parcels
/// lie whose carrier is to be asked, one a carrier: none waits for another.
fn asking(carrier: Carrier) -> String {
    format!("ask#{carrier}")
}

#[derive(Serialize, Deserialize)]
struct StoredParcel {
    v: u32,
    o: OrderId,
    s: ShipmentId,
    cu: CustomerId,
    #[serde(default, skip_serializing_if = "is_default")]
    b: bool,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    co: Option<Text<40>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ve: Option<Text<20>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    w: Option<(Date, Date, Zone)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    n: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    sb: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    x: bool,
}
stored!(StoredParcel, "parcel", 2);

impl From<&Parcel> for StoredParcel {
    fn from(parcel: &Parcel) -> Self {
        Self {
            v: 2,
            o: parcel.order.clone(),
            s: parcel.shipment.clone(),
            cu: parcel.customer.clone(),
            b: parcel.direction == Direction::Back,
            at: parcel.labelled_at,
            co: parcel.courier.clone(),
            ve: parcel.verification.clone(),
            w: parcel.window.clone().map(|it| (it.from, it.until, it.zone)),
            due: parcel.ask_at,
            n: parcel.asked,
            sb: parcel.subscribed,
            x: false,
        }
    }
}

/// Links a label to its shipment. Loses when the label is in use: by another
/// shipment that it was attached to since [`REUSED_AFTER`], and not taken off.
///
/// # Errors
/// [`StoreError::Stored`] when it cannot be stored.
pub fn link(parcel: &Parcel, sends: &Sends) -> Result<Write, StoreError> {
    let form = fields(parcel)?;
    let free = Condition::MissingOrBefore(LABELLED_AT, parcel.labelled_at.minus(REUSED_AFTER));
    let change = with_fields(parcel, form).remove(VOID);
    Ok(Write::update(Key::parcel(&parcel.tracking), change, sends)
        .when(Condition::Any(vec![free, Condition::Has(VOID.into())])))
}

/// Takes a label off its shipment: it may be attached again, to any.
/// Loses when it is not this shipment's, or more is told of it than was `told`,
/// [`History::told`], when that was decided.
#[must_use]
pub fn unlink(parcel: &Parcel, told: u32) -> Write {
    let void =
        Change::default().set(VOID, AttributeValue::Bool(true)).remove(DUE).remove(DUE_SHARD);
    let shipment = AttributeValue::S(parcel.shipment.as_str().to_owned());
    Write::update(Key::parcel(&parcel.tracking), void, &Sends::none())
        .when(Condition::Equals("s", shipment))
        .when(Condition::Missing(VOID.into()))
        .when(Condition::MissingOrSmaller(TOLD, i64::from(told).saturating_add(1)))
}

/// Notes when a parcel is to be asked about, and how that went. Loses when
/// it is another's meanwhile, was asked about meanwhile, or its carrier told of
/// its watching ([`rewatch`]) meanwhile.
///
/// # Errors
/// [`StoreError::Stored`] when it cannot be stored.
pub fn ask(before: &Parcel, after: &Parcel) -> Result<Write, StoreError> {
    let asked = match before.asked {
        0 => Condition::Missing("n".into()),
        asked => Condition::Equals("n", number(asked)),
    };
    let labelled = AttributeValue::S(before.labelled_at.to_string());
    let due = match before.ask_at {
        None => Condition::Missing(DUE.into()),
        Some(due) => Condition::Equals(DUE, AttributeValue::S(due.to_string())),
    };
    let watched = match before.subscribed {
        true => Condition::Has("sb".into()),
        false => Condition::Missing("sb".into()),
    };
    let courier = match &before.courier {
        None => Condition::Missing("co".into()),
        Some(courier) => Condition::Equals("co", AttributeValue::S(courier.as_str().to_owned())),
    };
    let change = with_fields(after, fields(after)?);
    Ok(Write::update(Key::parcel(&after.tracking), change, &Sends::none())
        .when(Condition::Equals(LABELLED_AT, labelled))
        .when(asked)
        .when(due)
        .when(watched)
        .when(courier))
}

/// Notes what a carrier said of its watching: that it has ended, so that the
/// carrier is told of the parcel again when it is asked about next, and who
/// carries the parcel really. Loses when the label is not ours, or was taken off.
/// The same again changes nothing.
#[must_use]
pub fn rewatch(tracking: &Tracking, has_ended: bool, courier: Option<&Text<40>>) -> Write {
    let mut change = Change::default();
    if has_ended {
        change = change.remove("sb");
    }
    if let Some(courier) = courier {
        change = change.set("co", AttributeValue::S(courier.as_str().to_owned()));
    }
    Write::update(Key::parcel(tracking), change, &Sends::none())
        .when(Condition::Has("o".into()))
        .when(Condition::Missing(VOID.into()))
}

fn fields(parcel: &Parcel) -> Result<Item, StoreError> {
    to_item(&StoredParcel::from(parcel))
        .map_err(|source| StoreError::Stored { what: "parcel", source })
}

/// Sets what a parcel has, and removes what it has not.
fn with_fields(parcel: &Parcel, mut form: Item) -> Change {
    let mut change = Change::default();
    for name in ["v", "o", "s", "cu", "b", LABELLED_AT, "co", "ve", "w", "n", "sb", DUE] {
        change = match form.remove(name) {
            Some(value) => change.set(name, value),
            None => change.remove(name),
        };
    }
    match parcel.ask_at {
        Some(_) => change.set(DUE_SHARD, AttributeValue::S(asking(parcel.tracking.carrier))),
        None => change.remove(DUE_SHARD),
    }
}

/// So much may be known of a parcel for an estimate to be taken: however often
/// a carrier says when it expects to deliver, scans find room.
const MAX_BEFORE_ESTIMATE: usize = MAX_TOLD / 2;

/// So much may be known of a parcel for a scan to be taken that ends its way or
/// turns it. [`record`] leaves at most a push more than [`MAX_TOLD`].
const MAX_BEFORE_END: usize = MAX_TOLD + 2 * MAX_EVENTS;

/// Adds what a carrier told. Loses when all of it is known, or so much is known
/// of the parcel that not all of it is taken; [`left_out`] tells which.
#[must_use]
pub fn record(push: &Push, sends: &Sends) -> Write {
    let told = push.events.iter().map(scan_text).chain(push.estimate.iter().map(estimate_text));
    // DynamoDB refuses a set in which a text is twice.
    let told: Vec<String> = told.collect::<BTreeSet<_>>().into_iter().collect();
    let change = Change::default().join(TOLD, told.clone());
    let most = match push.estimate {
        Some(_) => MAX_BEFORE_ESTIMATE,
        None if push.events.iter().all(is_end) => MAX_BEFORE_END,
        None => MAX_TOLD,
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    Write::update(Key::parcel(&push.tracking), change, sends)
        .when(Condition::LacksOneOf(TOLD, told))
        .when(Condition::MissingOrSmaller(TOLD, most))
}

/// Whether a scan ends a parcel's way or turns it: what must not be missed.
fn is_end(event: &TrackingEvent) -> bool {
    use ParcelStatus::{Delivered, Returned, Returning};
    matches!(event.status, Delivered | Returning | Returned)
}

/// What of a push that lost is not in the item that it met, because there is no
/// room for all of it; none, if all of it is known.
#[must_use]
pub fn left_out(push: &Push, found: &Item) -> Option<Push> {
    let known: BTreeSet<&str> = texts(found).map(String::as_str).collect();
    let is_new = |text: String| !known.contains(text.as_str());
    let events = push.events.iter().filter(|it| is_new(scan_text(it))).cloned().collect::<Vec<_>>();
    let estimate = push.estimate.filter(|it| is_new(estimate_text(it)));
    let is_any = !events.is_empty() || estimate.is_some();
    is_any.then(|| Push { tracking: push.tracking.clone(), events, estimate })
}

/// What matters most of a push that finds no room: its scans; of these alone,
/// those that end the way or turn it. None if nothing is left, or all of it was that.
#[must_use]
pub fn what_matters(mut push: Push) -> Option<Push> {
    let told = push.events.len();
    if push.estimate.take().is_none() {
        push.events.retain(is_end);
        if push.events.len() == told {
            return None;
        }
    }
    (!push.events.is_empty()).then_some(push)
}

/// The letter of each status. What is written stays, so no letter may change.
fn status_letter(status: ParcelStatus) -> char {
    match status {
        ParcelStatus::Pending => 'a',
        ParcelStatus::Unknown => 'b',
        ParcelStatus::InfoReceived => 'c',
        ParcelStatus::PickedUp => 'd',
        ParcelStatus::InTransit => 'e',
        ParcelStatus::OnHold => 'f',
        ParcelStatus::Exception => 'g',
        ParcelStatus::OutForDelivery => 'h',
        ParcelStatus::AttemptFailed => 'i',
        ParcelStatus::ReadyForPickup => 'j',
        ParcelStatus::Returning => 'k',
        ParcelStatus::Delivered => 'l',
        ParcelStatus::Returned => 'm',
        ParcelStatus::Cancelled => 'n',
        ParcelStatus::Expired => 'o',
    }
}

/// The letter of each reason, a capital. No letter may change.
fn reason_letter(reason: Reason) -> char {
    match reason {
        Reason::CarrierDamaged => 'A',
        Reason::CarrierLost => 'B',
        Reason::CarrierDelayed => 'C',
        Reason::AddressIncorrect => 'D',
        Reason::ConsigneeRefused => 'E',
        Reason::ConsigneeAbsent => 'F',
        Reason::ConsigneeRescheduled => 'G',
        Reason::CustomsHold => 'H',
        Reason::CustomsDocuments => 'I',
        Reason::CustomsDuties => 'J',
        Reason::Weather => 'K',
        Reason::Security => 'L',
        Reason::RetailerError => 'M',
        Reason::Other => 'N',
    }
}

/// Says that the zone of a scan's time was assumed.
const ZONE_ASSUMED: char = 'z';

/// Words that many codes consist of, EasyPost's and AfterShip's above all. A
/// word is written as its place here, so none may move; and a scan has one text
/// for ever, so none may be added.
const WORDS: [&str; 40] = [
    "unknown",
    "pre_transit",
    "info_received",
    "in_transit",
    "out_for_delivery",
    "available_for_pickup",
    "delivered",
    "return_to_sender",
    "failure",
    "cancelled",
    "error",
    "address_correction",
    "arrived_at_destination",
    "arrived_at_facility",
    "arrived_at_pickup_location",
    "awaiting_information",
    "damaged",
    "delayed",
    "delivery_exception",
    "departed_facility",
    "departed_origin_facility",
    "expired",
    "held",
    "label_created",
    "lost",
    "missorted",
    "received_at_destination_facility",
    "received_at_origin_facility",
    "refused",
    "return",
    "status_update",
    "transferred_to_destination_carrier",
    "transit_exception",
    "weather_delay",
    "InfoReceived",
    "InTransit",
    "OutForDelivery",
    "AttemptFail",
    "Exception",
    "picked_up",
];

/// Before the place of a word; a word that begins so itself has two.
const WORD: char = '~';

fn code_text(code: &str) -> String {
    let word = |word: &str| match WORDS.iter().zip(0_i64..).find(|(known, _)| **known == word) {
        Some((_, place)) => format!("{WORD}{}", base_36(place)),
        None if word.starts_with(WORD) => format!("{WORD}{word}"),
        None => word.to_owned(),
    };
    code.split('/').map(word).collect::<Vec<_>>().join("/")
}

fn code_from(text: &str) -> Option<Text<64>> {
    let word = |word| match str::strip_prefix(word, WORD) {
        None => Some(word),
        Some(rest) if rest.starts_with(WORD) => Some(rest),
        Some(place) => WORDS.get(usize::from_str_radix(place, BASE).ok()?).copied(),
    };
    let words: Option<Vec<&str>> = text.split('/').map(word).collect();
    Text::new(&words?.join("/")).ok()
}

const BASE: u32 = 36;

/// A number to the base 36, as [`i64::from_str_radix`] reads it.
fn base_36(number: i64) -> String {
    let mut digits = Vec::new();
    let mut rest = number.unsigned_abs();
    loop {
        let digit = u32::try_from(rest % u64::from(BASE)).unwrap_or_default();
        digits.extend(char::from_digit(digit, BASE));
        rest /= u64::from(BASE);
        if rest == 0 {
            break;
        }
    }
    digits.extend((number < 0).then_some('-'));
    digits.iter().rev().collect()
}

fn moment_text(moment: Timestamp) -> String {
    let millis = moment.unix_millis();
    let seconds = base_36(millis.div_euclid(1_000));
    match millis.rem_euclid(1_000) {
        0 => seconds,
        millis => format!("{seconds}.{}", base_36(millis)),
    }
}

fn moment_from(text: &str) -> Option<Timestamp> {
    let (seconds, millis) = text.split_once('.').unwrap_or((text, "0"));
    let number = |text| i64::from_str_radix(text, BASE).ok();
    let millis = number(seconds)?.checked_mul(1_000)?.checked_add(number(millis)?)?;
    Timestamp::from_unix_millis(millis).ok()
}

fn scan_text(event: &TrackingEvent) -> String {
    let mut head = format!("S{}", status_letter(event.status));
    head.extend(event.reason.map(reason_letter));
    head.extend(event.zone_assumed.then_some(ZONE_ASSUMED));
    let told = event.told_at.map(|told| format!(",{}", moment_text(told))).unwrap_or_default();
    let at = format!("{}{told}", moment_text(event.at));
    let place = event.place.as_ref().map(Text::as_str).unwrap_or_default();
    [&head, &at, &code_text(event.code.as_str()), place].join("\t")
}

fn estimate_text(estimate: &Estimate) -> String {
    ["E".to_owned(), moment_text(estimate.told_at), moment_text(estimate.eta)].join("\t")
}

enum Told {
    Scan(TrackingEvent),
    Estimate(Estimate),
}

fn told_from(text: &str) -> Option<Told> {
    let (kind, rest) = text.split_at_checked(1)?;
    match (kind, rest.split('\t').collect::<Vec<_>>().as_slice()) {
        ("S", [head, at, code, place]) => scan_from(head, at, code, place).map(Told::Scan),
        ("E", ["", told_at, eta]) => Some(Told::Estimate(Estimate {
            told_at: moment_from(told_at)?,
            eta: moment_from(eta)?,
        })),
        _ => None,
    }
}

fn scan_from(head: &str, at: &str, code: &str, place: &str) -> Option<TrackingEvent> {
    let (letters, zone_assumed) = match head.strip_suffix(ZONE_ASSUMED) {
        Some(letters) => (letters, true),
        None => (head, false),
    };
    let mut letters = letters.chars();
    let letter = letters.next()?;
    let status = ParcelStatus::ALL.into_iter().find(|it| status_letter(*it) == letter)?;
    let reason = match letters.next() {
        None => None,
        Some(letter) => Some(Reason::ALL.into_iter().find(|it| reason_letter(*it) == letter)?),
    };
    let (at, told_at) = match at.split_once(',') {
        Some((at, told_at)) => (at, Some(moment_from(told_at)?)),
        None => (at, None),
    };
    let place = match place {
        "" => None,
        place => Some(Text::new(place).ok()?),
    };
    let (at, code) = (moment_from(at)?, code_from(code)?);
    let is_read = letters.next().is_none();
    is_read.then_some(TrackingEvent { at, status, reason, code, place, told_at, zone_assumed })
}

/// The parcel in an item, such as the one that a [`super::Conflict`] found;
/// none, if its label was not attached yet, or was taken off again.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn parcel_from_item(tracking: &Tracking, item: &Item) -> Result<Option<Parcel>, StoreError> {
    Ok(attached(tracking, item)?.filter(|(_, is_off)| !is_off).map(|(parcel, _)| parcel))
}

/// The parcel that a label was attached to, and whether it was taken off again.
fn attached(tracking: &Tracking, item: &Item) -> Result<Option<(Parcel, bool)>, StoreError> {
    if !item.contains_key("o") {
        return Ok(None);
    }
    let form: StoredParcel = from_item(item)?;
    let parcel = Parcel {
        tracking: tracking.clone(),
        order: form.o,
        shipment: form.s,
        customer: form.cu,
        direction: if form.b { Direction::Back } else { Direction::Out },
        labelled_at: form.at,
        courier: form.co,
        verification: form.ve,
        window: form.w.map(|(from, until, zone)| Window { from, until, zone }),
        ask_at: form.due,
        asked: form.n,
        subscribed: form.sb,
    };
    Ok(Some((parcel, form.x)))
}

/// The set of what was told.
fn texts(item: &Item) -> impl Iterator<Item = &String> {
    item.get(TOLD).and_then(as_texts).into_iter().flatten()
}

/// All that an item says of a parcel.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn history_from_item(tracking: &Tracking, item: &Item) -> Result<History, StoreError> {
    let (mut events, mut estimates) = (BTreeSet::new(), BTreeSet::new());
    for text in texts(item) {
        let odd = StoreError::Stored { what: "carrier's scan", source: StoredError::Range };
        match told_from(text).ok_or(odd)? {
            Told::Scan(event) => drop(events.insert(event)),
            Told::Estimate(estimate) => drop(estimates.insert(estimate)),
        }
    }
    let (parcel, taken_off) = match attached(tracking, item)? {
        Some((parcel, true)) => (None, Some(parcel)),
        Some((parcel, false)) => (Some(parcel), None),
        None => (None, None),
    };
    Ok(History { parcel, taken_off, events, estimates })
}

#[derive(Serialize, Deserialize)]
struct StoredBody {
    v: u32,
    #[serde(with = "super::payments::bytes_or_none")]
    b: Option<Vec<u8>>,
    n: Option<TrackingNumber>,
    at: Timestamp,
    ttl: i64,
}
stored!(StoredBody, "body of a carrier's call", 1);

/// Keeps the body of a carrier's call, compressed, until then. The same body
/// is the same item.
#[must_use]
pub fn body(
    carrier: Carrier,
    number: Option<&TrackingNumber>,
    digest: &str,
    deflated: Vec<u8>,
    (at, until): (Timestamp, Timestamp),
) -> Write {
    let form =
        StoredBody { v: 1, b: Some(deflated), n: number.cloned(), at, ttl: until.unix_seconds() };
    Write::put(Key::carrier_body(carrier, digest), &form, &Sends::none())
}

impl super::Found {
    /// Everything known of a parcel that was asked for; nothing, if it is not there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn history(&self, tracking: &Tracking) -> Result<History, StoreError> {
        let history = self.item(&Key::parcel(tracking)).map(|it| history_from_item(tracking, it));
        Ok(history.transpose()?.unwrap_or_default())
    }
}

impl Store {
    /// Everything known of a parcel.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn parcel(&self, tracking: &Tracking) -> Result<History, StoreError> {
        let item = self.get(&Key::parcel(tracking)).await?;
        let history = item.map(|item| history_from_item(tracking, &item)).transpose()?;
        Ok(history.unwrap_or_default())
    }

    /// The parcels of a carrier that are to be asked about by `now`, as the
    /// index has it; those first that wait longest, at most `most` of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn parcels_to_ask(
        &self,
        carrier: Carrier,
        now: Timestamp,
        most: u16,
    ) -> Result<Vec<Tracking>, StoreError> {
        let span = (Timestamp::FIRST, now);
        let due = self.due_between(DueTable::Tracking, &asking(carrier), span, most).await?;
        let number = |Due { pk, .. }: &Due| {
            let (of, number) = pk.split_once('#')?;
            (of == carrier.as_str()).then_some(TrackingNumber::parse(number).ok()?)
        };
        Ok(due.iter().filter_map(number).map(|number| Tracking { carrier, number }).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::key::tracking_pk, *};

    fn text<const MAX: usize>(length: usize) -> impl Strategy<Value = Text<MAX>> {
        let letters = proptest::collection::vec("[a-zA-Z0-9 /|#~,.\u{4e00}-\u{4eff}]", 1..length);
        letters.prop_filter_map("no text", |letters| Text::new(&letters.concat()).ok())
    }

    /// A carrier's code of words that have places in the table, and others.
    fn code() -> impl Strategy<Value = Text<64>> {
        let word = prop_oneof![
            proptest::sample::select(WORDS.to_vec()).prop_map(str::to_owned),
            "~{0,2}[a-z0-9_~]{0,8}"
        ];
        let words = proptest::collection::vec(word, 1..4);
        let words = words.prop_filter_map("no code", |words| Text::new(&words.join("/")).ok());
        prop_oneof![words, text(20)]
    }

    prop_compose! {
        fn moment()(
            seconds in -62_167_219_200_i64..253_402_300_799,
            millis in prop_oneof![Just(0), 1_i64..1_000],
        ) -> Timestamp {
            Timestamp::from_unix_millis(seconds * 1_000 + millis).unwrap()
        }
    }

    prop_compose! {
        fn scan()(
            at in moment(),
            status in 0_usize..ParcelStatus::ALL.len(),
            reason in proptest::option::of(0_usize..Reason::ALL.len()),
            code in code(),
            place in proptest::option::of(text(20)),
            told_at in proptest::option::of(moment()),
            zone_assumed in any::<bool>(),
        ) -> TrackingEvent {
            TrackingEvent {
                at,
                status: ParcelStatus::ALL[status],
                reason: reason.map(|reason| Reason::ALL[reason]),
                code,
                place,
                told_at,
                zone_assumed,
            }
        }
    }

    proptest! {
        #[test]
        fn a_scan_reads_back(event in scan()) {
            let read = told_from(&scan_text(&event));
            prop_assert!(matches!(read, Some(Told::Scan(read)) if read == event));
        }

        #[test]
        fn an_estimate_reads_back(told_at in moment(), eta in moment()) {
            let estimate = Estimate { told_at, eta };
            let read = told_from(&estimate_text(&estimate));
            prop_assert!(matches!(read, Some(Told::Estimate(read)) if read == estimate));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[SE][a-oA-Nz\t0-9~/,.-]{0,30}") {
            drop(told_from(&text));
        }
    }

    #[test]
    fn letters_and_words_are_distinct() {
        let statuses: BTreeSet<char> = ParcelStatus::ALL.into_iter().map(status_letter).collect();
        let reasons: BTreeSet<char> = Reason::ALL.into_iter().map(reason_letter).collect();
        assert_eq!(statuses.len(), ParcelStatus::ALL.len());
        assert_eq!(reasons.len(), Reason::ALL.len());
        assert!(!statuses.contains(&ZONE_ASSUMED) && !reasons.contains(&ZONE_ASSUMED));
        assert_eq!(BTreeSet::from(WORDS).len(), WORDS.len());
        assert!(WORDS.iter().all(|word| !word.contains('/') && !word.contains(WORD)));
    }

    #[test]
    fn texts_are_short_and_stay_as_they_are() {
        let event = TrackingEvent {
            at: Timestamp::parse("2026-11-20T13:00:00Z").unwrap(),
            status: ParcelStatus::InTransit,
            reason: None,
            code: Text::new("in_transit/arrived_at_facility").unwrap(),
            place: Some(Text::new("Milton Keynes, GB").unwrap()),
            told_at: None,
            zone_assumed: false,
        };
        assert_eq!(scan_text(&event), "Se\ttosxg0\t~3/~d\tMilton Keynes, GB");
        let odd = TrackingEvent {
            reason: Some(Reason::Weather),
            code: Text::new("~/InTransit").unwrap(),
            place: None,
            told_at: Timestamp::parse("2026-11-20T12:00:00.5Z").ok(),
            zone_assumed: true,
            ..event
        };
        assert_eq!(scan_text(&odd), "SeKz\ttosxg0,tosuo0.dw\t~~/~z\t");
    }

    #[test]
    fn what_is_no_scan_is_not_read() {
        for text in [
            "",
            "\u{e9}",
            "S",
            "E\t1",
            "Sl\t1\t\t",
            "Sl\t#\tc\t",
            "Sp\t1\tc\t",
            "SlZ\t1\tc\t",
            "SlAA\t1\tc\t",
            "Sl\t1\t~zz\t",
            "Sl\t1\tc",
            "Ex\t1\t2",
            "E\t1\t2\t3",
        ] {
            assert!(told_from(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn numbers_name_their_partition() {
        let number = TrackingNumber::parse("AB-1234").unwrap();
        let tracking = Tracking { carrier: Carrier::Kuaidi100, number };
        assert_eq!(tracking_pk(&tracking), "kuaidi100#AB-1234");
    }
}
