//! Probes and metrics over plain HTTP: `/healthz`, `/readyz` and `/metrics`. Reads, and changes nothing.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::chain::chain;
use crate::clock::Clock;
use crate::health::Health;
use crate::metrics::Metrics;

/// The port of probes and metrics unless another is asked for. Not the 17472 of MetalLB's speaker: while a cluster moves
/// over, both run on the node's own network.
pub const DEFAULT_PORT: u16 = 17_475;

/// How long a connection may last. Each carries one request, so a scrape fits well.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// How many connections are served at a time; more wait.
const MAX_CONNECTIONS: usize = 32;

/// How long to wait before the address is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// What the pages are made of.
#[derive(Clone, Debug)]
pub struct Pages {
    /// For the probes.
    pub health: Arc<Health>,
    /// For Prometheus.
    pub metrics: Arc<Metrics>,
    /// For both.
    pub clock: Clock,
}

/// Serves on the address until told to stop; without one on the default port of every address, of both families where
/// the node has both. An address that is taken is tried again and again meanwhile: answering ARP matters more.
pub async fn serve(address: Option<SocketAddr>, pages: Pages, stop: CancellationToken) {
    let serve = async {
        let listener = listen(address).await;
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let Ok(slot) = slots.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let pages = pages.clone();
                    connections.spawn(async move {
                        converse(stream, pages).await;
                        drop(slot);
                    });
                }
                Err(err) => {
                    warn!(err = chain(&err), "connection cannot be accepted");
                    sleep(RETRY).await;
                }
            }
        }
    };
    stop.run_until_cancelled(serve).await;
}

async fn listen(address: Option<SocketAddr>) -> TcpListener {
    loop {
        match bind(address).await {
            Ok(listener) => {
                let address = listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
                info!(address, "probes and metrics are served");
                return listener;
            }
            Err(err) => {
                let address = address.map(|address| address.to_string());
                warn!(err = chain(&err), address, "probes and metrics are not served yet");
                sleep(RETRY).await;
            }
        }
    }
}

async fn bind(address: Option<SocketAddr>) -> io::Result<TcpListener> {
    if let Some(address) = address {
        return TcpListener::bind(address).await;
    }
    // The kernel takes IPv4 on this one too, unless the node has no IPv6 at all.
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, DEFAULT_PORT)).await {
        Err(err) if err.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, DEFAULT_PORT)).await
        }
        result => result,
    }
}

async fn converse(stream: TcpStream, pages: Pages) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let response = pages.respond(request.method(), request.uri().path(), pages.clock.now());
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), answer);
    match timeout(CONNECTION_TIMEOUT, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(err)) => debug!(err = chain(&err), "connection broke off"),
        Err(_) => debug!("connection took too long"),
    }
}

impl Pages {
    fn respond(&self, method: &Method, path: &str, now: Duration) -> Response<Full<Bytes>> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return page(StatusCode::METHOD_NOT_ALLOWED, "only GET is served\n");
        }
        match path {
            "/healthz" => verdict(self.health.is_alive(now)),
            "/readyz" => verdict(self.health.is_ready(now)),
            "/metrics" => page(StatusCode::OK, self.metrics.render(now)),
            _ => page(StatusCode::NOT_FOUND, "there are /healthz, /readyz and /metrics\n"),
        }
    }
}

fn verdict(is_well: bool) -> Response<Full<Bytes>> {
    if is_well { page(StatusCode::OK, "ok\n") } else { page(StatusCode::SERVICE_UNAVAILABLE, "not yet\n") }
}

fn page(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let format = hyper::header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, format);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(pages: &Pages, path: &str, seconds: u64) -> u16 {
        pages.respond(&Method::GET, path, Duration::from_secs(seconds)).status().as_u16()
    }

    #[test]
    fn the_probes_follow_the_health() {
        let (health, metrics) = (Arc::new(Health::default()), Arc::new(Metrics::new("node-1")));
        let pages = Pages { health: health.clone(), metrics, clock: Clock::start() };
        assert_eq!((status(&pages, "/healthz", 1), status(&pages, "/readyz", 1)), (200, 503));
        health.note_source();
        health.note_listening(true);
        assert_eq!(
            (status(&pages, "/readyz", 1), status(&pages, "/metrics", 1), status(&pages, "/", 1)),
            (200, 200, 404)
        );
        assert_eq!((status(&pages, "/healthz", 6), status(&pages, "/readyz", 6)), (503, 503));
    }

    #[test]
    fn nothing_can_be_written() {
        let (health, metrics) = (Arc::new(Health::default()), Arc::new(Metrics::new("node-1")));
        let pages = Pages { health, metrics, clock: Clock::start() };
        assert_eq!(pages.respond(&Method::POST, "/metrics", Duration::ZERO).status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
