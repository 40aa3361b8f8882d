//! Asking a channel for a day's statement. Each channel has its own steps; all end in the file as it came, in nothing
//! because no money moved that day, or in a reason for a person.

use std::time::Duration;

use books::reconcile::Date;
use payment::channel::alipay::Alipay;
use payment::channel::alipay::bill::{BillError as AlipayBill, BillKind as AlipayKind};
use payment::channel::allinpay::vsp::Vsp;
use payment::channel::allinpay::yst::Yst;
use payment::channel::outcome::Doubt;
use payment::channel::wechat::{BillError as WechatBill, BillKind as WechatKind, Wechat};
use payment::channel::{ChannelId, HttpReply, HttpRequest};
use payment::time::Wall;
use serde_json::Value;

use crate::http::{self, Adapter, Channels, Limits};

/// The largest answer that is read: a month of a busy chain in one file.
const LIMITS: Limits = Limits { body: 32 * 1024 * 1024, total: Duration::from_secs(120) };

/// What a channel has for a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The file as it came; for WeChat Pay unpacked, as its hash is of that.
    File(Vec<u8>),
    /// The channel says that no money moved that day.
    Nothing,
    /// The channel has no file, and may still make one: not a word to keep.
    NoneSoFar,
}

/// Why there is no statement.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It is being made.
    #[error(
        "the statement of {0} is not ready yet: it is made in the morning of the next day; ask again after ten o'clock in China"
    )]
    NotYet(ChannelName),
    /// The channel does not give it.
    #[error("{0} does not give the statement: {1}. Nothing was kept, and the next run asks again")]
    Refused(ChannelName, String),
    /// It is not known what the channel said.
    #[error("the statement of {0} could not be fetched: {1}. No money is concerned; try again")]
    Doubt(ChannelName, String),
    /// Not a channel with statements, or not set up.
    #[error("{0} is not set up here, or writes no statements")]
    NoStatements(ChannelName),
}

/// A channel in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelName(pub ChannelId);

impl std::fmt::Display for ChannelName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name())
    }
}

/// One channel being asked.
struct Asking<'a> {
    channels: &'a Channels,
    channel: ChannelId,
    wall: Wall,
}

/// Asks `channel` for its statement of `day`.
///
/// # Errors
///
/// [`FetchError`], for a person.
pub async fn fetch(channels: &Channels, channel: ChannelId, day: Date, wall: Wall) -> Result<Fetched, FetchError> {
    let asking = Asking { channels, channel, wall };
    match channels.adapter(channel) {
        Some(Adapter::Alipay(alipay)) => asking.alipay(alipay, day).await,
        Some(Adapter::Wechat(wechat)) => asking.wechat(wechat, day).await,
        Some(Adapter::AllinpayVsp(vsp)) => asking.vsp(vsp, day).await,
        Some(Adapter::AllinpayYst(yst)) => asking.yst(yst, day).await,
        None => Err(FetchError::NoStatements(ChannelName(channel))),
    }
}

