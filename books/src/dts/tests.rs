//! The file against a strict reader of its own, which knows the standard and not the writer.

use std::collections::BTreeMap;

use super::*;

/// reference/hardware.md 3.8, which computed them: the text of a frame with its closing byte, and the two bytes as sent.
#[test]
fn the_crc_is_the_standard_s() {
    assert_eq!(crc(b"123456789"), 0xBB3D);
    let golden: [(&[u8], [u8; 2]); 4] = [
        (b"1234567890RR00L06\x03", [0xE1, 0xBD]),
        (b"00ABC0000001R00L06\x03", [0xBC, 0x46]),
        (b"DXS*ABC0000001*VA*V0/6*1\r\n\x17", [0x47, 0x3F]),
        (b"DXE*1*1\r\n\x03", [0x53, 0x76]),
    ];
    for (bytes, sent) in golden {
        assert_eq!(crc(bytes).to_le_bytes(), sent, "{}", String::from_utf8_lossy(bytes));
    }
}

/// Another way to the same checksum: long division, bit by bit, on the mirrored message.
fn crc_by_division(bytes: &[u8]) -> u16 {
    let mut rest: u32 = 0;
    let message = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1)).chain([0; 16]);
    for bit in message {
        rest = rest << 1 | u32::from(bit);
        if rest & 0x1_0000 != 0 {
            rest ^= 0x1_8005;
        }
    }
    (rest as u16).reverse_bits()
}

type Segments = Vec<Vec<String>>;

/// Reads a file as strictly as the standard allows, or says what is wrong.
fn read(file: &str) -> Result<Segments, String> {
    if !file.is_ascii() || !file.ends_with("\r\n") {
        return Err("not ASCII, or cut off".into());
    }
    let lines: Vec<&str> = file.split_terminator("\r\n").collect();
    if lines.iter().any(|line| line.is_empty() || line.contains(['\r', '\n']) || line.ends_with(' ')) {
        return Err("an empty or broken line".into());
    }
    let segments: Segments = lines.iter().map(|line| line.split('*').map(str::to_owned).collect()).collect();
    let names: Vec<&str> = segments.iter().map(|segment| segment[0].as_str()).collect();
    let [first, st, .., g85, se, dxe] = names.as_slice() else { return Err("too short".into()) };
    if (*first, *st, *g85, *se, *dxe) != ("DXS", "ST", "G85", "SE", "DXE") {
        return Err(format!("the frame is {names:?}"));
    }
    let body = &file[file.find("ST*").ok_or("no ST")?..file.find("G85*").ok_or("no G85")?];
    let sum = &segments[segments.len() - 3][1];
    if *sum != format!("{:04X}", crc_by_division(body.as_bytes())) {
        return Err(format!("the checksum {sum} is wrong"));
    }
    let counted = &segments[segments.len() - 2];
    if counted[1] != (segments.len() - 2).to_string() || counted[2] != segments[1][2] {
        return Err(format!("SE says {counted:?} of {} segments", segments.len() - 2));
    }
    let order = ["DXS", "ST", "ID1", "ID4", "VA1", "CA2", "DA2", "PA1", "EA2", "G85", "SE", "DXE"];
    let places: Vec<usize> = names.iter().filter_map(|name| order.iter().position(|known| known == name)).collect();
    if !places.is_sorted() {
        return Err(format!("out of order: {names:?}"));
    }
    Ok(segments)
}

fn numbers(segments: &Segments, name: &str) -> Vec<u64> {
    let segment = segments.iter().find(|segment| segment[0] == name).unwrap();
    segment[1..].iter().map(|field| field.parse().unwrap()).collect()
}

fn totals(all: (u64, u64), new: (u64, u64)) -> Totals {
    Totals { since_initialisation: Count { vends: all.0, fen: all.1 }, since_reset: Count { vends: new.0, fen: new.1 } }
}

