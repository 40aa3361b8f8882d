//! The simulated WeChat Pay: two hosts, TLS with the merchant's certificate, keys that are fetched, tokens on the way.

use payment::channel::outcome::{CodeAnswer, DutyOutcome, RefundOutcome, Reversal};
use payment::channel::wechat::{
    CodePay, Config, Delivery, Hosts, MerchantCertificate, Store, SubMerchant, TokenCall, Verify, Wechat, WechatKey,
};
use payment::channel::{Duty, DutyKind, RefundOrder, Trade};
use payment::ids::RefundId;
use sandbox::wechat::{
    Fault, Gateway, GatewayOptions, Host as Side, KeyMode, MerchantKeys, Operation, Weather, merchant_keys,
};

use super::*;
use crate::daemon::complaints;
use crate::statements::fetch::{Fetched, fetch};

/// A gateway, and the channel of a terminal that sells through it.
pub struct Shop {
    pub gateway: Gateway,
    pub channels: Channels,
}

impl Shop {
    /// A new merchant's: answers are verified by the public key.
    pub async fn new() -> Self {
        Self::open(KeyMode::PublicKey, true).await
    }

    async fn open(mode: KeyMode, with_identity: bool) -> Self {
        Self::open_as(mode, with_identity, |_| ()).await
    }

    async fn open_as(mode: KeyMode, with_identity: bool, change: impl FnOnce(&mut Config)) -> Self {
        let hurry =
            GatewayOptions { reverse_after_ms: 0, delivery_lag_ms: 0, refund_takes_ms: 0, ..GatewayOptions::default() };
        let options = GatewayOptions { mode, bill_of_today: true, ..hurry };
        let gateway = Gateway::start(options).await.unwrap();
        let (keys, key) = (merchant_keys(), Secret::new(merchant_keys().private_key_pem));
        let verify = match mode {
            KeyMode::PublicKey => Verify {
                public_key: Some(WechatKey { id: keys.public_key_id.clone(), pem: keys.public_key_pem.clone() }),
                certificates: Vec::new(),
            },
            KeyMode::Certificate => Verify::default(),
        };
        let identity = with_identity.then(|| Identity::new(&keys.certificate_pem, &key).unwrap());
        let roots = keys.tls_root_pem.clone();
        let mut config = config(&gateway, keys, verify);
        change(&mut config);
        let adapter = Adapter::Wechat(Wechat::new(config).unwrap());
        let channel = Channel { adapter, address: gateway.tls_url(), identity };
        let options = ClientOptions { extra_roots: Some(roots), ..options_of_ours() };
        Self { channels: Channels::new(vec![channel], &options).unwrap(), gateway }
    }

    async fn call(&self, request: Request) -> Answer {
        self.channels.send(self.channels.prepare(ChannelId::Wechat, request, wall())).await
    }

    pub async fn pay(&self) -> Answer {
        let code = PayCode::new(self.gateway.control().wallet().pay_code());
        self.call(Request::TakeCode(offer(), code)).await
    }

    /// The sides that were asked to do this.
    fn asked(&self, operation: Operation) -> Vec<Side> {
        let calls = self.gateway.control().calls();
        calls.into_iter().filter(|call| call.operation == Some(operation)).map(|call| call.host).collect()
    }
}

fn options_of_ours() -> ClientOptions {
    options(PLENTY.total)
}

fn config(gateway: &Gateway, keys: MerchantKeys, verify: Verify) -> Config {
    Config {
        mchid: keys.mchid,
        appid: keys.appid,
        sub_merchant: None,
        private_key: Secret::new(keys.private_key_pem),
        certificate: MerchantCertificate::Pem(keys.certificate_pem),
        apiv3_key: Secret::new(keys.apiv3_key),
        verify,
        v2_key: Some(Secret::new(keys.apiv2_key)),
        code_pay: CodePay::V2,
        hosts: Hosts { pay: gateway.tls_url(), backup: Some(gateway.backup_tls_url()), weixin: gateway.url() },
        store: Store { terminal_ip: "127.0.0.1".to_owned(), ..Store::default() },
        notify_url: "https://example.com/wechat".to_owned(),
        goods_tag: None,
        profit_sharing: false,
        limit_pay: None,
        delivery: Some(Delivery { appsecret: Secret::new(keys.app_secret), token: TokenCall::Plain }),
    }
}

