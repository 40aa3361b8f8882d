//! The hub on a real socket, and what the weather does to its calls.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::http::{HeaderMap, Response as HttpResponse};
use axum::serve::{IncomingStream, Listener};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::batch::BYTES_MAX;
use super::control::{HubControl, Shared};
use super::operator::OperatorKey;
use super::receiver::{Durability, HubError, Receiver};
use super::weather::{Call, Fault};
use super::wire::{Refusal, Request, Response};
use crate::Clock;
use crate::alipay::connection::{Line, Scissors};

/// How long open calls may take to end when the hub stops.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a hub is set up.
#[derive(Debug)]
pub struct HubOptions {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The SQLite file; `None` keeps the books in memory.
    pub database: Option<PathBuf>,
    /// How hard it makes sure of what it acknowledges.
    pub durability: Durability,
    /// The hub's clock.
    pub clock: Clock,
    /// The operator's key; `None` makes one.
    pub operator: Option<OperatorKey>,
}

impl Default for HubOptions {
    fn default() -> Self {
        Self { port: 0, database: None, durability: Durability::Full, clock: Clock::system(), operator: None }
    }
}

/// A running hub. It ends when it is stopped or dropped.
pub struct Hub {
    address: SocketAddr,
    control: HubControl,
    ending: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

/// What a call needs.
#[derive(Clone)]
struct Desk {
    shared: Arc<Shared>,
    ending: watch::Receiver<bool>,
}

impl Hub {
    /// Binds a port of 127.0.0.1 and serves there, in the runtime that calls this.
    ///
    /// # Errors
    ///
    /// When the database or the port cannot be used.
    pub async fn start(options: HubOptions) -> Result<Self, HubError> {
        let receiver = match &options.database {
            Some(path) => Receiver::open(path, options.durability)?,
            None => Receiver::in_memory()?,
        };
        let operator = match options.operator {
            Some(operator) => operator,
            None => OperatorKey::generate().map_err(|_| HubError::NoEntropy)?,
        };
        let shared = Arc::new(Shared::new(receiver, operator, options.clock));
        Self::again(&HubControl { shared }, options.port).await
    }

    /// Serves the books of a hub that was stopped. With the port that it had, its terminals find it again.
    ///
    /// # Errors
    ///
    /// When the port cannot be used.
    pub async fn again(control: &HubControl, port: u16) -> Result<Self, HubError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let ending = watch::Sender::new(false);
        let desk = Desk { shared: Arc::clone(&control.shared), ending: ending.subscribe() };
        let mut ended = ending.subscribe();
        let router = Router::new().fallback(serve).with_state(desk);
        let service = router.into_make_service_with_connect_info::<Scissors>();
        let serving = tokio::spawn(async move {
            let server = axum::serve(Entrance(listener), service).with_graceful_shutdown(async move {
                let _ = ended.wait_for(|ended| *ended).await;
            });
            if let Err(error) = server.await {
                tracing::error!(%error, "the sandbox hub ended");
            }
        });
        Ok(Self { address, control: control.clone(), ending, serving })
    }

    /// What a terminal's `[hub] url` must be.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port, to serve there [again](Self::again).
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// The side that tests and people hold. It outlives the hub.
    #[must_use]
    pub fn control(&self) -> HubControl {
        self.control.clone()
    }

    /// Ends serving and frees the port: connections are refused from now on. What the control side knows stays.
    pub async fn stop(mut self) {
        self.ending.send_replace(true);
        if tokio::time::timeout(PATIENCE, &mut self.serving).await.is_err() {
            self.serving.abort();
        }
    }
}

/// A listener whose connections can be cut.
struct Entrance(TcpListener);

impl Listener for Entrance {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        let (stream, peer): (TcpStream, SocketAddr) = Listener::accept(&mut self.0).await;
        (Line::new(stream), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Entrance>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, Entrance>) -> Self {
        stream.io().scissors()
    }
}

