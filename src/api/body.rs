//! Bodies, headers, numbers and parameters of requests: read whole, or refused with the name of what is wrong.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use payment::engine::entry::IdempotencyKey;
use ring::digest::{SHA256, digest};
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};
use crate::json::Object;

/// The largest body. An order of twenty items with long names needs a tenth of it.
pub const BODY_BYTES_MAX: usize = 64 << 10;
/// What is read of a body that is too large, before the connection is given up.
const DISCARDED_BYTES_MAX: usize = 4 << 20;
/// How long a body may take to arrive.
pub const BODY_LIMIT: Duration = Duration::from_secs(10);
/// The longest idempotency key.
const KEY_CHARACTERS_MAX: usize = 255;

/// A request's body, read as `T`, and its key.
#[derive(Debug)]
pub struct Wanted<T> {
    /// The body.
    pub body: T,
    /// The `Idempotency-Key`, bound to the body's bytes.
    pub key: Option<IdempotencyKey>,
}

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Wanted<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read_body(&parts.headers, body, BODY_LIMIT).await?;
        let key = idempotency_key(&parts.headers, &bytes)?;
        // No body says the same as an empty object: everything by default.
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        Ok(Self { body: parse(text)?, key })
    }
}

/// A request's headers, their names in lower case, and its body, byte for byte: for what is signed.
#[derive(Debug)]
pub struct AsItCame {
    /// The headers that are text.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl<S: Sync> FromRequest<S> for AsItCame {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = read_body(&parts.headers, body, BODY_LIMIT).await?;
        let text =
            |name: &HeaderName, value: &HeaderValue| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()));
        Ok(Self { headers: parts.headers.iter().filter_map(|(name, value)| text(name, value)).collect(), body })
    }
}

async fn read_body(headers: &HeaderMap, body: Body, limit: Duration) -> Result<Vec<u8>, Problem> {
    let bytes = match tokio::time::timeout(limit, collect(body)).await {
        Ok(bytes) => bytes?,
        Err(_) => {
            let detail = format!("the body must arrive within {} seconds", limit.as_secs());
            return Err(Problem::new(Code::BodyTooSlow, detail));
        }
    };
    if !bytes.is_empty() && !is_json(headers) {
        return Err(Problem::new(
            Code::WrongContentType,
            "send the body as JSON and say so: `Content-Type: application/json`",
        ));
    }
    Ok(bytes)
}

/// Keeps what fits. A caller who is still writing does not read: some more is taken in and thrown away, so that the
/// refusal arrives instead of a broken connection.
async fn collect(mut body: Body) -> Result<Vec<u8>, Problem> {
    let mut kept = Vec::new();
    let mut seen: usize = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame =
            frame.map_err(|error| Problem::new(Code::MalformedJson, format!("the body broke off ({error})")))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen = seen.saturating_add(data.len());
        if seen <= BODY_BYTES_MAX {
            kept.extend_from_slice(&data);
        } else if seen > DISCARDED_BYTES_MAX {
            break;
        }
    }
    if seen > BODY_BYTES_MAX {
        return Err(Problem::new(Code::BodyTooLarge, format!("a body has at most {BODY_BYTES_MAX} bytes")));
    }
    Ok(kept)
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (kind, parameters) = value.split_once(';').unwrap_or((value, ""));
    let charset = parameters.trim().to_ascii_lowercase();
    kind.trim().eq_ignore_ascii_case("application/json")
        && (charset.is_empty() || charset == "charset=utf-8" || charset == "charset=\"utf-8\"")
}

/// Reads a JSON object as `T`.
///
/// # Errors
///
/// Line and column when it is not JSON; the name of the field when it is, but not acceptable.
pub fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    // Syntax first: a missing brace at the end must not be reported as a wrong field in the middle.
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(text) {
        let (line, column) = (error.line(), error.column());
        let detail = format!("not JSON at line {line}, column {column}: {}", without_place(&error));
        return Err(Problem::new(Code::MalformedJson, detail));
    }
    let mut json = serde_json::Deserializer::from_slice(text);
    let read: Result<Object<T>, _> = serde_path_to_error::deserialize(&mut json);
    read.map(|Object(body)| body).map_err(|error| {
        let path = error.path().to_string();
        let detail = without_place(error.inner());
        match path.as_str() {
            "." => match named_in(&detail) {
                Some(name) => Problem::field(name, detail),
                None => Problem::new(Code::InvalidField, detail),
            },
            _ => Problem::field(path, detail),
        }
    })
}

/// What serde says without " at line 1 column 20": a path says it better.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).map_or(text.clone(), str::to_owned)
}

/// The field that serde names between back-ticks: the missing, unknown or repeated one.
fn named_in(detail: &str) -> Option<String> {
    detail.split('`').nth(1).map(str::to_owned)
}

/// The `Idempotency-Key` of a request, bound to its body.
fn idempotency_key(headers: &HeaderMap, body: &[u8]) -> Result<Option<IdempotencyKey>, Problem> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let fits = (1..=KEY_CHARACTERS_MAX).contains(&key.len()) && key.as_bytes().iter().all(u8::is_ascii_graphic);
    // Those are the hub's: a caller who used one up would make the hub's command a repetition.
    let fits = fits && !key.as_bytes().starts_with(b"hub:");
    match (keys.next(), key.to_str()) {
        (None, Ok(key)) if fits => Ok(Some(IdempotencyKey { key: key.to_owned(), body_sha256: sha256(body) })),
        (None | Some(_), Ok(_) | Err(_)) => Err(Problem::new(
            Code::InvalidHeader,
            format!(
                "Idempotency-Key is given once, 1 to {KEY_CHARACTERS_MAX} visible ASCII characters, such as a UUID, and does \
                 not begin with hub:"
            ),
        )
        .at("Idempotency-Key")),
    }
}

fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The last part of the address: any number of an order, or a fault's name.
#[derive(Debug)]
pub struct Named(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(name) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(Code::NoSuchPath, "the address holds characters that are not UTF-8 text"))?;
        Ok(Self(name))
    }
}

/// Reads the parameters of the address as `T`, whose fields are optional texts.
///
/// # Errors
///
/// An unknown or repeated parameter.
pub fn parameters<T: DeserializeOwned>(parts: &Parts) -> Result<T, Problem> {
    let query = Query::<T>::try_from_uri(&parts.uri).map_err(|error| {
        let detail = error.to_string();
        let detail = detail.rsplit_once(": ").map_or(detail.as_str(), |(_, last)| last);
        let problem = Problem::new(Code::InvalidQuery, detail);
        match named_in(detail) {
            Some(name) => problem.at(name),
            None => problem,
        }
    })?;
    Ok(query.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_that_never_ends_is_given_up() {
        let silence = tokio_stream::pending::<Result<Vec<u8>, std::io::Error>>();
        let waited = read_body(&HeaderMap::new(), Body::from_stream(silence), Duration::from_millis(20)).await;
        assert_eq!(waited.unwrap_err().code(), Code::BodyTooSlow);
    }

    #[tokio::test]
    async fn a_body_without_end_is_not_kept() {
        let chunk = || Ok::<_, std::io::Error>(vec![b'x'; 1 << 16]);
        let endless = tokio_stream::iter(std::iter::repeat_with(chunk));
        let read = read_body(&HeaderMap::new(), Body::from_stream(endless), BODY_LIMIT).await;
        assert_eq!(read.unwrap_err().code(), Code::BodyTooLarge);
    }
}
