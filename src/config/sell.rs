//! Through which channel, with whose code: `[sell] channels`, `show` and `refuse_card_shaped`, and `[[route]]`.

use std::ops::RangeInclusive;

use payment::channel::route::takers;
use payment::channel::{ChannelId, Wallet};

use super::check::Checker;
use super::checked::{RouteConfig, ShowConfig};
use super::raw::{self, Choice, Written};
use super::showing::Showing;
use super::source::{At, closest};

/// The channels that take money through a network, in the order in which they are preferred when nothing is said.
pub(super) const CHANNELS: [ChannelId; 4] =
    [ChannelId::Alipay, ChannelId::Wechat, ChannelId::AllinpayVsp, ChannelId::AllinpayYst];

/// The word for one code that several wallets can scan.
const ANY: &str = "any";

/// Two codes can be told apart at arm's length; three are a riddle.
const SHOWN_MAX: usize = 2;

/// Below are labels of goods (EAN-13, ITF-14), above is nothing that a gateway takes (reference/other-codes.md 1).
const LENGTHS: RangeInclusive<u64> = 16..=64;

/// Rows of `[[route]]`: the built-in table is as long as the wallets are many.
const ROUTES_MAX: usize = 32;

/// Checks `[sell] channels` against the channels that are set up: the order of preference.
pub(super) fn order(
    c: &mut Checker<'_, '_>,
    written: Option<Written<Vec<String>>>,
    unwritten: At,
    set_up: &[ChannelId],
) -> Vec<ChannelId> {
    let Some(Written { value: names, at }) = c.optional(written) else {
        let _noted = c.derived(unwritten, names_of(set_up));
        return set_up.to_vec();
    };
    let order = channels(c, &names, &at, set_up);
    for left_out in set_up.iter().filter(|channel| !order.contains(channel)) {
        let name = left_out.name();
        c.found.warning(
            &at,
            format!("[channels.{name}] is set up, and {name} is not in the list: nothing is collected through it"),
            format!("add \"{name}\" to the list; without it only what is still open there is settled"),
        );
    }
    if names.is_empty() {
        c.found.error(&at, "nobody can pay through an empty list", "name a channel, or leave the key out");
    }
    order
}

/// Channels by name, each once, each set up.
fn channels(c: &mut Checker<'_, '_>, names: &[String], at: &At, set_up: &[ChannelId]) -> Vec<ChannelId> {
    let mut found: Vec<ChannelId> = Vec::new();
    for name in names {
        let Some(channel) = CHANNELS.into_iter().find(|channel| channel.name() == name) else {
            c.found.error(at, format!("\"{name}\" is no channel"), one_of(name, CHANNELS.map(ChannelId::name)));
            continue;
        };
        if found.contains(&channel) {
            c.found.error(at, format!("\"{name}\" stands here twice"), "name each channel once");
        } else if !set_up.contains(&channel) {
            let advice = format!("add [channels.{name}], or take it out of the list");
            c.found.error(at, format!("the channel {name} is not set up"), advice);
        } else {
            found.push(channel);
        }
    }
    found
}

fn names_of(channels: &[ChannelId]) -> Vec<&'static str> {
    channels.iter().map(|channel| channel.name()).collect()
}

fn one_of<'w>(written: &str, words: impl IntoIterator<Item = &'w str> + Clone) -> String {
    let list = words.clone().into_iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    match closest(written, words) {
        Some(meant) => format!("did you mean \"{meant}\"? It can be {list}"),
        None => format!("write one of {list}"),
    }
}

/// The wallets whose codes a channel can show, the usual one first.
fn wallets(channel: ChannelId, showing: Showing) -> impl Iterator<Item = Wallet> {
    let all = Wallet::WORDS.iter().map(|(_, wallet)| *wallet);
    all.filter(move |wallet| !showing.among(Some(*wallet), &[channel]).is_empty())
}

