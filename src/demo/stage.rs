//! What the page shows and what it may do: the scene, the daemon in it, and the buyer's phone.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use payment::channel::ChannelId;
use payment::ids::OrderId;
use sandbox::Clock;
use sandbox::allinpay::App;
use serde::Deserialize;
use thiserror::Error;
use tokio::sync::watch;

use super::phone::{Phone, PhoneError, Taker, app_of};
use super::scene::{Scene, SceneError};
use super::supervisor::Supervisor;
use super::terminal::{Api, ApiError, Seen};
use super::weather::{Sky, Switches, Turn};
use crate::api::wire::RefundState;
use crate::config::Language;

/// Items that a restock puts into a slot.
const FULL_SLOT: u32 = 8;

/// Who asks for refunds on the page.
const CLERK: &str = "clerk";
/// Who approves them.
const OWNER: &str = "owner";

/// One code that all wallets can scan, in place of two.
const ONE_CODE: &str = "[sell]\nshow = [\"any\"]\n";

/// Goods that fell and that nobody has taken.
#[derive(Debug, Default)]
struct Bay {
    items: Vec<String>,
    counted: Vec<u64>,
}

/// Everything that the page is about.
pub struct Stage {
    /// The scene.
    pub scene: Scene,
    /// The daemon.
    pub supervisor: Supervisor,
    /// What the daemon said of itself.
    pub seen: watch::Receiver<Seen>,
    /// The buyer's phone.
    pub phone: Arc<Phone>,
    /// The weather over the gateways.
    pub sky: Sky,
    api: Api,
    clock: Clock,
    bay: Mutex<Bay>,
    language: Mutex<Language>,
    one_code: Mutex<bool>,
    /// Orders whose goods fell and whose money went back on a person's word.
    given_back: Mutex<BTreeSet<OrderId>>,
    nudge: watch::Sender<u64>,
}

/// Something that a person does on the page.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Act {
    /// Presses a key of the keypad.
    Press {
        /// `0` to `9`, `ok`, `cancel`.
        key: String,
    },
    /// Takes the goods out of the bay.
    EmptyBay,
    /// Holds the phone's camera to the machine's screen.
    ScanScreen,
    /// Pays.
    Confirm {
        /// Which payment.
        id: String,
    },
    /// Does not pay.
    Refuse {
        /// Which payment.
        id: String,
    },
    /// Opens another app on the phone.
    OpenApp {
        /// `alipay`, `wechat`, `union_pay`, `ecny`.
        app: String,
    },
    /// Opens a fresh pay code on the phone.
    ShowCode,
    /// Closes it.
    HideCode,
    /// Holds the phone's pay code to the machine's scanner.
    HoldCode,
    /// Turns a switch of the weather.
    Weather {
        /// Which, and how.
        turn: Turn,
    },
    /// Jams a slot.
    Jam {
        /// Which.
        slot: String,
    },
    /// Mends it, and tells the terminal so.
    Unjam {
        /// Which.
        slot: String,
    },
    /// Fills it.
    Restock {
        /// Which.
        slot: String,
    },
    /// Pulls the scanner's cable or puts it in.
    Scanner {
        /// In.
        plugged: bool,
    },
    /// Kills the daemon.
    Kill,
    /// Changes the language of the machine's screens.
    Language {
        /// `zh` or `en`.
        language: String,
    },
    /// One code for all wallets on the screen, or two side by side.
    Codes {
        /// One.
        one: bool,
    },
    /// The clerk asks for an order's money back.
    Refund {
        /// Which order.
        order: String,
    },
    /// The owner decides about the refund that waits.
    Decide {
        /// Of which order.
        order: String,
        /// Whether it may be sent.
        approved: bool,
    },
}

