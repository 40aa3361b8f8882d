//! What the gateways' ledgers hold, side by side.

use payment::channel::ChannelId;
use sandbox::allinpay::{App, VspGateway};
use sandbox::wechat;
use serde::Serialize;

use super::phone::{OWNER, buyer_at_allinpay};
use super::scene::Scene;

/// What one channel holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Which channel.
    pub channel: ChannelId,
    /// What it took from buyers, in fen.
    pub charged: i64,
    /// What went back to them, in fen.
    pub refunded: i64,
    /// What the merchant keeps, in fen.
    pub net: i64,
}

/// A payment of the phone's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payment {
    /// The channel's number.
    pub number: String,
    /// By which channel.
    pub channel: ChannelId,
    /// For what.
    pub subject: String,
    /// What was taken, in fen.
    pub charged: i64,
    /// What came back, in fen.
    pub refunded: i64,
}

/// All ledgers of a scene at one moment.
pub struct Ledgers {
    alipay: sandbox::Ledger,
    wechat: Option<wechat::Ledger>,
    allinpay: Option<sandbox::allinpay::Ledger>,
}

impl Ledgers {
    /// As they are now.
    #[must_use]
    pub fn of(scene: &Scene) -> Self {
        Self {
            alipay: scene.gateway.control().ledger(),
            wechat: scene.wechat.as_ref().map(|gateway| gateway.control().ledger()),
            allinpay: scene.vsp.as_ref().map(|gateway: &VspGateway| gateway.control().ledger()),
        }
    }

    /// One row for each channel.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        let row = |channel, charged, refunded, net| Account { channel, charged, refunded, net };
        let Self { alipay, wechat, allinpay } = self;
        let mut rows = vec![row(ChannelId::Alipay, alipay.charged_fen(), alipay.refunded_fen(), alipay.net_fen())];
        if let Some(books) = wechat {
            rows.push(row(ChannelId::Wechat, books.charged_fen(), books.refunded_fen(), books.net_fen()));
        }
        if let Some(books) = allinpay {
            rows.push(row(ChannelId::AllinpayVsp, books.charged_fen(), books.refunded_fen(), books.net_fen()));
        }
        rows
    }

    /// What this app of the phone paid, at its own channel and at Allinpay, in no order.
    #[must_use]
    pub fn payments(&self, app: App) -> Vec<Payment> {
        let mut payments = match app {
            App::Alipay => self.alipay_payments(),
            App::Wechat => self.wechat_payments(),
            App::UnionPay | App::Ecny => Vec::new(),
        };
        let buyer = buyer_at_allinpay(app);
        let trades = self.allinpay.iter().flat_map(|books| &books.trades);
        payments.extend(trades.filter(|trade| trade.buyer == buyer && trade.charged_fen > 0).map(|trade| Payment {
            number: trade.trade_no.clone(),
            channel: ChannelId::AllinpayVsp,
            subject: trade.subject.clone(),
            charged: trade.charged_fen,
            refunded: trade.refunded_fen,
        }));
        payments
    }

    fn alipay_payments(&self) -> Vec<Payment> {
        let mine = self.alipay.trades.iter().filter(|trade| trade.buyer == OWNER && trade.charged_fen > 0);
        let payments = mine.map(|trade| Payment {
            number: trade.trade_no.clone(),
            channel: ChannelId::Alipay,
            subject: trade.subject.clone(),
            charged: trade.charged_fen,
            refunded: trade.refunded_fen,
        });
        payments.collect()
    }

    fn wechat_payments(&self) -> Vec<Payment> {
        let trades = self.wechat.iter().flat_map(|books| &books.trades);
        let mine = trades.filter(|trade| trade.buyer.as_deref() == Some(OWNER) && trade.charged_fen > 0);
        let payments = mine.map(|trade| Payment {
            number: trade.transaction_id.clone(),
            channel: ChannelId::Wechat,
            subject: trade.subject.clone(),
            charged: trade.charged_fen,
            refunded: trade.refunded_fen,
        });
        payments.collect()
    }
}
