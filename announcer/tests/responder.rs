//! The responder's rules, on a clock that only the test moves.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use announcer::plan::{Plan, Silent, Status, Vip, Which};
use announcer::responder::{
    Action, Config, DEFAULT_EXCLUSIONS, Event, Exclusions, Link, Purpose, Responder, Silence, Timing, Traits,
    Transmission,
};
use announcer::wire::Malformed;
use announcer::wire::arp::{Frame, Operation, Packet};
use announcer::wire::ethernet::Mac;
use announcer::wire::hello::{Key, KeyRing};
use announcer::wire::ipv6::{ALL_NODES, group_mac, solicited_node};
use announcer::wire::ndp::{Message, Neighbor};

const VIP: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 200);
const OTHER_VIP: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 201);
const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 50);
const CLIENT_MAC: Mac = Mac([2, 0, 0, 0, 0, 50]);
const START: Duration = Duration::from_secs(1_000);
const SECOND: Duration = Duration::from_secs(1);

type Change = fn(&mut Frame);

/// A responder, its clock, and the status that it reported last.
struct Lab {
    responder: Responder,
    now: Duration,
    status: Option<Status>,
}

impl Lab {
    fn new() -> Self {
        let exclusions = Exclusions::new(&DEFAULT_EXCLUSIONS).unwrap();
        let config = Config { node: "node-1".to_owned(), exclusions, epoch: 1, timing: Timing::DEFAULT };
        let mut lab = Self { responder: Responder::new(config), now: START, status: None };
        lab.happen(Event::Keys(KeyRing::new(vec![Key::new(&[7; 32])])));
        lab
    }

    /// This node first for the VIP, with lan0 up, and done with listening.
    fn answering() -> Self {
        let mut lab = Self::new();
        lab.links(vec![link(2, "lan0")]);
        lab.plan(vec![vip(VIP, &["node-1", "node-2"])]);
        lab.run_for(SECOND);
        lab
    }

    /// Lets something happen to a node whose sockets open at once.
    fn happen(&mut self, event: Event) -> Vec<Action> {
        let mut actions = self.handle(event);
        for link in actions.clone() {
            if let Action::Open(link) = link {
                actions.extend(self.handle(Event::Opened(link)));
            }
        }
        actions
    }

    fn handle(&mut self, event: Event) -> Vec<Action> {
        let actions = self.responder.handle(event, self.now);
        for action in &actions {
            if let Action::Report(status) = action {
                self.status = Some(status.clone());
            }
        }
        actions
    }

    fn plan(&mut self, vips: Vec<Vip>) -> Vec<Action> {
        let actions = self.happen(Event::Plan(Plan { generation: 7, vips }));
        self.run_for(SECOND);
        actions
    }

    /// Brings interfaces up and lets the time of listening pass.
    fn links(&mut self, links: Vec<Link>) -> Vec<Action> {
        let actions = self.happen(Event::Links(links));
        self.run_for(SECOND);
        actions
    }

    fn hear(&mut self, link: u32, frame: Frame) -> Action {
        let actions = self.happen(Event::Frame(link, frame.write().to_vec()));
        let [action] = <[Action; 1]>::try_from(actions).unwrap();
        action
    }

