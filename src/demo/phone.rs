//! The buyer's phone: four apps, each with its own money, its own pay code, and the codes that it can scan.
//!
//! Alipay and WeChat know the codes of their own channels. All four know what Allinpay shows for them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hal::display::Frame;
use sandbox::allinpay::{self, App};
use sandbox::{Clock, WalletError, wechat};
use serde::Serialize;
use thiserror::Error;

use super::scene::Scene;

/// Who owns the phone, as the gateways know them.
pub const OWNER: &str = "lin";

/// What is in each app at first, in fen.
const START_FEN: i64 = 20_000;
/// What a pay code is good for; the gateways' default.
const PAY_CODE_LIFE_MS: i64 = 60_000;
/// Begins the ids of what is paid through Allinpay.
const AT_ALLINPAY: &str = "allinpay-";
/// Begins the ids of what is paid at the app's own channel.
const AT_OWN: &str = "own-";

/// The phone's owner at Allinpay: each app is an account of its own there.
#[must_use]
pub const fn buyer_at_allinpay(app: App) -> &'static str {
    match app {
        App::Alipay => "lin-alipay",
        App::Wechat => "lin-wechat",
        App::UnionPay => "lin-unionpay",
        App::Ecny => "lin-ecny",
    }
}

/// The app's word on the page.
#[must_use]
pub const fn word_of(app: App) -> &'static str {
    match app {
        App::Alipay => "alipay",
        App::Wechat => "wechat",
        App::UnionPay => "union_pay",
        App::Ecny => "ecny",
    }
}

/// The app of this word.
#[must_use]
pub fn app_of(word: &str) -> Option<App> {
    App::ALL.into_iter().find(|app| word_of(*app) == word)
}

/// A pay code on the phone's screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCode {
    /// Its characters.
    pub code: String,
    /// When it dies, in milliseconds since 1970.
    pub expires_at_ms: i64,
    taker: Taker,
}

/// Who can take a pay code. The simulated channels do not know each other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taker {
    /// The app's own channel.
    Own,
    /// Allinpay.
    Allinpay,
}

/// A payment that waits for the buyer's thumb.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Names it for [`Phone::confirm`] and [`Phone::refuse`].
    pub id: String,
    /// What is asked, in fen.
    pub amount: i64,
    /// For what.
    pub subject: String,
}

/// What the phone says when something does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PhoneError {
    /// A channel's app says so.
    #[error(transparent)]
    App(#[from] WalletError),
    /// An app says so of what Allinpay shows.
    #[error(transparent)]
    Allinpay(#[from] allinpay::WalletError),
    /// No code on the screen is for this app.
    #[error(
        "this app can pay none of the codes on the screen: open another app, or wait for a new code; nothing was paid"
    )]
    NotForThisApp,
    /// The scene has no channel for this app.
    #[error("this machine takes nothing from this app")]
    NotTaken,
}

/// The app's own channel.
enum Own {
    Alipay(sandbox::Wallet),
    Wechat(wechat::Wallet),
}

/// One app: an account at its own channel, one at Allinpay, and one purse behind both.
struct Opened {
    app: App,
    own: Option<Own>,
    allinpay: Option<allinpay::Wallet>,
    purse_fen: Mutex<i64>,
    code: Mutex<Option<ShownCode>>,
    /// The numbers of its payments, in the order in which they were first seen.
    seen: Mutex<Vec<String>>,
}

