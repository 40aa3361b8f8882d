//! A receipt as it stands on paper: what buyer, merchant and channel need to find the payment again, and no more.

use hal::printer::{Align, Item, Style};
use payment::money::Fen;

use crate::api::wire::RefundState;
use crate::api::wire::receipt::{Goods, Payment, Receipt, Returned};

const HEAD: Style = Style { align: Align::Centre, double: true, bold: false };
const SUM: Style = Style { align: Align::Right, double: false, bold: true };

/// From top to bottom. Names come from outside: the printer's driver takes out what could steer it.
pub(super) fn paper(receipt: &Receipt) -> Vec<Item> {
    let mut items = vec![Item::Text("收据".to_owned(), HEAD), Item::Feed(1)];
    items.extend(receipt.goods.iter().map(goods));
    if receipt.goods.is_empty() {
        items.push(pair(&receipt.subject, receipt.amount));
    }
    items.push(Item::Rule);
    items.extend(positive("首付款（现金）", receipt.down_payment));
    items.extend(positive("现金支付", receipt.cash));
    items.push(Item::Text(format!("已付 {}", yuan(receipt.paid)), SUM));
    items.extend(positive("已退", receipt.refunded));
    items.push(Item::Rule);
    items.extend(receipt.payments.iter().flat_map(payment));
    items.extend(receipt.refunds.iter().map(returned));
    items.push(line(&format!("订单号 {}", receipt.order)));
    items.extend(receipt.reference.as_ref().map(|reference| line(&format!("商户参考号 {reference}"))));
    items.push(line(&format!("下单时间 {}", receipt.ordered_at)));
    items
}

fn goods(row: &Goods) -> Item {
    let name = match row.quantity {
        1 => row.name.clone(),
        many => format!("{} ×{many}", row.name),
    };
    pair(&name, row.price.saturating_mul(i64::from(row.quantity)))
}

fn payment(payment: &Payment) -> Vec<Item> {
    let mut items = vec![pair(&payment.paid_by, payment.amount)];
    items.extend(payment.discounts.iter().map(|discount| pair(&discount.name, -discount.amount.get())));
    items.extend(payment.buyer_paid.map(|paid| pair("买家实付", paid)));
    items.push(line(&format!("支付时间 {}", payment.paid_at)));
    items.extend(payment.numbers.iter().map(|known| line(&format!("{} {}", known.name, known.number))));
    items
}

fn returned(refund: &Returned) -> Item {
    let state = match refund.state {
        RefundState::Done => "已退回",
        RefundState::Pending | RefundState::Owed => "退款处理中",
        RefundState::Asked | RefundState::Declined | RefundState::Replaced => "未退款",
    };
    pair(&format!("退款 {state}"), -refund.amount)
}

fn positive(name: &str, fen: i64) -> Option<Item> {
    (fen > 0).then(|| pair(name, fen))
}

fn pair(name: &str, fen: i64) -> Item {
    Item::Pair(name.to_owned(), yuan(fen))
}

fn line(text: &str) -> Item {
    Item::Text(text.to_owned(), Style::default())
}

fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}¥{}", Fen::new(fen.saturating_abs()).to_yuan())
}
