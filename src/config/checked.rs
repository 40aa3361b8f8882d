//! What the daemon runs with: typed, in range, and consistent with the board.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use hal::board::BoardSpec;
use payment::channel::{ChannelId, Wallet};
use payment::engine::settings::Settings;
use payment::money::Fen;
use payment::redact::Secret;
use serde::Serialize;

use super::Env;
use super::effective::Effective;
use super::report::Report;
use crate::http::Channel;

/// All files, checked.
#[derive(Debug)]
pub struct Checked {
    /// `[terminal]`
    pub terminal: TerminalConfig,
    /// `[sell]`, `[[product]]` and `[pace]`, with what the board has.
    pub settings: Settings,
    /// `[channels]`, their keys loaded, the preferred one first: all that are set up, also those that only settle what is
    /// still open there. Which collect is in `settings`.
    pub channels: Vec<Channel>,
    /// `[sell] print_receipts`
    pub print_receipts: PrintReceipts,
    /// `[api]`
    pub api: ApiConfig,
    /// The journal's file.
    pub journal: PathBuf,
    /// `[journal]`: how much of it is kept.
    pub retention: RetentionConfig,
    /// The board; relative paths in it start from `runtime`.
    pub board: BoardSpec,
    /// The folder for sockets: `$RUNTIME_DIRECTORY`, or `/run/till`.
    pub runtime: PathBuf,
    /// `[http]`
    pub http: HttpConfig,
    /// `[hub]`; none: the terminal sends nothing and takes no commands.
    pub hub: Option<HubConfig>,
    /// `[operator] public_key`: Ed25519, checks commands from the hub, and member and voucher codes.
    pub operator_key: Option<[u8; 32]>,
    /// `[log] level`
    pub log: LogLevel,
    /// Where all this was read, to check what the hub would lay over it.
    pub base: Base,
    /// Every setting with its source, for `till check`.
    pub effective: Effective,
    /// What a person should look at.
    pub warnings: Report,
}

/// The files that a person wrote.
#[derive(Debug, Clone, Default)]
pub struct Base {
    /// `till.toml`.
    pub config: PathBuf,
    /// The board file.
    pub board: PathBuf,
    /// What was taken from outside of the files.
    pub env: Env,
}

/// `[journal] keep_days` and `limit_mb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionConfig {
    /// How long closed orders stay after the hub acknowledged them, in days.
    pub keep_days: u64,
    /// The size of the journal at which the terminal stops selling.
    pub limit_bytes: u64,
}

/// `[hub]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubConfig {
    /// Scheme, host and port, without a slash at the end.
    pub url: String,
    /// The terminal's own Ed25519 key. It may not exist yet: it is made on the device.
    pub key_file: PathBuf,
    /// PEM certificates that are trusted beside the built-in roots.
    pub roots: Option<String>,
}

/// `[sell] show`: whose codes stand on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ShowConfig {
    /// One code that several wallets can scan.
    Any,
    /// A code for each of these, one or two.
    Wallets(Vec<Wallet>),
}

/// One block of `[[route]]`: whose a pay code is that begins and is as long as this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RouteConfig {
    /// Whose codes these are.
    pub wallet: Wallet,
    /// How they begin, any of these.
    pub first: Vec<String>,
    /// How many characters they have, within 16 to 64.
    pub length: RangeInclusive<usize>,
    /// Whether letters may stand in them; if not, digits only.
    pub letters: bool,
    /// Who takes them, the preferred one first. Empty: known, and not taken here.
    pub channels: Vec<ChannelId>,
}

/// `[refunds]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RefundsConfig {
    /// Refunds above this that a person orders wait for a second person; none: no refund waits.
    pub approval_above: Option<Fen>,
    /// For how many days after its payment a person may order a refund: the operator's rule or the channel's, whichever
    /// is shorter.
    pub window_days: BTreeMap<ChannelId, u64>,
    /// The same for payments in instalments.
    pub instalment_days: u64,
}

/// `[instalments]`: what buyers may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InstalmentsConfig {
    /// The least loan.
    pub minimum: Fen,
    /// Whether orders get a number in the style of the operator's guide as their reference.
    pub guide_numbers: bool,
    /// One for each number of months.
    pub plans: Vec<PlanConfig>,
}

/// One block of `[[instalments.plan]]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlanConfig {
    /// Months, 2 to 60.
    pub periods: u8,
    /// Who bears the fee.
    pub bearer: Bearer,
    /// The contract's rate for all months together, in millionths of the loan: 23000 is 2.3%.
    pub rate_millionths: u32,
}

/// Who bears the fee of an instalment plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bearer {
    /// The buyer, month by month, on top of the price.
    Buyer,
    /// The merchant.
    Seller,
}

/// `[terminal]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalConfig {
    /// The machine's number: 1 to 32 letters, digits, `-`, `_`, `.`; Alipay's `terminal_id`.
    pub id: String,
    /// What people call the machine.
    pub name: String,
    /// Who sells, as the buyer reads it.
    pub merchant: String,
    /// The telephone number on the screens that ask the buyer to call.
    pub support: Option<String>,
    /// The language of the screens.
    pub language: Language,
    /// Real money or not.
    pub mode: Mode,
}

/// The language of the screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Language {
    /// Simplified Chinese.
    #[default]
    #[serde(rename = "zh")]
    Chinese,
    /// English.
    #[serde(rename = "en")]
    English,
}

/// When a receipt is printed, where there is a printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PrintReceipts {
    /// After each order that delivered, and when somebody asks.
    #[default]
    Always,
    /// When somebody asks.
    Asked,
    /// Never.
    Never,
}

/// Real money or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Real money, real goods.
    #[default]
    Production,
    /// Pretend money: a channel's sandbox or the simulated gateway. Paces may be quicker than a channel allows.
    Sandbox,
}

/// `[api]`
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// The Unix socket.
    pub socket: PathBuf,
    /// The loopback port, if it is wanted.
    pub tcp: Option<TcpConfig>,
}

/// The API on loopback TCP.
#[derive(Debug, Clone)]
pub struct TcpConfig {
    /// A loopback address and its port.
    pub address: SocketAddr,
    /// What callers must present.
    pub token: Secret<String>,
}

/// `[http]`: how channels are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// The longest that connecting may take.
    pub connect_timeout: Duration,
    /// The longest that a call may take in all.
    pub timeout: Duration,
    /// PEM certificates that are trusted beside the built-in roots.
    pub extra_roots: Option<String>,
}

/// `[log] level`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Only what needs a person.
    Error,
    /// And what may soon.
    Warn,
    /// And what happened.
    #[default]
    Info,
    /// And why.
    Debug,
    /// And everything else.
    Trace,
}

impl LogLevel {
    /// The word in the file, which is also the name of the level in `tracing`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}
