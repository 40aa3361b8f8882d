//! The buyer's phone: shows pay codes, scans QR pictures, confirms or refuses.

use std::sync::Arc;

use thiserror::Error;

use super::china_time::{self, MINUTE_MS};
use super::code::Offer;
use super::control::Shared;
use super::coupon::Coupon;
use super::fields;
use super::ledger::TradeState;
use super::method::Moment;
use super::options::TimeoutStart;
use super::picture;
use super::terms::time_expire;
use super::trade::{Landing, Origin, Trade};
use super::world::{Buyer, World};

/// How long a scanned trade waits when the merchant asked for nothing.
const WAIT_MS: i64 = 180 * MINUTE_MS;

/// What the phone shows after a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// Names the payment for [`Wallet::confirm`] and [`Wallet::refuse`].
    pub id: String,
    /// What the merchant asks.
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
    /// What the merchant asks.
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
    /// Another buyer scanned first.
    #[error("this order belongs to another buyer; nothing was paid by you")]
    BelongsToAnother,
    /// The trade is paid.
    #[error("this order is already paid; it is not paid twice")]
    AlreadyPaid,
    /// The trade was closed.
    #[error("this order is closed; nothing was paid")]
    Closed,
    /// There is no such payment.
    #[error("there is nothing to pay under this id")]
    NothingToPay,
    /// The buyer has not enough.
    #[error("there is not enough money in the account; nothing was paid")]
    NotEnoughMoney,
    /// Huabei does not lend that much.
    #[error("Huabei lends less than this order asks for; nothing was paid")]
    HuabeiTooLow,
}

/// A buyer's phone.
#[derive(Clone)]
pub struct Wallet {
    shared: Arc<Shared>,
    buyer: String,
}

impl Wallet {
    pub(crate) fn new(shared: Arc<Shared>, name: &str) -> Self {
        let balance_fen = shared.options.buyer_balance_fen;
        let huabei_fen = shared.options.huabei_limit_fen;
        shared.change(|world, _| {
            let user_id = format!("2088{:012}", 101 + world.buyers.len());
            let fresh = Buyer { user_id, balance_fen, huabei_fen, coupons: Vec::new(), auto_confirm: false };
            world.buyers.entry(name.to_owned()).or_insert(fresh);
        });
        Self { shared, buyer: name.to_owned() }
    }

