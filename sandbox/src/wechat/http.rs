//! One call: from HTTP to the business layer and back, through the weather.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, header};

use super::calls::{CallOutcome, CallRecord, Probe, remember};
use super::connection::Wire;
use super::control::Shared;
use super::keys::GatewayKeys;
use super::operation::{Family, NoRoute, Operation, Route, route};
use super::options::GatewayOptions;
use super::reply::Reply;
use super::weather::Fault;
use super::world::World;
use super::{mini, v2, v3};
use crate::alipay::china_time::http_date;

/// Everything leads to one handler: what is a path is the channel's business.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(handle).with_state(shared)
}

/// A request as it came.
pub(crate) struct Incoming {
    pub(crate) method: String,
    /// Path and query, as on the wire: this is what is signed.
    pub(crate) target: String,
    pub(crate) path: String,
    pub(crate) query: String,
    headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) wire: Wire,
}

impl Incoming {
    /// A header, if it is there once and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    /// Where the client thinks that it is, for links that lead back.
    pub(crate) fn base(&self) -> String {
        let scheme = if self.wire.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.header("host").unwrap_or("127.0.0.1"))
    }
}

/// A call at its moment: the rules, the time, and what the weather does to the business layer.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) options: &'a GatewayOptions,
    pub(crate) keys: &'a GatewayKeys,
    /// The world's time.
    pub(crate) now: i64,
    /// The time that the gateway believes.
    pub(crate) clock: i64,
    pub(crate) faults: &'a [Fault],
    /// Whether a call that passes the checks is carried out.
    pub(crate) executes: bool,
}

impl Moment<'_> {
    pub(crate) fn has(&self, fault: &Fault) -> bool {
        self.faults.contains(fault)
    }

    /// The code that the weather puts in the place of a success.
    pub(crate) fn forced_code(&self) -> Option<(u16, &str)> {
        self.faults.iter().find_map(|fault| {
            if let Fault::ReturnFail { .. } = fault {
                return Some((500, "SYSTEM_ERROR"));
            }
            if let Fault::Code { status, code, .. } = fault { Some((*status, code.as_str())) } else { None }
        })
    }
}

/// What a family of calls made of a request.
pub(crate) struct Said {
    pub(crate) reply: Reply,
    /// The code of a refusal.
    pub(crate) code: Option<String>,
    pub(crate) executed: bool,
    pub(crate) out_trade_no: Option<String>,
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let busy = wire.busy();
    let clock = shared.options.clock.clone();
    let incoming = Incoming {
        method: method.as_str().to_owned(),
        target: uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers,
        body,
        wire: wire.clone(),
    };
    // A task of its own: a terminal that hangs up does not stop the gateway from carrying out what it asked.
    let call = tokio::spawn(serve(shared, incoming));
    let reply = call.await.unwrap_or(None);
    drop(busy);
    let Some(reply) = reply else {
        wire.cut();
        return Response::default();
    };
    response(reply, clock.now())
}

