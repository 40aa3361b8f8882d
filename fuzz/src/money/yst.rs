//! Allinpay YunST: answers and notices.

use std::sync::LazyLock;

use payment::channel::HttpReply;
use payment::channel::allinpay::sm2::PrivateKey;
use payment::channel::allinpay::yst::Yst;
use payment::channel::allinpay::yst::envelope::Members;
use payment::channel::allinpay::yst::setup::{
    AmountForm, AskBy, Config, GoodsFields, PayModeForm, PayModes, Terminal, TradeKind,
};
use payment::redact::Secret;

use super::forged::{Input, Maker, must_hold};
use super::orders::{ABOUT_MONEY, NOW, filled, request};
use super::vectors;
use super::vsp::{members, with_sign};

static THEIRS: LazyLock<PrivateKey> = LazyLock::new(|| key("platform"));
static OURS: LazyLock<PrivateKey> = LazyLock::new(|| key("merchant"));

fn key(whose: &str) -> PrivateKey {
    let text = vectors::allinpay(&format!("/sm2_keys/yst2_{whose}_sm2/private_pkcs8_base64"));
    PrivateKey::load(&text).unwrap_or_else(|error| panic!("{error}"))
}

fn yst() -> Yst {
    let config = Config {
        base_url: "https://ibsapi.allinpay.com/yst-service-api".into(),
        app_id: "20000000000000000001".into(),
        sp_app_id: None,
        private_key: Secret::new(vectors::allinpay("/sm2_keys/yst2_merchant_sm2/private_pkcs8_base64")),
        allinpay_key: vectors::allinpay("/sm2_keys/yst2_platform_sm2/public_spki_base64"),
        secret_key: None,
        receiver: "OPERATOR001".into(),
        cusid: "990000000000001".into(),
        orgid: None,
        trade: TradeKind::Guaranteed,
        modes: PayModes::default(),
        pay_mode_form: PayModeForm::Object,
        amount_form: AmountForm::Number,
        ask_by: AskBy::State,
        limit_pay: None,
        split: Vec::new(),
        goods: GoodsFields::default(),
        terminal: Terminal { number: "00000001".into(), device_type: "10".into(), ..Terminal::default() },
        notify_url: None,
        extend_params: None,
        codes: Vec::new(),
    };
    Yst::new(config).unwrap_or_else(|error| panic!("{error}"))
}

/// The content is the business fields, or with the choice's highest bit the members of the envelope.
fn body(input: &Input<'_>) -> Vec<u8> {
    if input.maker == Maker::Anything {
        return input.content.to_vec();
    }
    let content = filled(&String::from_utf8_lossy(input.content));
    let text = if input.choice & 0x80 == 0 {
        serde_json::json!({ "appId": "20000000000000000001", "code": "00000", "bizData": content }).to_string()
    } else {
        content
    };
    let key = match input.maker {
        Maker::Nobody => return text.into_bytes(),
        Maker::Other => &OURS,
        Maker::Channel | Maker::Changed | Maker::Anything => &THEIRS,
    };
    let members: Members = members(&text).unwrap_or_default().into_iter().collect();
    let signed = members.string_to_sign(input.choice & 0x40 != 0);
    with_sign(&text, &key.sign_sm3(signed.as_bytes(), [1; 32])).into_bytes()
}

/// `Yst::decode` and `Yst::notice`. It remembers what it learnt, so each reading begins with a new one.
pub fn replies(data: &[u8]) {
    let Some(input) = Input::read(data) else { return };
    // The duties of a guaranteed payment are among them; the other kind is not owed to this channel.
    let request = request(input.ask % (ABOUT_MONEY + 1));
    let reply = |body| HttpReply { status: 200, headers: Vec::new(), body };
    let sealed = reply(body(&input));
    let came = reply(input.on_the_way(&sealed.body));
    must_hold(&request, input.maker, |reply| yst().decode(&request, NOW, reply), &sealed, &came);
    if input.choice & 0x20 != 0 {
        notice(&input, &sealed, &came);
    }
}

fn notice(input: &Input<'_>, sealed: &HttpReply, came: &HttpReply) {
    let yst = yst();
    let Ok(notice) = yst.notice(&came.body) else { return };
    assert!(!notice.number.is_empty(), "a notice about nothing");
    let genuine = match input.maker {
        Maker::Channel => true,
        Maker::Changed => yst.notice(&sealed.body).is_ok_and(|whole| whole == notice),
        Maker::Nobody | Maker::Other | Maker::Anything => false,
    };
    assert!(genuine, "a notice that Allinpay did not sign");
}
