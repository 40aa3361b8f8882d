//! What every case is played with: orders opened, waited for, cancelled, returned; and what was found out.

use std::time::Duration;

use payment::channel::{ChannelId, Method};
use payment::engine::entry::OrderState;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::buyer::{Buyer, Deed, Question, Seen, say};
use super::ground::Ground;
use super::words;
use crate::api::problem::Code;
use crate::api::wire::{Attempt, AttemptState, Order, RefundMade, RefundState, TerminalStatus};
use crate::cli::Failure;
use crate::cli::client::Client;
use crate::cli::text;

/// What is no entry of the journal, such as a thanks page that ends or a buyer who has begun to confirm, no event tells of.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How often a request is repeated whose answer was lost: some twenty seconds, in which a daemon that died is back.
const REPEATS: u32 = 100;

/// Why a case ends before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// Something came out that must not.
    Failed(String),
    /// It could not be played.
    Skipped(String),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.to_string())
    }
}

pub(super) fn failed<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Failed(why.into()))
}

pub(super) fn skipped<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Skipped(why.into()))
}

/// What one order is to be.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// In fen.
    pub amount: i64,
    /// In the API's words.
    pub who_scans: &'static str,
    /// How long the buyer has, in seconds; the terminal's own time unless given.
    pub pay_within_s: Option<u64>,
    /// Months of instalments.
    pub instalments: Option<u8>,
}

/// An order that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opening {
    body: Value,
    key: String,
}

/// One channel on one terminal, with somebody who plays the buyer.
pub(super) struct Stage<'a, B> {
    pub client: &'a Client,
    pub ground: &'a Ground,
    pub buyer: &'a mut B,
    pub channel: ChannelId,
    /// The amount of an order, in fen.
    pub amount: i64,
    /// How long one step may take.
    pub patience: Duration,
    /// Who rehearses.
    pub by: Option<&'a str>,
    /// An order that was asked for and whose answer did not come: there may be one, with its code on the screen.
    pub opening: Option<Opening>,
    /// The orders of the case that is played.
    pub orders: Vec<String>,
    /// At the end of all, nothing may have been paid.
    pub nothing: bool,
    /// What is worth knowing of it.
    pub notes: Vec<String>,
}

