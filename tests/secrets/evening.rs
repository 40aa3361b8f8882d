//! An evening at a machine on which everything happens, with every word of it kept.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use reqwest::Method;
use sandbox::hub::{Hub, HubControl, HubOptions};
use sandbox::{Clock, Fault, Wallet};
use serde_json::{Value, json};
use till::demo::child::{Daemon, Launch};
use till::journal::Reader;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use crate::hunt::{Heard, Secrets};
use crate::shop::{PROGRAM, Shop, TEA, WATER, within};

const TERMINAL: &str = "SIM-0001";
const HOUR_MS: i64 = 3_600_000;
const WRONG_TOKEN: &str = "0ther-machines-t0ken-0123456789abcdef";

pub struct Evening {
    shop: Shop,
    port: u16,
    control: HubControl,
    _hub: Hub,
    heard: Heard,
    secrets: Secrets,
}

impl Evening {
    pub async fn open() -> Self {
        let hub = Hub::start(HubOptions::default()).await.unwrap();
        let (control, port) = (hub.control(), free_port());
        let config = config(&hub);
        let prepare = |options: &mut till::demo::scene::SceneOptions| {
            options.api_port = Some(port);
            options.extra_config = config;
        };
        let shop = Shop::open_with(prepare, Some(("RUST_BACKTRACE", "full"))).await;
        assert!(shop.scene.machine.restock("11", 50) && shop.scene.machine.restock("12", 50));
        let mut secrets = Secrets::default();
        secrets.add("the API's token", &shop.scene.api_token);
        secrets.add("the token of another machine", WRONG_TOKEN);
        secrets.add_key_file(&shop.scene.dir.join("keys/app_private_key.pem"));
        secrets.add_key_file(&shop.scene.dir.join("hub.key"));
        Self { shop, port, control, _hub: hub, heard: Heard::default(), secrets }
    }

    pub async fn buyers_pay(&mut self) {
        self.secrets.add("the buyer's account", &self.shop.wallet().user_id());
        self.shop.choose("11");
        let asked = self.shop.wallet().scan_picture(&self.shop.code_on_screen().await).unwrap();
        self.shop.wallet().confirm(&asked.id).unwrap();
        self.shop.until_free().await;

        let used = self.sells_by_code().await;
        self.refuses_code(&used).await;

        self.shop.gateway().add_weather(Fault::BuyerConfirms.on(sandbox::Method::Pay).times(1));
        let (order, _) = self.scans_a_pay_code(&self.shop.wallet()).await;
        let asked = |ledger: &sandbox::Ledger| !ledger.trades.is_empty() && !self.shop.wallet().requests().is_empty();
        self.shop.ledger_until("the phone to ask", asked).await;
        let request = self.shop.wallet().requests().remove(0);
        self.shop.wallet().confirm(&request.id).unwrap();
        self.completed(&order).await;

        let poor = self.shop.gateway().wallet_of("Poor");
        poor.set_balance_fen(0);
        self.secrets.add("a poor buyer's account", &poor.user_id());
        let (order, _) = self.scans_a_pay_code(&poor).await;
        let refused = |order: &Value| order.to_string().contains("BUYER_BALANCE_NOT_ENOUGH");
        self.shop.order_when(&order, "the refusal", refused).await;
        self.asks(Method::POST, &format!("/v1/orders/{order}/cancel"), None).await;
        self.shop.until_free().await;
    }

    /// Answers that are lost, late, forged, or that repeat what was asked.
    pub async fn answers_go_wrong(&mut self) {
        let broken = [
            Fault::DropReply,
            Fault::BadSignature,
            Fault::Unavailable { executed: true },
            Fault::HttpStatus { status: 500, executed: true },
        ];
        for fault in broken {
            self.shop.gateway().add_weather(fault.on(sandbox::Method::Pay).times(1));
            self.sells_by_code().await;
        }
        let order = self.shop.order("12", TEA, "merchant_scans").await;
        let code = self.pay_code(&self.shop.wallet());
        let echo = Fault::SubCode { sub_code: format!("ACQ.NEWS auth_code={code}"), executed: true };
        self.shop.gateway().add_weather(echo.on(sandbox::Method::Pay).times(1));
        self.shop.scene.scan(&code).unwrap();
        self.completed(&order).await;
    }

