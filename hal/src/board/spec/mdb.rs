//! `[vend.mdb]`: the adapter between us and the bus of a vending machine.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::vend::mdb::money::Money;

/// Which kind of adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MdbAdapter {
    /// A reader by itself that speaks in lines: Qibixx MDB-USB, MDB Pi Hat.
    #[default]
    Text,
    /// A box that answers POLL and passes everything else through: PC2MDB, RS232-MDB, MDB-USB.
    Hex,
}

impl MdbAdapter {
    /// Its usual speed in bits per second.
    #[must_use]
    pub const fn baud(self) -> u32 {
        match self {
            Self::Text => 115_200,
            Self::Hex => 9600,
        }
    }
}

/// Who comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MdbMode {
    /// The buyer selects at the machine, then pays the price.
    #[default]
    SelectFirst,
    /// The buyer pays an amount, which the machine shows as credit, then selects.
    PayFirst,
}

/// How bytes are written on the line to a pass-through box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HexForm {
    /// As bytes.
    Raw,
    /// As hexadecimal text.
    Ascii,
}

/// `[vend.mdb]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct MdbSpec {
    /// The adapter's serial port by a stable name.
    pub path: Option<PathBuf>,
    /// Default by adapter: 115200 for `text`, 9600 for `hex`.
    pub baud: Option<u32>,
    /// Which kind of adapter; default `text`.
    pub adapter: MdbAdapter,
    /// Who comes first; default `select_first`.
    pub mode: MdbMode,
    /// Which cashless device of the machine we are, 1 or 2; default 1.
    pub device: u8,
    /// Our level, 1 to 3; the machine uses the smaller of both. Default 3.
    pub level: u8,
    /// One step of the machine's prices is `scale` × 10^-`decimals` yuan; default 1, which is one fen with two decimals.
    pub scale: u8,
    /// 0 to 2; default 2.
    pub decimals: u8,
    /// Longest time from the buyer's selection to our answer, as the machine is told ("Z7"), 10 to 255; default 120.
    pub max_response_s: u8,
    /// Longest time from a credit on the machine's display to a selection, for `pay_first`; default 60.
    pub select_within_s: u32,
    /// Longest time from our approval to the machine's word on the item; default 120. After that the outcome is unknown.
    pub result_within_s: u32,
    /// Offer the machine to take selections without a session before them, for `select_first`; default true.
    pub always_idle: bool,
    /// The credit in fen that the machine shows while nobody buys, where it wants a session before a selection; default:
    /// "unknown", which some machines show as 655.35.
    pub idle_credit_fen: Option<u32>,
    /// Ask the machine for records of its sales for cash; default true.
    pub cash_sales: bool,
    /// Further `name=value` for `C,SETCONF` of a text adapter.
    pub setconf: Vec<String>,
    /// `[vend.mdb.hex]`
    pub hex: HexSpec,
}

impl Default for MdbSpec {
    fn default() -> Self {
        Self {
            path: None,
            baud: None,
            adapter: MdbAdapter::Text,
            mode: MdbMode::SelectFirst,
            device: 1,
            level: 3,
            scale: 1,
            decimals: 2,
            max_response_s: 120,
            select_within_s: 60,
            result_within_s: 120,
            always_idle: true,
            idle_credit_fen: None,
            cash_sales: true,
            setconf: Vec::new(),
            hex: HexSpec::default(),
        }
    }
}

/// `[vend.mdb.hex]`: how a pass-through box is spoken to. The defaults are those of a WAFER RS232-MDB.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct HexSpec {
    /// Towards the box; default `raw`.
    pub send: HexForm,
    /// From the box; default `ascii`.
    pub receive: HexForm,
    /// Our answers carry a checksum; default true.
    pub send_checksum: bool,
    /// What the box passes up carries a checksum; default true.
    pub receive_checksum: bool,
    /// The box passes the machine's ACK up; default true.
    pub acks: bool,
    /// The box answers RESET, SETUP and EXPANSION itself, with what is stored in it; default false.
    pub answers_setup: bool,
}

impl Default for HexSpec {
    fn default() -> Self {
        Self {
            send: HexForm::Raw,
            receive: HexForm::Ascii,
            send_checksum: true,
            receive_checksum: true,
            acks: true,
            answers_setup: false,
        }
    }
}

impl MdbSpec {
    /// Why the bus cannot say this price in fen, with what to do; `None`: it can.
    pub(super) fn refuses_price(&self, price: i64) -> Option<String> {
        let money = Money { scale: self.scale, decimals: self.decimals };
        let told =
            "no whole number of the machine's steps: change the price, or scale and decimals in [vend.mdb] with it";
        money.steps(price).is_none().then(|| told.to_owned())
    }
}
