//! Contests of members and teams: scores, ranks, names and prizes.

use aftercart::{
    model::{customer::CustomerId, points::Account, policy::Policy, time::Period},
    store::{Sends, points as ledgers},
};
use aftercart_infra::world::{Ask, Caller, Deliveries, Options, Reply};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    channels::{linked, undoing},
    hostile::refused,
    orders::calling_off,
    shop::{ADA, Placed, Shop, key},
};

/// A contest of members and one of teams of two that run for 30 days from now.
fn contests(shop: &Shop) -> Value {
    let until = shop.now().plus(Period::of_days(30));
    let contest = |id: &str, more: Value| {
        let mut contest = json!({
            "id": id, "title": { "en": "Spring", "zh": "春季赛" }, "from": shop.now(),
            "until": until, "purchases": true, "prizes": [500, 100], "salt": "s",
        });
        contest.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        contest
    };
    json!([contest("sprint", json!({})), contest("relay", json!({ "team_size": 2 }))])
}

pub(crate) async fn set_contests(shop: &Shop) {
    let mut policy = json!(Policy::default_document().unwrap());
    policy["points"]["contests"] = contests(shop);
    crate::stock::set_policy(shop, &policy).await;
}

async fn shop() -> Shop {
    let shop = Shop::open().await;
    set_contests(&shop).await;
    shop
}

/// Buys tea, for 12 points a unit and a half, and lets everything follow.
pub(crate) async fn earn(shop: &Shop, member: &'static str, units: i64, key: &str) -> Placed {
    let placed = shop.place(member, "TEA", units, key).await;
    shop.pay(&placed).await;
    placed
}

