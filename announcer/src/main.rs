//! Flags, logs, signals and the exit code; everything else is in the library.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use announcer::chain::chain;
use announcer::clock::Clock;
use announcer::cluster::Cluster;
use announcer::flags::{self, Command, Flags};
use announcer::health::Health;
use announcer::hello_keys::{self, Keys};
use announcer::http::{self, Pages};
use announcer::mailbox::mailbox;
use announcer::metrics::Metrics;
use announcer::ports::Ports;
use announcer::responder::{Config, Event, Exclusions, Responder, Timing};
use announcer::run::{self, Edges};
use announcer::{links, plan_file};
use anyhow::{Context, anyhow, bail};
use ring::rand::{self, SystemRandom};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::level_filters::LevelFilter;
use tracing::{Level, error, info, warn};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// How many plans and lists of interfaces may wait for the loop.
const EVENTS_CAPACITY: usize = 16;

/// How long the tasks have to end once all addresses are silent.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(4);

fn main() -> ExitCode {
    let environment = |name: &str| std::env::var(name).ok();
    match flags::parse(std::env::args_os(), environment) {
        Ok(Command::Help) => print!("{}", flags::HELP),
        Ok(Command::Version) => println!("announcer {}", env!("CARGO_PKG_VERSION")),
        Ok(Command::Run(flags)) => {
            start_logging(&flags);
            if let Err(err) = start(*flags) {
                error!(err = chain(err.as_ref()), "announcer cannot run");
                return ExitCode::FAILURE;
            }
        }
        Err(err) => {
            eprintln!("announcer: {}", chain(&err));
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn start_logging(flags: &Flags) {
    // What libraries have to say comes back as errors; on its own it only helps to find a bug.
    let of_libraries =
        if flags.log_level >= Level::DEBUG { LevelFilter::from(flags.log_level) } else { LevelFilter::OFF };
    let filter = Targets::new().with_target("announcer", flags.log_level).with_default(of_libraries);
    let json = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false);
    let json = json.with_span_list(false).with_writer(io::stderr);
    tracing_subscriber::registry().with(json).with(filter).init();
}

fn start(flags: Flags) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    runtime.block_on(run(flags))
}

/// Runs until a signal comes. The loop is stopped first and alone: what it says last, and the Lease that is given up
/// after, must not overtake its silence.
async fn run(flags: Flags) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let (clock, health, metrics) =
        (Clock::start(), Arc::new(Health::default()), Arc::new(Metrics::new(&flags.node_name)));
    let exclusions = Exclusions::new(&flags.exclusions).context("read --exclude-interfaces")?;
    let random = rand::generate(&SystemRandom::new()).map_err(|_| anyhow!("no random bytes to be had"))?;
    let epoch = u64::from_be_bytes(random.expose());
    let config = Config { node: flags.node_name.clone(), exclusions, epoch, timing: Timing::DEFAULT };
    let responder = Responder::new(config);
    let (events_in, events) = mailbox(EVENTS_CAPACITY).context("open the mailbox of the thread that answers")?;
    let ports = Ports::new(&events).context("watch the sockets of the thread that answers")?;
    let (statuses, statuses_out) = watch::channel(None);
    let (keys, keys_out) = watch::channel(Keys::new());
    let stop = CancellationToken::new();
    let pages = Pages { health: health.clone(), metrics: metrics.clone(), clock };
    let node = flags.node_name.clone();
    info!(node, version = env!("CARGO_PKG_VERSION"), "announcer starts");

    let mut edges = JoinSet::new();
    edges.spawn(links::follow(events_in.clone(), stop.clone()));
    edges.spawn(http::serve(flags.http_listen, pages, stop.clone()));
    edges.spawn(hello_keys::follow(flags.hello_keys.clone(), events_in.clone(), keys_out, clock, stop.clone()));
    let shared = (health.clone(), metrics.clone());
    if let Some(path) = flags.plan_file {
        edges.spawn(plan_file::follow(path, events_in.clone(), (shared.0, shared.1, clock), stop.clone()));
    } else {
        let cluster = Cluster::new(&flags, shared, clock).await.context("read the cluster's configuration")?;
        edges.spawn(cluster.follow(events_in.clone(), statuses_out, keys, stop.clone()));
    }
    let turning = Edges { events, ports, statuses, health, metrics, clock };
    let (turned, mut has_turned) = oneshot::channel();
    thread::Builder::new()
        .name("answering".to_owned())
        .spawn(move || {
            run::run(responder, turning);
            // Nobody waits only when the program ends.
            let _ = turned.send(());
        })
        .context("start the thread that answers")?;

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = &mut has_turned => bail!("the thread that answers has ended"),
    }
    info!("announcer stops");
    // One that has ended already has said so below.
    let _ = events_in.send(Event::Stop).await;
    has_turned.await.context("stop answering")?;
    stop.cancel();
    if timeout(SHUTDOWN_TIMEOUT, edges.join_all()).await.is_err() {
        warn!("announcer leaves tasks behind");
    }
    Ok(())
}
