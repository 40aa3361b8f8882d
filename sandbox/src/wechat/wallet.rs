//! The buyer's phone: shows pay codes, scans QR pictures, confirms or refuses.

use std::sync::Arc;

use super::control::Shared;
use super::order::{Landing, Order, OrderKey, Origin, TradeState};
use super::world::{Buyer, World};
use crate::alipay::picture;
use crate::alipay::wallet::{Request, Scanned, WalletError};

/// A buyer's phone.
#[derive(Clone)]
pub struct Wallet {
    shared: Arc<Shared>,
    buyer: String,
}

impl Wallet {
    pub(crate) fn new(shared: Arc<Shared>, name: &str) -> Self {
        let balance_fen = shared.options.buyer_balance_fen;
        shared.change(|world, _| {
            let openid = format!("oThrowawayOpenId{:012}", 1 + world.buyers.len());
            world.buyers.entry(name.to_owned()).or_insert(Buyer { openid, balance_fen, auto_confirm: false });
        });
        Self { shared, buyer: name.to_owned() }
    }

    /// The buyer's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.buyer
    }

    /// The buyer's `openid`, as the answers give it.
    #[must_use]
    pub fn user_id(&self) -> String {
        self.shared.look(|world, _| world.buyers.get(&self.buyer).map(|buyer| buyer.openid.clone()).unwrap_or_default())
    }

    /// What the buyer has, in fen.
    #[must_use]
    pub fn balance_fen(&self) -> i64 {
        self.shared.look(|world, _| world.buyers.get(&self.buyer).map_or(0, |buyer| buyer.balance_fen))
    }

    /// Gives the buyer exactly this much, in fen.
    pub fn set_balance_fen(&self, fen: i64) {
        self.with_buyer(|buyer| buyer.balance_fen = fen);
    }

    /// Whether the phone confirms everything by itself.
    pub fn set_auto_confirm(&self, auto: bool) {
        self.with_buyer(|buyer| buyer.auto_confirm = auto);
    }

    fn with_buyer(&self, change: impl FnOnce(&mut Buyer)) {
        self.shared.change(|world, _| {
            if let Some(buyer) = world.buyers.get_mut(&self.buyer) {
                change(buyer);
            }
        });
    }

    /// A fresh pay code: 18 digits beginning 10 to 15, single use, dead after a minute (reference/wechatpay.md 13).
    #[must_use]
    pub fn pay_code(&self) -> String {
        let life = self.shared.options.pay_code_life_ms;
        self.shared.change(|world, now| world.make_pay_code(&self.buyer, now + life))
    }

    /// Scans what is on a machine's screen: a PNG picture that shows a QR code somewhere.
    ///
    /// # Errors
    ///
    /// [`WalletError::NoCode`] when there is nothing to read, otherwise as [`Wallet::scan_text`].
    pub fn scan_picture(&self, png: &[u8]) -> Result<Scanned, WalletError> {
        let mut first_error = None;
        for text in picture::qr_texts(png) {
            match self.scan_text(&text) {
                Ok(scanned) => return Ok(scanned),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.unwrap_or(WalletError::NoCode))
    }

    /// Opens a `code_url`, by its exact text. The first scanner owns the order.
    ///
    /// # Errors
    ///
    /// When the code is not live, or the order is not this buyer's to pay.
    pub fn scan_text(&self, text: &str) -> Result<Scanned, WalletError> {
        let (mut scanned, auto) = self.shared.change(|world, now| {
            let key = world.codes.get(text).cloned().ok_or(WalletError::CodeInvalid)?;
            let order = world.orders.get_mut(&key).ok_or(WalletError::CodeInvalid)?;
            let live = order.code.as_ref().is_some_and(|code| code.text == text && code.expires_at > now);
            self.may_pay(order, now)?;
            if !live {
                return Err(WalletError::CodeInvalid);
            }
            order.buyer = Some(self.buyer.clone());
            let scanned = scanned(order);
            Ok((scanned, world.buyers.get(&self.buyer).is_some_and(|buyer| buyer.auto_confirm)))
        })?;
        if auto {
            self.confirm(&scanned.id)?;
            scanned.paid = true;
        }
        Ok(scanned)
    }

    /// The payments that wait for this buyer, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.look(|world, _| {
            let mine = |order: &&Order| order.buyer.as_deref() == Some(&*self.buyer) && order.is_waiting();
            let mut orders: Vec<&Order> =
                world.orders.values().filter(mine).filter(|order| !is_on_its_way(world, &order.terms.key)).collect();
            orders.sort_by_key(|order| order.created_at);
            orders.into_iter().map(request).collect()
        })
    }

    /// Pays. With the weather `PaysLate` the money moves later.
    ///
    /// # Errors
    ///
    /// When there is nothing to pay, not enough to pay with, or it is too late.
    pub fn confirm(&self, id: &str) -> Result<(), WalletError> {
        self.shared.change(|world, now| {
            let order = order(world, id)?;
            let (key, fen) = (order.terms.key.clone(), order.terms.total_fen);
            self.may_pay(order, now)?;
            if !world.can_pay(&self.buyer, fen) {
                return Err(WalletError::NotEnoughMoney);
            }
            if is_on_its_way(world, &key) {
                return Err(WalletError::AlreadyPaid);
            }
            match world.weather.lateness() {
                Some((ms, despite_close)) => {
                    world.landings.push(Landing { key, at: now.saturating_add_unsigned(ms), despite_close });
                }
                None => world.charge(&key, now),
            }
            Ok(())
        })
    }

    /// Does not pay. A Native order stays unpaid until somebody closes it; a pay code order has failed.
    ///
    /// # Errors
    ///
    /// When there is nothing to refuse.
    pub fn refuse(&self, id: &str) -> Result<(), WalletError> {
        self.shared.change(|world, now| {
            let found = order(world, id)?;
            self.may_pay(found, now)?;
            let key = found.terms.key.clone();
            if let Some(order) = world.orders.get_mut(&key)
                && order.terms.origin == Origin::PayCode
            {
                order.state = TradeState::PayError;
            }
            Ok(())
        })
    }

    fn may_pay(&self, order: &Order, now: i64) -> Result<(), WalletError> {
        if order.buyer.as_deref().is_some_and(|buyer| buyer != self.buyer) {
            return Err(WalletError::BelongsToAnother);
        }
        match order.state {
            TradeState::NotPay | TradeState::UserPaying if order.payable_until <= now => Err(WalletError::CodeInvalid),
            TradeState::NotPay | TradeState::UserPaying => Ok(()),
            TradeState::Success | TradeState::Refund => Err(WalletError::AlreadyPaid),
            TradeState::Closed | TradeState::Revoked | TradeState::PayError => Err(WalletError::Closed),
        }
    }
}

fn order<'w>(world: &'w World, id: &str) -> Result<&'w Order, WalletError> {
    world.orders.values().find(|order| order.transaction_id == id).ok_or(WalletError::NothingToPay)
}

fn is_on_its_way(world: &World, key: &OrderKey) -> bool {
    world.landings.iter().any(|landing| landing.key == *key)
}

fn scanned(order: &Order) -> Scanned {
    Scanned {
        id: order.transaction_id.clone(),
        amount_fen: order.terms.total_fen,
        subject: order.terms.description.clone(),
        paid: false,
    }
}

fn request(order: &Order) -> Request {
    Request {
        id: order.transaction_id.clone(),
        out_trade_no: order.terms.key.number.clone(),
        amount_fen: order.terms.total_fen,
        subject: order.terms.description.clone(),
    }
}