    pub async fn members_pay(&mut self) {
        let expires = Clock::system().now() + HOUR_MS;
        let member = self.control.member_code("M-1001", 5_000, expires, &[]);
        let voucher = self.control.voucher_code("V-2002", 500, expires, &[TERMINAL]);
        let expired = self.control.member_code("M-1003", 5_000, 1, &[]);
        let other = sandbox::hub::OperatorKey::from_seed(&[66; 32]);
        let forged = other.code(sandbox::hub::CodeKind::Member, "M-1001", 9_000, expires, &[]);
        for code in [&member, &voucher, &expired, &forged] {
            self.secrets.add("a member's code", code);
            self.secrets.add("the signature of a member's code", code.rsplit('.').next().unwrap());
        }
        let order = self.shop.order("11", WATER, "merchant_scans").await;
        self.shop.scene.scan(&expired).unwrap();
        self.shop.scene.scan(&forged).unwrap();
        self.shop.scene.scan(&member).unwrap();
        self.completed(&order).await;

        let order = self.shop.order("12", TEA, "merchant_scans").await;
        for code in [&expired, &forged, &format!("{voucher}x"), &voucher] {
            self.asks(Method::POST, "/v1/scans", Some(json!({"order": order, "code": code}))).await;
        }
        self.completed(&order).await;
        self.refuses_code(&voucher).await;
    }

    pub async fn somebody_scans_nonsense(&mut self) {
        let order = self.shop.order("11", WATER, "merchant_scans").await;
        let good = self.pay_code(&self.shop.wallet());
        for line in ["130000000000000042", "6212345678901234567", "0112345678901234567"] {
            self.secrets.add("another wallet's code or a bank card", line);
            self.shop.scene.scan(line).unwrap();
        }
        let stale = self.pay_code(&self.shop.wallet());
        let lines = [
            format!("{stale}{stale}"),
            format!("\u{1b}[2J{stale}\u{7}"),
            format!("{stale}\0{stale}"),
            stale.repeat(60),
            format!("${{jndi:{stale}}} {{}} %s"),
        ];
        for line in lines {
            self.shop.scene.scan(&line).unwrap();
        }
        self.shop.scene.scan_bytes(&[0xff; 600]).unwrap();
        self.shop.scene.scan_bytes(b"\r").unwrap();
        self.shop.scene.scan(&good).unwrap();
        self.completed(&order).await;
    }

    pub async fn a_program_sends_nonsense(&mut self) {
        let order = self.shop.order("11", WATER, "merchant_scans").await;
        let code = self.pay_code(&self.shop.wallet());
        let bodies = [
            format!("{{\"order\":\"{order}\",\"code\":{code}}}"),
            format!("{{\"order\":\"{order}\",\"code\":[\"{code}\"]}}"),
            format!("{{\"order\":\"{order}\",\"code\":\"{code}\""),
            format!("{{\"order\":\"{order}\",\"code\":\"{code}\",\"{code}\":1}}"),
            format!("{{\"order\":\"{order}\",\"auth_code\":\"{code}\"}}"),
            format!("{{\"order\":{code},\"code\":\"{code}\"}}"),
            format!("{{\"order\":\"{code}\",\"code\":\"{order}\"}}"),
            format!("{{\"order\":\"{order}\",\"code\":\"{}\"}}", code.repeat(4_000)),
            format!("{{\"amount\":{code},\"currency\":\"{code}\"}}"),
            format!("{{\"amount\":200,\"currency\":\"{code}\"}}"),
            format!("{{\"amount\":200,\"currency\":\"CNY\",\"who_scans\":\"{code}\"}}"),
            format!("{{\"amount\":200,\"currency\":\"CNY\",\"items\":[{{\"slot\":\"{code}\"}}]}}"),
            code.clone(),
            format!("{}{code}", "[".repeat(200)),
        ];
        for body in &bodies {
            for path in ["/v1/scans", "/v1/orders", "/v1/cash-sales"] {
                self.posts(path, "Idempotency-Key: k\r\n", body).await;
            }
        }
        for path in [
            format!("/v1/orders/{code}"),
            format!("/v1/orders?number={code}"),
            format!("/v1/orders?cursor={code}"),
            format!("/v1/orders?{code}=1"),
            format!("/v1/orders?state={code}"),
            format!("/v1/faults/{code}"),
            format!("/{code}"),
        ] {
            for method in ["GET", "PUT", "DELETE", "POST"] {
                self.knocks(&format!("{method} {path} HTTP/1.1\r\nHost: till\r\nConnection: close\r\n\r\n")).await;
            }
        }
        self.knocks(&format!("{code} {code} {code}\r\n\r\n")).await;
        self.knocks(&format!("GET / HTTP/1.1\r\n{code}: {code}\r\n {code}\r\n\r\n")).await;
        self.asks(Method::POST, &format!("/v1/orders/{order}/cancel"), None).await;
        self.shop.until_free().await;
    }

