//! A shop for one test: gateway, wallet, machine, scanner, and the daemon as a child process.

use std::time::Duration;

use hal::Key;
use hal::board::BoardSpec;
use hal::display::Frame;
use hal::sim::machine::MachineState;
use payment::engine::view::View;
use reqwest::Method;
use sandbox::{Control, Ledger, Wallet};
use serde_json::{Value, json};
use till::demo::child::{Daemon, Launch};
use till::demo::scene::{Scene, SceneOptions};

/// Nothing in a test takes this long; it only ends a test that would hang.
const LIMIT: Duration = Duration::from_secs(60);

/// How long a test that looks at the daemon from outside waits for an event before it looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The price of slot 11, in fen.
pub const WATER: i64 = 200;
/// The price of slot 12, in fen.
pub const TEA: i64 = 450;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_till");

pub struct Shop {
    pub scene: Scene,
    pub daemon: Daemon,
    client: reqwest::Client,
    _dir: tempfile::TempDir,
}

impl Shop {
    pub async fn open() -> Self {
        Self::open_with(|_| {}, None).await
    }

    /// A shop with other options, or with a variable more in the daemon's environment.
    pub async fn open_with(change: impl FnOnce(&mut SceneOptions), variable: Option<(&str, &str)>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = SceneOptions::quick(dir.path());
        change(&mut options);
        let scene = Scene::set(options).await.unwrap();
        let mut launch = Launch::on(PROGRAM, &scene);
        if let Some((name, value)) = variable {
            launch = launch.with(name, value);
        }
        let daemon = Daemon::start(&launch).unwrap();
        // The socket has no TLS, and the library wants to know by what it would be done; a second word is not taken.
        let _second = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().unix_socket(scene.socket_path.clone()).build().unwrap();
        let mut shop = Self { scene, daemon, client, _dir: dir };
        shop.until_ready().await;
        shop
    }

    /// Waits until the daemon sells: it is ready, and the machine's keys and its scanner are connected.
    async fn until_ready(&mut self) {
        within("the daemon", self.daemon.ready()).await.unwrap();
        let wired = wired_inputs(&self.scene);
        self.machine_until("the keypad", |machine| machine.inputs_read == wired).await;
        for fault in ["machine", "scanner"] {
            self.fault_until(fault, false).await;
        }
    }

    /// Starts the daemon again after it died, without anything special in its environment.
    pub async fn restart(&mut self) {
        self.daemon = Daemon::start(&Launch::on(PROGRAM, &self.scene)).unwrap();
        self.until_ready().await;
    }

    /// Waits until a fault stands, or no longer does.
    pub async fn fault_until(&self, name: &str, stands: bool) {
        let mut events = Events::of(&self.client).await;
        within(&format!("fault {name} to be {stands}"), async {
            loop {
                let terminal = self.get("/v1/terminal").await;
                let faults = terminal["faults"].as_array().unwrap_or_else(|| panic!("{terminal}"));
                if faults.iter().any(|fault| fault["name"] == name) == stands {
                    return;
                }
                events.next_or_soon().await;
            }
        })
        .await;
    }

    /// Waits until the machine is free for the next customer.
    pub async fn until_free(&self) {
        let mut events = Events::of(&self.client).await;
        within("a free machine", async {
            while self.get("/v1/terminal").await["order"].is_string() {
                events.next_or_soon().await;
            }
        })
        .await;
    }

    pub fn gateway(&self) -> Control {
        self.scene.gateway.control()
    }

    pub fn wallet(&self) -> Wallet {
        self.gateway().wallet()
    }

    // ---- the machine ----

    /// Types a slot and buys it.
    pub fn choose(&self, slot: &str) {
        choose(&self.scene, slot);
    }

    pub fn press(&self, key: Key) {
        assert!(self.scene.machine.press(key), "the board has no key {key:?}");
    }

    /// Waits until the machine shows a code that a phone can read; the picture as PNG.
    pub async fn code_on_screen(&self) -> Vec<u8> {
        within("a code on the screen", code_on(&self.scene)).await
    }

