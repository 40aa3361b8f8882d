//! A till written by hand: it signs, sends and checks answers by its own code, with a clock of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sandbox::wechat::{Clock, Control, Gateway, GatewayOptions, LedgerEntry, MerchantKeys, Wallet, merchant_keys};
use serde_json::{Value, json};

use crate::calling::{Answer, Ask, Cut, v2_ask};

/// 2025-06-01 12:00:00 in China.
pub const START: i64 = 1_748_750_400_000;

pub struct Till {
    pub gateway: Gateway,
    pub control: Control,
    pub phone: Wallet,
    pub keys: MerchantKeys,
    clock: Arc<AtomicI64>,
}

impl Till {
    pub async fn open() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut GatewayOptions)) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let read = Arc::clone(&clock);
        let clock_of = Clock::new(move || read.load(Ordering::SeqCst));
        let mut options = GatewayOptions { clock: clock_of, ..GatewayOptions::default() };
        change(&mut options);
        let gateway = Gateway::start(options).await.unwrap();
        let control = gateway.control();
        let phone = control.wallet();
        Self { gateway, control, phone, keys: merchant_keys(), clock }
    }

    /// Lets time pass.
    pub fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn set_clock(&self, ms: i64) {
        self.clock.store(ms, Ordering::SeqCst);
    }

    pub fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// A correct request.
    pub fn ask_for(&self, method: &str, target: &str, body: &Value) -> Ask {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut ask = Ask::new(method, target, &body);
        ask.sign(&self.keys, self.now() / 1000);
        ask
    }

    /// Sends a correct request and takes whatever comes.
    pub async fn try_ask(&self, method: &str, target: &str, body: Value) -> Result<Answer, Cut> {
        self.ask_for(method, target, &body).send(&self.gateway.url()).await
    }

    /// Sends a correct request; a success must be signed, a failure must not.
    pub async fn ask(&self, method: &str, target: &str, body: Value) -> Answer {
        let answer = self.try_ask(method, target, body).await.expect("the connection ended");
        let success = (200..300).contains(&answer.status);
        let signed = answer.is_signed_by(&self.keys.public_key_id, &self.keys.public_key_pem);
        assert_eq!((signed, answer.has_signature_headers()), (success, success), "{}", answer.text());
        answer
    }

    pub async fn post(&self, target: &str, body: Value) -> Answer {
        self.ask("POST", target, body).await
    }

    pub async fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, Value::Null).await
    }

    /// The `code_url` of a new Native order.
    pub async fn code(&self, number: &str, fen: i64) -> String {
        let answer = self.post(NATIVE, native(number, fen)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.member("/code_url")
    }

    /// A Native order that is paid.
    pub async fn paid(&self, number: &str, fen: i64) {
        let code = self.code(number, fen).await;
        let scanned = self.phone.scan_text(&code).unwrap();
        self.phone.confirm(&scanned.id).unwrap();
    }

    pub async fn query(&self, number: &str) -> Answer {
        self.get(&format!("{NUMBER}/{number}?mchid={}", self.keys.mchid)).await
    }

    pub async fn close(&self, number: &str) -> Answer {
        self.post(&format!("{NUMBER}/{number}/close"), json!({ "mchid": self.keys.mchid })).await
    }

    pub async fn reverse(&self, number: &str) -> Answer {
        let body = json!({ "appid": self.keys.appid, "mchid": self.keys.mchid });
        self.post(&format!("{NUMBER}/{number}/reverse"), body).await
    }

    pub async fn refund(&self, number: &str, refund: &str, fen: i64, total: i64) -> Answer {
        self.post(REFUNDS, refund_body(number, refund, fen, total)).await
    }

    /// A call of APIv2, whose answer must be signed unless it is a `return_code` `FAIL`.
    pub async fn v2(&self, path: &str, own: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
        let ask = self.v2_ask(path, own);
        let xml = ask.send(&self.gateway.url()).await.unwrap().xml();
        let signed = xml.get("sign") == Some(&crate::calling::v2_sign(&xml, &self.keys.apiv2_key));
        assert_eq!(signed, xml["return_code"] == "SUCCESS", "{xml:?}");
        xml
    }

    pub fn v2_ask(&self, path: &str, own: &[(&str, &str)]) -> Ask {
        let common = [("appid", &*self.keys.appid), ("mch_id", &*self.keys.mchid), ("nonce_str", "ibuaiVcKdpRxkhJA")];
        v2_ask(path, &[&common, own].concat(), &self.keys.apiv2_key)
    }

    pub fn trade(&self, number: &str) -> LedgerEntry {
        self.control.ledger().trade(number).unwrap().clone()
    }
}

pub const NATIVE: &str = "/v3/pay/transactions/native";
pub const CODEPAY: &str = "/v3/pay/transactions/codepay";
pub const NUMBER: &str = "/v3/pay/transactions/out-trade-no";
pub const REFUNDS: &str = "/v3/refund/domestic/refunds";

pub fn native(number: &str, fen: i64) -> Value {
    let keys = merchant_keys();
    json!({
        "appid": keys.appid,
        "mchid": keys.mchid,
        "description": "可乐 330ml",
        "out_trade_no": number,
        "notify_url": "https://pay.example.com/wx/notify",
        "amount": { "total": fen, "currency": "CNY" },
    })
}

pub fn codepay(number: &str, fen: i64, auth_code: &str) -> Value {
    let keys = merchant_keys();
    json!({
        "appid": keys.appid,
        "mchid": keys.mchid,
        "description": "可乐 330ml",
        "out_trade_no": number,
        "payer": { "auth_code": auth_code },
        "amount": { "total": fen, "currency": "CNY" },
        "scene_info": { "device_id": "CT0007", "store_info": { "out_id": "STORE-01" } },
    })
}

pub fn refund_body(number: &str, refund: &str, fen: i64, total: i64) -> Value {
    json!({
        "out_trade_no": number,
        "out_refund_no": refund,
        "reason": "出货失败",
        "notify_url": "https://pay.example.com/wx/refund",
        "amount": { "refund": fen, "total": total, "currency": "CNY" },
    })
}

pub fn micropay<'a>(number: &'a str, fen: &'a str, auth_code: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("body", "可乐 330ml"),
        ("out_trade_no", number),
        ("total_fee", fen),
        ("spbill_create_ip", "203.0.113.7"),
        ("auth_code", auth_code),
        ("device_info", "CT0007"),
    ]
}
