//! The local API: HTTP/1.1 with JSON on a Unix socket and, behind a token, on loopback TCP. See `docs/api.md`.
//!
//! | file | subject |
//! |---|---|
//! | [`listen`] | the two doors, how many may come in and how long they may be silent |
//! | `rate` | how many requests a door lets in over time |
//! | [`body`] | bodies, headers and parameters: read whole or refused by name |
//! | [`wanted`] | what callers ask for |
//! | [`wire`] | what they get |
//! | [`problem`] | why they do not get it: one table |
//! | `orders`, `refunds`, `instalments`, `receipt`, `events`, `terminal`, `slots`, `audit`, `queue`, `complaints`, `alarms`, [`metrics`], [`openapi`] | the addresses |
//!
//! It knows only [`Terminal`]: the loop decides, the journal remembers, this translates.

mod alarms;
mod audit;
pub mod body;
mod complaints;
mod duties;
mod events;
mod instalments;
pub mod listen;
pub mod metrics;
pub mod openapi;
mod orders;
pub mod problem;
mod queue;
mod rate;
pub(crate) mod receipt;
mod refunds;
mod slots;
mod terminal;
#[cfg(test)]
pub(crate) mod tests;
pub mod wanted;
pub mod wire;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use payment::instalment::Terms;
use payment::redact::Secret;
use ring::digest::{SHA256, digest};
use tokio::sync::{Semaphore, watch};

use crate::daemon::terminal::Terminal;
use listen::{Door, Way};
use problem::{Code, Problem};
use rate::Rate;
use wanted::Products;

/// Requests that are worked on at once. The loop takes one at a time and has its own queue.
const REQUESTS_MAX: usize = 32;
/// Event streams that may be open at once.
const STREAMS_MAX: usize = 8;
/// How long requests may still take when the daemon stops.
const FAREWELL: Duration = Duration::from_millis(1_500);

/// Where the API listens, and what it needs to know of the machine.
#[derive(Debug)]
pub struct ApiOptions {
    /// The Unix socket; whoever may open the file may use the API.
    pub socket: PathBuf,
    /// The TCP door, closed unless given.
    pub tcp: Option<TcpOptions>,
    /// What the machine sells.
    pub products: Products,
    /// Huabei instalments; `None` where none are offered.
    pub instalments: Option<Terms>,
}

/// The TCP door.
#[derive(Debug)]
pub struct TcpOptions {
    /// A loopback address; port 0 takes a free one.
    pub address: SocketAddr,
    /// What callers send as `Authorization: Bearer …`.
    pub token: Secret<String>,
}

/// What every request needs.
#[derive(Debug, Clone)]
struct Api {
    terminal: Terminal,
    products: Arc<Products>,
    instalments: Arc<Option<Terms>>,
    limits: Arc<Limits>,
    stopping: watch::Receiver<bool>,
}

#[derive(Debug)]
struct Limits {
    requests: Semaphore,
    streams: Arc<Semaphore>,
}

/// The open doors.
#[derive(Debug)]
pub struct Doors {
    unix: tokio::net::UnixListener,
    socket: PathBuf,
    tcp: Option<(tokio::net::TcpListener, Secret<String>)>,
    products: Products,
    instalments: Option<Terms>,
}

impl Doors {
    /// Opens the doors, so that a daemon knows before it starts that nobody else has them. Needs a runtime.
    ///
    /// # Errors
    ///
    /// A door that cannot be opened, with advice.
    pub async fn open(options: ApiOptions) -> io::Result<Self> {
        let tcp = match options.tcp {
            Some(tcp) => Some((listen::tcp(tcp.address).await?, tcp.token)),
            None => None,
        };
        let unix = listen::unix(&options.socket)?;
        let ApiOptions { socket, products, instalments, .. } = options;
        Ok(Self { unix, socket, tcp, products, instalments })
    }

    /// Where the TCP door is.
    #[must_use]
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().and_then(|(listener, _)| listener.local_addr().ok())
    }

    /// Serves until `stop` says so, then closes event streams and lets requests end for a moment.
    ///
    /// # Errors
    ///
    /// When a door breaks.
    pub async fn serve(self, terminal: Terminal, mut stop: watch::Receiver<bool>) -> io::Result<()> {
        let limits = Limits { requests: Semaphore::new(REQUESTS_MAX), streams: Arc::new(Semaphore::new(STREAMS_MAX)) };
        let (products, instalments) = (Arc::new(self.products), Arc::new(self.instalments));
        let api = Api { terminal, products, instalments, limits: Arc::new(limits), stopping: stop.clone() };
        let unix = serve_door(Door::new(Way::Unix(self.unix)), paced(&api, routes(api.clone())), stop.clone());
        let tcp_stop = stop.clone();
        let tcp = async {
            match self.tcp {
                Some((listener, token)) => {
                    let routes = paced(&api, guarded(api.clone(), token));
                    serve_door(Door::new(Way::Tcp(listener)), routes, tcp_stop).await
                }
                None => Ok(()),
            }
        };
        let stopped = async {
            // A sender that is gone means the same as one that says stop.
            let _ = stop.wait_for(|stops| *stops).await;
            tokio::time::sleep(FAREWELL).await;
        };
        let ended = tokio::select! {
            ended = async { tokio::try_join!(unix, tcp) } => ended.map(|_| ()),
            // Who is slower loses the connection; the money is safe in the journal.
            () = stopped => Ok(()),
        };
        // The file would only mislead: nobody answers there any more.
        let _ = std::fs::remove_file(&self.socket);
        ended
    }
}

