//! Huabei instalments: the published arithmetic by its vectors and by chance, what may be offered, and the guide's tables.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use jiff::civil::{Date, date};
use payment::engine::entry::OrderState;
use payment::instalment::{
    AntNumber, Approval, Bearer, BuyerRate, GuideState, Imported, LAST_REPAYMENT_DAY, MERCHANT_REBATE, MINIMUM, Month,
    NoPlan, PERIODS, Plan, REFUND_DAYS, Rate, RateProblem, Rates, RejectedShows, STATEMENT_DAY, Screen, Split,
    SplitProblem, Standing, Store, TEXT, TEXT_ENGLISH, Tab, Terms, TermsProblem, ant_number, buyer_rate, screen, state,
    subsidy, window_is_over,
};
use payment::money::{Fen, LARGEST_ORDER};
use payment::time::Wall;
use rust_decimal::Decimal;
use serde_json::Value;

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn yuan(text: &str) -> Fen {
    text.parse().unwrap()
}

fn whole(text: &str) -> Split {
    Split::whole(yuan(text)).unwrap()
}

/// Numbers by chance, the same for the same seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn between(&mut self, least: i64, most: i64) -> i64 {
        least + i64::try_from(self.next() % u64::try_from(most - least + 1).unwrap()).unwrap()
    }
}

#[test]
fn every_vector_of_the_published_rule_holds() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/instalment.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 9, "there are vectors that this test does not know");
    for case in cases {
        let fen = |path: &str| Fen::new(case.pointer(path).and_then(Value::as_i64).unwrap());
        let periods = u8::try_from(fen("/periods").get()).unwrap();
        let share = Rate::of_share(case["rate"].as_str().unwrap().parse().unwrap()).unwrap();
        let plan = Plan::new(fen("/principal_cents"), periods, Bearer::Buyer, share).unwrap();
        assert_eq!(plan.fee, fen("/total_fee_cents"), "{case}");
        assert_eq!(plan.repaid(), fen("/total_payable_cents"), "{case}");
        let month = |at: &str| Month { principal: fen(&format!("{at}/principal")), fee: fen(&format!("{at}/fee")) };
        let other = month("/other_periods");
        assert_eq!(other, Month { principal: fen("/per_period_principal_floor"), fee: fen("/per_period_fee_floor") });
        let mut expected = vec![other; usize::from(periods)];
        expected[0] = month("/first_period");
        assert_eq!(plan.months, expected, "{case}");
    }
}

#[test]
fn the_screen_shows_what_the_buyer_pays_each_month() {
    for (loan, periods, percent, first, later) in [
        ("1000.00", 3, "2.3%", "341.02", "340.99"),
        ("6988.00", 12, "7.5%", "626.10", "626.00"),
        ("1001.00", 6, "4.5%", "174.39", "174.33"),
    ] {
        let plan = Plan::new(yuan(loan), periods, Bearer::Buyer, rate(percent)).unwrap();
        assert_eq!((plan.first_month(), plan.later_month()), (yuan(first), yuan(later)));
    }
}

#[test]
fn half_a_fen_goes_to_the_even_neighbour() {
    for (loan, fee) in [(100, 0), (300, 2), (500, 2), (700, 4), (301, 2), (299, 1)] {
        let plan = Plan::new(Fen::new(loan), 3, Bearer::Buyer, rate("0.5%")).unwrap();
        assert_eq!(plan.fee, Fen::new(fee), "{loan}");
    }
}

#[test]
fn the_months_add_up_and_the_fee_is_the_integers() {
    let mut chance = Chance(2017);
    for _ in 0..20_000 {
        let most = if chance.next().is_multiple_of(2) { 1_000_000 } else { LARGEST_ORDER.get() };
        let (loan, millionths) = (chance.between(1, most), chance.between(0, 999_999));
        let periods = u8::try_from(chance.between(2, 60)).unwrap();
        let bearer = if chance.next().is_multiple_of(2) { Bearer::Buyer } else { Bearer::Seller };
        let share = Rate::of_share(Decimal::new(millionths, 6)).unwrap();
        let plan = Plan::new(Fen::new(loan), periods, bearer, share).unwrap();
        let told = format!("{loan} fen, {periods} periods, {millionths} millionths: {plan:?}");
        assert_eq!(plan.fee.get(), integer_fee(loan, millionths), "{told}");
        check_months(&plan, &told);
    }
}

