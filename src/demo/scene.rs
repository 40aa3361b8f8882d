//! Everything around a daemon: the simulated gateways, the machine, the scanner, and the files that the daemon reads. The
//! demo shows a scene to a person; whole-program tests act in one.

use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hal::board::{BoardErrors, BoardSpec};
use hal::sim::machine::{Machine, MachineSpec};
use hal::sim::pty::ScannerPty;
use payment::channel::ChannelId;
use payment::engine::entry::WhoScans;
use ring::rand::{SecureRandom, SystemRandom};
use sandbox::alipay::options::KeyMode;
use sandbox::allinpay::{VspGateway, YstGateway};
use sandbox::{Clock, Gateway, GatewayOptions, wechat};
use thiserror::Error;
use toml::Table;

use super::channels::{self, ChannelOptions, Gateways};
use super::goods::{Product, products_of};
use crate::config::Language;

/// The simulated machine's board file.
pub const SIM_BOARD: &str = include_str!("../../boards/sim.toml");

/// Who sells, as the buyer reads it.
pub const MERCHANT: &str = "Till Demo";

/// What a scene is made of.
#[derive(Debug, Clone)]
pub struct SceneOptions {
    /// Where its files, sockets and the journal go. Made when it is missing.
    pub dir: PathBuf,
    /// The text of the board file; it must name simulated devices.
    pub board: String,
    /// A `[vend]` section in place of the board's, for a controller that the test brings along; nothing is laid over it.
    pub vend: Option<String>,
    /// Short times everywhere, for tests.
    pub quick: bool,
    /// The gateway and the terminal know each other by certificates, not by public keys.
    pub certificates: bool,
    /// Who may scan on orders made at the keypad.
    pub who_scans: WhoScans,
    /// How long a buyer has to pay, in seconds.
    pub pay_within_s: u32,
    /// The language of the screens and of the products' names.
    pub language: Language,
    /// A loopback port for the terminal's API beside its socket.
    pub api_port: Option<u16>,
    /// TOML that is laid over `till.toml`: its keys win.
    pub extra_config: String,
    /// Alipay's gateway; `certificates` sets its key mode.
    pub gateway: GatewayOptions,
    /// Which channels collect, and the other gateways. Alipay alone unless it says otherwise.
    pub channels: ChannelOptions,
    /// One clock for all gateways; without it each goes by its own.
    pub clock: Option<Clock>,
}

impl SceneOptions {
    /// The simulated machine in `dir`, as the demo shows it.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            board: SIM_BOARD.to_owned(),
            vend: None,
            quick: false,
            certificates: false,
            who_scans: WhoScans::Either,
            pay_within_s: 60,
            language: Language::English,
            api_port: None,
            extra_config: String::new(),
            gateway: GatewayOptions::default(),
            channels: ChannelOptions::default(),
            clock: None,
        }
    }

    /// The same with short times, for tests.
    #[must_use]
    pub fn quick(dir: impl Into<PathBuf>) -> Self {
        Self { quick: true, ..Self::new(dir) }
    }

    /// What the gateways are started with.
    fn settle_gateways(&mut self) {
        if self.certificates {
            self.gateway.mode = KeyMode::Certificate;
        }
        if let Some(clock) = &self.clock {
            self.gateway.clock = clock.clone();
            self.channels.set_clock(clock);
        }
    }
}

