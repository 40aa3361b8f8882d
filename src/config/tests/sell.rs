//! `[sell] channels` and `show`, `[[route]]`, `[refunds]` and `[instalments]`.

use payment::channel::route::RouteRow;
use payment::channel::{ChannelId, Instalment, Wallet};
use payment::instalment::Split;

use super::channels::{VSP, WECHAT, YST, with_keys};
use super::*;

fn all() -> String {
    format!("{SOUND}{WECHAT}{VSP}{YST}")
}

const DAY_MS: u64 = 86_400_000;

/// Whose codes stand on the screen.
fn shown(checked: &Checked) -> Vec<Option<Wallet>> {
    checked.settings.shows.iter().map(|code| code.wallet).collect()
}

fn sell(lines: &str) -> String {
    format!("{}[sell]\n{lines}\n", all())
}

#[test]
fn one_channel_is_the_order_and_shows_its_wallet() {
    let checked = Bench::new().load(SOUND, BOARD).expect("sound");
    assert_eq!(checked.settings.channels, [ChannelId::Alipay]);
    assert_eq!(shown(&checked), [Some(Wallet::Alipay)]);
    let usual = payment::channel::route::Routes::default_for(&[ChannelId::Alipay]);
    assert!(checked.settings.routes == usual && checked.settings.instalments.is_none());
}

#[test]
fn channels_are_preferred_as_the_list_says_and_else_as_they_are_known() {
    let bench = with_keys();
    use ChannelId::{Alipay, AllinpayVsp, AllinpayYst, Wechat};
    for (line, order) in [
        ("", vec![Alipay, Wechat, AllinpayVsp, AllinpayYst]),
        (
            "channels = [\"allinpay_vsp\", \"wechat\", \"allinpay_yst\", \"alipay\"]",
            vec![AllinpayVsp, Wechat, AllinpayYst, Alipay],
        ),
    ] {
        let checked = bench.load(&sell(line), BOARD).unwrap_or_else(|report| panic!("{report}"));
        assert_eq!(checked.settings.channels, order);
        let held: Vec<ChannelId> = checked.channels.iter().map(|channel| channel.adapter.id()).collect();
        assert_eq!(held, order);
        assert!(checked.warnings.is_empty(), "{}", checked.warnings);
    }
}

#[test]
fn a_channel_that_is_left_out_still_settles_what_is_open_there() {
    let bench = with_keys();
    let checked = bench.load(&format!("{SOUND}{WECHAT}[sell]\nchannels = [\"wechat\"]\n"), BOARD).expect("sound");
    assert_eq!(checked.settings.channels, [ChannelId::Wechat]);
    assert_eq!(checked.channels.len(), 2, "what it took before could not be refunded");
    assert_eq!(keys_of(&checked.warnings, Severity::Warning), ["sell.channels"]);
}

#[test]
fn a_list_of_channels_that_cannot_be_is_refused() {
    let bench = Bench::new();
    for line in [
        "channels = []",
        "channels = [\"alipay\", \"alipay\"]",
        "channels = [\"alipay\", \"wechat\"]",
        "channels = [\"alipai\"]",
        "channels = [\"voucher\"]",
    ] {
        let errors = bench.errors(&format!("{SOUND}[sell]\n{line}\n"));
        assert!(errors.iter().all(|key| key == "sell.channels"), "{line}: {errors:?}");
    }
}

/// YunST takes pay codes of every wallet, and makes no code for all and none of the digital yuan.
#[test]
fn yunst_shows_only_codes_that_it_has_a_mode_for() {
    let bench = with_keys();
    let channels = |more: &str, show: &str| {
        let config = format!("{SOUND}{VSP}{YST}{more}[sell]\nshow = [\"{show}\"]\n");
        let checked = bench.load(&config, BOARD).unwrap_or_else(|report| panic!("{report}"));
        checked.settings.shows[0].channels.clone()
    };
    use ChannelId::{Alipay, AllinpayVsp, AllinpayYst};
    assert_eq!(channels("", "any"), [AllinpayVsp]);
    assert_eq!(channels("", "ecny"), [AllinpayVsp]);
    assert_eq!(channels("mode_ecny = \"SCAN_ECNY\"\n", "ecny"), [AllinpayVsp, AllinpayYst]);
    assert_eq!(channels("", "alipay"), [Alipay, AllinpayVsp, AllinpayYst]);
    let alone = format!("{YST}{SOUND}[sell]\n");
    for line in ["show = [\"ecny\"]", "show = [\"any\"]"] {
        let report = bench.load(&format!("{alone}{line}\n"), BOARD).expect_err(line);
        assert_eq!(keys_of(&report, Severity::Error), ["sell.show"], "{line}: {report}");
    }
    let named = alone.replace("[channels.allinpay_yst]\n", "[channels.allinpay_yst]\nmode_ecny = \"SCAN_ECNY\"\n");
    assert!(bench.load(&format!("{named}show = [\"ecny\"]\n"), BOARD).is_ok());
}

