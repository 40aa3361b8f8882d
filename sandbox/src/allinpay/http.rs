//! One call: from HTTP to the protocol and back, through the weather.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

use super::calls::{CallOutcome, CallRecord, remember};
use super::control::Shared;
use super::notice::Notice;
use super::options::House;
use super::weather::{Fault, Method};
use super::world::World;
use crate::alipay::connection::Scissors;

/// The largest body that is read.
const BYTES_MAX: usize = 256 * 1024;

/// The members of an answer.
pub(crate) type Node = Map<String, Value>;

/// A request as it came.
pub(crate) struct Incoming {
    pub(crate) post: bool,
    pub(crate) path: String,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

/// How deep a request got before it was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// No such address: a bare HTTP status.
    Http(u16),
    /// The merchant is not known, so nobody can sign for him.
    Stranger,
    Signature,
    Parameters,
    Business,
}

/// Why the gateway says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) level: Level,
    pub(crate) code: String,
    pub(crate) text: String,
}

impl Refusal {
    pub(crate) fn new(level: Level, code: &str, text: impl Into<String>) -> Self {
        Self { level, code: code.to_owned(), text: text.into() }
    }

    /// The business layer refuses, with its own code.
    pub(crate) fn business(code: &str, text: impl Into<String>) -> Self {
        Self::new(Level::Business, code, text)
    }
}

/// A request as far as the protocol could read it.
pub(crate) struct Opened<A> {
    pub(crate) method: Option<Method>,
    /// VSP: the path; 云商通: `transCode`.
    pub(crate) name: String,
    pub(crate) number: Option<String>,
    pub(crate) checked: Result<A, Refusal>,
}

/// A call at its moment: the rules, the time and what the weather makes of the money.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) house: &'a House,
    pub(crate) now: i64,
    /// The buyer confirms on the phone.
    pub(crate) buyer_confirms: bool,
    /// In progress first: how long, and whether it fails then.
    pub(crate) undecided: Option<(u64, bool)>,
    /// Orders younger than this are not found.
    pub(crate) unseen_ms: i64,
}

