//! What the tasks tell the thread that answers: a queue of events, and a bell that wakes the thread.
//!
//! The thread waits for frames in `epoll_wait(2)`, outside of any runtime, so the bell is a descriptor (eventfd(2)).

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use nix::sys::eventfd::{EfdFlags, EventFd};
use thiserror::Error;
use tokio::sync::mpsc;

use crate::responder::Event;

/// The thread that answers has ended, and nothing reaches it any more.
#[derive(Clone, Copy, Debug, Error)]
#[error("the thread that answers has ended; it is told nothing more")]
pub struct Closed;

/// Where tasks put events.
#[derive(Clone, Debug)]
pub struct Sender {
    events: mpsc::Sender<Event>,
    bell: Arc<EventFd>,
}

/// Where the thread takes them out.
#[derive(Debug)]
pub struct Receiver {
    events: mpsc::Receiver<Event>,
    bell: Arc<EventFd>,
}

/// Gives both ends of a mailbox for so many events.
///
/// # Errors
/// When the process may open no more descriptors.
pub fn mailbox(capacity: usize) -> io::Result<(Sender, Receiver)> {
    let bell = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?);
    let (events, events_out) = mpsc::channel(capacity);
    Ok((Sender { events, bell: Arc::clone(&bell) }, Receiver { events: events_out, bell }))
}

impl Sender {
    /// Puts an event in, once there is room for it.
    ///
    /// # Errors
    /// [`Closed`]
    pub async fn send(&self, event: Event) -> Result<(), Closed> {
        self.events.send(event).await.map_err(|_| Closed)?;
        // Refused only when it has rung so often that it rings still.
        let _ = self.bell.write(1);
        Ok(())
    }

    /// Whether the thread has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.events.is_closed()
    }
}

impl Receiver {
    /// Stops the bell. Take everything out after that.
    pub fn hush(&self) {
        // Refused only when it does not ring.
        let _ = self.bell.read();
    }

    /// Takes the oldest event out, if there is one.
    pub fn take(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    use super::*;

    fn rings(receiver: &Receiver) -> bool {
        let mut waits = [PollFd::new(receiver.as_fd(), PollFlags::POLLIN)];
        poll(&mut waits, PollTimeout::ZERO).unwrap() == 1
    }

    #[tokio::test]
    async fn the_bell_rings_from_the_first_event_until_it_is_hushed() {
        let (sender, mut receiver) = mailbox(2).unwrap();
        assert!(!rings(&receiver));
        sender.send(Event::Tick).await.unwrap();
        sender.send(Event::Stop).await.unwrap();
        assert!(rings(&receiver));
        receiver.hush();
        assert!(!rings(&receiver));
        assert!(matches!((receiver.take(), receiver.take()), (Some(Event::Tick), Some(Event::Stop))));
        assert!(receiver.take().is_none());
    }

    #[tokio::test]
    async fn a_sender_learns_that_nobody_listens_any_more() {
        let (sender, receiver) = mailbox(1).unwrap();
        drop(receiver);
        assert!(sender.is_closed());
        assert!(sender.send(Event::Tick).await.is_err());
    }
}
