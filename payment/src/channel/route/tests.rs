//! Whose a scanned line is: every row of the table, and what must not pass for a pay code.

use super::*;

const ALL: [ChannelId; 4] = [ChannelId::Alipay, ChannelId::Wechat, ChannelId::AllinpayVsp, ChannelId::AllinpayYst];
const BOTH_ALLINPAY: [ChannelId; 2] = [ChannelId::AllinpayVsp, ChannelId::AllinpayYst];
/// 19 digits from 62 whose check digit holds, and one whose does not.
const CARD_LIKE: &str = "6200000000000000000";
const NOT_CARD_LIKE: &str = "6200000000000000001";

fn code(first: &str, length: usize) -> String {
    format!("{first:0<length$}")
}

fn taken(wallet: Wallet, channels: &[ChannelId], code: &str) -> Route {
    Route::Wallet { wallet, channels: channels.to_vec(), code: PayCode::new(code) }
}

fn refusing_cards() -> Routes {
    Routes::new(&ALL, RouteSettings { refuse_card_shaped: true, ..RouteSettings::default() }).unwrap()
}

fn row(wallet: Wallet, first: &str, length: RangeInclusive<usize>, channels: &[ChannelId]) -> RouteRow {
    RouteRow { wallet, first: vec![first.to_owned()], length, letters: false, channels: channels.to_vec() }
}

fn with_row(row: RouteRow) -> Result<Routes, RouteProblem> {
    Routes::new(&ALL, RouteSettings { rows: vec![row], ..RouteSettings::default() })
}

/// Every wallet of the table, and for each channel alone whether it takes it.
#[test]
fn every_wallet_is_told_by_first_digits_and_length_and_goes_to_who_takes_it() {
    use ChannelId::{AllinpayVsp, AllinpayYst};
    for (first, lengths, wallet, own) in [
        (&["25", "26", "27", "28", "29", "30"][..], 16..=24, Wallet::Alipay, Some(ChannelId::Alipay)),
        (&["10", "11", "12", "13", "14", "15"], 18..=18, Wallet::Wechat, Some(ChannelId::Wechat)),
        (&["62"], 19..=19, Wallet::UnionPay, None),
        (&["01"], 19..=19, Wallet::Ecny, None),
    ] {
        let expected: Vec<_> = own.into_iter().chain(BOTH_ALLINPAY).collect();
        for (first, length) in first.iter().flat_map(|first| lengths.clone().map(move |length| (first, length))) {
            let text = code(first, length);
            assert_eq!(Routes::default_for(&ALL).route(&text), taken(wallet, &expected, &text), "{first} {length}");
            for alone in ALL {
                let route = Routes::default_for(&[alone]).route(&text);
                let takes = own == Some(alone) || [AllinpayVsp, AllinpayYst].contains(&alone);
                let other = Route::KnownElsewhere(title(wallet));
                assert_eq!(route, if takes { taken(wallet, &[alone], &text) } else { other });
            }
        }
        for (first, length) in first.iter().flat_map(|first| [(first, lengths.start() - 1), (first, lengths.end() + 1)])
        {
            let route = Routes::default_for(&ALL).route(&code(first, length));
            assert!(matches!(route, Route::NotAPayCode | Route::CardNumber), "{first} of {length}");
        }
    }
}

#[test]
fn wallets_of_nobody_here_are_told_by_name() {
    for (first, name) in [("91", "QQ Wallet"), ("18", "JD Pay")] {
        assert_eq!(Routes::default_for(&ALL).route(&code(first, 18)), Route::KnownElsewhere(name));
        for length in [17, 19] {
            assert_eq!(Routes::default_for(&ALL).route(&code(first, length)), Route::NotAPayCode);
        }
    }
    assert_eq!(Routes::default_for(&[]).route(&code("28", 18)), Route::KnownElsewhere("Alipay"));
    assert_eq!(Routes::default_for(&[ChannelId::Voucher]).route(&code("13", 18)), Route::KnownElsewhere("WeChat Pay"));
}

#[test]
fn the_order_of_the_channels_is_the_preference() {
    let channels = [ChannelId::AllinpayYst, ChannelId::Voucher, ChannelId::Wechat, ChannelId::AllinpayVsp];
    let text = code("13", 18);
    let expected = [ChannelId::AllinpayYst, ChannelId::Wechat, ChannelId::AllinpayVsp];
    assert_eq!(Routes::default_for(&channels).route(&text), taken(Wallet::Wechat, &expected, &text));
}