/// Why nothing was done, as a sentence.
#[derive(Debug, Error)]
pub enum ActError {
    /// There is no such key, slot, language or app.
    #[error("this machine has no {0}")]
    Unknown(String),
    /// The panel is dark.
    #[error("the machine's screen is dark: there is nothing to scan")]
    Dark,
    /// The phone says so.
    #[error(transparent)]
    Phone(#[from] PhoneError),
    /// The terminal says so.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Codes cannot be changed under an order.
    #[error(
        "an order is still open, and its code must be closed in the way in which it was made: try again when none is"
    )]
    OrdersOpen,
    /// No pay code is open.
    #[error("the pay code is not open, or its minute is over: open a new one")]
    NoCode,
    /// The scanner.
    #[error("{0}; it reads nothing. Plug it in again")]
    Scanner(std::io::Error),
    /// The daemon's files.
    #[error(transparent)]
    Scene(#[from] SceneError),
    /// A part of the demo failed.
    #[error("this did not work: {0}")]
    Broken(String),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    /// A stage over a set scene and its running daemon.
    #[must_use]
    pub fn new(
        scene: Scene,
        supervisor: Supervisor,
        api: Api,
        seen: watch::Receiver<Seen>,
        language: Language,
    ) -> Self {
        Self {
            phone: Arc::new(Phone::before(&scene)),
            sky: Sky::over(&scene),
            scene,
            supervisor,
            seen,
            api,
            clock: Clock::system(),
            bay: Mutex::default(),
            language: Mutex::new(language),
            one_code: Mutex::new(false),
            given_back: Mutex::default(),
            nudge: watch::Sender::new(0),
        }
    }

    /// Counts the changes that nothing else tells of.
    #[must_use]
    pub fn nudges(&self) -> watch::Receiver<u64> {
        self.nudge.subscribe()
    }

    /// The language of the machine's screens.
    #[must_use]
    pub fn language(&self) -> Language {
        *lock(&self.language)
    }

    /// Whether the machine shows one code for all wallets.
    #[must_use]
    pub fn one_code(&self) -> bool {
        *lock(&self.one_code)
    }

    /// Whether a person gave this order's money back from the page.
    #[must_use]
    pub fn was_given_back(&self, order: &OrderId) -> bool {
        lock(&self.given_back).contains(order)
    }

    /// Who takes the open app's pay codes now: its own channel, or Allinpay while that is away.
    fn taker(&self) -> Taker {
        let own = match self.phone.app() {
            App::Alipay => ChannelId::Alipay,
            App::Wechat => ChannelId::Wechat,
            App::UnionPay | App::Ecny => return Taker::Allinpay,
        };
        match self.seen.borrow().is_away(own) {
            true => Taker::Allinpay,
            false => Taker::Own,
        }
    }

    /// The slots of the goods in the bay, in the order in which they fell.
    #[must_use]
    pub fn bay(&self) -> Vec<String> {
        self.count_fallen().items.clone()
    }

    fn count_fallen(&self) -> MutexGuard<'_, Bay> {
        let state = self.scene.machine.state();
        let mut bay = lock(&self.bay);
        bay.counted.resize(state.slots.len(), 0);
        let Bay { items, counted } = &mut *bay;
        for (slot, counted) in state.slots.iter().zip(counted) {
            for _ in *counted..slot.drops {
                items.push(slot.name.clone());
            }
            // A look that was overtaken by a newer one counts nothing back.
            *counted = slot.drops.max(*counted);
        }
        bay
    }

    /// Does it, and says what a person should know about it.
    ///
    /// # Errors
    ///
    /// [`ActError`]: nothing was done.
    pub async fn act(&self, act: Act) -> Result<String, ActError> {
        let said = self.carry_out(act).await;
        self.nudge.send_modify(|count| *count += 1);
        said
    }

    async fn carry_out(&self, act: Act) -> Result<String, ActError> {
        match act {
            Act::Press { key } => self.press(&key),
            Act::EmptyBay => {
                self.count_fallen().items.clear();
                Ok("Enjoy.".into())
            }
            Act::ScanScreen => self.scan_screen().await,
            Act::Confirm { id } => {
                self.phone.confirm(&id)?;
                Ok(match self.sky.switches().late_s {
                    0 => String::new(),
                    seconds => format!("Confirmed. The money arrives {seconds} seconds late."),
                })
            }
            Act::Refuse { id } => {
                self.phone.refuse(&id)?;
                Ok("Refused: nothing was paid.".into())
            }
            Act::OpenApp { app } => {
                self.phone.open(app_of(&app).ok_or_else(|| ActError::Unknown(format!("app {app}")))?);
                Ok(String::new())
            }
            Act::ShowCode => {
                self.phone.show_code(self.taker())?;
                Ok("Good for one minute and one payment.".into())
            }
            Act::HideCode => {
                self.phone.hide_code();
                Ok(String::new())
            }
            Act::HoldCode => self.hold_code(),
            Act::Weather { turn } => Ok(self.turn(turn)),
            Act::Jam { slot } => {
                let known = self.scene.machine.jam(&slot);
                known_slot(known, &slot)?;
                Ok(format!("Slot {slot} is jammed: nothing will fall from it."))
            }
            Act::Unjam { slot } => self.unjam(&slot).await,
            Act::Restock { slot } => {
                known_slot(self.scene.machine.restock(&slot, FULL_SLOT), &slot)?;
                Ok(format!("Slot {slot} is full again."))
            }
            Act::Scanner { plugged } => self.plug(plugged),
            Act::Kill => {
                self.supervisor.kill();
                Ok("SIGKILL sent. It starts again in two seconds.".into())
            }
            Act::Language { language } => self.speak(&language),
            Act::Codes { one } => self.change_codes(one),
            Act::Refund { order } => self.refund(&order).await,
            Act::Decide { order, approved } => self.decide(&order, approved).await,
        }
    }

    fn press(&self, name: &str) -> Result<String, ActError> {
        let key = hal::Key::from_name(name);
        let pressed = key.is_some_and(|key| self.scene.machine.press(key));
        match pressed {
            true => Ok(String::new()),
            false => Err(ActError::Unknown(format!("key {name}"))),
        }
    }

    /// The phone sees what a person sees: the picture on the panel, as a PNG, and no more.
    async fn scan_screen(&self) -> Result<String, ActError> {
        let frame = self.scene.machine.frame().ok_or(ActError::Dark)?;
        let phone = Arc::clone(&self.phone);
        let scanning = tokio::task::spawn_blocking(move || phone.scan(&frame));
        scanning.await.map_err(|error| ActError::Broken(error.to_string()))??;
        self.phone.hide_code();
        Ok(String::new())
    }

    fn hold_code(&self) -> Result<String, ActError> {
        let shown = self.phone.renewed_code(self.taker())?.ok_or(ActError::NoCode)?;
        self.scene.scan(&shown.code).map_err(ActError::Scanner)?;
        let terminal = self.seen.borrow();
        let armed = terminal.terminal.as_ref().is_some_and(|terminal| terminal.scanner_armed);
        Ok(match armed {
            true => "The scanner reads the code.".into(),
            false => "The scanner beams, but the machine asks for no payment now: choose something first.".into(),
        })
    }

    fn turn(&self, turn: Turn) -> String {
        match self.sky.turn(turn) == Switches::default() {
            true => "The weather is fair.".into(),
            false => "The weather has changed.".into(),
        }
    }

    async fn unjam(&self, slot: &str) -> Result<String, ActError> {
        known_slot(self.scene.machine.unjam(slot), slot)?;
        Ok(match self.api.clear_slot(slot).await {
            Ok(()) => format!("Slot {slot} is free, and the terminal knows it."),
            Err(_) => format!("Slot {slot} is free. The terminal could not be told: press again when it runs."),
        })
    }

    fn plug(&self, plugged: bool) -> Result<String, ActError> {
        if plugged {
            self.scene.replug_scanner().map_err(ActError::Scanner)?;
            return Ok("The scanner is plugged in: a new device under the same name.".into());
        }
        self.scene.unplug_scanner();
        Ok("The scanner's cable is out.".into())
    }

    fn speak(&self, language: &str) -> Result<String, ActError> {
        let language = match language {
            "zh" => Language::Chinese,
            "en" => Language::English,
            other => return Err(ActError::Unknown(format!("language {other}"))),
        };
        *lock(&self.language) = language;
        self.restart_with_new_files()?;
        Ok("The daemon stops in order and starts with the other language.".into())
    }

    fn change_codes(&self, one: bool) -> Result<String, ActError> {
        if self.seen.borrow().has_open_orders() {
            return Err(ActError::OrdersOpen);
        }
        *lock(&self.one_code) = one;
        self.restart_with_new_files()?;
        Ok(match one {
            true => "The daemon stops in order and starts with one code for all wallets.".into(),
            false => "The daemon stops in order and starts with a code for each of two wallets.".into(),
        })
    }

    fn restart_with_new_files(&self) -> Result<(), ActError> {
        let over = if self.one_code() { ONE_CODE } else { "" };
        self.scene.write_config_under(self.language(), over)?;
        self.supervisor.restart();
        Ok(())
    }

    async fn refund(&self, order: &str) -> Result<String, ActError> {
        let key = format!("demo-{}", self.clock.now());
        let made = self.api.refund(order, CLERK, &key).await?;
        Ok(match made.refund.state {
            RefundState::Asked => {
                "The clerk asked for the refund. It is large enough to need the owner's approval.".into()
            }
            RefundState::Declined | RefundState::Replaced => String::new(),
            RefundState::Pending | RefundState::Owed | RefundState::Done => {
                lock(&self.given_back).insert(made.order);
                "The refund is on its way.".into()
            }
        })
    }

    async fn decide(&self, order: &str, approved: bool) -> Result<String, ActError> {
        let known = self.seen.borrow().asked.iter().find(|asked| asked.order.as_str() == order).cloned();
        let asked = known.ok_or_else(|| ActError::Unknown(format!("refund that waits for approval under {order}")))?;
        self.api.decide(&asked, approved, OWNER).await?;
        if approved {
            lock(&self.given_back).insert(asked.order);
            return Ok("The owner approved: the refund is on its way.".into());
        }
        Ok("The owner declined: the money stays where it is.".into())
    }
}

fn known_slot(known: bool, slot: &str) -> Result<(), ActError> {
    known.then_some(()).ok_or_else(|| ActError::Unknown(format!("slot {slot}")))
}