async fn serve(
    State(desk): State<Desk>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    request: HttpRequest,
) -> HttpResponse<Body> {
    let response = match read(request).await {
        Ok(request) => {
            desk.shared.count(&request);
            // A task of its own: a terminal that hangs up does not stop the hub from carrying out what it asked.
            tokio::spawn(desk.clone().answer(request)).await.unwrap_or_default()
        }
        Err(refusal) => Some(refusal.answer()),
    };
    let Some(response) = response else {
        scissors.cut();
        return HttpResponse::default();
    };
    desk.shared.count_answer(&response);
    dressed(response)
}

/// The whole request, if it is no larger than any request may be.
async fn read(request: HttpRequest) -> Result<Request, Refusal> {
    let (head, body) = request.into_parts();
    let too_large = |error| Refusal::new(413, "too_large", format!("the body cannot be read: {error}"));
    let body = to_bytes(body, BYTES_MAX).await.map_err(too_large)?;
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    Ok(Request {
        method: head.method.to_string(),
        path: path.to_owned(),
        headers: fields(&head.headers),
        body: body.into(),
    })
}

fn fields(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect()
}

fn dressed(response: Response) -> HttpResponse<Body> {
    let mut builder = HttpResponse::builder().status(response.status);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(response.body)).unwrap_or_default()
}

impl Desk {
    /// Carries a request out, through the weather. `None` when the connection ends without an answer.
    async fn answer(self, request: Request) -> Option<Response> {
        let faults = Call::at(&request.path).map(|(_, call)| self.shared.strike(call)).unwrap_or_default();
        if faults.contains(&Fault::RequestLost) {
            return None;
        }
        for fault in &faults {
            if let Fault::Slow(ms) = fault {
                self.pause(Duration::from_millis(*ms)).await;
            }
        }
        let status = faults.iter().find_map(bare);
        if let Some((response, false)) = status {
            return Some(response);
        }
        let request = Arc::new(request);
        if faults.contains(&Fault::Twice) {
            self.handle(&request).await;
        }
        let response = self.handle_patiently(&request).await;
        match status {
            _ if faults.contains(&Fault::AnswerLost) => None,
            Some((bare, _)) => Some(bare),
            None => Some(response),
        }
    }

    /// Handles a request, and again whenever a command was queued, until there is something to say or the time is over.
    async fn handle_patiently(&self, request: &Arc<Request>) -> Response {
        let mut commands = self.shared.commands.subscribe();
        let mut response = self.handle(request).await;
        let Some(wait_s) = response.wait_s else { return response };
        let over = self.pause(Duration::from_secs(wait_s));
        tokio::pin!(over);
        while response.wait_s.is_some() {
            tokio::select! {
                () = &mut over => return response,
                _ = commands.changed() => response = self.handle(request).await,
            }
        }
        response
    }

    async fn handle(&self, request: &Arc<Request>) -> Response {
        let (shared, request) = (Arc::clone(&self.shared), Arc::clone(request));
        let handled = tokio::task::spawn_blocking(move || shared.handle(&request)).await;
        handled.unwrap_or_else(|error| Refusal::new(500, "broken", error.to_string()).answer())
    }

    /// Waits, but not longer than the hub serves.
    async fn pause(&self, time: Duration) {
        let mut ending = self.ending.clone();
        let _ = tokio::time::timeout(time, ending.wait_for(|ended| *ended)).await;
    }
}

/// The answer of a bare status, and whether the call is carried out first.
fn bare(fault: &Fault) -> Option<(Response, bool)> {
    match fault {
        Fault::Status { status, retry_after_s, executed } => {
            let retry = retry_after_s.map(|seconds| ("Retry-After".to_owned(), seconds.to_string()));
            let headers = retry.into_iter().collect();
            Some((Response { status: *status, headers, body: Vec::new(), wait_s: None }, *executed))
        }
        Fault::RequestLost | Fault::AnswerLost | Fault::Slow(_) | Fault::Twice => None,
    }
}
