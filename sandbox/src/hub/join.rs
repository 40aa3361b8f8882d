//! Joining: how the key of a terminal becomes known.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::json;

use super::signature::Signed;
use super::store;
use super::wire::{Refusal, Request, Response};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Join {
    public_key: String,
    code: String,
}

pub(crate) fn join(
    connection: &mut Connection,
    terminal: &str,
    signed: &Signed,
    request: &Request,
    now_ms: i64,
) -> Result<Response, Refusal> {
    let join: Join = read_json(request)?;
    let key = STANDARD.decode(&join.public_key).ok().filter(|key| key.len() == 32);
    let key = key.ok_or_else(|| Refusal::new(422, "bad_key", "public_key must be base64 of 32 bytes"))?;
    signed.verify(&key)?;
    let transaction = connection.transaction()?;
    match store::public_key(&transaction, terminal)? {
        Some(known) if known == key => return Ok(joined()),
        Some(_) => {
            let detail = format!("{terminal} joined with another key: its operator must remove that first");
            return Err(Refusal::new(403, "other_key", detail));
        }
        None => {}
    }
    let used = transaction.execute(
        "UPDATE join_codes SET used_by = ? WHERE code = ? AND used_by IS NULL",
        params![terminal, join.code],
    )?;
    if used != 1 {
        return Err(Refusal::new(403, "bad_code", "this code is unknown or was used: ask the operator for another"));
    }
    transaction.execute(
        "INSERT INTO terminals (terminal, public_key, joined_ms) VALUES (?, ?, ?)",
        params![terminal, key, now_ms],
    )?;
    transaction.commit()?;
    Ok(joined())
}

fn joined() -> Response {
    Response::json(200, &json!({ "joined": true }))
}

/// The body of a request that is JSON.
pub(crate) fn read_json<'a, T: Deserialize<'a>>(request: &'a Request) -> Result<T, Refusal> {
    if request.only_header("Content-Type") != Ok("application/json") {
        return Err(Refusal::new(400, "bad_header", "Content-Type must be application/json"));
    }
    serde_json::from_slice(&request.body).map_err(|error| Refusal::new(422, "bad_body", error.to_string()))
}