/// Why a scene could not be set.
#[derive(Debug, Error)]
pub enum SceneError {
    /// A file or a folder.
    #[error("{path}: {error}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The board file.
    #[error(transparent)]
    Board(#[from] BoardErrors),
    /// A part could not be started.
    #[error("the {part} could not be started: {error}")]
    Start {
        /// Which.
        part: &'static str,
        /// Why.
        error: io::Error,
    },
    /// The text laid over the configuration.
    #[error("the configuration of the scene is not TOML: {0}")]
    Config(#[from] toml::de::Error),
    /// The system gave no randomness.
    #[error("the system gives no random numbers, and the API's token needs them")]
    Entropy,
}

/// A set scene. Dropping it ends everything in it; the files stay.
pub struct Scene {
    /// The simulated Alipay; [`Gateway::control`] is its other side. It is there although Alipay may not collect.
    pub gateway: Gateway,
    /// The simulated WeChat Pay, where it collects.
    pub wechat: Option<wechat::Gateway>,
    /// The simulated Allinpay VSP, where it collects.
    pub vsp: Option<VspGateway>,
    /// The simulated Allinpay YunST, where it collects.
    pub yst: Option<YstGateway>,
    /// The simulated machine.
    pub machine: Machine,
    /// What is in its slots.
    pub products: Vec<Product>,
    /// The folder of everything.
    pub dir: PathBuf,
    /// `till.toml`
    pub config_path: PathBuf,
    /// The board file.
    pub board_path: PathBuf,
    /// The terminal's API, once a daemon runs.
    pub socket_path: PathBuf,
    /// The journal, once a daemon has run.
    pub journal_path: PathBuf,
    /// What callers of the API's port must present; empty without a port.
    pub api_token: String,
    scanner: Mutex<ScannerPty>,
    /// What `till.toml` says of the channels beside Alipay.
    sections: String,
    options: SceneOptions,
}

impl Scene {
    /// Writes the files and starts everything but the daemon.
    ///
    /// # Errors
    ///
    /// [`SceneError`], naming the part.
    pub async fn set(mut options: SceneOptions) -> Result<Self, SceneError> {
        options.settle_gateways();
        let dir = options.dir.clone();
        make_folder(&dir)?;
        let (board_path, board) = write_board(&options)?;
        let api_token = write_keys(&options)?;
        let products = products_of(board.vend.slots.iter().map(|slot| slot.name.as_str()));
        let starting = |part| move |error| SceneError::Start { part, error };
        let gateway = Gateway::start(options.gateway.clone()).await.map_err(starting("simulated gateway"))?;
        let others = Gateways::start(&options.channels).await.map_err(starting("simulated gateway"))?;
        let sections = channels::sections(&others, &options.channels);
        let Gateways { wechat, vsp, yst } = others;
        let board = board.relative_to(&dir);
        let socket = board.sim.socket.clone();
        let machine =
            Machine::start(socket.unwrap_or_else(|| dir.join("machine.sock")), machine_spec(&board, options.quick));
        let machine = machine.map_err(starting("simulated machine"))?;
        let port = board.scanner.path.clone();
        let scanner =
            ScannerPty::new(port.unwrap_or_else(|| dir.join("scanner"))).map_err(starting("simulated scanner"))?;
        let scene = Self {
            gateway,
            wechat,
            vsp,
            yst,
            machine,
            products,
            config_path: dir.join("till.toml"),
            board_path,
            socket_path: dir.join("till.sock"),
            journal_path: dir.join("till.db"),
            api_token,
            scanner: Mutex::new(scanner),
            sections,
            dir,
            options,
        };
        scene.write_config(scene.options.language)?;
        Ok(scene)
    }

    /// Writes `till.toml` for screens in this language; a daemon reads it when it starts.
    ///
    /// # Errors
    ///
    /// When the file cannot be written, or the text laid over it is not TOML.
    pub fn write_config(&self, language: Language) -> Result<(), SceneError> {
        self.write_config_under(language, "")
    }

    /// The same with `over` laid over everything else.
    pub(super) fn write_config_under(&self, language: Language, over: &str) -> Result<(), SceneError> {
        let mut config: Table = self.config(language).parse()?;
        if self.wechat.is_some() {
            lay_over(&mut config, channels::TLS_ROOT.parse()?);
        }
        lay_over(&mut config, self.options.extra_config.parse()?);
        lay_over(&mut config, over.parse()?);
        write(&self.config_path, config.to_string().as_bytes(), 0o644)
    }

    fn config(&self, language: Language) -> String {
        let options = &self.options;
        let tongue = match language {
            Language::Chinese => "zh",
            Language::English => "en",
        };
        let mut text = format!(
            "[terminal]\nid = \"SIM-0001\"\nname = \"Simulated machine\"\nmerchant = \"{MERCHANT}\"\nsupport = \"400-000-0000\"\n\
             language = \"{tongue}\"\nmode = \"sandbox\"\n\
             [journal]\npath = \"till.db\"\n[api]\nsocket = \"till.sock\"\n\
             [sell]\nwho_scans = \"{}\"\npay_within_s = {}\n{}",
            word(options.who_scans),
            options.pay_within_s,
            options.channels.in_sell(),
        );
        for product in &self.products {
            text += &product.in_config(language);
        }
        if options.channels.has(ChannelId::Alipay) {
            text += &self.alipay_section();
        }
        text += &self.sections;
        text += if options.quick { QUICK_CONFIG } else { DEMO_CONFIG };
        if let Some(port) = options.api_port {
            text = text.replacen(
                "[api]\n",
                &format!("[api]\ntcp = \"127.0.0.1:{port}\"\ntoken_file = \"keys/api.token\"\n"),
                1,
            );
        }
        text
    }

    fn alipay_section(&self) -> String {
        let (url, app_id) = (self.gateway.url(), &self.options.gateway.app_id);
        let keys = if self.options.certificates { CERTIFICATES } else { PUBLIC_KEY };
        format!(
            "[channels.alipay]\ngateway_url = \"{url}\"\napp_id = \"{app_id}\"\nprivate_key_file = \"keys/app_private_key.pem\"\n{keys}"
        )
    }

    /// The scanner reads a code: its text and CR go through the pseudo-terminal.
    ///
    /// # Errors
    ///
    /// When the scanner is unplugged.
    pub fn scan(&self, text: &str) -> io::Result<()> {
        self.scanner().scan(text)
    }

    /// The scanner sends exactly these bytes.
    ///
    /// # Errors
    ///
    /// When the scanner is unplugged.
    pub fn scan_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        self.scanner().raw(bytes)
    }

    /// Pulls the scanner's cable.
    pub fn unplug_scanner(&self) {
        self.scanner().unplug();
    }

    /// Plugs the scanner in again.
    ///
    /// # Errors
    ///
    /// When there is no free pseudo-terminal.
    pub fn replug_scanner(&self) -> io::Result<()> {
        self.scanner().replug()
    }

    /// Whether the scanner's cable is in.
    #[must_use]
    pub fn is_scanner_plugged(&self) -> bool {
        self.scanner().is_plugged()
    }

    /// What the goods that fell so far are worth, in fen.
    #[must_use]
    pub fn worth_of_fallen_fen(&self) -> i64 {
        let state = self.machine.state();
        let worth = self.products.iter().map(|product| {
            let drops = state.slot(product.slot).map_or(0, |slot| slot.drops);
            product.price_fen.saturating_mul(i64::try_from(drops).unwrap_or(i64::MAX))
        });
        worth.sum()
    }

    fn scanner(&self) -> MutexGuard<'_, ScannerPty> {
        self.scanner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a person trying the demo need not wait for.
const DEMO_CONFIG: &str = "[pace]\nretry_max_ms = 10000\nwatch_ms = 5000\nprobe_ms = 2000\nconfirm_poll_ms = 3000\n\
    [http]\nconnect_timeout_s = 3\ntimeout_s = 10\n";

/// As short as the sandbox lets them be without racing the machine.
const QUICK_CONFIG: &str = "[pace]\ncode_poll_ms = 100\nconfirm_poll_ms = 100\nwatch_ms = 200\nretry_ms = 50\n\
    retry_max_ms = 200\nrefund_query_ms = 100\nrefund_gap_ms = 50\nprobe_ms = 100\nthanks_ms = 300\nsorry_ms = 300\n\
    [http]\nconnect_timeout_s = 1\ntimeout_s = 3\n";

const PUBLIC_KEY: &str = "public_key_file = \"keys/alipay_public_key.pem\"\n";
const CERTIFICATES: &str = "app_cert_file = \"keys/app_cert.pem\"\nalipay_cert_file = \"keys/alipay_cert.pem\"\n\
    alipay_root_cert_file = \"keys/alipay_root_cert.pem\"\n";

/// The quick machine: the same motions, in tens of milliseconds.
const QUICK_BOARD: &str = "[sim]\nmotor_ms = 40\nfall_ms = 20\none_shot_ms = 75\n\
    [vend]\nmax_on_ms = 300\ndrop_window_ms = 200\nsettle_ms = 20\n\
    [keypad]\nrepeat_ms = 0\ndebounce_ms = 2\n[scanner]\ndouble_read_ms = 300\nstale_ms = 20\n";

fn word(who_scans: WhoScans) -> &'static str {
    match who_scans {
        WhoScans::BuyerScans => "buyer_scans",
        WhoScans::MerchantScans => "merchant_scans",
        WhoScans::Either => "either",
    }
}

fn machine_spec(board: &BoardSpec, quick: bool) -> MachineSpec {
    let mut spec = MachineSpec::from_board(board);
    if quick {
        spec.press = Duration::from_millis(15);
        spec.lift = Duration::from_millis(15);
        spec.beam = Duration::from_millis(15);
    }
    spec
}

fn write_board(options: &SceneOptions) -> Result<(PathBuf, BoardSpec), SceneError> {
    let path = options.dir.join("board.toml");
    let text = board_text(options)?;
    write(&path, text.as_bytes(), 0o644)?;
    let board = BoardSpec::parse(&path, &text)?;
    Ok((path, board))
}

/// The board as the options change it; a board that is taken as it is keeps its comments.
fn board_text(options: &SceneOptions) -> Result<String, SceneError> {
    if !options.quick && options.vend.is_none() {
        return Ok(options.board.clone());
    }
    let mut board: Table = options.board.parse()?;
    if options.quick {
        lay_over(&mut board, QUICK_BOARD.parse()?);
    }
    if let Some(vend) = &options.vend {
        board.remove("vend");
        lay_over(&mut board, vend.parse()?);
    }
    Ok(board.to_string())
}

/// Writes the merchant's keys and gives the API's token, if there is to be one.
fn write_keys(options: &SceneOptions) -> Result<String, SceneError> {
    let folder = options.dir.join("keys");
    make_folder(&folder)?;
    let channels = &options.channels.collect;
    for (name, text, readers) in channels.iter().flat_map(|channel| channels::key_files(*channel)) {
        write(&folder.join(name), text.as_bytes(), readers.mode())?;
    }
    let token = match options.api_port {
        Some(_) => random_token()?,
        None => return Ok(String::new()),
    };
    write(&folder.join("api.token"), token.as_bytes(), 0o600)?;
    Ok(token)
}

fn random_token() -> Result<String, SceneError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| SceneError::Entropy)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Lays one table over another: sections are merged, everything else is replaced.
fn lay_over(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => lay_over(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

fn make_folder(path: &Path) -> Result<(), SceneError> {
    std::fs::create_dir_all(path).map_err(|error| SceneError::File { path: path.to_owned(), error })
}

/// Replaces a file. The old one is removed first, so that the new one has the wished mode.
fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), SceneError> {
    let replace = || {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
        io::Write::write_all(&mut file, bytes)
    };
    replace().map_err(|error| SceneError::File { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use sandbox::allinpay::SignType;

    use super::*;

    #[test]
    fn what_is_laid_over_wins_key_by_key() {
        let mut config: Table = "[pace]\na = 1\nb = 2\n[x]\ny = 1".parse().unwrap();
        lay_over(&mut config, "[pace]\nb = 3\n[z]\nc = 4".parse().unwrap());
        let wished: Table = "[pace]\na = 1\nb = 3\n[x]\ny = 1\n[z]\nc = 4".parse().unwrap();
        assert_eq!(config, wished);
    }

    #[test]
    fn both_boards_are_sound() {
        for quick in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let mut options = SceneOptions::new(folder.path());
            options.quick = quick;
            write_board(&options).expect("no problem in the board");
        }
    }

    fn variants(dir: &Path) -> [SceneOptions; 7] {
        use ChannelId::{Alipay, AllinpayVsp, AllinpayYst, Wechat};

        let with = |change: fn(&mut SceneOptions)| {
            let mut options = SceneOptions::quick(dir);
            change(&mut options);
            options
        };
        [
            SceneOptions::new(dir),
            with(|options| options.certificates = true),
            with(|options| {
                options.api_port = Some(8480);
                options.language = Language::Chinese;
                options.who_scans = WhoScans::MerchantScans;
                options.extra_config = "[sell]\npay_within_s = 2".to_owned();
            }),
            with(|options| options.channels = ChannelOptions::of([Alipay, Wechat, AllinpayVsp, AllinpayYst])),
            with(|options| options.channels = ChannelOptions::of([Wechat])),
            with(|options| {
                options.channels = ChannelOptions::of([AllinpayVsp, Alipay]);
                options.channels.show = vec!["any"];
                options.channels.vsp.sign_type = SignType::Sm2;
            }),
            with(|options| {
                options.channels = ChannelOptions::of([AllinpayYst, Wechat]);
                options.channels.wechat.mode = wechat::KeyMode::Certificate;
            }),
        ]
    }

    #[tokio::test]
    async fn a_daemon_takes_the_files_of_every_scene_without_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let env = crate::config::Env {
            state_directory: Some(folder.path().to_owned()),
            runtime_directory: Some(folder.path().to_owned()),
            credentials_directory: None,
            sandbox_built: true,
        };
        for options in variants(folder.path()) {
            let scene = Scene::set(options).await.unwrap();
            let loaded = crate::config::load_in(&scene.config_path, &scene.board_path, &env);
            let checked = loaded.unwrap_or_else(|report| panic!("{report}"));
            assert_eq!(checked.warnings.problems().len(), 0);
            assert_eq!(checked.settings.products.len(), scene.products.len());
            assert_eq!(checked.settings.channels, scene.options.channels.collect);
        }
    }
}
