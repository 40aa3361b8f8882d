//! The same evening at each channel: every situation that a buyer brings about, with each wallet that the channel takes,
//! one after the other at one machine, and the day's statement at the end.

use std::cell::Cell;
use std::time::Duration;

use hal::Key;
use payment::channel::{ChannelId, Wallet};
use reqwest::Method;
use sandbox::allinpay::App;
use serde_json::{Value, json};
use till::demo::channels::ChannelOptions;
use till::demo::scene::SceneOptions;

use crate::gate::{Call, Gate, Money};
use crate::shop::{Shop, TEA, WATER, decode, within};
use crate::three_books;

/// A machine with one channel.
pub struct Evening {
    pub shop: Shop,
    pub gate: Gate,
    pub channel: ChannelId,
    /// What cancels returned by themselves, in fen: never a payment in our books.
    pub undone: Cell<i64>,
}

/// Simulators that do not make a test wait for minutes, and have today's statement.
pub fn hurry(options: &mut SceneOptions) {
    options.gateway.bill_of_today = true;
    let wechat = &mut options.channels.wechat;
    wechat.bill_of_today = true;
    wechat.refund_takes_ms = 200;
    wechat.refund_pace_ms = 0;
    wechat.reverse_after_ms = 300;
    options.channels.vsp.statement_hour = -24;
    options.channels.yst.statement_hour = -24;
}

/// Nothing takes this long; it only ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a late payment takes: longer than a machine needs to give an order up.
const LATE_MS: u64 = 1_500;

/// What is left out of the quick settings of the scene.
pub const QUICK: &str = "[pace]\nrelease_ms = 50\n";

impl Evening {
    pub async fn at(channel: ChannelId) -> Self {
        Self::with(channel, |_| ()).await
    }

    pub async fn with(channel: ChannelId, change: impl FnOnce(&mut SceneOptions)) -> Self {
        let prepare = |options: &mut SceneOptions| {
            options.channels = ChannelOptions::of([channel]);
            options.channels.show = vec![shown(channel)];
            options.extra_config = QUICK.to_owned();
            hurry(options);
            change(options);
        };
        let shop = Shop::open_with(prepare, None).await;
        for slot in ["11", "12", "13"] {
            assert!(shop.scene.machine.restock(slot, 50));
        }
        let gate = Gate::of(&shop.scene, channel);
        Self { shop, gate, channel, undone: Cell::new(0) }
    }

    // ---- what buyers do ----

    /// Orders a bottle of water; the order's number.
    pub async fn orders(&self, who_scans: &str) -> String {
        self.shop.until_free().await;
        self.shop.order("11", WATER, who_scans).await
    }

    /// Scans what the machine shows; the payment's id.
    pub async fn scans(&self, buyer: &str, fen: i64) -> String {
        scan(&self.shop, &self.gate, buyer, fen).await
    }

    /// Scans what the machine shows, and pays.
    pub async fn scans_and_pays(&self, buyer: &str) {
        let id = self.scans(buyer, WATER).await;
        self.gate.confirm(buyer, &id).unwrap();
    }

    /// A bottle sold by a code on the screen.
    pub async fn sells_on_screen(&self) -> String {
        let order = self.orders("buyer_scans").await;
        self.scans_and_pays("Lin").await;
        self.is_sold(&order).await;
        order
    }

    /// Holds a pay code to the scanner; the code.
    pub fn shows_pay_code(&self, buyer: &str) -> String {
        let code = self.gate.pay_code(buyer);
        self.shop.scene.scan(&code).unwrap();
        code
    }

    /// A bottle sold by pay code.
    pub async fn sells(&self) -> String {
        let order = self.orders("merchant_scans").await;
        self.shows_pay_code("Lin");
        self.is_sold(&order).await;
        order
    }

    // ---- what must be true then ----

