//! The description of this API for programs, kept by hand in `openapi.json` and held against the code by tests.

use std::io::Read;

use axum::http::header;
use axum::response::IntoResponse;
use flate2::read::ZlibDecoder;

/// As build.rs packed it: it is asked for once in a machine's life.
const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.z"));

/// The OpenAPI 3.1 document, about 90 kB.
#[must_use]
pub fn document() -> String {
    let mut text = String::new();
    // What the build packed unpacks; an empty text would be told by the tests.
    let _ = ZlibDecoder::new(PACKED).read_to_string(&mut text);
    text
}

/// `GET /v1/openapi.json`
pub(super) async fn show() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document())
}
