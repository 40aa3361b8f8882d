//! The audit file that vending operators' programs read: EVA-DTS 6.1.1 as text (reference/hardware.md 3.8).
//!
//! Only the file. The live session over a serial line (DEX) is not here; its frames have the same checksum, [`crc`].
//!
//! The caller fills an [`Audit`] from the journal and gets the file from [`Audit::write`]. All sums that the file repeats are made
//! here, so they agree with one another.
//!
//! | segment | what it says |
//! |---|---|
//! | `DXS`, `ST` | who sends, and where the data begins |
//! | `ID1`, `ID4` | the machine; amounts have two decimals, in yuan (1156: ISO 4217's 156 behind the 1 that marks ISO codes) |
//! | `VA1` | value and count of paid vends: since initialisation, since the last reset |
//! | `CA2`, `DA2` | of these for cash, and without cash |
//! | `PA1`, `PA2`, `PA7` | for each slot its price, its count and value, and these for cash (`CA`) and without (`DA`) |
//! | `EA2` | how often something happened: since the last reset, since initialisation, and whether it stands now |
//! | `G85`, `SE`, `DXE` | checksum, count of segments, end |

#[cfg(test)]
mod tests;

/// A number of vends and their value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// How many.
    pub vends: u64,
    /// Their value in fen.
    pub fen: u64,
}

impl Count {
    fn plus(self, other: Self) -> Self {
        Self { vends: self.vends.saturating_add(other.vends), fen: self.fen.saturating_add(other.fen) }
    }
}

/// The two counters of everything in an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Since the machine was set up. It never goes back: readers take differences.
    pub since_initialisation: Count,
    /// Since the operator last took the books.
    pub since_reset: Count,
}

impl Totals {
    fn plus(self, other: Self) -> Self {
        Self {
            since_initialisation: self.since_initialisation.plus(other.since_initialisation),
            since_reset: self.since_reset.plus(other.since_reset),
        }
    }

    fn value_first(&self) -> String {
        let (all, new) = (self.since_initialisation, self.since_reset);
        format!("{}*{}*{}*{}", all.fen, all.vends, new.fen, new.vends)
    }

    fn count_first(&self) -> String {
        let (all, new) = (self.since_initialisation, self.since_reset);
        format!("{}*{}*{}*{}", all.vends, all.fen, new.vends, new.fen)
    }
}

/// One slot of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slot {
    /// Its name, as the machine is printed.
    pub name: String,
    /// Its price in fen.
    pub price: u64,
    /// What was sold out of it through the channels, at what was charged: it fell. Money that an operator returned later,
    /// for goods that did fall, is not taken off: a vend is no less a vend, the counters must never go back, and such a refund
    /// is of an order and of no slot. What did not fall is not in here, and its money went back.
    pub cashless: Totals,
    /// What the machine sold out of it for cash by itself.
    pub cash: Totals,
}

/// Something that happened, or happens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// The code, such as `EJJ`; the standard's list, or one's own behind `EO_`.
    pub code: String,
    /// How often since the operator last took the books.
    pub since_reset: u64,
    /// How often since the machine was set up.
    pub since_initialisation: u64,
    /// It stands now.
    pub active: bool,
}

/// What the journal says of one machine at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audit {
    /// Who sends: three letters of the maker and seven digits. Cut or filled with `0` to ten characters.
    pub communication_id: String,
    /// ID101: the machine's serial number.
    pub serial: String,
    /// ID102: the machine's model.
    pub model: String,
    /// ID104: where it stands.
    pub location: String,
    /// ID106: the operator's number of the machine.
    pub asset: String,
    /// Every slot, in the order of the machine.
    pub slots: Vec<Slot>,
    /// What the machine sold for cash without saying out of which slot: only in the sums.
    pub cash_elsewhere: Totals,
    /// The events that are counted.
    pub events: Vec<Event>,
}

impl Audit {
    /// The whole file: ASCII, each segment ended by CR LF.
    #[must_use]
    pub fn write(&self) -> String {
        let mut checked: Vec<String> = vec!["ST*001*0001".into()];
        self.identity(&mut checked);
        self.sums(&mut checked);
        for slot in &self.slots {
            slot_segments(slot, &mut checked);
        }
        for Event { code, since_reset, since_initialisation, active } in &self.events {
            checked.push(format!("EA2*{}*{since_reset}*{since_initialisation}*{}", text(code), u8::from(*active)));
        }
        let body: String = checked.iter().map(|segment| format!("{segment}\r\n")).collect();
        // With G85 and with itself.
        let count = checked.len() + 2;
        let (id, sum) = (self.sender(), crc(body.as_bytes()));
        format!("DXS*{id}*VA*V0/6*1\r\n{body}G85*{sum:04X}\r\nSE*{count}*0001\r\nDXE*1*1\r\n")
    }

    fn sender(&self) -> String {
        let id: String = text(&self.communication_id).chars().filter(char::is_ascii_alphanumeric).take(10).collect();
        format!("{id:0<10}")
    }

    fn identity(&self, file: &mut Vec<String>) {
        let [serial, model, location, asset] =
            [&self.serial, &self.model, &self.location, &self.asset].map(|all| text(all));
        file.push(format!("ID1*{serial}*{model}**{location}**{asset}"));
        file.push("ID4*2*1156*CNY".into());
    }

    fn sums(&self, file: &mut Vec<String>) {
        let sum = |of: fn(&Slot) -> Totals| self.slots.iter().map(of).fold(Totals::default(), Totals::plus);
        let (cash, cashless) = (sum(|slot| slot.cash).plus(self.cash_elsewhere), sum(|slot| slot.cashless));
        file.push(format!("VA1*{}", cash.plus(cashless).value_first()));
        file.push(format!("CA2*{}", cash.value_first()));
        file.push(format!("DA2*{}", cashless.value_first()));
    }
}

fn slot_segments(slot: &Slot, file: &mut Vec<String>) {
    let (name, price) = (text(&slot.name), slot.price);
    file.push(format!("PA1*{name}*{price}"));
    file.push(format!("PA2*{}", slot.cash.plus(slot.cashless).count_first()));
    // 0 is the price list that every machine has.
    file.push(format!("PA7*{name}*CA*0*{price}*{}", slot.cash.count_first()));
    file.push(format!("PA7*{name}*DA*0*{price}*{}", slot.cashless.count_first()));
}

/// What may stand in a field: printable ASCII without the separator. Anything else is left out.
fn text(field: &str) -> String {
    field.chars().filter(|c| (' '..='~').contains(c) && *c != '*').collect()
}

/// The standard's CRC-16: polynomial x¹⁶+x¹⁵+x²+1 reflected (A001), start 0. "123456789" gives BB3D.
///
/// `G85` writes it as four hex digits, high byte first; the frames of a DEX session send the low byte first.
#[must_use]
pub fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 })
    })
}