    /// Waits until the panel shows no code any more.
    pub async fn until_no_code_is_shown(&self) {
        let mut frames = self.scene.machine.frames();
        let dark = |frame: &Option<std::sync::Arc<Frame>>| frame.as_deref().is_none_or(|frame| decode(frame).is_none());
        within("a screen without a code", async { frames.wait_for(dark).await.map(|_| ()).unwrap() }).await;
    }

    /// Waits until the machine shows this.
    pub async fn until_shown(&self, what: &str, view: &View) {
        let (language, merchant) = (till::screen::Language::English, till::demo::scene::MERCHANT.to_owned());
        let look = till::screen::Look { language, merchant, support: Some("400-000-0000".to_owned()) };
        let mut frames = self.scene.machine.frames();
        let shows_it = |frame: &Option<std::sync::Arc<Frame>>| {
            frame.as_deref().is_some_and(|frame| {
                let mut wanted = Frame::new(frame.width(), frame.height());
                let Ok(()) = till::screen::draw(view, &look, &mut wanted);
                wanted.to_rgb() == frame.to_rgb()
            })
        };
        within(what, async { frames.wait_for(shows_it).await.map(|_| ()).unwrap() }).await;
    }

    /// Waits until the machine is in a state.
    pub async fn machine_until(&self, what: &str, wished: impl Fn(&MachineState) -> bool) -> MachineState {
        let mut states = self.scene.machine.subscribe();
        within(what, async { states.wait_for(|state| wished(state)).await.unwrap().clone() }).await
    }

    pub fn fallen(&self) -> u64 {
        self.scene.machine.state().drops
    }

    // ---- the gateway ----

    pub async fn ledger_until(&self, what: &str, wished: impl Fn(&Ledger) -> bool) -> Ledger {
        match tokio::time::timeout(LIMIT, self.gateway().until(wished)).await {
            Ok(ledger) => ledger,
            Err(_) => panic!(
                "waited in vain for {what}: {:#}\n{:#?}\n{:?}\n{:#}",
                self.get(&format!("/v1/orders/{}", self.newest_order().await)).await,
                self.gateway().ledger(),
                self.daemon.log().borrow(),
                self.get("/v1/terminal").await
            ),
        }
    }

    // ---- the command line ----

    /// What `till` says to these words; it must succeed.
    pub async fn till(&self, words: &[&str]) -> String {
        let mut command = tokio::process::Command::new(PROGRAM);
        let output = command.arg("--socket").arg(&self.scene.socket_path).args(words).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{words:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    // ---- the API ----

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        self.call_with_key(method, path, body, None).await
    }

    pub async fn call_with_key(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        key: Option<&str>,
    ) -> (u16, Value) {
        let mut request = self.client.request(method, format!("http://till{path}"));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, None).await.1
    }

    /// Orders one item of a slot through the API; the order's number.
    pub async fn order(&self, slot: &str, amount: i64, who_scans: &str) -> String {
        let body = json!({"amount": amount, "currency": "CNY", "items": [{"slot": slot}], "who_scans": who_scans});
        let (status, order) = self.call(Method::POST, "/v1/orders", Some(body)).await;
        assert_eq!(status, 201, "{order}");
        order["id"].as_str().unwrap().to_owned()
    }

    /// The newest order's number, as soon as there is an order.
    pub async fn newest_order(&self) -> String {
        let mut events = Events::of(&self.client).await;
        within("an order", async {
            loop {
                let orders = self.get("/v1/orders?limit=1").await;
                if let Some(id) = orders["orders"][0]["id"].as_str() {
                    return id.to_owned();
                }
                events.next_or_soon().await;
            }
        })
        .await
    }

    /// Waits until money and goods are at rest, or the daemon died before that.
    pub async fn died_before_rest(&mut self) -> bool {
        let gateway = self.gateway();
        let Self { daemon, client, .. } = self;
        tokio::select! {
            ended = daemon.ended() => ended.is_ok(),
            () = within("money and goods at rest", until_rest(client, &gateway)) => false,
        }
    }

