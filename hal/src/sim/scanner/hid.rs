//! What simulated USB scanners send without a serial port: key events, and HID POS reports (reference/hardware.md 1.10, 1.11).

/// Where a typing scanner presses Enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enter {
    /// After the code.
    After,
    /// Before it.
    Before,
    /// Never.
    Never,
}

/// A key event: type, code, value.
pub type Key = (u16, u16, i32);

/// The end of a report.
pub const SYN: Key = (0, 0, 0);
/// The kernel lost events.
pub const SYN_DROPPED: Key = (0, 3, 0);

const SHIFT: u16 = 42;
const ENTER: u16 = 28;

/// The key for a character on a US keyboard, and whether Shift is held.
fn key(character: char) -> (u16, bool) {
    let code = match character.to_ascii_lowercase() {
        '1' | '!' => 2,
        '2' | '@' => 3,
        '3' | '#' => 4,
        '4' | '$' => 5,
        '5' | '%' => 6,
        '6' | '^' => 7,
        '7' | '&' => 8,
        '8' | '*' => 9,
        '9' | '(' => 10,
        '0' | ')' => 11,
        '-' | '_' => 12,
        '=' | '+' => 13,
        'q' => 16,
        'w' => 17,
        'e' => 18,
        'r' => 19,
        't' => 20,
        'y' => 21,
        'u' => 22,
        'i' => 23,
        'o' => 24,
        'p' => 25,
        '[' | '{' => 26,
        ']' | '}' => 27,
        'a' => 30,
        's' => 31,
        'd' => 32,
        'f' => 33,
        'g' => 34,
        'h' => 35,
        'j' => 36,
        'k' => 37,
        'l' => 38,
        ';' | ':' => 39,
        '\'' | '"' => 40,
        '`' | '~' => 41,
        '\\' | '|' => 43,
        'z' => 44,
        'x' => 45,
        'c' => 46,
        'v' => 47,
        'b' => 48,
        'n' => 49,
        'm' => 50,
        ',' | '<' => 51,
        '.' | '>' => 52,
        '/' | '?' => 53,
        _ => 57,
    };
    (code, character.is_ascii_uppercase() || "!@#$%^&*()_+{}:\"~|<>?".contains(character))
}

fn press(code: u16) -> [Key; 4] {
    [(1, code, 1), SYN, (1, code, 0), SYN]
}

/// The key events of a code.
#[must_use]
pub fn typed(code: &str, enter: Enter) -> Vec<Key> {
    let mut keys = Vec::new();
    if enter == Enter::Before {
        keys.extend(press(ENTER));
    }
    for character in code.chars() {
        let (code, shift) = key(character);
        if shift {
            keys.extend([(1, SHIFT, 1), SYN]);
        }
        keys.extend(press(code));
        if shift {
            keys.extend([(1, SHIFT, 0), SYN]);
        }
    }
    if enter == Enter::After {
        keys.extend(press(ENTER));
    }
    keys
}

/// Key events as this machine's kernel hands them out.
#[must_use]
pub fn event_bytes(keys: &[Key]) -> Vec<u8> {
    let time = [0; 2 * size_of::<std::ffi::c_ulong>()];
    let one = |(kind, code, value): &Key| {
        [&time[..], &kind.to_ne_bytes(), &code.to_ne_bytes(), &value.to_ne_bytes()].concat()
    };
    keys.iter().flat_map(one).collect()
}

/// The HID POS reports of a code with its AIM identifier.
#[must_use]
pub fn pos_reports(aim: &str, code: &str) -> Vec<[u8; 64]> {
    let parts: Vec<&[u8]> = code.as_bytes().chunks(56).collect();
    let report = |(index, part): (usize, &&[u8])| {
        let mut report = [0; 64];
        let more = u8::from(index + 1 < parts.len());
        let content = [&[2, u8::try_from(part.len()).unwrap_or_default()], aim.as_bytes(), part].concat();
        report.iter_mut().zip(content).for_each(|(place, byte)| *place = byte);
        report[63] = more;
        report
    };
    parts.iter().enumerate().map(report).collect()
}
