//! The reader that a board describes.

use std::time::Duration;

use super::{
    block::Config,
    controller::{Controller, Mode, Rules},
    hex::{Hex, Wire},
    link::Link,
    money::{Money, UNKNOWN},
    reader::Abilities,
    text::{self, Text},
};
use crate::board::{HexForm, MdbAdapter, MdbMode, MdbSpec, VendSpec};

/// Of a board that passed its checks.
pub(crate) fn controller(spec: &VendSpec) -> Controller {
    let mdb = &spec.mdb;
    let seconds = |s: u32| Duration::from_secs(s.into());
    let rules = Rules {
        mode: mode(mdb),
        money: money(mdb),
        items: spec.slots.iter().filter_map(|slot| Some((slot.controller_number()?, slot.name.clone()))).collect(),
        max_response: seconds(mdb.max_response_s.into()),
        select_within: seconds(mdb.select_within_s),
        result_within: seconds(mdb.result_within_s),
    };
    Controller::new(link(mdb), rules)
}

fn money(mdb: &MdbSpec) -> Money {
    Money { scale: mdb.scale, decimals: mdb.decimals }
}

fn mode(mdb: &MdbSpec) -> Mode {
    match mdb.mode {
        MdbMode::SelectFirst => {
            let credit = mdb.idle_credit_fen.and_then(|fen| money(mdb).steps(fen.into()));
            Mode::SelectFirst { credit: credit.unwrap_or(UNKNOWN) }
        }
        MdbMode::PayFirst => Mode::PayFirst,
    }
}

fn link(mdb: &MdbSpec) -> Box<dyn Link> {
    let address = if mdb.device == 2 { 0x60 } else { 0x10 };
    // A selection before the money makes no sense where the money comes first.
    let always_idle = mdb.always_idle && mdb.mode == MdbMode::SelectFirst;
    match mdb.adapter {
        MdbAdapter::Text => Box::new(Text::new(text::Settings {
            address,
            money: money(mdb),
            max_response_s: mdb.max_response_s,
            always_idle,
            cash_sales: mdb.cash_sales,
            more: mdb.setconf.clone(),
        })),
        MdbAdapter::Hex => Box::new(Hex::new(
            Wire {
                address,
                sends_text: mdb.hex.send == HexForm::Ascii,
                receives_text: mdb.hex.receive == HexForm::Ascii,
                sends_checksum: mdb.hex.send_checksum,
                receives_checksum: mdb.hex.receive_checksum,
                acks: mdb.hex.acks,
            },
            Abilities {
                config: Config {
                    level: mdb.level,
                    scale: mdb.scale,
                    decimals: mdb.decimals,
                    max_response_s: mdb.max_response_s,
                    cash_sales: mdb.cash_sales,
                },
                always_idle,
                answers_setup: !mdb.hex.answers_setup,
            },
        )),
    }
}
