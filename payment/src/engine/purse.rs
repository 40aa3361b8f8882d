//! What was spent of the operator's codes at this terminal, and what may still be.

use std::collections::BTreeMap;

use super::entry::VoucherUse;
use super::mutant::{Mutant, is_planted};
use super::settings::VoucherSettings;
use crate::money::Fen;
use crate::time::Wall;
use crate::voucher::{CODES_MAX, Kind, Voucher, VoucherRefused, VoucherSpent};

/// The codes that were used.
#[derive(Debug, Default)]
pub(crate) struct Purse {
    codes: BTreeMap<String, Spent>,
    /// Codes that expire until then may have been forgotten: they stay expired, wherever the clock goes.
    forgotten_ms: Option<i64>,
    unsettled: Unsettled,
}

/// What was spent of one code.
#[derive(Debug)]
struct Spent {
    amount: Fen,
    used_once: bool,
    expires_ms: i64,
}

/// What was taken and is not known to be the hub's.
#[derive(Debug, Clone, Copy, Default)]
struct Unsettled {
    /// As the journal said when it was last asked.
    told: Fen,
    /// Written since then.
    written: Fen,
    /// Not written yet.
    unwritten: Fen,
}

impl Purse {
    pub(crate) fn restore(spent: Vec<VoucherSpent>) -> Self {
        let known = |code: VoucherSpent| {
            let VoucherSpent { code, spent, used_once, expires_ms } = code;
            (code, Spent { amount: spent, used_once, expires_ms })
        };
        // The journal tells those that expire last, so that it may know more that expire before.
        let is_cut = spent.len() >= CODES_MAX;
        let forgotten_ms = spent.iter().map(|code| code.expires_ms).min().filter(|_| is_cut);
        Self { codes: spent.into_iter().map(known).collect(), forgotten_ms, ..Self::default() }
    }

    /// Whether `amount` may be paid with this code, by what was spent and by the terminal's limits.
    pub(crate) fn check(
        &mut self,
        voucher: &Voucher,
        amount: Fen,
        limits: &VoucherSettings,
        now: Wall,
    ) -> Result<(), VoucherRefused> {
        let &VoucherSettings { per_sale_max, unsettled_max, .. } = limits;
        voucher.check(&limits.terminal, now)?;
        self.check_allowance(voucher, amount, now)?;
        if amount > per_sale_max {
            return Err(VoucherRefused::AboveSale { per_sale_max });
        }
        if self.unsettled.with(amount).is_none_or(|sum| sum > unsettled_max) {
            return Err(VoucherRefused::Unsettled { unsettled_max });
        }
        Ok(())
    }

    /// Whether the terminal's limits leave room for `amount`, whatever the code.
    pub(crate) fn has_room(&self, amount: Fen, limits: &VoucherSettings) -> bool {
        let sum = self.unsettled.with(amount);
        amount <= limits.per_sale_max && sum.is_some_and(|sum| sum <= limits.unsettled_max)
    }

    fn check_allowance(&mut self, voucher: &Voucher, amount: Fen, now: Wall) -> Result<(), VoucherRefused> {
        let once = voucher.kind == Kind::Voucher;
        let Some(spent) = self.codes.get(&voucher.id) else {
            if self.forgotten_ms.is_some_and(|forgotten| voucher.expires_ms <= forgotten) {
                return Err(VoucherRefused::Expired);
            }
            return if self.is_full(now) { Err(VoucherRefused::TooMany) } else { is_enough(voucher.amount, amount) };
        };
        if spent.used_once || (once && spent.amount.is_positive()) {
            return Err(VoucherRefused::Used);
        }
        is_enough(voucher.amount.less(spent.amount), amount)
    }

    /// Whether no further code can be remembered, once those that have expired are forgotten.
    fn is_full(&mut self, now: Wall) -> bool {
        if self.codes.len() >= CODES_MAX {
            self.codes.retain(|_, spent| spent.expires_ms > now.ms);
            self.forgotten_ms = self.forgotten_ms.max(Some(now.ms));
        }
        self.codes.len() >= CODES_MAX
    }

    /// `amount` is paid with the code.
    pub(crate) fn take(&mut self, voucher: &VoucherUse, amount: Fen) {
        if is_planted(Mutant::VoucherNotSpent) {
            return;
        }
        let &VoucherUse { once, expires_ms, .. } = voucher;
        let fresh = || Spent { amount: Fen::ZERO, used_once: once, expires_ms };
        let spent = self.codes.entry(voucher.code.clone()).or_insert_with(fresh);
        spent.amount = [spent.amount, amount].into_iter().sum();
        spent.used_once |= once;
        spent.expires_ms = spent.expires_ms.max(expires_ms);
        self.unsettled.unwritten = [self.unsettled.unwritten, amount].into_iter().sum();
    }

    /// `amount` of the code may be spent again. A voucher whose whole sum is back may be used again.
    pub(crate) fn give_back(&mut self, code: &str, amount: Fen) {
        if let Some(spent) = self.codes.get_mut(code) {
            spent.amount = spent.amount.less(amount);
            spent.used_once &= spent.amount.is_positive();
        }
    }

    /// `amount` that was taken is in the journal.
    pub(crate) fn on_written(&mut self, amount: Fen) {
        self.unsettled.unwritten = self.unsettled.unwritten.less(amount);
        self.unsettled.written = [self.unsettled.written, amount].into_iter().sum();
    }