    /// Why the last status says that nothing is answered for the address.
    fn silence(&self, ip: impl Into<IpAddr>) -> Option<Silence> {
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

    /// Moves the clock from deadline to deadline, and gives when something was announced, counted from the start.
    fn run_for(&mut self, duration: Duration) -> Vec<(Duration, Transmission)> {
        let end = self.now + duration;
        let mut announced = Vec::new();
        while let Some(deadline) = self.responder.deadline().filter(|deadline| *deadline <= end) {
            assert!(deadline > self.now, "a deadline that is over does not move the clock");
            self.now = deadline;
            let sent = announcements(&self.happen(Event::Tick));
            announced.extend(sent.into_iter().map(|transmission| (self.now.saturating_sub(START), transmission)));
        }
        self.now = end;
        announced
    }
}

fn mac(link: u32) -> Mac {
    Mac([2, 0, 0, 0, 1, u8::try_from(link).unwrap()])
}

fn link(index: u32, name: &str) -> Link {
    let traits = Traits {
        is_up: true,
        is_running: true,
        is_ethernet: true,
        can_broadcast: true,
        has_no_arp: false,
        has_master: false,
    };
    Link { index, name: name.to_owned(), mac: Some(mac(index)), link_local: None, traits }
}

fn with(mut link: Link, change: impl FnOnce(&mut Link)) -> Link {
    change(&mut link);
    link
}

fn vip(ip: impl Into<IpAddr>, nodes: &[&str]) -> Vip {
    Vip { ip: ip.into(), nodes: nodes.iter().map(|&node| node.to_owned()).collect(), interfaces: None }
}

fn on(vip: Vip, interfaces: &[&str]) -> Vip {
    Vip { interfaces: Some(interfaces.iter().map(|&name| name.to_owned()).collect()), ..vip }
}

fn request(ip: Ipv4Addr) -> Frame {
    let packet = Packet {
        operation: Operation::Request,
        sender_mac: CLIENT_MAC,
        sender_ip: CLIENT,
        target_mac: Mac([0; 6]),
        target_ip: ip,
    };
    Frame { destination: Mac::BROADCAST, source: CLIENT_MAC, packet }
}

fn announcements(actions: &[Action]) -> Vec<Transmission> {
    let announcement = |action: &Action| match action {
        Action::Send(transmission) if matches!(transmission.purpose, Purpose::Announcement(_)) => {
            Some(transmission.clone())
        }
        _ => None,
    };
    actions.iter().filter_map(announcement).collect()
}

fn answer(action: &Action) -> Frame {
    match action {
        Action::Send(Transmission { purpose: Purpose::Answer(_), frame, .. }) => Frame::read(frame).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_for_an_address_of_ours_is_answered_to_its_sender_alone() {
    let mut lab = Lab::answering();
    let packet = Packet {
        operation: Operation::Reply,
        sender_mac: mac(2),
        sender_ip: VIP,
        target_mac: CLIENT_MAC,
        target_ip: CLIENT,
    };
    let expected = Frame { destination: CLIENT_MAC, source: mac(2), packet };
    assert_eq!(answer(&lab.hear(2, request(VIP))), expected);
    let unicast = Frame { destination: mac(2), ..request(VIP) };
    assert_eq!(answer(&lab.hear(2, unicast)), expected);
}

#[test]
fn a_probe_is_answered_so_that_its_sender_learns_that_the_address_is_in_use() {
    let mut lab = Lab::answering();
    let mut probe = request(VIP);
    probe.packet.sender_ip = Ipv4Addr::UNSPECIFIED;
    let answer = answer(&lab.hear(2, probe));
    assert_eq!((answer.destination, answer.packet.target_ip), (CLIENT_MAC, Ipv4Addr::UNSPECIFIED));
}

#[test]
fn what_is_not_a_request_to_us_gets_silence_with_its_reason() {
    let changes: [(Change, Silence); 7] = [
        (|frame| frame.packet.operation = Operation::Reply, Silence::NotARequest),
        (|frame| frame.packet.operation = Operation::Other(8), Silence::NotARequest),
        (|frame| frame.destination = mac(9), Silence::NotForUs),
        (|frame| frame.packet.sender_ip = VIP, Silence::Announcement),
        (|frame| frame.packet.sender_mac = Mac::BROADCAST, Silence::GroupSender),
        (|frame| frame.packet.target_ip = Ipv4Addr::new(192, 168, 1, 11), Silence::NotOurs),
        (|frame| frame.packet.target_ip = OTHER_VIP, Silence::NotACandidate),
    ];
    let mut lab = Lab::answering();
    lab.plan(vec![vip(VIP, &["node-1"]), vip(OTHER_VIP, &["node-2"])]);
    for (change, silence) in changes {
        let mut frame = request(VIP);
        change(&mut frame);
        assert_eq!(lab.hear(2, frame), Action::Ignore(silence), "{frame:?}");
    }
    assert_eq!(lab.hear(3, request(VIP)), Action::Ignore(Silence::SocketClosed));
}

#[test]
fn a_frame_that_makes_no_sense_is_dropped() {
    let mut lab = Lab::answering();
    assert_eq!(lab.happen(Event::Frame(2, vec![0; 20])), [Action::Drop(Malformed::EtherType(0))]);
}

#[test]
fn the_first_candidate_that_lives_answers() {
    for (nodes, silence) in [
        (&["node-1"][..], None),
        (&["node-1", "node-2"], None),
        (&["node-2", "node-1"], None),
        (&["node-2"], Some(Silence::NotACandidate)),
        (&["node-10"], Some(Silence::NotACandidate)),
        (&[], Some(Silence::NotACandidate)),
    ] {
        let mut lab = Lab::answering();
        lab.plan(vec![vip(VIP, nodes)]);
        assert_eq!(lab.silence(VIP), silence, "{nodes:?}");
    }
}

#[test]
fn without_named_interfaces_every_usable_one_answers() {
    let mut lab = Lab::new();
    lab.links(vec![
        link(2, "lan0"),
        link(3, "lan1"),
        link(4, "veth12ab"),
        link(5, "docker0"),
        link(6, "lo"),
        with(link(7, "down0"), |link| link.traits.is_up = false),
        with(link(8, "slave0"), |link| link.traits.has_master = true),
        with(link(9, "quiet0"), |link| link.traits.has_no_arp = true),
        with(link(10, "ppp0"), |link| link.traits.can_broadcast = false),
        with(link(11, "ib0"), |link| link.traits.is_ethernet = false),
        with(link(12, "nomac0"), |link| link.mac = None),
        link(13, "local0"),
    ]);
    lab.plan(vec![vip(VIP, &["node-1"])]);
    let interfaces = &lab.status.unwrap().answering[0].interfaces;
    let names: Vec<_> = interfaces.iter().map(|interface| interface.name.as_str()).collect();
    assert_eq!(names, ["lan0", "lan1", "local0"]);
}

#[test]
fn a_named_interface_that_cannot_be_used_means_silence_with_the_reason() {
    for (names, silence) in [
        (&["lan0"][..], None),
        (&["lan9", "lan0"], None),
        (&["lan9"], Some(Silence::InterfaceMissing)),
        (&["down0"], Some(Silence::InterfaceMissing)),
        (&["slave0"], Some(Silence::InterfaceUnusable)),
        (&["docker0", "lan9"], Some(Silence::InterfaceUnusable)),
        (&[], Some(Silence::InterfaceMissing)),
    ] {
        let mut lab = Lab::new();
        lab.links(vec![
            link(2, "lan0"),
            with(link(3, "down0"), |link| link.traits.is_up = false),
            with(link(4, "slave0"), |link| link.traits.has_master = true),
            link(5, "docker0"),
        ]);
        lab.plan(vec![on(vip(VIP, &["node-1"]), names)]);
        assert_eq!(lab.silence(VIP), silence, "{names:?}");
    }
}

#[test]
fn without_any_usable_interface_nothing_is_answered() {
    let mut lab = Lab::new();
    lab.plan(vec![vip(VIP, &["node-1"])]);
    assert_eq!(lab.silence(VIP), Some(Silence::NoUsableInterface));
    lab.links(vec![link(2, "veth0")]);
    assert_eq!(lab.silence(VIP), Some(Silence::NoUsableInterface));
}

#[test]
fn an_address_is_answered_only_where_the_plan_names_the_interface() {
    let mut lab = Lab::new();
    lab.links(vec![link(2, "lan0"), link(3, "lan1")]);
    lab.plan(vec![on(vip(VIP, &["node-1"]), &["lan1"])]);
    assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::OtherLink));
    assert_eq!(answer(&lab.hear(3, request(VIP))).packet.sender_mac, mac(3));
}

#[test]
fn an_announcement_is_a_request_and_a_reply_about_the_address_itself_to_all() {
    let mut lab = Lab::new();
    lab.links(vec![link(2, "lan0")]);
    let sent = announcements(&lab.plan(vec![vip(VIP, &["node-1"])]));
    for (transmission, operation) in sent.iter().zip([Operation::Request, Operation::Reply]) {
        let (sender_mac, target_mac) = (mac(2), Mac::BROADCAST);
        let packet = Packet { operation, sender_mac, sender_ip: VIP, target_mac, target_ip: VIP };
        let frame = Frame { destination: Mac::BROADCAST, source: mac(2), packet };
        assert_eq!(Frame::read(&transmission.frame), Ok(frame));
        assert_eq!((transmission.link, transmission.purpose), (2, Purpose::Announcement(VIP.into())));
    }
}

#[test]
fn an_exclusion_that_is_no_regular_expression_is_refused() {
    assert!(Exclusions::new(&["^lan", "("]).is_err());
}

#[test]
fn after_a_stop_of_the_dead_time_nothing_is_answered_until_it_has_listened() {
    let mut lab = Lab::answering();
    lab.now += Timing::DEFAULT.dead_after(Timing::DEFAULT.interval);
    let actions = lab.handle(Event::Frame(2, request(VIP).write().to_vec()));
    assert!(actions.contains(&Action::Ignore(Silence::Fenced)), "{actions:?}");
    lab.run_for(Duration::from_millis(340));
    assert!(lab.responder.answers(VIP.into()).next().is_none());
    lab.run_for(Duration::from_millis(10));
    assert!(lab.responder.answers(VIP.into()).next().is_some());
}

#[test]
fn without_a_key_nothing_is_answered() {
    let mut lab = Lab::answering();
    lab.happen(Event::Keys(KeyRing::default()));
    assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::NoKey));
}