fn paid(answer: &Answer) -> bool {
    matches!(answer, Answer::Payment(Outcome::Paid(_)))
}

fn trade() -> Trade {
    offer().trade(Method::TakeCode)
}

/// The number of the attempt that [`Shop::pay`] makes.
pub fn number() -> String {
    offer().attempt.to_string()
}

#[tokio::test]
async fn a_pay_code_is_undone_over_a_connection_that_shows_the_certificate() {
    let shop = Shop::open(KeyMode::PublicKey, true).await;
    let answer = shop.pay().await;
    assert!(paid(&answer), "{answer:?}");
    let answer = shop.call(Request::Cancel(trade())).await;
    assert_eq!(answer, Answer::Reversal(Reversal::Closed), "v2 does not say what became of the money");
    assert_eq!(shop.gateway.control().ledger().net_fen(), 0);

    let without = Shop::open(KeyMode::PublicKey, false).await;
    assert!(paid(&without.pay().await));
    let doubt = without.call(Request::Cancel(trade())).await;
    assert!(doubt.doubt().is_some_and(|doubt| doubt.detail.contains("certificate")), "{doubt:?}");
    assert!(without.asked(Operation::SecApiReverse).is_empty());
}

#[tokio::test]
async fn a_pay_code_whose_answer_is_lost_is_asked_after_and_never_submitted_again() {
    let shop = Shop::open(KeyMode::PublicKey, true).await;
    let weather = Weather::fair().with(Fault::DropReply.on(Operation::MicroPay).times(1));
    shop.gateway.control().set_weather(weather);
    let answer = shop.pay().await;
    assert_eq!(answer.doubt().map(|doubt| doubt.kind), Some(DoubtKind::NoReply), "{answer:?}");
    assert!(paid(&shop.call(Request::Query(trade())).await));
    assert_eq!(shop.asked(Operation::MicroPay), [Side::Primary]);
    assert_eq!(shop.gateway.control().ledger().charged_fen(), 350);
}

#[tokio::test]
async fn the_same_bytes_at_the_second_host_after_a_lost_reply_make_one_order() {
    let shop = Shop::open(KeyMode::PublicKey, true).await;
    shop.gateway.control().set_weather(Weather::fair().with(Fault::DropReply.on(Operation::Native).times(1)));
    let answer = shop.call(Request::ShowCode(offer())).await;
    assert!(matches!(answer, Answer::Code(CodeAnswer::Ready(_))), "{answer:?}");
    assert_eq!(shop.asked(Operation::Native), [Side::Primary, Side::Backup]);
}

#[tokio::test]
async fn the_second_host_serves_while_the_first_is_down() {
    let shop = Shop::open(KeyMode::PublicKey, true).await;
    shop.gateway.control().set_weather(Weather::primary_down());
    let answer = shop.pay().await;
    assert!(paid(&answer), "{answer:?}");
    let answer = shop.call(Request::Query(trade())).await;
    assert!(paid(&answer), "{answer:?}");
    assert_eq!(shop.gateway.control().ledger().charged_fen(), 350);
}

/// Pay codes by v3, which WeChat Pay must have opened, and the merchant behind a service provider.
fn by_v3(config: &mut Config) {
    config.code_pay = CodePay::V3;
    config.store.out_id = Some("STORE-01".to_owned());
}

fn for_another(config: &mut Config) {
    config.sub_merchant = Some(SubMerchant { mchid: merchant_keys().sub_mchid, appid: None });
}

async fn returned(shop: &Shop) {
    let (amount, reason) = (Fen::new(350), "没有出货".to_owned());
    let refund = RefundOrder {
        trade: trade(),
        refund: RefundId::from_entropy([2; 16]),
        begun: wall(),
        amount,
        reason,
        confirmed: None,
    };
    let taken = shop.call(Request::Refund(refund.clone())).await;
    assert!(matches!(taken, Answer::Refund(RefundOutcome::Done | RefundOutcome::NotMoved)), "{taken:?}");
    assert_eq!(shop.call(Request::RefundQuery(refund)).await, Answer::Refund(RefundOutcome::Done));
}

