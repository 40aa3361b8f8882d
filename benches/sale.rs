//! What a sale costs in computing: the engine, the signature, the reply, the picture.
//!
//! `cargo bench --bench sale`. Every figure stands beside a bare RSA-2048 signature made in the same run, so that it can
//! be read as a ratio on any machine. The journal's commit has its own bench, beside a bare flush.
#![expect(clippy::unwrap_used, reason = "a bench that cannot run shall say so and stop")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use payment::channel::alipay::{Alipay, Config, Verify};
use payment::channel::outcome::{CodeAnswer, Details, Outcome, Receipt};
use payment::channel::route::Routes;
use payment::channel::{Answer, ChannelId, Decoded, GoodsRow, Offer, Request};
use payment::engine::Engine;
use payment::engine::effect::{Call, Effect};
use payment::engine::entry::{SlotId, VendResult, WhoScans};
use payment::engine::input::{Input, Key};
use payment::engine::settings::{Pace, Product, Settings};
use payment::engine::view::{CodeView, View};
use payment::ids::{AttemptId, IdMint};
use payment::money::Fen;
use payment::redact::{PayCode, Secret};
use payment::time::{Mono, Now, Wall};
use till::screen::{self, Language, Look};

const CODE: &str = "https://qr.alipay.com/bavh4wjlxf12tper3a";

fn now(ms: u64) -> Now {
    Now { mono: Mono(ms), wall: Wall { ms: 1_800_000_000_000, trusted: true } }
}

fn settings() -> Settings {
    let product = Product { code: "cola".into(), name: "可乐 330ml".into(), price: Fen::new(350) };
    Settings {
        products: [(SlotId::new("11").unwrap(), product)].into(),
        channels: vec![ChannelId::Alipay],
        who_scans: WhoScans::BuyerScans,
        has_scanner: false,
        pace: Pace::default(),
        routes: Routes::default_for(&[ChannelId::Alipay]),
        ..Settings::default()
    }
}

/// One sale at the keypad: chosen, code shown, paid at the first query, delivered. Returns the effects carried out.
fn sell(engine: &mut Engine) -> usize {
    let mut clock = 1_000_000;
    let mut effects = carry_out(engine, clock);
    for key in [Key::Digit(1), Key::Digit(1), Key::Ok] {
        engine.handle(now(clock), Input::Key(key)).unwrap();
    }
    for _wake in 0..100 {
        effects += carry_out(engine, clock);
        if matches!(engine.view(Mono(clock)), View::Thanks { .. }) {
            engine.handle(now(clock), Input::Key(Key::Ok)).unwrap();
            return effects;
        }
        clock = engine.poll_timeout().unwrap().0.0;
        engine.handle(now(clock), Input::Timer).unwrap();
    }
    unreachable!("nothing was sold: {:?}", engine.view(Mono(clock)))
}

fn carry_out(engine: &mut Engine, clock: u64) -> usize {
    let mut effects = 0;
    while let Some(effect) = engine.poll_effect() {
        effects += 1;
        if let Some(answer) = answer_to(effect) {
            engine.handle(now(clock), answer).unwrap();
        }
    }
    effects
}

fn answer_to(effect: Effect) -> Option<Input> {
    match effect {
        Effect::Record(_) | Effect::ProbeJournal => Some(Input::Recorded),
        Effect::Call(call) => Some(Input::Answered { call: call.id, answer: channel_says(&call) }),
        Effect::Vend(vend) => {
            Some(Input::Vended { job: vend.job, result: VendResult::Dropped, drops: None, taken: None })
        }
        Effect::ArmScanner(_)
        | Effect::Lamp(_)
        | Effect::Beep(_)
        | Effect::TurnAway
        | Effect::Raised(_)
        | Effect::Cleared(_) => None,
    }
}

fn channel_says(call: &Call) -> Answer {
    match &call.request {
        Request::ShowCode(_) => Answer::Code(CodeAnswer::Ready(CODE.to_owned())),
        Request::Probe => Answer::Reachable(true),
        Request::TakeCode(..)
        | Request::Query(_)
        | Request::Cancel(_)
        | Request::Close(_)
        | Request::Refund(_)
        | Request::RefundQuery(_)
        | Request::Duty(_) => Answer::Payment(Outcome::Paid(Receipt {
            trade_no: "2025060122001400001".into(),
            amount: Fen::new(350),
            paid_at: None,
            buyer: None,
            details: Details::default(),
        })),
    }
}

