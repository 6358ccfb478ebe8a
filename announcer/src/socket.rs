//! A packet socket on one interface for the frames of one protocol, behind a filter in the kernel.
//!
//! The only module that may hold `unsafe`: there is no safe way to name an interface in `bind(2)`, to set the options
//! of packet sockets, nor to ask for short turns on a processor. It knows frames as bytes and decides nothing. Needs
//! `CAP_NET_RAW` when a socket is opened, and nothing after.
//!
//! One socket for each protocol, not one for all of them: the kernel hands a packet to the sockets of its own `EtherType`
//! only, so that a node's traffic in IPv4 never comes near a filter of ours.

use std::ffi::{c_int, c_ushort};
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, SockaddrLike, bind, recv, send, setsockopt, socket, sockopt,
};
use thiserror::Error;

use crate::filter::Instruction;
use crate::wire::ethernet::Mac;

/// How long this thread's turns on a processor are to be, in nanoseconds; the shortest that the kernel grants.
const TURN_NANOS: u64 = 100_000;

/// The kernel's `struct sched_attr` in its first version.
#[repr(C)]
struct SchedulingAttributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Asks the kernel for short turns for this thread, so that it gets one sooner when the processors are busy. Needs no
/// capability; since Linux 6.12, before that it changes nothing.
///
/// # Errors
/// What the kernel says; then the thread waits its turn like others.
pub fn ask_for_short_turns() -> io::Result<()> {
    let length = mem::size_of::<SchedulingAttributes>();
    let size = u32::try_from(length).map_err(|_| Errno::EINVAL)?;
    let mut attributes =
        SchedulingAttributes { size, policy: 0, flags: 0, nice: 0, priority: 0, runtime: 0, deadline: 0, period: 0 };
    // SAFETY: the pointer is to an initialised value of that size that outlives the call, which writes no more than that.
    let code = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attributes, length, 0) };
    Errno::result(code)?;
    attributes.runtime = TURN_NANOS;
    // SAFETY: the pointer is to an initialised value that says its own size and outlives the call, which only reads it.
    let code = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
    Errno::result(code)?;
    Ok(())
}

/// Which queue frames wait in on their way out, where there is one: the highest that needs no further capability.
const PRIORITY: c_int = 6;

