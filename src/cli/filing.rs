//! `till filing`: files this machine with Allinpay (终端报备), and asks how that stands. The daemon may be running or not.

use std::time::Duration;

use clap::{Args, ValueEnum};
use payment::channel::allinpay::vsp::{TerminalError, TerminalOperation, Vsp};
use payment::channel::allinpay::yst::Yst;
use payment::channel::allinpay::yst::codes::{Meaning, OK, PENDING};
use payment::channel::allinpay::yst::terminal::{Filed, FiledState, Filing};
use payment::channel::outcome::{Doubt, DoubtKind};
use payment::channel::{ChannelId, HttpReply, HttpRequest, Request};
use payment::time::Wall;
use serde_json::{Value, json};

use super::files::{self, Files, clients, named};
use super::{Answer, Exit, Failure, text};
use crate::http::{Adapter, Channels, Limits, entropy};

/// A filing's answer has a few hundred bytes.
const LIMITS: Limits = Limits { body: 256 * 1024, total: Duration::from_secs(30) };

#[derive(Debug, Args)]
pub(super) struct FilingArgs {
    /// What is done
    #[arg(value_enum, default_value = "ask")]
    act: Act,
    /// With which contract [default: Allinpay's one that is set up]
    #[arg(long, value_parser = channel, value_name = "CHANNEL")]
    channel: Option<ChannelId>,
    #[command(flatten)]
    files: Files,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Act {
    /// Ask how the filing stands
    Ask,
    /// File the machine
    Add,
    /// Change what was filed
    Change,
    /// Cancel the filing
    Cancel,
    /// Ask for an order that nobody has, and show the code that comes back (allinpay_yst)
    Probe,
}

impl Act {
    fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Add => "add",
            Self::Change => "change",
            Self::Cancel => "cancel",
            Self::Probe => "probe",
        }
    }

    /// What to do about a refusal.
    fn advice(self) -> &'static str {
        match self {
            Self::Ask => "If the number was never filed, `till filing add` files it",
            Self::Add | Self::Change => {
                "What is filed stands in the channel's section: terminal_number, device_type, terminal_serial, terminal_address \
                 and terminal_state, as the contract wants them. `add` is for a number that is not filed yet, `change` for one that is"
            }
            Self::Cancel | Self::Probe => "`till filing` asks how it stands",
        }
    }
}

const CHANNELS: [ChannelId; 2] = [ChannelId::AllinpayVsp, ChannelId::AllinpayYst];

fn channel(name: &str) -> Result<ChannelId, String> {
    named(&CHANNELS, name)
}

pub(super) async fn act(args: FilingArgs) -> Result<Answer, Failure> {
    let checked = args.files.load()?;
    let held = checked.channels.iter().map(|channel| channel.adapter.id());
    let channel = chosen(args.channel, held.filter(|channel| CHANNELS.contains(channel)).collect())?;
    let wall = files::wall();
    let counter = Counter { channels: &clients(checked)?, channel, wall, act: args.act };
    match counter.channels.adapter(channel) {
        Some(Adapter::AllinpayVsp(vsp)) => counter.vsp(vsp).await,
        Some(Adapter::AllinpayYst(yst)) => counter.yst(yst).await,
        Some(Adapter::Alipay(_) | Adapter::Wechat(_)) | None => Err(not_here(channel.name())),
    }
}

fn chosen(asked: Option<ChannelId>, held: Vec<ChannelId>) -> Result<ChannelId, Failure> {
    match (asked, held.as_slice()) {
        (Some(asked), held) if held.contains(&asked) => Ok(asked),
        (Some(asked), _) => Err(not_here(asked.name())),
        (None, [only]) => Ok(*only),
        (None, []) => Err(not_here("a channel of Allinpay's")),
        (None, _) => {
            Err(refused("two contracts with Allinpay are set up: say which one, such as --channel allinpay_vsp"))
        }
    }
}

fn not_here(what: &str) -> Failure {
    refused(format!("{what} is not set up here: only Allinpay wants a machine to be filed through its interface"))
}

fn refused(message: impl Into<String>) -> Failure {
    Failure::other(Exit::Refused, message)
}

/// Where a filing is handed in.
struct Counter<'a> {
    channels: &'a Channels,
    channel: ChannelId,
    wall: Wall,
    act: Act,
}