impl<B: Buyer> Stage<'_, B> {
    /// Opens an order, once the machine is free for it.
    pub(super) async fn open(&mut self, wanted: &Wanted) -> Result<Order, Stop> {
        let (name, code) = self.ground.goods();
        let mut body = json!({
            "amount": wanted.amount, "currency": "CNY", "who_scans": wanted.who_scans, "subject": "联调测试",
            "items": [{ "name": name, "code": code, "price": wanted.amount }],
        });
        if let Some(seconds) = wanted.pay_within_s {
            body["pay_within_s"] = json!(seconds);
        }
        if let Some(periods) = wanted.instalments {
            body["instalments"] = json!(periods);
        }
        let opening = Opening { body, key: new_key()? };
        // Noted before it is sent: an answer that is lost, or not waited for, is asked for again under this key.
        self.opening = Some(opening.clone());
        let Ok(opened) = timeout(self.patience, self.when_free(&opening)).await else {
            return failed(format!("等了 {} 秒，没有开出订单", self.patience.as_secs()));
        };
        self.opening = self.opening.take().filter(|_| opened.as_ref().is_err_and(is_unsure));
        let order = opened?;
        self.orders.push(order.id.to_string());
        Ok(order)
    }

    /// The thanks of the order before may still stand on the screen.
    async fn when_free(&self, opening: &Opening) -> Result<Order, Failure> {
        loop {
            match self.answered(opening).await {
                Err(Failure::Problem { problem }) if problem.code == Code::MachineBusy => sleep(LOOK_AGAIN).await,
                other => return other,
            }
        }
    }

    /// Asks until an answer comes. The same key makes it the same order, however often it is asked for.
    async fn answered(&self, opening: &Opening) -> Result<Order, Failure> {
        let mut repeats = 0..REPEATS;
        loop {
            let asked = self.client.post::<Order>("/v1/orders", &opening.body, Some(&opening.key)).await;
            match asked {
                Err(failure) if is_unsure(&failure) && repeats.next().is_some() => sleep(LOOK_AGAIN).await,
                other => return other.map(|(order, _)| order),
            }
        }
    }

    /// Looks for the order whose answer was lost. One that was never made is made now, and returned with the others.
    async fn find_opening(&mut self) -> Result<(), Stop> {
        let Some(opening) = self.opening.clone() else {
            return Ok(());
        };
        match self.answered(&opening).await {
            Ok(order) => self.orders.push(order.id.to_string()),
            Err(failure) if is_unsure(&failure) => {
                return failed(format!(
                    "不知道有没有开出订单，屏幕上可能还有它的二维码，请用 till orders 核对：{failure}"
                ));
            }
            // Refused: there is no such order.
            Err(_) => {}
        }
        self.opening = None;
        Ok(())
    }

    pub(super) async fn order(&self, id: &str) -> Result<Order, Stop> {
        let (order, _): (Order, Value) = self.client.get(&format!("/v1/orders/{id}")).await?;
        Ok(order)
    }

    /// Waits for entries of the journal until the order is as wished, the buyer gives up, or patience ends.
    pub(super) async fn until(
        &mut self,
        order: &Order,
        what: &str,
        wished: impl Fn(&Order) -> bool,
    ) -> Result<Order, Stop> {
        let path = format!("/v1/orders/{}", order.id);
        let client = self.client;
        let waiting = async {
            // First the stream, then the look: what is written in between is told.
            let mut entries = client.entries().await?;
            loop {
                let (order, _): (Order, Value) = client.get(&path).await?;
                if wished(&order) {
                    return Ok::<Order, Stop>(order);
                }
                entries.next().await?;
            }
        };
        let late = format!("等了 {} 秒，没有等到：{what}", self.patience.as_secs());
        self.unless_given_up(waiting, &late).await
    }

    /// Waits until it comes, the buyer gives up, or patience ends, which is said in these words.
    async fn unless_given_up(
        &mut self,
        waiting: impl Future<Output = Result<Order, Stop>>,
        late: &str,
    ) -> Result<Order, Stop> {
        tokio::select! {
            done = timeout(self.patience, waiting) => match done {
                Ok(order) => order,
                Err(_) => failed(late),
            },
            why = self.buyer.gives_up() => skipped(why),
        }
    }

    /// Waits for a state that is no entry of the journal, or for the end of the order.
    pub(super) async fn until_confirming(&mut self, order: &Order) -> Result<Order, Stop> {
        let path = format!("/v1/orders/{}", order.id);
        let client = self.client;
        let waiting = async {
            loop {
                let (now, _): (Order, Value) = client.get(&path).await?;
                if now.state == OrderState::Confirming || paid(&now) || is_over(&now) || is_refused(&now) {
                    return Ok::<Order, Stop>(now);
                }
                sleep(LOOK_AGAIN).await;
            }
        };
        self.unless_given_up(waiting, "付款码一直没有被读到").await
    }

    pub(super) async fn act(&mut self, deed: Deed, order: &Order) -> Result<(), Stop> {
        self.buyer.act(deed, order).await.map_err(Stop::Failed)
    }

    /// Asks the buyer what is on the phone. Nobody looking is no failure, but it is said.
    pub(super) async fn look(&mut self, question: Question, order: &Order) -> Result<bool, Stop> {
        match self.buyer.look(question, order).await {
            Seen::Yes => Ok(true),
            Seen::No(what) => failed(what),
            Seen::NotLooked => {
                let what = match question {
                    Question::Charged(_) | Question::Nothing => "买家一侧的扣款未核对",
                    Question::Returned(_) => "买家一侧的到账未核对",
                    Question::StoreAndGoods => "商家后台未核对",
                };
                self.notes.push(what.to_owned());
                Ok(false)
            }
        }
    }

    /// Nobody may pay any more.
    pub(super) async fn cancel(&self, order: &Order) -> Result<Order, Stop> {
        let (order, _): (Order, Value) =
            self.client.post(&format!("/v1/orders/{}/cancel", order.id), &json!({}), None).await?;
        Ok(order)
    }

    /// Waits until the order is paid, and checks by whom, how much and under which number.
    pub(super) async fn until_paid(&mut self, order: &Order) -> Result<Order, Stop> {
        let done = self.until(order, "订单已支付", |order| paid(order) || is_over(order) || is_refused(order)).await?;
        self.check_paid(&done)?;
        Ok(done)
    }

    fn check_paid(&self, order: &Order) -> Result<(), Stop> {
        let Some(attempt) = winner(order) else {
            return failed(format!("没有支付成功：{}", why_not(order)));
        };
        if attempt.channel != self.channel {
            return failed(format!("由 {} 收款，而不是 {}", attempt.channel.name(), self.channel.name()));
        }
        if order.paid != order.amount || attempt.amount != order.amount {
            return failed(format!("金额不一致：应收 {}，实收 {}", text::yuan(order.amount), text::yuan(order.paid)));
        }
        if attempt.trade_no.as_deref().is_none_or(str::is_empty) {
            return failed("渠道没有给出交易号");
        }
        Ok(())
    }

    /// Asks for a refund under a key; all that is left without an amount.
    pub(super) async fn refund(&self, order: &Order, amount: Option<i64>, key: &str) -> Result<RefundMade, Stop> {
        let mut body = json!({});
        if let Some(amount) = amount {
            body["amount"] = json!(amount);
        }
        if let Some(by) = self.by {
            body["by"] = json!(by);
            body["why"] = json!("联调测试");
        }
        let path = format!("/v1/orders/{}/refunds", order.id);
        let (made, _): (RefundMade, Value) = self.client.post(&path, &body, Some(key)).await?;
        if made.refund.state == RefundState::Asked {
            Self::say_approve(&made);
        }
        Ok(made)
    }

    fn say_approve(made: &RefundMade) {
        let number = made.refund.number;
        say(&format!("   退款 {number} 要第二个人批准：till approve {number} --by 名字"));
    }

    /// Waits until so much went back for certain.
    pub(super) async fn until_returned(&mut self, order: &Order, fen: i64) -> Result<Order, Stop> {
        let what = format!("退款 {} 完成", text::yuan(fen));
        self.until(order, &what, |order| order.refunded >= fen && order.refunds.iter().all(is_settled)).await
    }

    /// Returns whatever was paid and lets nobody pay any more, whatever the case came to.
    pub(super) async fn return_all(&mut self) -> Result<(), Stop> {
        let found = self.find_opening().await;
        for id in self.orders.clone() {
            let mut order = self.order(&id).await?;
            if order.paid == 0 && order.open && !is_over(&order) && order.state != OrderState::Cancelling {
                self.cancel_or_paid(&order).await?;
                order = self.order(&id).await?;
            }
            let asked: i64 =
                order.refunds.iter().filter(|refund| is_counted(refund.state)).map(|made| made.amount).sum();
            if order.paid > asked {
                self.refund(&order, None, &new_key()?).await?;
            }
            if order.paid > 0 {
                self.until_returned(&order, order.paid).await?;
            }
        }
        found
    }

    /// A payment may be faster than the wish to cancel.
    async fn cancel_or_paid(&self, order: &Order) -> Result<(), Stop> {
        let path = format!("/v1/orders/{}/cancel", order.id);
        match self.client.post::<Order>(&path, &json!({}), None).await {
            Ok(_) => Ok(()),
            Err(Failure::Problem { problem }) if problem.code == Code::AlreadyPaid => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Looks at an order that is over a last time: nothing was paid by it.
    pub(super) async fn nothing_paid(&mut self, order: &Order) -> Result<(), Stop> {
        if order.paid != 0 || !is_over(order) {
            let (state, paid) = (words::order(order.state), text::yuan(order.paid));
            return failed(format!("应当没有扣款，却是 {state}，已付 {paid}"));
        }
        self.look(Question::Nothing, order).await.map(|_| ())
    }

    /// The daemon's own clock, RFC 3339.
    pub(super) async fn time(&self) -> String {
        let asked: Result<(TerminalStatus, Value), Failure> = self.client.get("/v1/terminal").await;
        asked.map(|(terminal, _)| terminal.clock.time).unwrap_or_default()
    }
}

/// A key that makes it harmless to repeat a request.
pub(super) fn new_key() -> Result<String, Stop> {
    let mut entropy = [0_u8; 16];
    match SystemRandom::new().fill(&mut entropy) {
        Ok(()) => Ok(entropy.iter().map(|byte| format!("{byte:02x}")).collect()),
        Err(_) => failed("系统没有给出随机数"),
    }
}

pub(super) fn winner(order: &Order) -> Option<&Attempt> {
    order.attempts.iter().find(|attempt| attempt.state == AttemptState::Paid)
}

/// Whether the request may have been carried out, or may be yet.
fn is_unsure(failure: &Failure) -> bool {
    match failure {
        Failure::Unreachable { .. } | Failure::Answer(_) => true,
        Failure::Problem { problem } => matches!(
            problem.code,
            // The last three answer for this try alone, and not for the one before it.
            Code::NoAnswerInTime | Code::Stopping | Code::TooManyRequests | Code::JournalNotReadable
        ),
        Failure::Other { .. } => false,
    }
}

/// Whether money was taken.
pub(super) fn paid(order: &Order) -> bool {
    winner(order).is_some()
}

/// Whether a read pay code was refused. The order goes on waiting for another.
pub(super) fn is_refused(order: &Order) -> bool {
    let refused = |attempt: &Attempt| attempt.method == Method::TakeCode && attempt.state == AttemptState::NotPaid;
    order.attempts.last().is_some_and(refused)
}

/// Whether it ended without money.
pub(super) fn is_over(order: &Order) -> bool {
    matches!(order.state, OrderState::Cancelled | OrderState::Expired | OrderState::Failed)
}

fn why_not(order: &Order) -> String {
    let code = order.attempts.iter().rev().find_map(|attempt| attempt.code.clone());
    let state = words::order(order.state);
    code.map_or(state.to_owned(), |code| format!("{state}（{code}）"))
}

fn is_settled(refund: &crate::api::wire::Refund) -> bool {
    match refund.state {
        RefundState::Done | RefundState::Declined | RefundState::Replaced => true,
        RefundState::Asked | RefundState::Pending | RefundState::Owed => false,
    }
}

const fn is_counted(state: RefundState) -> bool {
    match state {
        RefundState::Done | RefundState::Asked | RefundState::Pending | RefundState::Owed => true,
        RefundState::Declined | RefundState::Replaced => false,
    }
}
