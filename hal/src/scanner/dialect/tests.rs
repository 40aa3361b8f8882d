use super::{
    auto::Search,
    caret, honeywell,
    newland::{self, Newland},
    ssi::{self, Ssi},
    zone::{self, Zone},
    *,
};
use crate::scanner::frame::LINE_MAX;

fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn wants(host: bool) -> Wants {
    Wants { host, setup: true, save: true, beep: None, led: None, terminator: Terminator::Any }
}

#[test]
fn frames_of_the_7e_family_are_those_of_its_manuals() {
    let golden: &[(u8, u16, &[u8], &str)] = &[
        (8, 0x0002, &[1], "7E 00 08 01 00 02 01 02 DA"),
        (8, 0x0002, &[0], "7E 00 08 01 00 02 00 12 FB"),
        (9, 0x0000, &[0], "7E 00 09 01 00 00 00 DE C8"),
        (9, 0x0000, &[2], "7E 00 09 01 00 00 02 FE 8A"),
        (8, 0x00D9, &[0x50], "7E 00 08 01 00 D9 50 81 D3"),
        (8, 0x00D9, &[0x55], "7E 00 08 01 00 D9 55 D1 76"),
        (7, 0x002A, &[2], "7E 00 07 01 00 2A 02 D8 0F"),
        (8, 0x002A, &[0x39, 1], "7E 00 08 02 00 2A 39 01 A7 EA"),
        (8, 0x002A, &[0x1A, 0], "7E 00 08 02 00 2A 1A 00 E4 7E"),
        (8, 0x0000, &[0xD1], "7E 00 08 01 00 00 D1 AF C5"),
        (8, 0x0000, &[0xD2], "7E 00 08 01 00 00 D2 9F A6"),
        (8, 0x0000, &[0xD5], "7E 00 08 01 00 00 D5 EF 41"),
        (8, 0x0000, &[0xD6], "7E 00 08 01 00 00 D6 DF 22"),
        (8, 0x000D, &[0], "7E 00 08 01 00 0D 00 02 C5"),
        (8, 0x000D, &[0xA0], "7E 00 08 01 00 0D A0 B7 2F"),
        (8, 0x0060, &[0x21], "7E 00 08 01 00 60 21 4B F0"),
        (8, 0x0006, &[0], "7E 00 08 01 00 06 00 DE 3F"),
        (7, 0x00E2, &[1], "7E 00 07 01 00 E2 01 77 91"),
        (8, 0x00D9, &[0xA5], "7E 00 08 01 00 D9 A5 3E 69"),
        (8, 0x00D9, &[0], "7E 00 08 01 00 D9 00 DB 26"),
        (0x0A, 0x0000, &[0], "7E 00 0A 01 00 00 00 30 1A"),
    ];
    for (kind, zone, data, frame) in golden {
        assert_eq!(zone::frame(*kind, *zone, data), hex(frame), "{frame}");
    }
    let mut zone = Zone::new(wants(true));
    assert_eq!(zone.next().unwrap().bytes, hex("7E 00 07 01 00 E2 01 77 91"));
    assert_eq!(zone.act(Act::Trigger).unwrap().bytes, hex("7E 00 08 01 00 02 01 02 DA"));
    assert_eq!(zone.act(Act::Stop).unwrap().bytes, hex("7E 00 08 01 00 02 00 12 FB"));
    assert_eq!(zone.act(Act::Heartbeat).unwrap().bytes, hex("7E 00 0A 01 00 00 00 30 1A"));
}

#[test]
fn replies_of_the_7e_family_are_peeled_off_by_their_crc() {
    let mut zone = Zone::new(wants(true));
    let reply = hex("02 00 00 01 00 33 31");
    let glued = hex("02 00 00 01 00 33 31 31 32 33 0D");
    assert_eq!(zone.peel(&glued, true), Peel::Reply(7));
    for length in 1..7 {
        assert_eq!(zone.peel(&reply[..length], true), Peel::More, "{length}");
    }
    assert_eq!(zone.peel(&hex("02 00 00 01 00 33 30"), true), Peel::Text, "a wrong CRC");
    assert_eq!(zone.peel(b"123\r", true), Peel::Text);
    assert!(zone.fits(&hex("7E 00 0A 01 00 00 00 30 1A"), &hex("03 00 00 01 00 33 31")));
    assert!(!zone.fits(&hex("7E 00 0A 01 00 00 00 30 1A"), &reply), "a late reply is no heartbeat");
}

#[test]
fn commands_of_newland_are_those_of_its_guide() {
    let start = hex("7E 01 30 30 30 30 40 53 43 4E 54 52 47 31 3B 03");
    assert_eq!(newland::command(b'@', "SCNTRG1"), start);
    let mut newland = Newland::new(wants(true));
    assert_eq!(newland.act(Act::Trigger).unwrap().bytes, start);
    let reply = hex("02 01 30 30 30 30 40 53 43 4E 54 52 47 31 06 3B 03");
    assert!(newland.fits(&start, &reply));
    assert!(!newland.fits(&newland::command(b'#', "SCNMOD*"), &reply), "the word tells which question it answers");
    let glued = [reply.as_slice(), b"123\r"].concat();
    assert_eq!(newland.peel(&glued, true), Peel::Reply(reply.len()));
    for length in 1..reply.len() {
        assert_eq!(newland.peel(&reply[..length], true), Peel::More, "{length}");
    }
}

