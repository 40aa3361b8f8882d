//! Our side of `tests/sdk`: one JSON object per line comes in, one goes out. What it signs, others verify, and what others
//! sign, it verifies, by the same calls that the daemon makes.
//!
//! Every line names an operation in `do`: `open` makes a channel out of settings; `encode`, `decode`, `notice` and `key` use
//! it; the rest are parts that stand alone. The answer is `{"ok": …}` or `{"error": "why"}`. Keys are throw-away ones.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use payment::channel::alipay::{self, Alipay, aes, cert, v3};
use payment::channel::allinpay::vsp::{self, Vsp};
use payment::channel::allinpay::yst::{self, Yst};
use payment::channel::keys;
use payment::channel::outcome::{CodeAnswer, Outcome};
use payment::channel::wechat::{self, Wechat, oaep};
use payment::channel::{
    Answer, Decoded, GoodsRow, HttpMethod, HttpReply, HttpRequest, Method, Offer, RefundOrder, Request, Trade,
};
use payment::money::Fen;
use payment::redact::{PayCode, Secret};
use payment::time::Wall;
use serde_json::{Map, Value, json};

type Told<T> = Result<T, String>;

enum Channel {
    Alipay(Box<Alipay>, keys::PublicKey),
    Wechat(Box<Wechat>),
    Vsp(Box<Vsp>),
    Yst(Box<Yst>),
}

fn main() -> io::Result<()> {
    let mut channels = BTreeMap::new();
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?) {
            Ok(call) => carried_out(&mut channels, &Line(call)),
            Err(error) => Err(error.to_string()),
        };
        let answer = answer.map_or_else(|error| json!({ "error": error }), |value| json!({ "ok": value }));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn carried_out(channels: &mut BTreeMap<String, Channel>, call: &Line) -> Told<Value> {
    let channel = || channels.get(call.text("channel")?).ok_or("no such channel".to_owned());
    match call.text("do")? {
        "open" => {
            let opened = opened(call.text("kind")?, &call.part("settings")?)?;
            channels.insert(call.text("channel")?.to_owned(), opened);
            Ok(Value::Null)
        }
        "encode" => channel()?.encode(call),
        "decode" => channel()?.decode(call),
        "notice" => channel()?.notice(call),
        "key" => channel()?.accept_key(call),
        "sealed_field" => channel()?.sealed_field(call.text("plain")?),
        other => part(other, call),
    }
}

/// What stands alone: ciphers, fields, serial numbers, and the strings of Alipay's protocol v3.
fn part(name: &str, call: &Line) -> Told<Value> {
    match name {
        "aes_encrypt" => Ok(json!(alipay_aes(call)?.encrypt(call.text("plain")?.as_bytes()))),
        "aes_decrypt" => alipay_aes(call)?.decrypt(call.text("sealed")?).map_err(said).and_then(utf8),
        "sm4_encrypt" => Ok(json!(sm4(call)?.encrypt(call.text("plain")?))),
        "sm4_decrypt" => sm4(call)?.decrypt(call.text("sealed")?).map(Value::from).map_err(said),
        "oaep_open" => {
            let key = oaep::FieldKey::load(call.text("private_key")?).ok_or("no private key")?;
            key.open(call.text("sealed")?).map(Value::from).ok_or("it does not open".to_owned())
        }
        "alipay_sn" => cert::serial_number(call.text("pem")?).map(Value::from).map_err(said),
        "alipay_root_sn" => cert::root_serial_number(call.text("pem")?).map(Value::from).map_err(said),
        "wechat_serial" => {
            let certificate = wechat::cert::Certificate::read(call.text("pem")?).map_err(said)?;
            Ok(json!(certificate.serial))
        }
        "v3_authorization" => v3_authorization(call),
        "v3_verify" => v3_verify(call),
        other => Err(format!("no operation {other:?}")),
    }
}

fn alipay_aes(call: &Line) -> Told<aes::Key> {
    aes::Key::load(call.text("key")?).map_err(said)
}

fn sm4(call: &Line) -> Told<yst::sm4::Key> {
    yst::sm4::Key::load(call.text("key")?).map_err(said)
}

fn v3_authorization(call: &Line) -> Told<Value> {
    let key = keys::PrivateKey::load(call.text("private_key")?).map_err(said)?;
    let auth = v3::auth_string(
        call.text("app_id")?,
        call.maybe("app_cert_sn"),
        call.text("nonce")?,
        call.number("timestamp")?,
    );
    let (target, body, token) = (call.text("target")?, call.text("body")?, call.maybe("app_auth_token"));
    let text = v3::request_string(&auth, http_method(call.text("method")?)?, target, body, token);
    Ok(json!(v3::authorization(&auth, &key.sign_sha256(text.as_bytes()))))
}

