//! The numbers that each address has: a few bytes apiece, since there may be thousands.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;

use crate::status::Status;

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    answers: u64,
    announcements: u64,
}

/// Numbers by address.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses {
    counts: HashMap<IpAddr, Counts>,
    /// Says which addresses are answered.
    pub answering: Option<Arc<Status>>,
}

impl Addresses {
    pub fn count_answer(&mut self, ip: IpAddr) {
        self.counts.entry(ip).or_default().answers += 1;
    }

    pub fn count_announcement(&mut self, ip: IpAddr) {
        self.counts.entry(ip).or_default().announcements += 1;
    }

    /// Writes all of it in the Prometheus text format.
    pub fn encode(&self, node: &str, text: &mut String) -> fmt::Result {
        let requests = "ARP and NDP requests for an address that were answered";
        self.family(text, ("metallb_layer2_requests_received", requests), |counts| counts.answers)?;
        self.family(text, ("metallb_layer2_responses_sent", "ARP and NDP answers"), |counts| counts.answers)?;
        let announcements = "Gratuitous ARP packets and unsolicited Neighbor Advertisements";
        self.family(text, ("metallb_layer2_gratuitous_sent", announcements), |counts| counts.announcements)?;
        writeln!(text, "# HELP berth_announcer_answering 1 for each address answered here.")?;
        writeln!(text, "# TYPE berth_announcer_answering gauge")?;
        for ip in self.answered() {
            writeln!(text, "berth_announcer_answering{{ip=\"{ip}\"}} 1")?;
        }
        writeln!(text, "# HELP metallb_speaker_announced 1 for each address announced from this node.")?;
        writeln!(text, "# TYPE metallb_speaker_announced gauge")?;
        for ip in self.answered() {
            writeln!(text, "metallb_speaker_announced{{protocol=\"layer2\",node=\"{node}\",ip=\"{ip}\"}} 1")?;
        }
        Ok(())
    }

    fn answered(&self) -> impl Iterator<Item = &IpAddr> {
        self.answering.iter().flat_map(|status| &status.answering).flat_map(|group| &group.ips)
    }

    fn family(&self, text: &mut String, (name, help): (&str, &str), count: impl Fn(&Counts) -> u64) -> fmt::Result {
        writeln!(text, "# HELP {name} {help}.\n# TYPE {name} counter")?;
        for (ip, counts) in self.counts.iter().filter(|(_, counts)| count(counts) > 0) {
            writeln!(text, "{name}{{ip=\"{ip}\"}} {}", count(counts))?;
        }
        Ok(())
    }
}