#[test]
fn commands_of_honeywell_are_those_of_its_guide() {
    let mut honeywell = Honeywell::new(wants(true));
    assert_eq!(honeywell.act(Act::Trigger).unwrap().bytes, hex("16 54 0D"));
    assert_eq!(honeywell.act(Act::Stop).unwrap().bytes, hex("16 55 0D"));
    assert_eq!(honeywell::command("TRGMOD0!"), [hex("16 4D 0D"), b"TRGMOD0!".to_vec()].concat());
    assert_eq!(honeywell.peel(b"TRGMOD0\x06!", true), Peel::Text, "nothing was asked");
    honeywell.next();
    honeywell.answered(None);
    assert_eq!(honeywell.next().unwrap().bytes, honeywell::command("TRGMOD?."));
    assert_eq!(honeywell.peel(b"TRGMOD3\x06.281234", true), Peel::Reply(9));
    assert_eq!(honeywell.peel(b"TRGMOD3\x06.281234", false), Peel::Text, "in the middle of a code");
    assert_eq!(honeywell.peel(b"TRG", true), Peel::More);
    assert_eq!(honeywell.peel(b"281234", true), Peel::Text);
}

#[test]
fn packets_of_ssi_are_those_of_its_guide() {
    let golden: &[(u8, u8, u8, &[u8], &str)] = &[
        (0xE4, 4, 0, &[], "04 E4 04 00 FF 14"),
        (0xE5, 4, 0, &[], "04 E5 04 00 FF 13"),
        (0xD0, 4, 0, &[], "04 D0 04 00 FF 28"),
        (0xD0, 0, 0, &[], "04 D0 00 00 FF 2C"),
        (0xD1, 4, 0, &[1], "05 D1 04 00 01 FF 25"),
        (0xD1, 4, 0, &[2], "05 D1 04 00 02 FF 24"),
        (0xD1, 4, 0, &[6], "05 D1 04 00 06 FF 20"),
        (0xE9, 4, 0, &[], "04 E9 04 00 FF 0F"),
        (0xEA, 4, 0, &[], "04 EA 04 00 FF 0E"),
        (0xA3, 4, 0, &[], "04 A3 04 00 FF 55"),
        (0xEB, 4, 0, &[], "04 EB 04 00 FF 0D"),
        (0xC8, 4, 0, &[], "04 C8 04 00 FF 30"),
        (0xFA, 4, 0, &[], "04 FA 04 00 FE FE"),
        (0xC6, 4, 8, &[0, 0x8A, 8], "07 C6 04 08 00 8A 08 FE 95"),
        (0xC6, 4, 0, &[0, 0x8A, 8], "07 C6 04 00 00 8A 08 FE 9D"),
        (0xC6, 4, 8, &[0, 0xEE, 1], "07 C6 04 08 00 EE 01 FE 38"),
        (0xC6, 4, 8, &[0, 0xEE, 0], "07 C6 04 08 00 EE 00 FE 39"),
        (0xC6, 4, 8, &[0, 0xF2, 1, 2], "08 C6 04 08 00 F2 01 02 FE 31"),
    ];
    for (opcode, source, status, data, packet) in golden {
        assert_eq!(ssi::packet(*opcode, *source, *status, data), hex(packet), "{packet}");
    }
    let decoded = hex("17 F3 00 00 03 31 33 34 35 36 37 38 39 30 31 32 33 34 35 36 37 38 39 FB 3B");
    let answer = Some(hex("04 D0 04 00 FF 28"));
    let code = Some(b"134567890123456789".to_vec());
    let mut ssi = Ssi::new(wants(true));
    for length in 1..decoded.len() {
        assert_eq!(ssi.peel(&decoded[..length], true), Peel::More, "{length}");
    }
    assert_eq!(
        ssi.peel(&decoded, true),
        Peel::Message { length: 25, code: code.clone(), answer: answer.clone(), spoilt: false }
    );
    let again = ssi::packet(0xF3, 0, 1, &[b"\x03", code.as_deref().unwrap()].concat());
    assert_eq!(ssi.peel(&again, true), Peel::Message { length: 25, code: None, answer, spoilt: false }, "sent again");
    assert!(!ssi.act(Act::Trigger).unwrap().bytes.is_empty() && ssi.act(Act::Trigger).unwrap().wake);
}