    pub async fn strangers_knock_at_the_port(&mut self) {
        let token = self.shop.scene.api_token.clone();
        let nearly = &token[..token.len() - 1];
        let heads = [
            String::new(),
            format!("Authorization: Bearer {WRONG_TOKEN}\r\n"),
            format!("Authorization: Basic {token}\r\n"),
            format!("Authorization: Bearer {token}{WRONG_TOKEN}\r\n"),
            format!("Authorization: Bearer  {token}\r\n"),
            format!("X-Token: {token}\r\n"),
            format!("Cookie: token={token}\r\n"),
            format!("Authorization: Bearer {token}\r\nX-Filler: {}\r\n", "x".repeat(9_000)),
        ];
        for path in ["/v1/terminal".to_owned(), format!("/metrics?token={token}"), format!("/{nearly}/{token}")] {
            for head in &heads {
                let request = format!("GET {path} HTTP/1.1\r\nHost: till\r\nConnection: close\r\n{head}\r\n");
                let door = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.unwrap();
                let answer = exchange(door, &request).await;
                // What a caller with the right token asks for is repeated to that caller alone.
                if !request.contains(&format!("Bearer {token}\r\n")) {
                    self.heard.add("an answer of the port", answer);
                }
            }
        }
    }

    pub async fn money_goes_back(&mut self) {
        let order = self.sells_order("12", TEA).await;
        self.till(&["refund", &order, "--amount", "1.00"]).await;
        self.till(&["refund", &order]).await;
        self.shop.order_until(&order, &["refunded"]).await;
        self.shop.scene.machine.jam("11");
        let (order, _) = self.scans_a_pay_code(&self.shop.wallet()).await;
        self.shop.order_until(&order, &["refunded"]).await;
        self.till(&["faults", "clear", "slot-11"]).await;
        self.shop.until_free().await;
    }

    pub async fn the_hub_has_it_all(&mut self) {
        let code = self.control.join_code();
        let wrong = "no-such-c0de-for-this-machine";
        self.secrets.add("the code to join the hub", &code);
        self.secrets.add("a wrong code to join the hub", wrong);
        let config = self.shop.scene.config_path.display().to_string();
        for code in [wrong, &code] {
            self.till(&["hub", "join", "--code", code, "--config", &config]).await;
        }
        self.till(&["hub", "key", "--config", &config]).await;
        let reader = Reader::open(&self.shop.scene.journal_path).unwrap();
        let newest = reader.sync_status().await.unwrap().newest;
        within("the hub", self.control.until(|books| books.acknowledged(TERMINAL) >= newest)).await;
        for entry in self.control.entries(TERMINAL) {
            self.heard.add("an entry at the hub", format!("{entry:?}"));
        }
    }

    pub async fn it_is_killed_and_comes_back(&mut self) {
        self.shop.gateway().add_weather(Fault::SlowReply(2_000).on(sandbox::Method::Pay).times(1));
        let before = self.shop.gateway().ledger().trades.len();
        self.scans_a_pay_code(&self.shop.wallet()).await;
        self.shop.ledger_until("the charge", |ledger| ledger.trades.len() > before).await;
        self.shop.daemon.kill().await.unwrap();
        self.shop.daemon.last_words().await;
        self.shop.restart().await;
        self.shop.until_free().await;
    }

