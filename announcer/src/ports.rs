//! The sockets of all interfaces in use, and the filters that stand before them.
//!
//! Each interface has a socket for ARP and one for hellos, and one for IPv6 while there is an IPv6 address: a node
//! without one pays nothing for its traffic in IPv6.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::filter::{self, Instruction, LONGEST, SHORTEST};
use crate::socket::{PacketSocket, SocketError};
use crate::wire::ethernet::{ETHERTYPE_ARP, Mac};
use crate::wire::hello::{ETHERTYPE_HELLO, FRAME_CAPACITY};

/// How many sockets one wait names at most; the others come with the next.
const READY_CAPACITY: usize = 64;

/// What a wait calls the descriptor that is no socket of these.
const BELL: u64 = u64::MAX;

/// `EtherType` of IPv6 (RFC 2464).
const ETHERTYPE_IPV6: u16 = 0x86dd;

/// What the frames of a socket are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// ARP.
    Arp,
    /// Hellos.
    Hello,
    /// Neighbor Solicitations and Advertisements.
    Ndp,
}

/// A frame that came in, or the end of its socket.
#[derive(Debug)]
pub struct Received {
    /// The interface.
    pub link: u32,
    /// The socket.
    pub kind: Kind,
    /// How long the frame in [`Ports::frame`] is, or why no more will come.
    pub length: Result<usize, SocketError>,
}

#[derive(Debug)]
struct Port {
    link: u32,
    kind: Kind,
    socket: PacketSocket,
}

/// All sockets.
#[derive(Debug)]
pub struct Ports {
    all: Vec<Port>,
    poll: Epoll,
    /// What the last wait ended with; the first so many of it have yet to be looked at.
    ready: [EpollEvent; READY_CAPACITY],
    waiting: usize,
    buffer: [u8; FRAME_CAPACITY],
    v4: Vec<Ipv4Addr>,
    v6: Vec<Ipv6Addr>,
    /// How long a filter may be; less than the kernel's own bound once it has refused a filter.
    longest: usize,
}

impl Ports {
    /// Gives no sockets, and what waits for them and for that descriptor, which is to stay open as long.
    ///
    /// # Errors
    /// When the process may open no more descriptors.
    pub fn new(bell: impl AsFd) -> io::Result<Self> {
        let poll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        poll.add(bell, EpollEvent::new(EpollFlags::EPOLLIN, BELL))?;
        Ok(Self {
            all: Vec::new(),
            poll,
            ready: [EpollEvent::empty(); READY_CAPACITY],
            waiting: 0,
            buffer: [0; FRAME_CAPACITY],
            v4: Vec::new(),
            v6: Vec::new(),
            longest: LONGEST,
        })
    }

    /// Lets the frames of these addresses through and of no others, and gives the interfaces on which that did not work:
    /// their sockets are closed. Call it before any of them is answered.
    pub fn follow(&mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Vec<(u32, SocketError)> {
        let (had_v6, mut lost) = (!self.v6.is_empty(), Vec::new());
        self.v4.clear();
        self.v6.clear();
        for ip in addresses {
            match ip {
                IpAddr::V4(ip) => self.v4.push(ip),
                IpAddr::V6(ip) => self.v6.push(ip),
            }
        }
        if self.v6.is_empty() {
            self.all.retain(|port| port.kind != Kind::Ndp);
        } else if !had_v6 {
            for link in self.links() {
                match self.open_one(link, Kind::Ndp) {
                    Ok(port) => self.all.push(port),
                    Err(err) => lost.push((link, err)),
                }
            }
        }
        for kind in [Kind::Arp, Kind::Ndp] {
            lost.extend(self.attach(kind));
        }
        for (link, _) in &lost {
            self.close(*link);
        }
        lost
    }

    /// Lets the frames of some of the addresses through no more; gives what [`Ports::follow`] does.
    pub fn forget(&mut self, gone: &BTreeSet<IpAddr>) -> Vec<(u32, SocketError)> {
        let left: Vec<_> = self.addresses().filter(|ip| !gone.contains(ip)).collect();
        self.follow(left)
    }

    /// Gives the addresses whose frames are let through.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let v4 = self.v4.iter().copied().map(IpAddr::V4);
        v4.chain(self.v6.iter().copied().map(IpAddr::V6))
    }

    /// Opens the sockets of an interface, in place of those it may have.
    ///
    /// # Errors
    /// Those of [`PacketSocket::open`]; then the interface has no socket.
    pub fn open(&mut self, link: u32) -> Result<(), SocketError> {
        self.close(link);
        let kinds = [Some(Kind::Arp), Some(Kind::Hello), (!self.v6.is_empty()).then_some(Kind::Ndp)];
        let opened: Result<Vec<_>, _> = kinds.into_iter().flatten().map(|kind| self.open_one(link, kind)).collect();
        self.all.extend(opened?);
        Ok(())
    }

    /// Closes the sockets of an interface, if it has any.
    pub fn close(&mut self, link: u32) {
        self.all.retain(|port| port.link != link);
    }

    /// Sends a frame on an interface; nothing happens on one without sockets.
    ///
    /// # Errors
    /// [`SocketError::Send`]
    #[inline]
    pub fn send(&self, link: u32, frame: &[u8]) -> Result<(), SocketError> {
        self.of(link).map_or(Ok(()), |port| port.socket.send(frame))
    }

