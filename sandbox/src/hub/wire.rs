//! Requests, answers and refusals, as far as they are the same for everything that a terminal asks.

use serde::Serialize;

/// A request as it came: nothing of it is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The path as sent, with the query if there was one.
    pub path: String,
    /// Names and values of the header fields.
    pub headers: Vec<(String, String)>,
    /// The body as sent.
    pub body: Vec<u8>,
}

impl Request {
    /// The only header field of this name.
    ///
    /// # Errors
    ///
    /// How often it is there, if not once.
    pub fn only_header(&self, name: &str) -> Result<&str, usize> {
        let mut values = self.headers.iter().filter(|(each, _)| each.eq_ignore_ascii_case(name));
        match (values.next(), values.count()) {
            (Some((_, value)), 0) => Ok(value.trim()),
            (None, _) => Err(0),
            (Some(_), more) => Err(more + 1),
        }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names and values of the header fields.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// For how many seconds the answer to a poll may be held back, because there is no command yet: handle the request
    /// again when one was queued, and give this answer when the time is over. `None` when it is final.
    pub wait_s: Option<u64>,
}

impl Response {
    /// An answer with a JSON body.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        Self { status, headers, body: serde_json::to_vec(body).unwrap_or_default(), wait_s: None }
    }
}

/// Why a request is not carried out. Nothing of it was.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Refusal {
    #[serde(skip)]
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    /// With `gap`: up to where the hub has everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) acknowledged: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), acknowledged: None }
    }

    pub(crate) fn answer(&self) -> Response {
        Response::json(self.status, self)
    }
}

/// The database failed. What was asked is not carried out and may be asked again.
impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::new(503, "unavailable", format!("the hub cannot use its database: {error}; nothing of this was kept"))
    }
}
