//! A till written by hand that speaks 云商通, with a clock of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sandbox::Clock;
use sandbox::allinpay::{Control, Wallet, YstGateway, YstOptions, yst_keys};
use serde_json::{Map, Value, json};

use crate::calling::{self, Cut, Raw};
use crate::vsp_till::START;

pub struct Till {
    pub gateway: YstGateway,
    pub control: Control,
    /// WeChat.
    pub phone: Wallet,
    clock: Arc<AtomicI64>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub outer: Value,
    /// The opened `bizData`; null when there is none.
    pub biz: Value,
    pub has_sign: bool,
    pub signed: bool,
}

impl Answer {
    pub fn member(&self, name: &str) -> &str {
        self.biz[name].as_str().unwrap_or_default()
    }

    pub fn code(&self) -> &str {
        self.outer["code"].as_str().unwrap_or_default()
    }

    pub fn resp(&self) -> &str {
        self.member("respCode")
    }

    /// `respCode` and `result`.
    pub fn state(&self) -> (&str, &str) {
        (self.resp(), self.member("result"))
    }
}

impl Till {
    pub async fn open() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut YstOptions)) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let read = Arc::clone(&clock);
        let mut options = YstOptions::default();
        options.house.clock = Clock::new(move || read.load(Ordering::SeqCst));
        change(&mut options);
        let gateway = YstGateway::start(options).await.unwrap();
        let control = gateway.control();
        let phone = control.wallet();
        Self { gateway, control, phone, clock }
    }

    /// Lets time pass.
    pub fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    /// The outer fields of a correct request, unsigned.
    pub fn envelope(&self, code: &str, biz: &Value) -> Map<String, Value> {
        let china = self.clock.load(Ordering::SeqCst) / 1000 + 8 * 3600;
        let time = jiff::Timestamp::from_second(china).unwrap();
        let fields = json!({
            "appId": "20000000000000000001",
            "transCode": code,
            "transDate": time.strftime("%Y%m%d").to_string(),
            "transTime": time.strftime("%H%M%S").to_string(),
            "format": "json",
            "charset": "UTF-8",
            "version": "1.0",
            "bizData": biz.to_string(),
            "signType": "SM3withSM2",
        });
        fields.as_object().unwrap().clone()
    }

    pub fn signed(&self, mut fields: Map<String, Value>) -> Map<String, Value> {
        let sign = calling::sm2_sign(&yst_keys().merchant_sm2_private_key_with_parameters_pem, &text(&fields));
        fields.insert("sign".to_owned(), sign.into());
        fields
    }

    pub async fn send(&self, path: &str, fields: Map<String, Value>) -> Result<Raw, Cut> {
        let url = format!("{}{path}", self.gateway.url());
        calling::post(&url, "application/json;charset=utf-8", &Value::Object(fields).to_string()).await
    }

    /// Sends a correct request and takes whatever comes.
    pub async fn try_ask(&self, code: &str, biz: Value) -> Result<Answer, Cut> {
        let path = match code {
            "3001" | "3002" => "/tq/handle",
            "4001" => "/tm/handle",
            _ => "/tx/handle",
        };
        Ok(read(&self.send(path, self.signed(self.envelope(code, &biz))).await?))
    }

    /// Sends a correct request; it must be understood and its answer's signature hold.
    pub async fn ask(&self, code: &str, biz: Value) -> Answer {
        let answer = self.try_ask(code, biz).await.expect("the connection ended");
        assert!(answer.signed && answer.code() == "00000", "{}", answer.outer);
        answer
    }

    /// Makes a code for WeChat; gives its text and the channel's number.
    pub async fn code(&self, number: &str, fen: i64) -> (String, String) {
        let answer = self.ask("2085", consume(number, fen, json!({ "SCAN_WEIXIN": {} }))).await;
        assert_eq!(answer.state(), ("66666", "0"), "{}", answer.outer);
        (front(&answer), answer.member("respTraceNum").to_owned())
    }

    /// Collects with the usual buyer's pay code.
    pub async fn sell(&self, number: &str, fen: i64) -> Answer {
        self.ask("2085", consume(number, fen, code_pay(&self.phone.pay_code()))).await
    }

    pub async fn query(&self, number: &str) -> Answer {
        self.ask("3001", json!({ "reqTraceNum": number, "oriTransDate": "20250601" })).await
    }
}

/// What goes into the QR code.
pub fn front(answer: &Answer) -> String {
    let front: Value = serde_json::from_str(answer.member("chnlFrontParamInfo")).unwrap();
    front["chnlPayInfo"].as_str().unwrap().to_owned()
}

pub fn consume(number: &str, fen: i64, mode: Value) -> Value {
    json!({
        "reqTraceNum": number, "receiverSignNum": "OPERATOR001", "orderAmount": fen, "payAmount": fen,
        "payMode": mode, "goodsName": "可乐 330ml",
    })
}

pub fn code_pay(code: &str) -> Value {
    json!({ "CODEPAY_VSP": {
        "authcode": code, "vspCusid": "990000000000001", "limitPay": "",
        "termInfo": { "termNo": "00000001", "deviceType": "10" },
    } })
}

pub fn read(raw: &Raw) -> Answer {
    assert_eq!(raw.status, 200, "{}", raw.text());
    let outer: Value = serde_json::from_slice(&raw.body).unwrap();
    let biz = outer["bizData"].as_str().map_or(Value::Null, |text| serde_json::from_str(text).unwrap());
    let sign = outer["sign"].as_str().unwrap_or_default().to_owned();
    let signed = holds(outer.as_object().unwrap());
    Answer { has_sign: !sign.is_empty(), signed, biz, outer }
}

/// Whether Allinpay's signature over all texts holds, without `signType`.
pub fn holds(fields: &Map<String, Value>) -> bool {
    let sign = fields.get("sign").and_then(Value::as_str).unwrap_or_default();
    calling::sm2_holds(&yst_keys().platform_sm2_public_key_pem, &text(fields), sign)
}

fn text(fields: &Map<String, Value>) -> String {
    let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
    calling::joined(pairs, &["sign", "signType"])
}
