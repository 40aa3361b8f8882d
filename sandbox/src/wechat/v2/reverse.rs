//! `/secapi/pay/reverse`, with the merchant's certificate (reference/wechatpay.md 5.5).

use super::super::back::{NotReversed, reverse};
use super::super::http::Moment;
use super::super::world::World;
use super::{Call, Failure, Told};

pub(super) fn execute(world: &mut World, call: &Call, moment: Moment<'_>) -> Result<Told, Failure> {
    call.only_known(&["transaction_id", "out_trade_no"], moment)?;
    let account = call.account(moment)?;
    let key = call.order(world, &account)?.ok_or_else(|| failure(NotReversed::NoOrder))?;
    reverse(world, &key, moment).map_err(failure)?;
    Ok(vec![("recall", "N".to_owned())])
}

fn failure(not: NotReversed) -> Failure {
    let (code, words, recall) = not.v2();
    Failure::Result { code: code.to_owned(), words: words.to_owned(), recall: Some(recall) }
}