/// Checks `[sell] show`: whose codes stand on the screen.
pub(super) fn show(
    c: &mut Checker<'_, '_>,
    written: Option<Written<Vec<String>>>,
    unwritten: At,
    order: &[ChannelId],
    showing: Showing,
) -> ShowConfig {
    let usual = usually_shown(order, showing);
    let Some(Written { value: words, at }) = c.optional(written) else {
        let _noted = c.derived(unwritten, words_of(&usual));
        return usual;
    };
    if words == [ANY] {
        if showing.among(None, order).is_empty() {
            let problem = "no channel of this terminal has one code for several wallets";
            c.found.error(&at, problem, "add [channels.allinpay_vsp], or name the wallets to show");
        }
        return ShowConfig::Any;
    }
    let shown = shown(c, &words, &at, order, showing);
    if shown.is_empty() { usual } else { ShowConfig::Wallets(shown) }
}

fn shown(c: &mut Checker<'_, '_>, words: &[String], at: &At, order: &[ChannelId], showing: Showing) -> Vec<Wallet> {
    let mut shown = Vec::new();
    for word in words {
        let Some((_, wallet)) = Wallet::WORDS.iter().find(|(known, _)| known == word) else {
            let advice = match word.as_str() {
                ANY => "one code for several wallets stands alone: show = [\"any\"]".to_owned(),
                _ => one_of(word, Wallet::WORDS.iter().map(|(word, _)| *word).chain([ANY])),
            };
            c.found.error(at, format!("\"{word}\" is no wallet to show beside others"), advice);
            continue;
        };
        if showing.among(Some(*wallet), order).is_empty() && !order.is_empty() {
            let problem = format!("no channel of this terminal can show a code of {word}");
            c.found.error(at, problem, advice_to_show(*wallet, order));
        } else if shown.contains(wallet) {
            c.found.error(at, format!("\"{word}\" stands here twice"), "name each wallet once");
        } else {
            shown.push(*wallet);
        }
    }
    if words.is_empty() || words.len() > SHOWN_MAX {
        let problem = format!("{} wallets cannot be shown at once", words.len());
        c.found.error(at, problem, "name one wallet or two, or [\"any\"] for one code for all");
    }
    shown
}

fn advice_to_show(wallet: Wallet, order: &[ChannelId]) -> &'static str {
    if wallet == Wallet::Ecny && order.contains(&ChannelId::AllinpayYst) {
        return "YunST has no pay mode for it in its documents: if the contract names one, set mode_ecny in \
                [channels.allinpay_yst]; if not, add [channels.allinpay_vsp] or take the wallet out of the list";
    }
    "add the channel, or take the wallet out of the list"
}

/// The preferred channel's one code for all, or the codes of the first two wallets.
fn usually_shown(order: &[ChannelId], showing: Showing) -> ShowConfig {
    if order.first() == Some(&ChannelId::AllinpayVsp) {
        return ShowConfig::Any;
    }
    let mut shown = Vec::new();
    for wallet in order.iter().flat_map(|channel| wallets(*channel, showing)) {
        if !shown.contains(&wallet) && shown.len() < SHOWN_MAX {
            shown.push(wallet);
        }
    }
    ShowConfig::Wallets(shown)
}

fn words_of(show: &ShowConfig) -> Vec<&'static str> {
    match show {
        ShowConfig::Any => vec![ANY],
        ShowConfig::Wallets(wallets) => wallets.iter().map(|wallet| wallet.name()).collect(),
    }
}

/// Checks `[[route]]`: whose pay codes begin how, before the built-in table says so.
pub(super) fn routes(c: &mut Checker<'_, '_>, rows: Vec<raw::Route>, order: &[ChannelId]) -> Vec<RouteConfig> {
    if let Some(row) = rows.get(ROUTES_MAX) {
        let problem = format!("there are more than {ROUTES_MAX} rows of [[route]]");
        c.found.error(&row.at, problem, "join those of one wallet: first takes a list");
    }
    rows.into_iter().filter_map(|row| route(c, row, order)).collect()
}

