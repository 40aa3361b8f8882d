//! What went wrong on the way, as a doubt in words for the log.

use std::error::Error;
use std::io;

use payment::channel::outcome::{Doubt, DoubtKind};
use rustls::CertificateError;

/// The innermost cause, without the address: it may hold a signature, and the log knows the channel anyway.
pub(super) fn doubt_of(error: &reqwest::Error) -> Doubt {
    let kind = if error.is_connect() { DoubtKind::NoConnection } else { DoubtKind::NoReply };
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(Error::source) {
        cause = Some(deeper);
    }
    let timed_out = if error.is_timeout() { "timed out" } else { "no reply" };
    let detail = cause.map_or_else(|| timed_out.to_owned(), in_words);
    Doubt::new(kind, detail)
}

/// A server's certificate that is not valid today is more often a wrong clock than a wrong server.
fn in_words(cause: &(dyn Error + 'static)) -> String {
    let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let tls = inner.and_then(|inner| inner.downcast_ref()).or_else(|| cause.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        )) => format!("{cause}. Nothing was sent; see whether this machine's clock is right"),
        _ => cause.to_string(),
    }
}

/// What two hosts in a row left: nothing was sent only if nothing was sent to either.
pub(super) fn both(first: Doubt, second: Doubt) -> Doubt {
    let kind = if first.kind == DoubtKind::NoConnection { second.kind } else { first.kind };
    Doubt::new(kind, format!("{}; the second host: {}", first.detail, second.detail))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::pki_types::UnixTime;

    use super::*;

    fn refused(certificate: CertificateError) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(certificate))
    }

    #[test]
    fn a_certificate_of_another_time_points_to_the_clock() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let expired = CertificateError::ExpiredContext { time: at(4_100_000_000), not_after: at(1_800_000_000) };
        let early = CertificateError::NotValidYetContext { time: at(1_000), not_before: at(1_700_000_000) };
        for of_another_time in [expired, early, CertificateError::Expired, CertificateError::NotValidYet] {
            let words = in_words(&refused(of_another_time));
            assert!(words.ends_with("see whether this machine's clock is right"), "{words}");
        }
        let words = in_words(&refused(CertificateError::UnknownIssuer));
        assert_eq!(words, "invalid peer certificate: UnknownIssuer");
        assert_eq!(in_words(&io::Error::other("connection refused")), "connection refused");
    }

    #[test]
    fn nothing_was_sent_only_if_neither_host_got_it() {
        use DoubtKind::{NoConnection, NoReply};
        for (first, second, kind) in [
            (NoConnection, NoConnection, NoConnection),
            (NoConnection, NoReply, NoReply),
            (NoReply, NoConnection, NoReply),
            (NoReply, NoReply, NoReply),
        ] {
            assert_eq!(both(Doubt::new(first, "a"), Doubt::new(second, "b")).kind, kind, "{first:?}, {second:?}");
        }
    }
}