#[test]
fn alone_it_ends_at_once_when_told_to_stop() {
    let mut lab = Lab::answering();
    let actions = lab.happen(Event::Stop);
    assert_eq!(actions.last(), Some(&Action::Finished));
    assert!(actions.contains(&Action::Close(2)));
    assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::Stopping));
}

#[test]
fn a_solicitation_with_and_without_the_askers_mac_is_answered_and_a_probe_is_answered_to_all() {
    let target: Ipv6Addr = "fd00::200".parse().unwrap();
    let asker: Ipv6Addr = "fe80::50".parse().unwrap();
    let mut lab = Lab::new();
    lab.links(vec![link(2, "lan0")]);
    lab.plan(vec![vip(target, &["node-1"])]);
    for (source, source_mac, destination, is_solicited) in [
        (asker, Some(CLIENT_MAC), solicited_node(target), true),
        (asker, None, target, true),
        (Ipv6Addr::UNSPECIFIED, None, solicited_node(target), false),
    ] {
        let destination_mac = if destination == target { mac(2) } else { group_mac(destination) };
        let message = Message::Solicitation { target, source_mac };
        let question = Neighbor { destination_mac, source_mac: CLIENT_MAC, destination, source, message };
        let actions = lab.happen(Event::Frame(2, question.write()));
        let [Action::Send(sent)] = &actions[..] else { panic!("{actions:?}") };
        let answer = Neighbor::read(&sent.frame).unwrap();
        let is_override = !is_solicited;
        let target_mac = Some(mac(2));
        assert_eq!(answer.message, Message::Advertisement { target, target_mac, is_solicited, is_override });
        let expected = if is_solicited { (CLIENT_MAC, source) } else { (group_mac(ALL_NODES), ALL_NODES) };
        assert_eq!((answer.destination_mac, answer.destination), expected);
    }
}

#[test]
fn the_groups_of_ipv6_addresses_are_joined_once_each_and_left_with_the_last() {
    let [one, same]: [IpAddr; 2] = ["fd00::1:200", "fd01::1:200"].map(|ip| ip.parse().unwrap());
    let group = Mac([0x33, 0x33, 0xff, 1, 2, 0]);
    let mut lab = Lab::new();
    lab.links(vec![link(2, "lan0")]);
    let joined = lab.plan(vec![vip(one, &["node-1"]), vip(same, &["node-1"])]);
    assert_eq!(joined.iter().filter(|action| **action == Action::Join(2, group)).count(), 1);
    assert!(!lab.plan(vec![vip(one, &["node-1"])]).contains(&Action::Leave(2, group)));
    assert!(lab.plan(vec![]).contains(&Action::Leave(2, group)));
}