    /// Has an interface receive frames to a group.
    ///
    /// # Errors
    /// [`SocketError::Group`]
    pub fn join(&self, link: u32, group: Mac) -> Result<(), SocketError> {
        self.of(link).map_or(Ok(()), |port| port.socket.join(group))
    }

    /// Undoes [`Ports::join`].
    ///
    /// # Errors
    /// [`SocketError::Group`]
    pub fn leave(&self, link: u32, group: Mac) -> Result<(), SocketError> {
        self.of(link).map_or(Ok(()), |port| port.socket.leave(group))
    }

    /// Waits for frames, for the bell, or for so long at most. Gives whether the bell rings.
    #[inline]
    pub fn wait(&mut self, timeout: Duration) -> bool {
        // A signal may come in between; then nothing waits.
        self.waiting = self.poll.wait(&mut self.ready, whole_millis(timeout)).unwrap_or(0);
        self.ready.iter().take(self.waiting).any(|event| event.data() == BELL)
    }

    /// Gives a frame from a socket that had one when [`Ports::wait`] ended. Each gives no more than one until the next
    /// wait, so that a flood on one does not silence another.
    #[inline]
    pub fn receive(&mut self) -> Option<Received> {
        while let Some(at) = self.waiting.checked_sub(1) {
            self.waiting = at;
            let event = self.ready.get(at)?.data();
            // One that was closed since is not there any more; one that took its number over is asked in its place.
            let Some(port) = self.all.iter().find(|port| name_of(&port.socket) == event) else { continue };
            if let Some(length) = port.socket.receive(&mut self.buffer).transpose() {
                return Some(Received { link: port.link, kind: port.kind, length });
            }
        }
        None
    }

    /// Gives the bytes of the frame that was received last.
    #[must_use]
    pub fn frame(&self, length: usize) -> &[u8] {
        self.buffer.get(..length).unwrap_or_default()
    }

    /// Gives how many frames were dropped since it was last asked, since a socket was full.
    #[must_use]
    pub fn take_drops(&self) -> u64 {
        self.all.iter().map(|port| u64::from(port.socket.take_drops())).sum()
    }

    /// Gives the socket that sends on an interface and holds its groups, which it shares with no filter's memory.
    fn of(&self, link: u32) -> Option<&Port> {
        self.all.iter().find(|port| port.link == link && port.kind == Kind::Hello)
    }

    fn links(&self) -> Vec<u32> {
        self.all.iter().filter(|port| port.kind == Kind::Hello).map(|port| port.link).collect()
    }

    fn open_one(&mut self, link: u32, kind: Kind) -> Result<Port, SocketError> {
        let ethertype = match kind {
            Kind::Arp => ETHERTYPE_ARP,
            Kind::Hello => ETHERTYPE_HELLO,
            Kind::Ndp => ETHERTYPE_IPV6,
        };
        let socket = self.shortening(kind, |filter| PacketSocket::open(link, ethertype, filter))?;
        let event = EpollEvent::new(EpollFlags::EPOLLIN, name_of(&socket));
        self.poll.add(&socket, event).map_err(|errno| SocketError::Open(errno.into()))?;
        Ok(Port { link, kind, socket })
    }

    /// Puts the filter of now before the sockets of a kind, and gives the interfaces where that did not work.
    fn attach(&mut self, kind: Kind) -> Vec<(u32, SocketError)> {
        let mut lost = Vec::new();
        let mut ports = std::mem::take(&mut self.all);
        for port in ports.iter_mut().filter(|port| port.kind == kind) {
            if let Err(err) = self.shortening(kind, |filter| port.socket.attach(filter)) {
                lost.push((port.link, err));
            }
        }
        self.all = ports;
        lost
    }

    /// Does something with a filter, and again with shorter ones while the kernel finds it too long.
    fn shortening<T>(
        &mut self,
        kind: Kind,
        mut act: impl FnMut(&[Instruction]) -> Result<T, SocketError>,
    ) -> Result<T, SocketError> {
        loop {
            match act(&self.filter(kind)) {
                Err(err) if err.is_too_long() && self.longest > SHORTEST => {
                    self.longest = (self.longest / 2).max(SHORTEST);
                }
                result => return result,
            }
        }
    }

    fn filter(&self, kind: Kind) -> Vec<Instruction> {
        match kind {
            Kind::Arp => filter::arp(self.v4.iter().copied(), self.longest),
            Kind::Ndp => filter::ndp(self.v6.iter().copied(), self.longest),
            Kind::Hello => filter::all(),
        }
    }
}

/// What a wait calls a socket.
fn name_of(socket: &PacketSocket) -> u64 {
    u64::try_from(socket.as_fd().as_raw_fd()).unwrap_or(BELL)
}

/// Gives a time as `epoll_wait(2)` takes it, no shorter than it is.
fn whole_millis(time: Duration) -> EpollTimeout {
    let millis = time.as_nanos().div_ceil(1_000_000);
    EpollTimeout::try_from(millis).unwrap_or(EpollTimeout::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_never_shorter_than_asked_for() {
        for (nanos, millis) in [(0, 0u16), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2)] {
            assert_eq!(whole_millis(Duration::from_nanos(nanos)), EpollTimeout::from(millis), "{nanos} ns");
        }
        assert_eq!(whole_millis(Duration::MAX), EpollTimeout::MAX);
    }
}
