//! The engine's settings, put together of what the sections say about selling.

use std::collections::BTreeMap;

use payment::channel::route::{RouteRow, RouteSettings, Routes};
use payment::channel::{ChannelId, DutyKind};
use payment::engine::entry::{SlotId, WhoScans};
use payment::engine::settings::{CodeShown, Pace, Product, RefundSettings, Settings, VoucherSettings};
use payment::instalment::{Bearer as Bears, Rate, Rates, Terms};

use super::checked::{Bearer, InstalmentsConfig, Mode, RefundsConfig, RouteConfig, ShowConfig};
use super::showing::Showing;
use super::source::{At, Findings};

const DAY_MS: u64 = 86_400_000;

/// What was read and checked, section by section.
pub(super) struct Parts {
    pub products: BTreeMap<SlotId, Product>,
    pub capacities: BTreeMap<SlotId, u32>,
    pub lock_slot_after: u32,
    pub channels: Vec<ChannelId>,
    pub show: ShowConfig,
    pub showing: Showing,
    pub routes: Vec<RouteConfig>,
    pub refuse_card_shaped: bool,
    pub refunds: RefundsConfig,
    pub instalments: Option<InstalmentsConfig>,
    pub duties: BTreeMap<ChannelId, DutyKind>,
    pub who_scans: WhoScans,
    pub has_scanner: bool,
    pub printer_required: bool,
    pub machine_chooses: bool,
    pub pace: Pace,
    pub mode: Mode,
    pub vouchers: Option<VoucherSettings>,
}

/// Puts them together; what contradicts the channels' rules is reported.
pub(super) fn settings(parts: Parts, found: &mut Findings<'_>) -> Settings {
    let routes = routes(&parts, found);
    Settings {
        shows: shows(&parts),
        routes,
        instalments: parts.instalments.as_ref().and_then(|offered| terms(offered, found)),
        refunds: RefundSettings {
            approval_above: parts.refunds.approval_above,
            windows_ms: parts.refunds.window_days.iter().map(|(channel, days)| (*channel, days * DAY_MS)).collect(),
            instalment_window_ms: Some(parts.refunds.instalment_days * DAY_MS),
        },
        guide_numbers: parts.instalments.as_ref().is_some_and(|offered| offered.guide_numbers),
        duties: parts.duties,
        paces: paces(parts.pace, &parts.channels, parts.mode),
        products: parts.products,
        capacities: parts.capacities,
        lock_slot_after: parts.lock_slot_after,
        channels: parts.channels,
        who_scans: parts.who_scans,
        has_scanner: parts.has_scanner,
        printer_required: parts.printer_required,
        machine_chooses: parts.machine_chooses,
        pace: parts.pace,
        vouchers: parts.vouchers,
    }
}

/// With pretend money the paces are those of the file, so that a test need not wait as long as a buyer.
fn paces(pace: Pace, channels: &[ChannelId], mode: Mode) -> BTreeMap<ChannelId, Pace> {
    match mode {
        Mode::Production => channels.iter().map(|channel| (*channel, pace.for_channel(*channel))).collect(),
        Mode::Sandbox => BTreeMap::new(),
    }
}

fn shows(parts: &Parts) -> Vec<CodeShown> {
    let shown = |wallet| CodeShown { wallet, channels: parts.showing.among(wallet, &parts.channels) };
    match &parts.show {
        ShowConfig::Any => vec![shown(None)],
        ShowConfig::Wallets(wallets) => wallets.iter().map(|wallet| shown(Some(*wallet))).collect(),
    }
}

fn routes(parts: &Parts, found: &mut Findings<'_>) -> Routes {
    if found.report.has_error_under("route") {
        return Routes::default_for(&parts.channels);
    }
    let rows = parts.routes.iter().map(|row| RouteRow {
        wallet: row.wallet,
        first: row.first.clone(),
        length: row.length.clone(),
        letters: row.letters,
        channels: row.channels.clone(),
    });
    let settings = RouteSettings { rows: rows.collect(), refuse_card_shaped: parts.refuse_card_shaped };
    Routes::new(&parts.channels, settings).unwrap_or_else(|problem| {
        found.error(
            &At::key("route"),
            problem.to_string(),
            "correct the row, or leave it out: the built-in table stays",
        );
        Routes::default_for(&parts.channels)
    })
}

fn terms(offered: &InstalmentsConfig, found: &mut Findings<'_>) -> Option<Terms> {
    if found.report.has_error_under("instalments") {
        return None;
    }
    let bears = |bearer| match bearer {
        Bearer::Buyer => Bears::Buyer,
        Bearer::Seller => Bears::Seller,
    };
    let rows = offered.plans.iter().map(|plan| {
        let rate = Rate::of_millionths(plan.rate_millionths).map_err(|problem| problem.to_string())?;
        Ok((plan.periods, bears(plan.bearer), rate))
    });
    let terms = rows.collect::<Result<Vec<_>, String>>().and_then(|rows| {
        let rates = Rates::new(rows).map_err(|problem| problem.to_string())?;
        let plans = offered.plans.iter().map(|plan| (plan.periods, bears(plan.bearer)));
        Terms::new(plans, &rates, offered.minimum).map_err(|problem| problem.to_string())
    });
    terms
        .map_err(|problem| {
            found.error(&At::key("instalments"), problem, "correct the plans, or leave [instalments] out")
        })
        .ok()
}
