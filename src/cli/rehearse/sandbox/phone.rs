//! The buyer's phone at any of the simulated channels, and what the channel's own books say.

use payment::channel::{ChannelId, Wallet};
use sandbox::allinpay::{self, App};
use sandbox::{Coupon, CouponBy, wechat};

use super::Misbehave;
use crate::demo::scene::Scene;

/// A phone, with the channel that it pays through.
#[derive(Clone)]
pub(super) enum Phone {
    Alipay(sandbox::Control),
    Wechat(wechat::Control),
    Allinpay(allinpay::Control),
}

/// What the channel's books say of one of our numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Booked {
    /// What was taken from the buyer, in fen.
    pub charged: i64,
    /// What reached the buyer again, in fen.
    pub returned: i64,
}

impl Phone {
    /// The phone for a channel of the scene.
    pub(super) fn of(scene: &Scene, channel: ChannelId) -> Option<Self> {
        match channel {
            ChannelId::Alipay => Some(Self::Alipay(scene.gateway.control())),
            ChannelId::Wechat => scene.wechat.as_ref().map(|gateway| Self::Wechat(gateway.control())),
            ChannelId::AllinpayVsp => scene.vsp.as_ref().map(|gateway| Self::Allinpay(gateway.control())),
            ChannelId::AllinpayYst => scene.yst.as_ref().map(|gateway| Self::Allinpay(gateway.control())),
            ChannelId::Voucher => None,
        }
    }

    /// Scans a picture of the screen; names the payment.
    pub(super) fn scan(&self, png: &[u8], wallet: Option<Wallet>) -> Result<String, String> {
        match self {
            Self::Alipay(control) => {
                control.wallet().scan_picture(png).map(|seen| seen.id).map_err(|no| no.to_string())
            }
            Self::Wechat(control) => {
                control.wallet().scan_picture(png).map(|seen| seen.id).map_err(|no| no.to_string())
            }
            Self::Allinpay(control) => {
                let seen = control.wallet().using(app(wallet)).scan_picture(png);
                seen.map(|seen| seen.id).map_err(|no| no.to_string())
            }
        }
    }

    /// Pays what waits under this name.
    pub(super) fn confirm(&self, id: &str) -> Result<(), String> {
        match self {
            Self::Alipay(control) => control.wallet().confirm(id).map_err(|no| no.to_string()),
            Self::Wechat(control) => control.wallet().confirm(id).map_err(|no| no.to_string()),
            Self::Allinpay(control) => control.wallet().confirm(id).map_err(|no| no.to_string()),
        }
    }

    /// What waits on the phone under one of these numbers.
    pub(super) fn waiting(&self, numbers: &[String]) -> Option<String> {
        let ours = |number: &String| numbers.contains(number);
        match self {
            Self::Alipay(control) => {
                control.wallet().requests().into_iter().find(|asked| ours(&asked.out_trade_no)).map(|asked| asked.id)
            }
            Self::Wechat(control) => {
                control.wallet().requests().into_iter().find(|asked| ours(&asked.out_trade_no)).map(|asked| asked.id)
            }
            Self::Allinpay(control) => {
                control.wallet().requests().into_iter().find(|asked| ours(&asked.out_trade_no)).map(|asked| asked.id)
            }
        }
    }

    /// A fresh pay code.
    pub(super) fn pay_code(&self, wallet: Option<Wallet>) -> String {
        match self {
            Self::Alipay(control) => control.wallet().pay_code(),
            Self::Wechat(control) => control.wallet().pay_code(),
            Self::Allinpay(control) => control.wallet().using(app(wallet)).pay_code(),
        }
    }

    /// Every pay code dies now.
    pub(super) fn expire_pay_codes(&self) {
        match self {
            Self::Alipay(control) => control.expire_pay_codes(),
            Self::Wechat(control) => control.expire_pay_codes(),
            Self::Allinpay(control) => control.expire_pay_codes(),
        }
    }

