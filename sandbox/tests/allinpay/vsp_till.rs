//! A till written by hand that speaks VSP, with a clock of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sandbox::Clock;
use sandbox::allinpay::{App, Control, SignType, VspGateway, VspOptions, Wallet, vsp_keys};
use serde_json::Value;

use crate::calling::{self, Cut, Params, Raw};

/// 2025-06-01 12:00:00 in China.
pub const START: i64 = 1_748_750_400_000;

pub struct Till {
    pub gateway: VspGateway,
    pub control: Control,
    /// WeChat.
    pub phone: Wallet,
    pub sign_type: SignType,
    clock: Arc<AtomicI64>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub node: Value,
    pub has_sign: bool,
    pub signed: bool,
}

impl Answer {
    pub fn member(&self, name: &str) -> &str {
        self.node[name].as_str().unwrap_or_default()
    }

    pub fn retcode(&self) -> &str {
        self.member("retcode")
    }

    pub fn status(&self) -> &str {
        self.member("trxstatus")
    }
}

impl Till {
    pub async fn open() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut VspOptions)) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let read = Arc::clone(&clock);
        let mut options = VspOptions::default();
        options.house.clock = Clock::new(move || read.load(Ordering::SeqCst));
        change(&mut options);
        let sign_type = options.sign_type;
        let gateway = VspGateway::start(options).await.unwrap();
        let control = gateway.control();
        let phone = control.wallet();
        Self { gateway, control, phone, sign_type, clock }
    }

    /// Lets time pass.
    pub fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    /// The parameters of a correct request, unsigned.
    pub fn params(&self, pairs: &[(&str, &str)]) -> Params {
        let mut params = calling::params(&[
            ("cusid", "990000000000001"),
            ("appid", "00000001"),
            ("version", "11"),
            ("randomstr", "a1b2c3d4"),
            ("signtype", self.sign_type.wire()),
        ]);
        params.extend(calling::params(pairs));
        params
    }

    pub fn signed(&self, mut params: Params) -> Params {
        let sign = self.signature(&params);
        calling::set(&mut params, "sign", &sign);
        params
    }

    fn signature(&self, params: &Params) -> String {
        let keys = vsp_keys();
        let pairs = params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        match self.sign_type {
            SignType::Md5 => {
                calling::md5_hex(&calling::joined(pairs.chain([("key", keys.app_key.as_str())]), &["sign"]))
            }
            SignType::Rsa => calling::rsa_sign(&keys.merchant_rsa_private_key_pem, &calling::joined(pairs, &["sign"])),
            SignType::Sm2 => calling::sm2_sign(&keys.merchant_sm2_private_key_pem, &calling::joined(pairs, &["sign"])),
        }
    }

    pub fn address(&self, path: &str) -> String {
        match path.strip_prefix("/cusapi") {
            Some(rest) => format!("{}{rest}", self.gateway.cus_url()),
            None => format!("{}{path}", self.gateway.url()),
        }
    }

    /// Sends exactly these parameters.
    pub async fn send(&self, path: &str, params: &Params) -> Result<Raw, Cut> {
        calling::post(&self.address(path), "application/x-www-form-urlencoded", &calling::form(params)).await
    }

    /// Sends a correct request and takes whatever comes.
    pub async fn try_ask(&self, path: &str, pairs: &[(&str, &str)]) -> Result<Answer, Cut> {
        let raw = self.send(path, &self.signed(self.params(pairs))).await?;
        Ok(self.read(&raw))
    }

    /// Sends a correct request; the answer must come and its signature hold.
    pub async fn ask(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let answer = self.try_ask(path, pairs).await.expect("the connection ended");
        assert!(answer.signed, "unsigned or badly signed: {}", answer.node);
        answer
    }

    /// Checks the signature over everything that arrived.
    pub fn read(&self, raw: &Raw) -> Answer {
        assert_eq!(raw.status, 200, "{}", raw.text());
        let node: Value = serde_json::from_slice(&raw.body).unwrap();
        let texts: Vec<(String, String)> = node
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            .collect();
        let sign = node["sign"].as_str().unwrap_or_default().to_owned();
        let signed = self.holds(&texts, &sign);
        Answer { has_sign: !sign.is_empty(), signed, node }
    }

    pub fn holds(&self, texts: &Params, sign: &str) -> bool {
        let keys = vsp_keys();
        let pairs = texts.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        match self.sign_type {
            SignType::Md5 => {
                let text = calling::joined(pairs.chain([("key", keys.app_key.as_str())]), &["sign"]);
                calling::md5_hex(&text).eq_ignore_ascii_case(sign)
            }
            SignType::Rsa => {
                calling::rsa_holds(&keys.platform_rsa_public_key_pem, &calling::joined(pairs, &["sign"]), sign)
            }
            SignType::Sm2 => {
                calling::sm2_holds(&keys.platform_sm2_public_key_pem, &calling::joined(pairs, &["sign"]), sign)
            }
        }
    }

    /// Makes a code for one wallet and gives its text.
    pub async fn code(&self, reqsn: &str, fen: &str, paytype: &str) -> String {
        let pairs = [("reqsn", reqsn), ("trxamt", fen), ("paytype", paytype), ("body", "可乐 330ml")];
        let answer = self.ask("/unitorder/pay", &pairs).await;
        assert_eq!((answer.retcode(), answer.status()), ("SUCCESS", "0000"), "{}", answer.node);
        answer.member("payinfo").to_owned()
    }

    /// Makes one code for all wallets, which lives ten minutes.
    pub async fn native(&self, reqsn: &str, fen: &str) -> String {
        let pairs = [("reqsn", reqsn), ("trxamt", fen), ("expiretime", "20250601121000"), ("body", "可乐 330ml")];
        let answer = self.ask("/unitorder/nativepay", &pairs).await;
        assert_eq!((answer.retcode(), answer.status()), ("SUCCESS", "0000"), "{}", answer.node);
        answer.member("payinfo").to_owned()
    }

    pub async fn charge(&self, reqsn: &str, fen: &str, code: &str) -> Answer {
        self.ask("/unitorder/scanqrpay", &charge_pairs(reqsn, fen, code)).await
    }

    /// Charges the WeChat of the usual buyer.
    pub async fn sell(&self, reqsn: &str, fen: &str) -> Answer {
        let code = self.phone.pay_code();
        self.charge(reqsn, fen, &code).await
    }

    pub async fn query(&self, reqsn: &str) -> Answer {
        self.ask("/tranx/query", &[("reqsn", reqsn)]).await
    }

    pub async fn undo(&self, path: &str, reqsn: &str, old: &str, fen: &str) -> Answer {
        self.ask(path, &[("reqsn", reqsn), ("oldreqsn", old), ("trxamt", fen)]).await
    }

    pub fn phone_with(&self, app: App) -> Wallet {
        self.phone.using(app)
    }
}

pub const TERMINFO: &str = r#"{"devicetype":"10","termno":"00000001"}"#;

pub fn charge_pairs<'a>(reqsn: &'a str, fen: &'a str, code: &'a str) -> [(&'a str, &'a str); 5] {
    [("reqsn", reqsn), ("trxamt", fen), ("authcode", code), ("terminfo", TERMINFO), ("body", "可乐 330ml")]
}
