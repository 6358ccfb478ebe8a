//! A responder on a clock that only the test moves, and what it hears.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use announcer::plan::{Plan, Vip};
use announcer::responder::{
    Action, Config, DEFAULT_EXCLUSIONS, Event, Exclusions, Link, Notice, Purpose, Responder, Silence, Timing, Traits,
    Transmission,
};
use announcer::status::{Silent, Status, Which};
use announcer::wire::arp::{Frame, Operation, Packet};
use announcer::wire::ethernet::Mac;
use announcer::wire::hello::{Hello, Key, KeyRing};

use crate::fellow::Fellow;

pub const VIP: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 200);
pub const OTHER_VIP: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 201);
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 50);
pub const CLIENT_MAC: Mac = Mac([2, 0, 0, 0, 0, 50]);
pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_mins(1);
pub const MILLI: Duration = Duration::from_millis(1);
pub const TIMING: Timing = Timing::DEFAULT;

const START: Duration = Duration::from_secs(1_000);

/// An action, and when it was asked for, counted from the start.
pub type Done = (Duration, Action);

/// A responder, its clock, and what it did last.
pub struct Lab {
    pub responder: Responder,
    pub now: Duration,
    pub status: Option<Status>,
    /// The frame of the hello that it sent last.
    pub hello: Vec<u8>,
}

impl Lab {
    pub fn new() -> Self {
        let mut lab = Self::without_keys();
        lab.happen(Event::Keys(keys(&[7])));
        lab
    }

    pub fn without_keys() -> Self {
        let exclusions = Exclusions::new(&DEFAULT_EXCLUSIONS).unwrap();
        let config = Config { node: "node-1".to_owned(), exclusions, epoch: 1, timing: TIMING };
        Self { responder: Responder::new(config), now: START, status: None, hello: Vec::new() }
    }

    /// With lan0 up, and done with listening.
    pub fn on_lan() -> Self {
        let mut lab = Self::new();
        lab.links(vec![link(2, "lan0")]);
        lab
    }

    /// This node first for the VIP, on lan0.
    pub fn answering() -> Self {
        let mut lab = Self::on_lan();
        lab.plan(vec![vip(VIP, &["node-1", "node-2"])]);
        lab
    }

    /// Lets something happen to a node whose sockets open at once.
    pub fn happen(&mut self, event: Event) -> Vec<Action> {
        let mut actions = self.handle(event);
        for link in actions.clone() {
            if let Action::Open(link) = link {
                actions.extend(self.handle(Event::Opened(link)));
            }
        }
        actions
    }

    pub fn handle(&mut self, event: Event) -> Vec<Action> {
        let actions = self.responder.handle(event, self.now);
        for action in &actions {
            match action {
                Action::Report(status) => self.status = Some(status.clone()),
                Action::Send(sent) if sent.purpose == Purpose::Hello => self.hello.clone_from(&sent.frame),
                _ => {}
            }
        }
        actions
    }

    /// Gives what follows from a plan, at once and within the second after it.
    pub fn plan(&mut self, vips: Vec<Vip>) -> Vec<Done> {
        self.let_happen(Event::Plan(Plan { generation: 7, vips }))
    }

    /// The same for interfaces; those that have just come up have listened by then.
    pub fn links(&mut self, links: Vec<Link>) -> Vec<Done> {
        self.let_happen(Event::Links(links))
    }

    pub fn let_happen(&mut self, event: Event) -> Vec<Done> {
        let at = self.time();
        let now = self.happen(event).into_iter().map(|action| (at, action));
        let now: Vec<_> = now.collect();
        let later = self.run_for(SECOND);
        now.into_iter().chain(later).collect()
    }

    /// Hears a frame that means one thing only.
    pub fn hear(&mut self, link: u32, frame: Frame) -> Action {
        let actions = self.happen(Event::Frame(link, frame.write().to_vec()));
        let [action] = <[Action; 1]>::try_from(actions).unwrap();
        action
    }

    /// Why the last status says that nothing is answered for the address.
    pub fn silence(&self, ip: impl Into<IpAddr>) -> Option<Silence> {
        let ip = ip.into();
        let status = self.status.as_ref().unwrap();
        let covers = |silent: &&Silent| match &silent.which {
            Which::Ips(ips) => ips.contains(&ip),
            Which::Count(count) => *count == 1,
        };
        let silent = status.silent.iter().find(covers);
        assert_ne!(silent.is_some(), status.answering.iter().any(|group| group.ips.contains(&ip)), "{status:?}");
        silent.map(|silent| silent.reason)
    }

    pub fn answers(&self, ip: impl Into<IpAddr>) -> bool {
        self.responder.answers(ip.into()).next().is_some()
    }

    pub fn time(&self) -> Duration {
        self.now.saturating_sub(START)
    }