#[test]
fn a_face_code_is_alipays_alone_and_only_whole() {
    let face = code("fp", 35);
    let routes = Routes::default_for(&ALL);
    assert_eq!(routes.route(&face), taken(Wallet::Alipay, &[ChannelId::Alipay], &face));
    assert_eq!(Routes::default_for(&BOTH_ALLINPAY).route(&face), Route::KnownElsewhere("Alipay"));
    for not in [code("fp", 34), code("fp", 36), code("FP", 35), format!("{}-", code("fp", 34))] {
        assert_eq!(routes.route(&not), Route::NotAPayCode);
    }
}

#[test]
fn sixteen_to_eighteen_digits_from_62_are_a_card_whoever_reads_them() {
    for length in 16..=18 {
        for routes in [Routes::default_for(&ALL), refusing_cards()] {
            assert_eq!(routes.route(&code("62", length)), Route::CardNumber, "{length}");
            assert_eq!(routes.route_keyed(&code("62", length)), Route::CardNumber, "{length}");
        }
    }
    for not in [code("62", 15), code("62", 20), format!("{}x", code("62", 17))] {
        assert_eq!(Routes::default_for(&ALL).route(&not), Route::NotAPayCode, "{not}");
    }
}

#[test]
fn nineteen_digits_from_62_are_a_pay_code_unless_the_setting_doubts_it() {
    let own = Routes::default_for(&ALL);
    for text in [CARD_LIKE, NOT_CARD_LIKE] {
        assert_eq!(own.route(text), taken(Wallet::UnionPay, &BOTH_ALLINPAY, text));
        assert_eq!(own.route_keyed(text), taken(Wallet::UnionPay, &BOTH_ALLINPAY, text));
        assert_eq!(refusing_cards().route_keyed(text), Route::CardNumber);
    }
    assert_eq!(refusing_cards().route(CARD_LIKE), Route::CardNumber);
    assert_eq!(refusing_cards().route(NOT_CARD_LIKE), taken(Wallet::UnionPay, &BOTH_ALLINPAY, NOT_CARD_LIKE));
}

#[test]
fn a_mastercard_among_alipays_first_digits_is_doubted_by_the_same_setting() {
    let alipay = |text| taken(Wallet::Alipay, &[&[ChannelId::Alipay][..], &BOTH_ALLINPAY].concat(), text);
    let (holds, holds_not, outside) = ("2720000000000005", "2720000000000006", "2721000000000004");
    assert!(luhn_holds(holds) && !luhn_holds(holds_not) && luhn_holds(outside));
    assert_eq!(Routes::default_for(&ALL).route(holds), alipay(holds));
    assert_eq!(refusing_cards().route(holds), Route::CardNumber);
    assert_eq!(refusing_cards().route(holds_not), alipay(holds_not));
    assert_eq!(refusing_cards().route_keyed(outside), alipay(outside));
    let usual = code("28", 18);
    assert_eq!(refusing_cards().route_keyed(&usual), alipay(&usual));
}

#[test]
fn the_check_digit_is_that_of_iso_7812() {
    for good in ["79927398713", "4111111111111111", "5555555555554444", "0", CARD_LIKE] {
        assert!(luhn_holds(good), "{good}");
    }
    for bad in ["79927398710", "79927398714", "4111111111111112", "1", NOT_CARD_LIKE] {
        assert!(!luhn_holds(bad), "{bad}");
    }
}

#[test]
fn rows_of_the_settings_come_first() {
    let newer = with_row(row(Wallet::Wechat, "18", 18..=18, &[ChannelId::Wechat])).unwrap();
    let text = code("18", 18);
    assert_eq!(newer.route(&text), taken(Wallet::Wechat, &[ChannelId::Wechat], &text));
    let preferred = with_row(row(Wallet::Alipay, "28", 18..=18, &[ChannelId::AllinpayVsp])).unwrap();
    let text = code("28", 18);
    assert_eq!(preferred.route(&text), taken(Wallet::Alipay, &[ChannelId::AllinpayVsp], &text));
    let off = with_row(row(Wallet::Ecny, "01", 19..=19, &[])).unwrap();
    assert_eq!(off.route(&code("01", 19)), Route::KnownElsewhere("e-CNY"));
    assert_eq!(off.rows().len(), Routes::default_for(&ALL).rows().len() + 1);
}

