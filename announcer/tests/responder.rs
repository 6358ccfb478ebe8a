//! The responder's rules, on a clock that only the test moves.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use announcer::plan::{Plan, Silent, Status, Vip, Which};
use announcer::responder::{
    Action, Config, DEFAULT_EXCLUSIONS, Event, Exclusions, Link, Purpose, ROUND_INTERVAL, Responder, Silence, Timing,
    Traits, Transmission,
};
use announcer::wire::Malformed;
use announcer::wire::arp::{Frame, Operation, Packet};
use announcer::wire::ethernet::Mac;

const VIP: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 200);
const OTHER_VIP: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 201);
const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 50);
const CLIENT_MAC: Mac = Mac([2, 0, 0, 0, 0, 50]);
const START: Duration = Duration::from_secs(1_000);
const MINUTE: Duration = Duration::from_mins(1);

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
        Self {
            responder: Responder::new(Config {
                node: "node-1".to_owned(),
                exclusions,
                epoch: 1,
                timing: Timing::DEFAULT,
            }),
            now: START,
            status: None,
        }
    }

    /// This node first for the VIP, with lan0 up.
    fn answering() -> Self {
        let mut lab = Self::new();
        lab.links(vec![link(2, "lan0")]);
        lab.plan(vec![vip(VIP, &["node-1", "node-2"])]);
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
        self.happen(Event::Plan(Plan { generation: 7, vips }))
    }

    fn links(&mut self, links: Vec<Link>) -> Vec<Action> {
        self.happen(Event::Links(links))
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
        (|frame| frame.packet.target_ip = OTHER_VIP, Silence::NotFirst),
    ];
    let mut lab = Lab::answering();
    lab.plan(vec![vip(VIP, &["node-1"]), vip(OTHER_VIP, &["node-2", "node-1"])]);
    for (change, silence) in changes {
        let mut frame = request(VIP);
        change(&mut frame);
        assert_eq!(lab.hear(2, frame), Action::Ignore(silence), "{frame:?}");
    }
    assert_eq!(lab.hear(3, request(VIP)), Action::Ignore(Silence::OtherLink));
}

#[test]
fn a_frame_that_makes_no_sense_is_dropped() {
    let mut lab = Lab::answering();
    assert_eq!(lab.happen(Event::Frame(2, vec![0; 20])), [Action::Drop(Malformed::EtherType(0))]);
}