fn response(reply: Reply, now: i64) -> Response<Body> {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let date = (header::DATE.as_str().to_owned(), http_date(reply.clock.unwrap_or(now)));
    for (name, value) in reply.headers.into_iter().chain([date]) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(&value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// `None` cuts the connection.
async fn serve(shared: Arc<Shared>, incoming: Incoming) -> Option<Reply> {
    let route = route(&incoming.method, &incoming.path);
    let host = incoming.wire.host;
    let faults = shared.change(|world, _| match (&route, world.weather.is_down(host)) {
        (_, true) => vec![Fault::DropRequest],
        (Ok(route), false) => world.weather.strike(route.operation, host),
        (Err(_), false) => Vec::new(),
    });
    pause(&faults, Leg::Request).await;
    let reply = shared.change(|world, now| match route {
        Ok(route) => carry_out(&shared, world, now, &incoming, &route, &faults),
        Err(no_route) => lost(world, now, &incoming, no_route, &faults),
    });
    pause(&faults, Leg::Reply).await;
    reply
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Leg {
    Request,
    Reply,
}

async fn pause(faults: &[Fault], leg: Leg) {
    for fault in faults {
        let ms = match (fault, leg) {
            (Fault::SlowRequest(ms), Leg::Request) | (Fault::SlowReply(ms), Leg::Reply) => *ms,
            _ => continue,
        };
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// A request that leads nowhere: 404 or 405, both empty.
fn lost(world: &mut World, now: i64, incoming: &Incoming, why: NoRoute, faults: &[Fault]) -> Option<Reply> {
    let status = match why {
        NoRoute::UnknownPath => 404,
        NoRoute::WrongMethod => 405,
    };
    let cut = faults.contains(&Fault::DropRequest);
    let outcome = if cut { CallOutcome::Cut } else { CallOutcome::HttpStatus(status) };
    let call = CallRecord {
        at_ms: now,
        operation: None,
        host: incoming.wire.host,
        out_trade_no: None,
        executed: false,
        outcome,
    };
    remember(&mut world.calls, call);
    (!cut).then(|| Reply::bare(status, ""))
}

/// What the weather makes of an answer.
#[derive(Clone, Copy)]
enum Fate {
    Arrives,
    Cut,
    Status(u16),
}

/// The first fault that takes the answer's place, and whether the call is carried out.
fn fate(faults: &[Fault]) -> (Fate, bool) {
    let first = faults.iter().find_map(|fault| match fault {
        Fault::DropRequest => Some((Fate::Cut, false)),
        Fault::DropReply => Some((Fate::Cut, true)),
        Fault::HttpStatus { status, executed } => Some((Fate::Status(*status), *executed)),
        Fault::Code { executed, .. } | Fault::ReturnFail { executed } => Some((Fate::Arrives, *executed)),
        Fault::SlowRequest(_)
        | Fault::SlowReply(_)
        | Fault::BadSignature
        | Fault::Probe
        | Fault::NoSignature
        | Fault::UnknownSerial
        | Fault::SkewedClock(_)
        | Fault::ExtraFields
        | Fault::BuyerConfirms
        | Fault::PaysAtQuery(_)
        | Fault::FailsAtQuery(_)
        | Fault::HiddenFor(_)
        | Fault::RecallReverse
        | Fault::ReverseWhilePaying
        | Fault::CloseWhilePaying
        | Fault::PaysLate { .. }
        | Fault::RefundEnds(_)
        | Fault::NotEnough
        | Fault::WrongHash => None,
    });
    first.unwrap_or((Fate::Arrives, true))
}

fn skew(faults: &[Fault]) -> i64 {
    faults.iter().map(|fault| if let Fault::SkewedClock(ms) = fault { *ms } else { 0 }).sum()
}

fn carry_out(
    shared: &Shared,
    world: &mut World,
    now: i64,
    incoming: &Incoming,
    route: &Route,
    faults: &[Fault],
) -> Option<Reply> {
    let (fate, executes) = fate(faults);
    let clock = now + skew(faults);
    let moment = Moment { options: &shared.options, keys: &shared.keys, now, clock, faults, executes };
    let said = match route.operation.family() {
        Family::V3 => v3::call(world, incoming, route, moment),
        Family::V2 => v2::call(world, incoming, route, moment),
        Family::Mini => mini::call(world, incoming, route.operation, moment),
    };
    let outcome = match fate {
        Fate::Arrives => CallOutcome::Answered { status: said.reply.status, code: said.code },
        Fate::Cut => CallOutcome::Cut,
        Fate::Status(status) => CallOutcome::HttpStatus(status),
    };
    let executed = said.executed;
    note_probes(world, now, route.operation, said.out_trade_no.as_deref(), faults);
    let (operation, host) = (Some(route.operation), incoming.wire.host);
    let call = CallRecord { at_ms: now, operation, host, out_trade_no: said.out_trade_no, executed, outcome };
    remember(&mut world.calls, call);
    match fate {
        Fate::Arrives => Some(Reply { clock: Some(clock), ..said.reply }),
        Fate::Cut => None,
        Fate::Status(status) => Some(Reply::bare(status, "<html><body>gateway error</body></html>")),
    }
}

fn note_probes(world: &mut World, now: i64, operation: Operation, number: Option<&str>, faults: &[Fault]) {
    for probe in &mut world.probes {
        probe.see(operation, number);
    }
    if faults.contains(&Fault::Probe) {
        let probe = Probe { at_ms: now, operation, out_trade_no: number.map(str::to_owned), asked_again: false };
        world.probes.push(probe);
    }
}
