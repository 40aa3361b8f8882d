//! The calls of 云商通, one file each.

mod close;
mod confirm;
mod consume;
mod query;
mod refund;
mod terminal;

pub(super) use query::vsp_trxid;
use serde_json::{Number, Value};

use super::super::china_time::{self, COMPACT};
use super::super::http::{Moment, Node, Refusal, Said};
use super::super::options::AmountForm;
use super::super::weather::Method;
use super::super::world::World;
use super::envelope::Asked;
use super::{Yst, file};

/// Carries out a call.
pub(super) fn execute(yst: &Yst, world: &mut World, asked: &Asked, moment: Moment<'_>) -> Result<Said, Refusal> {
    match asked {
        Asked::Call { method, biz, .. } => call(yst, world, *method, biz, moment).map(Said::Node),
        Asked::File { date } => file::download(yst, world, date, moment.now),
    }
}

fn call(yst: &Yst, world: &mut World, method: Method, biz: &Node, moment: Moment<'_>) -> Result<Node, Refusal> {
    match method {
        Method::Consume => consume::execute(yst, world, biz, moment, false),
        Method::Guarantee => consume::execute(yst, world, biz, moment, true),
        Method::Confirm => confirm::execute(yst, world, biz, moment),
        Method::Refund => refund::execute(yst, world, biz, moment),
        Method::Close => close::execute(world, biz, moment),
        Method::Query => query::execute(yst, world, biz, moment, false),
        Method::Detail => query::execute(yst, world, biz, moment, true),
        Method::Terminal => terminal::execute(yst, world, biz),
        Method::Pay
        | Method::NativePay
        | Method::ScanQrPay
        | Method::Cancel
        | Method::CloseNative
        | Method::Statement => Err(super::fields::broken("no such call")),
    }
}

pub(super) fn put(node: &mut Node, name: &str, value: impl Into<String>) {
    node.insert(name.to_owned(), Value::String(value.into()));
}

/// An amount in the form of the house.
pub(super) fn put_fen(node: &mut Node, name: &str, fen: i64, form: AmountForm) {
    let value = match form {
        AmountForm::Text => Value::String(fen.to_string()),
        AmountForm::Number => Value::Number(Number::from(fen)),
    };
    node.insert(name.to_owned(), value);
}

/// 66666: accepted, the result is to be asked for.
fn accepted() -> Node {
    let mut node = Node::new();
    put(&mut node, "result", "0");
    put(&mut node, "respCode", "66666");
    put(&mut node, "respMsg", "业务已受理");
    node
}

/// 00000 with a result.
fn done(result: &str) -> Node {
    let mut node = Node::new();
    put(&mut node, "result", result);
    put(&mut node, "respCode", "00000");
    put(&mut node, "respMsg", "成功");
    node
}

/// The channel's next number: time, code and sequence, 26 digits.
fn resp_trace_num(world: &World, code: &str, now: i64) -> String {
    format!("{}{code}{:08}", china_time::write(COMPACT, now), world.serial())
}
