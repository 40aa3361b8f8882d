//! The four simulated channels as one: the same buyer's phone, the same troubles, the same ledger.

use payment::channel::ChannelId;
use sandbox::allinpay::{self, App};
use sandbox::{alipay, wechat};
use till::demo::scene::Scene;

/// One channel's other side.
#[derive(Clone)]
pub enum Gate {
    Alipay(sandbox::Control),
    Wechat(wechat::Control),
    /// Either of Allinpay's, with the app that its buyers have open.
    Allinpay(allinpay::Control, App),
}

/// A call that something may happen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    MakeCode,
    TakeCode,
    Refund,
}

/// Money as the channel knows it, in fen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Money {
    pub charged: i64,
    pub refunded: i64,
}

impl Money {
    pub const fn kept(charged: i64) -> Self {
        Self { charged, refunded: 0 }
    }

    pub const fn returned(fen: i64) -> Self {
        Self { charged: fen, refunded: fen }
    }
}

/// What a phone shows after a scan.
pub struct Asked {
    pub id: String,
    pub fen: i64,
}

macro_rules! at {
    ($gate:expr, $control:ident => $body:expr) => {
        match $gate {
            Gate::Alipay($control) => $body,
            Gate::Wechat($control) => $body,
            Gate::Allinpay($control, _) => $body,
        }
    };
}

macro_rules! phone {
    ($gate:expr, $buyer:expr, $wallet:ident => $body:expr) => {
        match $gate {
            Gate::Alipay(control) => {
                let $wallet = control.wallet_of($buyer);
                $body
            }
            Gate::Wechat(control) => {
                let $wallet = control.wallet_of($buyer);
                $body
            }
            Gate::Allinpay(control, app) => {
                let $wallet = control.wallet_of($buyer).using(*app);
                $body
            }
        }
    };
}

impl Gate {
    /// The channel's other side in a scene that has it.
    pub fn of(scene: &Scene, channel: ChannelId) -> Self {
        match channel {
            ChannelId::Alipay => Self::Alipay(scene.gateway.control()),
            ChannelId::Wechat => Self::Wechat(scene.wechat.as_ref().unwrap().control()),
            ChannelId::AllinpayVsp => Self::Allinpay(scene.vsp.as_ref().unwrap().control(), App::Wechat),
            ChannelId::AllinpayYst => Self::Allinpay(scene.yst.as_ref().unwrap().control(), App::Wechat),
            ChannelId::Voucher => panic!("codes of the operator have no gateway"),
        }
    }

    /// The same with another app open on every phone; Allinpay only.
    pub fn using(&self, app: App) -> Self {
        match self {
            Self::Allinpay(control, _) => Self::Allinpay(control.clone(), app),
            Self::Alipay(_) | Self::Wechat(_) => self.clone(),
        }
    }

