//! The buyer's phone: shows pay codes, scans QR pictures, confirms or refuses, with any of four apps.

use std::sync::Arc;

use thiserror::Error;

use super::buyers::{App, Buyer};
use super::control::Shared;
use super::ledger::TradeState;
use super::order::{Order, Origin};
use super::picture;
use super::world::{Due, World};

/// What the phone shows after a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// Names the payment for [`Wallet::confirm`] and [`Wallet::refuse`].
    pub id: String,
    /// What the merchant asks, in fen.
    pub amount_fen: i64,
    /// For what.
    pub subject: String,
    /// Whether it is paid already, because the phone confirms by itself.
    pub paid: bool,
}

/// A payment that waits for this buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Names the payment for [`Wallet::confirm`] and [`Wallet::refuse`].
    pub id: String,
    /// The merchant's number.
    pub out_trade_no: String,
    /// What the merchant asks, in fen.
    pub amount_fen: i64,
    /// For what.
    pub subject: String,
}

/// What the phone says when something does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WalletError {
    /// There is no QR in the picture, or the file is no picture.
    #[error("no code was found in the picture: hold the camera closer and still")]
    NoCode,
    /// The code is not one of this gateway's, or its time is over.
    #[error("this code is invalid or has expired: ask for a new one; nothing was paid")]
    CodeInvalid,
    /// The code is for another app.
    #[error("this app cannot open the code; nothing was paid")]
    WrongApp,
    /// The order is paid.
    #[error("this order is already paid; it is not paid twice")]
    AlreadyPaid,
    /// The order was closed.
    #[error("this order is closed; nothing was paid")]
    Closed,
    /// There is no such payment.
    #[error("there is nothing to pay under this id")]
    NothingToPay,
    /// The buyer has not enough.
    #[error("there is not enough money in the account; nothing was paid")]
    NotEnoughMoney,
}

/// A buyer's phone with one app open.
#[derive(Clone)]
pub struct Wallet {
    shared: Arc<Shared>,
    buyer: String,
    app: App,
}

impl Wallet {
    pub(crate) fn new(shared: Arc<Shared>, name: &str, app: App) -> Self {
        let balance_fen = shared.house.buyer_balance_fen;
        shared.change(|world, _| {
            let serial = world.buyers.len() + 1;
            world.buyers.entry(name.to_owned()).or_insert(Buyer { serial, balance_fen, auto_confirm: false });
        });
        Self { shared, buyer: name.to_owned(), app }
    }

    /// The same buyer's phone with another app open. All apps draw on one account.
    #[must_use]
    pub fn using(&self, app: App) -> Self {
        Self { app, ..self.clone() }
    }

