//! Counters for the operator, in CloudWatch's embedded metric format: one line
//! of standard output each, from which CloudWatch makes the metric.

use std::{
    fmt,
    io::Write as _,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::json;

use crate::model::time::Timestamp;

/// What is counted. The alarms and the dashboard of the template use these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say what is counted")]
pub enum Metric {
    OrderPlaced,
    OrderPaid,
    OrderCancelled,
    OrderExpired,
    CartReminded,
    PaymentStarted,
    CallbackReceived,
    CallbackRejected,
    CallbackIgnored,
    CallbackProbed,
    PaymentSucceeded,
    PaymentFailed,
    PaymentDisputed,
    PaymentCaseOpened,
    RefundDue,
    RefundMade,
    RefundFailed,
    PaymentAsked,
    StatementDiffers,
    ShipmentOpened,
    LabelAttached,
    CarrierRejected,
    CarrierUnreadable,
    UnknownCarrierCode,
    VoidedParcelMoved,
    CarrierAsked,
    CarrierAskFailed,
    ParcelDelivered,
    DeliveryAlertRaised,
    PromiseKept,
    PromiseMissed,
    PointsPosted,
    PointsMatured,
    PointsExpired,
    PointsGifted,
    PointsDrawn,
    PointsAdjusted,
    MemberCodeRefused,
    RewardTaken,
    PointsOutstanding,
    PointsDebt,
    LedgerMismatch,
    TallyAge,
    SurveyInvited,
    SurveySent,
    SurveySuppressed,
    SurveyAnswered,
    SurveyReminded,
    SurveyCorrected,
    ContactAdmitted,
    ContactWithheld,
    FeedbackAlarmed,
    TicketOpened,
    TicketAnswered,
    TicketSolved,
    TicketReopened,
    TicketOverdue,
    RemedyDone,
    RemedyRefused,
    MessageParked,
    SweepFailed,
    WebhookDelivered,
    WebhookFailed,
    WebhookDead,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 64] = [
        Self::OrderPlaced,
        Self::OrderPaid,
        Self::OrderCancelled,
        Self::OrderExpired,
        Self::CartReminded,
        Self::PaymentStarted,
        Self::CallbackReceived,
        Self::CallbackRejected,
        Self::CallbackIgnored,
        Self::CallbackProbed,
        Self::PaymentSucceeded,
        Self::PaymentFailed,
        Self::PaymentDisputed,
        Self::PaymentCaseOpened,
        Self::RefundDue,
        Self::RefundMade,
        Self::RefundFailed,
        Self::PaymentAsked,
        Self::StatementDiffers,
        Self::ShipmentOpened,
        Self::LabelAttached,
        Self::CarrierRejected,
        Self::CarrierUnreadable,
        Self::UnknownCarrierCode,
        Self::VoidedParcelMoved,
        Self::CarrierAsked,
        Self::CarrierAskFailed,
        Self::ParcelDelivered,
        Self::DeliveryAlertRaised,
        Self::PromiseKept,
        Self::PromiseMissed,
        Self::PointsPosted,
        Self::PointsMatured,
        Self::PointsExpired,
        Self::PointsGifted,
        Self::PointsDrawn,
        Self::PointsAdjusted,
        Self::MemberCodeRefused,
        Self::RewardTaken,
        Self::PointsOutstanding,
        Self::PointsDebt,
        Self::LedgerMismatch,
        Self::TallyAge,
        Self::SurveyInvited,
        Self::SurveySent,
        Self::SurveySuppressed,
        Self::SurveyAnswered,
        Self::SurveyReminded,
        Self::SurveyCorrected,
        Self::ContactAdmitted,
        Self::ContactWithheld,
        Self::FeedbackAlarmed,
        Self::TicketOpened,
        Self::TicketAnswered,
        Self::TicketSolved,
        Self::TicketReopened,
        Self::TicketOverdue,
        Self::RemedyDone,
        Self::RemedyRefused,
        Self::MessageParked,
        Self::SweepFailed,
        Self::WebhookDelivered,
        Self::WebhookFailed,
        Self::WebhookDead,
    ];
}

/// By what a counter is told apart, besides being summed: name and value, the
/// coarsest first.
pub type Dimensions<'a> = [(&'static str, &'a str)];