/// Half-even by whole numbers only.
fn integer_fee(loan: i64, millionths: i64) -> i64 {
    let exact = i128::from(loan) * i128::from(millionths);
    let (floor, rest) = (exact / 1_000_000, exact % 1_000_000);
    let up = rest > 500_000 || (rest == 500_000 && floor % 2 == 1);
    i64::try_from(floor + i128::from(up)).unwrap()
}

fn check_months(plan: &Plan, told: &str) {
    let sum = |part: fn(&Month) -> Fen| plan.months.iter().map(part).sum::<Fen>();
    assert_eq!(plan.months.len(), usize::from(plan.periods), "{told}");
    assert_eq!(sum(|month| month.principal), plan.loan, "{told}");
    assert_eq!(sum(|month| month.fee), plan.buyer_fee(), "{told}");
    assert_eq!(plan.repaid().get(), plan.loan.get() + plan.buyer_fee().get(), "{told}");
    assert_eq!(plan.buyer_fee().get() + plan.seller_fee().get(), plan.fee.get(), "{told}");
    assert!(plan.months.iter().all(|month| month.principal >= Fen::ZERO && month.fee >= Fen::ZERO), "{told}");
    assert!(plan.months[1..].iter().all(|month| *month == plan.months[1]), "{told}");
    let most = i64::from(plan.periods) - 1;
    let (first, later) = (plan.months[0], plan.months[1]);
    assert!((0..=most).contains(&(first.principal.get() - later.principal.get())), "{told}");
    assert!((0..=most).contains(&(first.fee.get() - later.fee.get())), "{told}");
}

#[test]
fn a_merchant_who_bears_the_fee_leaves_the_buyer_the_bare_price() {
    let plan = Plan::new(yuan("1000.00"), 3, Bearer::Seller, rate("1.8%")).unwrap();
    assert_eq!((plan.fee, plan.buyer_fee(), plan.seller_fee()), (yuan("18"), Fen::ZERO, yuan("18")));
    assert_eq!((plan.first_month(), plan.later_month()), (yuan("333.34"), yuan("333.33")));
    assert_eq!(plan.repaid(), yuan("1000"));
    assert_eq!((plan.instalment().periods, plan.instalment().seller_percent), (3, 100));
    let buyer = Plan::new(yuan("1000.00"), 6, Bearer::Buyer, rate("4.5%")).unwrap();
    assert_eq!((buyer.instalment().periods, buyer.instalment().seller_percent), (6, 0));
}

#[test]
fn what_cannot_be_lent_has_no_plan() {
    let plan = |loan, periods| Plan::new(Fen::new(loan), periods, Bearer::Buyer, rate("2.3%"));
    for loan in [0, -1, i64::MIN, i64::MAX, LARGEST_ORDER.get() + 1] {
        assert_eq!(plan(loan, 3), Err(NoPlan::Amount(Fen::new(loan))));
    }
    for periods in [0, 1, 61, 255] {
        assert_eq!(plan(10_000, periods), Err(NoPlan::NotOffered(periods)));
    }
    assert!(plan(LARGEST_ORDER.get(), *PERIODS.end()).is_ok());
    assert!(plan(1, *PERIODS.start()).is_ok());
}

