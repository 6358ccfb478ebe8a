//! Counters whose names are printed as they are.

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::{MetricType, TypedMetric};

/// A counter whose name is printed as it was registered. The library's own appends the `_total` of `OpenMetrics` after
/// the name in the `TYPE` line, which the older text format does not know.
#[derive(Clone, Debug, Default)]
pub(super) struct BareCounter(pub Counter);

impl EncodeMetric for BareCounter {
    fn encode(&self, mut encoder: MetricEncoder) -> fmt::Result {
        encoder.encode_gauge(&self.0.get())
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for BareCounter {
    const TYPE: MetricType = MetricType::Counter;
}

/// The same for a sum of seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct BareSeconds(pub Counter<f64, AtomicU64>);

impl EncodeMetric for BareSeconds {
    fn encode(&self, mut encoder: MetricEncoder) -> fmt::Result {
        encoder.encode_gauge(&self.0.get())
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for BareSeconds {
    const TYPE: MetricType = MetricType::Counter;
}
