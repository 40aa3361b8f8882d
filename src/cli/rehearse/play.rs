//! The scripts: what is done in each case, and what must come out.

use payment::channel::outcome::DiscountBy;
use payment::channel::{ChannelId, Method};
use payment::engine::entry::OrderState;
use serde_json::{Value, json};

use super::buyer::{Buyer, Deed, Question};
use super::cases::{Case, Script};
use super::stage::{Stage, Stop, Wanted, failed, is_over, is_refused, new_key, paid, skipped, winner};
use crate::api::problem::Code;
use crate::api::wire::{Attempt, AttemptState, DutyState, Order, RefundState};
use crate::cli::{Failure, text};
use crate::config::Mode;

/// The shortest time to pay, in seconds (docs/configuration.md, `pay_within_s`): a code that is left alone shall not take long.
const SHORT_S: u64 = 20;
const SHORT_SANDBOX_S: u64 = 3;

impl<B: Buyer> Stage<'_, B> {
    /// Plays a case. What was paid in it is returned by the caller.
    pub(super) async fn play(&mut self, case: &Case) -> Result<(), Stop> {
        match case.script {
            Script::ShownPaid => self.shown_paid().await.map(|_| ()),
            Script::ShownLeft => self.shown_left().await,
            Script::CancelledBefore => self.cancelled_before().await,
            Script::CodePaid => self.code_paid().await,
            Script::CodePassword => self.code_password().await,
            Script::CodeDead => self.code_dead().await,
            Script::CodeForeign => self.code_foreign().await,
            Script::Numbers => self.numbers().await,
            Script::RefundWhole => self.refund_whole().await,
            Script::RefundParts => self.refund_parts().await,
            Script::RefundTwice => self.refund_twice().await,
            Script::Goods => self.goods().await,
            Script::Coupon => self.coupon().await,
            Script::TwoCodes => self.two_codes().await,
            Script::Instalments => self.instalments().await,
            Script::Delivery => self.delivery().await,
        }
    }

    fn wanted(&self, who_scans: &'static str, least: Script) -> Wanted {
        let amount = self.amount.max(least.least_fen());
        Wanted { amount, who_scans, pay_within_s: None, instalments: None }
    }

    /// An order whose code stands on the screen.
    async fn shown(&mut self, wanted: Wanted) -> Result<Order, Stop> {
        if self.ground.shows(self.channel).is_none() {
            return skipped("此终端不经本渠道显示二维码（[sell] show 和 channels）");
        }
        let order = self.open(&wanted).await?;
        self.until(&order, "二维码的请求已发出", |order| !order.attempts.is_empty() || is_over(order)).await
    }

    /// An order that waits for a pay code at the scanner.
    async fn taken(&mut self) -> Result<Order, Stop> {
        if self.ground.taken_wallet(self.channel).is_none() {
            return skipped("此终端不经本渠道受理付款码，或没有扫码头");
        }
        self.open(&self.wanted("merchant_scans", Script::CodePaid)).await
    }

    async fn shown_paid(&mut self) -> Result<Order, Stop> {
        self.pay_shown(self.wanted("buyer_scans", Script::ShownPaid)).await
    }

    async fn pay_shown(&mut self, wanted: Wanted) -> Result<Order, Stop> {
        let order = self.shown(wanted).await?;
        self.act(Deed::ScanAndPay, &order).await?;
        let order = self.until_paid(&order).await?;
        self.look(Question::Charged(order.amount), &order).await?;
        Ok(order)
    }

    async fn shown_left(&mut self) -> Result<(), Stop> {
        let seconds = if self.ground.mode == Mode::Sandbox { SHORT_SANDBOX_S } else { SHORT_S };
        let wanted = Wanted { pay_within_s: Some(seconds), ..self.wanted("buyer_scans", Script::ShownLeft) };
        let order = self.shown(wanted).await?;
        self.act(Deed::Leave, &order).await?;
        self.unpaid(&order).await
    }

    /// Nothing is paid so far. A code that was shown can be paid until it is dead at the channel, minutes from now: that it
    /// was not is looked at when all cases have been played.
    async fn unpaid(&mut self, order: &Order) -> Result<(), Stop> {
        let given_up = |order: &Order| is_over(order) || order.state == OrderState::Cancelling || paid(order);
        let order = self.until(order, "订单结束或正在撤销", given_up).await?;
        if paid(&order) {
            return failed(format!("应当没有扣款，却已付 {}", text::yuan(order.paid)));
        }
        self.nothing = true;
        Ok(())
    }

    async fn cancelled_before(&mut self) -> Result<(), Stop> {
        let order = self.shown(self.wanted("buyer_scans", Script::CancelledBefore)).await?;
        self.act(Deed::Scan, &order).await?;
        self.cancel(&order).await?;
        let gone = |order: &Order| order.attempts.iter().all(|attempt| attempt.state != AttemptState::Started);
        let order = self.until(&order, "撤销已开始", gone).await?;
        self.act(Deed::PayAfterAll, &order).await?;
        self.unpaid(&order).await
    }

    async fn code_paid(&mut self) -> Result<(), Stop> {
        let order = self.taken().await?;
        self.act(Deed::ShowCode, &order).await?;
        let order = self.until_paid(&order).await?;
        self.by_code(&order)?;
        self.look(Question::Charged(order.amount), &order).await.map(|_| ())
    }

    fn by_code(&self, order: &Order) -> Result<(), Stop> {
        match winner(order).map(|attempt| attempt.method) {
            Some(Method::TakeCode) => Ok(()),
            Some(Method::ShowCode) | None => failed("不是由付款码支付的"),
        }
    }

    async fn code_password(&mut self) -> Result<(), Stop> {
        let order = self.taken().await?;
        self.act(Deed::ShowCodeWithPassword, &order).await?;
        let order = self.until_confirming(&order).await?;
        if paid(&order) {
            return skipped("钱包没有要求输入密码，已直接付款：请关闭免密支付后再做");
        }
        if order.state != OrderState::Confirming {
            return failed(format!("没有等待买家确认：{}", super::words::order(order.state)));
        }
        self.act(Deed::Confirm, &order).await?;
        let order = self.until_paid(&order).await?;
        self.by_code(&order)?;
        self.look(Question::Charged(order.amount), &order).await.map(|_| ())
    }

    async fn code_dead(&mut self) -> Result<(), Stop> {
        let order = self.taken().await?;
        self.act(Deed::ShowDeadCode, &order).await?;
        let order =
            self.until(&order, "渠道的回答", |order| paid(order) || is_refused(order) || is_over(order)).await?;
        let Some(attempt) = order.attempts.last().filter(|_| !paid(&order)) else {
            return failed("过期的付款码被扣了款，或没有被读到");
        };
        if attempt.channel != self.channel {
            return failed(format!("付款码去了 {}", attempt.channel.name()));
        }
        self.notes.push(format!("拒绝码 {}", attempt.code.as_deref().unwrap_or("（无）")));
        if !is_over(&order) {
            self.cancel(&order).await?;
        }
        self.unpaid(&order).await
    }

    async fn code_foreign(&mut self) -> Result<(), Stop> {
        let Some((code, wallet)) = self.ground.foreign_code() else {
            return skipped("此终端受理所有已知钱包的付款码");
        };
        let order = self.open(&self.wanted("merchant_scans", Script::CodeForeign)).await?;
        let scan = json!({ "order": order.id, "code": code });
        let given: Result<(Order, Value), Failure> = self.client.post("/v1/scans", &scan, None).await;
        match given {
            Err(Failure::Problem { problem })
                if problem.code == Code::WalletNotTaken && problem.detail.contains(wallet) =>
            {
                self.notes.push(problem.detail.clone());
            }
            Err(other) => return failed(format!("应当按名称拒绝 {wallet}，却是：{other}")),
            Ok(_) => return failed(format!("不受理的 {wallet} 付款码被接受了")),
        }
        let order = self.order(&order.id.to_string()).await?;
        if !order.attempts.is_empty() {
            return failed("不受理的付款码被发往了渠道");
        }
        self.cancel(&order).await?;
        self.unpaid(&order).await
    }

    async fn numbers(&mut self) -> Result<(), Stop> {
        let order = self.shown_paid().await?;
        let Some(attempt) = winner(&order) else { return failed("没有支付成功") };
        let trade_no = attempt.trade_no.clone().unwrap_or_default();
        for number in [attempt.number.to_string(), trade_no] {
            let found = self.order(&crate::cli::client::escaped(&number)).await?;
            if found.id != order.id {
                return failed(format!("按 {number} 查到的是另一个订单 {}", found.id));
            }
        }
        Ok(())
    }

    async fn refund_whole(&mut self) -> Result<(), Stop> {
        let order = self.shown_paid().await?;
        self.refund(&order, None, &new_key()?).await?;
        let order = self.until_returned(&order, order.amount).await?;
        self.returned_in(&order, 1).await
    }

    /// Checks that the whole amount went back in so many refunds, all done.
    async fn returned_in(&mut self, order: &Order, refunds: usize) -> Result<(), Stop> {
        let done = order.refunds.iter().filter(|refund| refund.state == RefundState::Done);
        let (count, fen) = done.fold((0, 0), |(count, fen), refund| (count + 1, fen + refund.amount));
        if count != refunds || fen != order.amount || order.refunded != order.amount {
            return failed(format!(
                "应当 {refunds} 笔共 {}，却是 {count} 笔共 {}",
                text::yuan(order.amount),
                text::yuan(fen)
            ));
        }
        self.look(Question::Returned(order.amount), order).await.map(|_| ())
    }

    async fn refund_parts(&mut self) -> Result<(), Stop> {
        let order = self.pay_shown(self.wanted("buyer_scans", Script::RefundParts)).await?;
        self.refund(&order, Some(1), &new_key()?).await?;
        let order = self.until_returned(&order, 1).await?;
        if order.refunded != 1 {
            return failed(format!("第一次应退一分，却退了 {}", text::yuan(order.refunded)));
        }
        self.refund(&order, None, &new_key()?).await?;
        let order = self.until_returned(&order, order.amount).await?;
        self.returned_in(&order, 2).await
    }

    async fn refund_twice(&mut self) -> Result<(), Stop> {
        let order = self.shown_paid().await?;
        let key = new_key()?;
        let first = self.refund(&order, None, &key).await?;
        let again = self.refund(&order, None, &key).await?;
        let order = self.until_returned(&order, order.amount).await?;
        let after = self.refund(&order, None, &key).await?;
        if [&again, &after].iter().any(|made| made.refund.number != first.refund.number) {
            return failed("重复的请求得到了另一个退款单号");
        }
        self.returned_in(&order, 1).await
    }

    async fn goods(&mut self) -> Result<(), Stop> {
        let Some(store) = self.ground.store.clone() else {
            return skipped("没有设置门店编码（channels.alipay.store_id）");
        };
        let order = self.pay_shown(self.wanted("buyer_scans", Script::Goods)).await?;
        let (_, sku) = self.ground.goods();
        if order.items.iter().any(|item| item.code != sku) {
            return failed(format!("订单里的商品编码不是 {sku}"));
        }
        self.notes.push(format!("门店编码 {store}，商品编码 {sku}"));
        match self.look(Question::StoreAndGoods, &order).await? {
            true => Ok(()),
            false => skipped("订单已付，但没有人在商家后台核对门店和商品编码"),
        }
    }

    async fn coupon(&mut self) -> Result<(), Stop> {
        let order = self.pay_shown(self.wanted("buyer_scans", Script::Coupon)).await?;
        let Some(told) = winner(&order).map(|attempt| attempt.told.clone()) else {
            return failed("没有支付成功");
        };
        if told.discounts.is_empty() {
            return skipped("渠道没有报告优惠：钱包里没有适用的优惠券，或渠道没有返回优惠明细");
        }
        for discount in &told.discounts {
            let by = match discount.by {
                DiscountBy::Merchant => "商家承担",
                DiscountBy::Channel => "渠道承担",
                DiscountBy::Unsaid => "承担方未说明",
            };
            self.notes.push(format!("优惠“{}”{}，{by}", discount.name, text::yuan(discount.amount.get())));
        }
        let off: i64 = told.discounts.iter().map(|discount| discount.amount.get()).sum();
        let Some(own) = told.buyer_paid.map(|fen| fen.get()) else {
            return skipped("渠道没有报告买家实付：优惠和实付相加是否等于订单金额，无从核对");
        };
        match own + off == order.amount {
            true => Ok(()),
            false => failed(format!("实付 {} 加优惠 {} 不等于订单金额", text::yuan(own), text::yuan(off))),
        }
    }

    async fn two_codes(&mut self) -> Result<(), Stop> {
        if self.ground.shows(self.channel).is_none_or(|codes| codes < 2) {
            return skipped("此终端不并排显示两个二维码（[sell] show）");
        }
        let order = self.open(&self.wanted("buyer_scans", Script::TwoCodes)).await?;
        let order = self.until(&order, "两个二维码", |order| order.attempts.len() >= 2 || is_over(order)).await?;
        self.act(Deed::ScanAndPay, &order).await?;
        let order = self.until_paid(&order).await?;
        let is_paid = |attempt: &&Attempt| attempt.state == AttemptState::Paid;
        if order.attempts.len() < 2 || order.attempts.iter().filter(is_paid).count() != 1 {
            return failed("应当两个二维码中只有一个收款");
        }
        let is_closed = |order: &Order| order.attempts.iter().all(|attempt| attempt.state != AttemptState::Started);
        let order = self.until(&order, "另一个二维码被关闭", is_closed).await?;
        self.look(Question::Charged(order.amount), &order).await.map(|_| ())
    }

    async fn instalments(&mut self) -> Result<(), Stop> {
        let Some((periods, amount)) = self.ground.instalments().filter(|_| self.channel == ChannelId::Alipay) else {
            return skipped("此终端没有分期（[instalments]）");
        };
        let wanted = self.wanted("buyer_scans", Script::Instalments);
        let order = self.pay_shown(Wanted { amount, instalments: Some(periods), ..wanted }).await?;
        let Some(attempt) = winner(&order) else { return failed("没有支付成功") };
        if attempt.instalment.is_none_or(|asked| asked.periods != periods) {
            return failed(format!("请求里没有 {periods} 期"));
        }
        match attempt.told.instalments {
            Some(told) if told != periods => failed(format!("要求 {periods} 期，渠道说 {told} 期")),
            Some(told) => {
                self.notes.push(format!("分 {told} 期"));
                Ok(())
            }
            None => skipped(format!("要求 {periods} 期，渠道没有回答期数：请在手机账单或商家后台核对")),
        }
    }

    async fn delivery(&mut self) -> Result<(), Stop> {
        let Some(kind) = self.ground.duty(self.channel) else {
            return skipped("本渠道在此终端没有交付后的上报义务");
        };
        let order = self.shown_paid().await?;
        let done = |order: &Order| {
            order.duties.iter().any(|duty| duty.kind == kind)
                && order.duties.iter().all(|duty| duty.state == DutyState::Done)
        };
        self.until(&order, "渠道收到上报", done).await?;
        self.notes.push(format!("上报 {} 完成", text::words(kind)));
        Ok(())
    }
}
