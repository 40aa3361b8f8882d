//! What is asked of the buyer: the amount, the line for the bill, the goods, and for how long.

use super::attempt::Subject;
use super::desk::Desk;
use super::entry::{Item, Method};
use super::record::OrderRecord;
use crate::channel::{ChannelId, GoodsRow, Instalment, Offer, Wallet};

/// Channels count in whole minutes.
const MINUTE_MS: u64 = 60_000;

/// The offer of a new attempt of this order, and what never changes about it.
pub(crate) fn offer(
    desk: &mut Desk,
    channel: ChannelId,
    method: Method,
    wallet: Option<Wallet>,
    instalment: Option<Instalment>,
) -> (Subject, Offer) {
    let offer = Offer {
        attempt: desk.new_attempt(),
        amount: desk.record.amount,
        subject: desk.record.subject.clone(),
        goods: goods(desk.record),
        valid_ms: match method {
            Method::ShowCode => code_valid_ms(desk),
            Method::TakeCode => desk.pace_of(channel).confirm_total_ms.saturating_add(desk.pace().late_margin_ms),
        },
        begun: desk.office.now.wall,
        // A channel of one wallet needs no word about it.
        wallet: wallet.filter(|_| channel.own_wallet().is_none()),
        instalment: instalment.filter(|_| channel.takes_instalments()),
    };
    let Offer { attempt, amount, begun, wallet, instalment, .. } = offer;
    (Subject { attempt, channel, method, amount, begun, wallet, instalment }, offer)
}

/// How long a shown code may be paid: it does not die before the buyer's time to pay does.
pub(crate) fn code_valid_ms(desk: &Desk) -> u64 {
    let pace = desk.pace();
    let shown = desk.record.pay_within_ms.saturating_add(pace.confirm_grace_ms);
    pace.code_valid_ms.max(shown).div_ceil(MINUTE_MS).saturating_mul(MINUTE_MS)
}

/// The items as rows of goods, equal ones together.
fn goods(record: &OrderRecord) -> Vec<GoodsRow> {
    let mut rows: Vec<GoodsRow> = Vec::new();
    for item in record.items.iter().map(|item| &item.item) {
        match rows.iter_mut().find(|row| row.code == item.code && row.price == item.price) {
            Some(row) => row.quantity += 1,
            None => {
                rows.push(GoodsRow { code: item.code.clone(), name: item.name.clone(), quantity: 1, price: item.price })
            }
        }
    }
    rows
}

/// How an order would be subject-lined when nobody gave a line: the first item and how many more.
pub(crate) fn subject_of(items: &[Item]) -> String {
    match items {
        [] => "自助购物".to_owned(),
        [only] => only.name.clone(),
        [first, rest @ ..] => format!("{}等{}件", first.name, rest.len() + 1),
    }
}
