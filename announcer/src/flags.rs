//! The command line, and what stands in for it in the environment.

use std::net::SocketAddr;
use std::path::PathBuf;

use lexopt::prelude::*;
use thiserror::Error;
use tracing::Level;

use crate::responder::DEFAULT_EXCLUSIONS;

/// What `--help` prints.
pub const HELP: &str = "\
Answers ARP and NDP for the addresses that Berth assigns to this node.

Usage: announcer [--FLAG VALUE]...

  --node-name NAME           this node; NODE_NAME when left out
  --pod-name NAME            holder of the Lease; POD_NAME when left out, else the node's name
  --namespace NAME           namespace of the Lease; POD_NAMESPACE when left out, else metallb-system
  --exclude-interfaces REGEX never answer on interfaces with such a name; may be repeated, and then replaces
                             the defaults (docker, cbr, dummy, virbr, lxcbr, veth, lo, cali, tunl, flannel,
                             kube-ipvs, cni, nodelocaldns, lxc); an empty REGEX excludes nothing
  --http-listen ADDRESS:PORT probes and metrics; port 17475 of every address when left out
  --hello-keys FOLDER        keys of the hellos among announcers, files key-N of 32 bytes; /etc/berth/hello when
                             left out. Without a key nothing is answered
  --state-dir FOLDER         where the last plan is kept; /var/lib/berth when left out
  --plan-file PATH           take the plan from this file and use no Kubernetes at all; for tests
  --log-level LEVEL          error, warn, info (default), debug or trace
  --version                  print the version
  --help                     print this
";

/// Why the command line was not taken; the program does not start.
#[derive(Debug, Error)]
pub enum FlagsError {
    /// A flag is unknown, or its value is missing or malformed.
    #[error("command line not understood; see --help")]
    NotUnderstood(#[from] lexopt::Error),
    /// Nothing says which node this is.
    #[error("node name is not known; give --node-name or set NODE_NAME")]
    NoNodeName,
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    /// Print the help.
    Help,
    /// Print the version.
    Version,
    /// Run.
    Run(Box<Flags>),
}

/// How to run.
#[derive(Debug)]
pub struct Flags {
    /// This node.
    pub node_name: String,
    /// Who holds the Lease.
    pub pod_name: String,
    /// Where the Lease is.
    pub namespace: String,
    /// Names of interfaces that are never answered on, as regular expressions.
    pub exclusions: Vec<String>,
    /// Where probes and metrics are served; the default port of every address when none.
    pub http_listen: Option<SocketAddr>,
    /// Where the keys of hellos are.
    pub hello_keys: PathBuf,
    /// Where the last plan is kept.
    pub state_dir: PathBuf,
    /// The plan's file, in place of a Lease.
    pub plan_file: Option<PathBuf>,
    /// The least important level that is logged.
    pub log_level: Level,
}

#[derive(Default)]
struct Given {
    node_name: Option<String>,
    pod_name: Option<String>,
    namespace: Option<String>,
    exclusions: Option<Vec<String>>,
    http_listen: Option<SocketAddr>,
    hello_keys: Option<PathBuf>,
    state_dir: Option<PathBuf>,
    plan_file: Option<PathBuf>,
    log_level: Option<Level>,
}

/// Gives what the arguments, the first of which is the program's name, ask for; the environment fills gaps.
///
/// # Errors
/// Refuses unknown flags, malformed values and a missing node name.
pub fn parse(
    arguments: impl IntoIterator<Item = std::ffi::OsString, IntoIter: 'static>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Command, FlagsError> {
    let mut parser = lexopt::Parser::from_iter(arguments);
    let mut given = Given::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("version") => return Ok(Command::Version),
            Long("node-name") => given.node_name = Some(parser.value()?.string()?),
            Long("pod-name") => given.pod_name = Some(parser.value()?.string()?),
            Long("namespace") => given.namespace = Some(parser.value()?.string()?),
            Long("exclude-interfaces") => {
                given.exclusions.get_or_insert_default().push(parser.value()?.string()?);
            }
            Long("http-listen") => given.http_listen = Some(parser.value()?.parse()?),
            Long("hello-keys") => given.hello_keys = Some(parser.value()?.into()),
            Long("state-dir") => given.state_dir = Some(parser.value()?.into()),
            Long("plan-file") => given.plan_file = Some(parser.value()?.into()),
            Long("log-level") => given.log_level = Some(parser.value()?.parse()?),
            other => return Err(other.unexpected().into()),
        }
    }
    given.fill(environment).map(|flags| Command::Run(Box::new(flags)))
}

impl Given {
    fn fill(self, environment: impl Fn(&str) -> Option<String>) -> Result<Flags, FlagsError> {
        let from = |name: &str| environment(name).filter(|value| !value.is_empty());
        let node_name = self.node_name.or_else(|| from("NODE_NAME")).ok_or(FlagsError::NoNodeName)?;
        let defaults = || DEFAULT_EXCLUSIONS.map(str::to_owned).to_vec();
        let mut exclusions = self.exclusions.unwrap_or_else(defaults);
        exclusions.retain(|pattern| !pattern.is_empty());
        Ok(Flags {
            pod_name: self.pod_name.or_else(|| from("POD_NAME")).unwrap_or_else(|| node_name.clone()),
            namespace: self.namespace.or_else(|| from("POD_NAMESPACE")).unwrap_or_else(|| "metallb-system".to_owned()),
            node_name,
            exclusions,
            http_listen: self.http_listen,
            hello_keys: self.hello_keys.unwrap_or_else(|| "/etc/berth/hello".into()),
            state_dir: self.state_dir.unwrap_or_else(|| "/var/lib/berth".into()),
            plan_file: self.plan_file,
            log_level: self.log_level.unwrap_or(Level::INFO),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Flags, FlagsError> {
        let arguments = ["announcer"].iter().chain(arguments).map(std::ffi::OsString::from).collect::<Vec<_>>();
        let find = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        match parse(arguments, find)? {
            Command::Run(flags) => Ok(*flags),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_environment_fills_what_the_command_line_leaves_out() {
        let flags = run(&["--pod-name", "p"], &[("NODE_NAME", "n"), ("POD_NAME", "q"), ("POD_NAMESPACE", "")]).unwrap();
        assert_eq!((flags.node_name.as_str(), flags.pod_name.as_str()), ("n", "p"));
        assert_eq!(flags.namespace, "metallb-system");
        assert_eq!(flags.exclusions, DEFAULT_EXCLUSIONS);
        assert_eq!(flags.log_level, Level::INFO);
    }

    #[test]
    fn exclusions_replace_the_defaults_and_an_empty_one_excludes_nothing() {
        let one = run(&["--node-name=n", "--exclude-interfaces", "^a", "--exclude-interfaces=^b"], &[]).unwrap();
        assert_eq!(one.exclusions, ["^a", "^b"]);
        let none = run(&["--node-name=n", "--exclude-interfaces="], &[]).unwrap();
        assert!(none.exclusions.is_empty());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(matches!(run(&[], &[]), Err(FlagsError::NoNodeName)));
        for arguments in [&["--colour"][..], &["word"], &["--http-listen", "x"], &["--log-level=loud"], &["--pod-name"]]
        {
            assert!(
                matches!(run(arguments, &[("NODE_NAME", "n")]), Err(FlagsError::NotUnderstood(_))),
                "{arguments:?}"
            );
        }
    }
}