/// The phone.
pub struct Phone {
    apps: Vec<Opened>,
    open: Mutex<App>,
    clock: Clock,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Phone {
    /// A phone in front of a scene, with Alipay open.
    #[must_use]
    pub fn before(scene: &Scene) -> Self {
        let apps = App::ALL.into_iter().map(|app| Opened::new(scene, app)).collect();
        Self { apps, open: Mutex::new(App::Alipay), clock: Clock::system() }
    }

    /// The app that is open.
    #[must_use]
    pub fn app(&self) -> App {
        *lock(&self.open)
    }

    /// Opens another app.
    pub fn open(&self, app: App) {
        *lock(&self.open) = app;
    }

    fn opened(&self) -> Option<&Opened> {
        let app = self.app();
        self.apps.iter().find(|each| each.app == app)
    }

    /// What is in each app, in fen.
    #[must_use]
    pub fn balances(&self) -> Vec<(App, i64)> {
        self.apps.iter().map(|each| (each.app, each.settled_fen())).collect()
    }

    /// The pay code of the open app, while it lives.
    #[must_use]
    pub fn shown_code(&self) -> Option<ShownCode> {
        let now = self.clock.now();
        lock(&self.opened()?.code).clone().filter(|code| code.expires_at_ms > now)
    }

    /// Opens a fresh pay code that `taker` can take; an app without a channel of its own has one for Allinpay.
    ///
    /// # Errors
    ///
    /// When nobody here takes this app's codes.
    pub fn show_code(&self, taker: Taker) -> Result<ShownCode, PhoneError> {
        let opened = self.opened().ok_or(PhoneError::NotTaken)?;
        let (code, taker) = opened.pay_code(taker).ok_or(PhoneError::NotTaken)?;
        let shown = ShownCode { code, taker, expires_at_ms: self.clock.now() + PAY_CODE_LIFE_MS };
        *lock(&opened.code) = Some(shown.clone());
        Ok(shown)
    }

    /// The open code, made anew where somebody else takes it now: a phone renews its code all the time.
    ///
    /// # Errors
    ///
    /// When nobody here takes this app's codes.
    pub fn renewed_code(&self, taker: Taker) -> Result<Option<ShownCode>, PhoneError> {
        match self.shown_code() {
            Some(shown) if shown.taker != taker && self.has_own() => self.show_code(taker).map(Some),
            shown => Ok(shown),
        }
    }

    fn has_own(&self) -> bool {
        self.opened().is_some_and(|opened| opened.own.is_some())
    }

    /// Closes the pay code.
    pub fn hide_code(&self) {
        if let Some(opened) = self.opened() {
            *lock(&opened.code) = None;
        }
    }

    /// What waits for the buyer in the open app.
    #[must_use]
    pub fn requests(&self) -> Vec<Asked> {
        self.opened().map(Opened::requests).unwrap_or_default()
    }

    /// Scans a machine's screen: the whole of it, then each half, as a person holds the phone to one of two codes.
    ///
    /// # Errors
    ///
    /// When there is no code, or none that this app may pay.
    pub fn scan(&self, screen: &Frame) -> Result<(), PhoneError> {
        let opened = self.opened().ok_or(PhoneError::NotTaken)?;
        let mut said = PhoneError::App(WalletError::NoCode);
        for view in [Some(screen.clone()), half(screen, Side::Left), half(screen, Side::Right)].into_iter().flatten() {
            let Ok(png) = view.to_png() else { continue };
            for tried in opened.scan(&png) {
                match tried {
                    Ok(()) => return Ok(()),
                    Err(error) => said = clearer(said, error),
                }
            }
        }
        Err(said)
    }

    /// Pays.
    ///
    /// # Errors
    ///
    /// When there is nothing to pay, not enough to pay with, or it is too late.
    pub fn confirm(&self, id: &str) -> Result<(), PhoneError> {
        self.opened().ok_or(PhoneError::NotTaken)?.confirm(id)
    }

    /// Does not pay.
    ///
    /// # Errors
    ///
    /// When there is nothing to refuse.
    pub fn refuse(&self, id: &str) -> Result<(), PhoneError> {
        self.opened().ok_or(PhoneError::NotTaken)?.refuse(id)
    }

    /// Sorts by when the open app first heard of a number, the newest first.
    pub fn newest_first<T>(&self, rows: &mut [T], number: impl Fn(&T) -> &str) {
        let Some(opened) = self.opened() else { return };
        let mut seen = lock(&opened.seen);
        for row in rows.iter() {
            if !seen.iter().any(|known| known == number(row)) {
                seen.push(number(row).to_owned());
            }
        }
        rows.sort_by_key(|row| std::cmp::Reverse(seen.iter().position(|known| known == number(row))));
    }
}

impl Opened {
    fn new(scene: &Scene, app: App) -> Self {
        let own = match app {
            App::Alipay => Some(Own::Alipay(scene.gateway.control().wallet_of(OWNER))),
            App::Wechat => scene.wechat.as_ref().map(|gateway| Own::Wechat(gateway.control().wallet_of(OWNER))),
            App::UnionPay | App::Ecny => None,
        };
        let at_allinpay =
            |gateway: &allinpay::VspGateway| gateway.control().wallet_of(buyer_at_allinpay(app)).using(app);
        let opened = Self {
            app,
            own,
            allinpay: scene.vsp.as_ref().map(at_allinpay),
            purse_fen: Mutex::new(START_FEN),
            code: Mutex::default(),
            seen: Mutex::default(),
        };
        opened.put(START_FEN);
        opened
    }

    /// Both accounts hold the whole purse, so that either refuses what the purse does not hold.
    fn put(&self, fen: i64) {
        match &self.own {
            Some(Own::Alipay(wallet)) => wallet.set_balance_fen(fen),
            Some(Own::Wechat(wallet)) => wallet.set_balance_fen(fen),
            None => {}
        }
        if let Some(wallet) = &self.allinpay {
            wallet.set_balance_fen(fen);
        }
    }