    /// Its message holds all that the engine knows, while a buyer's code is on its way.
    pub async fn it_panics_and_comes_back(&mut self) {
        self.shop.daemon.stop().await.unwrap();
        self.shop.daemon.last_words().await;
        let launch = Launch::on(PROGRAM, &self.shop.scene).with("TILL_CRASH", "panic").with("RUST_BACKTRACE", "full");
        self.shop.daemon = Daemon::start(&launch).unwrap();
        within("the daemon", self.shop.daemon.ready()).await.unwrap();
        for fault in ["machine", "scanner"] {
            self.shop.fault_until(fault, false).await;
        }
        self.scans_a_pay_code(&self.shop.wallet()).await;
        let ended = within("the panic", self.shop.daemon.ended()).await.unwrap();
        assert!(!ended.success());
        let words = self.shop.daemon.last_words().await;
        self.heard.add("the last words", words);
        self.shop.restart().await;
        self.shop.until_free().await;
    }

    pub async fn the_technician_asks(&mut self) {
        let config = self.shop.scene.config_path.display().to_string();
        let board = self.shop.scene.board_path.display().to_string();
        let journal = self.shop.scene.journal_path.display().to_string();
        let newest = self.shop.newest_order().await;
        let code = self.pay_code(&self.shop.wallet());
        let files = ["--config", &config, "--board", &board];
        let commands: [&[&str]; 10] = [
            &["status"],
            &["orders"],
            &["order", &newest],
            &["order", &code],
            &["queue"],
            &["queue", "flush"],
            &["doctor", "--journal", &journal, "--board", &board, "--config", &config],
            &["check", files[0], files[1], files[2], files[3]],
            &["journal", "export", &journal],
            &["journal", "verify", &journal],
        ];
        for command in commands {
            self.till(command).await;
            self.till(&[command, &["--json"]].concat()).await;
        }
        self.till(&["journal", "export", "--csv", &journal]).await;
        for path in ["/v1/terminal", "/v1/orders?limit=500", "/v1/queue", "/metrics", "/healthz"] {
            self.asks(Method::GET, path, None).await;
        }
        for order in self.shop.get("/v1/orders?limit=500").await["orders"].as_array().unwrap() {
            self.asks(Method::GET, &format!("/v1/orders/{}", order["id"].as_str().unwrap()), None).await;
        }
        let door = UnixStream::connect(&self.shop.scene.socket_path).await.unwrap();
        let events = "GET /v1/events?after=0 HTTP/1.1\r\nHost: till\r\n\r\n";
        self.heard.add("the events", exchange(door, events).await);
        self.checks_configs_with_secrets_in_them().await;
    }

    /// People paste keys where the paths belong.
    async fn checks_configs_with_secrets_in_them(&mut self) {
        let key = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
        let aes = "aa4BtZ4tspm2wnXLb1ThQA==";
        self.secrets.add("a key in the config", key);
        self.secrets.add("an AES key in the config", aes);
        let sound = std::fs::read_to_string(&self.shop.scene.config_path).unwrap();
        let (path, board) = (self.shop.scene.dir.join("keys/pasted.toml"), self.shop.scene.board_path.clone());
        for line in [
            format!("private_key = \"{key}\""),
            format!("private_key_file = \"{key}\""),
            format!("private_key_file = \"{key}"),
            format!("aes_key = \"{aes}\""),
            format!("aes_key_file = \"{aes}\""),
            format!("aes_key = {aes}"),
        ] {
            let text = sound.replacen("[channels.alipay]", &format!("[channels.alipay]\n{line}"), 1);
            assert_ne!(text, sound);
            std::fs::write(&path, text).unwrap();
            let (path, board) = (path.display().to_string(), board.display().to_string());
            self.till(&["check", "--config", &path, "--board", &board]).await;
            self.till(&["run", "--config", &path, "--board", &board]).await;
        }
    }

    /// Ends it all; what was said and written, and what nobody may have said.
    pub async fn closes(mut self) -> (Heard, Secrets) {
        self.shop.daemon.stop().await.unwrap();
        self.shop.daemon.last_words().await;
        let dir = &self.shop.scene.dir;
        self.heard.add_folder(dir, &[&dir.join("keys"), &dir.join("hub.key")]);
        (self.heard, self.secrets)
    }

