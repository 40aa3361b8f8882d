//! Settings, the wrong ones above all, and the arithmetic of splits.

use rust_decimal::Decimal;

use super::super::setup::SetupError;
use super::super::sm4;
use super::super::split::{Share, SplitError, SplitPart, given_back, parts};
use super::*;
use crate::channel::allinpay::sm2::KeyError;

fn refused(change: impl FnOnce(&mut Config)) -> SetupError {
    let mut config = config();
    change(&mut config);
    Yst::new(config).unwrap_err()
}

fn part(sign_num: &str, share: Share) -> SplitPart {
    SplitPart { sign_num: sign_num.into(), share, remark: None }
}

fn rate(text: &str) -> Share {
    Share::Rate(text.parse().unwrap())
}

#[test]
fn a_good_set_up_is_taken_with_either_shape_of_key() {
    for shape in ["private_pkcs8_base64", "private_pkcs8_with_curve_parameters_base64"] {
        let private_key = Secret::new(text(&format!("/sm2_keys/yst2_merchant_sm2/{shape}")));
        assert!(Yst::new(Config { private_key, ..config() }).is_ok(), "{shape}");
    }
}

#[test]
fn a_wrong_setting_is_named() {
    for url in ["", "ibsapi.allinpay.com", "https://", "https:///x", "https://x?y", "https://x/", "https://x y"] {
        assert_eq!(refused(|c| c.base_url = url.into()), SetupError::BaseUrl(url.into()));
    }
    let number = |error: SetupError| {
        let SetupError::Number { name, .. } = error else { panic!("{error}") };
        name
    };
    assert_eq!(number(refused(|c| c.app_id = "2000".into())), "app_id");
    assert_eq!(number(refused(|c| c.sp_app_id = Some("x".into()))), "sp_app_id");
    assert_eq!(number(refused(|c| c.cusid = "99000000000000".into())), "cusid");
    assert_eq!(number(refused(|c| c.orgid = Some(String::new()))), "orgid");
    assert_eq!(number(refused(|c| c.terminal.device_type = "1".into())), "terminal.device_type");
    let field = |error: SetupError| {
        let SetupError::Field { name, .. } = error else { panic!("{error}") };
        name
    };
    assert_eq!(field(refused(|c| c.receiver = String::new())), "receiver");
    assert_eq!(field(refused(|c| c.extend_params = Some("a|b".into()))), "extend_params");
    assert_eq!(field(refused(|c| c.notify_url = Some("https://x\n".into()))), "notify_url");
    for url in ["ftp://x", "https://x#y", "https://x y"] {
        assert_eq!(refused(|c| c.notify_url = Some(url.into())), SetupError::NotifyUrl(url.into()));
    }
    assert_eq!(field(refused(|c| c.terminal.number = "123456789".into())), "terminal.number");
    assert_eq!(field(refused(|c| c.goods.summary = Some(" ".into()))), "goods.summary");
    assert_eq!(field(refused(|c| c.modes.taken = "CODE PAY".into())), "modes");
}

#[test]
fn a_wrong_key_is_named() {
    let ours = text("/sm2_keys/yst2_merchant_sm2/public_spki_base64");
    assert_eq!(refused(|c| c.allinpay_key = ours), SetupError::AllinpayKeyIsOurs);
    let theirs = text("/sm2_keys/yst2_platform_sm2/public_spki_base64");
    let error = refused(|c| c.private_key = Secret::new(theirs));
    assert!(matches!(error, SetupError::PrivateKey(KeyError::WrongKind { .. })), "{error}");
    assert!(matches!(refused(|c| c.allinpay_key = "x".into()), SetupError::AllinpayKey(_)));
    let short = refused(|c| c.secret_key = Some(Secret::new("0011".into())));
    assert_eq!(short, SetupError::SecretKey(sm4::NotAKey));
}

#[test]
fn a_code_has_one_meaning_and_fixed_ones_keep_theirs() {
    let rule = |code: &str| CodeRule { code: code.into(), meaning: Meaning::NoOrder };
    for codes in [vec![rule("00000")], vec![rule("66666")], vec![rule("")], vec![rule("1"), rule("1")]] {
        let last = codes.last().unwrap().code.clone();
        assert_eq!(refused(|c| c.codes = codes), SetupError::Code(last));
    }
}

#[test]
fn a_split_rule_that_cannot_hold_is_refused() {
    let split = |rule: Vec<SplitPart>| {
        let error = refused(|c| c.split = rule);
        let SetupError::Split(error) = error else { panic!("{error}") };
        error
    };
    for share in [Share::Amount(Fen::ZERO), Share::Amount(Fen::new(-1)), rate("0"), rate("-0.1"), rate("1.01")] {
        assert_eq!(split(vec![part("A", share)]), SplitError::Share("A".into()));
    }
    assert_eq!(split(vec![part("A", rate("0.6")), part("B", rate("0.5"))]), SplitError::RatesAboveOne);
    assert_eq!(split(vec![part("A", rate("0.1")), part("A", rate("0.1"))]), SplitError::Twice("A".into()));
    assert_eq!(split(vec![part("OPERATOR001", rate("0.1"))]), SplitError::Twice("OPERATOR001".into()));
}

#[test]
fn parts_are_rounded_down_and_never_exceed_the_payment() {
    let rule = [part("A", rate("0.333")), part("B", Share::Amount(Fen::new(40))), part("C", rate("0.6"))];
    for (amount, expected) in [
        (1000, vec![("A", 333), ("B", 40), ("C", 600)]),
        (100, vec![("A", 33), ("B", 40), ("C", 27)]),
        (50, vec![("A", 16), ("B", 34)]),
        (1, vec![("B", 1)]),
        (0, vec![]),
    ] {
        let got = parts(&rule, Fen::new(amount));
        let told: Vec<(&str, i64)> = got.iter().map(|part| (part.sign_num, part.amount.get())).collect();
        assert_eq!(told, expected, "{amount}");
        assert!(got.iter().map(|part| part.amount).sum::<Fen>() <= Fen::new(amount));
    }
    assert_eq!(parts(&[part("A", Share::Rate(Decimal::ONE))], Fen::new(i64::MAX))[0].amount, Fen::new(i64::MAX));
}

#[test]
fn nobody_gives_back_more_than_he_got_however_often_it_is_asked() {
    let rule = [part("A", rate("0.1")), part("B", Share::Amount(Fen::new(20)))];
    let of = |list: &[super::super::split::Part<'_>], name: &str| {
        list.iter().find(|part| part.sign_num == name).map_or(0, |part| part.amount.get())
    };
    for total in [1, 7, 100, 333, 350, 999] {
        let got = parts(&rule, Fen::new(total));
        let whole = given_back(&rule, Fen::new(total), Fen::new(total));
        assert_eq!(whole, got, "a whole refund takes everything back");
        for step in [1, 3, 50] {
            for name in ["A", "B"] {
                let steps = total / step;
                let back = of(&given_back(&rule, Fen::new(total), Fen::new(step)), name) * steps;
                assert!(back <= of(&got, name), "{name}: {steps} refunds of {step} out of {total}");
            }
        }
    }
}