    /// The next pay code wants a password.
    pub(super) fn want_password(&self) {
        match self {
            Self::Alipay(control) => {
                control.add_weather(sandbox::Fault::BuyerConfirms.on(sandbox::Method::Pay).times(1));
            }
            Self::Wechat(control) => {
                control.add_weather(wechat::Fault::BuyerConfirms.on(wechat::Operation::MicroPay).times(1));
            }
            Self::Allinpay(control) => {
                // Each of the two gateways is called by one of them: YunST's money is guaranteed here.
                for method in [allinpay::Method::ScanQrPay, allinpay::Method::Guarantee] {
                    control.add_weather(allinpay::Fault::BuyerConfirms.on(method).times(1));
                }
            }
        }
    }

    /// What the books say of a number; nothing where they do not know it.
    pub(super) fn booked(&self, number: &str) -> Booked {
        let booked = match self {
            Self::Alipay(control) => {
                control.ledger().trade(number).map(|trade| (trade.charged_fen, trade.refunded_fen))
            }
            Self::Wechat(control) => {
                control.ledger().trade(number).map(|trade| (trade.charged_fen, trade.refunded_fen))
            }
            Self::Allinpay(control) => {
                control.ledger().trade(number).map(|trade| (trade.charged_fen, trade.refunded_fen))
            }
        };
        booked.map(|(charged, returned)| Booked { charged, returned }).unwrap_or_default()
    }

    /// Puts a coupon of one fen into the wallet: for these goods in this store, or for anything. Whether it has coupons.
    pub(super) fn take_coupon(&self, goods: Option<&str>, store: &str) -> bool {
        match self {
            Self::Alipay(control) => {
                control.set_order_sync(store, true);
                let (name, goods_id) = ("联调优惠券".to_owned(), goods.map(ToOwned::to_owned));
                control.wallet().give_coupon(Coupon { name, fen: 1, by: CouponBy::Merchant, goods_id });
                true
            }
            Self::Wechat(_) | Self::Allinpay(_) => false,
        }
    }

    /// Whether the books show a coupon that is good for certain goods only: then the goods' code came across.
    pub(super) fn used_goods_coupon(&self, number: &str) -> bool {
        match self {
            Self::Alipay(control) => control
                .ledger()
                .trade(number)
                .is_some_and(|trade| trade.redeemed.iter().any(|redeemed| redeemed.coupon.goods_id.is_some())),
            Self::Wechat(_) | Self::Allinpay(_) => false,
        }
    }

    /// The gateway goes wrong from now on.
    pub(super) fn spoil(&self, how: Misbehave) {
        match (self, how) {
            (Self::Alipay(control), Misbehave::Refunds) => {
                let fault = sandbox::Fault::HttpStatus { status: 502, executed: false };
                control.add_weather(fault.on(sandbox::Method::Refund));
            }
            (Self::Alipay(control), Misbehave::Queries) => {
                control.add_weather(sandbox::Fault::BadSignature.on(sandbox::Method::Query));
            }
            (Self::Wechat(control), Misbehave::Refunds) => {
                let fault = wechat::Fault::HttpStatus { status: 502, executed: false };
                control.add_weather(fault.on(wechat::Operation::Refund));
            }
            (Self::Wechat(control), Misbehave::Queries) => {
                control.add_weather(wechat::Fault::BadSignature.on(wechat::Operation::Query));
            }
            (Self::Allinpay(control), Misbehave::Refunds) => {
                // What is returned on the day of its payment is cancelled at VSP.
                for method in [allinpay::Method::Refund, allinpay::Method::Cancel] {
                    control.add_weather(allinpay::Fault::HttpStatus { status: 502, executed: false }.on(method));
                }
            }
            (Self::Allinpay(control), Misbehave::Queries) => {
                control.add_weather(allinpay::Fault::BadSignature.on(allinpay::Method::Query));
            }
        }
    }
}

const fn app(wallet: Option<Wallet>) -> App {
    match wallet {
        Some(Wallet::Wechat) => App::Wechat,
        Some(Wallet::UnionPay) => App::UnionPay,
        Some(Wallet::Ecny) => App::Ecny,
        Some(Wallet::Alipay) | None => App::Alipay,
    }
}
