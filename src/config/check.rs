//! From what is written to what the daemon runs with. Every check goes on after a problem, so that one look at the report is
//! enough; what could not be used is replaced by its default, which no daemon ever sees.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use hal::board::BoardSpec;
use payment::channel::alipay::cert::Certificate;
use payment::redact::Secret;
use serde::Serialize;
use serde_json::Value;

use super::checked::{
    ApiConfig, Base, Checked, HttpConfig, Mode, PrintReceipts, RetentionConfig, TcpConfig, TerminalConfig,
};
use super::effective::{Effective, Origin};
use super::gateway::Ground;
use super::keys::{self, Readers};
use super::raw::{self, Raw, Written};
use super::report::Report;
use super::showing::Showing;
use super::source::{At, Findings, Layer};
use super::{Env, alipay, channels, goods, hub, later, pace, sell, selling};

/// The shortest token: 32 characters of hex are 128 bits.
const SHORTEST_TOKEN: usize = 32;

const MIB: u64 = 1 << 20;

/// Everything that a check needs at hand.
pub(super) struct Checker<'f, 's> {
    pub(super) found: &'f mut Findings<'s>,
    pub(super) env: &'f Env,
    pub(super) effective: Effective,
}

/// What a text may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    longest: usize,
    blanks: bool,
}

impl Text {
    /// Words for people, up to so many characters.
    pub(super) const fn words(longest: usize) -> Self {
        Self { longest, blanks: true }
    }

    /// A number or a code, up to so many characters, without blanks.
    pub(super) const fn token(longest: usize) -> Self {
        Self { longest, blanks: false }
    }

    fn allows(self, text: &str) -> bool {
        let has_length = (1..=self.longest).contains(&text.chars().count()) && !text.trim().is_empty();
        has_length && !text.chars().any(|c| c.is_control() || (c.is_whitespace() && !self.blanks))
    }
}

impl Checker<'_, '_> {
    /// What gateways are checked against.
    pub(super) const fn ground(&self, mode: Mode) -> Ground {
        Ground { mode, sandbox_built: self.env.sandbox_built }
    }

    fn note(&mut self, at: &At, value: &impl Serialize, otherwise: Origin) {
        let origin = at.span.as_ref().map_or(otherwise, |span| {
            let (line, _) = self.found.layer(span.layer).position(span.bytes.start);
            match span.layer {
                Layer::Base => Origin::Line(line),
                Layer::Overlay => Origin::HubLine(line),
            }
        });
        self.effective.add(&at.key, serde_json::to_value(value).unwrap_or(Value::Null), origin);
    }

    /// A key that must be there.
    pub(super) fn required<T: Serialize>(
        &mut self,
        written: Option<Written<T>>,
        at: At,
        advice: &str,
    ) -> Option<Written<T>> {
        if written.is_none() {
            self.found.missing(&at, advice);
        }
        self.optional(written)
    }

    /// A key that may be absent.
    pub(super) fn optional<T: Serialize>(&mut self, written: Option<Written<T>>) -> Option<Written<T>> {
        if let Some(Written { value, at }) = &written {
            self.note(at, value, Origin::Default);
        }
        written
    }

    /// A default that comes from the board or from another setting.
    pub(super) fn derived<T: Serialize>(&mut self, at: At, value: T) -> T {
        self.note(&at, &value, Origin::Derived);
        value
    }

    /// A key with a default.
    pub(super) fn choice<T: Serialize>(&mut self, written: Option<Written<T>>, at: At, default: T) -> T {
        let Written { value, at } = written.unwrap_or(Written { value: default, at });
        self.note(&at, &value, Origin::Default);
        value
    }

    /// A number with a default and a range.
    pub(super) fn number(
        &mut self,
        written: Option<Written<u64>>,
        at: At,
        default: u64,
        range: RangeInclusive<u64>,
        unit: &str,
    ) -> u64 {
        let place = written.as_ref().map(|written| written.at.clone());
        let value = self.choice(written, at, default);
        match place {
            Some(at) if !range.contains(&value) => {
                let advice = format!("use {} to {} {unit}; the default is {default}", range.start(), range.end());
                self.found.error(&at, format!("{value} {unit} is out of range"), advice);
                default
            }
            Some(_) | None => value,
        }
    }