impl Counter<'_> {
    async fn vsp(&self, vsp: &Vsp) -> Result<Answer, Failure> {
        let operation = match self.act {
            Act::Ask => TerminalOperation::Query,
            Act::Add => TerminalOperation::Add,
            Act::Change => TerminalOperation::Change,
            Act::Cancel => TerminalOperation::Cancel,
            Act::Probe => return Err(refused("only allinpay_yst has a code to find out: VSP's are public")),
        };
        let reply = self.send(&vsp.terminal_request(operation, self.entropy()?)).await?;
        match vsp.terminal_answer(&reply) {
            Ok(filed) => {
                let said = json!({ "message": filed.message });
                let words = filed.message.map(|words| format!(" ({})", text::plain(&words))).unwrap_or_default();
                Ok(self.done(format!("{}{words}", self.stands(vsp.terminal_number())), vsp.terminal_number(), said))
            }
            Err(TerminalError::Refused(why)) => Err(self.refused(&why)),
            Err(TerminalError::Unknown(doubt)) => Err(self.unknown(&doubt)),
        }
    }

    async fn yst(&self, yst: &Yst) -> Result<Answer, Failure> {
        let filing = match self.act {
            Act::Ask => Filing::Ask,
            Act::Add => Filing::Add,
            Act::Change => Filing::Change,
            Act::Cancel => Filing::Cancel,
            Act::Probe => return self.probe(yst).await,
        };
        let reply = self.send(&yst.terminal_request(filing, self.wall, self.entropy()?)).await?;
        match yst.terminal_answer(&reply) {
            Ok(filed) => Ok(self.in_their_words(yst.terminal_number(), &filed)),
            Err(doubt) if doubt.kind == DoubtKind::Unlisted => Err(self.refused(&doubt.detail)),
            Err(doubt) => Err(self.unknown(&doubt)),
        }
    }

    /// That the call was understood says little, and the values are in no public list: a person reads them.
    fn in_their_words(&self, number: &str, filed: &Filed) -> Answer {
        let rows = [
            ("the call", worded(&filed.whole)),
            ("WeChat", worded(&filed.wechat)),
            ("Alipay", worded(&filed.alipay)),
            ("UnionPay", worded(&filed.union_pay)),
            ("what went wrong", worded(&filed.error)),
        ];
        let [call, wechat, alipay, union_pay, error] = rows.each_ref().map(|(_, words)| words);
        let said = json!({ "call": call, "wechat": wechat, "alipay": alipay, "union_pay": union_pay, "error": error });
        let text = format!(
            "{} understood the call about terminal {number}. How the filing stands, in its own words:\n{}",
            self.channel.name(),
            text::pairs(&rows)
        );
        let exit = if filed.error.code.is_some() { Exit::Refused } else { Exit::Done };
        Answer { exit, ..self.done(text, number, said) }
    }

    async fn probe(&self, yst: &Yst) -> Result<Answer, Failure> {
        let reply = self.send(&yst.encode(&Request::Probe, self.wall, self.entropy()?)).await?;
        let code = yst.resp_code(&reply).map_err(|doubt| self.unknown(&doubt))?;
        let text = format!(
            "{}: a question for an order that nobody has is answered with respCode {}.\n{}",
            self.channel.name(),
            text::plain(&code),
            self.about(&code, yst.meaning_of(&code))
        );
        Ok(self.done(text, yst.terminal_number(), json!({ "resp_code": code })))
    }

    fn about(&self, code: &str, meaning: Option<Meaning>) -> String {
        match meaning {
            Some(Meaning::NoOrder) => "The settings know it as \"no_order\": nothing is to be done".to_owned(),
            Some(Meaning::NumberUsed | Meaning::ShortOfFunds) => {
                format!("The settings give it another meaning: correct its [[channels.{}.code]]", self.channel.name())
            }
            None if [OK, PENDING].contains(&code) => {
                "It says nothing of its own, so no setting can make it mean \"no such order\"".to_owned()
            }
            None => format!(
                "If the contract's documents say that it means \"no such order\", set it, so that what never arrived does not stay \
                 in doubt for ever:\n\n[[channels.{}.code]]\ncode = {code:?}\nmeaning = \"no_order\"",
                self.channel.name()
            ),
        }
    }

    fn stands(&self, number: &str) -> String {
        let channel = self.channel.name();
        match self.act {
            Act::Ask | Act::Probe => format!("{channel} has terminal {number} on its files"),
            Act::Add => format!("{channel} took the filing of terminal {number}"),
            Act::Change => format!("{channel} changed what was filed of terminal {number}"),
            Act::Cancel => {
                format!("{channel} cancelled the filing of terminal {number}: pay codes are refused there from now on")
            }
        }
    }

    fn done(&self, text: String, number: &str, said: Value) -> Answer {
        let json = json!({ "channel": self.channel, "act": self.act.name(), "terminal": number, "said": said });
        Answer::done(text, json)
    }

    fn refused(&self, why: &str) -> Failure {
        let (channel, advice) = (self.channel.name(), self.act.advice());
        refused(format!("{channel} refuses: {}\nNo money is concerned. {advice}", text::plain(why)))
    }

    fn unknown(&self, doubt: &Doubt) -> Failure {
        let (channel, why) = (self.channel.name(), text::plain(&doubt.detail));
        refused(format!(
            "it is not known what {channel} did: {why}\nNo money is concerned. `till filing` asks how it stands"
        ))
    }

    async fn send(&self, http: &HttpRequest) -> Result<HttpReply, Failure> {
        let sent = self.channels.exchange(self.channel, http, self.wall, LIMITS).await;
        sent.map_err(|doubt| self.unknown(&doubt))
    }

    fn entropy(&self) -> Result<[u8; 32], Failure> {
        entropy().map_err(|doubt| self.unknown(&doubt))
    }
}

/// A code and its words, if Allinpay said either.
fn worded(state: &FiledState) -> Option<String> {
    let words = match (&state.code, &state.words) {
        (Some(code), Some(words)) => format!("{code} ({words})"),
        (Some(only), None) | (None, Some(only)) => only.clone(),
        (None, None) => return None,
    };
    Some(text::plain(&words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_is_said_only_where_there_are_two() {
        use ChannelId::{AllinpayVsp, AllinpayYst};
        for only in CHANNELS {
            assert_eq!(chosen(None, vec![only]).unwrap(), only);
        }
        assert_eq!(chosen(Some(AllinpayYst), CHANNELS.to_vec()).unwrap(), AllinpayYst);
        for (asked, held) in [(None, CHANNELS.to_vec()), (None, vec![]), (Some(AllinpayVsp), vec![AllinpayYst])] {
            assert_eq!(chosen(asked, held).unwrap_err().exit(), Exit::Refused);
        }
        assert!(channel("alipay").unwrap_err().contains("allinpay_vsp, allinpay_yst"));
    }
}
