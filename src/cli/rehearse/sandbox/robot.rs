//! A buyer who needs nobody: sees what a person sees on the panel, holds codes to the scanner, and looks into the books of the
//! simulated channel, which share nothing with the terminal's.

use std::time::Duration;

use payment::channel::{ChannelId, Wallet};
use tokio::time::{sleep, timeout};

use super::phone::{Booked, Phone};
use super::{Misbehave, STORE, broken};
use crate::api::wire::Order;
use crate::cli::Failure;
use crate::cli::rehearse::buyer::{Buyer, Deed, Question, Ready, Seen};
use crate::cli::rehearse::cases::{Case, Script};
use crate::cli::rehearse::ground::Ground;
use crate::cli::text::yuan;
use crate::demo::scene::Scene;

/// A robot that found nothing to do for so long never will.
const PATIENCE: Duration = Duration::from_secs(30);

/// Nothing tells when a phone is asked: it looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The robot.
pub(super) struct Robot<'s> {
    scene: &'s Scene,
    phone: Phone,
    /// The app that it opens to scan, and the one whose pay codes it shows.
    scans_with: Option<Wallet>,
    shows_code_of: Option<Wallet>,
    /// What it scanned last.
    scanned: Option<String>,
}

impl<'s> Robot<'s> {
    pub(super) fn new(scene: &'s Scene, channel: ChannelId, ground: &Ground) -> Result<Self, Failure> {
        let phone = Phone::of(scene, channel).ok_or_else(|| broken("the scene has no such channel"))?;
        let (scans_with, shows_code_of) = (ground.shown_wallet(channel), ground.taken_wallet(channel));
        Ok(Self { scene, phone, scans_with, shows_code_of, scanned: None })
    }

    pub(super) fn spoil(&self, how: Misbehave) {
        self.phone.spoil(how);
    }

    /// Scans the panel. The code of the order before may still stand there: then it looks at the next picture.
    async fn scan(&self) -> Result<String, String> {
        let mut frames = self.scene.machine.frames();
        let mut why = "屏幕是黑的".to_owned();
        let scanning = async {
            loop {
                let frame = frames.borrow_and_update().clone();
                if let Some(frame) = frame {
                    let (phone, wallet) = (self.phone.clone(), self.scans_with);
                    let looking = tokio::task::spawn_blocking(move || {
                        let png = frame.to_png().map_err(|error| error.to_string())?;
                        phone.scan(&png, wallet)
                    });
                    match looking.await.unwrap_or_else(|error| Err(error.to_string())) {
                        Ok(id) => return Ok(id),
                        Err(no) => why = no,
                    }
                }
                frames.changed().await.map_err(|_| "屏幕已关闭".to_owned())?;
            }
        };
        match timeout(PATIENCE, scanning).await {
            Ok(scanned) => scanned,
            Err(_) => Err(format!("屏幕上没有可以扫的二维码（{why}）")),
        }
    }

    async fn confirm_waiting(&self, order: &Order) -> Result<(), String> {
        let numbers = numbers(order);
        let waiting = async {
            loop {
                if let Some(id) = self.phone.waiting(&numbers) {
                    return self.phone.confirm(&id);
                }
                sleep(LOOK_AGAIN).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| Err("手机没有要求输入密码".to_owned()))
    }

    /// Waits until the phone says that the order was closed; a close that does not come is found out by paying.
    async fn until_nothing_waits(&self, order: &Order) {
        let numbers = numbers(order);
        let waiting = async {
            while self.phone.waiting(&numbers).is_some() {
                sleep(LOOK_AGAIN).await;
            }
        };
        let _closed = timeout(PATIENCE, waiting).await;
    }

    fn show(&self, code: &str) -> Result<(), String> {
        self.scene.scan(code).map_err(|error| format!("扫码头：{error}"))
    }

    fn booked(&self, order: &Order) -> Vec<Booked> {
        let booked = numbers(order).into_iter().map(|number| self.phone.booked(&number));
        booked.filter(|booked| booked.charged != 0).collect()
    }
}

impl Buyer for Robot<'_> {
    async fn ready(&mut self, case: &Case, _channel: ChannelId, ground: &Ground) -> Ready {
        let (_, sku) = ground.goods();
        let has_coupon = match case.script {
            Script::Goods => self.phone.take_coupon(Some(&sku), STORE),
            Script::Coupon => self.phone.take_coupon(None, STORE),
            Script::ShownPaid
            | Script::ShownLeft
            | Script::CancelledBefore
            | Script::CodePaid
            | Script::CodePassword
            | Script::CodeDead
            | Script::CodeForeign
            | Script::Numbers
            | Script::RefundWhole
            | Script::RefundParts
            | Script::RefundTwice
            | Script::TwoCodes
            | Script::Instalments
            | Script::Delivery => true,
        };
        if has_coupon { Ready::Go } else { Ready::Skip("模拟的渠道没有优惠券".to_owned()) }
    }

    async fn act(&mut self, deed: Deed, order: &Order) -> Result<(), String> {
        match deed {
            Deed::ScanAndPay => {
                let id = self.scan().await?;
                self.phone.confirm(&id)
            }
            Deed::Scan => {
                self.scanned = Some(self.scan().await?);
                Ok(())
            }
            Deed::Leave => Ok(()),
            Deed::PayAfterAll => {
                let id = self.scanned.take().ok_or("没有扫过码")?;
                self.until_nothing_waits(order).await;
                match self.phone.confirm(&id) {
                    Ok(()) => Err("撤销之后仍能付款".to_owned()),
                    Err(_) => Ok(()),
                }
            }
            Deed::ShowCode => self.show(&self.phone.pay_code(self.shows_code_of)),
            Deed::ShowCodeWithPassword => {
                self.phone.want_password();
                self.show(&self.phone.pay_code(self.shows_code_of))
            }
            Deed::Confirm => self.confirm_waiting(order).await,
            Deed::ShowDeadCode => {
                let code = self.phone.pay_code(self.shows_code_of);
                self.phone.expire_pay_codes();
                self.show(&code)
            }
        }
    }

    async fn gives_up(&mut self) -> String {
        std::future::pending().await
    }

    async fn look(&mut self, question: Question, order: &Order) -> Seen {
        let booked = self.booked(order);
        let (charged, returned) = booked
            .iter()
            .fold((0, 0), |(charged, returned), booked| (charged + booked.charged, returned + booked.returned));
        let is_so = match question {
            Question::Charged(fen) => booked.len() == 1 && charged == fen,
            Question::Nothing => charged == returned,
            Question::Returned(fen) => returned == fen,
            Question::StoreAndGoods => numbers(order).iter().any(|number| self.phone.used_goods_coupon(number)),
        };
        if is_so {
            return Seen::Yes;
        }
        let (count, charged, returned) = (booked.len(), yuan(charged), yuan(returned));
        Seen::No(format!("渠道的账上是 {count} 笔，扣款 {charged}，退回 {returned}：与 {question:?} 不符"))
    }

    fn told(&mut self, _verdict: &str) {}
}

fn numbers(order: &Order) -> Vec<String> {
    order.attempts.iter().map(|attempt| attempt.number.to_string()).collect()
}
