//! Who stands at the machine: one customer at a time, from the first key to the thanks.

use super::entry::SlotId;
use super::input::Key;
use super::settings::{Pace, Settings};
use super::view::{ChooseTrouble, ProductView, View};
use crate::ids::OrderId;
use crate::time::Mono;

/// The longest slot name that can be typed.
const LONGEST_SLOT: usize = 8;

/// The customer at the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Session {
    /// Nobody.
    Idle,
    /// Somebody types a slot.
    Choosing { typed: String, until: Mono },
    /// An order is being paid or delivered. `leave_at` is set once nobody may pay any more.
    Order { order: OrderId, leave_at: Option<Mono> },
    /// How it ended.
    Result { view: View, until: Mono },
}

/// What a key led to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeyPressed {
    /// Nothing.
    Ignored,
    /// The session changed.
    Taken,
    /// Buy what is in this slot.
    Buy(SlotId),
    /// Cancel this order.
    Cancel(OrderId),
    /// Pay this order as this key says.
    Plan(OrderId, u8),
}

impl Session {
    pub(crate) fn deadline(&self) -> Option<Mono> {
        match self {
            Self::Idle => None,
            Self::Choosing { until, .. } | Self::Result { until, .. } => Some(*until),
            Self::Order { leave_at, .. } => *leave_at,
        }
    }

    /// The order at the machine.
    pub(crate) const fn order(&self) -> Option<OrderId> {
        match self {
            Self::Order { order, .. } => Some(*order),
            Self::Idle | Self::Choosing { .. } | Self::Result { .. } => None,
        }
    }

    pub(crate) fn on_key(&mut self, key: Key, now: Mono, settings: &Settings) -> KeyPressed {
        match (&mut *self, key) {
            (Self::Order { order, .. }, Key::Cancel) => KeyPressed::Cancel(*order),
            (Self::Order { order, .. }, Key::Digit(digit)) if settings.instalments.is_some() => {
                KeyPressed::Plan(*order, digit)
            }
            (Self::Order { .. }, Key::Digit(_) | Key::Ok) | (Self::Idle, Key::Ok | Key::Cancel) => KeyPressed::Ignored,
            (Self::Idle | Self::Result { .. }, Key::Digit(digit)) => self.begin(digit, now, &settings.pace),
            (Self::Result { .. }, Key::Ok | Key::Cancel) | (Self::Choosing { .. }, Key::Cancel) => {
                *self = Self::Idle;
                KeyPressed::Taken
            }
            (Self::Choosing { typed, until }, Key::Digit(digit)) => {
                if typed.len() < LONGEST_SLOT {
                    typed.push(char::from(b'0' + digit.min(9)));
                }
                *until = now.plus(settings.pace.choose_ms);
                KeyPressed::Taken
            }
            (Self::Choosing { typed, .. }, Key::Ok) => SlotId::new(typed).map_or(KeyPressed::Ignored, KeyPressed::Buy),
        }
    }

    fn begin(&mut self, digit: u8, now: Mono, pace: &Pace) -> KeyPressed {
        let typed = char::from(b'0' + digit.min(9)).to_string();
        *self = Self::Choosing { typed, until: now.plus(pace.choose_ms) };
        KeyPressed::Taken
    }
}

/// The choose screen for what was typed so far.
pub(crate) fn choose_view(typed: &str, settings: &Settings, unsold: impl Fn(&SlotId) -> Option<ChooseTrouble>) -> View {
    let slot = SlotId::new(typed);
    let product = slot.as_ref().and_then(|slot| settings.products.get(slot));
    let could_become = settings.products.keys().any(|slot| slot.as_str().starts_with(typed));
    let trouble = match (&product, &slot) {
        (Some(_), Some(slot)) => unsold(slot),
        (None, _) if !could_become => Some(ChooseTrouble::NoSuchSlot),
        (Some(_) | None, _) => None,
    };
    let product = product.map(|product| ProductView { name: product.name.clone(), price: product.price });
    View::Choose { typed: typed.to_owned(), product, trouble }
}