    /// `amount` was not taken after all: the journal refused it.
    pub(crate) fn untake(&mut self, code: &str, amount: Fen) {
        self.unsettled.unwritten = self.unsettled.unwritten.less(amount);
        self.give_back(code, amount);
    }

    /// What the journal holds and the hub does not.
    pub(crate) const fn tell_unsettled(&mut self, amount: Fen) {
        self.unsettled.told = amount;
        self.unsettled.written = Fen::ZERO;
    }
}

impl Unsettled {
    /// All of it and `amount`; `None` when that is no sum any more.
    fn with(&self, amount: Fen) -> Option<Fen> {
        self.told.checked_add(self.written)?.checked_add(self.unwritten)?.checked_add(amount)
    }
}

fn is_enough(left: Fen, amount: Fen) -> Result<(), VoucherRefused> {
    if left.is_positive() && left >= amount {
        return Ok(());
    }
    Err(if left.is_positive() { VoucherRefused::TooLittle { left } } else { VoucherRefused::Used })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall { ms: 1_000, trusted: true };

    fn limits() -> VoucherSettings {
        let (terminal, operator_key) = ("VM-1".to_owned(), [0; 32]);
        VoucherSettings { terminal, operator_key, per_sale_max: Fen::new(500), unsettled_max: Fen::new(1_000) }
    }

    fn code(id: &str, expires_ms: i64) -> Voucher {
        Voucher { id: id.to_owned(), kind: Kind::Member, amount: Fen::new(500), expires_ms, terminals: Vec::new() }
    }

    fn full(expires_ms: impl Fn(usize) -> i64) -> Purse {
        let spent = |number: usize| VoucherSpent {
            code: format!("M-{number}"),
            spent: Fen::new(500),
            used_once: false,
            expires_ms: expires_ms(number),
        };
        Purse::restore((0..CODES_MAX).map(spent).collect())
    }

    fn check(purse: &mut Purse, code: &Voucher, fen: i64, now: Wall) -> Result<(), VoucherRefused> {
        purse.check(code, Fen::new(fen), &limits(), now)
    }

    #[test]
    fn with_as_many_valid_codes_as_it_remembers_a_new_one_is_refused() {
        let mut purse = full(|_| 2_000);
        assert_eq!(check(&mut purse, &code("new", 2_001), 1, NOW), Err(VoucherRefused::TooMany));
        assert_eq!(check(&mut purse, &code("M-7", 2_000), 1, NOW), Err(VoucherRefused::Used), "none is forgotten");
    }

    #[test]
    fn a_code_that_was_forgotten_stays_expired_when_the_clock_goes_back() {
        let mut purse = full(|number| if number == 7 { 1_500 } else { 2_000 });
        let later = Wall { ms: 1_500, ..NOW };
        assert_eq!(check(&mut purse, &code("new", 2_000), 1, later), Ok(()));
        assert_eq!(purse.codes.len(), CODES_MAX - 1);
        assert_eq!(check(&mut purse, &code("M-7", 1_500), 1, NOW), Err(VoucherRefused::Expired));
        assert_eq!(check(&mut purse, &code("M-8", 2_000), 1, NOW), Err(VoucherRefused::Used));
    }

    #[test]
    fn a_code_that_the_journal_did_not_tell_any_more_stays_expired() {
        let mut purse = full(|number| 2_000 + i64::try_from(number).unwrap());
        let later = Wall { ms: 2_001, ..NOW };
        assert_eq!(check(&mut purse, &code("older", 2_000), 1, NOW), Err(VoucherRefused::Expired));
        assert_eq!(check(&mut purse, &code("M-0", 2_000), 1, NOW), Err(VoucherRefused::Used), "this one is known");
        assert_eq!(check(&mut purse, &code("new", 3_000), 1, later), Ok(()));
    }

    #[test]
    fn what_is_not_written_yet_counts_whatever_the_journal_says_meanwhile() {
        let mut purse = Purse::default();
        let limit = Err(VoucherRefused::Unsettled { unsettled_max: Fen::new(1_000) });
        purse.take(&code("a", 2_000).into_use(), Fen::new(500));
        purse.tell_unsettled(Fen::new(200));
        assert_eq!(check(&mut purse, &code("b", 2_000), 301, NOW), limit);
        purse.on_written(Fen::new(500));
        assert_eq!(check(&mut purse, &code("b", 2_000), 301, NOW), limit);
        assert_eq!(check(&mut purse, &code("b", 2_000), 300, NOW), Ok(()));
        purse.tell_unsettled(Fen::new(0));
        assert_eq!(check(&mut purse, &code("b", 2_000), 500, NOW), Ok(()));
        purse.tell_unsettled(Fen::new(i64::MAX));
        assert_eq!(check(&mut purse, &code("b", 2_000), 1, NOW), limit);
    }

    #[test]
    fn what_the_journal_refused_was_never_spent() {
        let mut purse = Purse::default();
        let once = Voucher { kind: Kind::Voucher, ..code("v", 2_000) };
        purse.take(&once.clone().into_use(), Fen::new(500));
        assert_eq!(check(&mut purse, &once, 500, NOW), Err(VoucherRefused::Used));
        purse.untake("v", Fen::new(500));
        assert_eq!(check(&mut purse, &once, 500, NOW), Ok(()));
        assert_eq!(check(&mut purse, &code("b", 2_000), 500, NOW), Ok(()));
    }
}