#[test]
fn one_wallet_two_or_one_code_for_all_are_shown() {
    use Wallet::{Alipay, UnionPay, Wechat};
    let bench = with_keys();
    for (line, show) in [
        ("", vec![Some(Alipay), Some(Wechat)]),
        ("channels = [\"wechat\", \"alipay\"]", vec![Some(Wechat), Some(Alipay)]),
        ("channels = [\"allinpay_vsp\"]", vec![None]),
        ("show = [\"union_pay\"]", vec![Some(UnionPay)]),
        ("show = [\"wechat\", \"alipay\"]", vec![Some(Wechat), Some(Alipay)]),
        ("show = [\"any\"]", vec![None]),
    ] {
        let checked = bench.load(&sell(line), BOARD).unwrap_or_else(|report| panic!("{line}: {report}"));
        assert_eq!(shown(&checked), show, "{line}");
    }
    for line in [
        "show = []",
        "show = [\"alipay\", \"wechat\", \"union_pay\"]",
        "show = [\"alipay\", \"alipay\"]",
        "show = [\"alipay\", \"any\"]",
        "show = [\"paypal\"]",
    ] {
        let errors = bench.errors(&sell(line));
        assert!(errors.iter().all(|key| key == "sell.show"), "{line}: {errors:?}");
    }
    for line in ["show = [\"wechat\"]", "show = [\"any\"]"] {
        assert_eq!(bench.errors(&format!("{SOUND}[sell]\n{line}\n")), ["sell.show"], "{line}: nobody can show it");
    }
}

#[test]
fn pay_codes_are_routed_by_rows_in_front_of_the_built_in_table() {
    let bench = with_keys();
    let row = |lines: &str| format!("{}[[route]]\n{lines}\n", all());
    let usual = "wallet = \"union_pay\"\nfirst = [\"62\"]\nlength_min = 19\n";
    let checked = bench.load(&row(usual), BOARD).unwrap_or_else(|report| panic!("{report}"));
    let route = RouteRow {
        wallet: Wallet::UnionPay,
        first: vec!["62".to_owned()],
        length: 19..=19,
        letters: false,
        channels: vec![ChannelId::AllinpayVsp, ChannelId::AllinpayYst],
    };
    assert_eq!(checked.settings.routes.rows()[0], route);
    let more = format!("{usual}length_max = 24\nletters = true\nchannels = [\"allinpay_yst\"]\n");
    let checked = bench.load(&row(&more), BOARD).unwrap_or_else(|report| panic!("{report}"));
    let channels = vec![ChannelId::AllinpayYst];
    let longer = RouteRow { length: 19..=24, letters: true, channels, ..route.clone() };
    assert_eq!(checked.settings.routes.rows()[0], longer);
    let none = bench.load(&row(&format!("{usual}channels = []\n")), BOARD).expect("known, and not taken");
    assert_eq!(none.settings.routes.rows()[0], RouteRow { channels: Vec::new(), ..route });
}

#[test]
fn a_row_that_fits_everything_or_bank_cards_is_refused_at_its_key() {
    let bench = with_keys();
    let row = |wallet: &str, first: &str, rest: &str| {
        format!("{}[[route]]\nwallet = \"{wallet}\"\nfirst = {first}\n{rest}\n", all())
    };
    for (config, key) in [
        (row("union_pay", "[\"62\"]", "length_min = 16"), "route[0].first"),
        (row("alipay", "[]", "length_min = 18"), "route[0].first"),
        (row("alipay", "[\"\"]", "length_min = 18"), "route[0].first"),
        (row("alipay", "[\"fp\"]", "length_min = 35"), "route[0].first"),
        (row("alipay", "[\"28\"]", "length_min = 13"), "route[0].length_min"),
        (row("alipay", "[\"28\"]", "length_min = 20\nlength_max = 19"), "route[0].length_max"),
        (row("alipay", "[\"28\"]", "length_min = 18\nchannels = [\"wechat\"]"), "route[0].channels"),
        (row("alipai", "[\"28\"]", "length_min = 18"), "route[0].wallet"),
        (row("alipay", "[\"28\"]", ""), "route[0].length_min"),
    ] {
        assert_eq!(bench.errors(&config), [key], "{config}");
    }
}

#[test]
fn refunds_have_windows_and_may_need_a_second_person() {
    let bench = Bench::new();
    let refunds = |lines: &str| format!("{SOUND}[refunds]\n{lines}\n");
    let checked = bench.load(SOUND, BOARD).expect("sound");
    let refunds_of = |checked: Checked| checked.settings.refunds;
    let usual = refunds_of(checked);
    assert_eq!((usual.approval_above, usual.windows_ms[&ChannelId::Alipay]), (None, 365 * DAY_MS));
    assert_eq!(usual.instalment_window_ms, Some(15 * DAY_MS), "the operator's guide");
    let lines = "approval_above = \"0.00\"\nwindow_days = 15\nalipay_days = 7";
    let checked = bench.load(&refunds(lines), BOARD).expect("sound");
    let ours = refunds_of(checked);
    assert_eq!(ours.approval_above, Some(Fen::ZERO));
    let windows = (ours.windows_ms[&ChannelId::Alipay], ours.windows_ms[&ChannelId::AllinpayYst]);
    assert_eq!(windows, (7 * DAY_MS, 15 * DAY_MS), "the shorter one counts");
    for line in ["window_days = 0", "wechat_days = 1096", "approval_above = \"-0.01\""] {
        let key = format!("refunds.{}", line.split(' ').next().expect("a key"));
        assert_eq!(bench.errors(&refunds(line)), [key]);
    }
}