/// What went wrong with a socket.
#[derive(Debug, Error)]
pub enum SocketError {
    /// No socket could be opened.
    #[error("packet socket cannot be opened; the interface goes unanswered")]
    Open(#[source] io::Error),
    /// The socket could not be tied to its interface.
    #[error("packet socket cannot be tied to the interface; the interface goes unanswered")]
    Bind(#[source] io::Error),
    /// The kernel did not take the filter.
    #[error("socket filter cannot be attached; the one before stays")]
    Filter(#[source] io::Error),
    /// The kernel did not change the groups that the interface receives.
    #[error("multicast group cannot be joined or left; the interface receives what it did")]
    Group(#[source] io::Error),
    /// The socket is of no more use, mostly since the interface went down or away.
    #[error("packet socket cannot be read; it is closed")]
    Receive(#[source] io::Error),
    /// One frame was lost on its way out.
    #[error("frame cannot be sent; it is lost, the socket stays open")]
    Send(#[source] io::Error),
}

impl SocketError {
    /// Whether the kernel refused a filter as too long for the memory that a socket may have (`net.core.optmem_max`).
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        matches!(self, Self::Filter(err) if err.raw_os_error() == Some(libc::ENOMEM))
    }
}

/// A socket for the frames of one protocol on one interface.
#[derive(Debug)]
pub struct PacketSocket {
    link: c_int,
    descriptor: OwnedFd,
}

impl PacketSocket {
    /// Opens a socket on the interface with this index for the frames of this `EtherType` that pass the filter.
    ///
    /// # Errors
    /// [`SocketError::Open`] without `CAP_NET_RAW`, [`SocketError::Filter`] for a filter that is too long,
    /// [`SocketError::Bind`] when the interface is gone or down.
    pub fn open(link: u32, ethertype: u16, filter: &[Instruction]) -> Result<Self, SocketError> {
        let link = c_int::try_from(link).map_err(|_| SocketError::Bind(Errno::ENODEV.into()))?;
        // Protocol 0 receives nothing, so no frame slips in before the filter is there and the socket is bound.
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let open_error = |errno: Errno| SocketError::Open(errno.into());
        let descriptor = socket(AddressFamily::Packet, SockType::Raw, flags, None).map_err(open_error)?;
        setsockopt(&descriptor, sockopt::Priority, &PRIORITY).map_err(open_error)?;
        attach(&descriptor, filter)?;
        bind(descriptor.as_raw_fd(), &address(link, ethertype)?).map_err(|errno| SocketError::Bind(errno.into()))?;
        Ok(Self { link, descriptor })
    }

    /// Puts another filter in place of the one before, at once: no frame passes by both. Frames that wait already have
    /// passed the one before.
    ///
    /// # Errors
    /// [`SocketError::Filter`]; the one before stays.
    pub fn attach(&self, filter: &[Instruction]) -> Result<(), SocketError> {
        attach(&self.descriptor, filter)
    }

    /// Has the interface receive frames to a group, for as long as the socket is open; twice joined is twice to leave.
    ///
    /// # Errors
    /// [`SocketError::Group`]
    pub fn join(&self, group: Mac) -> Result<(), SocketError> {
        self.set_group(libc::PACKET_ADD_MEMBERSHIP, group)
    }

    /// Undoes a [`PacketSocket::join`].
    ///
    /// # Errors
    /// [`SocketError::Group`]
    pub fn leave(&self, group: Mac) -> Result<(), SocketError> {
        self.set_group(libc::PACKET_DROP_MEMBERSHIP, group)
    }

    /// Puts the next frame into the buffer and gives its length, if one waits; what does not fit is cut off.
    ///
    /// # Errors
    /// [`SocketError::Receive`]; do not read on.
    #[inline]
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Option<usize>, SocketError> {
        match recv(self.descriptor.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
            Ok(length) => Ok(Some(length)),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(None),
            Err(errno) => Err(SocketError::Receive(errno.into())),
        }
    }

    /// Sends a frame, or loses it when the interface cannot take it at once: whoever asked will ask again.
    ///
    /// # Errors
    /// [`SocketError::Send`] when the frame is lost.
    #[inline]
    pub fn send(&self, frame: &[u8]) -> Result<(), SocketError> {
        let sent = send(self.descriptor.as_raw_fd(), frame, MsgFlags::MSG_DONTWAIT);
        sent.map(|_length| ()).map_err(|errno| SocketError::Send(errno.into()))
    }

    /// Gives how many frames the kernel has dropped since it was last asked, since none more fitted into the socket.
    #[must_use]
    pub fn take_drops(&self) -> u32 {
        let mut statistics = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
        let Ok(mut length) = libc::socklen_t::try_from(mem::size_of_val(&statistics)) else { return 0 };
        let descriptor = self.descriptor.as_raw_fd();
        let (value, length) = ((&raw mut statistics).cast(), &raw mut length);
        // SAFETY: both pointers are to initialised values that outlive the call, which writes no more than that length.
        let code = unsafe { libc::getsockopt(descriptor, libc::SOL_PACKET, libc::PACKET_STATISTICS, value, length) };
        if code == 0 { statistics.tp_drops } else { 0 }
    }

    fn set_group(&self, option: c_int, group: Mac) -> Result<(), SocketError> {
        let mut mr_address = [0; 8];
        mr_address.iter_mut().zip(group.0).for_each(|(to, from)| *to = from);
        let request = libc::packet_mreq {
            mr_ifindex: self.link,
            mr_type: c_ushort::try_from(libc::PACKET_MR_MULTICAST).unwrap_or_default(),
            mr_alen: 6,
            mr_address,
        };
        // SAFETY: the option takes a packet_mreq, which holds no pointer.
        unsafe { set(&self.descriptor, libc::SOL_PACKET, option, &request) }.map_err(SocketError::Group)
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

fn attach(descriptor: &OwnedFd, filter: &[Instruction]) -> Result<(), SocketError> {
    let instruction = |&Instruction { code, if_true, if_false, value }: &Instruction| libc::sock_filter {
        code,
        jt: if_true,
        jf: if_false,
        k: value,
    };
    let mut instructions: Vec<_> = filter.iter().map(instruction).collect();
    let len = c_ushort::try_from(instructions.len()).map_err(|_| SocketError::Filter(Errno::EINVAL.into()))?;
    let program = libc::sock_fprog { len, filter: instructions.as_mut_ptr() };
    // SAFETY: the option takes a sock_fprog; its pointer is to as many instructions as it says, which outlive the call.
    // The kernel copies them.
    unsafe { set(descriptor, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program) }.map_err(SocketError::Filter)
}

/// Sets an option.
///
/// # Safety
/// The option must take a value of this type, and pointers in it must be good for what the option does with them.
unsafe fn set<T>(descriptor: &OwnedFd, level: c_int, option: c_int, value: &T) -> io::Result<()> {
    let length = libc::socklen_t::try_from(mem::size_of::<T>()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the pointer is to a value of that length that outlives the call; the rest is the caller's promise.
    let code = unsafe { libc::setsockopt(descriptor.as_raw_fd(), level, option, (&raw const *value).cast(), length) };
    Errno::result(code)?;
    Ok(())
}

/// Gives the address that ties a socket to the frames of a protocol on an interface.
fn address(link: c_int, ethertype: u16) -> Result<LinkAddr, SocketError> {
    let no_such_interface = || SocketError::Bind(Errno::ENODEV.into());
    let raw = libc::sockaddr_ll {
        sll_family: libc::sa_family_t::try_from(libc::AF_PACKET).map_err(|_| no_such_interface())?,
        sll_protocol: ethertype.to_be(),
        sll_ifindex: link,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: the pointer is to an initialised sockaddr_ll that outlives the call, which copies as much.
    let address = unsafe { LinkAddr::from_raw((&raw const raw).cast(), None) };
    address.ok_or_else(no_such_interface)
}
