//! The one loop: brings events to the responder and carries out what it says.
//!
//! It has a thread of its own, outside of any runtime, and shares no lock with anything slow, so that an answer waits
//! for no TLS and no JSON. A frame goes from the socket through the responder to the socket without leaving the thread, and
//! whoever asks for an address has its answer before anything is counted or learned from the question.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{debug, info, warn};

use crate::chain::chain;
use crate::clock::Clock;
use crate::health::Health;
use crate::limiter::Limiter;
use crate::mailbox::Receiver;
use crate::metrics::Metrics;
use crate::plan::Plan;
use crate::ports::{Kind, Ports, Received};
use crate::responder::{Action, Event, Notice, Purpose, Responder, Transmission};
use crate::socket::{SocketError, ask_for_short_turns};
use crate::status::Status;

/// How often the loop turns when nothing happens, for the health probe.
const BEAT_INTERVAL: Duration = Duration::from_secs(1);

/// How long handing over may take before the program ends without; the responder needs a few tenths of a second.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// How many answers are counted at once at most; they are sooner whenever anything else happens.
const ANSWERS_CAPACITY: usize = 256;

/// Log lines of each kind in a second: about frames, and about addresses and fellows.
const LINES_ABOUT_FRAMES: u32 = 1;
const LINES_ABOUT_NOTICES: u32 = 20;

/// What the loop works with.
#[derive(Debug)]
pub struct Edges {
    /// Plans, keys and interfaces, and the word to stop.
    pub events: Receiver,
    /// The sockets, none of them open yet; they wait for events as well.
    pub ports: Ports,
    /// Where each new status goes.
    pub statuses: watch::Sender<Option<Arc<Status>>>,
    /// For the probes.
    pub health: Arc<Health>,
    /// For Prometheus.
    pub metrics: Arc<Metrics>,
    /// The time that the responder sees.
    pub clock: Clock,
}

struct Loop {
    responder: Responder,
    edges: Edges,
    /// When the responder is to be asked again at the latest.
    due: Option<Duration>,
    about_frames: Limiter,
    about_notices: Limiter,
    next_beat: Duration,
    stopped_at: Option<Duration>,
    /// What one frame leads to. Kept for the next, so that none needs memory of its own, as are the two after it.
    actions: Vec<Action>,
    answer: Vec<u8>,
    /// Addresses that were answered and have yet to be counted.
    answered: Vec<IpAddr>,
    /// Addresses that the plan has taken away, while some of them are still answered.
    parting: BTreeSet<IpAddr>,
    is_finished: bool,
}

/// Runs until told to stop; then every address is handed over, every socket is closed and the last status is out.
pub fn run(responder: Responder, edges: Edges) {
    let due = responder.deadline();
    let mut turning = Loop {
        responder,
        edges,
        due,
        about_frames: Limiter::new(LINES_ABOUT_FRAMES),
        about_notices: Limiter::new(LINES_ABOUT_NOTICES),
        next_beat: Duration::ZERO,
        stopped_at: None,
        actions: Vec::new(),
        answer: Vec::new(),
        answered: Vec::with_capacity(ANSWERS_CAPACITY),
        parting: BTreeSet::new(),
        is_finished: false,
    };
    if let Err(err) = ask_for_short_turns() {
        debug!(err = chain(&err), "no short turns to be had");
    }
    while !turning.is_finished && !turning.is_overdue() {
        turning.turn();
    }
    turning.count_answers();
    if turning.is_finished {
        let took = turning.edges.clock.now().saturating_sub(turning.stopped_at.unwrap_or_default());
        info!(took_millis = took.as_millis(), "addresses given up");
    } else {
        warn!("addresses not handed over in time");
    }
}

impl Loop {
    /// Waits until there is something to do, and does it.
    fn turn(&mut self) {
        self.beat();
        let due = self.due.map_or(self.next_beat, |due| due.min(self.next_beat));
        let has_events = self.edges.ports.wait(due.saturating_sub(self.edges.clock.now()));
        // In this order, so that no flood of frames delays a plan or the end.
        if has_events {
            self.edges.events.hush();
            while let Some(event) = self.edges.events.take() {
                self.handle(event);
            }
        }
        if due <= self.edges.clock.now() {
            self.handle(Event::Tick);
        }
        while let Some(received) = self.edges.ports.receive() {
            self.take_in(received);
        }
    }

    /// Whether handing over takes longer than it may.
    fn is_overdue(&self) -> bool {
        self.stopped_at.is_some_and(|stopped_at| self.edges.clock.now() >= stopped_at + STOP_TIMEOUT)
    }