#[test]
fn only_the_first_candidate_answers() {
    for (nodes, silence) in [
        (&["node-1"][..], None),
        (&["node-1", "node-2"], None),
        (&["node-2", "node-1"], Some(Silence::NotFirst)),
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
fn an_address_of_the_other_family_is_reported_as_not_served() {
    let ip: IpAddr = "fd00:1::200".parse().unwrap();
    let mut lab = Lab::answering();
    lab.plan(vec![vip(ip, &["node-1"])]);
    assert_eq!(lab.silence(ip), Some(Silence::FamilyNotServed));
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
fn an_address_that_starts_to_be_answered_is_announced_five_times_in_five_seconds() {
    let mut lab = Lab::new();
    lab.links(vec![link(2, "lan0")]);
    let now = announcements(&lab.plan(vec![vip(VIP, &["node-1"])]));
    assert_eq!(now.len(), 2);
    let later = lab.run_for(MINUTE);
    let times: Vec<_> = later.iter().map(|(time, _)| time.as_millis()).collect();
    assert_eq!(times, [1_100, 1_100, 2_200, 2_200, 3_300, 3_300, 4_400, 4_400]);
    assert!(later.chunks(2).all(|round| round.iter().map(|(_, sent)| sent).eq(&now)));
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
fn a_plan_that_changes_nothing_for_an_address_does_not_announce_it_again() {
    let mut lab = Lab::answering();
    lab.run_for(ROUND_INTERVAL / 2);
    let both = vec![vip(VIP, &["node-1", "node-3"]), vip(OTHER_VIP, &["node-1"])];
    let new = announcements(&lab.plan(both));
    assert!(
        new.iter().all(|sent| sent.purpose == Purpose::Announcement(OTHER_VIP.into())) && new.len() == 2,
        "{new:?}"
    );
    let rest = lab.run_for(MINUTE);
    assert_eq!(rest.iter().filter(|(_, sent)| sent.purpose == Purpose::Announcement(VIP.into())).count(), 8);
    assert_eq!(rest.iter().filter(|(_, sent)| sent.purpose == Purpose::Announcement(OTHER_VIP.into())).count(), 8);
}

#[test]
fn an_address_that_comes_back_is_announced_again() {
    let mut lab = Lab::answering();
    lab.run_for(MINUTE);
    assert!(announcements(&lab.plan(vec![vip(VIP, &["node-2", "node-1"])])).is_empty());
    assert!(lab.run_for(MINUTE).is_empty());
    assert_eq!(announcements(&lab.plan(vec![vip(VIP, &["node-1", "node-2"])])).len(), 2);
}

#[test]
fn an_address_that_is_given_away_is_not_announced_any_more() {
    let mut lab = Lab::answering();
    lab.plan(vec![]);
    assert!(lab.run_for(MINUTE).is_empty());
    assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::NotOurs));
}

#[test]
fn an_interface_that_comes_up_is_announced_on_and_the_others_are_not() {
    let mut lab = Lab::answering();
    lab.run_for(MINUTE);
    let new = announcements(&lab.links(vec![link(2, "lan0"), link(3, "lan1")]));
    assert!(new.iter().all(|sent| sent.link == 3) && new.len() == 2, "{new:?}");
}

#[test]
fn an_interface_that_lost_its_carrier_for_a_moment_is_announced_on_again() {
    let mut lab = Lab::answering();
    lab.run_for(MINUTE);
    let down = with(link(2, "lan0"), |link| link.traits.is_up = false);
    assert!(lab.links(vec![down]).contains(&Action::Close(2)));
    assert_eq!(lab.silence(VIP), Some(Silence::NoUsableInterface));
    let actions = lab.links(vec![link(2, "lan0")]);
    assert_eq!(actions[0], Action::Open(2));
    assert_eq!(announcements(&actions).len(), 2);
}

#[test]
fn an_interface_that_has_just_got_its_carrier_answers_at_once_and_announces_again_when_it_surely_sends() {
    let mut lab = Lab::new();
    lab.plan(vec![vip(VIP, &["node-1"])]);
    let early = with(link(2, "lan0"), |link| link.traits.is_running = false);
    assert_eq!(announcements(&lab.links(vec![early])).len(), 2);
    assert_eq!(answer(&lab.hear(2, request(VIP))).packet.sender_mac, mac(2));
    lab.run_for(MINUTE);
    assert_eq!(announcements(&lab.links(vec![link(2, "lan0")])).len(), 2);
    assert_eq!(lab.run_for(MINUTE).len(), 8);
}

#[test]
fn a_new_mac_is_announced_and_answered_with_at_once() {
    let mut lab = Lab::answering();
    lab.run_for(MINUTE);
    let moved = announcements(&lab.links(vec![with(link(2, "lan0"), |link| link.mac = Some(mac(77)))]));
    assert_eq!(Frame::read(&moved[0].frame).unwrap().packet.sender_mac, mac(77));
    assert_eq!(answer(&lab.hear(2, request(VIP))).packet.sender_mac, mac(77));
    assert_eq!(lab.status.unwrap().answering[0].interfaces[0].mac, mac(77));
}

#[test]
fn a_socket_that_fails_is_opened_again_after_a_while_and_nothing_is_claimed_meanwhile() {
    let mut lab = Lab::new();
    lab.plan(vec![vip(VIP, &["node-1"])]);
    assert_eq!(lab.handle(Event::Links(vec![link(2, "lan0")]))[0], Action::Open(2));
    lab.handle(Event::Lost(2));
    assert_eq!(lab.silence(VIP), Some(Silence::SocketClosed));
    assert!(!lab.responder.is_listening());
    assert_eq!(lab.responder.deadline(), Some(START + Timing::DEFAULT.socket_retry));
    lab.now += Timing::DEFAULT.socket_retry;
    assert_eq!(lab.handle(Event::Tick), [Action::Open(2)]);
    assert_eq!(announcements(&lab.handle(Event::Opened(2))).len(), 2);
    assert!(lab.responder.is_listening());
    assert_eq!(lab.silence(VIP), None);
}

#[test]
fn it_listens_once_the_interfaces_are_known_also_with_an_empty_plan_or_no_interface() {
    let mut lab = Lab::new();
    assert!(!lab.responder.is_listening());
    lab.links(vec![]);
    assert!(lab.responder.is_listening());
    lab.links(vec![link(2, "lan0")]);
    assert!(lab.responder.is_listening());
}

#[test]
fn a_late_round_moves_the_ones_after_it_instead_of_making_up_for_them() {
    let mut lab = Lab::answering();
    lab.now += Duration::from_secs(4);
    assert_eq!(announcements(&lab.happen(Event::Tick)).len(), 2);
    assert!(lab.run_for(MINUTE).is_empty());
}

#[test]
fn stopping_closes_everything_reports_and_is_silent_for_good() {
    let mut lab = Lab::answering();
    let actions = lab.happen(Event::Stop);
    assert_eq!(actions[0], Action::Close(2));
    assert_eq!(lab.silence(VIP), Some(Silence::Stopping));
    assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::Stopping));
    assert!(lab.run_for(MINUTE).is_empty());
    assert_eq!(lab.links(vec![link(2, "lan0"), link(3, "lan1")]), [Action::Finished]);
    let late = lab.plan(vec![vip(VIP, &["node-1"]), vip(OTHER_VIP, &["node-1"])]);
    assert!(matches!(late[..], [Action::Report(_), Action::Finished]), "{late:?}");
}

#[test]
fn the_status_is_reported_when_it_changes_and_only_then() {
    let mut lab = Lab::answering();
    assert!(lab.plan(vec![vip(VIP, &["node-1", "node-2"])]).is_empty());
    assert!(lab.links(vec![link(2, "lan0")]).is_empty());
    assert!(matches!(lab.plan(vec![])[..], [Action::Report(_)]));
    let newer = lab.happen(Event::Plan(Plan { generation: 8, vips: vec![] }));
    assert!(matches!(&newer[..], [Action::Report(status)] if status.generation == 8));
}

#[test]
fn an_exclusion_that_is_no_regular_expression_is_refused() {
    assert!(Exclusions::new(&["^lan", "("]).is_err());
}