#[test]
fn a_row_that_cannot_be_meant_is_refused() {
    use RouteProblem::{CannotTake, Card, First, Length};
    let empty = RouteRow { first: vec![], ..row(Wallet::Alipay, "31", 18..=18, &[]) };
    #[expect(clippy::reversed_empty_ranges, reason = "an operator can write it so")]
    let turned = row(Wallet::Alipay, "31", 19..=18, &[]);
    for (row, problem) in [
        (empty, First("Alipay")),
        (row(Wallet::Alipay, "", 18..=18, &[]), First("Alipay")),
        (row(Wallet::Alipay, "fp", 35..=35, &[]), First("Alipay")),
        (row(Wallet::Wechat, "１６", 18..=18, &[]), First("WeChat Pay")),
        (turned, Length("Alipay")),
        (row(Wallet::Alipay, "69", 13..=13, &[]), Length("Alipay")),
        (row(Wallet::Alipay, "31", 18..=65, &[]), Length("Alipay")),
        (row(Wallet::Alipay, &"3".repeat(18), 18..=18, &[]), Length("Alipay")),
        (row(Wallet::UnionPay, "62", 16..=19, &[]), Card("UnionPay")),
        (row(Wallet::UnionPay, "6", 18..=18, &[]), Card("UnionPay")),
        (
            row(Wallet::Wechat, "16", 18..=18, &[ChannelId::Alipay]),
            CannotTake { channel: "alipay", wallet: "WeChat Pay" },
        ),
    ] {
        assert_eq!(with_row(row), Err(problem));
    }
    let absent = RouteSettings {
        rows: vec![row(Wallet::Wechat, "16", 18..=18, &[ChannelId::Wechat])],
        ..RouteSettings::default()
    };
    assert_eq!(Routes::new(&[ChannelId::Alipay], absent), Err(RouteProblem::NotHere("wechat")));
}

#[test]
fn what_the_scanner_adds_around_is_dropped() {
    let text = code("28", 18);
    let routes = Routes::default_for(&[ChannelId::Alipay]);
    assert_eq!(routes.route(&format!(" \t{text}\r\n")), taken(Wallet::Alipay, &[ChannelId::Alipay], &text));
    assert_eq!(routes.route(&format!("\t{}\r\n", code("62", 16))), Route::CardNumber);
}

#[test]
fn a_member_code_is_told_by_its_beginning() {
    let text = "TILL1.eyJ9.AAAA";
    let routes = Routes::default_for(&ALL);
    assert_eq!(routes.route(&format!("{text}\r\n")), Route::Voucher(PayCode::new(text)));
    assert_eq!(routes.route_keyed(text), Route::Voucher(PayCode::new(text)));
    for not in ["till1.eyJ9.AAAA", "TILL2.eyJ9.AAAA", "TILL1", " 28TILL1.eyJ9.AAAA"] {
        assert_eq!(routes.route(not), Route::NotAPayCode, "{not}");
    }
}

#[test]
fn everything_else_is_no_pay_code() {
    let pay_code = code("28", 18);
    for line in [
        "",
        "\r\n",
        "6901028075831",
        "4111111111111111",
        "https://qr.alipay.com/bax00000",
        "2850000 0000000017",
        "２８５０００００００００００００１７",
        &format!("{pay_code}{pay_code}"),
        &code("31", 18),
        &code("16", 18),
        &"2".repeat(4096),
        "28\u{0}0000000000000",
        "62\u{0}00000000000000",
        "é2720000000000",
    ] {
        for routes in [Routes::default_for(&ALL), refusing_cards()] {
            assert_eq!(routes.route(line), Route::NotAPayCode, "{line:?}");
            assert_eq!(routes.route_keyed(line), Route::NotAPayCode, "{line:?}");
        }
    }
}

#[test]
fn a_routed_code_prints_as_its_outline() {
    for text in [code("28", 18), CARD_LIKE.to_owned(), code("62", 16)] {
        let printed = format!("{:?}", Routes::default_for(&ALL).route(&text));
        assert!(!printed.contains(&text), "{printed}");
    }
}
