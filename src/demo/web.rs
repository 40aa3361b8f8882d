//! The demo's page on loopback: one stream of snapshots out, one kind of request in.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::{Stream, StreamExt, wrappers::WatchStream};

use super::stage::{Act, Stage};

const INDEX: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/app.js");

/// The page loads nothing from anywhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How often a quiet stream says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Where the page is when nobody says otherwise.
pub const USUAL_PORT: u16 = 8400;
/// How many ports are tried from there.
const PORTS_TRIED: u16 = 20;

#[derive(Clone)]
struct Web {
    stage: Arc<Stage>,
    snapshots: watch::Receiver<Arc<str>>,
}

/// Opens the wished port, or the usual one or the next that is free.
///
/// # Errors
///
/// When the wished port, or all of them, are taken.
pub async fn listen(wished: Option<u16>) -> anyhow::Result<TcpListener> {
    let open = |port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    if let Some(port) = wished {
        return open(port).await.map_err(|error| {
            anyhow::anyhow!(
                "port {port} cannot be opened ({error}): choose another one with --port, or --port 0 for any free one"
            )
        });
    }
    for port in USUAL_PORT..USUAL_PORT + PORTS_TRIED {
        if let Ok(listener) = open(port).await {
            return Ok(listener);
        }
    }
    Ok(open(0).await?)
}

/// Serves the page until `stop`.
///
/// # Errors
///
/// When the port fails.
pub async fn serve(
    listener: TcpListener,
    stage: Arc<Stage>,
    snapshots: watch::Receiver<Arc<str>>,
) -> std::io::Result<()> {
    let address = listener.local_addr()?;
    let app = Router::new()
        .route("/", get(|| file("text/html; charset=utf-8", INDEX)))
        .route("/style.css", get(|| file("text/css; charset=utf-8", STYLE)))
        .route("/app.js", get(|| file("text/javascript; charset=utf-8", SCRIPT)))
        .route("/screen.png", get(screen))
        .route("/events", get(events))
        .route("/do", post(act))
        .with_state(Web { stage, snapshots })
        .layer(from_fn_with_state(address, only_for_us));
    let quick = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was refused; the page may lag by some milliseconds");
        }
    });
    axum::serve(quick, app).await
}

/// A page elsewhere that makes its name point at this machine gets nothing, nor does a form on another page.
async fn only_for_us(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    if !is_for_us(request.headers(), address) {
        let advice = format!("This page is only served at http://{address}\n");
        return (StatusCode::MISDIRECTED_REQUEST, advice).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn is_for_us(headers: &HeaderMap, address: SocketAddr) -> bool {
    let hosts = [address.to_string(), format!("localhost:{}", address.port())];
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_our_host = hosts.iter().any(|host| text(header::HOST) == Some(host.as_str()));
    let is_our_origin = text(header::ORIGIN).is_none_or(|origin| {
        let page = origin.strip_prefix("http://");
        hosts.iter().any(|host| page == Some(host.as_str()))
    });
    is_our_host && is_our_origin
}

async fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind)], text)
}

async fn screen(State(web): State<Web>) -> Response {
    let Some(frame) = web.stage.scene.machine.frame() else {
        return (StatusCode::NOT_FOUND, "The screen is dark.").into_response();
    };
    match tokio::task::spawn_blocking(move || frame.to_png()).await {
        Ok(Ok(png)) => ([(header::CONTENT_TYPE, "image/png")], png).into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn events(State(web): State<Web>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let snapshots = WatchStream::new(web.snapshots);
    let events = snapshots.map(|snapshot| Ok(Event::default().data(&*snapshot)));
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

async fn act(State(web): State<Web>, Json(act): Json<Act>) -> Response {
    match web.stage.act(act).await {
        Ok(said) => Json(json!({ "said": said })).into_response(),
        Err(error) => {
            let body = Json(json!({ "error": sentence(&error.to_string()) }));
            (StatusCode::CONFLICT, body).into_response()
        }
    }
}

/// An error as a person reads it.
fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &'static str, origin: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        headers
    }

    #[test]
    fn only_our_own_page_is_served() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 8400));
        for (host, origin, wished) in [
            ("127.0.0.1:8400", None, true),
            ("localhost:8400", Some("http://localhost:8400"), true),
            ("rebound.example:8400", None, false),
            ("127.0.0.1:8400", Some("http://other.example"), false),
            ("127.0.0.1:8400", Some("null"), false),
        ] {
            assert_eq!(is_for_us(&headers(host, origin), address), wished, "{host} {origin:?}");
        }
    }

    #[test]
    fn errors_are_sentences() {
        assert_eq!(sentence("this order is closed; nothing was paid"), "This order is closed; nothing was paid.");
    }

    #[test]
    fn the_page_is_small_and_needs_nothing_from_elsewhere() {
        assert!(INDEX.len() + STYLE.len() + SCRIPT.len() < 60_000);
        for text in [INDEX, STYLE, SCRIPT] {
            assert!(!text.contains("https://"), "something comes from elsewhere");
        }
    }
}
