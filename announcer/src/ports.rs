//! The sockets of all interfaces in use, and the filters that stand before them.
//!
//! Each interface has a socket for ARP and one for hellos, and one for IPv6 while there is an IPv6 address: a node
//! without one pays nothing for its traffic in IPv6.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::filter::{self, Instruction, LONGEST, SHORTEST};
use crate::socket::{PacketSocket, SocketError};
use crate::wire::ethernet::{ETHERTYPE_ARP, Mac};
use crate::wire::hello::{ETHERTYPE_HELLO, FRAME_CAPACITY};

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
    /// Which of them a frame waits at.
    ready: Vec<usize>,
    buffer: Box<[u8; FRAME_CAPACITY]>,
    v4: Vec<Ipv4Addr>,
    v6: Vec<Ipv6Addr>,
    /// How long a filter may be; less than the kernel's own bound once it has refused a filter.
    longest: usize,
}

impl Default for Ports {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            ready: Vec::new(),
            buffer: Box::new([0; FRAME_CAPACITY]),
            v4: Vec::new(),
            v6: Vec::new(),
            longest: LONGEST,
        }
    }
}

impl Ports {
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
        self.ready.clear();
    }

    /// Sends a frame on an interface; nothing happens on one without sockets.
    ///
    /// # Errors
    /// [`SocketError::Send`]
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

    /// Waits for frames, for that descriptor, or for so long at most. Gives whether that descriptor is ready.
    ///
    /// With poll(2): the sockets are few, and a frame costs no call more that finds its socket empty.
    pub fn wait(&mut self, bell: BorrowedFd<'_>, timeout: Duration) -> bool {
        let wait_for = |descriptor| PollFd::new(descriptor, PollFlags::POLLIN);
        let sockets = self.all.iter().map(|port| wait_for(port.socket.as_fd()));
        let mut waits: Vec<_> = sockets.chain([wait_for(bell)]).collect();
        self.ready.clear();
        if poll(&mut waits, whole_millis(timeout)).is_err() {
            // A signal came in between.
            return false;
        }
        let bell = waits.pop();
        let ready = waits.iter().enumerate().filter(|(_, wait)| wait.any().unwrap_or(true));
        self.ready.extend(ready.map(|(at, _)| at));
        bell.is_some_and(|bell| bell.any().unwrap_or(true))
    }

    /// Gives a frame from a socket that had one when [`Ports::wait`] ended. Each gives no more than one until the next
    /// wait, so that a flood on one does not silence another.
    pub fn receive(&mut self) -> Option<Received> {
        while let Some(at) = self.ready.pop() {
            let Some(port) = self.all.get(at) else { continue };
            if let Some(length) = port.socket.receive(self.buffer.as_mut_slice()).transpose() {
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

/// Gives a time as poll(2) takes it, no shorter than it is.
fn whole_millis(time: Duration) -> PollTimeout {
    let millis = time.as_nanos().div_ceil(1_000_000);
    PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_never_shorter_than_asked_for() {
        for (nanos, millis) in [(0, 0u16), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2)] {
            assert_eq!(whole_millis(Duration::from_nanos(nanos)), PollTimeout::from(millis), "{nanos} ns");
        }
        assert_eq!(whole_millis(Duration::MAX), PollTimeout::MAX);
    }
}