#[test]
fn a_rate_is_written_with_its_percent_sign() {
    for (text, share, shown) in [
        ("2.3%", Decimal::new(23, 3), "2.3%"),
        (" 12.50% ", Decimal::new(125, 3), "12.5%"),
        ("0%", Decimal::ZERO, "0%"),
        ("99.9999%", Decimal::new(999_999, 6), "99.9999%"),
    ] {
        assert_eq!((rate(text).share(), rate(text).to_string().as_str()), (share, shown));
        assert_eq!(serde_json::from_value::<Rate>(Value::from(text)).unwrap(), rate(text));
        assert_eq!(serde_json::to_value(rate(text)).unwrap(), Value::from(shown));
    }
    for not in ["", "2.3", "0.023", "%", "2,3%", "2.3%%", "x%", "99999999999999999999999999999999%"] {
        assert!(matches!(not.parse::<Rate>(), Err(RateProblem::NotAPercentage(_))), "{not}");
    }
    for not in ["-0.1%", "100%", "750%"] {
        assert!(matches!(not.parse::<Rate>(), Err(RateProblem::OutOfRange(_))), "{not}");
    }
    assert!(matches!("2.30001%".parse::<Rate>(), Err(RateProblem::TooFine(_))));
    assert!(serde_json::from_value::<Rate>(Value::from(2.3)).is_err());
}

#[test]
fn the_documented_rates_are_those_of_2018() {
    let rates = Rates::documented_2018();
    for (periods, buyer, seller) in [(3, "2.3%", "1.8%"), (6, "4.5%", "4.5%"), (12, "7.5%", "7.5%")] {
        assert_eq!(rates.rate(periods, Bearer::Buyer), Some(rate(buyer)));
        assert_eq!(rates.rate(periods, Bearer::Seller), Some(rate(seller)));
    }
    assert_eq!(rates.rate(24, Bearer::Buyer), None);
    assert_eq!(Rates::new([(1, Bearer::Buyer, rate("1%"))]), Err(RateProblem::Periods(1)));
}

#[test]
fn the_choices_are_the_offered_periods_from_the_minimum_on() {
    let terms = Terms::documented_2018();
    let periods = |split| terms.choices(split).iter().map(|plan| plan.periods).collect::<Vec<_>>();
    assert_eq!(periods(whole("100.00")), [3, 6, 12]);
    assert!(periods(whole("99.99")).is_empty());
    assert_eq!(terms.plan(whole("100"), 24), Err(NoPlan::NotOffered(24)));
    let small = NoPlan::BelowMinimum { loan: yuan("99.99"), minimum: MINIMUM };
    assert_eq!(terms.plan(whole("99.99"), 3), Err(small));
    let split = Split::new(yuan("150"), yuan("50.01")).unwrap();
    assert_eq!(terms.plan(split, 3), Err(small), "the minimum is the loan's");
}

#[test]
fn twenty_four_periods_are_offered_where_the_settings_say_so() {
    let rates = Rates::new([(24, Bearer::Buyer, rate("12.5%")), (3, Bearer::Seller, rate("1.8%"))]).unwrap();
    let terms = Terms::new([(24, Bearer::Buyer), (3, Bearer::Seller)], &rates, yuan("500")).unwrap();
    let choices = terms.choices(whole("6988"));
    let told = choices.iter().map(|plan| (plan.periods, plan.bearer, plan.first_month(), plan.later_month()));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [(3, Bearer::Seller, yuan("2329.34"), yuan("2329.33")), (24, Bearer::Buyer, yuan("327.85"), yuan("327.55")),]
    );
    assert!(terms.choices(whole("499.99")).is_empty());
}

#[test]
fn terms_that_cannot_be_kept_are_refused() {
    let rates = Rates::documented_2018();
    let offer = |offered: &[(u8, Bearer)], minimum| Terms::new(offered.iter().copied(), &rates, minimum).map(|_| ());
    let none = TermsProblem::NoRate { periods: 24, bearer: Bearer::Buyer };
    assert!(none.to_string().contains("24 periods are offered with the fee borne by the buyer"));
    assert_eq!(offer(&[(24, Bearer::Buyer)], MINIMUM), Err(none));
    assert_eq!(offer(&[(3, Bearer::Buyer), (3, Bearer::Seller)], MINIMUM), Err(TermsProblem::Twice(3)));
    assert_eq!(offer(&[(3, Bearer::Buyer)], Fen::ZERO), Err(TermsProblem::Minimum(Fen::ZERO)));
}

