//! Numbers for Prometheus: upstream's names for the three that upstream has, `berth_announcer_` for the rest.

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, EncodeMetric, LabelValueEncoder, MetricEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::Registry;

use crate::plan::Status;
use crate::responder::{Purpose, Silence};

/// A counter whose name is printed as it was registered. The library's own appends the `_total` of `OpenMetrics` after
/// the name in the `TYPE` line, which the older text format does not know, and upstream's names lack it.
#[derive(Clone, Debug, Default)]
struct BareCounter(Counter);

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

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ByAddress {
    ip: Address,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Address(IpAddr);

impl EncodeLabelValue for Address {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> fmt::Result {
        use fmt::Write;
        write!(encoder, "{}", self.0)
    }
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ByReason {
    reason: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ByResult {
    result: &'static str,
}

/// Moments on the program's own clock of which only the age is published.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    plan: Option<Duration>,
    lease: Option<Duration>,
}

/// All numbers; shared by the tasks, each of which counts its own.
#[derive(Debug, Default)]
pub struct Metrics {
    registry: Registry,
    requests: Family<ByAddress, BareCounter>,
    responses: Family<ByAddress, BareCounter>,
    gratuitous: Family<ByAddress, BareCounter>,
    answering: Family<ByAddress, Gauge>,
    silences: Family<ByReason, BareCounter>,
    lease_writes: Family<ByResult, BareCounter>,
    malformed_frames: BareCounter,
    plans_refused: BareCounter,
    send_errors: BareCounter,
    socket_errors: BareCounter,
    generation: Gauge<u64, AtomicU64>,
    plan_age: Gauge<f64, AtomicU64>,
    lease_age: Gauge<f64, AtomicU64>,
    moments: Mutex<Moments>,
}

impl Metrics {
    /// Gives all numbers at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut all = Self::default();
        let to = &mut all.registry;
        to.register("metallb_layer2_requests_received", "ARP requests for an address", all.requests.clone());
        to.register("metallb_layer2_responses_sent", "ARP answers for an address", all.responses.clone());
        to.register("metallb_layer2_gratuitous_sent", "ARP announcements of an address", all.gratuitous.clone());
        to.register("berth_announcer_answering", "1 for each address answered here", all.answering.clone());
        to.register("berth_announcer_silences_total", "Frames that got no answer", all.silences.clone());
        to.register(
            "berth_announcer_malformed_frames_total",
            "Frames that made no sense",
            all.malformed_frames.clone(),
        );
        to.register("berth_announcer_send_errors_total", "Frames lost on their way out", all.send_errors.clone());
        to.register(
            "berth_announcer_socket_errors_total",
            "Packet sockets not opened or lost",
            all.socket_errors.clone(),
        );
        to.register("berth_announcer_plans_refused_total", "Plans that could not be read", all.plans_refused.clone());
        to.register("berth_announcer_plan_generation", "Generation of the plan in force", all.generation.clone());
        to.register("berth_announcer_plan_age_seconds", "Age of the plan, -1 without one", all.plan_age.clone());
        to.register("berth_announcer_lease_writes_total", "Writes of this node's Lease", all.lease_writes.clone());
        to.register(
            "berth_announcer_lease_age_seconds",
            "Since the last such write, -1 if none",
            all.lease_age.clone(),
        );
        all
    }

    /// Gives everything in the Prometheus text format, version 0.0.4.
    #[must_use]
    pub fn render(&self, now: Duration) -> String {
        let moments = *self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let age = |moment: Option<Duration>| moment.map_or(-1.0, |then| now.saturating_sub(then).as_secs_f64());
        self.plan_age.set(age(moments.plan));
        self.lease_age.set(age(moments.lease));
        let mut text = String::new();
        // Writing to a String cannot fail, and half a page is better than none.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Counts a frame that was sent; an answer also counts as a request, as upstream does.
    pub fn count_sent(&self, purpose: Purpose) {
        match purpose {
            Purpose::Answer(ip) => {
                let label = ByAddress { ip: Address(ip) };
                self.requests.get_or_create(&label).0.inc();
                self.responses.get_or_create(&label).0.inc();
            }
            Purpose::Announcement(ip) => {
                self.gratuitous.get_or_create(&ByAddress { ip: Address(ip) }).0.inc();
            }
            Purpose::Hello | Purpose::Membership => {}
        }
    }

    /// Counts a frame that was lost on its way out.
    pub fn count_send_error(&self) {
        self.send_errors.0.inc();
    }

    /// Counts a socket that could not be opened or read.
    pub fn count_socket_error(&self) {
        self.socket_errors.0.inc();
    }

    /// Counts a frame that got no answer.
    pub fn count_silence(&self, silence: Silence) {
        self.silences.get_or_create(&ByReason { reason: silence.name() }).0.inc();
    }

    /// Counts a frame that made no sense.
    pub fn count_malformed(&self) {
        self.malformed_frames.0.inc();
    }

    /// Counts a plan that could not be read.
    pub fn count_refused_plan(&self) {
        self.plans_refused.0.inc();
    }

    /// Counts a write of the Lease, and remembers when the last one went through.
    pub fn count_lease_write(&self, is_written: bool, now: Duration) {
        let result = if is_written { "ok" } else { "error" };
        self.lease_writes.get_or_create(&ByResult { result }).0.inc();
        if is_written {
            self.moments.lock().unwrap_or_else(PoisonError::into_inner).lease = Some(now);
        }
    }

    /// Remembers when the plan in force arrived.
    pub fn note_plan(&self, now: Duration) {
        self.moments.lock().unwrap_or_else(PoisonError::into_inner).plan = Some(now);
    }

    /// Publishes which addresses are answered.
    pub fn note_status(&self, status: &Status) {
        self.generation.set(status.generation);
        self.answering.clear();
        for answering in &status.answering {
            for &ip in &answering.ips {
                self.answering.get_or_create(&ByAddress { ip: Address(ip) }).set(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_names_are_printed_as_upstream_prints_them() {
        let metrics = Metrics::new();
        metrics.count_sent(Purpose::Answer(IpAddr::from([192, 168, 1, 200])));
        let text = metrics.render(Duration::ZERO);
        assert!(text.contains("# TYPE metallb_layer2_responses_sent counter\n"), "{text}");
        assert!(text.contains("\nmetallb_layer2_responses_sent{ip=\"192.168.1.200\"} 1\n"), "{text}");
        assert!(text.contains("\nmetallb_layer2_requests_received{ip=\"192.168.1.200\"} 1\n"), "{text}");
    }

    #[test]
    fn an_age_counts_from_the_last_time_it_was_noted() {
        let metrics = Metrics::new();
        assert!(metrics.render(Duration::ZERO).contains("\nberth_announcer_plan_age_seconds -1.0\n"));
        metrics.note_plan(Duration::from_secs(3));
        assert!(metrics.render(Duration::from_secs(5)).contains("\nberth_announcer_plan_age_seconds 2.0\n"));
    }

    #[test]
    fn an_address_that_is_answered_no_longer_is_published_no_longer() {
        let metrics = Metrics::new();
        let ip = IpAddr::from([192, 168, 1, 200]);
        let mut status = Status::new(1);
        status.answering.push(crate::plan::Answering { ips: vec![ip], interfaces: vec![] });
        metrics.note_status(&status);
        assert!(metrics.render(Duration::ZERO).contains("\nberth_announcer_answering{ip=\"192.168.1.200\"} 1\n"));
        metrics.note_status(&Status::new(2));
        assert!(!metrics.render(Duration::ZERO).contains("192.168.1.200"));
    }
}