fn vectors() -> serde_json::Value {
    serde_json::from_str(include_str!("../payment/tests/vectors/alipay.json")).unwrap()
}

fn alipay(vectors: &serde_json::Value) -> Alipay {
    let key = |whose: &str, form: &str| vectors["keys"][whose][form].as_str().unwrap().to_owned();
    Alipay::new(Config {
        gateway_url: "https://openapi.alipay.com/gateway.do".into(),
        app_id: "2021000000000001".into(),
        private_key: Secret::new(key("app", "pkcs8_pem")),
        verify: Verify::PublicKey(key("alipay", "public_spki_pem")),
        app_auth_token: None,
        seller_id: None,
        store_id: None,
        alipay_store_id: None,
        smid: None,
        terminal_id: Some("VM0001".into()),
        operator_id: None,
        product_code: None,
        sys_service_provider_id: None,
        notify_url: None,
        aes_key: None,
        disable_pay_channels: None,
        enable_pay_channels: None,
    })
    .unwrap()
}

fn offer(attempt: AttemptId) -> Offer {
    let row = GoodsRow { code: "cola".into(), name: "可乐 330ml".into(), quantity: 1, price: Fen::new(350) };
    Offer {
        attempt,
        amount: Fen::new(350),
        subject: "可乐 330ml".into(),
        goods: vec![row],
        valid_ms: 180_000,
        begun: now(0).wall,
        wallet: None,
        instalment: None,
    }
}

fn engine_sale(criterion: &mut Criterion) {
    let mut engine = Engine::restore(settings(), IdMint::new([1; 32]), now(0), &[], Vec::new());
    println!("one sale at the keypad carries out {} effects", sell(&mut engine));
    criterion.bench_function("one sale through the engine", |bencher| bencher.iter(|| sell(&mut engine)));
}

fn protocol(criterion: &mut Criterion) {
    let vectors = vectors();
    let alipay = alipay(&vectors);
    let wall = now(0).wall;
    let attempt = AttemptId::from_entropy([7; 16]);

    let key = payment::channel::keys::PrivateKey::load(vectors["keys"]["app"]["pkcs8_pem"].as_str().unwrap());
    let key = key.unwrap();
    let text = [b'x'; 700];
    criterion.bench_function("floor: bare RSA-2048 signature", |bencher| {
        bencher.iter(|| key.sign_sha256(black_box(&text)));
    });
    let precreate = Request::ShowCode(offer(attempt));
    criterion.bench_function("encode and sign precreate", |bencher| {
        bencher.iter(|| alipay.encode(black_box(&precreate), wall));
    });
    let pay = Request::TakeCode(offer(attempt), PayCode::new("285000000000000017"));
    criterion.bench_function("encode and sign pay", |bencher| bencher.iter(|| alipay.encode(black_box(&pay), wall)));

    let sample = vectors["response_verify"].as_array().unwrap().iter().find(|case| case["id"] == "resp-precreate-ok");
    let body = sample.unwrap()["raw_body"].as_str().unwrap().as_bytes();
    criterion.bench_function("decode and verify a precreate reply", |bencher| {
        bencher.iter(|| match alipay.decode(black_box(&precreate), 200, body) {
            Decoded::Answer(answer) => answer,
            Decoded::UnknownKey { .. } | Decoded::EncodeAgain => unreachable!("key mode"),
        });
    });
}

fn picture(criterion: &mut Criterion) {
    let view = View::Pay {
        name: "可乐 330ml".into(),
        amount: Fen::new(350),
        seconds_left: 88,
        codes: vec![CodeView { wallet: None, text: CODE.into() }],
        plans: Vec::new(),
        code_coming: false,
        wallets: vec![ChannelId::Alipay],
        codes_only: None,
        scanner: true,
        trouble: None,
    };
    let look = Look { language: Language::Chinese, merchant: "示例商店".into(), support: None };
    for (width, height) in [(240, 240), (480, 320), (800, 480)] {
        let mut frame = hal::display::Frame::new(width, height);
        criterion.bench_function(&format!("code to frame, {width}x{height}"), |bencher| {
            bencher.iter(|| screen::draw(black_box(&view), &look, &mut frame));
        });
    }
}

criterion_group!(sale, engine_sale, protocol, picture);
criterion_main!(sale);