    /// Says that the loop turns, once a second.
    fn beat(&mut self) {
        let now = self.edges.clock.now();
        if now >= self.next_beat {
            self.edges.health.beat(now);
            self.edges.metrics.count_drops(self.edges.ports.take_drops());
            self.count_answers();
            self.next_beat = now + BEAT_INTERVAL;
        }
    }

    fn take_in(&mut self, Received { link, kind, length }: Received) {
        let length = match length {
            Ok(length) => length,
            Err(err) => {
                debug!(err = chain(&err), link, "packet socket lost");
                let lost = self.lose(link);
                return self.handle(lost);
            }
        };
        let frame = self.edges.ports.frame(length);
        // The time is read after the frame, and so tells the responder how long this process had stood still before the
        // frame is judged.
        let now = self.edges.clock.now();
        match kind {
            Kind::Hello => self.edges.metrics.count_hello(),
            Kind::Arp | Kind::Ndp => {
                if let Some(ip) = self.responder.answer(link, frame, now, &mut self.answer)
                    && self.send(link, Purpose::Answer(ip), &self.answer)
                {
                    self.answered.push(ip);
                }
            }
        }
        let mut actions = std::mem::take(&mut self.actions);
        let may_follow = self.responder.receive(link, frame, now, &mut actions);
        let next: VecDeque<_> = actions.drain(..).filter_map(|action| self.carry_out(action)).collect();
        self.actions = actions;
        if may_follow || !next.is_empty() || self.answered.len() >= ANSWERS_CAPACITY {
            self.handle_all(next);
        }
    }

    /// Gives what the responder is told about an interface whose sockets are of no more use.
    fn lose(&mut self, link: u32) -> Event {
        self.edges.metrics.count_socket_error();
        self.edges.ports.close(link);
        Event::Lost(link)
    }

    /// Lets the responder decide, and carries it out, until nothing follows from it any more.
    fn handle(&mut self, event: Event) {
        if matches!(event, Event::Stop) {
            self.stopped_at = Some(self.edges.clock.now());
        }
        self.handle_all(VecDeque::from([event]));
        self.edges.health.note_listening(self.responder.is_listening());
    }

    fn handle_all(&mut self, mut next: VecDeque<Event>) {
        while let Some(event) = next.pop_front() {
            if let Event::Plan(plan) = &event {
                let lost = self.let_through(plan);
                next.extend(self.lose_all(lost));
            }
            for action in self.responder.handle(event, self.edges.clock.now()) {
                next.extend(self.carry_out(action));
            }
            if next.is_empty() {
                next.extend(self.let_go());
            }
        }
        self.due = self.responder.deadline();
        self.count_answers();
    }

    fn count_answers(&mut self) {
        self.edges.metrics.count_answers(self.answered.drain(..));
    }

    /// Lets the frames of a plan's addresses through, and of those that it takes away and that are answered until others
    /// do.
    fn let_through(&mut self, plan: &Plan) -> Vec<(u32, SocketError)> {
        let planned: BTreeSet<_> = plan.vips.iter().map(|vip| vip.ip).collect();
        let gone = self.edges.ports.addresses().filter(|ip| !planned.contains(ip));
        self.parting = gone.filter(|&ip| self.is_answered(ip)).collect();
        self.edges.ports.follow(planned.union(&self.parting).copied())
    }

    /// Lets the frames of addresses that were taken away through no more, once all of them have been handed over.
    fn let_go(&mut self) -> Vec<Event> {
        if self.parting.is_empty() || self.parting.iter().any(|&ip| self.is_answered(ip)) {
            return Vec::new();
        }
        let lost = self.edges.ports.forget(&std::mem::take(&mut self.parting));
        self.lose_all(lost)
    }

    fn is_answered(&self, ip: IpAddr) -> bool {
        self.responder.answers(ip).next().is_some()
    }

    fn lose_all(&mut self, lost: Vec<(u32, SocketError)>) -> Vec<Event> {
        let tell = |(link, err): (u32, SocketError)| {
            warn!(err = chain(&err), link, "packet socket lost");
            self.lose(link)
        };
        lost.into_iter().map(tell).collect()
    }

