//! The rehearsal that needs nobody: a scene for each channel, the daemon as a child, a robot for a buyer.

mod phone;
mod robot;

use std::path::Path;

use clap::ValueEnum;
use payment::channel::ChannelId;

use super::ground::Ground;
use super::interrupts::Interrupts;
use super::report::Report;
use super::{RehearseArgs, Site, at_the_machine};
use crate::cli::client::Client;
use crate::cli::files::{CHANNELS, Files};
use crate::cli::{Exit, Failure};
use crate::demo::channels::ChannelOptions;
use crate::demo::child::{Daemon, Launch};
use crate::demo::scene::{Scene, SceneOptions};
use robot::Robot;

/// A way in which the simulated gateway goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Misbehave {
    /// It does not carry out refunds, and says nothing clear
    Refunds,
    /// Its answers to queries are signed wrongly
    Queries,
}

/// The store that the simulated Alipay knows.
const STORE: &str = "storeId001";

/// With this a code is dead after a minute, the least that a channel grants, and looked after for half a minute more.
const PAY_WITHIN_S: u32 = 20;
const SHORT_LIVED_CODES: &str = "[pace]\ncode_valid_ms = 60000\nlate_margin_ms = 30000\nconfirm_grace_ms = 5000\n";

/// What the simulated Alipay's terminal is set up with, so that every case can be played.
const WITH_STORE_AND_INSTALMENTS: &str = "[channels.alipay]\nstore_id = \"storeId001\"\n[instalments]\nminimum = \"100.00\"\n\
    [[instalments.plan]]\nperiods = 3\nbearer = \"buyer\"\nrate = \"2.3%\"\n";

/// What WeChat Pay's and YunST's terminals are set up with, so that they have something to tell after a delivery.
const WITH_REPORTS: &str =
    "[channels.wechat]\ndelivery_secret_file = \"keys/wechat_appsecret\"\ndelivery_token = \"plain\"\n";
const WITH_GUARANTEE: &str = "[channels.allinpay_yst]\ntrade = \"guaranteed\"\n";

pub(super) async fn rehearse(args: &RehearseArgs, interrupts: &Interrupts) -> Result<Report, Failure> {
    let channels = if args.channel.is_empty() { CHANNELS.to_vec() } else { args.channel.clone() };
    let mut whole: Option<Report> = None;
    for channel in channels {
        if whole.is_some() && interrupts.count() > 0 {
            break;
        }
        let part = one(args, channel, interrupts).await?;
        match &mut whole {
            None => whole = Some(part),
            Some(report) => {
                report.head.ended = part.head.ended;
                report.outcomes.extend(part.outcomes);
            }
        }
    }
    whole.ok_or_else(|| broken("no channel was named"))
}

/// One channel on a machine of its own.
async fn one(args: &RehearseArgs, channel: ChannelId, interrupts: &Interrupts) -> Result<Report, Failure> {
    let folder = Folder::make()?;
    let scene = Scene::set(options(folder.path(), channel)).await.map_err(|error| broken(&error.to_string()))?;
    let program = std::env::current_exe().map_err(|error| broken(&error.to_string()))?;
    let mut daemon = Daemon::start(&Launch::on(program, &scene)).map_err(|error| broken(&error.to_string()))?;
    daemon.ready().await.map_err(|error| broken(&error.to_string()))?;
    let files = Files { config: scene.config_path.clone(), board: scene.board_path.clone() };
    let ground = Ground::of(&files.load_without_keys()?);
    let mut robot = Robot::new(&scene, channel, &ground)?;
    if let Some(misbehave) = args.misbehave {
        robot.spoil(misbehave);
    }
    let client = Client::new(scene.socket_path.clone())?;
    let (ground, channels, interrupts) = (&ground, &[channel], interrupts.clone());
    let site = Site { client: &client, ground, channels, is_simulated: true, interrupts };
    let report = at_the_machine(args, site, &mut robot).await;
    daemon.stop().await.map_err(|error| broken(&error.to_string()))?;
    report
}

/// The channel first; where its codes stand beside another's, with that other.
fn options(folder: &Path, channel: ChannelId) -> SceneOptions {
    let mut options = SceneOptions::quick(folder);
    options.pay_within_s = PAY_WITHIN_S;
    options.extra_config = SHORT_LIVED_CODES.to_owned();
    options.channels = ChannelOptions::of(match channel {
        ChannelId::Alipay | ChannelId::Voucher => vec![ChannelId::Alipay, ChannelId::Wechat],
        ChannelId::Wechat => vec![ChannelId::Wechat, ChannelId::Alipay],
        ChannelId::AllinpayVsp => vec![ChannelId::AllinpayVsp],
        ChannelId::AllinpayYst => vec![ChannelId::AllinpayYst],
    });
    if channel == ChannelId::AllinpayVsp {
        // A code for each wallet: the one for all is so dense that the phone does not read every picture of it.
        options.channels.show = vec!["alipay", "wechat"];
    }
    options.extra_config += match channel {
        ChannelId::Wechat => WITH_REPORTS,
        ChannelId::AllinpayYst => WITH_GUARANTEE,
        ChannelId::Alipay | ChannelId::AllinpayVsp | ChannelId::Voucher => "",
    };
    if options.channels.has(ChannelId::Alipay) {
        options.gateway.known_stores = Some(vec![STORE.to_owned()]);
        options.extra_config += WITH_STORE_AND_INSTALMENTS;
    }
    options
}

fn broken(why: &str) -> Failure {
    Failure::other(Exit::Refused, format!("the sandbox could not be set up: {why}"))
}

/// A folder of our own, removed at the end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn make() -> Result<Self, Failure> {
        use std::os::unix::fs::DirBuilderExt;
        let name = super::stage::new_key().map_err(|_| broken("no random numbers"))?;
        // Sockets have short names: the folder must not be deep.
        let path = std::env::temp_dir().join(format!("till-rehearsal-{}", &name[..12]));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| broken(&format!("{}: {error}", path.display())))?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is removed with the system's temporary files.
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}
