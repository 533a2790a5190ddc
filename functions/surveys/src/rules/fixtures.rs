//! A survey with every kind of question, and an invitation to it.

use std::collections::BTreeMap;

use aftercart::model::{
    answers::Counted,
    customer::{CustomerId, Email, Language},
    id::{InviteId, OrderId},
    product::Sku,
    survey::{About, Delivered, Invite, InviteStatus, Occasion, Touchpoint},
    time::{Period, Timestamp},
};
use serde_json::{Value, json};

use crate::wire::Said;

/// So many days after a certain one.
pub(crate) fn day(days: u16) -> Timestamp {
    Timestamp::parse("2026-01-01T00:00:00Z").unwrap().plus(Period::of_days(days))
}

fn choice(id: &str, en: &str, zh: &str) -> Value {
    json!({ "id": id, "title": { "en": en, "zh": zh } })
}

/// Every kind of question; what was wrong is asked of those who are not
/// content, and what was damaged of those whose goods were.
pub(crate) fn everything() -> Touchpoint {
    let wrong = json!([
        choice("late", "It came late", "送货晚了"),
        choice("damaged", "Something was damaged", "商品或包装有破损"),
        choice("wrong", "Something was wrong or missing", "商品有误或缺少"),
    ]);
    let damaged = json!([
        choice("box", "Only the box", "只有包装"),
        choice("goods", "The goods", "商品本身"),
    ]);
    serde_json::from_value(json!({
        "id": "delivery", "on": "delivery", "delay": "3d", "open": "30d", "questions": [
            { "id": "recommend", "kind": "nps" },
            { "id": "wrong", "kind": "multiple", "most": 2, "choices": wrong,
              "ask": { "en": "What was wrong?", "zh": "哪里不好？" },
              "when": { "question": "recommend", "is": { "at_most": 6 } } },
            { "id": "damage", "kind": "single", "choices": damaged,
              "ask": { "en": "What was damaged?", "zh": "哪里有破损？" },
              "when": { "question": "wrong", "is": { "chose": ["damaged"] } } },
            { "id": "content", "kind": "csat" },
            { "id": "effort", "kind": "ces", "optional": true },
            { "id": "stars", "kind": "stars", "optional": true },
            { "id": "praise", "kind": "text",
              "ask": { "en": "What did you like best?", "zh": "您最满意的是什么？" },
              "when": { "question": "recommend", "is": { "at_least": 9 } }, "optional": true },
            { "id": "products", "kind": "products", "optional": true },
            { "id": "comment", "kind": "text", "optional": true },
        ],
    }))
    .unwrap()
}

/// A survey of one question of a kind.
pub(crate) fn only(kind: Value) -> Touchpoint {
    let mut question = kind;
    question["id"] = "it".into();
    let questions = json!([question]);
    serde_json::from_value(json!({
        "id": "delivery", "on": "delivery", "delay": "3d", "open": "30d", "questions": questions,
    }))
    .unwrap()
}

/// What is said, by question.
pub(crate) fn said(said: Value) -> BTreeMap<String, Said> {
    serde_json::from_value(said).unwrap()
}

/// The products of [`invited`].
pub(crate) fn products() -> Vec<Delivered> {
    let product = |sku, title| Delivered::named(&Sku::parse(sku).unwrap(), title).unwrap();
    vec![product("TEA", "Green tea, 100 g"), product("CUP", "Cup & saucer \"Kiln\"")]
}

/// An invitation of a member to tell about a delivery of two products.
pub(crate) fn invited(status: InviteStatus) -> Invite {
    Invite {
        id: InviteId::derive(&["1"]),
        touchpoint: everything().id,
        occasion: Occasion::Delivery,
        about: About {
            order: Some(OrderId::derive(&["1"])),
            products: products().into_iter().map(|it| it.sku).collect(),
            ..About::default()
        },
        customer: CustomerId::member("quillfeather").unwrap(),
        email: Email::parse("a@quillfeather.example").unwrap(),
        language: Language::En,
        country: None,
        due: day(3),
        expires: day(33),
        status,
        counted: Counted::default(),
    }
}
