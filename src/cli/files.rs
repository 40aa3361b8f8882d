//! What a command reads that needs no daemon: the configuration, the board, and by them the way to the channels.

use std::path::PathBuf;

use clap::Args;
use payment::channel::ChannelId;
use payment::time::Wall;

use super::{Exit, Failure};
use crate::config::{self, Checked, Report};
use crate::daemon::clock;
use crate::http::{Channels, ClientOptions};

#[derive(Debug, Args)]
pub(super) struct Files {
    /// The configuration
    #[arg(long, value_name = "PATH", default_value = "/etc/till/till.toml")]
    pub(super) config: PathBuf,
    /// The board: which devices the machine has, and where
    #[arg(long, value_name = "PATH", default_value = "/etc/till/board.toml")]
    pub(super) board: PathBuf,
}

impl Files {
    pub(super) fn load(&self) -> Result<Checked, Failure> {
        config::load(&self.config, &self.board).map_err(|report| unusable(&report))
    }

    /// For what asks the daemon and signs nothing itself: no key is opened.
    pub(super) fn load_without_keys(&self) -> Result<Checked, Failure> {
        config::load_without_keys(&self.config, &self.board).map_err(|report| unusable(&report))
    }
}

fn unusable(report: &Report) -> Failure {
    Failure::other(Exit::Config, format!("the configuration cannot be used\n{report}"))
}

/// The channels that collect.
pub(super) const CHANNELS: [ChannelId; 4] =
    [ChannelId::Alipay, ChannelId::Wechat, ChannelId::AllinpayVsp, ChannelId::AllinpayYst];

/// The channel of `known` with this name.
pub(super) fn named(known: &[ChannelId], name: &str) -> Result<ChannelId, String> {
    let found = known.iter().find(|channel| channel.name() == name);
    let names = || known.iter().map(|channel| channel.name()).collect::<Vec<_>>().join(", ");
    found.copied().ok_or_else(|| format!("it can be {}", names()))
}

/// Clients for the channels of a configuration.
pub(super) fn clients(checked: Checked) -> Result<Channels, Failure> {
    let options = ClientOptions {
        connect: checked.http.connect_timeout,
        total: checked.http.timeout,
        extra_roots: checked.http.extra_roots,
    };
    Channels::new(checked.channels, &options).map_err(|error| Failure::other(Exit::Config, error.to_string()))
}

/// The time that a call is signed with: whoever runs a command sees the clock, and with a wrong one the channel refuses.
pub(super) fn wall() -> Wall {
    Wall { trusted: true, ..clock::system_wall() }
}
