//! `alipay.trade.precreate`: makes a code, not a trade (reference/alipay.md 5.1, 15 item 4).

use super::super::china_time::MINUTE_MS;
use super::super::common::Biz;
use super::super::fields;
use super::super::options::TimeoutStart;
use super::super::refusal::Refusal;
use super::super::terms::{Terms, time_expire};
use super::super::trade::Origin;
use super::super::world::World;
use super::{Moment, Node, put, repeat, success};

/// The longest life of a code that nobody scanned.
const LONGEST_CODE_MS: i64 = 120 * MINUTE_MS;

const OWN: [&str; 2] = ["qr_code_timeout_express", "code_type"];

pub(super) fn execute(world: &mut World, biz: &Biz, moment: Moment<'_>) -> Result<Node, Refusal> {
    let terms = Terms::read(biz, &OWN, moment)?;
    let number = terms.out_trade_no.clone();
    fields::timeout(biz, "timeout_express", moment.now)?;
    fields::timeout(biz, "qr_code_timeout_express", moment.now)?;
    let text = match repeat::standing(world, &terms, Origin::Scan)? {
        Some(trade) if !trade.is_waiting() => return Err(repeat::has_success()),
        Some(_) => drawn_before(world, &number).unwrap_or_default(),
        None => fresh_or_live(world, terms, biz, moment)?,
    };
    let mut node = success();
    put(&mut node, "out_trade_no", number);
    put(&mut node, "qr_code", text);
    Ok(node)
}

fn fresh_or_live(world: &mut World, terms: Terms, biz: &Biz, moment: Moment<'_>) -> Result<String, Refusal> {
    let live = world.offers.get(&terms.out_trade_no);
    if let Some(offer) = live.filter(|offer| offer.expires_at > moment.now) {
        return Ok(offer.text.clone());
    }
    let expires_at = code_end(biz, moment)?;
    Ok(world.make_offer(terms, moment.now, expires_at))
}

fn drawn_before(world: &World, number: &str) -> Option<String> {
    world.offers.get(number).map(|offer| offer.text.clone())
}

/// The earliest of everything asked, and two hours.
fn code_end(biz: &Biz, moment: Moment<'_>) -> Result<i64, Refusal> {
    let absolute = time_expire(biz, moment.now)?;
    let relative = match moment.options.timeout_start {
        TimeoutStart::Request if absolute.is_none() => fields::timeout(biz, "timeout_express", moment.now)?,
        TimeoutStart::Request | TimeoutStart::Scan => None,
    };
    let code = fields::timeout(biz, "qr_code_timeout_express", moment.now)?;
    let longest = moment.now + LONGEST_CODE_MS;
    let ends = [absolute, relative, code];
    Ok(ends.into_iter().flatten().fold(longest, i64::min))
}