#[test]
fn instalments_have_a_rate_for_each_number_of_months() {
    let bench = with_keys();
    let offered = "[instalments]\nminimum = \"300.00\"\n[[instalments.plan]]\nperiods = 3\nrate = \"2.3%\"\n\
                 [[instalments.plan]]\nperiods = 12\nbearer = \"seller\"\nrate = \"7.5%\"\n";
    let checked = bench.load(&format!("{SOUND}{offered}"), BOARD).unwrap_or_else(|report| panic!("{report}"));
    let terms = checked.settings.instalments.expect("on");
    let choices = |fen| terms.choices(Split::whole(Fen::new(fen)).expect("an amount"));
    assert!(choices(29_999).is_empty() && choices(30_000).len() == 2, "from 300 yuan");
    let plans: Vec<_> = choices(100_000).iter().map(|plan| (plan.instalment(), plan.fee.get())).collect();
    let plan = |periods, seller_percent| Instalment { periods, seller_percent };
    assert_eq!(plans, [(plan(3, 0), 2_300), (plan(12, 100), 7_500)]);
    let row = |lines: &str| format!("{SOUND}[instalments]\n[[instalments.plan]]\n{lines}\n");
    for (config, keys) in [
        (format!("{SOUND}[instalments]\n"), vec!["instalments.plan"]),
        (row("periods = 1\nrate = \"2.3%\""), vec!["instalments.plan[0].periods"]),
        (row("periods = 3\nrate = \"2.3\""), vec!["instalments.plan[0].rate"]),
        (row("periods = 3"), vec!["instalments.plan[0].rate"]),
        (format!("{SOUND}{offered}[[instalments.plan]]\nperiods = 3\nrate = \"1%\"\n"), vec!["instalments.plan[2]"]),
    ] {
        assert_eq!(bench.errors(&config), keys, "{config}");
    }
    for (ways, blamed) in [
        ("enable_pay_channels = [\"balance\", \"moneyFund\"]", "channels.alipay.enable_pay_channels"),
        ("disable_pay_channels = [\"pcreditpayInstallment\"]", "channels.alipay.disable_pay_channels"),
    ] {
        let config = format!("{SOUND}{ways}\n");
        assert!(bench.load(&config, BOARD).is_ok(), "{ways}");
        assert_eq!(bench.errors(&format!("{config}{offered}")), [blamed], "plans that nobody could pay: {ways}");
    }
    let lends = format!("{SOUND}enable_pay_channels = [\"balance\", \"pcredit\"]\n{offered}");
    assert!(bench.load(&lends, BOARD).is_ok());
    let alone = SOUND.split("[channels.alipay]").next().expect("the rest");
    assert_eq!(bench.errors(&format!("{alone}{WECHAT}{offered}")), ["instalments"], "WeChat has none");
}

#[test]
fn a_slot_locks_at_its_second_failure_if_nothing_is_said_and_else_as_it_is_said() {
    let bench = with_keys();
    assert_eq!(bench.load(&sell(""), BOARD).expect("sound").settings.lock_slot_after, 2);
    for (line, after) in [
        ("lock_slot_after = 1", Some(1)),
        ("lock_slot_after = 10", Some(10)),
        ("lock_slot_after = 0", None),
        ("lock_slot_after = 11", None),
    ] {
        match (bench.load(&sell(line), BOARD), after) {
            (Ok(checked), Some(after)) => assert_eq!(checked.settings.lock_slot_after, after),
            (Err(report), None) => assert_eq!(keys_of(&report, Severity::Error), ["sell.lock_slot_after"]),
            (loaded, _) => panic!("{line}: {:?}", loaded.map(|_| ())),
        }
    }
}

#[test]
fn a_slot_holds_what_its_product_says_and_without_a_word_nobody_knows() {
    let bench = Bench::new();
    let sound = bench.load(SOUND, BOARD).expect("sound");
    assert!(sound.settings.capacities.is_empty());
    let (slot, _) = sound.settings.products.first_key_value().expect("a product");
    let first = SOUND.find("[[product]]").expect("a product") + "[[product]]".len();
    let with = |capacity: &str| format!("{}\ncapacity = {capacity}{}", &SOUND[..first], &SOUND[first..]);
    let checked = bench.load(&with("8"), BOARD).unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(checked.settings.capacities.get(slot), Some(&8));
    for odd in ["0", "10000"] {
        let report = bench.load(&with(odd), BOARD).expect_err("no slot holds that");
        assert_eq!(keys_of(&report, Severity::Error), ["product[0].capacity"]);
    }
}