pub(crate) async fn found(shop: &Shop, member: &str) {
    let body = json!({ "contest": "relay", "name": format!("Team of {member}") });
    let reply = shop.reply(&Ask::post("/me/teams", &body).by_member(member)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
}

/// The team that a member is in.
pub(crate) async fn team_of(shop: &Shop, member: &str) -> String {
    seen(shop, "/contests/relay", member).await["own"]["team"].as_str().unwrap().to_owned()
}

async fn seen(shop: &Shop, path: &str, member: &str) -> Value {
    let reply = shop.reply(&Ask::get(path).by_member(member)).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    reply.json()
}

fn joining(team: &str, member: &str) -> Ask {
    Ask::post(format!("/me/teams/{team}/members"), &json!({})).by_member(member)
}

fn leaving(team: &str, member: &str) -> Ask {
    Ask::delete(format!("/me/teams/{team}/members/me")).by_member(member)
}

/// Points and whether it is one's own, rank by rank.
fn ranks(contest: &Value) -> Vec<(u64, i64, bool)> {
    let rank = |it: &Value| {
        let own = it["own"].as_bool().unwrap();
        (it["rank"].as_u64().unwrap(), it["points"].as_i64().unwrap(), own)
    };
    contest["ranks"].as_array().unwrap().iter().map(rank).collect()
}

fn problem(reply: &Reply) -> (u16, String) {
    (reply.status, reply.problem())
}

async fn points(shop: &Shop, member: &str) -> i64 {
    let id = CustomerId::member(member).unwrap();
    shop.store().ledger(&id).await.unwrap().spendable()
}

#[tokio::test]
async fn ranks_are_exact_and_nobody_is_named() {
    let shop = shop().await;
    earn(&shop, ADA, 1, &key("earn", 0)).await;
    shop.clock().advance(Period::of_seconds(60));
    earn(&shop, "bob", 3, &key("earn", 1)).await;
    earn(&shop, "cid", 2, &key("earn", 2)).await;
    shop.clock().advance(Period::of_seconds(60));
    // As many as Ada, later.
    earn(&shop, "dee", 1, &key("earn", 3)).await;
    let contest = seen(&shop, "/contests/sprint", ADA).await;
    let all = [(1, 37, false), (2, 25, false), (3, 12, true), (4, 12, false)];
    assert_eq!(ranks(&contest), all);
    assert_eq!((&contest["own"]["rank"], &contest["own"]["points"]), (&json!(3), &json!(12)));
    assert_eq!((&contest["state"], &contest["title"]), (&json!("running"), &json!("Spring")));
    assert_eq!(
        (&contest["ranks"][0]["prize"], &contest["ranks"][1]["prize"]),
        (&json!(500), &json!(100))
    );
    for name in ["ada", "bob", "cid", "dee"] {
        assert!(!contest.to_string().contains(name), "{contest}");
    }
    // However few are shown, the own rank is counted.
    let last = seen(&shop, "/contests/sprint?limit=1", "dee").await;
    assert_eq!((ranks(&last).len(), &last["own"]["rank"]), (1, &json!(4)));
    let new = seen(&shop, "/contests/sprint", "eve").await;
    assert_eq!((new["own"].get("rank"), &new["own"]["points"]), (None, &json!(0)));
    let chinese = Ask::get("/contests/sprint").by_member(ADA).with("accept-language", "zh-CN");
    assert_eq!(shop.reply(&chinese).await.json()["title"], "春季赛");
    // Whoever wants to be known is.
    let naming = Ask::put("/me/contests/sprint/name", &json!({ "name": "Bobby" })).by_member("bob");
    let named = shop.reply(&naming).await.json();
    assert_eq!(named, json!({ "contest": "sprint", "name": "Bobby" }));
    let contest = seen(&shop, "/contests/sprint", ADA).await;
    assert_eq!((ranks(&contest), &contest["ranks"][0]["name"]), (all.to_vec(), &json!("Bobby")));
    let naming = Ask::put("/me/contests/sprint/name", &json!({})).by_member("bob");
    assert_ne!(shop.reply(&naming).await.json()["name"], "Bobby");
    shop.check_invariants().await.unwrap();
}

/// Whatever is told however often and in whatever order, a score is what the
/// ledger says.
#[tokio::test]
async fn scores_follow_the_ledger_in_any_order() {
    for seed in 0..4 {
        let options = Options { deliveries: Deliveries::disorderly(seed), ..Options::default() };
        let shop = Shop::open_with(options).await;
        set_contests(&shop).await;
        let first = earn(&shop, ADA, 4, &key("earn", 0)).await;
        earn(&shop, ADA, 1, &key("earn", 1)).await;
        earn(&shop, "bob", 2, &key("earn", 2)).await;
        assert_eq!(ranks(&seen(&shop, "/contests/sprint", ADA).await)[0], (1, 62, true));
        let reply = shop.reply(&calling_off(&first, &[("TEA", 3)])).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        shop.settle().await.unwrap();
        let contest = seen(&shop, "/contests/sprint", ADA).await;
        assert_eq!(ranks(&contest), [(1, 25, true), (2, 25, false)], "{seed}: who had them first");
        shop.check_invariants().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_done_in_a_team_counts_for_it() {
    let shop = shop().await;
    earn(&shop, ADA, 4, &key("earn", 0)).await;
    shop.clock().advance(Period::of_seconds(1));
    found(&shop, ADA).await;
    found(&shop, ADA).await;
    let foxes = team_of(&shop, ADA).await;
    found(&shop, "bob").await;
    assert_eq!(ranks(&seen(&shop, "/contests/relay", ADA).await), [], "nothing since they joined");
    // Five want the second place, each twice.
    let names = ["cid", "dee", "eve", "fay", "gus"];
    let asks: Vec<Ask> = names.iter().chain(&names).map(|it| joining(&foxes, it)).collect();
    let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    let inside: Vec<&str> = names
        .iter()
        .zip(&replies)
        .filter(|(_, reply)| reply.status == 200)
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(inside.len(), 1, "{replies:?}");
    let full = replies.iter().filter(|it| problem(it) == (409, "team-full".to_owned()));
    assert_eq!(full.count(), 8);
    let second: &'static str = names.iter().find(|name| **name == inside[0]).unwrap();
    shop.clock().advance(Period::of_seconds(1));
    earn(&shop, ADA, 1, &key("earn", 1)).await;
    earn(&shop, second, 2, &key("earn", 2)).await;
    earn(&shop, "bob", 2, &key("earn", 3)).await;
    let contest = seen(&shop, "/contests/relay", ADA).await;
    assert_eq!(ranks(&contest), [(1, 37, true), (2, 25, false)]);
    assert_eq!(
        (&contest["ranks"][0]["name"], &contest["ranks"][0]["members"]),
        (&json!("Team of ada"), &json!(2))
    );
    let team = seen(&shop, &format!("/me/teams/{foxes}/members"), ADA).await;
    let part = |it: &Value| (it["points"].as_i64().unwrap(), it["own"].as_bool().unwrap());
    let parts: Vec<_> = team["members"].as_array().unwrap().iter().map(part).collect();
    assert_eq!((parts, &team["points"]), (vec![(25, false), (12, true)], &json!(37)));
    // Who leaves takes it along, and brings nothing to the others.
    let left = shop.reply(&leaving(&foxes, second)).await;
    assert_eq!((left.status, left.json().get("team")), (200, None));
    assert_eq!(shop.reply(&leaving(&foxes, second)).await.status, 200, "and again");
    let other = team_of(&shop, "bob").await;
    assert_eq!(shop.reply(&joining(&other, second)).await.status, 200);
    let contest = seen(&shop, "/contests/relay", ADA).await;
    assert_eq!(ranks(&contest), [(1, 25, false), (2, 12, true)]);
    let hidden = Ask::get(format!("/me/teams/{foxes}/members")).by_member(second);
    assert_eq!(problem(&shop.reply(&hidden).await), (404, "not-found".to_owned()));
    shop.check_invariants().await.unwrap();
}

/// Linked accounts are one person with one rank, alone and in a team.
#[tokio::test]
async fn linked_accounts_compete_as_one() {
    let shop = shop().await;
    found(&shop, "bob").await;
    shop.clock().advance(Period::of_seconds(1));
    earn(&shop, ADA, 2, &key("earn", 0)).await;
    earn(&shop, "bob", 3, &key("earn", 1)).await;
    let of_members = async || ranks(&seen(&shop, "/contests/sprint", ADA).await);
    let of_teams = async || ranks(&seen(&shop, "/contests/relay", ADA).await);
    assert_eq!(of_members().await, [(1, 37, false), (2, 25, true)]);
    assert_eq!(of_teams().await, [(1, 37, false)]);
    let link = linked(&shop).await;
    shop.settle().await.unwrap();
    assert_eq!(of_members().await, [(1, 62, true)]);
    assert_eq!(of_teams().await, [], "Ada is in no team");
    earn(&shop, "bob", 1, &key("earn", 2)).await;
    assert_eq!((of_members().await, of_teams().await), (vec![(1, 74, true)], vec![]));
    let undone = shop.reply(&undoing(&link)).await;
    assert_eq!(undone.status, 200, "{}", undone.body);
    shop.settle().await.unwrap();
    assert_eq!(of_members().await, [(1, 49, false), (2, 25, true)]);
    assert_eq!(of_teams().await, [(1, 49, false)]);
    shop.check_invariants().await.unwrap();
}

/// Of members: the prizes of the first two. Of teams: every member of the
/// first two who did something. However often the end is decided, and however
/// it is interrupted; what was bought to win and is given back does not win.
#[tokio::test]
async fn prizes_are_given_once() {
    let shop = shop().await;
    found(&shop, ADA).await;
    let team = team_of(&shop, ADA).await;
    assert_eq!(shop.reply(&joining(&team, "bob")).await.status, 200);
    shop.clock().advance(Period::of_seconds(1));
    earn(&shop, ADA, 3, &key("earn", 0)).await;
    earn(&shop, "cid", 2, &key("earn", 1)).await;
    earn(&shop, "dee", 1, &key("earn", 2)).await;
    let returned = earn(&shop, "fay", 9, &key("earn", 3)).await;
    shop.clock().advance(Period::of_days(30));
    shop.clock().advance(Period::of_seconds(100 * 60));
    let reply = shop.reply(&calling_off(&returned, &[("TEA", 9)])).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    shop.settle().await.unwrap();
    shop.run_schedule("contest-end").await.unwrap();
    assert_eq!(points(&shop, ADA).await, 0, "what is told late is counted");
    let late = joining(&team, "eve");
    assert_eq!(problem(&shop.reply(&late).await), (409, "contest-over".to_owned()));
    assert_eq!(
        problem(&shop.reply(&leaving(&team, "bob")).await),
        (409, "contest-over".to_owned())
    );
    shop.clock().advance(Period::of_seconds(2 * 60 * 60));
    for _ in 0..3 {
        shop.run_schedule("contest-end").await.unwrap();
        shop.settle().await.unwrap();
    }
    // Ada won alone and with the team, for which Bob did nothing.
    for (member, prize) in [(ADA, 1_000), ("bob", 0), ("cid", 100), ("dee", 0), ("fay", 0)] {
        assert_eq!(points(&shop, member).await, prize, "{member}");
    }
    assert_eq!(seen(&shop, "/contests/sprint", ADA).await["state"], "over");
    shop.check_invariants().await.unwrap();
}

/// A winner whose ledger is not sound gets nothing yet; the others do.
#[tokio::test]
async fn one_prize_that_cannot_be_given_keeps_no_other_back() {
    let shop = shop().await;
    earn(&shop, ADA, 2, &key("earn", 0)).await;
    earn(&shop, "cid", 1, &key("earn", 1)).await;
    let ada = CustomerId::member(ADA).unwrap();
    let add = async |points: i64| {
        let mut ledger = shop.store().ledger(&ada).await.unwrap();
        *ledger.balances.entry(Account::Available).or_default() += points;
        shop.store().commit(ledgers::save(&ledger, None, &Sends::none())).await.unwrap();
    };
    add(1).await;
    shop.clock().advance(Period::of_days(31));
    for _ in 0..2 {
        let swept = shop.run_schedule("contest-end").await.unwrap();
        assert_eq!(swept["failed"], 1, "{swept}");
        assert_eq!(points(&shop, "cid").await, 100);
    }
    add(-1).await;
    let swept = shop.run_schedule("contest-end").await.unwrap();
    assert_eq!(swept["failed"], 0, "{swept}");
    assert_eq!((points(&shop, ADA).await, points(&shop, "cid").await), (500, 100));
}

#[tokio::test]
async fn what_cannot_be_is_said() {
    let shop = shop().await;
    found(&shop, ADA).await;
    let team = team_of(&shop, ADA).await;
    found(&shop, "bob").await;
    assert_eq!(shop.reply(&joining(&team, "dee")).await.status, 200);
    let founding = |contest: &str, name: &str| {
        Ask::post("/me/teams", &json!({ "contest": contest, "name": name })).by_member("cid")
    };
    let nobody = |ask: Ask| ask.by(Caller::Anybody);
    let none = "tem_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    for (name, ask, expected) in [
        ("no such contest", founding("none", "A"), (400, "invalid-request", "contest")),
        ("no teams", founding("sprint", "A"), (409, "contest-without-teams", "")),
        ("no name", founding("relay", " "), (400, "invalid-request", "name")),
        ("no body", founding("relay", "A").with_body(""), (400, "invalid-request", "body")),
        ("another team", joining(&team, "bob"), (409, "in-another-team", "")),
        (
            "founding in another team",
            founding("relay", "A").by_member("dee"),
            (409, "in-another-team", ""),
        ),
        (
            "founding by another name",
            founding("relay", "A").by_member(ADA),
            (409, "team-founded", ""),
        ),
        ("no such team", joining(none, "cid"), (404, "not-found", "")),
        ("no team", joining("foxes", "cid"), (404, "not-found", "")),
        ("leaving no team", leaving(none, "cid"), (404, "not-found", "")),
        (
            "a name in no contest",
            Ask::put("/me/contests/none/name", &json!({ "name": "A" })).by_member("cid"),
            (404, "not-found", ""),
        ),
        (
            "a name with a line break",
            Ask::put("/me/contests/sprint/name", &json!({ "name": "A\nB" })).by_member("cid"),
            (400, "invalid-request", "name"),
        ),
        (
            "no such contest to see",
            Ask::get("/contests/none").by_member("cid"),
            (404, "not-found", ""),
        ),
        (
            "too many ranks",
            Ask::get("/contests/sprint?limit=91").by_member("cid"),
            (400, "invalid-request", "limit"),
        ),
        (
            "an unknown query",
            Ask::get("/contests/sprint?page=2").by_member("cid"),
            (400, "invalid-request", "page"),
        ),
        (
            "another's team",
            Ask::get(format!("/me/teams/{team}/members")).by_member("cid"),
            (404, "not-found", ""),
        ),
        ("nobody founds", nobody(founding("relay", "A")), (401, "unauthenticated", "")),
        ("nobody looks", nobody(Ask::get("/contests/sprint")), (401, "unauthenticated", "")),
    ] {
        refused(&shop, name, &ask, expected).await;
    }
    assert_eq!(shop.reply(&leaving(&team, "cid")).await.status, 200, "in no team already");
    // The team stays when its founder has left it, and keeps its name.
    assert_eq!(shop.reply(&leaving(&team, ADA)).await.status, 200);
    let again = shop.reply(&founding("relay", "A").by_member(ADA)).await;
    assert_eq!(problem(&again), (409, "team-founded".to_owned()));
    found(&shop, ADA).await;
    assert_eq!(team_of(&shop, ADA).await, team);
}

/// A contest costs the members who earn nothing, and those who look three
/// round trips and one more to count their rank.
#[tokio::test]
async fn a_look_is_a_few_round_trips() {
    let shop = shop().await;
    for (number, member) in [ADA, "bob", "cid"].into_iter().enumerate() {
        earn(&shop, member, 1, &key("earn", number)).await;
    }
    seen(&shop, "/contests/sprint?limit=1", "cid").await;
    seen(&shop, "/contests/sprint?limit=1", "cid").await;
    let meter = shop.port("contest-view").unwrap().meter();
    let calls: Vec<&str> = meter.calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(calls, ["BatchGetItem", "Query", "BatchGetItem", "Query"]);
}
