//! Requests as they leave.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::setup::{AmountForm, AskBy, Config, GoodsFields, PayModeForm, Terminal, TradeKind};
use super::super::split::{Share, SplitPart};
use super::super::terminal::Filing;
use super::super::{Members, Yst};
use super::*;
use crate::channel::text::china;
use crate::channel::{Instalment, Wallet};

fn fields_of(config: Config, request: &Request) -> Value {
    let yst = Yst::new(config).unwrap();
    sent(&yst.encode(request, NIGHT, ENTROPY)).1
}

fn rule() -> Vec<SplitPart> {
    let part = |sign_num: &str, share, remark: Option<&str>| SplitPart {
        sign_num: sign_num.into(),
        share,
        remark: remark.map(str::to_owned),
    };
    vec![
        part("LANDLORD", Share::Rate(Decimal::new(1, 1)), Some("场地")),
        part("BRAND", Share::Amount(Fen::new(20)), None),
    ]
}

#[test]
fn a_shown_code_is_an_order_in_a_scan_mode() {
    let request = yst().encode(&show(), NIGHT, ENTROPY);
    assert_eq!(request.url, "https://ibsapi.allinpay.com/yst-service-api/tx/handle");
    assert_eq!(request.headers, [("Content-Type", "application/json;charset=utf-8".to_owned())]);
    let (envelope, fields) = sent(&request);
    for (name, text) in [
        ("appId", "20000000000000000001"),
        ("transCode", "2085"),
        ("transDate", "20260529"),
        ("transTime", "042640"),
        ("format", "json"),
        ("charset", "UTF-8"),
        ("version", "1.0"),
        ("signType", "SM3withSM2"),
    ] {
        assert_eq!(envelope[name], text, "{name}");
    }
    let expected = json!({
        "reqTraceNum": attempt().as_str(),
        "receiverSignNum": "OPERATOR001",
        "verifyType": "0",
        "orderAmount": 350,
        "payAmount": 350,
        "payMode": { "SCAN_WEIXIN": { "vspCusid": "990000000000001" } },
        "orderValidTime": "2026-05-29 04:36:40",
        "goodsName": "可乐 330ml",
    });
    assert_eq!(fields, expected);
}

#[test]
fn what_is_signed_is_every_member_but_the_signature_and_its_kind() {
    for sp_app_id in [None, Some("30000000000000000001".to_owned())] {
        let ours = Yst::new(Config { sp_app_id: sp_app_id.clone(), ..config() }).unwrap();
        for request in every_request().into_iter().chain([Request::Probe]) {
            let sent = ours.encode(&request, NIGHT, ENTROPY);
            let envelope = Members::parse(std::str::from_utf8(&sent.body).unwrap()).unwrap();
            assert_eq!(envelope.get("spAppId"), sp_app_id.as_deref());
            let text = envelope.string_to_sign(false);
            assert_eq!(text.contains("&spAppId=3"), sp_app_id.is_some());
            assert!(!text.contains("&sign"), "{text}");
            assert!(ours.setup.key.public().verify_sm3(text.as_bytes(), envelope.get("sign").unwrap()));
        }
    }
}

/// The documents name no mode for the digital yuan: another wallet's code must not stand on the screen under its name.
#[test]
fn the_wallet_chooses_the_mode_and_one_without_a_mode_gets_no_other() {
    for (wallet, mode) in [
        (None, "SCAN_WEIXIN"),
        (Some(Wallet::Wechat), "SCAN_WEIXIN"),
        (Some(Wallet::Alipay), "SCAN_ALIPAY"),
        (Some(Wallet::UnionPay), "SCAN_UNIONPAY"),
        (Some(Wallet::Ecny), ""),
    ] {
        let fields = fields_of(config(), &Request::ShowCode(Offer { wallet, ..offer() }));
        assert!(fields["payMode"].get(mode).is_some(), "{wallet:?}: {}", fields["payMode"]);
    }
}