fn route(c: &mut Checker<'_, '_>, row: raw::Route, order: &[ChannelId]) -> Option<RouteConfig> {
    let place = row.at.clone();
    let wallet = c.required(row.wallet, place.missing("wallet"), "say whose codes these are: wallet = \"union_pay\"");
    let first = c.required(row.first, place.missing("first"), "say how the codes begin: first = [\"62\"]");
    let least = c.required(row.length_min, place.missing("length_min"), "say how long the codes are: length_min = 19");
    let letters = c.choice(row.letters, place.unwritten("letters"), false);
    let length = least.and_then(|least| length(c, least, row.length_max, place.unwritten("length_max")));
    let wallet = wallet?.value;
    let channels = takers_of(c, wallet, row.channels, place.unwritten("channels"), order);
    let (first, length) = (beginnings(c, first?, letters)?, length?);
    if let Some((at, _)) = first.iter().find(|(_, text)| is_card(text, &length)) {
        let problem = "numbers of 16 to 18 digits that begin with 62 are bank cards";
        c.found.error(at, problem, "UnionPay's pay codes have 19 digits");
        return None;
    }
    let first = first.into_iter().map(|(_, text)| text).collect();
    Some(RouteConfig { wallet, first, length, letters, channels })
}

fn length(
    c: &mut Checker<'_, '_>,
    least: Written<u64>,
    most: Option<Written<u64>>,
    unwritten: At,
) -> Option<RangeInclusive<usize>> {
    let at = most.as_ref().map_or_else(|| least.at.clone(), |most| most.at.clone());
    let most = match c.optional(most) {
        Some(most) => most.value,
        None => c.derived(unwritten, least.value),
    };
    let fits = LENGTHS.contains(&least.value) && LENGTHS.contains(&most) && least.value <= most;
    if !fits {
        let problem = format!("a pay code of {} to {most} characters does not exist", least.value);
        c.found.error(&at, problem, "use 16 to 64, the smaller number in length_min");
    }
    let whole = |number: u64| usize::try_from(number).ok();
    Some(whole(least.value)?..=whole(most)?).filter(|_| fits)
}

fn beginnings(c: &mut Checker<'_, '_>, first: Written<Vec<String>>, letters: bool) -> Option<Vec<(At, String)>> {
    let allowed = |byte: u8| byte.is_ascii_digit() || (letters && byte.is_ascii_alphabetic());
    let is_good = |text: &String| (1..=LENGTHS_MIN).contains(&text.len()) && text.bytes().all(allowed);
    let fits = !first.value.is_empty() && first.value.iter().all(is_good);
    if !fits {
        let problem = "these are no first characters: a row would fit every line, or none";
        let advice = "write 1 to 16 digits for each, such as first = [\"62\"]; with letters = true also letters";
        c.found.error(&first.at, problem, advice);
    }
    let at = first.at;
    fits.then(|| first.value.into_iter().map(|text| (at.clone(), text)).collect())
}

/// The shortest pay code, in characters.
const LENGTHS_MIN: usize = 16;

/// Bank cards' printed numbers of UnionPay are never sent anywhere (reference/other-codes.md 1).
fn is_card(first: &str, length: &RangeInclusive<usize>) -> bool {
    first.starts_with("62") && *length.start() < 19
}

fn takers_of(
    c: &mut Checker<'_, '_>,
    wallet: Wallet,
    written: Option<Written<Vec<String>>>,
    unwritten: At,
    order: &[ChannelId],
) -> Vec<ChannelId> {
    let able = takers(wallet, order);
    let Some(Written { value: names, at }) = c.optional(written) else {
        let _noted = c.derived(unwritten, names_of(&able));
        return able;
    };
    let named = channels(c, &names, &at, order);
    for channel in named.iter().filter(|channel| !able.contains(channel)) {
        let problem = format!("the channel {} cannot take pay codes of {}", channel.name(), wallet.name());
        c.found.error(&at, problem, "take it out of the list; an empty list means: known, and not taken here");
    }
    named
}