    /// The order is complete, the buyer was charged once, from the wallet that was used, and one item fell.
    pub async fn is_sold(&self, order: &str) -> Value {
        let order = self.waits_for(order, "the sale", |order| order["state"] == "completed").await;
        let mut attempts = order["attempts"].as_array().unwrap().iter();
        let paid = attempts.find(|attempt| attempt["state"] == "paid").unwrap();
        let wallet = paid["wallet"].as_str().or(self.channel.own_wallet().map(Wallet::name));
        assert_eq!(wallet, Some(self.gate.wallet()), "{order:#}");
        assert_eq!(self.gate.sum(&numbers(&order)), Money::kept(WATER), "{order:#}");
        assert_eq!(order["items"][0]["delivery"], "delivered", "{order:#}");
        order
    }

    /// Waits until the channel has moved exactly this for an order.
    pub async fn moved(&self, order: &str, wished: Money) {
        let numbers = numbers(&self.shop.get(&format!("/v1/orders/{order}")).await);
        if tokio::time::timeout(PATIENCE, self.gate.until_money(&numbers, wished)).await.is_err() {
            let order = self.shop.get(&format!("/v1/orders/{order}")).await;
            panic!("{wished:?} was to move, and {:?} did: {order:#}", self.gate.sum(&numbers));
        }
    }

    /// Waits until an order is as wished; says how it is when it never becomes so.
    pub async fn waits_for(&self, order: &str, what: &str, wished: impl Fn(&Value) -> bool) -> Value {
        let waiting = tokio::time::timeout(PATIENCE, self.shop.order_when(order, what, wished));
        match waiting.await {
            Ok(order) => order,
            Err(_) => panic!("waited in vain for {what}: {:#}", self.shop.get(&format!("/v1/orders/{order}")).await),
        }
    }

    pub async fn asks_for_refund(&self, order: &str, body: Value, key: &str) {
        let path = format!("/v1/orders/{order}/refunds");
        let (status, refund) = self.shop.call_with_key(Method::POST, &path, Some(body), Some(key)).await;
        assert_eq!(status, 201, "{refund}");
    }
}

/// Whose code stands on the screen where a channel is not told which.
const fn shown(channel: ChannelId) -> &'static str {
    match channel {
        ChannelId::Alipay => "alipay",
        ChannelId::AllinpayVsp => "any",
        ChannelId::Wechat | ChannelId::AllinpayYst | ChannelId::Voucher => "wechat",
    }
}

/// Scans whichever code on the screen this phone can open, once it stands there; the payment's id.
pub async fn scan(shop: &Shop, gate: &Gate, buyer: &str, fen: i64) -> String {
    let mut frames = shop.scene.machine.frames();
    let mut refused = String::new();
    let opened = tokio::time::timeout(PATIENCE, async {
        loop {
            // A phone looks long and hard at a picture without a code, and the gateways are on this thread.
            let frame = frames.borrow_and_update().clone().filter(|frame| decode(frame).is_some());
            match frame.map(|frame| gate.scan(buyer, &frame.to_png().unwrap())) {
                Some(Ok(asked)) => return asked,
                Some(Err(error)) => refused = error,
                None => {}
            }
            frames.changed().await.unwrap();
        }
    });
    let Ok(asked) = opened.await else {
        let order = shop.newest_order().await;
        panic!("no code that this phone can open: {refused}: {:#}", shop.get(&format!("/v1/orders/{order}")).await)
    };
    assert_eq!(asked.fen, fen, "the phone shows another amount");
    asked.id
}

/// The attempts' numbers.
pub fn numbers(order: &Value) -> Vec<String> {
    let attempts = order["attempts"].as_array().into_iter().flatten();
    attempts.filter_map(|attempt| Some(attempt["number"].as_str()?.to_owned())).collect()
}

// ---- the situations ----

async fn a_code_on_the_screen_is_paid_at_once(evening: &Evening) {
    evening.shop.until_free().await;
    let fallen = evening.shop.fallen();
    evening.shop.choose("11");
    evening.scans_and_pays("Lin").await;
    let order = evening.shop.newest_order().await;
    let order = evening.is_sold(&order).await;
    assert_eq!(order["attempts"][0]["channel"], evening.channel.name());
    assert_eq!(evening.shop.fallen(), fallen + 1);
}

