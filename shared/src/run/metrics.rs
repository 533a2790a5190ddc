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
    RefundDue,
    ShipmentOpened,
    LabelAttached,
    CarrierRejected,
    UnknownCarrierCode,
    ParcelDelivered,
    PointsPosted,
    PointsMatured,
    PointsExpired,
    LedgerMismatch,
    SurveyInvited,
    SurveySent,
    SurveySuppressed,
    SurveyAnswered,
    MessageParked,
    SweepFailed,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 25] = [
        Self::OrderPlaced,
        Self::OrderPaid,
        Self::OrderCancelled,
        Self::OrderExpired,
        Self::CartReminded,
        Self::PaymentStarted,
        Self::CallbackReceived,
        Self::CallbackRejected,
        Self::CallbackIgnored,
        Self::RefundDue,
        Self::ShipmentOpened,
        Self::LabelAttached,
        Self::CarrierRejected,
        Self::UnknownCarrierCode,
        Self::ParcelDelivered,
        Self::PointsPosted,
        Self::PointsMatured,
        Self::PointsExpired,
        Self::LedgerMismatch,
        Self::SurveyInvited,
        Self::SurveySent,
        Self::SurveySuppressed,
        Self::SurveyAnswered,
        Self::MessageParked,
        Self::SweepFailed,
    ];
}

/// Where counters go.
#[derive(Clone)]
pub struct Metrics {
    namespace: Arc<str>,
    sink: Sink,
}

#[derive(Clone)]
enum Sink {
    Stdout,
    Memory(Arc<Mutex<Vec<(Metric, i64)>>>),
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
        match &self.sink {
            Sink::Memory(counted) => {
                counted.lock().unwrap_or_else(PoisonError::into_inner).push((metric, by));
            }
            Sink::Stdout => {
                let line = self.line(metric, by, now);
                if let Err(error) = writeln!(std::io::stdout().lock(), "{line}") {
                    tracing::warn!(%error, "a counter was not written");
                }
            }
        }
    }

    /// How much was counted so far, of a sink in memory.
    #[must_use]
    pub fn counted(&self, metric: Metric) -> i64 {
        match &self.sink {
            Sink::Stdout => 0,
            Sink::Memory(counted) => {
                let counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
                counted.iter().filter(|(known, _)| *known == metric).map(|(_, by)| by).sum()
            }
        }
    }

    fn line(&self, metric: Metric, by: i64, now: Timestamp) -> serde_json::Value {
        let name = format!("{metric:?}");
        let mut line = json!({
            "_aws": {
                "Timestamp": now.unix_millis(),
                "CloudWatchMetrics": [{
                    "Namespace": &*self.namespace,
                    "Dimensions": [[]],
                    "Metrics": [{ "Name": name, "Unit": "Count" }],
                }],
            },
        });
        if let Some(fields) = line.as_object_mut() {
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
        let line = Metrics::stdout("Shop").line(Metric::OrderPaid, 2, now);
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
}
