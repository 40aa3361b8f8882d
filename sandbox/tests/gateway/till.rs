//! A till written by hand: it signs, sends and checks answers by its own code, with a clock of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sandbox::{Control, Gateway, GatewayOptions, Wallet};
use serde_json::Value;

use crate::calling::{self, Answer, Cut, Params};

/// 2025-06-01 12:00:00 in China.
pub const START: i64 = 1_748_750_400_000;

pub struct Till {
    pub gateway: Gateway,
    pub control: Control,
    pub phone: Wallet,
    clock: Arc<AtomicI64>,
}

impl Till {
    pub async fn open() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut GatewayOptions)) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let read = Arc::clone(&clock);
        let mut options = GatewayOptions {
            clock: sandbox::Clock::new(move || read.load(Ordering::SeqCst)),
            ..GatewayOptions::default()
        };
        change(&mut options);
        let gateway = Gateway::start(options).await.unwrap();
        let control = gateway.control();
        let phone = control.wallet();
        Self { gateway, control, phone, clock }
    }

    /// Lets time pass.
    pub fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// The parameters of a correct request.
    pub fn params(&self, method: &str, biz: &Value) -> Params {
        calling::params(method, &biz.to_string(), self.now())
    }

    /// Sends a correct request; the answer must come and its signature hold.
    pub async fn ask(&self, method: &str, biz: Value) -> Answer {
        let answer = self.try_ask(method, biz).await.expect("the connection ended");
        assert!(answer.signed, "unsigned or badly signed: {}", answer.text());
        answer
    }

    /// Sends a correct request and takes whatever comes.
    pub async fn try_ask(&self, method: &str, biz: Value) -> Result<Answer, Cut> {
        let params = self.params(method, &biz);
        calling::send(&self.gateway.url(), &calling::signed(params)).await
    }

    /// The text of a precreated code.
    pub async fn code(&self, biz: Value) -> String {
        let answer = self.ask("alipay.trade.precreate", biz).await;
        assert_eq!(answer.code(), "10000", "{}", answer.text());
        answer.member("qr_code").to_owned()
    }

    /// Charges `number` by pay code and says what came back.
    pub async fn charge(&self, number: &str, yuan: &str) -> Answer {
        let biz = pay_biz(number, yuan, &self.phone.pay_code());
        self.ask("alipay.trade.pay", biz).await
    }

    pub async fn query(&self, number: &str) -> Answer {
        let biz = serde_json::json!({ "out_trade_no": number });
        self.ask("alipay.trade.query", biz).await
    }

    pub async fn cancel(&self, number: &str) -> Answer {
        let biz = serde_json::json!({ "out_trade_no": number });
        self.ask("alipay.trade.cancel", biz).await
    }
}

pub fn precreate_biz(number: &str, yuan: &str) -> Value {
    serde_json::json!({ "out_trade_no": number, "total_amount": yuan, "subject": "可乐 330ml" })
}

pub fn pay_biz(number: &str, yuan: &str, code: &str) -> Value {
    let mut biz = precreate_biz(number, yuan);
    biz["scene"] = "bar_code".into();
    biz["auth_code"] = code.into();
    biz
}
