//! Contests, reports about the points programme and audits of ledgers.

use aftercart_points::wire::{
    contests::{ChooseName, ContestView, ContestantView, FoundTeam, TeamView},
    reports::{LiabilityView, PointsAuditView},
};
use schemars::SchemaGenerator;

use super::Shapes;

/// The language of names and titles.
const LANG: (&str, &str) = ("lang", "`en` or `zh`; by `Accept-Language` otherwise.");

pub(super) fn shapes(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    Some(match operation {
        "team-change" => {
            let about = "How the member takes part: in the team, new or as it was founded before.";
            Shapes::created::<ContestantView>(of, about, &[400, 409]).taking::<FoundTeam>(of)
        }
        "team-change-members" => {
            let about = "How the member takes part: in the team.";
            Shapes::ok::<ContestantView>(of, about, &[404, 409])
        }
        "team-change-me" => {
            let about = "How the member takes part: in no team, or in another than that.";
            Shapes::ok::<ContestantView>(of, about, &[404, 409])
        }
        "team-change-name" => {
            let about = "How the member takes part: under this name, or a pseudonym.";
            Shapes::ok::<ContestantView>(of, about, &[400, 404]).taking::<ChooseName>(of)
        }
        "contest-view" => {
            let about = "The contest, its first ranks and the member's own.";
            Shapes::ok::<ContestView>(of, about, &[400, 404])
                .asking(("limit", "How many ranks are shown, 1 to 90."))
                .asking(LANG)
        }
        "contest-view-members" => {
            let about = "The member's team, and what each did for it.";
            Shapes::ok::<TeamView>(of, about, &[400, 404]).asking(LANG)
        }
        "points-report" => {
            let about = "What the programme owes, as of a day.";
            Shapes::ok::<LiabilityView>(of, about, &[400, 404])
                .asking(("date", "Of which day; the latest that is complete otherwise."))
                .asking(("format", "`json`; `csv` is a table of the months in which points end."))
        }
        "points-audit" => {
            let about = "What the entries amount to, and what the ledger has otherwise.";
            let cursor = ("cursor", "Where the audit goes on: `next_cursor` of the call before.");
            Shapes::ok::<PointsAuditView>(of, about, &[400, 404]).asking(cursor)
        }
        _ => return None,
    })
}
