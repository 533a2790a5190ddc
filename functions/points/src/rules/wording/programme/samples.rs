//! A programme with every part.

use aftercart::model::policy::Policy;
use serde_json::{Value, json};

/// The document.
pub(crate) fn whole() -> Value {
    let title = |en: &str, zh: &str| json!({ "en": en, "zh": zh });
    let mut policy = json!(Policy::default_document().unwrap())["points"].clone();
    policy["zone"] = json!("Asia/Shanghai");
    policy["expiry"] = json!({
        "purchases": { "end_of_month_after": 12 }, "grants": { "days": 90 },
        "returned_months": 2, "notices": [7, 30],
        "extension": { "ending_within_days": 45, "months": 3, "most_months": 24 },
    });
    policy["earning"] = json!({
        "rates": [
            { "id": "tea", "title": title("Tea", "茶叶"), "points": 3, "per_minor": 200,
              "lines": { "categories": ["tea", "herbs"] }, "caps": { "month": 300 } },
            { "id": "mug", "title": title("Mugs", "马克杯"), "points": 2, "per_minor": 150,
              "lines": { "skus": ["MUG-1"], "brands": ["Clay"], "channels": ["store"], "tiers": ["gold"] } },
        ],
        "excluded": [{ "skus": ["CARD"] }],
        "multipliers": [
            { "id": "double", "title": title("Double points", "双倍积分"), "extra": 10_000,
              "when": { "from": "2026-11-20T16:00:00Z", "until": "2026-11-30T16:00:00Z",
                        "weekdays": ["mon", "tue"], "days": [8, 18] } },
            { "id": "birthday", "title": title("Birthday", "生日礼"), "extra": 2_550,
              "when": { "birthday_month": true, "anniversary_month": true, "idle_days": 60 } },
        ],
        "most_extra": 20_000,
        "caps": { "order": 500, "day": 800, "month": 2_000 },
        "actions": [
            { "id": "check-in", "title": title("Check-in", "签到"), "action": "check_in", "points": 1,
              "per_day": 1, "streak": { "7": 10, "30": 50 }, "counts": "nothing" },
            { "id": "profile", "title": title("Complete profile", "完善资料"), "action": "profile_completed",
              "points": 20, "once": true, "tiers": ["silver"], "per_month": 4 },
        ],
        "milestones": [{ "id": "ten", "title": title("Ten orders", "十单"), "points": 100,
            "reach": { "orders": 10, "points": 1_000, "activity": 5, "feedback": 1 } }],
    });
    policy["offset"] = json!({
        "minor_per_100_points": { "GBP": 100, "JPY": 180 }, "max_share": 5_000, "least_points": 50,
    });
    let reach =
        |points: i64, spent: i64| json!([{ "points": points }, { "spend": { "GBP": spent } }]);
    policy["tiers"] = json!({
        "levels": [
            { "id": "silver", "title": title("Silver", "银卡"), "reach": reach(500, 40_000),
              "benefits": { "extra": 1_000, "words": [title("Free samples", "免费试用")] } },
            { "id": "gold", "title": title("Gold", "金卡"), "reach": reach(2_000, 150_000),
              "keep": [{ "points": 1_500 }],
              "benefits": { "extra": 2_500, "return_days": 16, "service_line": "+44 20 0000" } },
        ],
        "period": { "months": 12 }, "warnings": [60, 30, 7], "fall_at_most": 1,
        "rescue": { "days": 30, "from_share": 6_000, "extra": 5_000 },
    });
    policy["gifts"] = json!({
        "least": 10, "most": 500, "per_month": 1_000, "per_day": 3, "accepted_per_month": 2_000,
        "open": "7d", "kept_for": "14d", "member_for": "30d",
    });
    policy["contests"] = json!([{
        "id": "cup", "title": title("Winter cup", "冬季杯"), "from": "2026-12-01T00:00:00Z",
        "until": "2026-12-31T00:00:00Z", "purchases": true, "actions": ["check_in"],
        "team_size": 5, "prizes": [300, 200], "salt": "s",
    }]);
    policy["campaigns"] = json!([{
        "id": "rain", "title": title("Points rain", "积分雨"), "from": "2026-11-24T00:00:00Z",
        "until": "2026-11-26T00:00:00Z", "pool": 100_000, "draws_per_day": 2, "per_member": 50,
        "draws": [{ "points": 5, "weight": 3 }, { "points": 0, "weight": 1 }], "tiers": ["gold"],
    }]);
    policy["till"] = json!({ "hold": "15m", "offline": "7d" });
    policy["adjustments"] = json!({ "alone_up_to": 1_000, "alone_per_day": 20_000 });
    policy
}
