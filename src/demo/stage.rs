//! What the page shows and what it may do: the scene, the daemon in it, and the buyer's phone.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sandbox::{Clock, Wallet, WalletError};
use serde::Deserialize;
use thiserror::Error;
use tokio::sync::watch;

use super::scene::{Scene, SceneError};
use super::supervisor::Supervisor;
use super::terminal::{Api, Seen};
use super::weather::{Switches, Turn};
use crate::config::Language;

/// What a pay code is good for on the phone; the gateway's default.
const PAY_CODE_LIFE_MS: i64 = 60_000;
/// Items that a restock puts into a slot.
const FULL_SLOT: u32 = 8;

/// A pay code on the phone's screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCode {
    /// Its digits.
    pub code: String,
    /// When it dies, in milliseconds since 1970.
    pub expires_at_ms: i64,
}

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
    pub wallet: Wallet,
    api: Api,
    clock: Clock,
    code: Mutex<Option<ShownCode>>,
    bay: Mutex<Bay>,
    language: Mutex<Language>,
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
}

/// Why nothing was done, as a sentence.
#[derive(Debug, Error)]
pub enum ActError {
    /// There is no such key, slot or language.
    #[error("this machine has no {0}")]
    Unknown(String),
    /// The panel is dark.
    #[error("the machine's screen is dark: there is nothing to scan")]
    Dark,
    /// The phone says so.
    #[error(transparent)]
    Wallet(#[from] WalletError),
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
        let wallet = scene.gateway.control().wallet();
        wallet.set_balance_fen(20_000);
        Self {
            wallet,
            scene,
            supervisor,
            seen,
            api,
            clock: Clock::system(),
            code: Mutex::default(),
            bay: Mutex::default(),
            language: Mutex::new(language),
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

    /// The pay code on the phone, while it lives.
    #[must_use]
    pub fn shown_code(&self) -> Option<ShownCode> {
        let now = self.clock.now();
        lock(&self.code).clone().filter(|code| code.expires_at_ms > now)
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
                let late = Switches::of(&self.scene.gateway.control().weather()).late_s;
                self.wallet.confirm(&id)?;
                Ok(match late {
                    0 => String::new(),
                    seconds => format!("Confirmed. The money arrives {seconds} seconds late."),
                })
            }
            Act::Refuse { id } => {
                self.wallet.refuse(&id)?;
                Ok("Refused: nothing was paid.".into())
            }
            Act::ShowCode => {
                let code = self.wallet.pay_code();
                let expires_at_ms = self.clock.now() + PAY_CODE_LIFE_MS;
                *lock(&self.code) = Some(ShownCode { code, expires_at_ms });
                Ok("Good for one minute and one payment.".into())
            }
            Act::HideCode => {
                *lock(&self.code) = None;
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
        let wallet = self.wallet.clone();
        let scanning = tokio::task::spawn_blocking(move || {
            let png = frame.to_png().map_err(|error| ActError::Broken(error.to_string()))?;
            Ok::<_, ActError>(wallet.scan_picture(&png)?)
        });
        scanning.await.map_err(|error| ActError::Broken(error.to_string()))??;
        *lock(&self.code) = None;
        Ok(String::new())
    }

    fn hold_code(&self) -> Result<String, ActError> {
        let shown = self.shown_code().ok_or(ActError::NoCode)?;
        self.scene.scan(&shown.code).map_err(ActError::Scanner)?;
        let terminal = self.seen.borrow();
        let armed = terminal.terminal.as_ref().is_some_and(|terminal| terminal.scanner_armed);
        Ok(match armed {
            true => "The scanner reads the code.".into(),
            false => "The scanner beams, but the machine asks for no payment now: choose something first.".into(),
        })
    }

    fn turn(&self, turn: Turn) -> String {
        let control = self.scene.gateway.control();
        let switches = Switches::of(&control.weather()).turned(turn);
        control.set_weather(switches.weather());
        match switches == Switches::default() {
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
        self.scene.write_config(language)?;
        *lock(&self.language) = language;
        self.supervisor.restart();
        Ok("The daemon stops in order and starts with the other language.".into())
    }
}

fn known_slot(known: bool, slot: &str) -> Result<(), ActError> {
    known.then_some(()).ok_or_else(|| ActError::Unknown(format!("slot {slot}")))
}