    /// The wallet on every phone, as orders name it.
    pub const fn wallet(&self) -> &'static str {
        match self {
            Self::Alipay(_) | Self::Allinpay(_, App::Alipay) => "alipay",
            Self::Wechat(_) | Self::Allinpay(_, App::Wechat) => "wechat",
            Self::Allinpay(_, App::UnionPay) => "union_pay",
            Self::Allinpay(_, App::Ecny) => "ecny",
        }
    }

    // ---- phones ----

    pub fn pay_code(&self, buyer: &str) -> String {
        phone!(self, buyer, wallet => wallet.pay_code())
    }

    /// Every pay code on every phone is too old now.
    pub fn let_pay_codes_die(&self) {
        at!(self, control => control.expire_pay_codes());
    }

    /// Holds the phone before the screen.
    pub fn scan(&self, buyer: &str, picture: &[u8]) -> Result<Asked, String> {
        phone!(self, buyer, wallet => {
            let scanned = wallet.scan_picture(picture).map_err(|error| error.to_string())?;
            Ok(Asked { id: scanned.id, fen: scanned.amount_fen })
        })
    }

    pub fn confirm(&self, buyer: &str, id: &str) -> Result<(), String> {
        phone!(self, buyer, wallet => wallet.confirm(id).map_err(|error| error.to_string()))
    }

    pub fn give(&self, buyer: &str, fen: i64) {
        phone!(self, buyer, wallet => wallet.set_balance_fen(fen));
    }

    /// The oldest payment that asks for this buyer's thumb.
    fn request(&self, buyer: &str) -> Option<String> {
        phone!(self, buyer, wallet => wallet.requests().first().map(|request| request.id.clone()))
    }

    /// Waits until the phone asks, and says yes.
    pub async fn confirm_when_asked(&self, buyer: &str) {
        let id = loop {
            let changed = self.next_change();
            if let Some(id) = self.request(buyer) {
                break id;
            }
            changed.await;
        };
        self.confirm(buyer, &id).unwrap();
    }

    // ---- troubles ----

    /// The next such call is carried out, and its answer is lost.
    pub fn lose_reply(&self, call: Call) {
        match self {
            Self::Alipay(control) => {
                let method = match call {
                    Call::MakeCode => sandbox::Method::Precreate,
                    Call::TakeCode => sandbox::Method::Pay,
                    Call::Refund => sandbox::Method::Refund,
                };
                control.add_weather(alipay::weather::Fault::DropReply.on(method).times(1));
            }
            Self::Wechat(control) => {
                let operation = match call {
                    Call::MakeCode => wechat::Operation::Native,
                    Call::TakeCode => wechat::Operation::MicroPay,
                    Call::Refund => wechat::Operation::Refund,
                };
                control.add_weather(wechat::Fault::DropReply.on(operation).times(1));
            }
            Self::Allinpay(control, _) => {
                // The first of them that is called; the other interface does not have it.
                let methods: &[allinpay::Method] = match call {
                    Call::MakeCode => &[allinpay::Method::NativePay, allinpay::Method::Consume],
                    Call::TakeCode => &[allinpay::Method::ScanQrPay, allinpay::Method::Consume],
                    Call::Refund => &[allinpay::Method::Refund],
                };
                for method in methods {
                    control.add_weather(allinpay::Fault::DropReply.on(*method).times(1));
                }
            }
        }
    }

    /// The next pay code does not pay at once.
    pub fn ask_for_thumb(&self) {
        match self {
            Self::Alipay(control) => {
                control.add_weather(sandbox::Fault::BuyerConfirms.on(sandbox::Method::Pay).times(1));
            }
            Self::Wechat(control) => {
                control.add_weather(wechat::Fault::BuyerConfirms.on(wechat::Operation::MicroPay).times(1));
            }
            Self::Allinpay(control, _) => {
                for method in [allinpay::Method::ScanQrPay, allinpay::Method::Consume] {
                    control.add_weather(allinpay::Fault::BuyerConfirms.on(method).times(1));
                }
            }
        }
    }

    /// The next payment that a phone confirms lands so much later, whatever became of the order.
    pub fn delay_payment(&self, ms: u64) {
        match self {
            Self::Alipay(control) => {
                control.add_weather(sandbox::Fault::PaysLate { ms, despite_close: true }.times(1));
            }
            Self::Wechat(control) => {
                control.add_weather(wechat::Fault::PaysLate { ms, despite_close: true }.times(1));
            }
            Self::Allinpay(control, _) => {
                control.add_weather(allinpay::Fault::PaysLate { ms, despite_close: true }.times(1));
            }
        }
    }

    /// Nobody listens any more.
    pub fn go_away(&self) {
        match self {
            Self::Alipay(control) => control.set_weather(sandbox::Weather::network_down()),
            Self::Wechat(control) => control.set_weather(wechat::Weather::network_down()),
            Self::Allinpay(control, _) => control.set_weather(allinpay::Weather::network_down()),
        }
    }

    /// Nothing is wrong.
    pub fn be_fair(&self) {
        match self {
            Self::Alipay(control) => control.set_weather(sandbox::Weather::fair()),
            Self::Wechat(control) => control.set_weather(wechat::Weather::fair()),
            Self::Allinpay(control, _) => control.set_weather(allinpay::Weather::fair()),
        }
    }

    // ---- the ledger ----

    /// What one attempt moved.
    pub fn money_of(&self, number: &str) -> Money {
        at!(self, control => {
            let ledger = control.ledger();
            let trade = ledger.trade(number);
            trade.map(|trade| Money { charged: trade.charged_fen, refunded: trade.refunded_fen }).unwrap_or_default()
        })
    }

    /// What everything together moved.
    pub fn total(&self) -> Money {
        at!(self, control => {
            let ledger = control.ledger();
            Money { charged: ledger.charged_fen(), refunded: ledger.refunded_fen() }
        })
    }

    /// Waits until the money of all these attempts together is as wished.
    pub async fn until_money(&self, numbers: &[String], wished: Money) {
        loop {
            let changed = self.next_change();
            if self.sum(numbers) == wished {
                return;
            }
            changed.await;
        }
    }

    pub fn sum(&self, numbers: &[String]) -> Money {
        numbers.iter().map(|number| self.money_of(number)).fold(Money::default(), |sum, money| Money {
            charged: sum.charged + money.charged,
            refunded: sum.refunded + money.refunded,
        })
    }

    /// Waits for the next change from the moment of this call on.
    fn next_change(&self) -> impl Future<Output = ()> + use<> {
        enum Changes {
            Alipay(sandbox::Changes),
            Wechat(wechat::Changes),
            Allinpay(allinpay::Changes),
        }
        let changes = match self {
            Self::Alipay(control) => Changes::Alipay(control.changes()),
            Self::Wechat(control) => Changes::Wechat(control.changes()),
            Self::Allinpay(control, _) => Changes::Allinpay(control.changes()),
        };
        async move {
            match changes {
                Changes::Alipay(mut changes) => changes.next().await,
                Changes::Wechat(mut changes) => changes.next().await,
                Changes::Allinpay(mut changes) => changes.next().await,
            }
        }
    }
}