/// Everything that a sale with a pay code may lead to.
async fn sells_returns_and_keeps_books(shop: &Shop) {
    let answer = shop.pay().await;
    assert!(paid(&answer), "{answer:?}");
    let answer = shop.call(Request::Query(trade())).await;
    assert!(paid(&answer), "{answer:?}");
    returned(shop).await;
    let ledger = shop.gateway.control().ledger();
    assert_eq!((ledger.charged_fen(), ledger.net_fen()), (350, 0));
    let bill = fetch(&shop.channels, ChannelId::Wechat, books::day::of(wall().ms).unwrap(), wall()).await.unwrap();
    let Fetched::File(bill) = bill else { panic!("no bill of a day with a sale") };
    assert!(String::from_utf8(bill).unwrap().contains(&number()), "the sale is in the bill");
    let complaint = shop.gateway.control().complain(&number(), "没有出货").unwrap();
    let open = complaints::list(&shop.channels, wall()).await.unwrap();
    assert_eq!(open.iter().map(|open| &open.id).collect::<Vec<_>>(), [&complaint]);
}

#[tokio::test]
async fn by_v3_and_for_another_merchant_a_sale_is_the_same() {
    let both = |config: &mut Config| {
        by_v3(config);
        for_another(config);
    };
    for (change, asked) in
        [(by_v3 as fn(&mut Config), Operation::CodePay), (for_another, Operation::MicroPay), (both, Operation::CodePay)]
    {
        let shop = Shop::open_as(KeyMode::PublicKey, true, change).await;
        sells_returns_and_keeps_books(&shop).await;
        assert_eq!(shop.asked(asked).len(), 1);
    }
}

#[tokio::test]
async fn by_v3_and_for_another_merchant_a_sale_is_undone_and_a_code_is_closed() {
    for change in [by_v3 as fn(&mut Config), for_another] {
        let shop = Shop::open_as(KeyMode::PublicKey, true, change).await;
        assert!(paid(&shop.pay().await));
        let undone = shop.call(Request::Cancel(trade())).await;
        assert!(matches!(undone, Answer::Reversal(_)) && undone.doubt().is_none(), "{undone:?}");
        assert_eq!(shop.gateway.control().ledger().net_fen(), 0);

        let shop = Shop::open_as(KeyMode::PublicKey, true, change).await;
        let shown = shop.call(Request::ShowCode(offer())).await;
        assert!(matches!(shown, Answer::Code(CodeAnswer::Ready(_))), "{shown:?}");
        let closed = shop.call(Request::Close(offer().trade(Method::ShowCode))).await;
        assert_eq!(closed, Answer::Reversal(Reversal::Closed));
    }
}

#[tokio::test]
async fn a_pay_code_by_v3_whose_answer_is_lost_is_never_submitted_again() {
    let shop = Shop::open_as(KeyMode::PublicKey, true, by_v3).await;
    shop.gateway.control().set_weather(Weather::fair().with(Fault::DropReply.on(Operation::CodePay).times(1)));
    let answer = shop.pay().await;
    assert_eq!(answer.doubt().map(|doubt| doubt.kind), Some(DoubtKind::NoReply), "{answer:?}");
    assert_eq!(shop.asked(Operation::CodePay), [Side::Primary]);
    assert!(paid(&shop.call(Request::Query(trade())).await));
}

#[tokio::test]
async fn a_platform_certificate_that_an_answer_names_is_fetched_once() {
    let shop = Shop::open(KeyMode::Certificate, true).await;
    for _ in 0..2 {
        let answer = shop.call(Request::ShowCode(offer())).await;
        assert!(matches!(answer, Answer::Code(CodeAnswer::Ready(_))), "{answer:?}");
    }
    assert_eq!(shop.asked(Operation::Certificates).len(), 1);
}