    // ---- what is done again and again ----

    fn pay_code(&mut self, wallet: &Wallet) -> String {
        let code = wallet.pay_code();
        self.secrets.add("a pay code", &code);
        code
    }

    async fn scans_a_pay_code(&mut self, wallet: &Wallet) -> (String, String) {
        let order = self.shop.order("11", WATER, "merchant_scans").await;
        let code = self.pay_code(wallet);
        self.shop.scene.scan(&code).unwrap();
        (order, code)
    }

    async fn completed(&self, order: &str) {
        self.shop.order_until(order, &["completed"]).await;
        self.shop.until_free().await;
    }

    async fn sells_by_code(&mut self) -> String {
        let (order, code) = self.scans_a_pay_code(&self.shop.wallet()).await;
        self.completed(&order).await;
        code
    }

    async fn sells_order(&mut self, slot: &str, amount: i64) -> String {
        let order = self.shop.order(slot, amount, "merchant_scans").await;
        let code = self.pay_code(&self.shop.wallet());
        self.shop.scene.scan(&code).unwrap();
        self.completed(&order).await;
        order
    }

    /// A code that was used is shown again.
    async fn refuses_code(&mut self, code: &str) {
        let order = self.shop.order("11", WATER, "merchant_scans").await;
        let status = self.asks(Method::POST, "/v1/scans", Some(json!({"order": order, "code": code}))).await;
        assert_eq!(status, 409);
        self.asks(Method::POST, &format!("/v1/orders/{order}/cancel"), None).await;
        self.shop.until_free().await;
    }

    /// Asks the API and keeps the answer.
    async fn asks(&mut self, method: Method, path: &str, body: Option<Value>) -> u16 {
        let (status, answer) = self.shop.call(method, path, body).await;
        self.heard.add(format!("the answer {status} to {path}"), answer.to_string());
        status
    }

    async fn posts(&mut self, path: &str, head: &str, body: &str) {
        let length = body.len();
        self.knocks(&format!(
            "POST {path} HTTP/1.1\r\nHost: till\r\nConnection: close\r\nContent-Type: application/json\r\n{head}Content-Length: {length}\r\n\r\n{body}"
        ))
        .await;
    }

    /// Sends bytes to the socket and keeps what comes back.
    async fn knocks(&mut self, request: &str) {
        let door = UnixStream::connect(&self.shop.scene.socket_path).await.unwrap();
        let answer = exchange(door, request).await;
        assert!(!answer.is_empty(), "no answer");
        self.heard.add("an answer of the socket", answer);
    }

    /// Runs a command and keeps what it printed.
    async fn till(&mut self, arguments: &[&str]) {
        let mut command = tokio::process::Command::new(PROGRAM);
        command.args(arguments).env("TILL_SOCKET", &self.shop.scene.socket_path);
        command.env("STATE_DIRECTORY", &self.shop.scene.dir).env("RUNTIME_DIRECTORY", &self.shop.scene.dir);
        let output = within("a command", command.output()).await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(!said.is_empty(), "{} said nothing", arguments[0]);
        self.heard.add(format!("`till {}`", arguments[0]), said);
    }
}

fn config(hub: &Hub) -> String {
    use base64::Engine as _;
    let operator = base64::engine::general_purpose::STANDARD.encode(hub.control().operator_public_key());
    format!(
        "[log]\nlevel = \"trace\"\n[hub]\nurl = \"http://127.0.0.1:{}\"\n[operator]\npublic_key = \"{operator}\"\n\
         [vouchers]\nper_sale_max = \"50.00\"\nunsettled_max = \"500.00\"\n",
        hub.port()
    )
}

/// A port that is free now; nobody else asks for one in that moment.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    listener.local_addr().unwrap().port()
}

/// Sends a request and reads until the other side has said all, or says nothing more.
async fn exchange(mut door: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> Vec<u8> {
    // A door that shuts early has answered before.
    let _sent = door.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ended = tokio::time::timeout(Duration::from_secs(2), door.read_to_end(&mut answer)).await;
    answer
}
