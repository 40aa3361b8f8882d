//! Notices: JSON, in one of two shapes (reference/allinpay.md 3.6).

use serde_json::Value;

use super::super::china_time::{self, DASHED};
use super::super::http::{Dress, Node};
use super::super::notice::Notice;
use super::super::options::AmountForm;
use super::super::order::RefundState;
use super::Yst;
use super::method::{put, put_fen};
use super::options::NoticeShape;
use super::reply::{envelope, sign};

pub(super) fn write(yst: &Yst, notice: &Notice, now: i64, dress: Dress) -> (&'static str, String) {
    let biz = members(yst, notice, dress);
    let code = match (&notice.refund, notice.order.terms.guaranteed) {
        (Some(_), _) => "2294",
        (None, true) => "2089",
        (None, false) => "2085",
    };
    let mut outer = match yst.options.notice_shape {
        NoticeShape::TopLevel => biz,
        NoticeShape::Envelope => {
            let mut outer = envelope(yst, code, "00000", "成功", now);
            put(&mut outer, "bizData", Value::Object(biz).to_string());
            outer
        }
    };
    sign(yst, &mut outer, false);
    ("application/json;charset=UTF-8", Value::Object(outer).to_string())
}

fn members(yst: &Yst, notice: &Notice, dress: Dress) -> Node {
    let order = &notice.order;
    let mut node = Node::new();
    let failed = notice.refund.as_ref().is_some_and(|refund| refund.state == RefundState::Failed);
    put(&mut node, "result", result(yst, failed));
    put(&mut node, "respMsg", if failed { "失败" } else { "成功" });
    // In the flat shape every member takes part in the signature, so amounts are texts there.
    let form = match yst.options.notice_shape {
        NoticeShape::TopLevel => AmountForm::Text,
        NoticeShape::Envelope => yst.options.house.amounts,
    };
    match &notice.refund {
        Some(refund) => {
            put(&mut node, "reqTraceNum", &*refund.number);
            put(&mut node, "respTraceNum", &*refund.trade_no);
            put(&mut node, "orgReqTraceNum", &*order.terms.number);
            put(&mut node, "orgRespTraceNum", &*order.trade_no);
            put_fen(&mut node, "orderAmount", refund.fen, form);
        }
        None => {
            put(&mut node, "reqTraceNum", &*order.terms.number);
            put(&mut node, "respTraceNum", &*order.trade_no);
            put_fen(&mut node, "orderAmount", order.terms.amount_fen, form);
        }
    }
    put(&mut node, "finishTime", china_time::write(DASHED, notice.at));
    if let Some(payee) = order.terms.payees.first() {
        put(&mut node, "receiverSignNum", &*payee.sign_num);
    }
    if dress.extra {
        put(&mut node, "newField2027", "added later by the gateway");
    }
    node
}

fn result(yst: &Yst, failed: bool) -> &'static str {
    match (yst.options.notice_result_words, failed) {
        (false, false) => "1",
        (false, true) => "2",
        (true, false) => "SUCCESS",
        (true, true) => "FAIL",
    }
}