/// Opens the doors and serves until `stop` says so.
///
/// # Errors
///
/// See [`Doors::open`] and [`Doors::serve`].
pub async fn serve(terminal: Terminal, options: ApiOptions, stop: watch::Receiver<bool>) -> io::Result<()> {
    Doors::open(options).await?.serve(terminal, stop).await
}

async fn serve_door(door: Door, routes: Router, mut stopping: watch::Receiver<bool>) -> io::Result<()> {
    let stop = async move {
        let _ = stopping.wait_for(|stops| *stops).await;
    };
    axum::serve(door, routes.into_make_service()).with_graceful_shutdown(stop).await
}

fn routes(api: Api) -> Router {
    Router::new()
        .route("/v1/orders", post(orders::open).get(orders::list))
        .route("/v1/orders/{number}", get(orders::show))
        .route("/v1/orders/{number}/cancel", post(orders::cancel))
        .route("/v1/orders/{number}/refunds", post(refunds::ask))
        .route("/v1/orders/{number}/refunds/{refund}/decision", post(refunds::decide))
        .route("/v1/orders/{number}/duties/done", post(duties::done))
        .route("/v1/orders/{number}/instalments", post(instalments::choose))
        .route("/v1/orders/{number}/receipt", get(receipt::show))
        .route("/v1/orders/{number}/print", post(receipt::print))
        .route("/v1/refunds", get(refunds::list))
        .route("/v1/instalments", get(instalments::list))
        .route("/v1/complaints", get(complaints::list))
        .route("/v1/alarms", get(alarms::list))
        .route("/v1/alarms/{name}", delete(alarms::end))
        .route("/v1/notices/wechat", post(alarms::take))
        .route("/v1/scans", post(orders::scan))
        .route("/v1/cash-sales", post(orders::cash_sale))
        .route("/v1/queue", get(queue::show))
        .route("/v1/queue/flush", post(queue::flush))
        .route("/v1/events", get(events::stream))
        .route("/v1/terminal", get(terminal::show))
        .route("/v1/reach", get(terminal::reach))
        .route("/v1/slots", get(slots::list))
        .route("/v1/slots/{slot}", post(slots::count))
        .route("/v1/audit/reset", post(audit::reset))
        .route("/v1/faults/{name}", put(terminal::raise).delete(terminal::clear))
        .route("/v1/screen.png", get(terminal::screen))
        .route("/v1/openapi.json", get(openapi::show))
        .route("/metrics", get(metrics::show))
        .route("/healthz", get(terminal::health))
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(api.clone(), admit))
        .with_state(api)
}

fn guarded(api: Api, token: Secret<String>) -> Router {
    let expected: Arc<[u8]> = digest(&SHA256, token.expose().as_bytes()).as_ref().into();
    routes(api).layer(from_fn_with_state(expected, check_token))
}

/// A door's routes behind its own pace: whoever floods one door does not close the other.
fn paced(api: &Api, routes: Router) -> Router {
    routes.layer(from_fn_with_state((Arc::new(Rate::new()), api.terminal.clone()), pace))
}

async fn pace(State((rate, terminal)): State<(Arc<Rate>, Terminal)>, request: Request, next: Next) -> Response {
    if rate.admits() {
        return next.run(request).await;
    }
    terminal.metrics().requests_refused.add_one();
    Problem::new(Code::TooManyRequests, "too many requests one after the other; ask again in a second").into_response()
}

/// Lets a bounded number of requests in, and keeps answers about money out of caches.
async fn admit(State(api): State<Api>, request: Request, next: Next) -> Response {
    let Ok(_place) = api.limits.requests.try_acquire() else {
        api.terminal.metrics().requests_refused.add_one();
        return Problem::new(Code::TooManyRequests, "too many requests at once; ask again in a second").into_response();
    };
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn check_token(State(expected): State<Arc<[u8]>>, request: Request, next: Next) -> Response {
    let given = digest(&SHA256, bearer(request.headers()).unwrap_or_default());
    if is_same(&expected, given.as_ref()) {
        return next.run(request).await;
    }
    let detail = "send the token of this terminal as `Authorization: Bearer …`, or use the Unix socket";
    Problem::new(Code::WrongToken, detail).into_response()
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
}

/// Compares two digests; takes as long for a near miss as for a far one.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let difference = one.iter().zip(other).fold(0, |difference, (a, b)| difference | (a ^ b));
    one.len() == other.len() && difference == 0
}

async fn no_such_path(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(100).collect();
    Problem::new(Code::NoSuchPath, format!("there is nothing at {path}; /v1/openapi.json lists what there is"))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} does not know {method}; the Allow header says what it knows", uri.path());
    Problem::new(Code::WrongMethod, detail)
}
