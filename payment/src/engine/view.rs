//! What the buyer sees, as plain data. The engine says what; the daemon's `screen` says how it looks.

use crate::channel::{ChannelId, Wallet};
use crate::money::Fen;

/// One picture's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// The daemon is starting.
    Starting,
    /// Nobody is here: an invitation.
    Idle {
        /// Why only member and voucher codes are taken; `None` while a wallet can be.
        codes_only: Option<ServiceFault>,
    },
    /// A slot is being typed in.
    Choose {
        /// What was typed so far; may be empty.
        typed: String,
        /// The product in that slot, when there is one.
        product: Option<ProductView>,
        /// What is wrong with the choice.
        trouble: Option<ChooseTrouble>,
    },
    /// Pay now.
    Pay {
        /// What is bought.
        name: String,
        /// What it costs.
        amount: Fen,
        /// Whole seconds left to pay.
        seconds_left: u64,
        /// The codes for the buyer's phone, side by side; empty while they are being fetched or when only the scanner may
        /// be used.
        codes: Vec<CodeView>,
        /// The instalments that the buyer may choose from; empty where there are none.
        plans: Vec<PlanView>,
        /// A code is being fetched: the only one, or the other of two.
        code_coming: bool,
        /// What can be paid with now, member and voucher codes among them.
        wallets: Vec<ChannelId>,
        /// Why only member and voucher codes are taken; `None` while a wallet can be.
        codes_only: Option<ServiceFault>,
        /// The scanner is armed: the buyer may show a pay code.
        scanner: bool,
        /// Why the last pay code did not do.
        trouble: Option<PayTrouble>,
    },
    /// The buyer is confirming on the phone.
    Confirming {
        /// What it costs.
        amount: Fen,
        /// Whole seconds left.
        seconds_left: u64,
    },
    /// We are asking the channel whether money was taken.
    Checking {
        /// What it costs.
        amount: Fen,
    },
    /// Goods are on their way.
    Delivering {
        /// What is falling.
        name: String,
        /// Which item, from 1.
        item: usize,
        /// Of how many.
        of: usize,
    },
    /// Everything was delivered.
    Thanks {
        /// What the buyer has paid.
        amount: Fen,
        /// What coupons and discounts took off the price, as far as the channel told.
        saved: Fen,
        /// What comes back, because the machine charged less than was paid.
        change: Fen,
    },
    /// It did not work out.
    Sorry {
        /// What went wrong.
        what: SorryWhat,
        /// What happens to the buyer's money.
        money: MoneyWord,
        /// The amount that the money word is about.
        amount: Fen,
        /// The last six characters of the order number, to be read out to a person.
        number: String,
    },
    /// The machine does not sell.
    OutOfService {
        /// Why.
        reason: ServiceFault,
    },
}

/// Instalments to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanView {
    /// The key that chooses them, 1 to 9; 0 is paying at once.
    pub key: u8,
    /// Months.
    pub periods: u8,
    /// What the buyer pays in the first month.
    pub first_month: Fen,
    /// What the buyer pays in each later month.
    pub later_month: Fen,
    /// What of it all is the fee; nothing where the merchant bears it.
    pub buyer_fee: Fen,
    /// Whether they are chosen.
    pub chosen: bool,
}

/// A code on the pay screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeView {
    /// The wallet that it is for; `None` for one code that several can scan.
    pub wallet: Option<Wallet>,
    /// The text to draw.
    pub text: String,
}

impl CodeView {
    pub(crate) fn of((wallet, text): (Option<Wallet>, &str)) -> Self {
        Self { wallet, text: text.to_owned() }
    }
}

/// A product on the choose screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductView {
    /// Its name.
    pub name: String,
    /// Its price.
    pub price: Fen,
}

/// Why a choice cannot be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChooseTrouble {
    /// There is no such slot.
    NoSuchSlot,
    /// The slot is switched off or jammed.
    SlotBlocked,
    /// Nothing is left in the slot.
    SoldOut,
}

/// Why a pay code did not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayTrouble {
    /// Not a pay code of a wallet that we take.
    NotAPayCode,
    /// Stale or used: refresh and show it again.
    RefreshCode,
    /// The buyer's account or funds: try another wallet or card.
    TryAnother,
    /// No code could be had from the channel.
    NoCode,
    /// The wallet cannot be reached: its code was not used.
    WalletDown,
    /// A member or voucher code was not taken.
    Code(CodeTrouble),
}

/// Why a member or voucher code was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeTrouble {
    /// Damaged, or not the operator's.
    Invalid,
    /// Its time is over.
    Expired,
    /// For other machines.
    Elsewhere,
    /// Used up.
    Used,
    /// Not enough is left for this order.
    TooLittle,
    /// Beyond what this machine takes by codes, for this sale or until it has reached the hub.
    NotNow,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SorryWhat {
    /// Cancelled.
    Cancelled,
    /// The time ran out.
    Expired,
    /// The channel refused.
    Refused,
    /// The goods did not fall.
    NotDelivered,
    /// We could not learn in time whether money was taken.
    NoAnswer,
}

/// What happens to the buyer's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyWord {
    /// Nothing was taken.
    NothingTaken,
    /// If anything was or will be taken, it comes back by itself.
    ComesBackIfTaken,
    /// It is on its way back.
    BeingRefunded,
    /// It went back.
    Refunded,
}

/// Why the machine does not sell, as far as a buyer wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceFault {
    /// The journal cannot be written.
    Storage,
    /// The clock is not trusted.
    Clock,
    /// No channel can be reached.
    Network,
    /// A channel refuses the merchant's set-up.
    Setup,
    /// The machine cannot deliver.
    Machine,
    /// A technician switched it off.
    SwitchedOff,
}