fn v3_verify(call: &Line) -> Told<Value> {
    let key = keys::PublicKey::load(call.text("public_key")?).map_err(said)?;
    let text = v3::response_string(call.text("timestamp")?, call.text("nonce")?, call.text("body")?.as_bytes());
    Ok(json!(key.verify(&text, call.text("sign")?)))
}

impl Channel {
    fn encode(&self, call: &Line) -> Told<Value> {
        let (request, wall, entropy) = (request(&call.part("request")?)?, wall(call)?, entropy(call)?);
        let encoded = match self {
            Self::Alipay(alipay, _) => alipay.encode(&request, wall),
            Self::Wechat(wechat) => wechat.encode(&request, wall, entropy),
            Self::Vsp(vsp) => vsp.encode(&request, wall, entropy),
            Self::Yst(yst) => yst.encode(&request, wall, entropy),
        };
        sent(encoded)
    }

    fn decode(&self, call: &Line) -> Told<Value> {
        let (request, wall, reply) = (request(&call.part("request")?)?, wall(call)?, reply(call)?);
        let decoded = match self {
            Self::Alipay(alipay, _) => alipay.decode(&request, reply.status, &reply.body),
            Self::Wechat(wechat) => wechat.decode(&request, wall, &reply),
            Self::Vsp(vsp) => vsp.decode(&request, wall, &reply),
            Self::Yst(yst) => yst.decode(&request, wall, &reply),
        };
        Ok(meaning(decoded))
    }

    fn notice(&self, call: &Line) -> Told<Value> {
        let reply = reply(call)?;
        match self {
            Self::Alipay(_, key) => {
                let notice = alipay::notice::Notice::open(&reply.body, key).map_err(said)?;
                Ok(json!(format!("{:?}", notice.tells())))
            }
            Self::Wechat(wechat) => {
                let notice = wechat.notice(wall(call)?, &reply.headers, &reply.body).map_err(said)?;
                Ok(json!(format!("{:?}", notice.content)))
            }
            Self::Vsp(_) => Err("VSP's notices are not read".to_owned()),
            Self::Yst(yst) => {
                let notice = yst.notice(&reply.body).map_err(|doubt| format!("{:?}: {}", doubt.kind, doubt.detail))?;
                Ok(json!(notice.number))
            }
        }
    }

    /// Takes a certificate that the other side changed to.
    fn accept_key(&self, call: &Line) -> Told<Value> {
        let (serial, reply) = (call.text("serial")?, reply(call)?);
        match self {
            Self::Alipay(alipay, _) => alipay.accept_certificate(serial, reply.status, &reply.body).map_err(said),
            Self::Wechat(wechat) => wechat.accept_key(serial, wall(call)?, &reply).map_err(said),
            Self::Vsp(_) | Self::Yst(_) => Err("its keys do not change".to_owned()),
        }
        .map(|()| Value::Null)
    }

    fn sealed_field(&self, plain: &str) -> Told<Value> {
        match self {
            Self::Yst(yst) => yst.sealed_field(plain).map(Value::from).ok_or("no secret_key".to_owned()),
            Self::Alipay(..) | Self::Wechat(_) | Self::Vsp(_) => Err("it seals no fields".to_owned()),
        }
    }
}

fn opened(kind: &str, settings: &Line) -> Told<Channel> {
    match kind {
        "alipay" => {
            let key = match settings.maybe("alipay_cert") {
                Some(text) => alipay_key(text)?,
                None => keys::PublicKey::load(settings.text("alipay_key")?).map_err(said)?,
            };
            let alipay = Alipay::new(alipay_config(settings)?).map_err(said)?;
            Ok(Channel::Alipay(Box::new(alipay), key))
        }
        "wechat" => Wechat::new(wechat_config(settings)?).map(|it| Channel::Wechat(Box::new(it))).map_err(said),
        "vsp" => Vsp::new(vsp_config(settings)?).map(|it| Channel::Vsp(Box::new(it))).map_err(said),
        "yst" => Yst::new(yst_config(settings)?).map(|it| Channel::Yst(Box::new(it))).map_err(said),
        other => Err(format!("no channel {other:?}")),
    }
}

fn alipay_key(certificates: &str) -> Told<keys::PublicKey> {
    let found = cert::Certificate::read_all(certificates).map_err(said)?;
    found.first().ok_or("no certificate")?.public_key().map_err(said)
}