/// What was counted, in memory: by how much, and how it is told apart.
type Counted = (Metric, i64, Vec<(&'static str, String)>);

/// Where counters go.
#[derive(Clone)]
pub struct Metrics {
    namespace: Arc<str>,
    sink: Sink,
}

#[derive(Clone)]
enum Sink {
    Stdout,
    Memory(Arc<Mutex<Vec<Counted>>>),
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Metrics({})", self.namespace)
    }
}

impl Metrics {
    /// Counters written to standard output.
    #[must_use]
    pub fn stdout(namespace: &str) -> Self {
        Self { namespace: namespace.into(), sink: Sink::Stdout }
    }

    /// Counters kept in memory, to be looked at by a test.
    #[must_use]
    pub fn memory() -> Self {
        Self { namespace: "test".into(), sink: Sink::Memory(Arc::default()) }
    }

    /// Counts one.
    pub fn count(&self, metric: Metric, now: Timestamp) {
        self.add(metric, 1, now);
    }

    /// Counts so many.
    pub fn add(&self, metric: Metric, by: i64, now: Timestamp) {
        self.write(metric, by, &[], now);
    }

    /// Counts one in all, one of the first dimension, one of the first two,
    /// and so on.
    pub fn count_by(&self, metric: Metric, dimensions: &Dimensions<'_>, now: Timestamp) {
        self.write(metric, 1, dimensions, now);
    }

    fn write(&self, metric: Metric, by: i64, dimensions: &Dimensions<'_>, now: Timestamp) {
        match &self.sink {
            Sink::Memory(counted) => {
                let named = dimensions.iter().map(|(name, it)| (*name, (*it).to_owned()));
                let counted = &mut counted.lock().unwrap_or_else(PoisonError::into_inner);
                counted.push((metric, by, named.collect()));
            }
            Sink::Stdout => {
                let line = self.line(metric, by, dimensions, now);
                if let Err(error) = writeln!(std::io::stdout().lock(), "{line}") {
                    tracing::warn!(%error, "a counter was not written");
                }
            }
        }
    }

    /// How much was counted so far, of a sink in memory.
    #[must_use]
    pub fn counted(&self, metric: Metric) -> i64 {
        self.counted_by(metric, &[])
    }

    /// How much was counted so far that is told apart so, of a sink in memory.
    #[must_use]
    pub fn counted_by(&self, metric: Metric, dimensions: &Dimensions<'_>) -> i64 {
        let Sink::Memory(counted) = &self.sink else { return 0 };
        let is = |named: &[(&'static str, String)]| {
            let mut pairs = dimensions.iter().zip(named);
            named.len() >= dimensions.len()
                && pairs.all(|(wanted, it)| wanted.0 == it.0 && wanted.1 == it.1)
        };
        let counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.iter().filter(|(it, _, named)| *it == metric && is(named)).map(|it| it.1).sum()
    }

    fn line(
        &self,
        metric: Metric,
        by: i64,
        dimensions: &Dimensions<'_>,
        now: Timestamp,
    ) -> serde_json::Value {
        let name = format!("{metric:?}");
        let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
        let sets: Vec<&[&str]> = (0..=names.len()).filter_map(|end| names.get(..end)).collect();
        let mut line = json!({
            "_aws": {
                "Timestamp": now.unix_millis(),
                "CloudWatchMetrics": [{
                    "Namespace": &*self.namespace,
                    "Dimensions": sets,
                    "Metrics": [{ "Name": name, "Unit": "Count" }],
                }],
            },
        });
        if let Some(fields) = line.as_object_mut() {
            let named = dimensions.iter().map(|(name, it)| ((*name).to_owned(), (*it).into()));
            fields.extend(named);
            fields.insert(name, by.into());
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_embedded_metric_format() {
        let now = Timestamp::from_unix_seconds(1).unwrap();
        let line = Metrics::stdout("Shop").line(Metric::OrderPaid, 2, &[], now);
        assert_eq!(
            line,
            json!({
                "_aws": { "Timestamp": 1000, "CloudWatchMetrics": [{
                    "Namespace": "Shop", "Dimensions": [[]],
                    "Metrics": [{ "Name": "OrderPaid", "Unit": "Count" }] }] },
                "OrderPaid": 2,
            })
        );
    }

    #[test]
    fn what_is_told_apart_is_summed_too() {
        let now = Timestamp::from_unix_seconds(1).unwrap();
        let by = [("Provider", "stripe"), ("Method", "card")];
        let line = Metrics::stdout("Shop").line(Metric::PaymentFailed, 1, &by, now);
        assert_eq!(
            line["_aws"]["CloudWatchMetrics"][0]["Dimensions"],
            json!([[], ["Provider"], ["Provider", "Method"]])
        );
        assert_eq!((&line["Provider"], &line["Method"]), (&json!("stripe"), &json!("card")));

        let metrics = Metrics::memory();
        metrics.count_by(Metric::PaymentFailed, &by, now);
        metrics.count_by(Metric::PaymentFailed, &[("Provider", "adyen"), ("Method", "card")], now);
        let counted = |by: &Dimensions<'_>| metrics.counted_by(Metric::PaymentFailed, by);
        assert_eq!((counted(&[]), counted(&by), counted(&by[..1])), (2, 1, 1));
        assert_eq!(counted(&[("Provider", "stripe"), ("Method", "klarna")]), 0);
    }
}