#[test]
fn a_down_payment_is_cash_and_only_the_loan_goes_through_the_channel() {
    let split = Split::of_amounts(yuan("6988"), yuan("6900"), yuan("88")).unwrap();
    assert_eq!((split.loan(), split.down_payment(), split.price()), (yuan("6900"), yuan("88"), yuan("6988")));
    let plan = Terms::documented_2018().plan(split, 12).unwrap();
    assert_eq!((plan.loan, plan.down_payment), (yuan("6900"), yuan("88")));
    assert_eq!(plan.repaid(), yuan("7417.50"));
    for (limit, loan) in [("6988", "6988"), ("9999", "6988"), ("6900", "6900"), ("0.01", "0.01")] {
        let split = Split::within_limit(yuan("6988"), yuan(limit)).unwrap();
        assert_eq!((split.loan(), split.price()), (yuan(loan), yuan("6988")));
    }
}

#[test]
fn a_price_that_is_not_its_parts_is_refused() {
    let of = |price, loan, down| Split::of_amounts(yuan(price), yuan(loan), yuan(down)).map(|_| ());
    let (price, loan) = (yuan("6988"), yuan("6900"));
    let odd = SplitProblem::DoesNotAddUp { price, loan, down_payment: Fen::ZERO };
    assert_eq!(of("6988", "6900", "0"), Err(odd));
    assert_eq!(of("0", "0", "0"), Err(SplitProblem::Price(Fen::ZERO)));
    assert_eq!(of("100", "101", "-1"), Err(SplitProblem::DownPayment(Fen::new(-100))));
    for down in ["100", "101"] {
        let none = SplitProblem::NoLoan { price: yuan("100"), down_payment: yuan(down) };
        assert_eq!(of("100", "0", down), Err(none));
    }
    assert!(Split::within_limit(yuan("100"), Fen::ZERO).is_err());
    assert!(Split::within_limit(yuan("100"), Fen::new(-5)).is_err());
    assert!(Split::whole(Fen::new(LARGEST_ORDER.get() + 1)).is_err());
}

#[test]
fn the_guides_odd_row_can_be_imported_and_shows_what_it_lacks() {
    let read = |price, loan, down| Imported::read(yuan(price), yuan(loan), yuan(down));
    assert_eq!(read("6988", "6900", "0").unwrap().missing(), 8_800);
    assert_eq!(read("6988", "6900", "88").unwrap().missing(), 0);
    assert_eq!(read("6988", "6988", "88").unwrap().missing(), -8_800);
    for (price, loan, down) in [("0", "1", "0"), ("1", "0", "1"), ("1", "-1", "2"), ("1", "1", "-1")] {
        assert!(read(price, loan, down).is_err(), "{price} {loan} {down}");
    }
}

const BEFORE: Date = date(2017, 9, 27);
const FIRST: Date = date(2017, 9, 28);
const LAST: Date = date(2017, 10, 31);
const AFTER: Date = date(2017, 11, 1);

#[test]
fn the_guides_subsidies_are_those_of_its_table() {
    let partner = |volume| Store::Partner { monthly_volume: yuan(volume) };
    for (periods, normal, tiers, other, other_promotion) in [
        (3, "0", ["0", "0", "0"], "0", "0"),
        (6, "0", ["0", "0", "0"], "0", "0"),
        (12, "15", ["10", "5", "0"], "45", "25"),
        (24, "20", ["15", "10", "0"], "55", "35"),
    ] {
        for day in [BEFORE, AFTER] {
            for volume in ["0", "5000.01", "50000.01"] {
                assert_eq!(subsidy(day, periods, partner(volume)), Some(yuan(normal)));
            }
            assert_eq!(subsidy(day, periods, Store::Other), Some(yuan(other)));
        }
        for day in [FIRST, LAST] {
            for (volume, tier) in
                [("-1", 0), ("0", 0), ("5000", 0), ("5000.01", 1), ("50000", 1), ("50000.01", 2), ("999999", 2)]
            {
                assert_eq!(subsidy(day, periods, partner(volume)), Some(yuan(tiers[tier])), "{periods} at {volume}");
            }
            assert_eq!(subsidy(day, periods, Store::Other), Some(yuan(other_promotion)));
        }
    }
    assert_eq!(subsidy(FIRST, 9, Store::Other), None);
    assert_eq!(MERCHANT_REBATE, Rate::FREE);
}