#[test]
fn a_code_packet_that_is_damaged_is_asked_for_again_and_then_counts() {
    let mut ssi = Ssi::new(wants(true));
    let data = b"\x03134567890123456789";
    let mut damaged = ssi::packet(0xF3, 0, 0, data);
    assert!(matches!(ssi.peel(&damaged, true), Peel::Message { code: Some(_), .. }), "the same code an order before");
    damaged[9] ^= 1;
    let refused = Peel::Message { length: 25, code: None, answer: Some(hex("05 D1 04 00 01 FF 25")), spoilt: true };
    assert_eq!(ssi.peel(&damaged, true), refused);
    let again = ssi::packet(0xF3, 0, 1, data);
    assert!(matches!(ssi.peel(&again, true), Peel::Message { code: Some(_), .. }));
}

#[test]
fn a_code_longer_than_a_packet_is_joined() {
    let mut ssi = Ssi::new(wants(true));
    let first = ssi::packet(0xF3, 0, 2, b"\x1C1234");
    let second = ssi::packet(0xF3, 0, 0, b"\x1C5678");
    assert!(matches!(ssi.peel(&first, true), Peel::Message { code: None, answer: Some(_), .. }));
    let Peel::Message { code, .. } = ssi.peel(&second, true) else { panic!("a packet") };
    assert_eq!(code.as_deref(), Some(b"12345678".as_slice()));
}

#[test]
fn packets_without_end_are_not_joined_without_end() {
    let mut ssi = Ssi::new(wants(true));
    let more = ssi::packet(0xF3, 0, 2, &[b'7'; 200]);
    for _ in 0..1000 {
        assert!(matches!(ssi.peel(&more, true), Peel::Message { code: None, answer: Some(_), .. }));
    }
    let Peel::Message { code, .. } = ssi.peel(&ssi::packet(0xF3, 0, 0, b"\x1C5678"), true) else { panic!("a packet") };
    assert_eq!(code.map(|code| code.len()), Some(LINE_MAX + 1), "too long to be passed on");
}

#[test]
fn words_of_the_caret_family_are_framed_and_answered_by_one_byte() {
    assert_eq!(caret::command("SCAN"), b"^_^SCAN.");
    let mut caret = caret::Caret::new(wants(true));
    assert_eq!(caret.act(Act::Trigger).unwrap().bytes, b"^_^SCAN.");
    assert_eq!(caret.act(Act::Stop).unwrap().bytes, b"^_^SLEEP.");
    assert_eq!(caret.peel(b"\x06123\r", true), Peel::Reply(1));
    assert_eq!(caret.peel(b"\x15", true), Peel::Reply(1));
    assert_eq!(caret.peel(b"\x06", false), Peel::Text, "in the middle of a code it is damage");
}

#[test]
fn who_is_there_is_asked_by_versions_only_and_words_come_last() {
    let mut search = Search::new(DialectKind::Auto, 115_200, None);
    let plan: Vec<_> = std::iter::from_fn(|| search.next()).collect();
    assert_eq!(plan.len(), 10);
    assert!(plan[..5].iter().all(|(_, speed)| *speed == 115_200) && plan[5..].iter().all(|(_, speed)| *speed == 9600));
    let first: Vec<Vec<u8>> =
        plan[..5].iter().map(|(kind, _)| make(*kind, wants(true)).next().unwrap().bytes).collect();
    assert_eq!(
        first,
        [
            hex("7E 00 07 01 00 E2 01 77 91"),
            hex("04 A3 04 00 FF 55"),
            newland::command(b'#', "QRYSYS"),
            caret::command("DSPYFW"),
            honeywell::command("REVINF."),
        ]
    );
    let found = Some((DialectKind::Ssi, 9600));
    assert_eq!(Search::new(DialectKind::Auto, 115_200, found).next(), found, "who was there before is asked first");
    let mut kept = Search::new(DialectKind::Auto, 9600, None);
    kept.keep_to(9600);
    assert_eq!(std::iter::from_fn(|| kept.next()).count(), 5, "codes came at this speed");
}

/// Byte by byte they were taken for text as soon as that was certain.
#[test]
fn what_is_too_long_or_has_another_head_in_it_is_no_reply_even_when_all_of_it_is_there() {
    let wants = Wants::from(&ScannerSpec::default());
    let mut newland = make(DialectKind::Newland, wants);
    let reply = |words: &[u8]| [b"\x02\x010000#", words, b";\x03"].concat();
    let good = reply(b"QRYSYSfirmware\x06");
    assert_eq!(newland.peel(&good, true), Peel::Reply(good.len()));
    assert_eq!(newland.peel(&reply(b"QRYSYSfirm\x02ware\x06"), true), Peel::Text);
    assert_eq!(newland.peel(&reply(&[b'a'; 500]), true), Peel::Text);
    let mut honeywell = make(DialectKind::Honeywell, wants);
    honeywell.next();
    let reply = |name: &[u8]| [b"Product Name: ", name, b"REVINF\x06."].concat();
    assert_eq!(honeywell.peel(&reply(b"3320G"), true), Peel::Reply(27));
    assert_eq!(honeywell.peel(&reply(&[b'a'; 1000]), true), Peel::Text);
}
