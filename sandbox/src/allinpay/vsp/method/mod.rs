//! The calls of VSP, one file each.

mod addterm;
mod close;
mod pay;
mod query;
mod scanqrpay;
mod trxfile;
mod undo;

use serde_json::Value;

use super::super::china_time;
use super::super::http::{Moment, Node, Refusal, Said};
use super::super::order::{Order, Terms};
use super::super::weather::Method;
use super::super::world::World;
use super::Vsp;
use super::fields;
use super::form::Form;
use super::open::{Asked, parameter};
use super::statement;

/// Carries out a call.
pub(super) fn execute(vsp: &Vsp, world: &mut World, asked: &Asked, moment: Moment<'_>) -> Result<Said, Refusal> {
    match asked {
        Asked::Call { method, form } => call(vsp, world, *method, form, moment).map(Said::Node),
        Asked::File { name } => statement::download(vsp, world, name),
    }
}

fn call(vsp: &Vsp, world: &mut World, method: Method, form: &Form, moment: Moment<'_>) -> Result<Node, Refusal> {
    match method {
        Method::Pay => pay::one_wallet(world, form, moment),
        Method::NativePay => pay::all_wallets(world, form, moment),
        Method::ScanQrPay => scanqrpay::execute(world, form, moment),
        Method::Query => query::execute(vsp, world, form, moment),
        Method::Cancel => undo::cancel(vsp, world, form, moment),
        Method::Refund => undo::refund(vsp, world, form, moment),
        Method::Close => close::execute(world, form, moment, false),
        Method::CloseNative => close::execute(world, form, moment, true),
        Method::Terminal => addterm::execute(world, form),
        Method::Statement => trxfile::execute(vsp, form, moment),
        Method::Consume | Method::Guarantee | Method::Confirm | Method::Detail => Err(parameter("no such address")),
    }
}

fn put(node: &mut Node, name: &str, value: impl Into<String>) {
    node.insert(name.to_owned(), Value::String(value.into()));
}

/// A node with a state of a trade.
fn status(trxstatus: &str, errmsg: &str) -> Node {
    let mut node = Node::new();
    put(&mut node, "trxstatus", trxstatus);
    put(&mut node, "errmsg", errmsg);
    node
}

/// The channel's next number: day, kind and sequence.
fn trxid(world: &World, now: i64) -> String {
    let day = china_time::write("%y%m%d", now);
    format!("{day}11{:010}", world.serial())
}

/// 0.6 %, rounded: what the merchant pays.
pub(super) fn fee(fen: i64) -> i64 {
    (fen * 6 + 500) / 1000
}

fn terms(form: &Form, world: &World, means: &str) -> Result<Terms, Refusal> {
    let fen = fields::trxamt(form)?;
    fields::check_order(form, fen)?;
    let text = |name: &str| form.get(name).unwrap_or_default().to_owned();
    Ok(Terms {
        number: fields::new_reqsn(form, world)?.to_owned(),
        amount_fen: fen,
        subject: text("body"),
        notify_url: form.get("notify_url").map(str::to_owned),
        means: means.to_owned(),
        termno: String::new(),
        payees: Vec::new(),
        guaranteed: false,
    })
}

/// The order that `oldtrxid`, which wins, or `oldreqsn` names.
fn old_order<'w>(world: &'w World, form: &Form) -> Result<&'w Order, Refusal> {
    let found = match (form.get("oldtrxid"), form.get("oldreqsn")) {
        (Some(trxid), _) => world.order_by_trade_no(trxid),
        (None, Some(reqsn)) => world.orders.get(reqsn),
        (None, None) => return Err(parameter("oldreqsn or oldtrxid is missing")),
    };
    found.ok_or_else(|| Refusal::business("1001", "原交易不存在"))
}

/// What a paid order tells of its payment.
fn put_payment(node: &mut Node, world: &World, order: &Order) {
    put(node, "trxid", &*order.trade_no);
    put(node, "reqsn", &*order.terms.number);
    let fen = order.terms.amount_fen.to_string();
    put(node, "initamt", &*fen);
    put(node, "trxamt", fen);
    if let (Some((buyer, app)), Some(paid_at)) = (&order.payer, order.paid_at) {
        let serial = world.buyers.get(buyer).map_or(0, |buyer| buyer.serial);
        put(node, "chnltrxid", app.receipt(&order.trade_no));
        put(node, "acct", app.account(serial));
        put(node, "accttype", app.accttype());
        put(node, "trxcode", app.trxcodes()[0]);
        put(node, "fintime", china_time::write(china_time::COMPACT, paid_at));
        put(node, "fee", fee(order.terms.amount_fen).to_string());
    }
}
