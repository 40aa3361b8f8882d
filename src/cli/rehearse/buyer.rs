//! Who plays the buyer: a person at the machine, or a robot in the sandbox.

use std::io::{self, BufRead, Write};
use std::thread;

use tokio::sync::mpsc;

use super::cases::Case;
use super::ground::Ground;
use super::words;
use crate::api::wire::Order;
use crate::cli::text::yuan;
use payment::channel::ChannelId;

/// Whether a case is played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ready {
    /// It is.
    Go,
    /// It is not, and why.
    Skip(String),
}

/// What the buyer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Scans what stands on the screen, and pays.
    ScanAndPay,
    /// Scans what stands on the screen, and does not pay yet.
    Scan,
    /// Leaves the screen alone.
    Leave,
    /// Tries to pay what was scanned before; it must not work any more.
    PayAfterAll,
    /// Holds a fresh pay code to the scanner, which pays at once.
    ShowCode,
    /// Holds a fresh pay code to the scanner, in a wallet that wants a password.
    ShowCodeWithPassword,
    /// Confirms by password what waits on the phone.
    Confirm,
    /// Holds a pay code to the scanner that is too old.
    ShowDeadCode,
}

/// What the buyer is asked to look at, beside what the terminal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Was this much charged, in fen, and once?
    Charged(i64),
    /// Was nothing charged?
    Nothing,
    /// Did this much come back in all, in fen?
    Returned(i64),
    /// Does the channel's back office show the order in the store, with its goods code?
    StoreAndGoods,
}

/// What the buyer saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// So it is.
    Yes,
    /// It is not, and what is.
    No(String),
    /// Nobody looked.
    NotLooked,
}

/// Somebody with a phone.
pub(super) trait Buyer {
    /// Hears what the next case is.
    async fn ready(&mut self, case: &Case, channel: ChannelId, ground: &Ground) -> Ready;

    /// Does it, or says why it cannot be done. A person is told, and does it in his own time.
    async fn act(&mut self, deed: Deed, order: &Order) -> Result<(), String>;

    /// Ends when the buyer does not want to go on with the case, with the reason.
    async fn gives_up(&mut self) -> String;

    /// Looks at the phone or the back office.
    async fn look(&mut self, question: Question, order: &Order) -> Seen;

    /// Hears how the case ended.
    fn told(&mut self, verdict: &str);
}

/// Lines that nobody has asked for yet.
const TYPED_AHEAD: usize = 64;

/// A person at the machine: told on stderr, answering on stdin.
pub(super) struct Person {
    lines: mpsc::Receiver<String>,
    /// Standard input is closed: nobody answers any more.
    is_gone: bool,
}

impl Person {
    /// The person at this terminal.
    pub(super) fn here() -> Self {
        let (say, lines) = mpsc::channel(TYPED_AHEAD);
        // A blocked read cannot be taken back, so it has a thread of its own, which ends with the program.
        thread::spawn(move || {
            for line in io::stdin().lock().lines().map_while(Result::ok) {
                if say.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self { lines, is_gone: false }
    }

    async fn line(&mut self) -> Option<String> {
        if self.is_gone {
            return None;
        }
        let line = self.lines.recv().await;
        self.is_gone = line.is_none();
        line
    }

    /// Forgets what was typed before anything was asked: an `s` that came too late must not skip the next case.
    fn forget(&mut self) {
        for _ in 0..TYPED_AHEAD {
            if self.lines.try_recv().is_err() {
                return;
            }
        }
    }

    async fn answer(&mut self, question: &str) -> Option<String> {
        self.forget();
        say(question);
        self.line().await.map(|line| line.trim().to_lowercase())
    }
}

impl Buyer for Person {
    async fn ready(&mut self, case: &Case, channel: ChannelId, _ground: &Ground) -> Ready {
        let Case { id, chinese, english, doing, must, .. } = case;
        say(&format!(
            "\n── {id}  {chinese} / {english}（{}）\n   操作：{doing}\n   应得：{must}",
            words::channel(channel)
        ));
        match self.answer("   回车开始，s 回车跳过：").await.as_deref() {
            Some("s") => Ready::Skip("操作人跳过".to_owned()),
            Some(_) => Ready::Go,
            None => Ready::Skip("没有操作人（标准输入已关闭）".to_owned()),
        }
    }

    async fn act(&mut self, deed: Deed, order: &Order) -> Result<(), String> {
        let amount = yuan(order.amount);
        let words = match deed {
            Deed::ScanAndPay => "请扫屏幕上的二维码并付款",
            Deed::Scan => "请扫屏幕上的二维码，不要付款，然后按回车",
            Deed::Leave => "请不要扫码，等待二维码失效",
            Deed::PayAfterAll => "订单已撤销，请在手机上再试着付款（应当失败），然后按回车",
            Deed::ShowCode => "请打开付款码，对准扫码头",
            Deed::ShowCodeWithPassword => "请打开付款码（免密支付已关闭），对准扫码头，先不要输入密码",
            Deed::Confirm => "请在手机上输入密码",
            Deed::ShowDeadCode => "请用过期的付款码（截图）对准扫码头",
        };
        self.forget();
        say(&format!("   → {words}。{amount}，订单 {}（s 回车放弃本项）", order.id));
        match deed {
            Deed::Scan | Deed::PayAfterAll => match self.line().await.as_deref().map(str::trim) {
                Some("s") | None => Err("操作人没有完成这一步".to_owned()),
                Some(_) => Ok(()),
            },
            Deed::ScanAndPay
            | Deed::Leave
            | Deed::ShowCode
            | Deed::ShowCodeWithPassword
            | Deed::Confirm
            | Deed::ShowDeadCode => Ok(()),
        }
    }

    async fn gives_up(&mut self) -> String {
        loop {
            match self.line().await {
                Some(line) if line.trim() == "s" => return "操作人放弃".to_owned(),
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }

    async fn look(&mut self, question: Question, order: &Order) -> Seen {
        let words = match question {
            Question::Charged(fen) => format!("手机账单上只有一笔 {} 付款成功吗？", yuan(fen)),
            Question::Nothing => "手机账单上没有扣款吗？".to_owned(),
            Question::Returned(fen) => format!("手机账单上退回了 {} 吗？", yuan(fen)),
            Question::StoreAndGoods => {
                format!("商家后台的订单 {} 在本门店下，并带商品编码吗？", order.id)
            }
        };
        match self.answer(&format!("   ？{words} y 是，n 不是，回车没看：")).await.as_deref() {
            Some("y" | "是") => Seen::Yes,
            Some("n" | "不是") => Seen::No(format!("操作人回答“不是”：{words}")),
            Some(_) | None => Seen::NotLooked,
        }
    }

    fn told(&mut self, verdict: &str) {
        say(&format!("   = {verdict}"));
    }
}

pub(super) fn say(words: &str) {
    // Nobody reads along: the report says the same.
    let _ = writeln!(io::stderr(), "{words}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_typed_before_the_question_is_no_answer() {
        let (say, lines) = mpsc::channel(TYPED_AHEAD);
        let mut person = Person { lines, is_gone: false };
        say.send("s".to_owned()).await.unwrap();
        let typing = async {
            say.send("y".to_owned()).await.unwrap();
        };
        let (answer, ()) = tokio::join!(person.answer("? "), typing);
        assert_eq!(answer.as_deref(), Some("y"));
    }
}
