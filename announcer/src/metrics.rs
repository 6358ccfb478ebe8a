//! Numbers for Prometheus: upstream's names for the four that upstream has, `berth_announcer_` for the rest.

mod addresses;
mod bare;
mod labels;
mod spans;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use self::addresses::Addresses;
use self::bare::{BareCounter, BareSeconds};
use self::labels::{ByCause, ByReason, ByResult};
use self::spans::Spans;
use crate::responder::{Cause, Purpose, Silence};
use crate::status::Status;
use crate::wire::hello::HelloFault;

/// Upper bounds of the takeover times that are told apart, in seconds. The dead time is 0.35 s among few nodes.
const TAKEOVER_SECONDS: [f64; 12] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 10.0];

/// When something happened on the program's own clock, of which only the age is published.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    /// When the plan in force came here, and how old it was then.
    plan: Option<(Duration, Duration)>,
    lease: Option<Duration>,
}

/// When this node was silent for a fault. Each of its interfaces tells of it.
#[derive(Debug, Default)]
struct Faults {
    /// The last moment at which it found itself stopped.
    fence: Duration,
    fenced: Spans,
    unheard: Spans,
}

/// All numbers; shared by the tasks, each of which counts its own.
#[derive(Debug)]
pub struct Metrics {
    node: String,
    registry: Registry,
    addresses: Mutex<Addresses>,
    silences: Family<ByReason, BareCounter>,
    hellos_rejected: Family<ByReason, BareCounter>,
    hellos_sent: BareCounter,
    hellos_received: BareCounter,
    hellos_lost: BareCounter,
    memberships_sent: BareCounter,
    takeovers: Family<ByCause, BareCounter>,
    takeover_seconds: Histogram,
    yields: BareCounter,
    fences: BareCounter,
    fenced_seconds: BareSeconds,
    unheard_seconds: BareSeconds,
    lease_writes: Family<ByResult, BareCounter>,
    malformed_frames: BareCounter,
    plans_refused: BareCounter,
    send_errors: BareCounter,
    socket_errors: BareCounter,
    socket_drops: BareCounter,
    generation: Gauge<u64, AtomicU64>,
    is_from_disk: Gauge,
    plan_age: Gauge<f64, AtomicU64>,
    lease_age: Gauge<f64, AtomicU64>,
    moments: Mutex<Moments>,
    faults: Mutex<Faults>,
}

impl Metrics {
    /// Gives all numbers of a node, at zero.
    #[must_use]
    pub fn new(node: &str) -> Self {
        let mut registry = Registry::default();
        let to = &mut registry;
        let all = Self {
            node: node.to_owned(),
            addresses: Mutex::default(),
            silences: register(to, "silences_total", "Frames that got no answer"),
            hellos_rejected: register(to, "hellos_rejected_total", "Hellos that were not heeded"),
            hellos_sent: register(to, "hellos_sent_total", "Hellos sent"),
            hellos_received: register(to, "hellos_received_total", "Hellos received, whether heeded or not"),
            hellos_lost: register(to, "hellos_lost_total", "Hellos of fellows that did not arrive"),
            memberships_sent: register(to, "membership_reports_sent_total", "Multicast membership reports sent"),
            takeovers: register(to, "takeovers_total", "Addresses taken over, each on one interface"),
            takeover_seconds: Histogram::new(TAKEOVER_SECONDS),
            yields: register(to, "yields_total", "Addresses left to a fellow that answers"),
            fences: register(to, "fences_total", "Times this node found itself stopped or starved"),
            fenced_seconds: register(to, "fenced_seconds_total", "Time stopped or starved, and listening after it"),
            unheard_seconds: register(to, "unheard_seconds_total", "Time silent since no fellow heard this node"),
            lease_writes: register(to, "lease_writes_total", "Writes of this node's Lease"),
            malformed_frames: register(to, "malformed_frames_total", "Frames that made no sense"),
            plans_refused: register(to, "plans_refused_total", "Plans that could not be read"),
            send_errors: register(to, "send_errors_total", "Frames lost on their way out"),
            socket_errors: register(to, "socket_errors_total", "Packet sockets not opened or lost"),
            socket_drops: register(to, "socket_drops_total", "Frames the kernel dropped for want of room"),
            generation: register(to, "plan_generation", "Generation of the plan in force"),
            is_from_disk: register(to, "plan_from_disk", "1 while the plan in force is the one kept on this node"),
            plan_age: register(to, "plan_age_seconds", "Age of the plan in force, -1 without one"),
            lease_age: register(to, "lease_age_seconds", "Since the Lease was last written, -1 if never"),
            moments: Mutex::default(),
            faults: Mutex::default(),
            registry: Registry::default(),
        };
        let help = "How long nobody answered for an address before it was taken over";
        to.register("berth_announcer_takeover_seconds", help, all.takeover_seconds.clone());
        Self { registry, ..all }
    }