async fn a_buyer_who_thinks_about_it_is_waited_for_and_nothing_falls_before(evening: &Evening) {
    let order = evening.orders("buyer_scans").await;
    let fallen = evening.shop.fallen();
    let id = evening.scans("Lin", WATER).await;
    assert_eq!(evening.shop.fallen(), fallen, "goods before the payment");
    evening.gate.confirm("Lin", &id).unwrap();
    evening.is_sold(&order).await;
}

async fn a_pay_code_pays_at_once(evening: &Evening) {
    let order = evening.orders("merchant_scans").await;
    let fallen = evening.shop.fallen();
    evening.shows_pay_code("Lin");
    let order = evening.is_sold(&order).await;
    assert_eq!(order["attempts"][0]["method"], "take_code");
    assert_eq!(evening.shop.fallen(), fallen + 1);
}

async fn a_pay_code_is_confirmed_on_the_phone_first(evening: &Evening) {
    let order = evening.orders("merchant_scans").await;
    let fallen = evening.shop.fallen();
    evening.gate.ask_for_thumb();
    evening.shows_pay_code("Lin");
    evening.shop.order_until(&order, &["confirming"]).await;
    assert_eq!(evening.shop.fallen(), fallen, "goods before the payment was confirmed");
    within("the phone to ask", evening.gate.confirm_when_asked("Lin")).await;
    evening.is_sold(&order).await;
    evening.gate.be_fair();
}

async fn a_lost_reply_to_a_pay_code_charges_once(evening: &Evening) {
    let order = evening.orders("merchant_scans").await;
    evening.gate.lose_reply(Call::TakeCode);
    evening.shows_pay_code("Lin");
    let order = evening.is_sold(&order).await;
    assert_eq!(numbers(&order).len(), 1, "{order:#}");
    evening.gate.be_fair();
}

/// Alipay and WeChat Pay make the same code again for the same number. Allinpay does not: the code is given up, and the
/// next buyer gets one.
async fn a_lost_reply_to_a_new_code_takes_nobodys_money(evening: &Evening) {
    evening.shop.until_free().await;
    evening.gate.lose_reply(Call::MakeCode);
    let order = evening.orders("buyer_scans").await;
    match evening.channel {
        ChannelId::Alipay | ChannelId::Wechat => {
            evening.scans_and_pays("Lin").await;
            evening.is_sold(&order).await;
        }
        ChannelId::AllinpayVsp | ChannelId::AllinpayYst | ChannelId::Voucher => {
            let begun = |order: &Value| !numbers(order).is_empty();
            evening.waits_for(&order, "an attempt", begun).await;
            evening.shop.press(Key::Cancel);
            evening.shop.until_free().await;
            evening.moved(&order, Money::default()).await;
        }
    }
    evening.gate.be_fair();
}

async fn an_empty_purse_and_a_stale_code_pay_nothing_and_the_next_buyer_can(evening: &Evening) {
    let order = evening.orders("merchant_scans").await;
    let stale = evening.gate.pay_code("Lin");
    evening.gate.let_pay_codes_die();
    evening.gate.give("Poor", 0);
    let poor = evening.gate.pay_code("Poor");
    for (refused, code) in [(1, poor), (2, stale)] {
        evening.gives(&order, &code).await;
        evening.until_refused(&order, refused).await;
    }
    evening.gives(&order, &evening.gate.pay_code("Lin")).await;
    let order = evening.is_sold(&order).await;
    let paid = order["attempts"].as_array().unwrap().iter().filter(|attempt| attempt["state"] == "paid");
    assert_eq!(paid.count(), 1, "{order:#}");
}

async fn a_code_on_the_screen_waits_for_a_buyer_whose_purse_is_empty(evening: &Evening) {
    let order = evening.orders("buyer_scans").await;
    let fallen = evening.shop.fallen();
    evening.gate.give("Poor", WATER - 1);
    let id = evening.scans("Poor", WATER).await;
    evening.gate.confirm("Poor", &id).unwrap_err();
    evening.moved(&order, Money::default()).await;
    assert_eq!(evening.shop.fallen(), fallen, "goods for a refused payment");
    evening.gate.give("Poor", WATER);
    evening.gate.confirm("Poor", &id).unwrap();
    evening.is_sold(&order).await;
}