    /// A text within its bounds. The caller has it noted already, or does not want it noted.
    pub(super) fn text(&mut self, written: Written<String>, allowed: Text) -> Option<Written<String>> {
        let fits = allowed.allows(&written.value);
        if !fits {
            let blanks = if allowed.blanks { "no line breaks or control characters" } else { "no blanks" };
            let problem =
                format!("this text is empty, too long, or has characters that do not belong in {}", written.at.key);
            self.found.error(&written.at, problem, format!("use 1 to {} characters and {blanks}", allowed.longest));
        }
        fits.then_some(written)
    }

    /// A path; a relative one starts from the folder of the config file.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.found.source.folder().join(path)
    }

    /// A path with a default under a folder that the environment may name.
    pub(super) fn path(
        &mut self,
        written: Option<Written<String>>,
        at: At,
        default: PathBuf,
        variable: Option<&'static str>,
    ) -> PathBuf {
        match written {
            Some(Written { value, at }) => {
                if value.is_empty() {
                    self.found.error(&at, "this path is empty", "name a file, or leave the key out for the default");
                }
                let path = self.resolve(&value);
                self.note(&at, &path, Origin::Default);
                path
            }
            None => {
                self.note(&at, &default, variable.map_or(Origin::Default, Origin::Environment));
                default
            }
        }
    }
}

/// Checks everything. The result is only good when no error was found.
pub(super) fn check(raw: Raw, board: Option<BoardSpec>, base: &Base, found: &mut Findings<'_>) -> Checked {
    let env = &base.env;
    let mut checker = Checker { found, env, effective: Effective::default() };
    let c = &mut checker;
    let terminal = terminal(c, raw.terminal);
    let (journal, retention) = journal(c, raw.journal);
    let api = api(c, raw.api);
    let who_scans = goods::who_scans(c, raw.sell.who_scans, raw.sell.at.unwritten("who_scans"), board.as_ref());
    let pay_within = (raw.sell.pay_within_s, raw.sell.at.unwritten("pay_within_s"));
    let pace = pace::check(c, pay_within, raw.pace, terminal.mode);
    let (products, capacities) = goods::products(c, raw.products, board.as_ref());
    let set_up = channels::set_up(c, &raw.channels);
    let order = sell::order(c, raw.sell.channels, raw.sell.at.unwritten("channels"), &set_up);
    let showing = Showing::of(&raw.channels);
    let show = sell::show(c, raw.sell.show, raw.sell.at.unwritten("show"), &order, showing);
    if let (Some(_), Some(raw)) = (&raw.instalments, &raw.channels.alipay) {
        alipay::leaves_huabei(c, raw);
    }
    let duties = channels::duties(&raw.channels);
    let channels = channels::check(c, raw.channels, &terminal, &order, &show);
    let refuse_card_shaped = c.choice(raw.sell.refuse_card_shaped, raw.sell.at.unwritten("refuse_card_shaped"), false);
    let routes = sell::routes(c, raw.routes, &order);
    let lock_slot_after = goods::lock_after(c, raw.sell.lock_slot_after, raw.sell.at.unwritten("lock_slot_after"));
    let print_receipts =
        c.choice(raw.sell.print_receipts, raw.sell.at.unwritten("print_receipts"), PrintReceipts::default());
    let refunds = later::refunds(c, raw.refunds);
    let instalments = raw.instalments.and_then(|raw| later::instalments(c, raw, &order));
    let http = http(c, raw.http, pace.call_limit_ms);
    let hub = raw.hub.and_then(|raw| hub::hub(c, raw, &terminal, journal.parent().unwrap_or(env.state())));
    let operator_key = hub::operator(c, raw.operator);
    let has_scanner = board.as_ref().is_some_and(goods::has_scanner);
    let asks = hub::Asks { terminal: &terminal.id, operator_key, has_hub: hub.is_some(), has_scanner };
    let vouchers = raw.vouchers.and_then(|raw| hub::vouchers(c, raw, &asks));
    let log = c.choice(raw.log.level, raw.log.at.unwritten("level"), Default::default());
    if let Some(board) = &board {
        simulated_board_takes_no_real_money(c, board, terminal.mode);
    }
    let parts = selling::Parts {
        products,
        capacities,
        lock_slot_after,
        channels: order,
        show,
        showing,
        routes,
        refuse_card_shaped,
        refunds,
        instalments,
        duties,
        who_scans,
        has_scanner,
        printer_required: board.as_ref().is_some_and(|board| board.printer.required),
        machine_chooses: board.as_ref().is_some_and(|board| board.vend.machine_chooses()),
        pace,
        mode: terminal.mode,
        vouchers,
    };
    Checked {
        settings: selling::settings(parts, c.found),
        terminal,
        channels,
        print_receipts,
        api,
        journal,
        retention,
        board: board.unwrap_or_default().relative_to(env.runtime()),
        runtime: env.runtime().to_owned(),
        http,
        hub,
        operator_key,
        log,
        base: base.clone(),
        effective: checker.effective,
        warnings: Report::default(),
    }
}

