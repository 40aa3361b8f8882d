//! Reverse of APIv3: a pay code order is undone (reference/wechatpay.md 5.2).

use serde_json::{Map, json};

use super::super::back::{NotReversed, reverse};
use super::super::http::Moment;
use super::super::order::OrderKey;
use super::super::refusal::Refusal;
use super::super::world::World;
use super::{Call, Done, parties};

pub(super) fn execute(world: &mut World, call: &Call<'_>, moment: Moment<'_>) -> Result<Done, Refusal> {
    let fields = call.fields(moment)?;
    fields.only_known(parties::members(call.partner))?;
    let parties = parties::of_order(call, &fields)?;
    parties.check(call, moment)?;
    let key = OrderKey { account: parties.account, number: call.number.to_owned() };
    reverse(world, &key, moment).map_err(refusal)?;
    let body = call.body.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
    let number = [("out_trade_no".to_owned(), json!(call.number))];
    Ok(Done::Json(body.chain(number).collect::<Map<_, _>>().into()))
}

fn refusal(not: NotReversed) -> Refusal {
    let (status, code) = not.v3();
    let (_, words, _) = not.v2();
    Refusal::new(status, code, words)
}