    /// Gives everything in the Prometheus text format, version 0.0.4.
    #[must_use]
    pub fn render(&self, now: Duration) -> String {
        let moments = *self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let since = |then: Duration| now.saturating_sub(then).as_secs_f64();
        self.plan_age.set(moments.plan.map_or(-1.0, |(then, age)| since(then) + age.as_secs_f64()));
        self.lease_age.set(moments.lease.map_or(-1.0, since));
        // A copy, so that the loop need not wait until thousands of lines are written.
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut text = String::new();
        // Writing to a String cannot fail, and half a page is better than none.
        let _ = encode_registry(&mut text, &self.registry);
        let _ = addresses.encode(&self.node, &mut text);
        let _ = encode_eof(&mut text);
        text
    }

    /// Counts answers that were sent, each of which also counts as a request, as upstream does.
    pub fn count_answers(&self, answered: impl ExactSizeIterator<Item = IpAddr>) {
        if answered.len() > 0 {
            let mut addresses = self.lock_addresses();
            answered.for_each(|ip| addresses.count_answer(ip));
        }
    }

    /// Counts a frame that was sent.
    pub fn count_sent(&self, purpose: Purpose) {
        match purpose {
            Purpose::Answer(ip) => self.count_answers([ip].into_iter()),
            Purpose::Announcement(ip) => self.lock_addresses().count_announcement(ip),
            Purpose::Hello => drop(self.hellos_sent.0.inc()),
            Purpose::Membership => drop(self.memberships_sent.0.inc()),
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

    /// Counts frames that the kernel dropped.
    pub fn count_drops(&self, drops: u64) {
        self.socket_drops.0.inc_by(drops);
    }

    /// Counts a frame that got no answer.
    pub fn count_silence(&self, silence: Silence) {
        self.silences.get_or_create(&ByReason { reason: silence.name() }).0.inc();
    }

    /// Counts a frame that made no sense.
    pub fn count_malformed(&self) {
        self.malformed_frames.0.inc();
    }

    /// Counts a hello that came in.
    pub fn count_hello(&self) {
        self.hellos_received.0.inc();
    }

    /// Counts a hello that was not heeded.
    pub fn count_hello_fault(&self, fault: HelloFault) {
        self.hellos_rejected.get_or_create(&ByReason { reason: fault.name() }).0.inc();
    }

    /// Counts hellos that did not arrive.
    pub fn count_hellos_lost(&self, count: u32) {
        self.hellos_lost.0.inc_by(count.into());
    }

    /// Counts an address that was taken over, and how long nobody answered for it before, if that is known.
    pub fn count_takeover(&self, cause: Cause, vacant: Option<Duration>) {
        self.takeovers.get_or_create(&ByCause { cause: cause.name() }).0.inc();
        if let Some(vacant) = vacant {
            self.takeover_seconds.observe(vacant.as_secs_f64());
        }
    }

    /// Counts an address that was left to a fellow.
    pub fn count_yield(&self) {
        self.yields.0.inc();
    }

    /// Counts that an interface found itself stopped or starved for so long until now: once for all interfaces.
    pub fn count_fence(&self, stalled: Duration, now: Duration) {
        let mut faults = self.lock_faults();
        // Interfaces tell of one stop within a moment; the next one is over no sooner than it lasts.
        if now.saturating_sub(faults.fence) >= stalled / 2 {
            self.fences.0.inc();
        }
        faults.fence = now;
        self.fenced_seconds.0.inc_by(faults.fenced.add(stalled, now).as_secs_f64());
    }

    /// Counts the time that an interface listened until now and why, where that is a fault: once for all interfaces.
    pub fn count_listening(&self, after: Silence, took: Duration, now: Duration) {
        let mut faults = self.lock_faults();
        let (seconds, spans) = match after {
            Silence::Fenced => (&self.fenced_seconds, &mut faults.fenced),
            Silence::Unheard => (&self.unheard_seconds, &mut faults.unheard),
            _ => return,
        };
        seconds.0.inc_by(spans.add(took, now).as_secs_f64());
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

    /// Remembers when the plan in force came here; its age by then when it comes from this node's disk.
    pub fn note_plan(&self, now: Duration, kept_for: Option<Duration>) {
        self.is_from_disk.set(i64::from(kept_for.is_some()));
        self.moments.lock().unwrap_or_else(PoisonError::into_inner).plan = Some((now, kept_for.unwrap_or_default()));
    }

    /// Forgets the plan that was in force: there is none any more.
    pub fn forget_plan(&self) {
        self.is_from_disk.set(0);
        self.moments.lock().unwrap_or_else(PoisonError::into_inner).plan = None;
    }

    /// Publishes which addresses are answered.
    pub fn note_status(&self, status: &Arc<Status>) {
        self.generation.set(status.generation);
        self.lock_addresses().answering = Some(Arc::clone(status));
    }

    fn lock_faults(&self) -> std::sync::MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_addresses(&self) -> std::sync::MutexGuard<'_, Addresses> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn register<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(format!("berth_announcer_{name}"), help, metric.clone());
    metric
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_names_are_printed_as_upstream_prints_them() {
        let metrics = Metrics::new("node-1");
        metrics.count_answers([200, 201, 200].map(|host| IpAddr::from([192, 168, 1, host])).into_iter());
        let text = metrics.render(Duration::ZERO);
        assert!(text.contains("# TYPE metallb_layer2_responses_sent counter\n"), "{text}");
        assert!(text.contains("\nmetallb_layer2_responses_sent{ip=\"192.168.1.200\"} 2\n"), "{text}");
        assert!(text.contains("\nmetallb_layer2_requests_received{ip=\"192.168.1.201\"} 1\n"), "{text}");
        assert!(!text.contains("metallb_layer2_gratuitous_sent{"), "{text}");
    }

    #[test]
    fn an_age_counts_from_the_last_time_it_was_noted() {
        let metrics = Metrics::new("node-1");
        assert!(metrics.render(Duration::ZERO).contains("\nberth_announcer_plan_age_seconds -1.0\n"));
        metrics.note_plan(Duration::from_secs(3), None);
        assert!(metrics.render(Duration::from_secs(5)).contains("\nberth_announcer_plan_age_seconds 2.0\n"));
    }

    #[test]
    fn a_plan_from_the_disk_brings_its_age() {
        let metrics = Metrics::new("node-1");
        metrics.note_plan(Duration::from_secs(3), Some(Duration::from_mins(1)));
        let text = metrics.render(Duration::from_secs(5));
        assert!(text.contains("\nberth_announcer_plan_age_seconds 62.0\n"), "{text}");
        assert!(text.contains("\nberth_announcer_plan_from_disk 1\n"), "{text}");
    }

    #[test]
    fn an_address_that_is_answered_no_longer_is_published_no_longer() {
        let metrics = Metrics::new("node-1");
        let ip = IpAddr::from([192, 168, 1, 200]);
        let mut status = Status::new(1);
        status.answering.push(crate::status::Answering { ips: vec![ip], interfaces: vec![] });
        metrics.note_status(&Arc::new(status));
        let text = metrics.render(Duration::ZERO);
        assert!(text.contains("\nberth_announcer_answering{ip=\"192.168.1.200\"} 1\n"), "{text}");
        let upstreams = "metallb_speaker_announced{protocol=\"layer2\",node=\"node-1\",ip=\"192.168.1.200\"} 1";
        assert!(text.contains(&format!("\n{upstreams}\n")), "{text}");
        metrics.note_status(&Arc::new(Status::new(2)));
        assert!(!metrics.render(Duration::ZERO).contains("192.168.1.200"));
    }

    #[test]
    fn lost_hellos_and_the_time_that_a_fence_took_are_counted() {
        let metrics = Metrics::new("node-1");
        metrics.count_hellos_lost(3);
        metrics.count_fence(Duration::from_millis(500), Duration::from_secs(9));
        metrics.count_listening(Silence::Fenced, Duration::from_millis(250), Duration::from_millis(9_250));
        metrics.count_listening(Silence::Unheard, Duration::from_millis(1_500), Duration::from_secs(20));
        metrics.count_listening(Silence::Listening, Duration::from_secs(9), Duration::from_secs(40));
        let text = metrics.render(Duration::ZERO);
        for line in ["hellos_lost_total 3", "fences_total 1", "fenced_seconds_total 0.75", "unheard_seconds_total 1.5"]
        {
            assert!(text.contains(&format!("\nberth_announcer_{line}\n")), "{text}");
        }
    }

    #[test]
    fn a_stop_counts_once_on_a_node_with_many_interfaces() {
        let metrics = Metrics::new("node-1");
        for (stop, moments) in [(9_000, [400, 500, 450]), (9_750, [500, 400, 400])] {
            for stalled in moments {
                metrics.count_fence(Duration::from_millis(stalled), Duration::from_millis(stop));
            }
            for _ in moments {
                let listened = Duration::from_millis(stop + 250);
                metrics.count_listening(Silence::Fenced, Duration::from_millis(250), listened);
            }
        }
        let text = metrics.render(Duration::ZERO);
        for line in ["fences_total 2", "fenced_seconds_total 1.5"] {
            assert!(text.contains(&format!("\nberth_announcer_{line}\n")), "{text}");
        }
    }

    #[test]
    fn takeover_times_are_a_histogram() {
        let metrics = Metrics::new("node-1");
        metrics.count_takeover(Cause::Dead, Some(Duration::from_millis(350)));
        metrics.count_takeover(Cause::First, None);
        let text = metrics.render(Duration::ZERO);
        assert!(text.contains("\nberth_announcer_takeover_seconds_bucket{le=\"0.4\"} 1\n"), "{text}");
        assert!(text.contains("\nberth_announcer_takeover_seconds_count 1\n"), "{text}");
        assert!(text.contains("\nberth_announcer_takeovers_total{cause=\"first\"} 1\n"), "{text}");
    }
}