    /// What is in the purse after what moved on either account.
    fn settled_fen(&self) -> i64 {
        let mut purse = lock(&self.purse_fen);
        let own = match &self.own {
            Some(Own::Alipay(wallet)) => wallet.balance_fen(),
            Some(Own::Wechat(wallet)) => wallet.balance_fen(),
            None => *purse,
        };
        let allinpay = self.allinpay.as_ref().map_or(*purse, allinpay::Wallet::balance_fen);
        let now = own + allinpay - *purse;
        if own != now || allinpay != now {
            self.put(now);
        }
        *purse = now;
        now
    }

    fn pay_code(&self, taker: Taker) -> Option<(String, Taker)> {
        match (taker, &self.own, &self.allinpay) {
            (Taker::Own, Some(Own::Alipay(wallet)), _) => Some((wallet.pay_code(), Taker::Own)),
            (Taker::Own, Some(Own::Wechat(wallet)), _) => Some((wallet.pay_code(), Taker::Own)),
            (_, _, Some(wallet)) => Some((wallet.pay_code(), Taker::Allinpay)),
            (_, _, None) => None,
        }
    }

    fn scan(&self, png: &[u8]) -> Vec<Result<(), PhoneError>> {
        let own = self.own.as_ref().map(|own| match own {
            Own::Alipay(wallet) => wallet.scan_picture(png),
            Own::Wechat(wallet) => wallet.scan_picture(png),
        });
        let own = own.map(|scanned| scanned.map(|_| ()).map_err(PhoneError::from));
        if let Some(Ok(())) = own {
            return vec![Ok(())];
        }
        let allinpay = self.allinpay.as_ref().map(|wallet| wallet.scan_picture(png));
        let allinpay = allinpay.map(|scanned| scanned.map(|_| ()).map_err(PhoneError::from));
        own.into_iter().chain(allinpay).collect()
    }

    fn requests(&self) -> Vec<Asked> {
        let own = match &self.own {
            Some(Own::Alipay(wallet)) => wallet.requests(),
            Some(Own::Wechat(wallet)) => wallet.requests(),
            None => Vec::new(),
        };
        let own = own.into_iter().map(|request| Asked {
            id: format!("{AT_OWN}{}", request.id),
            amount: request.amount_fen,
            subject: request.subject,
        });
        let allinpay = self.allinpay.as_ref().map(allinpay::Wallet::requests).unwrap_or_default();
        let allinpay = allinpay.into_iter().map(|request| Asked {
            id: format!("{AT_ALLINPAY}{}", request.id),
            amount: request.amount_fen,
            subject: request.subject,
        });
        own.chain(allinpay).collect()
    }

    fn confirm(&self, id: &str) -> Result<(), PhoneError> {
        self.settled_fen();
        if let (Some(id), Some(wallet)) = (id.strip_prefix(AT_ALLINPAY), &self.allinpay) {
            return Ok(wallet.confirm(id)?);
        }
        let id = id.strip_prefix(AT_OWN).unwrap_or_default();
        match &self.own {
            Some(Own::Alipay(wallet)) => Ok(wallet.confirm(id)?),
            Some(Own::Wechat(wallet)) => Ok(wallet.confirm(id)?),
            None => Err(WalletError::NothingToPay.into()),
        }
    }