/// What the protocol says to a call that it carried out.
pub(crate) enum Said {
    Node(Node),
    File { bytes: Vec<u8>, content_type: &'static str },
}

/// What is to be put into bytes.
pub(crate) enum Verdict<'a> {
    Node(&'a Node),
    Refused(&'a Refusal),
    /// The channel does not know.
    SystemError,
    /// A code made by the weather.
    Code(&'a str),
}

/// How an answer is dressed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dress {
    /// Source of random parts and quirks.
    pub(crate) quirk: u64,
    /// A field that no document knows.
    pub(crate) extra: bool,
    pub(crate) bad_signature: bool,
    pub(crate) unsigned: bool,
}

/// Bytes for the terminal.
pub(crate) struct Reply {
    pub(crate) bytes: Vec<u8>,
    pub(crate) content_type: &'static str,
    pub(crate) outcome: CallOutcome,
}

/// What VSP and 云商通 do differently.
pub(crate) trait Protocol: Send + Sync + 'static {
    /// A request that may go to the business layer.
    type Asked: Send + Sync + 'static;

    fn open(&self, incoming: &Incoming, now: i64) -> Opened<Self::Asked>;
    fn execute(&self, world: &mut World, asked: &Self::Asked, moment: Moment<'_>) -> Result<Said, Refusal>;
    fn reply(&self, opened: &Opened<Self::Asked>, verdict: Verdict<'_>, now: i64, dress: Dress) -> Reply;
    /// Content type and body of a notice.
    fn notice(&self, notice: &Notice, now: i64, dress: Dress) -> (&'static str, String);
}

/// A gateway that serves a protocol.
pub(crate) struct Desk<P> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) protocol: P,
}

/// Everything goes to the protocol: it knows its paths.
pub(crate) fn router<P: Protocol>(desk: Arc<Desk<P>>) -> Router {
    Router::new().fallback(take::<P>).with_state(desk)
}

async fn take<P: Protocol>(
    State(desk): State<Arc<Desk<P>>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    request: Request,
) -> Response<Body> {
    let incoming = incoming(request).await;
    // A task of its own: a terminal that hangs up does not stop the gateway from carrying out what it asked.
    let call = tokio::spawn(serve(desk, incoming));
    match call.await {
        Ok(Delivery::Reply(reply)) => answer(reply),
        Ok(Delivery::Status(status)) => bare(status),
        Ok(Delivery::Cut) | Err(_) => {
            scissors.cut();
            Response::default()
        }
    }
}

async fn incoming(request: Request) -> Incoming {
    let (head, body) = request.into_parts();
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    Incoming {
        post: head.method == axum::http::Method::POST,
        path: head.uri.path().to_owned(),
        content_type: content_type.unwrap_or_default().to_owned(),
        body: axum::body::to_bytes(body, BYTES_MAX).await.unwrap_or_default(),
    }
}

fn answer(reply: Reply) -> Response<Body> {
    let mut response = Response::new(Body::from(reply.bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    response
}

fn bare(status: u16) -> Response<Body> {
    let mut response = Response::new(Body::from("<html><body>gateway error</body></html>"));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// What goes back to the terminal.
enum Delivery {
    Reply(Reply),
    Status(u16),
    Cut,
}

async fn serve<P: Protocol>(desk: Arc<Desk<P>>, incoming: Incoming) -> Delivery {
    let opened = desk.protocol.open(&incoming, desk.shared.now());
    let faults = desk.shared.change(|world, _| {
        if world.weather.network_down {
            return vec![Fault::DropRequest];
        }
        world.weather.strike(opened.method)
    });
    pause(&faults, Leg::Request).await;
    let delivery = desk.shared.change(|world, now| carry_out(&desk, world, now, &opened, &faults));
    pause(&faults, Leg::Reply).await;
    delivery
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Leg {
    Request,
    Reply,
}

async fn pause(faults: &[Fault], leg: Leg) {
    for fault in faults {
        match (fault, leg) {
            (Fault::SlowRequest(ms), Leg::Request) | (Fault::SlowReply(ms), Leg::Reply) => {
                tokio::time::sleep(Duration::from_millis(*ms)).await;
            }
            _ => {}
        }
    }
}

fn carry_out<P: Protocol>(
    desk: &Desk<P>,
    world: &mut World,
    now: i64,
    opened: &Opened<P::Asked>,
    faults: &[Fault],
) -> Delivery {
    let fate = Fate::of(faults);
    let result = match &opened.checked {
        Err(refusal) => Err(refusal.clone()),
        Ok(_) if !fate.executes() => Ok(None),
        Ok(asked) => desk.protocol.execute(world, asked, moment(&desk.shared.house, now, faults)).map(Some),
    };
    let executed = matches!(result, Ok(Some(_)));
    let dress = dress(&desk.shared.house, world, faults);
    let (delivery, outcome) = deliver(desk, opened, fate, result, now, dress);
    let record =
        CallRecord { at_ms: now, method: opened.name.clone(), out_trade_no: opened.number.clone(), executed, outcome };
    remember(&mut world.calls, record);
    delivery
}

fn moment<'a>(house: &'a House, now: i64, faults: &[Fault]) -> Moment<'a> {
    let mut moment = Moment { house, now, buyer_confirms: false, undecided: None, unseen_ms: 0 };
    for fault in faults {
        match fault {
            Fault::BuyerConfirms => moment.buyer_confirms = true,
            Fault::Undecided { ms, fails } => moment.undecided = Some((*ms, *fails)),
            Fault::Unseen(ms) => moment.unseen_ms = *ms,
            Fault::DropRequest
            | Fault::DropReply
            | Fault::SlowRequest(_)
            | Fault::SlowReply(_)
            | Fault::HttpStatus { .. }
            | Fault::BadSignature
            | Fault::Unsigned
            | Fault::SystemError { .. }
            | Fault::Code { .. }
            | Fault::PaysLate { .. } => {}
        }
    }
    moment
}

/// How the next answer or notice looks.
pub(crate) fn dress(house: &House, world: &mut World, faults: &[Fault]) -> Dress {
    let quirk = world.next();
    Dress {
        quirk,
        extra: house.unknown_fields && quirk.is_multiple_of(3),
        bad_signature: faults.contains(&Fault::BadSignature),
        unsigned: faults.contains(&Fault::Unsigned),
    }
}

/// What the weather makes of an answer.
#[derive(Clone, Copy)]
enum Fate<'a> {
    Arrives,
    Cut { executed: bool },
    Status { status: u16, executed: bool },
    SystemError { executed: bool },
    Code { code: &'a str, executed: bool },
}

impl<'a> Fate<'a> {
    /// The first fault that takes the answer's place.
    fn of(faults: &'a [Fault]) -> Self {
        faults.iter().find_map(Self::from_fault).unwrap_or(Self::Arrives)
    }

    fn from_fault(fault: &'a Fault) -> Option<Self> {
        match fault {
            Fault::DropRequest => Some(Self::Cut { executed: false }),
            Fault::DropReply => Some(Self::Cut { executed: true }),
            Fault::HttpStatus { status, executed } => Some(Self::Status { status: *status, executed: *executed }),
            Fault::SystemError { executed } => Some(Self::SystemError { executed: *executed }),
            Fault::Code { code, executed } => Some(Self::Code { code, executed: *executed }),
            Fault::SlowRequest(_)
            | Fault::SlowReply(_)
            | Fault::BadSignature
            | Fault::Unsigned
            | Fault::BuyerConfirms
            | Fault::Undecided { .. }
            | Fault::Unseen(_)
            | Fault::PaysLate { .. } => None,
        }
    }

    fn executes(self) -> bool {
        match self {
            Self::Arrives => true,
            Self::Cut { executed }
            | Self::Status { executed, .. }
            | Self::SystemError { executed }
            | Self::Code { executed, .. } => executed,
        }
    }
}

/// Puts the answer, or what the weather left of it, into bytes.
fn deliver<P: Protocol>(
    desk: &Desk<P>,
    opened: &Opened<P::Asked>,
    fate: Fate<'_>,
    result: Result<Option<Said>, Refusal>,
    now: i64,
    dress: Dress,
) -> (Delivery, CallOutcome) {
    let status = |status: u16| (Delivery::Status(status), CallOutcome::HttpStatus(status));
    let verdict = match (fate, &result) {
        (Fate::Cut { .. }, _) => return (Delivery::Cut, CallOutcome::Cut),
        (Fate::Status { status: code, .. }, _) => return status(code),
        (_, Err(refusal)) => match refusal.level {
            Level::Http(code) => return status(code),
            Level::Stranger | Level::Signature | Level::Parameters | Level::Business => Verdict::Refused(refusal),
        },
        (Fate::SystemError { .. }, Ok(_)) => Verdict::SystemError,
        (Fate::Code { code, .. }, Ok(_)) => Verdict::Code(code),
        (Fate::Arrives, Ok(Some(Said::Node(node)))) => Verdict::Node(node),
        (Fate::Arrives, Ok(Some(Said::File { .. }) | None)) => return file(result),
    };
    let reply = desk.protocol.reply(opened, verdict, now, dress);
    let outcome = reply.outcome.clone();
    (Delivery::Reply(reply), outcome)
}

fn file(result: Result<Option<Said>, Refusal>) -> (Delivery, CallOutcome) {
    let Ok(Some(Said::File { bytes, content_type })) = result else {
        return (Delivery::Cut, CallOutcome::Cut);
    };
    let outcome = CallOutcome::HttpStatus(200);
    (Delivery::Reply(Reply { bytes, content_type, outcome: outcome.clone() }), outcome)
}