fn terminal(c: &mut Checker<'_, '_>, raw: raw::Terminal) -> TerminalConfig {
    let id = c.required(
        raw.id,
        raw.at.missing("id"),
        "give the machine a number of its own: id = \"VM-0001\" in [terminal]",
    );
    let id = id.and_then(|id| terminal_id(c, id)).unwrap_or_default();
    let mut words = |written: Option<Written<String>>, name: &str, otherwise: &str, longest: usize| {
        let written = c.optional(written).and_then(|text| c.text(text, Text::words(longest)));
        match written {
            Some(text) => text.value,
            None => c.derived(raw.at.unwritten(name), otherwise.to_owned()),
        }
    };
    let name = words(raw.name, "name", &id, 64);
    let merchant = words(raw.merchant, "merchant", &name, 64);
    let support = c.optional(raw.support);
    if support.is_none() {
        let at = raw.at.missing("support");
        c.found.warning(
            &at,
            "buyers have no number to call when something goes wrong",
            "add support = \"400-…\" in [terminal]",
        );
    }
    let support = support.and_then(|text| c.text(text, Text::words(32))).map(|text| text.value);
    let language = c.choice(raw.language, raw.at.unwritten("language"), Default::default());
    let mode = c.choice(raw.mode, raw.at.unwritten("mode"), Default::default());
    TerminalConfig { id, name, merchant, support, language, mode }
}

fn terminal_id(c: &mut Checker<'_, '_>, id: Written<String>) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    // A number of dots alone would be a step upwards in the hub's addresses.
    let names = id.value.bytes().any(|byte| byte.is_ascii_alphanumeric());
    let fits = (1..=32).contains(&id.value.len()) && id.value.bytes().all(allowed) && names;
    if !fits {
        let problem = format!("\"{}\" cannot be a terminal's number", id.value);
        c.found.error(&id.at, problem, "use 1 to 32 letters, digits, - _ . (Alipay's terminal_id)");
    }
    fits.then_some(id.value)
}

fn journal(c: &mut Checker<'_, '_>, raw: raw::Journal) -> (PathBuf, RetentionConfig) {
    let variable = c.env.state_directory.is_some().then_some("STATE_DIRECTORY");
    let default = c.env.state().join("till.db");
    let path = c.path(raw.path, raw.at.unwritten("path"), default, variable);
    let keep_days = c.number(raw.keep_days, raw.at.unwritten("keep_days"), 90, 7..=3_650, "days");
    let limit_mb = c.number(raw.limit_mb, raw.at.unwritten("limit_mb"), 1_024, 16..=1_048_576, "MiB");
    (path, RetentionConfig { keep_days, limit_bytes: limit_mb * MIB })
}