fn audit() -> Audit {
    Audit {
        communication_id: "TIL0000042".into(),
        serial: "TILL-0042".into(),
        model: "TILL".into(),
        location: "LOBBY".into(),
        asset: "4711".into(),
        slots: vec![
            Slot {
                name: "11".into(),
                price: 350,
                cashless: totals((10, 3500), (2, 700)),
                cash: totals((1, 350), (0, 0)),
            },
            Slot { name: "A1".into(), price: 500, cashless: totals((3, 1400), (3, 1400)), cash: Totals::default() },
        ],
        cash_elsewhere: Totals::default(),
        events: vec![Event { code: "EO_1".into(), since_reset: 1, since_initialisation: 7, active: true }],
    }
}

#[test]
fn the_file_is_read_by_a_strict_reader_and_its_sums_agree() {
    let file = audit().write();
    let segments = read(&file).unwrap();
    assert_eq!(segments[0], ["DXS", "TIL0000042", "VA", "V0/6", "1"]);
    assert_eq!(segments[2], ["ID1", "TILL-0042", "TILL", "", "LOBBY", "", "4711"]);
    assert_eq!(segments[3], ["ID4", "2", "1156", "CNY"]);
    assert_eq!(numbers(&segments, "VA1"), [5250, 14, 2100, 5]);
    assert_eq!(numbers(&segments, "CA2"), [350, 1, 0, 0]);
    assert_eq!(numbers(&segments, "DA2"), [4900, 13, 2100, 5]);
    let mut sums = BTreeMap::new();
    for slot in segments.iter().filter(|segment| segment[0] == "PA7") {
        let value: u64 = slot[6].parse().unwrap();
        *sums.entry(slot[2].as_str()).or_insert(0) += value;
    }
    assert_eq!(sums, BTreeMap::from([("CA", 350), ("DA", 4900)]));
    assert_eq!(segments.iter().filter(|segment| segment[0] == "PA2").count(), 2);
    assert!(
        file.contains(
            "PA1*11*350\r\nPA2*11*3850*2*700\r\nPA7*11*CA*0*350*1*350*0*0\r\nPA7*11*DA*0*350*10*3500*2*700\r\n"
        )
    );
    assert!(file.contains("EA2*EO_1*1*7*1\r\n"));
}

#[test]
fn cash_of_no_known_slot_is_in_the_sums_and_in_no_slot() {
    let audit = Audit { cash_elsewhere: totals((2, 300), (1, 100)), ..audit() };
    let segments = read(&audit.write()).unwrap();
    assert_eq!(numbers(&segments, "VA1"), [5550, 16, 2200, 6]);
    assert_eq!(numbers(&segments, "CA2"), [650, 3, 100, 1]);
    assert_eq!(numbers(&segments, "DA2"), [4900, 13, 2100, 5]);
    assert_eq!(segments.iter().filter(|segment| segment[0] == "PA1").count(), 2);
}

#[test]
fn the_reader_finds_every_changed_byte_of_the_data() {
    let file = audit().write();
    let body = file.find("ST*").unwrap()..file.find("SE*").unwrap();
    for place in body {
        let mut bytes = file.clone().into_bytes();
        bytes[place] ^= 1;
        let changed = String::from_utf8(bytes).unwrap();
        assert!(read(&changed).is_err(), "{place}: {changed}");
    }
    read(&file.replace("SE*", "SE*1")).unwrap_err();
}

#[test]
fn names_that_would_break_a_segment_are_cleaned() {
    let mut audit = audit();
    audit.communication_id = "till*9".into();
    audit.location = "大厅*1\r\n".into();
    audit.slots[0].name = "1*1".into();
    let segments = read(&audit.write()).unwrap();
    assert_eq!((segments[0][1].as_str(), segments[2][4].as_str()), ("till900000", "1"));
    assert!(segments.iter().any(|segment| *segment == ["PA1", "11", "350"]));
}

#[test]
fn a_machine_that_sold_nothing_has_a_file_too() {
    let segments = read(&Audit::default().write()).unwrap();
    assert_eq!(numbers(&segments, "VA1"), [0, 0, 0, 0]);
    assert_eq!(segments.len(), 10);
}