#[test]
fn the_window_without_interest_ends_before_the_promotion() {
    let free = Some(BuyerRate::Rate(Rate::FREE));
    for (day, periods, expected) in [
        (date(2017, 9, 14), 3, Some(BuyerRate::NotGiven)),
        (date(2017, 9, 15), 3, free),
        (date(2017, 10, 15), 3, free),
        (date(2017, 10, 16), 3, Some(BuyerRate::NotGiven)),
        (LAST, 3, Some(BuyerRate::NotGiven)),
        (FIRST, 6, Some(BuyerRate::NotGiven)),
        (FIRST, 12, Some(BuyerRate::Rate(rate("7.5%")))),
        (AFTER, 24, Some(BuyerRate::Rate(rate("12.5%")))),
        (FIRST, 9, None),
    ] {
        assert_eq!(buyer_rate(day, periods), expected, "{day} {periods}");
    }
}

fn standing(order: OrderState) -> Standing {
    Standing { order, approval: Approval::NotAsked, refunded_in_full: true, window_over: false }
}

#[test]
fn every_state_has_the_guides_word_its_tab_and_its_screen() {
    use OrderState as S;
    let waiting = Some(Screen::Waiting);
    for (order, word, tab, shown) in [
        (S::Waiting, "待支付", Tab::Pending, waiting),
        (S::Confirming, "待支付", Tab::Pending, waiting),
        (S::Unknown, "待支付", Tab::Pending, waiting),
        (S::Cancelling, "待支付", Tab::Pending, waiting),
        (S::Paid, "已支付", Tab::Paid, Some(Screen::Success)),
        (S::Delivering, "已支付", Tab::Paid, Some(Screen::Success)),
        (S::Completed, "已支付", Tab::Paid, Some(Screen::Success)),
        (S::Refunding, "退款中", Tab::Paid, None),
        (S::Owed, "退款中", Tab::Paid, None),
        (S::Refunded, "已退款", Tab::DeletedOrRefunded, None),
        (S::Cancelled, "已取消", Tab::DeletedOrRefunded, None),
        (S::Expired, "已取消", Tab::DeletedOrRefunded, None),
        (S::Failed, "已取消", Tab::DeletedOrRefunded, Some(Screen::Failure)),
    ] {
        let told = state(standing(order), RejectedShows::AsBefore);
        assert_eq!((told.word(), told.tab(), screen(order)), (word, tab, shown), "{}", order.name());
    }
    assert_eq!(
        [Screen::Success, Screen::Failure, Screen::Waiting].map(Screen::word),
        ["支付成功", "支付失败", "等待支付"]
    );
}

#[test]
fn an_approval_shows_on_paid_orders_only_and_no_refund_is_done_before_the_money_is_back() {
    use Approval::{Approved, NotAsked, Pending, Rejected};
    use OrderState as S;
    for (order, approval, window_over, as_before, as_rejected) in [
        (S::Completed, NotAsked, false, "已支付", "已支付"),
        (S::Completed, NotAsked, true, "交易成功", "交易成功"),
        (S::Completed, Pending, false, "退款审核中", "退款审核中"),
        (S::Completed, Pending, true, "退款审核中", "退款审核中"),
        (S::Paid, Approved, false, "退款中", "退款中"),
        (S::Completed, Approved, true, "退款中", "退款中"),
        (S::Completed, Rejected, false, "已支付", "退款审核驳回"),
        (S::Completed, Rejected, true, "交易成功", "退款审核驳回"),
        (S::Refunding, Pending, false, "退款中", "退款中"),
        (S::Owed, Approved, false, "退款中", "退款中"),
        (S::Refunded, Approved, true, "已退款", "已退款"),
        (S::Waiting, Pending, false, "待支付", "待支付"),
        (S::Cancelled, Approved, true, "已取消", "已取消"),
    ] {
        let standing = Standing { approval, window_over, ..standing(order) };
        let told = (state(standing, RejectedShows::AsBefore).word(), state(standing, RejectedShows::Rejected).word());
        assert_eq!(told, (as_before, as_rejected), "{} {approval:?}", order.name());
    }
    assert_eq!(GuideState::RefundInReview.tab(), Tab::Paid);
    assert_eq!(GuideState::RefundRejected.tab(), Tab::DeletedOrRefunded);
}