    fn refuse(&self, id: &str) -> Result<(), PhoneError> {
        if let (Some(id), Some(wallet)) = (id.strip_prefix(AT_ALLINPAY), &self.allinpay) {
            return Ok(wallet.refuse(id)?);
        }
        let id = id.strip_prefix(AT_OWN).unwrap_or_default();
        match &self.own {
            Some(Own::Alipay(wallet)) => Ok(wallet.refuse(id)?),
            Some(Own::Wechat(wallet)) => Ok(wallet.refuse(id)?),
            None => Err(WalletError::NothingToPay.into()),
        }
    }
}

/// Of two refusals, the one that tells a person more.
fn clearer(before: PhoneError, now: PhoneError) -> PhoneError {
    let told = match now {
        PhoneError::App(WalletError::NoCode) | PhoneError::Allinpay(allinpay::WalletError::NoCode) => return before,
        PhoneError::App(WalletError::CodeInvalid)
        | PhoneError::Allinpay(allinpay::WalletError::CodeInvalid | allinpay::WalletError::WrongApp) => {
            PhoneError::NotForThisApp
        }
        PhoneError::App(_) | PhoneError::Allinpay(_) | PhoneError::NotForThisApp | PhoneError::NotTaken => now,
    };
    match before {
        PhoneError::App(WalletError::NoCode) | PhoneError::NotForThisApp => told,
        PhoneError::App(_) | PhoneError::Allinpay(_) | PhoneError::NotTaken => before,
    }
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// One half of a picture; `None` when it is too narrow to have halves.
fn half(whole: &Frame, side: Side) -> Option<Frame> {
    let width = whole.width() / 2;
    let columns = usize::try_from(width).ok().filter(|columns| *columns > 0)?;
    let from = match side {
        Side::Left => 0,
        Side::Right => columns,
    };
    let mut half = Frame::new(width, whole.height());
    for (to, row) in half.rows_mut().zip(whole.rows()) {
        to.copy_from_slice(row.get(from..from + columns)?);
    }
    Some(half)
}

#[cfg(test)]
mod tests {
    use payment::channel::ChannelId;

    use super::super::channels::ChannelOptions;
    use super::super::scene::SceneOptions;
    use super::*;

    async fn scene(dir: &std::path::Path) -> Scene {
        let mut options = SceneOptions::quick(dir);
        options.channels = ChannelOptions::of([ChannelId::Alipay, ChannelId::Wechat, ChannelId::AllinpayVsp]);
        Scene::set(options).await.unwrap()
    }

    #[tokio::test]
    async fn an_app_has_one_purse_for_both_ways_to_pay() {
        let folder = tempfile::tempdir().unwrap();
        let scene = scene(folder.path()).await;
        let phone = Phone::before(&scene);
        let alipay = scene.gateway.control().wallet_of(OWNER);
        let allinpay = scene.vsp.as_ref().unwrap().control().wallet_of(buyer_at_allinpay(App::Alipay));
        alipay.set_balance_fen(START_FEN - 300);
        allinpay.set_balance_fen(START_FEN - 500);
        let left = START_FEN - 800;
        let balances = phone.balances();
        assert!(balances.contains(&(App::Alipay, left)) && balances.contains(&(App::Wechat, START_FEN)));
        assert_eq!((alipay.balance_fen(), allinpay.balance_fen()), (left, left));
        assert_eq!(phone.balances(), balances, "nothing moved since");
    }

    #[tokio::test]
    async fn a_pay_code_is_made_for_who_takes_it() {
        let folder = tempfile::tempdir().unwrap();
        let scene = scene(folder.path()).await;
        let phone = Phone::before(&scene);
        for (app, wished, taker) in [
            (App::Alipay, Taker::Own, Taker::Own),
            (App::Alipay, Taker::Allinpay, Taker::Allinpay),
            (App::Wechat, Taker::Own, Taker::Own),
            (App::UnionPay, Taker::Own, Taker::Allinpay),
            (App::Ecny, Taker::Allinpay, Taker::Allinpay),
        ] {
            phone.open(app);
            let shown = phone.show_code(wished).unwrap();
            assert_eq!(shown.taker, taker, "{app:?}");
            assert_eq!(phone.renewed_code(wished), Ok(Some(shown)), "{app:?}: the same code");
        }
        phone.open(App::Alipay);
        let before = phone.show_code(Taker::Own).unwrap();
        let renewed = phone.renewed_code(Taker::Allinpay).unwrap().unwrap();
        assert_ne!(renewed.code, before.code, "Alipay went away meanwhile");
    }

    #[test]
    fn a_refusal_that_says_why_is_not_lost_behind_one_that_does_not() {
        use PhoneError::{Allinpay, App, NotForThisApp};

        let no_code = App(WalletError::NoCode);
        for (said, wished) in [
            (vec![App(WalletError::NoCode), Allinpay(allinpay::WalletError::NoCode)], no_code),
            (vec![App(WalletError::CodeInvalid), Allinpay(allinpay::WalletError::NoCode)], NotForThisApp),
            (vec![App(WalletError::CodeInvalid), Allinpay(allinpay::WalletError::WrongApp)], NotForThisApp),
            (vec![App(WalletError::CodeInvalid), App(WalletError::AlreadyPaid)], App(WalletError::AlreadyPaid)),
            (vec![App(WalletError::Closed), App(WalletError::CodeInvalid)], App(WalletError::Closed)),
        ] {
            assert_eq!(said.into_iter().fold(no_code, clearer), wished);
        }
    }

    #[test]
    fn a_screen_has_two_halves() {
        let mut screen = Frame::new(4, 1);
        screen.rows_mut().for_each(|row| row.copy_from_slice(&[1, 2, 3, 4]));
        let row = |side| half(&screen, side).unwrap().rows().next().unwrap().to_vec();
        assert_eq!((row(Side::Left), row(Side::Right)), (vec![1, 2], vec![3, 4]));
        assert!(half(&Frame::new(1, 1), Side::Left).is_none());
    }
}