    /// Waits until money and goods are at rest.
    pub async fn until_rest(&self) {
        let rest = tokio::time::timeout(LIMIT, until_rest(&self.client, &self.gateway())).await;
        if rest.is_err() {
            panic!("no rest: {:#}\n{:?}", self.get("/v1/orders?limit=1").await, self.daemon.log().borrow());
        }
    }

    /// Waits until an order is in one of these states; the order.
    pub async fn order_until(&self, order: &str, states: &[&str]) -> Value {
        self.order_when(order, &format!("{states:?}"), |order| {
            order["state"].as_str().is_some_and(|state| states.contains(&state))
        })
        .await
    }

    /// Waits for entries of the journal until an order is as wished.
    pub async fn order_when(&self, order: &str, what: &str, wished: impl Fn(&Value) -> bool) -> Value {
        let mut events = Events::of(&self.client).await;
        let path = format!("/v1/orders/{order}");
        within(what, async {
            loop {
                let now = self.get(&path).await;
                if wished(&now) {
                    return now;
                }
                events.next_or_soon().await;
            }
        })
        .await
    }
}

/// The daemon's event stream, to look again when something happened.
struct Events(Option<reqwest::Response>);

impl Events {
    async fn of(client: &reqwest::Client) -> Self {
        Self(client.get("http://till/v1/events").send().await.ok())
    }

    /// Waits for the next event. Not every change is an entry of the journal, so it does not wait long.
    async fn next_or_soon(&mut self) {
        let event = async {
            match &mut self.0 {
                Some(events) => events.chunk().await.ok().flatten(),
                None => None,
            }
        };
        if let Ok(None) = tokio::time::timeout(LOOK_AGAIN, event).await {
            self.0 = None;
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// How many keys and drop sensors the board wires: pressing before they are read would press on nothing.
fn wired_inputs(scene: &Scene) -> usize {
    let board = BoardSpec::read(&scene.board_path).unwrap();
    board.keypad.keys.len() + board.vend.drop_sensor.iter().len()
}

/// Types a slot and buys it.
pub fn choose(scene: &Scene, slot: &str) {
    for digit in slot.bytes() {
        assert!(scene.machine.press(Key::Digit(digit - b'0')));
    }
    assert!(scene.machine.press(Key::Ok));
}

/// Waits until the machine shows a code that a phone can read; the picture as PNG.
pub async fn code_on(scene: &Scene) -> Vec<u8> {
    let mut frames = scene.machine.frames();
    loop {
        let frame = frames.borrow_and_update().clone();
        if let Some(frame) = frame
            && decode(&frame).is_some()
        {
            return frame.to_png().unwrap();
        }
        frames.changed().await.unwrap();
    }
}

/// Waits, but not for ever.
pub async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, wait).await {
        Ok(done) => done,
        Err(_) => panic!("waited {LIMIT:?} in vain for {what}"),
    }
}

/// The text of the code in a picture, by a decoder that shares nothing with the encoder.
pub fn decode(frame: &Frame) -> Option<String> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let rgb = frame.to_rgb();
    let grey = |x: usize, y: usize| rgb[(y * width + x) * 3 + 1];
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    let (_, text) = image.detect_grids().first()?.decode().ok()?;
    Some(text)
}

const OVER: [&str; 5] = ["completed", "cancelled", "expired", "failed", "refunded"];

/// Waits until every order is over. One that is only watched for a late payment, and not paid, is at rest too: its code
/// lives for minutes.
async fn until_rest(client: &reqwest::Client, gateway: &Control) {
    let mut events = Events::of(client).await;
    loop {
        if let Ok(response) = client.get("http://till/v1/orders?limit=10").send().await {
            let list: Value = serde_json::from_str(&response.text().await.unwrap_or_default()).unwrap_or_default();
            let settled = gateway.ledger().net_fen() == 0;
            let at_rest = |order: &Value| {
                let state = order["state"].as_str().unwrap_or_default();
                OVER.contains(&state) || (state == "cancelling" && settled)
            };
            if list["orders"].as_array().is_some_and(|orders| orders.iter().all(at_rest)) {
                return;
            }
        }
        events.next_or_soon().await;
    }
}