fn alipay_config(settings: &Line) -> Told<alipay::Config> {
    let owned = |name: &str| settings.maybe(name).map(str::to_owned);
    let verify = match settings.maybe("alipay_cert") {
        Some(alipay) => alipay::Verify::Certificates {
            app: settings.text("app_cert")?.to_owned(),
            alipay: alipay.to_owned(),
            root: settings.text("root_cert")?.to_owned(),
        },
        None => alipay::Verify::PublicKey(settings.text("alipay_key")?.to_owned()),
    };
    Ok(alipay::Config {
        gateway_url: "http://127.0.0.1/gateway.do".to_owned(),
        app_id: settings.text("app_id")?.to_owned(),
        private_key: settings.secret("private_key")?,
        verify,
        app_auth_token: owned("app_auth_token").map(Secret::new),
        seller_id: owned("seller_id"),
        store_id: owned("store_id"),
        alipay_store_id: owned("alipay_store_id"),
        smid: None,
        terminal_id: owned("terminal_id"),
        operator_id: owned("operator_id"),
        product_code: owned("product_code"),
        sys_service_provider_id: owned("sys_service_provider_id"),
        notify_url: owned("notify_url"),
        aes_key: owned("aes_key").map(Secret::new),
        enable_pay_channels: None,
        disable_pay_channels: owned("disable_pay_channels"),
    })
}

fn wechat_config(settings: &Line) -> Told<wechat::Config> {
    let owned = |name: &str| settings.maybe(name).map(str::to_owned);
    let public_key = owned("public_key").zip(owned("public_key_id")).map(|(pem, id)| wechat::WechatKey { id, pem });
    Ok(wechat::Config {
        mchid: settings.text("mchid")?.to_owned(),
        appid: settings.text("appid")?.to_owned(),
        sub_merchant: None,
        private_key: settings.secret("private_key")?,
        certificate: wechat::MerchantCertificate::Pem(settings.text("certificate")?.to_owned()),
        apiv3_key: settings.secret("apiv3_key")?,
        verify: wechat::Verify { public_key, certificates: Vec::new() },
        v2_key: Some(settings.secret("v2_key")?),
        code_pay: wechat::CodePay::V2,
        hosts: wechat::Hosts::default(),
        store: wechat::Store {
            id: owned("store_id"),
            name: owned("store_name"),
            device_id: owned("device_id"),
            terminal_ip: "192.0.2.1".to_owned(),
            ..wechat::Store::default()
        },
        notify_url: settings.text("notify_url")?.to_owned(),
        goods_tag: owned("goods_tag"),
        profit_sharing: false,
        limit_pay: None,
        delivery: None,
    })
}

fn vsp_config(settings: &Line) -> Told<vsp::Config> {
    let sign_type = match settings.text("sign_type")? {
        "MD5" => vsp::SignType::Md5 { app_key: settings.secret("app_key")? },
        "RSA" => vsp::SignType::Rsa {
            private_key: settings.secret("private_key")?,
            allinpay_key: settings.text("allinpay_key")?.to_owned(),
        },
        "SM2" => vsp::SignType::Sm2 {
            private_key: settings.secret("private_key")?,
            allinpay_key: settings.text("allinpay_key")?.to_owned(),
        },
        other => return Err(format!("no sign type {other:?}")),
    };
    let mut config = vsp::Config::new(settings.text("cusid")?, settings.text("appid")?, "12345678", sign_type);
    config.notify_url = settings.maybe("notify_url").map(str::to_owned);
    Ok(config)
}

fn yst_config(settings: &Line) -> Told<yst::Config> {
    use yst::setup::{AmountForm, AskBy, GoodsFields, PayModeForm, PayModes, Terminal, TradeKind};
    Ok(yst::Config {
        base_url: "http://127.0.0.1/yst-service-api".to_owned(),
        app_id: settings.text("app_id")?.to_owned(),
        sp_app_id: None,
        private_key: settings.secret("private_key")?,
        allinpay_key: settings.text("allinpay_key")?.to_owned(),
        secret_key: Some(settings.secret("secret_key")?),
        receiver: settings.text("receiver")?.to_owned(),
        cusid: settings.text("cusid")?.to_owned(),
        orgid: None,
        trade: TradeKind::Consume,
        modes: PayModes::default(),
        pay_mode_form: PayModeForm::default(),
        amount_form: AmountForm::default(),
        ask_by: AskBy::default(),
        limit_pay: None,
        split: Vec::new(),
        goods: GoodsFields::default(),
        terminal: Terminal { number: "12345678".into(), device_type: "10".into(), ..Terminal::default() },
        notify_url: None,
        extend_params: None,
        codes: Vec::new(),
    })
}

