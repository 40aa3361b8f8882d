//! Money on the bus: whole steps of the scale, and the decimal text of the text adapter (reference/hardware.md 3.2, 3.4).

/// "Unknown" in a price or a credit, never 655.35.
pub(crate) const UNKNOWN: u16 = 0xFFFF;

/// How the bus counts: one step is `scale` × 10^-`decimals` yuan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Money {
    /// 1 to 255.
    pub(crate) scale: u8,
    /// 0 to 2.
    pub(crate) decimals: u8,
}

impl Money {
    /// One step in fen.
    fn step(self) -> i64 {
        let fen = match self.decimals {
            0 => 100,
            1 => 10,
            _ => 1,
        };
        i64::from(self.scale.max(1)) * fen
    }

    /// Steps of an amount in fen; `None`: it cannot be said on this bus, and rounding it would take or give money.
    pub(crate) fn steps(self, fen: i64) -> Option<u16> {
        let whole = fen > 0 && fen % self.step() == 0;
        let steps = u16::try_from(fen / self.step()).ok().filter(|steps| *steps != UNKNOWN);
        if whole { steps } else { None }
    }

    /// Fen of steps; `None`: unknown.
    pub(crate) fn fen(self, steps: u16) -> Option<i64> {
        (steps != UNKNOWN).then(|| i64::from(steps) * self.step())
    }

    /// An amount in fen as the text adapter wants it, with as many decimals as it was told.
    pub(crate) fn text(self, steps: u16) -> String {
        let fen = i64::from(steps) * self.step();
        let (yuan, rest) = (fen / 100, fen % 100);
        match self.decimals {
            0 => format!("{yuan}"),
            1 => format!("{yuan}.{}", rest / 10),
            _ => format!("{yuan}.{rest:02}"),
        }
    }

    /// Steps of what the text adapter says: with a point it is yuan, without one it counts steps. `None`: no number, or
    /// not a whole number of steps.
    pub(crate) fn read(self, text: &str) -> Option<u16> {
        let Some((yuan, rest)) = text.split_once('.') else {
            return digits(text).and_then(|steps| u16::try_from(steps).ok());
        };
        let rest = match rest.trim_end_matches('0').as_bytes() {
            [] => 0,
            [tens] => digit(*tens)? * 10,
            [tens, ones] => digit(*tens)? * 10 + digit(*ones)?,
            _ => return None,
        };
        let fen = digits(yuan)?.checked_mul(100)?.checked_add(rest)?;
        if fen % self.step() != 0 {
            return None;
        }
        u16::try_from(fen / self.step()).ok()
    }
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

fn digits(text: &str) -> Option<i64> {
    let sound = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if sound { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEN: Money = Money { scale: 1, decimals: 2 };
    const JIAO: Money = Money { scale: 10, decimals: 2 };
    const YUAN: Money = Money { scale: 1, decimals: 0 };

    #[test]
    fn a_price_that_the_scale_cannot_say_is_refused_and_never_rounded() {
        assert_eq!(FEN.steps(350), Some(350));
        assert_eq!(JIAO.steps(350), Some(35));
        assert_eq!(JIAO.steps(355), None);
        assert_eq!(YUAN.steps(350), None);
        assert_eq!(YUAN.steps(300), Some(3));
    }

    #[test]
    fn amounts_outside_the_bus_are_refused_and_unknown_is_no_amount() {
        for fen in [0, -1, i64::MIN, 65_535, 65_536, i64::MAX] {
            assert_eq!(FEN.steps(fen), None, "{fen}");
        }
        assert_eq!(FEN.steps(65_534), Some(65_534));
        assert_eq!(JIAO.steps(655_340), Some(65_534));
        assert_eq!(FEN.fen(UNKNOWN), None);
        assert_eq!(JIAO.fen(65_534), Some(655_340));
    }

    #[test]
    fn both_number_forms_of_the_text_adapter_are_read() {
        let cases = [
            (FEN, "5.00", Some(500)),
            (FEN, "500", Some(500)),
            (FEN, "1.5", Some(150)),
            (FEN, "1.50", Some(150)),
            (FEN, "0.05", Some(5)),
            (FEN, "655.35", Some(UNKNOWN)),
            (FEN, "1.505", None),
            (FEN, "1.500", Some(150)),
            (FEN, "656.00", None),
            (FEN, "-1", None),
            (FEN, "", None),
            (FEN, ".5", None),
            (FEN, "1.x", None),
            (JIAO, "5.00", Some(50)),
            (JIAO, "5.05", None),
            (JIAO, "50", Some(50)),
            (YUAN, "5", Some(5)),
            (YUAN, "5.00", Some(5)),
        ];
        for (money, text, steps) in cases {
            assert_eq!(money.read(text), steps, "{money:?} {text}");
        }
    }

    #[test]
    fn what_is_written_reads_back_at_every_scale() {
        for money in [FEN, JIAO, YUAN, Money { scale: 5, decimals: 1 }] {
            for steps in [1, 5, 99, 100, 350, 65_534] {
                let text = money.text(steps);
                assert_eq!(money.read(&text), Some(steps), "{money:?} {text}");
            }
        }
        assert_eq!(FEN.text(350), "3.50");
        assert_eq!(JIAO.text(35), "3.50");
    }
}