/// The cancel returns it by itself, and then it never was a payment; where no cancel can, a refund does.
async fn a_pay_code_that_is_paid_after_the_order_is_over_comes_back(evening: &Evening) {
    let order = evening.orders("merchant_scans").await;
    let fallen = evening.shop.fallen();
    evening.gate.ask_for_thumb();
    evening.shows_pay_code("Lin");
    evening.shop.order_until(&order, &["confirming"]).await;
    evening.gate.delay_payment(LATE_MS);
    within("the phone to ask", evening.gate.confirm_when_asked("Lin")).await;
    evening.shop.press(Key::Cancel);
    evening.shop.until_free().await;
    evening.moved(&order, Money::returned(WATER)).await;
    // After a cancel the number is watched for a minute more: the order stays open, and nobody waits.
    let known = |order: &Value| order["state"] == "cancelling" || order["refunded"] == order["paid"];
    let order = evening.waits_for(&order, "the end", known).await;
    assert_eq!(order["paid"], order["refunded"], "{order:#}");
    evening.undone.set(evening.undone.get() + WATER - order["paid"].as_i64().unwrap());
    assert_eq!(evening.shop.fallen(), fallen);
    evening.gate.be_fair();
}

async fn a_payment_after_the_order_is_over_comes_back(evening: &Evening) {
    let order = evening.orders("buyer_scans").await;
    let fallen = evening.shop.fallen();
    let id = evening.scans("Lin", WATER).await;
    evening.gate.delay_payment(LATE_MS);
    evening.gate.confirm("Lin", &id).unwrap();
    evening.shop.press(Key::Cancel);
    evening.shop.until_free().await;
    evening.moved(&order, Money::returned(WATER)).await;
    let order = evening.shop.order_until(&order, &["refunded"]).await;
    assert_eq!(order["refunds"][0]["reason"], "late", "{order:#}");
    assert_eq!(evening.shop.fallen(), fallen);
    evening.gate.be_fair();
}

async fn an_operator_returns_part_and_then_the_rest(evening: &Evening, order: String) {
    evening.asks_for_refund(&order, json!({"amount": 70}), &format!("{order}-1")).await;
    evening.moved(&order, Money { charged: WATER, refunded: 70 }).await;
    evening.shop.order_until(&order, &["refunded"]).await;
    evening.asks_for_refund(&order, json!({}), &format!("{order}-2")).await;
    evening.moved(&order, Money::returned(WATER)).await;
    evening.waits_for(&order, "all of it back", |order| order["refunded"] == WATER).await;
}

async fn a_refund_whose_reply_is_lost_moves_the_money_once(evening: &Evening) {
    let order = evening.sells().await;
    evening.gate.lose_reply(Call::Refund);
    evening.asks_for_refund(&order, json!({}), &order).await;
    evening.waits_for(&order, "the money back", |order| order["refunded"] == WATER).await;
    evening.moved(&order, Money::returned(WATER)).await;
    evening.gate.be_fair();
}

async fn what_does_not_fall_is_returned_by_itself(evening: &Evening) {
    evening.shop.until_free().await;
    evening.shop.scene.machine.jam("12");
    let order = evening.shop.order("12", TEA, "buyer_scans").await;
    let fallen = evening.shop.fallen();
    let id = evening.scans("Lin", TEA).await;
    evening.gate.confirm("Lin", &id).unwrap();
    let order_now = evening.shop.order_until(&order, &["refunded"]).await;
    assert_eq!(order_now["refunds"][0]["reason"], "undelivered", "{order_now:#}");
    evening.moved(&order, Money::returned(TEA)).await;
    assert_eq!(evening.shop.fallen(), fallen);
}