    /// The buyer's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.buyer
    }

    /// The app that is open.
    #[must_use]
    pub const fn app(&self) -> App {
        self.app
    }

    /// The buyer's account in this app, as the answers give it.
    #[must_use]
    pub fn user_id(&self) -> String {
        self.shared.look(|world, _| {
            let buyer = world.buyers.get(&self.buyer);
            buyer.map(|buyer| self.app.account(buyer.serial)).unwrap_or_default()
        })
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

    /// A fresh pay code of this app: single use, dead after a minute (reference/other-codes.md 1).
    #[must_use]
    pub fn pay_code(&self) -> String {
        let life = self.shared.house.pay_code_life_ms;
        self.shared.change(|world, now| world.make_pay_code(&self.buyer, self.app, now + life))
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
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        Err(first_error.unwrap_or(WalletError::NoCode))
    }

    /// Opens the text of a QR code. Several buyers may open one code; the first who pays has it.
    ///
    /// # Errors
    ///
    /// When the code is not live, not for this app, or the order is paid or closed.
    pub fn scan_text(&self, text: &str) -> Result<Scanned, WalletError> {
        let (mut scanned, auto) = self.shared.change(|world, _| {
            let order = world.order_of_text(text).ok_or(WalletError::CodeInvalid)?;
            self.may_open(order)?;
            payable(order)?;
            let (scanned, number) = (scanned(order), order.terms.number.clone());
            self.open(world, &number);
            Ok((scanned, world.buyers.get(&self.buyer).is_some_and(|buyer| buyer.auto_confirm)))
        })?;
        if auto {
            self.confirm(&scanned.id)?;
            scanned.paid = true;
        }
        Ok(scanned)
    }

    fn may_open(&self, order: &Order) -> Result<(), WalletError> {
        match &order.origin {
            Origin::Code { apps, .. } if apps.contains(&self.app) => Ok(()),
            Origin::Code { .. } | Origin::PayCode => Err(WalletError::WrongApp),
        }
    }

    fn open(&self, world: &mut World, number: &str) {
        if let Some(order) = world.orders.get_mut(number) {
            order.openers.retain(|(buyer, _)| *buyer != self.buyer);
            order.openers.push((self.buyer.clone(), self.app));
        }
    }

    /// The payments that wait for this buyer, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.look(|world, _| {
            let orders = world.orders.values().filter(|order| order.is_waiting() && self.opened(order).is_some());
            let mut mine: Vec<&Order> = orders
                .filter(|order| !order.refused_by.contains(&self.buyer))
                .filter(|order| !world.is_on_its_way(&order.terms.number, &self.buyer))
                .collect();
            mine.sort_by_key(|order| order.created_at);
            mine.into_iter().map(request).collect()
        })
    }

    /// Pays. With the weather `PaysLate` the money moves later.
    ///
    /// # Errors
    ///
    /// When there is nothing to pay, not enough to pay with, or it is too late.
    pub fn confirm(&self, id: &str) -> Result<(), WalletError> {
        self.shared.change(|world, now| {
            let order = world.order_by_trade_no(id).ok_or(WalletError::NothingToPay)?;
            let payer = self.opened(order).ok_or(WalletError::NothingToPay)?;
            payable(order)?;
            world.can_pay(&self.buyer, order.terms.amount_fen)?;
            let number = order.terms.number.clone();
            if world.is_on_its_way(&number, &self.buyer) {
                return Err(WalletError::AlreadyPaid);
            }
            match world.weather.lateness() {
                Some((ms, despite_close)) => {
                    world.plan(now.saturating_add_unsigned(ms), Due::Land { number, payer, despite_close });
                }
                None => world.charge(&number, payer, now),
            }
            Ok(())
        })
    }

    /// Does not pay. The order stays open until somebody closes it or its time is over, as with the real one.
    ///
    /// # Errors
    ///
    /// When there is nothing to refuse.
    pub fn refuse(&self, id: &str) -> Result<(), WalletError> {
        self.shared.change(|world, _| {
            let order = world.order_by_trade_no(id).ok_or(WalletError::NothingToPay)?;
            self.opened(order).ok_or(WalletError::NothingToPay)?;
            payable(order)?;
            let number = order.terms.number.clone();
            if let Some(order) = world.orders.get_mut(&number) {
                order.refused_by.push(self.buyer.clone());
            }
            Ok(())
        })
    }

    /// This buyer and the app, if the buyer met the order.
    fn opened(&self, order: &Order) -> Option<(String, App)> {
        order.openers.iter().find(|(buyer, _)| *buyer == self.buyer).cloned()
    }
}

fn payable(order: &Order) -> Result<(), WalletError> {
    match order.state {
        TradeState::Waiting => Ok(()),
        TradeState::Paid | TradeState::Cancelled => Err(WalletError::AlreadyPaid),
        TradeState::Closed | TradeState::Failed => Err(WalletError::Closed),
        TradeState::Expired => Err(WalletError::CodeInvalid),
    }
}

fn scanned(order: &Order) -> Scanned {
    Scanned {
        id: order.trade_no.clone(),
        amount_fen: order.terms.amount_fen,
        subject: order.terms.subject.clone(),
        paid: false,
    }
}

fn request(order: &Order) -> Request {
    Request {
        id: order.trade_no.clone(),
        out_trade_no: order.terms.number.clone(),
        amount_fen: order.terms.amount_fen,
        subject: order.terms.subject.clone(),
    }
}