    /// Moves the clock from deadline to deadline.
    pub fn run_for(&mut self, duration: Duration) -> Vec<Done> {
        let end = self.now + duration;
        let mut done = Vec::new();
        while let Some(deadline) = self.responder.deadline().filter(|deadline| *deadline <= end) {
            assert!(deadline > self.now, "a deadline that is over does not move the clock");
            self.now = deadline;
            let at = self.time();
            done.extend(self.happen(Event::Tick).into_iter().map(|action| (at, action)));
        }
        self.now = end;
        done
    }

    /// Moves the clock, while the fellow says hello every tenth of a second.
    pub fn run_with(&mut self, fellow: &mut Fellow, duration: Duration) -> Vec<Done> {
        let end = self.now + duration;
        let mut done = Vec::new();
        while self.now < end {
            done.extend(self.run_for(end.saturating_sub(self.now).min(TIMING.interval)));
            let at = self.time();
            done.extend(self.happen(fellow.hello(&self.hello)).into_iter().map(|action| (at, action)));
        }
        done
    }

    /// Gives a fellow that has proved that it lives.
    pub fn meet(&mut self, name: &'static str) -> Fellow {
        let mut fellow = Fellow::new(name);
        self.happen(fellow.hello(&self.hello));
        self.run_for(MILLI * 10);
        let actions = self.happen(fellow.hello(&self.hello));
        assert!(!actions.iter().any(|action| matches!(action, Action::Discard(_))), "{actions:?}");
        fellow
    }
}

pub fn keys(keys: &[u8]) -> KeyRing {
    KeyRing::new(keys.iter().map(|&key| Key::new(&[key; 32])).collect())
}

pub fn mac(link: u32) -> Mac {
    Mac([2, 0, 0, 0, 1, u8::try_from(link).unwrap()])
}

pub fn link(index: u32, name: &str) -> Link {
    let traits = Traits {
        is_up: true,
        is_running: true,
        is_ethernet: true,
        can_broadcast: true,
        has_no_arp: false,
        has_master: false,
        has_ipv6: true,
    };
    Link { index, name: name.to_owned(), mac: Some(mac(index)), link_local: None, traits }
}

pub fn with(mut link: Link, change: impl FnOnce(&mut Link)) -> Link {
    change(&mut link);
    link
}

pub fn vip(ip: impl Into<IpAddr>, nodes: &[&str]) -> Vip {
    Vip { ip: ip.into(), nodes: nodes.iter().map(|&node| node.to_owned()).collect(), interfaces: None, moving: false }
}

pub fn on(vip: Vip, interfaces: &[&str]) -> Vip {
    Vip { interfaces: Some(interfaces.iter().map(|&name| name.to_owned()).collect()), ..vip }
}

pub fn request(ip: Ipv4Addr) -> Frame {
    let packet = Packet {
        operation: Operation::Request,
        sender_mac: CLIENT_MAC,
        sender_ip: CLIENT,
        target_mac: Mac([0; 6]),
        target_ip: ip,
    };
    Frame { destination: Mac::BROADCAST, source: CLIENT_MAC, packet }
}

/// Gives what was sent for this reason, and when.
pub fn sent(done: &[Done], purpose: impl Fn(Purpose) -> bool) -> Vec<(Duration, Transmission)> {
    let sent = |(at, action): &Done| match action {
        Action::Send(transmission) if purpose(transmission.purpose) => Some((*at, transmission.clone())),
        _ => None,
    };
    done.iter().filter_map(sent).collect()
}

pub fn announcements(done: &[Done]) -> Vec<(Duration, Transmission)> {
    sent(done, |purpose| matches!(purpose, Purpose::Announcement(_)))
}

/// Gives when an address was announced, one time for each round, in milliseconds since a moment.
pub fn rounds(done: &[Done], ip: impl Into<IpAddr>, since: Duration) -> Vec<u128> {
    let ip = ip.into();
    let sent = sent(done, |purpose| purpose == Purpose::Announcement(ip));
    let mut times: Vec<_> = sent.iter().map(|(at, _)| at.saturating_sub(since).as_millis()).collect();
    times.dedup();
    times
}

pub fn notices(done: &[Done]) -> Vec<(Duration, Notice)> {
    let notice = |(at, action): &Done| match action {
        Action::Note(notice) => Some((*at, notice.clone())),
        _ => None,
    };
    done.iter().filter_map(notice).collect()
}

/// Gives the hello in a frame of one.
pub fn opened(frame: &[u8]) -> Hello<'_> {
    Hello::open(frame, &keys(&[7, 8])).unwrap().0
}

pub fn answer(action: &Action) -> Frame {
    match action {
        Action::Send(Transmission { purpose: Purpose::Answer(_), frame, .. }) => Frame::read(frame).unwrap(),
        other => panic!("{other:?}"),
    }
}