impl Evening {
    /// Gives the order a pay code as a shop's own scanner would.
    async fn gives(&self, order: &str, code: &str) {
        let (status, taken) =
            self.shop.call(Method::POST, "/v1/scans", Some(json!({"order": order, "code": code}))).await;
        assert!(matches!(status, 200..=202), "{taken}");
    }

    /// Waits until so many attempts of an order have failed, and nobody was charged.
    async fn until_refused(&self, order: &str, times: usize) {
        let refused = |order: &Value| {
            let attempts = order["attempts"].as_array().unwrap();
            attempts.len() == times && attempts.iter().all(|attempt| attempt["state"] == "not_paid")
        };
        let order = self.waits_for(order, "the refusal", refused).await;
        assert_eq!(self.gate.sum(&numbers(&order)), Money::default(), "{order:#}");
    }

    /// Everything with the wallet that is in the buyers' hands.
    async fn play_with_this_wallet(&self) {
        a_code_on_the_screen_is_paid_at_once(self).await;
        a_buyer_who_thinks_about_it_is_waited_for_and_nothing_falls_before(self).await;
        a_lost_reply_to_a_new_code_takes_nobodys_money(self).await;
        a_payment_after_the_order_is_over_comes_back(self).await;
        a_code_on_the_screen_waits_for_a_buyer_whose_purse_is_empty(self).await;
        an_operator_returns_part_and_then_the_rest(self, self.sells_on_screen().await).await;

        a_pay_code_pays_at_once(self).await;
        a_pay_code_is_confirmed_on_the_phone_first(self).await;
        a_lost_reply_to_a_pay_code_charges_once(self).await;
        a_pay_code_that_is_paid_after_the_order_is_over_comes_back(self).await;
        an_empty_purse_and_a_stale_code_pay_nothing_and_the_next_buyer_can(self).await;
        an_operator_returns_part_and_then_the_rest(self, self.sells().await).await;
    }

    /// Once at the machine, and then the books.
    async fn close(&self) {
        a_refund_whose_reply_is_lost_moves_the_money_once(self).await;
        what_does_not_fall_is_returned_by_itself(self).await;
        three_books::ledger_journal_and_statement_agree(self).await;
        three_books::a_spoilt_statement_is_found(self).await;
    }

    async fn play(&self) {
        self.play_with_this_wallet().await;
        self.close().await;
    }

    /// With each of these apps in turn, at one machine.
    async fn play_with(mut self, apps: &[App]) {
        for app in apps {
            self.gate = self.gate.using(*app);
            self.play_with_this_wallet().await;
        }
        self.close().await;
    }

    /// YunST has no code for several wallets: the machine shows this one's.
    async fn at_yunst_showing(wallet: &'static str) -> Self {
        Self::with(ChannelId::AllinpayYst, |options| options.channels.show = vec![wallet]).await
    }
}

#[tokio::test]
async fn an_evening_at_alipay() {
    Evening::at(ChannelId::Alipay).await.play().await;
}

#[tokio::test]
async fn an_evening_at_wechat_pay() {
    Evening::at(ChannelId::Wechat).await.play().await;
}

#[tokio::test]
async fn an_evening_at_allinpay_vsp_with_wechat_and_alipay() {
    Evening::at(ChannelId::AllinpayVsp).await.play_with(&[App::Wechat, App::Alipay]).await;
}

#[tokio::test]
async fn an_evening_at_allinpay_vsp_with_union_pay_and_ecny() {
    Evening::at(ChannelId::AllinpayVsp).await.play_with(&[App::UnionPay, App::Ecny]).await;
}

#[tokio::test]
async fn an_evening_at_allinpay_yunst_with_wechat() {
    Evening::at_yunst_showing("wechat").await.play_with(&[App::Wechat]).await;
}

#[tokio::test]
async fn an_evening_at_allinpay_yunst_with_alipay() {
    Evening::at_yunst_showing("alipay").await.play_with(&[App::Alipay]).await;
}

#[tokio::test]
async fn an_evening_at_allinpay_yunst_with_union_pay() {
    Evening::at_yunst_showing("union_pay").await.play_with(&[App::UnionPay]).await;
}