    /// Gives what follows, when the responder has to know how it went.
    fn carry_out(&mut self, action: Action) -> Option<Event> {
        match action {
            Action::Open(link) => return Some(self.open(link)),
            Action::Close(link) => self.edges.ports.close(link),
            Action::Send(Transmission { link, purpose, frame }) => {
                if self.send(link, purpose, &frame) {
                    self.edges.metrics.count_sent(purpose);
                }
            }
            Action::Join(link, group) => self.tell_failure(self.edges.ports.join(link, group)),
            Action::Leave(link, group) => self.tell_failure(self.edges.ports.leave(link, group)),
            Action::Ignore(silence) => {
                self.edges.metrics.count_silence(silence);
                let reason = silence.name();
                self.tell(reason, |kept_back| debug!(reason, kept_back, "frame not answered"));
            }
            Action::Drop(malformed) => {
                self.edges.metrics.count_malformed();
                self.tell("malformed", |kept_back| debug!(err = chain(&malformed), kept_back, "frame dropped"));
            }
            Action::Discard(fault) => {
                self.edges.metrics.count_hello_fault(fault);
                let reason = fault.name();
                self.tell(reason, |kept_back| debug!(reason, kept_back, "hello not heeded"));
            }
            Action::Note(notice) => self.note(&notice),
            Action::Report(status) => self.report(status),
            Action::Finished => self.is_finished = true,
        }
        None
    }

    fn tell(&mut self, kind: &'static str, tell: impl FnOnce(u64)) {
        if tracing::enabled!(tracing::Level::DEBUG)
            && let Some(kept_back) = self.about_frames.admit(kind, self.edges.clock.now())
        {
            tell(kept_back);
        }
    }

    fn tell_failure(&self, result: Result<(), SocketError>) {
        if let Err(err) = result {
            self.edges.metrics.count_socket_error();
            warn!(err = chain(&err), "interface not set as asked");
        }
    }

    fn open(&mut self, link: u32) -> Event {
        match self.edges.ports.open(link) {
            Ok(()) => {
                debug!(link, "packet sockets opened");
                Event::Opened(link)
            }
            Err(err) => {
                warn!(err = chain(&err), link, "packet sockets not opened");
                self.lose(link)
            }
        }
    }

    /// Sends a frame and gives whether that went well.
    fn send(&self, link: u32, purpose: Purpose, frame: &[u8]) -> bool {
        let sent = self.edges.ports.send(link, frame);
        if let Err(err) = &sent {
            self.edges.metrics.count_send_error();
            debug!(err = chain(err), link, ?purpose, "frame not sent");
        }
        sent.is_ok()
    }

    fn note(&mut self, notice: &Notice) {
        self.count(notice);
        let kind = match notice {
            Notice::TookOver { .. } => "tookOver",
            Notice::Yielded { .. } => "yielded",
            Notice::FellowFound { .. } | Notice::FellowLost { .. } => "fellow",
            Notice::HellosLost { .. } => "hellosLost",
            Notice::Fenced { .. } | Notice::Listened { .. } => "fenced",
        };
        let Some(kept_back) = self.about_notices.admit(kind, self.edges.clock.now()) else { return };
        match notice {
            Notice::TookOver { link, ip, cause, vacant } => {
                let (cause, vacant_millis) = (cause.name(), vacant.map(|vacant| vacant.as_millis()));
                info!(link, %ip, cause, vacant_millis, kept_back, "address taken over");
            }
            Notice::Yielded { link, ip, to } => info!(link, %ip, to, kept_back, "address left to a fellow"),
            Notice::FellowFound { link, is_twin: true, .. } => {
                info!(link, "another interface of this node is on the same network; one of them answers");
            }
            Notice::FellowFound { link, name, .. } => info!(link, fellow = name, "fellow heard"),
            Notice::FellowLost { link, name } => warn!(link, fellow = name, "fellow heard no longer"),
            Notice::HellosLost { link, count } => debug!(link, count, kept_back, "hellos did not arrive"),
            Notice::Fenced { link, stalled } => {
                warn!(link, stalled_millis = stalled.as_millis(), "stopped or starved; silent until it has listened");
            }
            Notice::Listened { link, took, after } => {
                info!(link, took_millis = took.as_millis(), reason = after.name(), "listened long enough");
            }
        }
    }

    fn count(&self, notice: &Notice) {
        let (metrics, now) = (&self.edges.metrics, self.edges.clock.now());
        match notice {
            Notice::TookOver { cause, vacant, .. } => metrics.count_takeover(*cause, *vacant),
            Notice::Yielded { .. } => metrics.count_yield(),
            Notice::HellosLost { count, .. } => metrics.count_hellos_lost(*count),
            Notice::Fenced { stalled, .. } => metrics.count_fence(*stalled, now),
            Notice::Listened { took, after, .. } => metrics.count_listening(*after, *took, now),
            Notice::FellowFound { .. } | Notice::FellowLost { .. } => {}
        }
    }

    fn report(&self, status: Status) {
        let answering: usize = status.answering.iter().map(|group| group.ips.len()).sum();
        info!(generation = status.generation, answering, "status changed");
        let status = Arc::new(status);
        self.edges.metrics.note_status(&status);
        self.edges.statuses.send_replace(Some(status));
    }
}