    /// The buyer's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.buyer
    }

    /// The buyer's account number, as the answers give it.
    #[must_use]
    pub fn user_id(&self) -> String {
        self.shared.look(|world, _| {
            let buyer = world.buyers.get(&self.buyer);
            buyer.map(|buyer| buyer.user_id.clone()).unwrap_or_default()
        })
    }

    /// What the buyer has, in fen.
    #[must_use]
    pub fn balance_fen(&self) -> i64 {
        self.shared.look(|world, _| {
            let buyer = world.buyers.get(&self.buyer);
            buyer.map_or(0, |buyer| buyer.balance_fen)
        })
    }

    /// Gives the buyer exactly this much, in fen.
    pub fn set_balance_fen(&self, fen: i64) {
        self.with_buyer(|buyer| buyer.balance_fen = fen);
    }

    /// What Huabei still lends the buyer, in fen.
    #[must_use]
    pub fn huabei_fen(&self) -> i64 {
        self.shared.look(|world, _| world.buyers.get(&self.buyer).map_or(0, |buyer| buyer.huabei_fen))
    }

    /// Lets Huabei lend the buyer exactly this much more, in fen.
    pub fn set_huabei_fen(&self, fen: i64) {
        self.with_buyer(|buyer| buyer.huabei_fen = fen);
    }

    /// Puts a coupon into the wallet. The next payment that it fits uses it.
    pub fn give_coupon(&self, coupon: Coupon) {
        self.shared.change(|world, now| {
            let id = format!("{}000730{:010}", china_time::day(now), world.next() % 10_000_000_000);
            if let Some(buyer) = world.buyers.get_mut(&self.buyer) {
                buyer.coupons.push((id, coupon));
            }
        });
    }

    /// The coupons that are not used yet, oldest first.
    #[must_use]
    pub fn coupons(&self) -> Vec<Coupon> {
        self.shared.look(|world, _| {
            let buyer = world.buyers.get(&self.buyer);
            let coupons = buyer.map(|buyer| buyer.coupons.iter().map(|(_, coupon)| coupon.clone()).collect());
            coupons.unwrap_or_default()
        })
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

    /// A fresh pay code: 18 digits beginning 28, single use, dead after a minute (reference/alipay.md 6).
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
        let texts = picture::qr_texts(png);
        let mut first_error = WalletError::NoCode;
        for (index, text) in texts.iter().enumerate() {
            match self.scan_text(text) {
                Ok(scanned) => return Ok(scanned),
                Err(error) if index == 0 => first_error = error,
                Err(_) => {}
            }
        }
        Err(first_error)
    }

    /// Opens the text of a QR code. The first scan creates the trade; the first scanner owns it.
    ///
    /// # Errors
    ///
    /// When the code is not live, or the trade is not this buyer's to pay.
    pub fn scan_text(&self, text: &str) -> Result<Scanned, WalletError> {
        let options = &self.shared.options;
        let (number, auto) = self.shared.change(|world, now| {
            let offer = world.offer_of_text(text).cloned();
            let offer = offer.ok_or(WalletError::CodeInvalid)?;
            let number = offer.terms.out_trade_no.clone();
            if let Some(trade) = world.trades.get(&number) {
                self.may_pay(trade)?;
            } else if offer.expires_at <= now {
                return Err(WalletError::CodeInvalid);
            } else {
                let moment = Moment { options, now, buyer_confirms: true };
                let deadline = deadline(&offer, moment);
                world.open_trade(offer.terms, Origin::Scan, &self.buyer, now, deadline);
            }
            let buyer = world.buyers.get(&self.buyer);
            Ok((number, buyer.is_some_and(|buyer| buyer.auto_confirm)))
        })?;
        let mut scanned = self.shared.look(|world, _| {
            let trade = world.trades.get(&number);
            trade.map(scanned).ok_or(WalletError::NothingToPay)
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
            let waiting = world.waiting.iter();
            let trades = waiting.filter_map(|number| world.trades.get(number));
            let mut mine: Vec<&Trade> = trades
                .filter(|trade| trade.buyer == self.buyer && !trade.refused)
                .filter(|trade| !is_on_its_way(world, trade))
                .collect();
            mine.sort_by_key(|trade| trade.created_at);
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
            let trade = self.trade(world, id)?;
            self.may_pay(trade)?;
            world.can_pay(&trade.buyer, &trade.terms)?;
            if is_on_its_way(world, trade) {
                return Err(WalletError::AlreadyPaid);
            }
            let number = trade.terms.out_trade_no.clone();
            match world.weather.lateness() {
                Some((ms, despite_close)) => world.landings.push(Landing {
                    out_trade_no: number,
                    at: now.saturating_add_unsigned(ms),
                    despite_close,
                }),
                None => world.charge(&number, now),
            }
            Ok(())
        })
    }

    /// Does not pay. The trade stays open until somebody closes it or its time is over, as with the real one.
    ///
    /// # Errors
    ///
    /// When there is nothing to refuse.
    pub fn refuse(&self, id: &str) -> Result<(), WalletError> {
        self.shared.change(|world, _| {
            let trade = self.trade(world, id)?;
            self.may_pay(trade)?;
            let number = trade.terms.out_trade_no.clone();
            if let Some(trade) = world.trades.get_mut(&number) {
                trade.refused = true;
            }
            Ok(())
        })
    }

    fn trade<'w>(&self, world: &'w World, id: &str) -> Result<&'w Trade, WalletError> {
        world.trade_by_no(id).ok_or(WalletError::NothingToPay)
    }

    fn may_pay(&self, trade: &Trade) -> Result<(), WalletError> {
        if trade.buyer != self.buyer {
            return Err(WalletError::BelongsToAnother);
        }
        match trade.state {
            TradeState::WaitBuyerPay => Ok(()),
            TradeState::TradeSuccess | TradeState::TradeFinished => Err(WalletError::AlreadyPaid),
            TradeState::TradeClosed => Err(WalletError::Closed),
        }
    }
}

fn is_on_its_way(world: &World, trade: &Trade) -> bool {
    let number = &trade.terms.out_trade_no;
    let mut landings = world.landings.iter();
    landings.any(|landing| landing.out_trade_no == *number)
}

fn scanned(trade: &Trade) -> Scanned {
    Scanned {
        id: trade.trade_no.clone(),
        amount_fen: trade.terms.amount_fen,
        subject: trade.terms.subject.clone(),
        paid: false,
    }
}

fn request(trade: &Trade) -> Request {
    Request {
        id: trade.trade_no.clone(),
        out_trade_no: trade.terms.out_trade_no.clone(),
        amount_fen: trade.terms.amount_fen,
        subject: trade.terms.subject.clone(),
    }
}

/// Until when a scanned trade may be paid. The fields were checked when the code was made.
fn deadline(offer: &Offer, moment: Moment<'_>) -> i64 {
    let biz = &offer.terms.biz;
    let from = match moment.options.timeout_start {
        TimeoutStart::Request => offer.created_at,
        TimeoutStart::Scan => moment.now,
    };
    let absolute = time_expire(biz, offer.created_at).ok().flatten();
    let relative = fields::timeout(biz, "timeout_express", from).ok().flatten();
    absolute.or(relative).unwrap_or(moment.now + WAIT_MS)
}
