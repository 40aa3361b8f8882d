//! What the files of the terminal say that the cases depend on.

use payment::channel::route::Route;
use payment::channel::{ChannelId, DutyKind, Wallet};
use payment::engine::settings::Settings;
use payment::instalment::Split;
use payment::money::Fen;

use crate::config::{Checked, Mode};

/// Where a rehearsal takes place.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    /// The terminal's number.
    pub terminal: String,
    /// Its name.
    pub name: String,
    /// Real money or not.
    pub mode: Mode,
    /// The store's code at Alipay, if one is sent.
    pub store: Option<String>,
    least_loan: Option<Fen>,
    settings: Settings,
}

/// Sample numbers by wallet, in the shape of pay codes. They are no codes: only what is not taken here is tried, and that is
/// sent nowhere.
const SAMPLES: [&str; 4] = ["280000000000000000", "130000000000000000", "6200000000000000000", "0100000000000000000"];

impl Ground {
    pub(super) fn of(checked: &Checked) -> Self {
        let written = |key: &str| {
            let setting = checked.effective.settings().iter().find(|setting| setting.key == key);
            setting.and_then(|setting| setting.value.as_str()).map(ToOwned::to_owned)
        };
        let (terminal, name) = (checked.terminal.id.clone(), checked.terminal.name.clone());
        Self {
            terminal,
            name,
            mode: checked.terminal.mode,
            store: written("channels.alipay.store_id"),
            least_loan: written("instalments.minimum").and_then(|yuan| yuan.parse().ok()),
            settings: checked.settings.clone(),
        }
    }

    /// A machine of a test.
    #[cfg(test)]
    pub(super) fn of_test(settings: Settings) -> Self {
        let (terminal, name) = ("VM-0001".to_owned(), "test".to_owned());
        let least_loan = Some(Fen::new(10_000));
        Self { terminal, name, mode: Mode::Sandbox, store: None, least_loan, settings }
    }

    /// The channels that collect, the preferred one first.
    pub(super) fn channels(&self) -> &[ChannelId] {
        &self.settings.channels
    }

    /// Whether a code on the screen is paid through the channel, and how many stand there.
    pub(super) fn shows(&self, channel: ChannelId) -> Option<usize> {
        let shows = &self.settings.shows;
        if shows.is_empty() {
            return (self.settings.channels.first() == Some(&channel)).then_some(1);
        }
        shows.iter().any(|shown| shown.channels.first() == Some(&channel)).then_some(shows.len())
    }

    /// The wallet whose shown code is the channel's; none where one code is for several.
    #[cfg(feature = "demo")]
    pub(super) fn shown_wallet(&self, channel: ChannelId) -> Option<Wallet> {
        let shown = self.settings.shows.iter().find(|shown| shown.channels.first() == Some(&channel));
        shown.and_then(|shown| shown.wallet).or(channel.own_wallet())
    }

    /// A wallet whose pay codes go to the channel, if the machine has a scanner.
    pub(super) fn taken_wallet(&self, channel: ChannelId) -> Option<Wallet> {
        let mut rows = self.settings.routes.rows().iter();
        rows.find(|row| row.channels.first() == Some(&channel))
            .filter(|_| self.settings.has_scanner)
            .map(|row| row.wallet)
    }

    /// A sample number of a wallet that this terminal knows and does not take, and the wallet's name.
    pub(super) fn foreign_code(&self) -> Option<(&'static str, &'static str)> {
        SAMPLES.into_iter().find_map(|code| match self.settings.routes.route_keyed(code) {
            Route::KnownElsewhere(wallet) => Some((code, wallet)),
            Route::Wallet { .. } | Route::Voucher(_) | Route::CardNumber | Route::NotAPayCode => None,
        })
    }

    /// What the channel must hear after a delivery.
    pub(super) fn duty(&self, channel: ChannelId) -> Option<DutyKind> {
        self.settings.duties.get(&channel).copied()
    }

    /// The shortest plan of instalments that is offered for the least loan: months, and that loan in fen.
    pub(super) fn instalments(&self) -> Option<(u8, i64)> {
        let least = self.least_loan?;
        let choices = self.settings.instalments.as_ref()?.choices(Split::whole(least).ok()?);
        choices.first().map(|plan| (plan.periods, least.get()))
    }

    /// Name and code of the goods that are ordered: those of the first slot.
    pub(super) fn goods(&self) -> (String, String) {
        let first = self.settings.products.values().next();
        first.map_or_else(
            || ("联调测试".to_owned(), "REHEARSAL".to_owned()),
            |product| (product.name.clone(), product.code.clone()),
        )
    }
}
