//! A packet socket on one interface that carries ARP frames, as an async reader and writer.
//!
//! The only module that may hold `unsafe`: there is no safe way to name an interface in `bind(2)`, nor to have tokio
//! wait for a descriptor.
//! It knows frames as bytes and decides nothing. Needs `CAP_NET_RAW` when a socket is opened, and nothing after.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, SockaddrLike, bind, recvfrom, send, socket,
};
use thiserror::Error;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::wire::ethernet::ETHERTYPE_ARP;

/// Bytes kept of a frame; an ARP frame with its padding has 60, what is cut off is padding.
const FRAME_CAPACITY: usize = 128;

/// What went wrong with a socket; in each case the interface goes unanswered until it is opened again.
#[derive(Debug, Error)]
pub enum SocketError {
    /// No socket could be opened.
    #[error("packet socket cannot be opened; the interface goes unanswered")]
    Open(#[source] io::Error),
    /// The socket could not be tied to its interface.
    #[error("packet socket cannot be tied to the interface; the interface goes unanswered")]
    Bind(#[source] io::Error),
    /// The socket is of no more use, mostly since the interface went down or away.
    #[error("packet socket cannot be read; it is closed")]
    Receive(#[source] io::Error),
    /// One frame was lost on its way out.
    #[error("frame cannot be sent; it is lost, the socket stays open")]
    Send(#[source] io::Error),
}

/// A socket for the ARP frames of one interface.
#[derive(Debug)]
pub struct ArpSocket {
    descriptor: AsyncFd<OwnedFd>,
}

impl ArpSocket {
    /// Opens a socket on the interface with this index. Call it within a tokio runtime.
    ///
    /// # Errors
    /// [`SocketError::Open`] without `CAP_NET_RAW`, [`SocketError::Bind`] when the interface is gone or down.
    pub fn open(link: u32) -> Result<Self, SocketError> {
        // Protocol 0 receives nothing, so no frame of another interface slips in before the socket is bound.
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let descriptor = socket(AddressFamily::Packet, SockType::Raw, flags, None).map_err(open_error)?;
        bind(descriptor.as_raw_fd(), &address(link)?).map_err(|errno| SocketError::Bind(errno.into()))?;
        // SAFETY: the descriptor is open, and the AsyncFd owns it: it closes or changes no earlier than that ends.
        let descriptor = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
        let descriptor = descriptor.map_err(|err| SocketError::Open(err.into_parts().1))?;
        Ok(Self { descriptor })
    }

    /// Gives the next frame that is for this node or for all. What the kernel marks as another station's is left
    /// out: it is only seen on a promiscuous interface, or came with the tag of a VLAN that this node does not have
    /// and that the kernel has cut off.
    ///
    /// # Errors
    /// [`SocketError::Receive`]; do not read on.
    pub async fn receive(&self) -> Result<Vec<u8>, SocketError> {
        loop {
            let mut ready = self.descriptor.readable().await.map_err(SocketError::Receive)?;
            let Ok(received) = ready.try_io(|descriptor| receive_now(descriptor.get_ref())) else { continue };
            if let Some(frame) = received.map_err(SocketError::Receive)? {
                return Ok(frame);
            }
        }
    }

    /// Sends a frame, or loses it when the interface cannot take it at once: whoever asked will ask again.
    ///
    /// # Errors
    /// [`SocketError::Send`] when the frame is lost.
    pub fn send(&self, frame: &[u8]) -> Result<(), SocketError> {
        let sent = send(self.descriptor.as_raw_fd(), frame, MsgFlags::MSG_DONTWAIT);
        sent.map(|_length| ()).map_err(|errno| SocketError::Send(errno.into()))
    }
}

fn open_error(errno: Errno) -> SocketError {
    SocketError::Open(errno.into())
}

/// Gives the frame that waits, or none when it is another station's.
fn receive_now(descriptor: &OwnedFd) -> io::Result<Option<Vec<u8>>> {
    let mut buffer = [0; FRAME_CAPACITY];
    let (length, sender) = recvfrom::<LinkAddr>(descriptor.as_raw_fd(), &mut buffer)?;
    let is_for_others = sender.is_some_and(|sender| sender.pkttype() == libc::PACKET_OTHERHOST);
    Ok(buffer.get(..length).filter(|_| !is_for_others).map(<[u8]>::to_vec))
}

/// Gives the address that ties a socket to the ARP frames of an interface.
fn address(link: u32) -> Result<LinkAddr, SocketError> {
    let no_such_interface = || SocketError::Bind(Errno::ENODEV.into());
    let raw = libc::sockaddr_ll {
        sll_family: libc::sa_family_t::try_from(libc::AF_PACKET).map_err(|_| no_such_interface())?,
        sll_protocol: ETHERTYPE_ARP.to_be(),
        sll_ifindex: i32::try_from(link).map_err(|_| no_such_interface())?,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: the pointer is to an initialised sockaddr_ll that outlives the call, which copies as much.
    let address = unsafe { LinkAddr::from_raw((&raw const raw).cast(), None) };
    address.ok_or_else(no_such_interface)
}
