//! One call: from HTTP to the business layer and back, through the weather.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::{get, post};
use encoding_rs::{Encoding, GBK, UTF_8};

use super::bill;
use super::calls::{CallOutcome, CallRecord, remember};
use super::china_time::http_date;
use super::common::{Checked, check};
use super::connection::Scissors;
use super::control::Shared;
use super::method::{self, Method, Moment, Node, Refused};
use super::params::Params;
use super::refusal::Refusal;
use super::reply::{self, Dress};
use super::weather::Fault;
use super::world::World;

/// The gateway, and the bills at the addresses that it gives.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/gateway.do", post(gateway_do).fallback(no_call))
        .route("/downloadBillFile.resource", get(bill_file))
        .with_state(shared)
}

/// The file, while its address lives.
async fn bill_file(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response<Body> {
    let query = query.unwrap_or_default();
    let token = query.split('&').find_map(|pair| pair.strip_prefix("token="));
    let file = shared.look(|world, now| {
        let link = token.and_then(|token| world.bill_links.get(token)).filter(|link| link.expires_at > now)?;
        bill::file(world, &shared.options, link.day, now)
    });
    let response = match file {
        Some(file) => Response::new(Body::from(file)),
        None => bare(StatusCode::FORBIDDEN.as_u16()),
    };
    dated(response, shared.now())
}

/// Anything but a POST is no call. Like every answer it tells the gateway's time.
async fn no_call(State(shared): State<Arc<Shared>>) -> Response<Body> {
    dated(bare(StatusCode::METHOD_NOT_ALLOWED.as_u16()), shared.now())
}

async fn gateway_do(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let form = if is_form(&headers) { body } else { Bytes::new() };
    let clock = shared.options.clock.clone();
    // A task of its own: a terminal that hangs up does not stop the gateway from carrying out what it asked.
    let call = tokio::spawn(serve(shared, query.unwrap_or_default(), form));
    let response = match call.await {
        Ok(Delivery::Answer(bytes, charset)) => answer(bytes, charset),
        Ok(Delivery::Status(status)) => bare(status),
        Ok(Delivery::Cut) | Err(_) => {
            scissors.cut();
            Response::default()
        }
    };
    dated(response, clock.now())
}

fn dated(mut response: Response<Body>, now: i64) -> Response<Body> {
    if let Ok(date) = HeaderValue::from_str(&http_date(now)) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

fn answer(bytes: Vec<u8>, charset: &'static Encoding) -> Response<Body> {
    let content_type = if charset == GBK { "text/html;charset=GBK" } else { "text/html;charset=utf-8" };
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert("trace_id", HeaderValue::from_static("0b26c1f917487504"));
    response
}

fn bare(status: u16) -> Response<Body> {
    let mut response = Response::new(Body::from("<html><body>gateway error</body></html>"));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// What goes back to the terminal.
enum Delivery {
    Answer(Vec<u8>, &'static Encoding),
    Status(u16),
    Cut,
}

/// A request as far as it could be read.
struct Call {
    method_name: String,
    method: Option<Method>,
    out_trade_no: Option<String>,
    charset: &'static Encoding,
    checked: Result<Checked, Refusal>,
}

impl Call {
    fn read(shared: &Shared, query: &str, form: &[u8]) -> Self {
        match Params::decode(query, form) {
            Ok(params) => Self::of(&params, shared),
            Err(refusal) => Self {
                method_name: String::new(),
                method: None,
                out_trade_no: None,
                charset: UTF_8,
                checked: Err(refusal),
            },
        }
    }

    fn of(params: &Params, shared: &Shared) -> Self {
        let checked = check(params, &shared.options, &shared.keys, shared.now());
        let method_name = params.get("method").unwrap_or_default().to_owned();
        let number = checked.as_ref().ok().and_then(|checked| {
            let number = checked.biz.get("out_trade_no")?;
            Some(number.as_str()?.to_owned())
        });
        Self {
            method: Method::named(&method_name),
            method_name,
            out_trade_no: number,
            charset: params.charset,
            checked,
        }
    }
}

async fn serve(shared: Arc<Shared>, query: String, form: Bytes) -> Delivery {
    let call = Call::read(&shared, &query, &form);
    let faults = shared.change(|world, _| {
        if world.weather.network_down {
            return vec![Fault::DropRequest];
        }
        world.weather.strike(call.method)
    });
    pause(&faults, Leg::Request).await;
    let delivery = shared.change(|world, now| carry_out(&shared, world, now, &call, &faults));
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

fn carry_out(shared: &Shared, world: &mut World, now: i64, call: &Call, faults: &[Fault]) -> Delivery {
    let fate = Fate::of(faults, call.method);
    let result = match &call.checked {
        Err(refusal) => Err(Refused::from(refusal.clone())),
        Ok(_) if !fate.executes() => Ok(None),
        Ok(checked) => {
            let moment =
                Moment { options: &shared.options, now, buyer_confirms: faults.contains(&Fault::BuyerConfirms) };
            method::execute(checked.method, world, &checked.biz, moment).map(Some)
        }
    };
    let dress = dress(shared, world, call, faults);
    let executed = matches!(result, Ok(Some(_)));
    let (delivery, outcome) = deliver(shared, call, fate, result, dress);
    let record = CallRecord {
        at_ms: now,
        method: call.method_name.clone(),
        out_trade_no: call.out_trade_no.clone(),
        executed,
        outcome,
    };
    remember(&mut world.calls, record);
    delivery
}

fn dress(shared: &Shared, world: &mut World, call: &Call, faults: &[Fault]) -> Dress {
    Dress {
        quirk: shared.options.quirks.then(|| world.next()),
        rotated: faults.contains(&Fault::RotatedCertificate),
        bad_signature: faults.contains(&Fault::BadSignature),
        unsigned_failures: faults.contains(&Fault::UnsignedFailures),
        ..Dress::plain(call.charset)
    }
}

/// What the weather makes of an answer.
#[derive(Clone, Copy)]
enum Fate<'a> {
    Arrives,
    Cut { executed: bool },
    Status { status: u16, executed: bool },
    Unavailable { executed: bool },
    SubCode { sub_code: &'a str, executed: bool },
    CancelLater,
}

impl<'a> Fate<'a> {
    /// The first fault that takes the answer's place.
    fn of(faults: &'a [Fault], method: Option<Method>) -> Self {
        faults.iter().find_map(|fault| Self::from_fault(fault, method)).unwrap_or(Self::Arrives)
    }

    fn from_fault(fault: &'a Fault, method: Option<Method>) -> Option<Self> {
        match fault {
            Fault::DropRequest => Some(Self::Cut { executed: false }),
            Fault::DropReply => Some(Self::Cut { executed: true }),
            Fault::HttpStatus { status, executed } => Some(Self::Status { status: *status, executed: *executed }),
            Fault::Unavailable { executed } => Some(Self::Unavailable { executed: *executed }),
            Fault::SubCode { sub_code, executed } => Some(Self::SubCode { sub_code, executed: *executed }),
            Fault::CancelLater => (method == Some(Method::Cancel)).then_some(Self::CancelLater),
            Fault::SlowRequest(_)
            | Fault::SlowReply(_)
            | Fault::BadSignature
            | Fault::UnsignedFailures
            | Fault::BuyerConfirms
            | Fault::RotatedCertificate
            | Fault::PaysLate { .. } => None,
        }
    }

    fn executes(self) -> bool {
        match self {
            Self::Arrives => true,
            Self::CancelLater => false,
            Self::Cut { executed }
            | Self::Status { executed, .. }
            | Self::Unavailable { executed }
            | Self::SubCode { executed, .. } => executed,
        }
    }
}

/// Puts the answer, or what the weather left of it, into bytes.
fn deliver(
    shared: &Shared,
    call: &Call,
    fate: Fate<'_>,
    result: Result<Option<Node>, Refused>,
    dress: Dress,
) -> (Delivery, CallOutcome) {
    let keys = &shared.keys;
    match (fate, result) {
        (Fate::Cut { .. }, _) => (Delivery::Cut, CallOutcome::Cut),
        (Fate::Status { status, .. }, _) => (Delivery::Status(status), CallOutcome::HttpStatus(status)),
        (Fate::Unavailable { .. }, _) => {
            let outcome = answered("20000", Some("aop.unknow-error"));
            let bytes = reply::unavailable(keys, dress);
            (Delivery::Answer(bytes, GBK), outcome)
        }
        (Fate::SubCode { sub_code, .. }, Ok(_)) => {
            let refusal = Refusal::business(sub_code, "made by the sandbox's weather");
            refused(shared, call, &Refused::from(refusal), dress)
        }
        (_, Err(failure)) => refused(shared, call, &failure, dress),
        (Fate::CancelLater, Ok(_)) => {
            let biz = call.checked.as_ref().map(|checked| checked.biz.clone());
            let node = method::cancel_later(&biz.unwrap_or_default());
            succeeded(shared, call, &node, dress)
        }
        (Fate::Arrives, Ok(node)) => succeeded(shared, call, &node.unwrap_or_default(), dress),
    }
}

fn succeeded(shared: &Shared, call: &Call, node: &Node, dress: Dress) -> (Delivery, CallOutcome) {
    let code = node.get("code").and_then(|code| code.as_str());
    let outcome = answered(code.unwrap_or_default(), None);
    let method = call.method.unwrap_or(Method::Query);
    let bytes = reply::success(&shared.keys, method, node, dress);
    (Delivery::Answer(bytes, dress.charset), outcome)
}

fn refused(shared: &Shared, call: &Call, failure: &Refused, dress: Dress) -> (Delivery, CallOutcome) {
    let outcome = answered(failure.refusal.code, Some(&failure.refusal.sub_code));
    let bytes = reply::failure(&shared.keys, call.method, failure, dress);
    (Delivery::Answer(bytes, dress.charset), outcome)
}

fn answered(code: &str, sub_code: Option<&str>) -> CallOutcome {
    CallOutcome::Answered { code: code.to_owned(), sub_code: sub_code.map(str::to_owned) }
}