#[tokio::test]
async fn a_key_that_nobody_gives_out_leaves_a_doubt() {
    let shop = Shop::open(KeyMode::PublicKey, true).await;
    let weather = Weather::fair().with(Fault::UnknownSerial.on(Operation::Native));
    shop.gateway.control().set_weather(weather);
    let answer = shop.call(Request::ShowCode(offer())).await;
    assert_eq!(answer.doubt().map(|doubt| doubt.kind), Some(DoubtKind::BadSignature), "{answer:?}");
}

fn duty(buyer: Option<String>) -> Request {
    let (trade, goods) = (trade(), "可乐".to_owned());
    Request::Duty(Duty { amount: trade.amount, trade, kind: DutyKind::ReportDelivery, goods, buyer, delivered: wall() })
}

#[tokio::test]
async fn a_token_is_a_step_on_the_way() {
    let shop = Shop::open(KeyMode::PublicKey, true).await;
    let Answer::Payment(Outcome::Paid(receipt)) = shop.pay().await else { panic!("it is not paid") };
    for _ in 0..2 {
        let answer = shop.call(duty(receipt.buyer.clone())).await;
        assert_eq!(answer, Answer::Duty(DutyOutcome::Done));
    }
    assert_eq!(shop.asked(Operation::Token).len(), 1);
    assert_eq!(shop.asked(Operation::UploadShipping).len(), 2);
}

#[tokio::test]
async fn steps_on_the_way_have_an_end() {
    const TOKEN: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 38\r\n\r\n{\"access_token\":\"A\",\"expires_in\":7200}";
    let mut host = Host::start(Mood::Answers(TOKEN)).await;
    let gateway = Gateway::start(GatewayOptions::default()).await.unwrap();
    let mut config = config(&gateway, merchant_keys(), Verify::default());
    config.hosts.weixin = host.url.split("/v3").next().unwrap().to_owned();
    let adapter = Adapter::Wechat(Wechat::new(config).unwrap());
    let channel = Channel { adapter, address: gateway.url(), identity: None };
    let channels = Channels::new(vec![channel], &options_of_ours()).unwrap();
    let answer = channels.send(channels.prepare(ChannelId::Wechat, duty(None), wall())).await;
    assert!(answer.doubt().is_some_and(|doubt| doubt.detail.contains("steps")), "{answer:?}");
    assert_eq!(host.count(), 3);
}

#[tokio::test]
async fn complaints_are_listed_until_they_are_dealt_with() {
    let shop = Shop::new().await;
    assert_eq!(complaints::list(&shop.channels, wall()).await, Ok(Vec::new()));
    let paid = shop.pay().await;
    assert!(matches!(paid, Answer::Payment(Outcome::Paid(_))), "{paid:?}");
    let (number, control) = (number(), shop.gateway.control());
    let old = control.complained(&number, "没有出货", 40).expect("a paid order");
    for _ in 0..210 {
        let answered = control.complain(&number, "ok").expect("a paid order");
        assert!(control.answer_complaint(&answered));
    }
    let open = complaints::list(&shop.channels, wall()).await.expect("listed");
    let [complaint] = open.as_slice() else { panic!("{open:?}") };
    assert_eq!((complaint.id.as_str(), complaint.detail.as_str()), (old.as_str(), "没有出货"));
    assert_eq!(complaint.attempts, [number]);
    assert!(control.answer_complaint(&old));
    assert_eq!(complaints::list(&shop.channels, wall()).await, Ok(Vec::new()));
}

#[tokio::test]
async fn that_nobody_complains_is_never_said_without_an_answer() {
    let shop = Shop::new().await;
    let no_time = complaints::list(&shop.channels, Wall { trusted: false, ..wall() }).await;
    assert!(no_time.is_err_and(|why| why.contains("clock")));
    shop.gateway.control().set_weather(Weather::fair().with(Fault::DropReply.on(Operation::Complaints)));
    assert!(complaints::list(&shop.channels, wall()).await.is_err());
    assert!(complaints::list(&ways(), wall()).await.is_err(), "WeChat Pay is not set up");
}
