//! `/cusapi/trxfile/get`: where the statement of a day lies (reference/allinpay.md 2.9).

use super::super::super::china_time::{self, COMPACT};
use super::super::super::http::{Moment, Node, Refusal};
use super::super::Vsp;
use super::super::fields::required;
use super::super::form::Form;
use super::super::open::{FILES, parameter};
use super::put;

const HOUR_MS: i64 = 3_600_000;

pub(super) fn execute(vsp: &Vsp, form: &Form, moment: Moment<'_>) -> Result<Node, Refusal> {
    let date = required(form, "date", 8)?;
    let start = china_time::read(COMPACT, &format!("{date}000000")).ok_or_else(|| parameter("date: yyyyMMdd"))?;
    if moment.now < start + (24 + vsp.options.statement_hour) * HOUR_MS {
        return Err(parameter("对账文件未生成"));
    }
    let mut node = Node::new();
    put(&mut node, "url", format!("http://{}{FILES}{}_{date}.zip", vsp.address, vsp.options.cusid));
    Ok(node)
}
