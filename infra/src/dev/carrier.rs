//! `cargo dev carrier`: runs a carrier's sample through the code that reads it,
//! and shows what it amounts to.

use std::{fs, path::Path};

use aftercart::model::{
    shipment::{Carrier, TrackingEvent},
    text::Text,
    time::Timestamp,
};
use aftercart_logistics::carriers::{self, Reading};
use bytes::Bytes;

use super::{
    failure::{Failure, Trying},
    running, show,
};

/// Shows what a body that a carrier pushed amounts to, or what it answered when
/// it was asked.
pub(super) fn run(carrier: &str, file: &Path, is_answer: bool) -> Result<(), Failure> {
    let carrier = Carrier::parse(carrier).ok_or_else(|| {
        let names = Carrier::ALL.map(Carrier::as_str).join(", ");
        Failure::new(format!("There is no carrier `{carrier}`."))
            .remedy(format!("Take one of {names}."))
    })?;
    let body = fs::read(file).trying(format_args!("read {}", file.display()))?;
    let reading = read(carrier, body, is_answer, running::now())
        .map_err(|error| Failure::new(format!("The sample cannot be read: {error}")))?;
    show::line(report(carrier, &reading).join("\n"))
}

fn read(
    carrier: Carrier,
    body: Vec<u8>,
    is_answer: bool,
    now: Timestamp,
) -> Result<Reading, String> {
    let adapter = carriers::of(carrier);
    if is_answer {
        let answer = ::http::Response::new(Bytes::from(body));
        return adapter.answered(&answer, now).map_err(|error| error.to_string());
    }
    adapter.read(&body, now).map_err(|malformed| malformed.to_string())
}

fn report(carrier: Carrier, reading: &Reading) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(why) = reading.ignored {
        lines.push(format!("Nothing is taken of it: {why}."));
    }
    let mut parcel = None;
    for push in &reading.told {
        if parcel.replace(&push.tracking.number) != Some(&push.tracking.number) {
            lines.push(format!("{carrier} {}", push.tracking.number.as_str()));
        }
        lines.extend(push.events.iter().map(scan));
        if let Some(estimate) = push.estimate {
            lines.push(format!("  expected {}, told {}", estimate.eta, estimate.told_at));
        }
    }
    for code in &reading.unknown_codes {
        lines.push(format!("Not in functions/logistics/carriers/{carrier}.json: {code}"));
    }
    if reading.unreadable > 0 {
        let count = reading.unreadable;
        lines.push(format!("{count} left out: without a readable time or a code, or too many."));
    }
    lines
}

fn scan(scan: &TrackingEvent) -> String {
    let mut line = format!("  {}  {:16}", scan.at, scan.status.as_str());
    if let Some(reason) = scan.reason {
        line.push_str(&format!("  {}", reason.as_str()));
    }
    line.push_str(&format!("  {}", scan.code));
    if let Some(place) = scan.place.as_ref().map(Text::as_str) {
        line.push_str(&format!("  {place}"));
    }
    if scan.zone_assumed {
        line.push_str("  (no zone)");
    }
    if let Some(told_at) = scan.told_at {
        line.push_str(&format!("  (told at {told_at}, before it was)"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(carrier: Carrier, body: &str, is_answer: bool) -> Vec<String> {
        let now = Timestamp::parse("2026-11-21T12:00:00Z").unwrap();
        let body = body.as_bytes().to_vec();
        report(carrier, &read(carrier, body, is_answer, now).unwrap())
    }

    #[test]
    fn a_sample_is_shown_scan_by_scan() {
        let tracking = r#"{
            "tracking_number": "GX-1234",
            "latest_estimated_delivery": { "datetime": "2026-11-22T12:00:00Z" },
            "checkpoints": [
                { "tag": "Exception", "subtag": "Exception_017", "checkpoint_time": "2026-11-20T08:00:00", "city": "Slough" },
                { "tag": "Lost", "checkpoint_time": "2026-11-21T13:00:00Z" },
                { "tag": "InTransit", "checkpoint_time": "yesterday" }
            ]
        }"#;
        let expected = [
            "aftership GX-1234",
            "  2026-11-20T08:00:00.000Z  exception         weather  Exception/Exception_017  Slough  (no zone)",
            "  2026-11-21T13:00:00.000Z  unknown           Lost  (told at 2026-11-21T12:00:00.000Z, before it was)",
            "  expected 2026-11-22T12:00:00.000Z, told 2026-11-21T12:00:00.000Z",
            "Not in functions/logistics/carriers/aftership.json: Lost",
            "1 left out: without a readable time or a code, or too many.",
        ];
        let pushed = format!(r#"{{ "msg": {tracking} }}"#);
        assert_eq!(lines(Carrier::Aftership, &pushed, false), expected);
        let answered = format!(r#"{{ "data": {{ "trackings": [{tracking}] }} }}"#);
        assert_eq!(lines(Carrier::Aftership, &answered, true), expected);
        let nothing = lines(Carrier::Aftership, "{}", false);
        assert_eq!(nothing, ["Nothing is taken of it: the event is not about a tracking."]);
        assert!(read(Carrier::Aftership, b"[".to_vec(), false, Timestamp::EPOCH).is_err());
    }
}
