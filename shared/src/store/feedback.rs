//! What buyers wrote in surveys, in a partition a month, in the order of time.

use serde::{Deserialize, Serialize};

use crate::model::{
    customer::{CustomerId, Language},
    feedback::{Comment, Feedback, Sentiment, Valued},
    id::{InviteId, OrderId},
    months,
    survey::{MAX_COMMENT, Occasion, QuestionId, TouchpointId},
    tally::Month,
    text::Text,
    ticket::Topic,
    time::Timestamp,
};

use super::{
    Item, Key, Page, PageToken, Sends, Store, StoreError, Table, Write,
    item::{from_item as read_form, is_default, stored},
    key::{SK, feedback_pk},
    read::{PartitionQuery, text},
};

const VERSION: &str = "n";

#[derive(Serialize, Deserialize)]
struct StoredFeedback {
    v: u32,
    i: InviteId,
    tp: TouchpointId,
    oc: Occasion,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    o: Option<OrderId>,
    cu: CustomerId,
    at: Timestamp,
    r: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sc: Option<u8>,
    #[serde(default, skip_serializing_if = "is_default")]
    c: Vec<(QuestionId, Text<MAX_COMMENT>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lg: Option<Language>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    se: Option<Sentiment>,
    #[serde(default, skip_serializing_if = "is_default")]
    to: Vec<Topic>,
    #[serde(default, skip_serializing_if = "is_default")]
    al: Vec<Text<40>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    va: Option<(Timestamp, Option<Text<128>>)>,
    n: u64,
}
stored!(StoredFeedback, "feedback", 1);

/// Writes feedback over what was read of it. Loses when it has changed since.
#[must_use]
pub fn save(feedback: &Feedback, sends: &Sends) -> Write {
    let form = StoredFeedback {
        v: 1,
        i: feedback.invite.clone(),
        tp: feedback.touchpoint.clone(),
        oc: feedback.occasion,
        o: feedback.order.clone(),
        cu: feedback.customer.clone(),
        at: feedback.at,
        r: feedback.revision,
        sc: feedback.score,
        c: feedback.comments.iter().map(|it| (it.question.clone(), it.text.clone())).collect(),
        lg: feedback.language,
        se: feedback.sentiment,
        to: feedback.topics.clone(),
        al: feedback.alarms.clone(),
        va: feedback.valued.as_ref().map(|it| (it.at, it.by.clone())),
        n: feedback.version.saturating_add(1),
    };
    Write::put(key(feedback.at, &feedback.invite), &form, sends)
        .unchanged(VERSION, feedback.version)
}

fn key(at: Timestamp, invite: &InviteId) -> Key {
    Key::feedback(&months::of(at), at, invite)
}

fn from_item(item: &Item) -> Result<Feedback, StoreError> {
    let form: StoredFeedback = read_form(item)?;
    let comment = |(question, text)| Comment { question, text };
    Ok(Feedback {
        invite: form.i,
        touchpoint: form.tp,
        occasion: form.oc,
        order: form.o,
        customer: form.cu,
        at: form.at,
        revision: form.r,
        score: form.sc,
        comments: form.c.into_iter().map(comment).collect(),
        language: form.lg,
        sentiment: form.se,
        topics: form.to,
        alarms: form.al,
        valued: form.va.map(|(at, by)| Valued { at, by }),
        version: form.n,
    })
}

impl Store {
    /// What was written in answer to an invitation that was first answered at
    /// this moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn feedback(
        &self,
        invite: &InviteId,
        answered_at: Timestamp,
    ) -> Result<Option<Feedback>, StoreError> {
        self.get(&key(answered_at, invite)).await?.as_ref().map(from_item).transpose()
    }

    /// A page of what was written in answers that were first given in a month
    /// (UTC), latest first. One round trip.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn feedback_of(
        &self,
        month: &Month,
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<Feedback>, StoreError> {
        let pk = feedback_pk(month.as_str());
        let start = from.map(|token| token.start(&pk));
        let query = PartitionQuery { table: Table::Surveys, pk: &pk, prefix: None };
        let (items, last) = self.latest(query, start, limit).await?;
        let items: Result<Vec<Feedback>, StoreError> = items.iter().map(from_item).collect();
        let next = last.and_then(|last| text(&last, SK)).map(PageToken::new);
        Ok(Page { items: items?, next })
    }
}

/// The place after which a listing of feedback goes on, if the text is one.
#[must_use]
pub fn cursor(text: &str) -> Option<PageToken> {
    PageToken::parse(text).filter(|token| {
        token.inner().split_once('#').is_some_and(|(at, invite)| {
            Timestamp::parse(at).is_ok() && InviteId::parse(invite).is_ok()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feedback() -> Feedback {
        let text = |text: &str| Text::new(text).unwrap();
        let at = Timestamp::parse("2026-11-30T23:59:59.5Z").unwrap();
        Feedback {
            invite: InviteId::derive(&["1"]),
            touchpoint: TouchpointId::parse("delivery").unwrap(),
            occasion: Occasion::Delivery,
            order: Some(OrderId::derive(&["1"])),
            customer: CustomerId::guest("k"),
            at,
            revision: 2,
            score: Some(3),
            comments: vec![Comment {
                question: QuestionId::parse("comment").unwrap(),
                text: Text::new("It caught fire").unwrap(),
            }],
            language: Some(Language::En),
            sentiment: Some(Sentiment::Negative),
            topics: vec![Topic::Product, Topic::Delivery],
            alarms: vec![text("safety")],
            valued: Some(Valued { at, by: Some(Text::new("operator-1").unwrap()) }),
            version: 4,
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let full = feedback();
        let bare = Feedback {
            order: None,
            score: None,
            comments: Vec::new(),
            language: None,
            sentiment: None,
            topics: Vec::new(),
            alarms: Vec::new(),
            valued: None,
            ..full.clone()
        };
        for feedback in [full, bare] {
            let write = save(&feedback, &Sends::none());
            let read = from_item(write.item().unwrap()).unwrap();
            assert_eq!(read, Feedback { version: 5, ..feedback });
        }
    }

    #[test]
    fn cursors_are_of_feedback() {
        let Feedback { at, invite, .. } = feedback();
        let token = PageToken::new(format!("{at}#{invite}"));
        assert_eq!(cursor(&token.encode()), Some(token));
        for odd in ["", "x", &PageToken::new(format!("{at}")).encode()] {
            assert_eq!(cursor(odd), None, "{odd}");
        }
    }
}
