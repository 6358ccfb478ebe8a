//! A start beside an API server that is played here, with a plan on the disk.

use std::convert::Infallible;
use std::future::ready;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::{Request, Response};
use k8s_openapi::jiff::Timestamp;
use kube::client::Body;
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::sleep;
use tower::service_fn;

use super::*;
use crate::clock::Clock;
use crate::cluster::lease::Signs;
use crate::health::Health;
use crate::mailbox::mailbox;
use crate::metrics::Metrics;
use crate::plan_store::PlanStore;

const KEPT: &str = r#"{"v":1,"generation":7,"vips":[{"ip":"192.168.1.200","nodes":["node-1"]}]}"#;
const PLANNED: &str = r#"{"v":1,"generation":1,"vips":[{"ip":"192.168.1.201","nodes":["node-1"]}]}"#;

/// What the API server says when it is asked for the node's Lease.
#[derive(Clone, Copy)]
enum Says {
    Nothing,
    Error,
    NoLease,
    Lease { uid: &'static str, plan: Option<&'static str> },
}

/// A start, and the disk that it finds.
struct Start {
    folder: PathBuf,
    store: PlanStore,
}

impl Start {
    fn with_kept(name: &str, lease_uid: Option<&str>) -> Self {
        let folder = std::env::temp_dir().join(format!("berth-watching-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = PlanStore::new(folder.clone(), "node-1".to_owned());
        store.save(KEPT, lease_uid).unwrap();
        Self { folder, store }
    }

    /// Gives the generations of the plans that go out within five seconds, 0 for none any more, and the Leases of those that
    /// are to be kept.
    async fn beside(&self, says: Vec<Says>) -> (Vec<u64>, Vec<Option<String>>) {
        let leases = Api::namespaced(client(says), "metallb-system");
        let secrets = Api::namespaced(client(vec![Says::Nothing]), "metallb-system");
        let cluster = Cluster {
            leases,
            secrets,
            signs: Signs::new("node-1", "announcer-abcde".to_owned(), Timestamp::UNIX_EPOCH),
            store: self.store.clone(),
            reached: Notify::new(),
            health: Arc::new(Health::default()),
            metrics: Arc::new(Metrics::new("node-1")),
            clock: Clock::start(),
        };
        let (events, mut taken) = mailbox(16).unwrap();
        let (plans, mut to_keep) = watch::channel(ToKeep::default());
        let mut kept = Vec::new();
        tokio::select! {
            () = cluster.follow_plan(&events, &plans) => {}
            () = async { while to_keep.changed().await.is_ok() { kept.push(to_keep.borrow_and_update().lease_uid.clone()) } } => {}
            () = sleep(Duration::from_secs(5)) => {}
        }
        let mut generations = Vec::new();
        while let Some(event) = taken.take() {
            if let Event::Plan(plan) = event {
                generations.push(plan.generation);
            }
        }
        (generations, kept)
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Gives an API server that says one after the other, the last for ever. All but the last end the watch after it at once.
fn client(says: Vec<Says>) -> Client {
    let lists = AtomicUsize::new(0);
    let service = service_fn(move |request: Request<Body>| {
        let is_watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
        let count = if is_watch { lists.load(Ordering::Relaxed) } else { lists.fetch_add(1, Ordering::Relaxed) + 1 };
        let is_last = count >= says.len();
        let said = if is_last { says.last() } else { says.get(count - 1) };
        ready(Ok::<_, Infallible>(match said {
            Some(_) if is_watch && is_last => endless(),
            Some(_) if is_watch => gone(),
            Some(Says::Error) => error(),
            Some(Says::NoLease) => list(&[]),
            Some(Says::Lease { uid, plan }) => list(&[lease(uid, *plan)]),
            Some(Says::Nothing) | None => endless(),
        }))
    });
    Client::new(service, "metallb-system")
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

fn endless() -> Answer {
    let nothing = stream::pending::<Result<Frame<Bytes>, Infallible>>();
    Response::new(StreamBody::new(nothing).boxed_unsync())
}

fn whole(status: u16, body: &Value) -> Answer {
    let body = Full::new(Bytes::from(body.to_string())).boxed_unsync();
    Response::builder().status(status).body(body).unwrap()
}

fn error() -> Answer {
    whole(500, &status(500))
}

/// Ends a watch, so that everything is read anew.
fn gone() -> Answer {
    whole(200, &json!({"type": "ERROR", "object": status(410)}))
}

fn status(code: u16) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "", "reason": "", "code": code})
}

fn list(items: &[Value]) -> Answer {
    let version = json!({"resourceVersion": "1"});
    let kind = "LeaseList";
    whole(200, &json!({"kind": kind, "apiVersion": "coordination.k8s.io/v1", "metadata": version, "items": items}))
}

fn lease(uid: &str, plan: Option<&str>) -> Value {
    let annotations = plan.map_or(json!({}), |plan| json!({"berth.dev/plan": plan}));
    json!({"metadata": {"name": "announcer-node-1", "uid": uid, "resourceVersion": "1", "annotations": annotations}})
}

#[tokio::test(start_paused = true)]
async fn a_kept_plan_is_used_unless_the_api_server_shows_that_it_is_another_leases() {
    let new = Says::Lease { uid: "new", plan: None };
    let own = Says::Lease { uid: "own", plan: None };
    for (name, kept, says, used) in [
        ("unreachable", Some("own"), Says::Nothing, vec![7]),
        ("failing", Some("own"), Says::Error, vec![7]),
        ("same", Some("own"), own, vec![7]),
        ("another", Some("own"), new, vec![]),
        ("none", Some("own"), Says::NoLease, vec![]),
        ("unknown", None, new, vec![7]),
        ("planned", Some("own"), Says::Lease { uid: "new", plan: Some(PLANNED) }, vec![1]),
    ] {
        let (generations, _) = Start::with_kept(name, kept).beside(vec![says]).await;
        assert_eq!(generations, used, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_kept_plan_that_turns_out_to_be_another_leases_is_given_up() {
    for (kept, uid, used) in [(Some("own"), "new", vec![7, 0]), (Some("own"), "own", vec![7]), (None, "new", vec![7])] {
        let start = Start::with_kept("turns-out", kept);
        let (generations, _) = start.beside(vec![Says::Error, Says::Lease { uid, plan: None }]).await;
        assert_eq!(generations, used, "{kept:?} {uid}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_came_stays_when_its_lease_is_made_anew_and_is_kept_as_that_ones_once_it_has_it() {
    let start = Start::with_kept("made-anew", Some("own"));
    let says = ["own", "new", "new"].into_iter().zip([Some(PLANNED), None, Some(PLANNED)]);
    let says = says.map(|(uid, plan)| Says::Lease { uid, plan }).collect();
    let (generations, kept) = start.beside(says).await;
    assert_eq!(generations, [1, 1]);
    assert_eq!(kept, [Some("own".to_owned()), Some("new".to_owned())]);
}
