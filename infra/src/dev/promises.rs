//! What should be promised, by what was seen: a table, and what a person may
//! put. It applies nothing.

use aftercart_logistics::wire::performance::{
    DaysView, PromiseLine, PromiseProposal, UnproposedView,
};

use super::{
    failure::{Failure, Trying},
    place::Place,
    running::Running,
    show,
};

/// Prints the proposal of the stack that is up: as a table, or as it came.
pub(super) fn run(place: &Place, as_json: bool) -> Result<(), Failure> {
    let (_, stack) = Running::stack(place)?;
    let token = stack.operator_token()?;
    let answer = stack.call("GET", "/operator/promise-proposal", &token, &[], "")?;
    if answer.status != 200 {
        let what = format!("Nothing is proposed: HTTP {} {}", answer.status, answer.body);
        return Err(Failure::new(what).remedy("`cargo dev logs delivery-report` tells more."));
    }
    let proposal: PromiseProposal =
        serde_json::from_str(&answer.body).trying("understand the proposal")?;
    if as_json {
        let text = serde_json::to_string_pretty(&proposal).trying("write the proposal")?;
        return show::line(text);
    }
    table(&proposal).iter().try_for_each(show::line)
}

/// Working days in which half and nine of ten parcels are brought, now and as
/// proposed.
fn table(proposal: &PromiseProposal) -> Vec<String> {
    let PromiseProposal { from, to, places, .. } = proposal;
    let row = |cells: [&str; 6]| {
        let [method, place, countries, seen, now, proposed] = cells;
        format!("  {method:20} {place:>5}  {countries:24} {seen:>8}  {now:>9}  {proposed}")
            .trim_end()
            .to_owned()
    };
    let mut lines = vec![
        format!("Working days under way (P50, P90), by parcels of {from} to {to}"),
        row(["method", "place", "countries", "parcels", "now", "proposed"]),
    ];
    lines.extend(places.iter().map(|line| {
        let (place, seen) = (line.place.to_string(), line.seen.to_string());
        row([
            line.method.as_str(),
            &place,
            &countries(line),
            &seen,
            &days(&line.now),
            &proposed(line),
        ])
    }));
    lines.push("`--json` prints the member `delivery` of the policy with it, to be put.".into());
    lines
}

fn countries(line: &PromiseLine) -> String {
    let all: Vec<&str> = line.countries.iter().map(|country| country.as_str()).collect();
    match all[..] {
        [] => "every other".to_owned(),
        ref some => some.join(" "),
    }
}

fn days(days: &DaysView) -> String {
    format!("{}, {}", days.p50, days.p90)
}

fn proposed(line: &PromiseLine) -> String {
    match (&line.proposed, line.unproposed) {
        (Some(proposed), _) if *proposed == line.now => "as it is".to_owned(),
        (Some(proposed), _) => days(proposed),
        (None, Some(UnproposedView::NotToldApart)) => "shares its countries".to_owned(),
        (None, _) => "too few parcels".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_proposal_reads_as_a_table() {
        let line = |place: u32, countries: &[&str]| {
            json!({
                "method": "standard", "place": place, "countries": countries, "seen": 40,
                "now": { "p50": 3, "p90": 5 },
            })
        };
        let mut places = [line(0, &["GB", "IE"]), line(1, &["GB"]), line(2, &[]), line(3, &["US"])];
        places[0]["proposed"] = json!({ "p50": 2, "p90": 4 });
        places[1]["unproposed"] = "not_told_apart".into();
        places[2]["proposed"] = json!({ "p50": 3, "p90": 5 });
        places[3]["unproposed"] = "too_few".into();
        let proposal = serde_json::from_value(json!({
            "from": "2026-09", "to": "2026-11", "places": places,
            "delivery": { "calendars": {}, "methods": [] },
        }));
        let lines = table(&proposal.unwrap());
        assert_eq!(
            lines[1..6],
            [
                "  method               place  countries                 parcels        now  proposed",
                "  standard                 0  GB IE                          40       3, 5  2, 4",
                "  standard                 1  GB                             40       3, 5  shares its countries",
                "  standard                 2  every other                    40       3, 5  as it is",
                "  standard                 3  US                             40       3, 5  too few parcels",
            ]
        );
    }
}