#[test]
fn a_pay_code_goes_with_the_filed_terminal() {
    let terminal = Terminal {
        serial: Some("SN1".into()),
        longitude: Some("121.4737".into()),
        latitude: Some("31.2304".into()),
        ip: Some("10.0.0.2".into()),
        app_version: Some("0.2.0".into()),
        ..config().terminal
    };
    let limit_pay = Some("no_credit".into());
    let fields = fields_of(Config { terminal, limit_pay, ..config() }, &take());
    let expected = json!({ "CODEPAY_VSP": {
        "vspCusid": "990000000000001", "limitPay": "no_credit", "authcode": "285000000000000017",
        "termInfo": {
            "termNo": "00000001", "deviceType": "10", "termsn": "SN1", "longitude": "121.4737",
            "latitude": "31.2304", "deviceip": "10.0.0.2", "appversion": "0.2.0",
        },
    } });
    assert_eq!(fields["payMode"], expected);
    let plan = Some(Instalment { periods: 6, seller_percent: 0 });
    let code = PayCode::new("285000000000000017");
    let fields = fields_of(config(), &Request::TakeCode(Offer { instalment: plan, ..offer() }, code));
    assert_eq!(fields["payMode"]["CODEPAY_VSP"]["fqNum"], "6");
}

#[test]
fn what_clients_do_both_ways_is_a_setting() {
    let both = Config { pay_mode_form: PayModeForm::Text, amount_form: AmountForm::Text, ..config() };
    let fields = fields_of(Config { split: rule(), ..both.clone() }, &show());
    assert_eq!(fields["payMode"]["SCAN_WEIXIN"], r#"{"vspCusid":"990000000000001"}"#);
    assert_eq!([&fields["orderAmount"], &fields["payAmount"]], ["350", "350"]);
    assert_eq!(fields["sepDetail"][0]["amount"], "35");
    assert_eq!(fields_of(both, &Request::Refund(refund()))["orderAmount"], "100");
    let ask = Yst::new(Config { ask_by: AskBy::Detail, ..config() }).unwrap();
    assert_eq!(code_of(&ask, &Request::Query(shown())), "3002");
    assert_eq!(code_of(&ask, &Request::RefundQuery(refund())), "3001");
}

#[test]
fn a_guaranteed_payment_names_its_receivers() {
    let goods = GoodsFields {
        description: Some("冷饮".into()),
        industry_code: Some("2522".into()),
        industry_name: Some("其他".into()),
        district_code: Some("0021".into()),
        summary: Some("售货机".into()),
        goods_type: Some("1".into()),
        goods_no: Some("G1".into()),
    };
    let notify_url = Some("https://pay.example.com/yst/notify".to_owned());
    let extend_params = Some("machine-7".to_owned());
    let config = Config { trade: TradeKind::Guaranteed, goods, notify_url, extend_params, split: rule(), ..config() };
    assert_eq!(code_of(&Yst::new(config.clone()).unwrap(), &show()), "2089");
    let fields = fields_of(config, &show());
    assert_eq!(fields["receiverList"], json!([{ "signNum": "OPERATOR001", "amount": 350 }]));
    for absent in ["receiverSignNum", "verifyType", "sepDetail"] {
        assert!(fields.get(absent).is_none(), "{absent} belongs to 2085 or 2090");
    }
    for (name, text) in [
        ("goodsType", "1"),
        ("bizGoodsNo", "G1"),
        ("goodsDesc", "冷饮"),
        ("industryCode", "2522"),
        ("industryName", "其他"),
        ("txDistrictCode", "0021"),
        ("summary", "售货机"),
        ("respUrl", "https://pay.example.com/yst/notify"),
        ("extendParams", "machine-7"),
    ] {
        assert_eq!(fields[name], text, "{name}");
    }
}

#[test]
fn a_payment_is_split_from_inside_and_a_refund_takes_the_parts_back() {
    let config = Config { split: rule(), ..config() };
    let fields = fields_of(config.clone(), &show());
    let parts = json!([
        { "signNum": "LANDLORD", "amount": 35, "remark": "场地" }, { "signNum": "BRAND", "amount": 20 },
    ]);
    assert_eq!(fields["sepDetail"], parts);
    let back = fields_of(config.clone(), &Request::Refund(refund()));
    let parts = json!([
        { "signNum": "LANDLORD", "amount": 10, "remark": "场地" }, { "signNum": "BRAND", "amount": 5 },
    ]);
    assert_eq!(back["refundDetail"], json!([{ "signNum": "OPERATOR001", "orderAmount": 100, "sepDetail": parts }]));
    let guaranteed = Config { trade: TradeKind::Guaranteed, ..config };
    let list = fields_of(guaranteed, &confirm())["receiverList"].clone();
    assert_eq!(list[0]["amount"], 350);
    assert_eq!(list[0]["sepDetail"][0], json!({ "signNum": "LANDLORD", "amount": 35, "remark": "场地" }));
}

/// Before the confirmation the money is in the guarantee account; after it the payee has it, and the parties their parts.
#[test]
fn a_guaranteed_payment_comes_back_from_the_payee_once_it_was_confirmed() {
    let guaranteed = Config { trade: TradeKind::Guaranteed, ..config() };
    let back = |config: &Config, confirmed| {
        fields_of(config.clone(), &Request::Refund(RefundOrder { confirmed, ..refund() }))["refundDetail"].clone()
    };
    assert_eq!(back(&guaranteed, None), Value::Null);
    let whole = json!([{ "signNum": "OPERATOR001", "orderAmount": 100 }]);
    assert_eq!(back(&guaranteed, Some(Fen::new(350))), whole);
    // Of 200 that were confirmed the parties got 20 and 20, and half goes back.
    let split = Config { split: rule(), ..guaranteed };
    let parts = json!([
        { "signNum": "LANDLORD", "amount": 10, "remark": "场地" }, { "signNum": "BRAND", "amount": 10 },
    ]);
    let half = json!([{ "signNum": "OPERATOR001", "orderAmount": 100, "sepDetail": parts }]);
    assert_eq!(back(&split, Some(Fen::new(200))), half);
    assert_eq!(back(&split, None), Value::Null);
}

#[test]
fn a_refund_names_the_payment_by_the_number_that_is_known() {
    let fields = fields_of(config(), &Request::Refund(refund()));
    let expected = json!({
        "reqTraceNum": refund_id().as_str(), "orderAmount": 100, "orgRespTraceNum": TRADE_NO, "reason": "缺货",
    });
    assert_eq!(fields, expected);
    let unknown = RefundOrder { trade: taken(), ..refund() };
    let fields = fields_of(config(), &Request::Refund(unknown));
    assert_eq!(fields["orgReqTraceNum"], attempt().as_str());
    assert_eq!(fields["orgTransDate"], "20260529");
    assert!(fields.get("orgRespTraceNum").is_none());
}

#[test]
fn the_day_of_an_order_is_chinas_and_stays_the_same() {
    // 2026-05-28 23:59:59.999 in China, and a millisecond later.
    for (ms, day) in [(1_779_983_999_999, "20260528"), (1_779_984_000_000, "20260529")] {
        let begun = Wall { ms, trusted: true };
        let days_later = Wall { ms: ms + 3 * 86_400_000, trusted: true };
        let yst = yst();
        let at = |request: &Request| sent(&yst.encode(request, days_later, ENTROPY));
        let offer = Offer { begun, ..offer() };
        let trade = Trade { begun, ..shown() };
        // Paid on 2026-05-19 in China, long before it was refunded or confirmed.
        let paid = Trade { begun: Wall { ms: 1_779_200_000_000, trusted: true }, ..taken() };
        let refund = RefundOrder { begun, trade: paid.clone(), ..refund() };
        let duty = Duty { delivered: begun, trade: paid, ..duty(DutyKind::ConfirmGuarantee) };
        let makes = [Request::ShowCode(offer.clone()), Request::Refund(refund.clone()), Request::Duty(duty.clone())];
        for request in &makes {
            assert_eq!(at(request).0["transDate"], day, "{request:?}");
        }
        for request in &makes[1..] {
            assert_eq!(at(request).1["orgTransDate"], "20260519", "{request:?}");
        }
        for request in [Request::Query(trade.clone()), Request::Close(trade), Request::RefundQuery(refund)] {
            let (envelope, fields) = at(&request);
            assert_eq!(fields["oriTransDate"], day, "{request:?}");
            assert_ne!(envelope["transDate"], day, "a question is of today: {request:?}");
        }
        yst.memory.confirm_next(attempt(), super::super::memory::Step::Ask);
        assert_eq!(at(&Request::Duty(duty)).1["oriTransDate"], day);
    }
}

#[test]
fn what_was_begun_before_the_machine_knew_the_time_is_of_the_day_of_its_payment_at_every_call() {
    let unknown = Wall { ms: 0, trusted: false };
    let refund = RefundOrder { begun: unknown, ..refund() };
    let confirm = Duty { delivered: unknown, ..duty(DutyKind::ConfirmGuarantee) };
    for (days, of) in [(0, refund.trade.begun), (3, refund.trade.begun)] {
        let wall = Wall { ms: of.ms + days * 86_400_000, trusted: true };
        let day = china(of).strftime("%Y%m%d").to_string();
        for request in [Request::Refund(refund.clone()), Request::Duty(confirm.clone())] {
            assert_eq!(sent(&yst().encode(&request, wall, ENTROPY)).0["transDate"], day.as_str(), "{request:?}");
        }
        let asked = sent(&yst().encode(&Request::RefundQuery(refund.clone()), wall, ENTROPY)).1;
        assert_eq!(asked["oriTransDate"], day.as_str());
    }
}

#[test]
fn the_same_request_again_is_the_same_order() {
    let (yst, later) = (yst(), Wall { ms: NIGHT.ms + 61_000, trusted: true });
    for request in [show(), take(), Request::Refund(refund()), confirm()] {
        let (first, again) = (yst.encode(&request, NIGHT, ENTROPY), yst.encode(&request, later, [8; 32]));
        let order = |request: &HttpRequest| {
            let (envelope, fields) = sent(request);
            (envelope["transCode"].clone(), envelope["transDate"].clone(), fields)
        };
        assert_eq!(order(&first), order(&again));
        assert_eq!(sent(&again).0["transTime"], "042741", "a clock that is checked sees the time of sending");
        assert_ne!(first.body, again.body, "another entropy, another signature");
    }
}

#[test]
fn a_subject_loses_what_would_break_a_statement() {
    for (subject, name) in [("可|乐\n", "可乐"), ("", attempt().as_str()), ("||", attempt().as_str())] {
        let request = Request::ShowCode(Offer { subject: subject.into(), ..offer() });
        assert_eq!(fields_of(config(), &request)["goodsName"], name);
    }
}

#[test]
fn harmless_questions_name_no_money() {
    let (envelope, fields) = sent(&yst().encode(&Request::Probe, NIGHT, ENTROPY));
    assert_eq!(envelope["transCode"], "3001");
    assert_eq!(fields, json!({ "reqTraceNum": "TILLPROBE", "oriTransDate": "20260529" }));
    let report = Request::Duty(duty(DutyKind::ReportDelivery));
    assert_eq!(code_of(&yst(), &report), "3001");
}

#[test]
fn the_machine_is_filed_by_its_number() {
    let (serial, address, state) = (Some("SN1".into()), Some("上海市1号".into()), Some("00".into()));
    let terminal = Terminal { serial, address, state, ..config().terminal };
    let yst = Yst::new(Config { terminal, orgid: Some("990000000000009".into()), ..config() }).unwrap();
    for (filing, operation) in
        [(Filing::Add, "00"), (Filing::Change, "01"), (Filing::Cancel, "02"), (Filing::Ask, "03")]
    {
        let request = yst.terminal_request(filing, NIGHT, ENTROPY);
        assert!(request.url.ends_with("/tm/handle"));
        let expected = json!({
            "orgId": "990000000000009", "cusId": "990000000000001", "termNo": "00000001", "operation": operation,
            "deviceType": "10", "termSn": "SN1", "termState": "00", "termAddress": "上海市1号",
        });
        assert_eq!(sent(&request).1, expected);
    }
}

#[test]
fn nothing_printed_holds_a_key_or_a_pay_code() {
    let secret_key = Some(Secret::new("00112233445566778899aabbccddeeff".to_owned()));
    let yst = Yst::new(Config { secret_key, ..config() }).unwrap();
    let request = yst.encode(&take(), NIGHT, ENTROPY);
    let printed = format!("{yst:?} {request:?} {:?}", take());
    let private = text("/sm2_keys/yst2_merchant_sm2/private_pkcs8_base64");
    for secret in [private.as_str(), "00112233445566778899aabbccddeeff", "285000000000000017"] {
        assert!(!printed.contains(secret), "{secret} is printed");
    }
    assert_eq!(yst.sealed_field("6222020202025211").unwrap().len(), 64);
}