fn api(c: &mut Checker<'_, '_>, raw: raw::Api) -> ApiConfig {
    let variable = c.env.runtime_directory.is_some().then_some("RUNTIME_DIRECTORY");
    let default = c.env.runtime().join("till.sock");
    let socket = c.path(raw.socket, raw.at.unwritten("socket"), default, variable);
    let address = c.optional(raw.tcp);
    let token = c.optional(raw.token_file);
    let tcp = match (address, token) {
        (Some(address), Some(token)) => {
            let (address, token) = (loopback(c, &address), api_token(c, &token));
            address.zip(token).map(|(address, token)| TcpConfig { address, token })
        }
        (Some(address), None) => {
            loopback(c, &address);
            let advice =
                "make one with: openssl rand -hex 32 > api.token; chmod 600 api.token; then token_file = \"api.token\"";
            c.found.missing(&raw.at.missing("token_file"), advice);
            None
        }
        (None, Some(token)) => {
            c.found.warning(
                &token.at,
                "the token is not used: the API listens on no port",
                "add tcp = \"127.0.0.1:8480\", or remove it",
            );
            None
        }
        (None, None) => None,
    };
    ApiConfig { socket, tcp }
}

fn loopback(c: &mut Checker<'_, '_>, written: &Written<String>) -> Option<SocketAddr> {
    const ADVICE: &str = "write a loopback address and a port: \"127.0.0.1:8480\"; for access from outside put a proxy with TLS in front";
    let address = written.value.parse::<SocketAddr>().ok();
    let problem = match address {
        None => format!("\"{}\" is not an address with a port", written.value),
        Some(address) if !address.ip().is_loopback() => {
            format!("{address} can be reached from other machines")
        }
        Some(address) => return Some(address),
    };
    c.found.error(&written.at, problem, ADVICE);
    None
}

fn api_token(c: &mut Checker<'_, '_>, written: &Written<String>) -> Option<Secret<String>> {
    let text = keys::read(c, written, Readers::Owner)?;
    let token = text.trim();
    let is_good =
        token.len() >= SHORTEST_TOKEN && token.len() <= 256 && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_good {
        let problem = "the file holds no good token: 32 to 256 letters, digits or signs in one line are wanted";
        c.found.error(&written.at, problem, "make one with: openssl rand -hex 32");
    }
    is_good.then(|| Secret::new(token.to_owned()))
}

fn http(c: &mut Checker<'_, '_>, raw: raw::Http, call_limit_ms: u64) -> HttpConfig {
    let place = raw.timeout_s.as_ref().map_or_else(|| raw.at.unwritten("timeout_s"), |written| written.at.clone());
    let connect_s = c.number(raw.connect_timeout_s, raw.at.unwritten("connect_timeout_s"), 3, 1..=30, "s");
    let timeout_s = c.number(raw.timeout_s, raw.at.unwritten("timeout_s"), 10, 2..=60, "s");
    if connect_s > timeout_s {
        let problem = format!("connecting may take {connect_s} s, and a whole call only {timeout_s} s");
        c.found.error(&place, problem, "make http.timeout_s longer than http.connect_timeout_s");
    }
    if timeout_s.saturating_mul(1_000) > call_limit_ms {
        let problem = format!("a call may take {timeout_s} s, and counts as lost after {call_limit_ms} ms already");
        c.found.error(&place, problem, "make http.timeout_s shorter than pace.call_limit_ms");
    }
    let extra_roots = c.optional(raw.ca_file).and_then(|written| certificates(c, &written));
    HttpConfig { connect_timeout: Duration::from_secs(connect_s), timeout: Duration::from_secs(timeout_s), extra_roots }
}

pub(super) fn certificates(c: &mut Checker<'_, '_>, written: &Written<String>) -> Option<String> {
    let text = keys::read(c, written, Readers::Anybody)?;
    if let Err(error) = Certificate::read_all(&text) {
        c.found.error(&written.at, format!("the file cannot be used: {error}"), "give certificates as PEM text");
    }
    Some(text)
}

/// The other half of "no pretend gateway on a real machine": no real gateway on a pretend machine.
fn simulated_board_takes_no_real_money(c: &mut Checker<'_, '_>, board: &BoardSpec, mode: Mode) {
    if mode == Mode::Production && board.is_simulated() {
        let problem =
            format!("the board \"{}\" is simulated: buyers would pay real money, and nothing would fall", board.name);
        let advice = "choose the machine's own board file with --board, or set mode = \"sandbox\"";
        c.found.error(&At::key("terminal.mode"), problem, advice);
    }
}