#[test]
fn a_refund_in_part_leaves_the_order_paid() {
    let part = |approval, window_over| Standing {
        approval,
        window_over,
        refunded_in_full: false,
        ..standing(OrderState::Refunded)
    };
    for (standing, word) in [
        (part(Approval::NotAsked, false), "已支付"),
        (part(Approval::Approved, false), "已支付"),
        (part(Approval::Approved, true), "交易成功"),
        (part(Approval::Pending, false), "退款审核中"),
    ] {
        assert_eq!(state(standing, RejectedShows::AsBefore).word(), word);
    }
}

#[test]
fn a_refund_can_be_asked_for_on_the_fifteenth_day_and_not_on_the_sixteenth() {
    let paid = date(2017, 9, 20);
    for (today, over) in
        [(paid, false), (date(2017, 10, 5), false), (date(2017, 10, 6), true), (date(2017, 9, 1), false)]
    {
        assert_eq!(window_is_over(paid, today, REFUND_DAYS), over, "{today}");
    }
    assert!(!window_is_over(Date::MAX, Date::MAX, REFUND_DAYS));
}

/// 2017-09-08 14:12:36.999 in Beijing.
const SAMPLE: Wall = Wall { ms: 1_504_851_156_999, trusted: true };

#[test]
fn a_number_is_ant_the_second_in_beijing_and_five_characters() {
    for (entropy, end) in [(0, "00000"), (61, "z0000"), (62, "01000"), (u64::MAX, "FYHA6")] {
        let number = ant_number(SAMPLE, entropy).unwrap();
        assert_eq!((number.as_str().len(), &number.as_str()[..15]), (20, "ANT170908141236"));
        assert_eq!(&number.as_str()[15..], end);
        assert_eq!(number.at(), date(2017, 9, 8).at(14, 12, 36, 0));
        assert_eq!(number.to_string().parse(), Ok(number));
    }
    let new_year = Wall { ms: 1_514_736_000_000, trusted: true };
    assert!(ant_number(new_year, 7).unwrap().as_str().starts_with("ANT180101000000"), "16:00 UTC is the next day");
}

#[test]
fn no_number_is_made_without_a_clock() {
    assert_eq!(ant_number(Wall { trusted: false, ..SAMPLE }, 7), None);
    for ms in [0, i64::MIN, i64::MAX, 4_102_444_800_000] {
        assert_eq!(ant_number(Wall { ms, trusted: true }, 7), None, "{ms}");
    }
}

#[test]
fn the_guides_numbers_are_read_with_four_characters_too() {
    let at = |text: &str| text.parse::<AntNumber>().map(|number| number.at());
    assert_eq!(at("ANT170908141236SX0DL"), Ok(date(2017, 9, 8).at(14, 12, 36, 0)));
    assert_eq!(at("ANT170908141236sX0D"), Ok(date(2017, 9, 8).at(14, 12, 36, 0)));
    for not in [
        "",
        "ANT",
        "ant170908141236SX0DL",
        "ANT170908141236SX0",
        "ANT170908141236SX0DLL",
        "ANT170908141236SX-DL",
        "ANT170908141236SX0D中",
        "ANT171308141236SX0DL",
        "ANT170931141236SX0DL",
        "ANT170908241236SX0DL",
        "ANT170908146036SX0DL",
        "ANT17090814123 SX0DL",
        "ANT-10908141236SX0DL",
        "ANT+10908141236SX0DL",
        "中中中中中中中中",
        " ANT170908141236SX0DL",
    ] {
        assert!(at(not).is_err(), "{not}");
    }
}

#[test]
fn the_calendars_text_says_its_days() {
    assert_eq!((STATEMENT_DAY, LAST_REPAYMENT_DAY), (1, 10));
    for day in [format!("每月{STATEMENT_DAY}日出账"), format!("最晚{LAST_REPAYMENT_DAY}日")] {
        assert!(TEXT.contains(&day), "{day}");
    }
    assert!(TEXT_ENGLISH.contains("at the latest on the 10th"));
}