fn request(wanted: &Line) -> Told<Request> {
    let method = if wanted.flag("by_code") { Method::TakeCode } else { Method::ShowCode };
    let offer = offer(wanted)?;
    let trade = offer.trade(method);
    match wanted.text("kind")? {
        "show" => Ok(Request::ShowCode(offer)),
        "take" => Ok(Request::TakeCode(offer, PayCode::new(wanted.text("code")?))),
        "query" => Ok(Request::Query(trade)),
        "cancel" => Ok(Request::Cancel(trade)),
        "close" => Ok(Request::Close(trade)),
        "refund" => Ok(Request::Refund(refund(wanted, trade)?)),
        "refund_query" => Ok(Request::RefundQuery(refund(wanted, trade)?)),
        other => Err(format!("no request {other:?}")),
    }
}

fn offer(wanted: &Line) -> Told<Offer> {
    Ok(Offer {
        attempt: wanted.text("attempt")?.parse().map_err(said)?,
        amount: Fen::new(wanted.number("amount")?),
        subject: wanted.text("subject")?.to_owned(),
        goods: vec![GoodsRow {
            code: "A1".to_owned(),
            name: wanted.text("subject")?.to_owned(),
            quantity: 1,
            price: Fen::new(wanted.number("amount")?),
        }],
        valid_ms: 180_000,
        begun: Wall { ms: wanted.number("begun")?, trusted: true },
        wallet: None,
        instalment: None,
    })
}

fn refund(wanted: &Line, trade: Trade) -> Told<RefundOrder> {
    Ok(RefundOrder {
        begun: trade.begun,
        trade,
        refund: wanted.text("refund")?.parse().map_err(said)?,
        amount: Fen::new(wanted.number("back")?),
        reason: wanted.text("subject")?.to_owned(),
        confirmed: None,
    })
}

fn sent(request: HttpRequest) -> Told<Value> {
    let headers: Map<String, Value> =
        request.headers.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let method = match request.method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
    };
    Ok(json!({ "method": method, "url": request.url, "headers": headers, "body": utf8(request.body)? }))
}

fn reply(call: &Line) -> Told<HttpReply> {
    let body = STANDARD.decode(call.text("body")?).map_err(said)?;
    let headers = call.0.get("headers").and_then(Value::as_object);
    let pair = |(name, value): (&String, &Value)| Some((name.to_lowercase(), value.as_str()?.to_owned()));
    Ok(HttpReply { status: 200, headers: headers.into_iter().flatten().filter_map(pair).collect(), body })
}

/// What the daemon would believe: paid with these figures, a text to draw, a doubt of this kind, or something else.
fn meaning(decoded: Decoded) -> Value {
    let answer = match decoded {
        Decoded::Answer(answer) => answer,
        Decoded::UnknownKey { serial } => return json!({ "unknown_key": serial }),
        Decoded::EncodeAgain => return json!({ "other": "EncodeAgain" }),
    };
    if let Some(doubt) = answer.doubt() {
        return json!({ "doubt": format!("{:?}", doubt.kind), "detail": doubt.detail });
    }
    match answer {
        Answer::Payment(Outcome::Paid(receipt)) => {
            json!({ "paid": receipt.amount.get(), "trade_no": receipt.trade_no })
        }
        Answer::Code(CodeAnswer::Ready(text)) => json!({ "draw": text }),
        Answer::Code(_)
        | Answer::Payment(_)
        | Answer::Reversal(_)
        | Answer::Refund(_)
        | Answer::Duty(_)
        | Answer::Reachable(_) => json!({ "other": format!("{answer:?}") }),
    }
}

fn wall(call: &Line) -> Told<Wall> {
    Ok(Wall { ms: call.number("wall")?, trusted: true })
}

fn entropy(call: &Line) -> Told<[u8; 32]> {
    let bytes = STANDARD.decode(call.text("entropy")?).map_err(said)?;
    bytes.try_into().map_err(|_| "entropy is 32 bytes".to_owned())
}

fn http_method(name: &str) -> Told<HttpMethod> {
    match name {
        "GET" => Ok(HttpMethod::Get),
        "POST" => Ok(HttpMethod::Post),
        other => Err(format!("no method {other:?}")),
    }
}

fn utf8(bytes: Vec<u8>) -> Told<Value> {
    String::from_utf8(bytes).map(Value::from).map_err(said)
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// One object of the other side, read by name.
struct Line(Map<String, Value>);

impl Line {
    fn maybe(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    fn text(&self, name: &str) -> Told<&str> {
        self.maybe(name).ok_or_else(|| format!("no text {name:?}"))
    }

    fn secret(&self, name: &str) -> Told<Secret<String>> {
        Ok(Secret::new(self.text(name)?.to_owned()))
    }

    fn number(&self, name: &str) -> Told<i64> {
        self.0.get(name).and_then(Value::as_i64).ok_or_else(|| format!("no number {name:?}"))
    }

    fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    fn part(&self, name: &str) -> Told<Self> {
        let found = self.0.get(name).and_then(Value::as_object).cloned();
        found.map(Self).ok_or_else(|| format!("no object {name:?}"))
    }
}
