//! The `Date` of servers' answers, on the way from whoever talks to a server to the clock.

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap};
use reqwest::{Response, Url};
use tokio::sync::watch;

use super::trust::Witness;

/// What was heard last.
#[derive(Debug, Clone, Default)]
pub(super) struct News {
    /// The newest date.
    pub heard: Option<Heard>,
    /// Why a server that was asked said nothing.
    pub trouble: Option<String>,
}

/// A server's date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard {
    pub server: Witness,
    /// Milliseconds since 1970.
    pub date: i64,
    /// When it arrived, in milliseconds since boot.
    pub since_boot: i64,
}

/// Where answers' dates are handed in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Dates {
    news: watch::Sender<News>,
    /// Unencrypted answers count too: only with pretend money, where a gateway may be a neighbour without TLS.
    plain_counts: bool,
}

impl Dates {
    pub(super) fn new(plain_counts: bool) -> Self {
        Self { news: watch::Sender::new(News::default()), plain_counts }
    }

    pub(super) fn news(&self) -> watch::Receiver<News> {
        self.news.subscribe()
    }

    /// Takes the date of an answer. One that came without verified TLS is nobody's word: `false`, as without a date.
    pub fn hear(&self, server: Witness, answer: &Response) -> bool {
        let Some(date) = self.date_of(answer.url(), answer.headers()) else {
            return false;
        };
        let heard = Heard { server, date, since_boot: hal::clock::since_boot_ms() };
        self.news.send_replace(News { heard: Some(heard), trouble: None });
        true
    }

    /// A server that was asked for the time did not answer.
    pub fn silent(&self, why: String) {
        self.news.send_modify(|news| news.trouble = Some(why));
    }

    fn date_of(&self, url: &Url, headers: &HeaderMap) -> Option<i64> {
        let counts = url.scheme() == "https" || self.plain_counts;
        let date = headers.get(DATE).filter(|_| counts)?.to_str().ok()?;
        let moment = DateTimeParser::new().parse_timestamp(date).ok()?;
        Some(moment.as_millisecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date_of(plain_counts: bool, url: &str, date: &str) -> Option<i64> {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, date.parse().expect("a header"));
        Dates::new(plain_counts).date_of(&url.parse().expect("an address"), &headers)
    }

    #[test]
    fn a_date_is_read_as_servers_write_it() {
        let read = |date| date_of(false, "https://gateway.test/", date);
        assert_eq!(read("Wed, 18 Nov 2026 11:06:40 GMT"), Some(1_795_000_000_000));
        assert_eq!(read("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        for nonsense in ["", "yesterday", "1795000000", "Wed, 18 Nov 2026", "Mon, 18 Nov 2026 11:06:40 GMT"] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_date_without_tls_counts_only_with_pretend_money() {
        let date = "Wed, 18 Nov 2026 11:06:40 GMT";
        assert_eq!(date_of(false, "http://127.0.0.1:8080/gateway.do", date), None);
        assert!(date_of(true, "http://127.0.0.1:8080/gateway.do", date).is_some());
    }
}
