//! Collecting with the buyer's pay code, the same for both versions (reference/wechatpay.md 5, 13).

use super::http::Moment;
use super::order::{AtQuery, Landing, Order, OrderKey, Origin, Terms, TradeState};
use super::weather::Fault;
use super::world::{Times, World};

/// Why a pay code collects nothing: a code of APIv2 and its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotCollected {
    pub(crate) code: &'static str,
    pub(crate) words: &'static str,
}

const fn not_collected(code: &'static str, words: &'static str) -> NotCollected {
    NotCollected { code, words }
}

/// The buyer is typing; not an order's end.
pub(crate) const PAYING: NotCollected = not_collected("USERPAYING", "需要用户输入支付密码");

/// Makes the order and, when nothing speaks against it, takes the money at once. The order may be [`TradeState::Success`]
/// or [`TradeState::UserPaying`] then.
pub(crate) fn collect(
    world: &mut World,
    terms: Terms,
    auth_code: &str,
    moment: Moment<'_>,
) -> Result<OrderKey, NotCollected> {
    if let Some(standing) = world.orders.get(&terms.key) {
        return Err(repeated(standing, &terms));
    }
    let buyer = use_code(world, auth_code, moment.now)?;
    let key = open(world, terms, &buyer, moment);
    let fen = world.orders.get(&key).map_or(0, |order| order.terms.total_fen);
    if !world.can_pay(&buyer, fen) {
        set_state(world, &key, TradeState::PayError);
        return Err(not_collected("NOTENOUGH", "余额不足"));
    }
    if asks_for_password(world, &key, moment) {
        wait(world, &key, &buyer, moment);
    } else if let Some((ms, despite_close)) = world.weather.lateness() {
        let at = moment.now.saturating_add_unsigned(ms);
        world.landings.push(Landing { key: key.clone(), at, despite_close });
    } else {
        world.charge(&key, moment.now);
    }
    Ok(key)
}

/// The same number again.
fn repeated(standing: &Order, terms: &Terms) -> NotCollected {
    let used = not_collected("OUT_TRADE_NO_USED", "商户订单号重复");
    if standing.terms.origin != Origin::PayCode || standing.terms.request != terms.request {
        return used;
    }
    match standing.state {
        TradeState::Success | TradeState::Refund => not_collected("ORDERPAID", "订单已支付"),
        TradeState::UserPaying => PAYING,
        TradeState::Closed => not_collected("ORDERCLOSED", "订单已关闭"),
        TradeState::Revoked => not_collected("ORDERREVERSED", "订单已撤销"),
        TradeState::NotPay | TradeState::PayError => used,
    }
}

/// Whether a text has the form of a pay code: 18 digits that begin with 10 to 15.
pub(crate) fn is_pay_code(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 18
        && bytes.iter().all(u8::is_ascii_digit)
        && matches!(bytes, [b'1', second, ..] if (b'0'..=b'5').contains(second))
}

/// Takes the code: it works once, whatever becomes of the payment.
fn use_code(world: &mut World, auth_code: &str, now: i64) -> Result<String, NotCollected> {
    let code = world.pay_codes.get_mut(auth_code).filter(|_| is_pay_code(auth_code));
    let code = code.ok_or(not_collected("AUTH_CODE_INVALID", "请扫描微信支付被扫条码/二维码"))?;
    if code.used {
        return Err(not_collected("AUTH_CODE_ERROR", "每个二维码仅限使用一次，请刷新再试"));
    }
    if code.expires_at <= now {
        return Err(not_collected("AUTHCODEEXPIRE", "二维码已过期，请用户在微信上刷新后再试"));
    }
    code.used = true;
    Ok(code.buyer.clone())
}

fn open(world: &mut World, terms: Terms, buyer: &str, moment: Moment<'_>) -> OrderKey {
    let ends_at = moment.now + moment.options.password_ms;
    let times = Times { now: moment.now, payable_until: ends_at, ends_at };
    let key = world.open_order(terms, TradeState::UserPaying, times);
    if let Some(order) = world.orders.get_mut(&key) {
        order.buyer = Some(buyer.to_owned());
        order.hidden_until = hidden_until(moment);
    }
    key
}

/// From when on queries know an order that is made now.
pub(crate) fn hidden_until(moment: Moment<'_>) -> i64 {
    let hidden = moment.faults.iter().map(|fault| if let Fault::HiddenFor(ms) = fault { *ms } else { 0 });
    moment.now + hidden.max().unwrap_or_default()
}

fn asks_for_password(world: &World, key: &OrderKey, moment: Moment<'_>) -> bool {
    let fen = world.orders.get(key).map_or(0, |order| order.terms.total_fen);
    moment.has(&Fault::BuyerConfirms)
        || at_query(moment).is_some()
        || fen > moment.options.no_confirm_limit_fen
        || moment.options.repeat_amount_confirms && is_repeated_amount(world, key, moment.now)
}

/// Whether the same buyer paid the same amount to the same merchant within the last minute.
fn is_repeated_amount(world: &World, key: &OrderKey, now: i64) -> bool {
    let Some(order) = world.orders.get(key) else {
        return false;
    };
    world.orders.values().any(|other| {
        other.buyer == order.buyer
            && other.terms.total_fen == order.terms.total_fen
            && other.terms.key.account.payee() == order.terms.key.account.payee()
            && other.paid_at.is_some_and(|at| now - at < 60_000)
    })
}

fn at_query(moment: Moment<'_>) -> Option<AtQuery> {
    moment.faults.iter().find_map(|fault| {
        if let Fault::PaysAtQuery(queries_left) = fault {
            return Some(AtQuery { queries_left: *queries_left, pays: true });
        }
        if let Fault::FailsAtQuery(queries_left) = fault {
            return Some(AtQuery { queries_left: *queries_left, pays: false });
        }
        None
    })
}

fn wait(world: &mut World, key: &OrderKey, buyer: &str, moment: Moment<'_>) {
    if let Some(order) = world.orders.get_mut(key) {
        order.at_query = at_query(moment);
    }
    if world.buyers.get(buyer).is_some_and(|buyer| buyer.auto_confirm) {
        // The answer is still USERPAYING: the thumb is quick, but not quicker than the gateway.
        world.landings.push(Landing { key: key.clone(), at: moment.now, despite_close: false });
    }
}

/// A query looks at an order; by the weather that is when the buyer has typed, or has not.
pub(crate) fn note_query(world: &mut World, key: &OrderKey, now: i64) {
    let Some(order) = world.orders.get_mut(key).filter(|order| order.state == TradeState::UserPaying) else {
        return;
    };
    let Some(plan) = &mut order.at_query else {
        return;
    };
    plan.queries_left = plan.queries_left.saturating_sub(1);
    match *plan {
        AtQuery { queries_left: 0, pays: true } => world.charge(key, now),
        AtQuery { queries_left: 0, pays: false } => set_state(world, key, TradeState::PayError),
        AtQuery { .. } => {}
    }
}

fn set_state(world: &mut World, key: &OrderKey, state: TradeState) {
    if let Some(order) = world.orders.get_mut(key) {
        order.state = state;
    }
}

#[cfg(test)]
mod tests {
    use super::is_pay_code;

    #[test]
    fn a_pay_code_is_18_digits_that_begin_with_10_to_15() {
        for code in ["100000000000000000", "159999999999999999"] {
            assert!(is_pay_code(code), "{code}");
        }
        for text in [
            "160000000000000000",
            "280000000000000000",
            "10000000000000000",
            "1000000000000000000",
            "10000000000000000x",
        ] {
            assert!(!is_pay_code(text), "{text}");
        }
    }
}
