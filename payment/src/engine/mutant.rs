//! Planted mistakes, of the kinds that people make. The simulator must find each of them: a proof that finds nothing
//! proves nothing. Without the feature `mutants` none can be planted, and the compiler takes every trace of them out.

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutant {
    /// A pay request without an answer is taken for not paid.
    TimeoutIsNotPaid,
    /// A code that is not in the channel's table is taken for not paid.
    UnlistedIsNotPaid,
    /// A call leaves before its entry is durable.
    CallBeforeRecord,
    /// A motor turns before its entry is durable.
    GoodsBeforeRecord,
    /// A code that could not be fetched is asked for again under a new number.
    NewNumberOnRetry,
    /// A refund without an answer is sent again under a fresh number.
    FreshRefundNumber,
    /// A motor that was to turn when the daemon stopped is started by recovery.
    MotorAgainAfterRestart,
    /// An attempt that was being undone when the daemon stopped is taken for undone.
    UndoingForgottenAtRestart,
    /// A code that was given up is not watched until nobody can pay it any more.
    LatePaymentForgotten,
    /// A cancel without an answer is taken for done.
    CancelForgottenOnTimeout,
    /// The second payment of an order is kept.
    SecondPaymentKept,
    /// Something is sold for a payment that a cancel on its way may still return.
    GoodsInSpiteOfCancel,
    /// A refund that the channel took and did not carry out counts as done.
    RefundTakenIsDone,
    /// A refund that is owed for too long is dropped.
    OwedIsDropped,
    /// The refund for one item that did not fall is that of the whole order.
    WholeOrderIsRefunded,
    /// Nothing goes back for an item that did not fall.
    JamIsKept,
    /// A code stays on the screen in spite of a fault.
    CodeShownInFault,
    /// The machine's answer to one job is taken for the answer to the next.
    AnyJobsAnswer,
    /// A buyer who has left still counts as standing there.
    LeftBuyerIsServed,
    /// What is paid with a member or voucher code is not marked as spent.
    VoucherNotSpent,
    /// A machine that cannot deliver goes on selling.
    SoldWhileJammed,
    /// A refund that failed under its number is not made again.
    FailedRefundIsDropped,
    /// A refund is sent without the second person's word.
    ApprovalSkipped,
    /// Who asks for a refund may approve it too.
    AskerApproves,
    /// A pay code is cancelled before its channel takes a cancel.
    CancelNotWaitedFor,
    /// The code of a channel that went away is forgotten for that of the next one.
    OldCodeForgotten,
    /// A duty that was open when the daemon stopped is forgotten.
    DutyForgottenAtRestart,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 27] = [
        Self::TimeoutIsNotPaid,
        Self::UnlistedIsNotPaid,
        Self::CallBeforeRecord,
        Self::GoodsBeforeRecord,
        Self::NewNumberOnRetry,
        Self::FreshRefundNumber,
        Self::MotorAgainAfterRestart,
        Self::UndoingForgottenAtRestart,
        Self::LatePaymentForgotten,
        Self::CancelForgottenOnTimeout,
        Self::SecondPaymentKept,
        Self::GoodsInSpiteOfCancel,
        Self::RefundTakenIsDone,
        Self::OwedIsDropped,
        Self::WholeOrderIsRefunded,
        Self::JamIsKept,
        Self::CodeShownInFault,
        Self::AnyJobsAnswer,
        Self::LeftBuyerIsServed,
        Self::VoucherNotSpent,
        Self::SoldWhileJammed,
        Self::FailedRefundIsDropped,
        Self::ApprovalSkipped,
        Self::AskerApproves,
        Self::CancelNotWaitedFor,
        Self::OldCodeForgotten,
        Self::DutyForgottenAtRestart,
    ];
}

#[cfg(feature = "mutants")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Plants a mistake in the engines of this thread, or takes it out again.
#[cfg(feature = "mutants")]
pub fn plant(mutant: Option<Mutant>) {
    PLANTED.set(mutant);
}

/// Whether this mistake is planted.
#[cfg(feature = "mutants")]
pub(crate) fn is_planted(mutant: Mutant) -> bool {
    PLANTED.get() == Some(mutant)
}

/// Whether this mistake is planted: never.
#[cfg(not(feature = "mutants"))]
pub(crate) const fn is_planted(_mutant: Mutant) -> bool {
    false
}