impl Asking<'_> {
    async fn alipay(&self, alipay: &Alipay, day: Date) -> Result<Fetched, FetchError> {
        let reply = self.send(&alipay.bill_request(AlipayKind::Trades, day, self.wall)).await?;
        let url = match alipay.bill_location(&reply) {
            Err(AlipayBill::UnknownKey { serial }) => {
                self.fetch_key(&serial).await?;
                alipay.bill_location(&reply)
            }
            known => known,
        };
        let url = match url {
            Ok(url) => url,
            Err(AlipayBill::Empty) => return Ok(Fetched::Nothing),
            // The same code stands for a day without sales and for a bill that is not made yet.
            Err(AlipayBill::NotExist) if self.is_long_over(day) => return Ok(Fetched::NoneSoFar),
            Err(AlipayBill::NotExist) => return Err(FetchError::NotYet(ChannelName(self.channel))),
            Err(error) => return Err(self.refused(error)),
        };
        let reply = self.send(&alipay.bill_download(&url)).await?;
        self.file(reply)
    }

    async fn wechat(&self, wechat: &Wechat, day: Date) -> Result<Fetched, FetchError> {
        let asked = wechat.bill_request(WechatKind::Trades, day, self.wall, self.entropy()?);
        let reply = self.send(&asked).await?;
        let location = match wechat.bill_location(self.wall, &reply) {
            Err(WechatBill::UnknownKey { serial }) => {
                self.fetch_key(&serial).await?;
                wechat.bill_location(self.wall, &reply)
            }
            known => known,
        };
        let location = match location {
            Ok(location) => location,
            Err(WechatBill::NoBill) => return Ok(Fetched::Nothing),
            Err(WechatBill::NotYet) => return Err(FetchError::NotYet(ChannelName(self.channel))),
            Err(error) => return Err(self.refused(error)),
        };
        let reply = self.send(&wechat.bill_download(&location, self.wall, self.entropy()?)).await?;
        wechat.bill_content(&location, &reply).map(Fetched::File).map_err(|error| self.refused(error))
    }

    async fn vsp(&self, vsp: &Vsp, day: Date) -> Result<Fetched, FetchError> {
        let reply = self.send(&vsp.statement_request(day, self.entropy()?)).await?;
        let url = vsp.statement_location(&reply).map_err(|error| self.refused(error))?;
        let reply = self.send(&Vsp::statement_download(&url)).await?;
        self.file(reply)
    }

    async fn yst(&self, yst: &Yst, day: Date) -> Result<Fetched, FetchError> {
        let reply = self.send(&yst.statement_request(day, self.entropy()?)).await?;
        match envelope(&reply.body) {
            Some(said) => Err(self.refused(said)),
            None => self.file(reply),
        }
    }

    fn file(&self, reply: HttpReply) -> Result<Fetched, FetchError> {
        download(reply).map(Fetched::File).map_err(|why| self.refused(why))
    }

    async fn fetch_key(&self, serial: &str) -> Result<(), FetchError> {
        let fetched = self.channels.fetch_key(self.channel, serial, self.wall).await;
        fetched.map_err(|doubt| self.doubt(&doubt))
    }

    /// Whether bills of that day are made by now: noon of the next day in China.
    fn is_long_over(&self, day: Date) -> bool {
        let noon = day.tomorrow().ok().and_then(books::day::begin_ms).map(|begin| begin + books::day::DAY_MS / 2);
        noon.is_some_and(|noon| self.wall.ms >= noon)
    }

    async fn send(&self, http: &HttpRequest) -> Result<HttpReply, FetchError> {
        let sent = self.channels.exchange(self.channel, http, self.wall, LIMITS).await;
        sent.map_err(|doubt| self.doubt(&doubt))
    }

    fn entropy(&self) -> Result<[u8; 32], FetchError> {
        http::entropy().map_err(|doubt| self.doubt(&doubt))
    }

    fn doubt(&self, doubt: &Doubt) -> FetchError {
        FetchError::Doubt(ChannelName(self.channel), doubt.detail.clone())
    }

    fn refused(&self, error: impl ToString) -> FetchError {
        FetchError::Refused(ChannelName(self.channel), error.to_string())
    }
}

/// A download: nothing vouches for it but TLS and, later, that it can be read. No channel says that an empty one is a day
/// without sales: their files have headings then too.
fn download(reply: HttpReply) -> Result<Vec<u8>, String> {
    match reply.status {
        200 if reply.body.is_empty() => Err("the file came without a byte".to_owned()),
        200 => Ok(reply.body),
        status => Err(format!("HTTP status {status}")),
    }
}

/// Allinpay YunST says no in the envelope of its other answers, with HTTP 200 too, where a file is expected.
fn envelope(body: &[u8]) -> Option<String> {
    let envelope: serde_json::Map<String, Value> = serde_json::from_slice(body).ok()?;
    let said = |name: &str| match envelope.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "?".to_owned(),
    };
    let when = "if it is not made yet, ask again after ten o'clock in China";
    Some(format!("{} ({}); {when}", said("code"), said("msg")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> HttpReply {
        HttpReply { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_download_without_a_byte_is_no_day_without_sales() {
        assert!(download(reply(200, "")).is_err());
        assert!(download(reply(503, "x")).is_err());
        assert_eq!(download(reply(200, "x")), Ok(b"x".to_vec()));
    }

    #[test]
    fn an_answer_of_yunst_is_no_file_and_its_words_are_said() {
        let said = envelope(r#"{"code":"10001","msg":"对账文件未生成","sign":"x"}"#.as_bytes()).unwrap();
        assert!(said.contains("10001 (对账文件未生成)") && said.contains("ask again"), "{said}");
        assert_eq!(envelope("通联订单号|订单类型|\n".as_bytes()), None);
        assert_eq!(envelope(b""), None);
    }
}
