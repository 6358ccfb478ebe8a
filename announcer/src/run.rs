//! The one loop: brings events to the responder and carries out what it says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::chain::chain;
use crate::clock::Clock;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::plan::Status;
use crate::responder::{Action, Event, Responder, Transmission};
use crate::socket::{ArpSocket, SocketError};

/// How often the loop turns when nothing happens, for the health probe.
const BEAT_INTERVAL: Duration = Duration::from_secs(1);

/// How many frames may wait for the loop; more wait in the kernel, which drops what its own buffer cannot hold.
const FRAMES_CAPACITY: usize = 256;

/// What a socket's task tells the loop. The serial number tells its socket from one that was closed before.
struct Received {
    link: u32,
    serial: u64,
    frame: Result<Vec<u8>, SocketError>,
}

/// An open socket and the task that reads it.
struct Listening {
    serial: u64,
    socket: Arc<ArpSocket>,
    task: JoinHandle<()>,
}

/// What the loop works with.
#[derive(Debug)]
pub struct Edges {
    /// Plans and interfaces.
    pub events: mpsc::Receiver<Event>,
    /// Where each new status goes.
    pub statuses: watch::Sender<Option<Status>>,
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
    sockets: BTreeMap<u32, Listening>,
    next_serial: u64,
    frames: mpsc::Sender<Received>,
}

/// Runs until told to stop; then every address has fallen silent, every socket is closed and the last status is out.
pub async fn run(responder: Responder, edges: Edges, stop: CancellationToken) {
    let (frames, mut received) = mpsc::channel(FRAMES_CAPACITY);
    let mut turning = Loop { responder, edges, sockets: BTreeMap::new(), next_serial: 0, frames };
    loop {
        let now = turning.edges.clock.now();
        turning.edges.health.beat(now);
        let beat = now + BEAT_INTERVAL;
        let deadline = turning.responder.deadline().map_or(beat, |deadline| deadline.min(beat));
        // In this order, so that no flood of frames delays a plan or the end.
        let event = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(event) = turning.edges.events.recv() => Some(event),
            () = sleep_until(turning.edges.clock.at(deadline)) => Some(Event::Tick),
            Some(received) = received.recv() => turning.take_in(received),
        };
        if let Some(event) = event {
            turning.handle(event).await;
        }
    }
    turning.handle(Event::Stop).await;
}

impl Loop {
    /// Gives the event in what a socket's task said, unless it is about a socket that is closed by now.
    fn take_in(&self, received: Received) -> Option<Event> {
        let Received { link, serial, frame } = received;
        if self.sockets.get(&link).is_none_or(|listening| listening.serial != serial) {
            return None;
        }
        match frame {
            Ok(frame) => Some(Event::Frame(link, frame)),
            Err(err) => {
                self.edges.metrics.count_socket_error();
                debug!(err = chain(&err), link, "packet socket lost");
                Some(Event::Lost(link))
            }
        }
    }

    /// Lets the responder decide, and carries it out, until nothing follows from it any more.
    async fn handle(&mut self, event: Event) {
        if matches!(event, Event::Plan(_)) {
            self.edges.metrics.note_plan(self.edges.clock.now());
        }
        let mut next = vec![event];
        while let Some(event) = next.pop() {
            for action in self.responder.handle(event, self.edges.clock.now()) {
                next.extend(self.carry_out(action).await);
            }
        }
        self.edges.health.note_listening(self.responder.is_listening());
    }

    /// Gives what follows, when the responder has to know how it went.
    async fn carry_out(&mut self, action: Action) -> Option<Event> {
        match action {
            Action::Open(link) => return Some(self.open(link).await),
            Action::Close(link) => self.close(link).await,
            Action::Send(transmission) => self.send(&transmission),
            Action::Ignore(silence) => self.edges.metrics.count_silence(silence),
            Action::Drop(malformed) => {
                self.edges.metrics.count_malformed();
                debug!(err = chain(&malformed), "frame dropped");
            }
            Action::Report(status) => self.report(status),
            Action::Note(notice) => debug!(?notice, "noted"),
            Action::Discard(fault) => debug!(err = chain(&fault), "hello ignored"),
            Action::Join(..) | Action::Leave(..) | Action::Finished => {}
        }
        None
    }

    async fn open(&mut self, link: u32) -> Event {
        self.close(link).await;
        match ArpSocket::open(link) {
            Ok(socket) => {
                let socket = Arc::new(socket);
                let serial = self.next_serial;
                self.next_serial += 1;
                let task = tokio::spawn(receive(Arc::clone(&socket), link, serial, self.frames.clone()));
                self.sockets.insert(link, Listening { serial, socket, task });
                debug!(link, "packet socket opened");
                Event::Opened(link)
            }
            Err(err) => {
                self.edges.metrics.count_socket_error();
                warn!(err = chain(&err), link, "packet socket not opened");
                Event::Lost(link)
            }
        }
    }

    async fn close(&mut self, link: u32) {
        if let Some(Listening { task, .. }) = self.sockets.remove(&link) {
            task.abort();
            // Either it was cancelled just now or it had ended; both are what is wanted.
            let _ = task.await;
            debug!(link, "packet socket closed");
        }
    }

    fn send(&self, transmission: &Transmission) {
        let Transmission { link, purpose, frame } = transmission;
        let Some(listening) = self.sockets.get(link) else { return };
        match listening.socket.send(frame) {
            Ok(()) => self.edges.metrics.count_sent(*purpose),
            Err(err) => {
                self.edges.metrics.count_send_error();
                debug!(err = chain(&err), link, ?purpose, "frame not sent");
            }
        }
    }

    fn report(&self, status: Status) {
        let (answering, silent) = (status.answering.len(), status.silent.len());
        info!(generation = status.generation, answering, silent, "status changed");
        self.edges.metrics.note_status(&status);
        self.edges.statuses.send_replace(Some(status));
    }
}

/// Reads a socket until it fails or the loop is gone.
async fn receive(socket: Arc<ArpSocket>, link: u32, serial: u64, frames: mpsc::Sender<Received>) {
    loop {
        let frame = socket.receive().await;
        let is_over = frame.is_err();
        if frames.send(Received { link, serial, frame }).await.is_err() || is_over {
            return;
        }
    }
}
