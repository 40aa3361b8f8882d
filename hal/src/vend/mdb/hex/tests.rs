use super::*;
use crate::{
    board::{MdbAdapter, SlotSpec, VendSpec},
    event::{DeviceEvent, VendResult},
    vend::{Job, bus::Protocol},
};

const WIRE: Wire = Wire {
    address: 0x10,
    sends_text: false,
    receives_text: true,
    sends_checksum: true,
    receives_checksum: true,
    acks: true,
};
const RAW: Wire = Wire { receives_text: false, ..WIRE };

fn read(wire: Wire, pieces: &[&[u8]]) -> Vec<Passed> {
    let (mut frames, mut found) = (Frames::new(wire), Vec::new());
    for (at, piece) in pieces.iter().enumerate() {
        frames.push(Duration::from_millis(at as u64), piece, &mut found);
    }
    frames.silence(Duration::from_secs(1), &mut found);
    found
}

fn block(bytes: &[u8]) -> Passed {
    Passed::Block(bytes.to_vec())
}

/// What a WAFER RS232-MDB was seen to say at a real machine's power-on, and the ACK between.
const SEEN: &[u8] =
    b"\x02CN0999-WFV-Jul  6 2021,17:31:43\x03\x0211000310010126\x03\x0200\x03\x021101054100328A\x03\x02140115\x03";

#[test]
fn what_a_real_box_said_is_read_wherever_it_is_cut() {
    let expected =
        [block(&[0x11, 0, 3, 0x10, 1, 1]), Passed::Ack, block(&[0x11, 1, 5, 0x41, 0, 0x32]), block(&[0x14, 1])];
    for cut in 0..SEEN.len() {
        let (first, rest) = SEEN.split_at(cut);
        assert_eq!(read(WIRE, &[first, rest]), expected, "cut at {cut}");
    }
}

#[test]
fn every_form_of_text_is_one_block() {
    let request = block(&[0x13, 0, 1, 0x5E, 0, 5]);
    for text in ["13 00 01 5E 00 05 77\r\n", "13 00 01 5e 00 05 77", "\x021300015E000577\x03", "1300015E000577\n"] {
        assert_eq!(read(WIRE, &[text.as_bytes()]), std::slice::from_ref(&request), "{text:?}");
    }
    let bare = Wire { receives_checksum: false, ..WIRE };
    assert_eq!(read(bare, &[b"13 00 01 5E 00 05\r"]), [request]);
}

#[test]
fn text_without_an_end_is_not_kept_without_an_end() {
    let mut frames = Frames::new(WIRE);
    let mut found = Vec::new();
    for read in 0..1000 {
        frames.push(Duration::from_millis(read * 10), &[b'0'; 512], &mut found);
        assert!(frames.bytes.len() <= BLOCK_MAX + 1, "{} bytes are kept", frames.bytes.len());
    }
    assert_eq!(found, []);
}

#[test]
fn what_is_torn_or_does_not_add_up_is_no_command() {
    for text in [&b"1300015E000578\r"[..], b"1300015E00057\r", b"13000x5E000577\r", b"9D\r", b"FF\r", b"AA\r"] {
        assert_eq!(read(WIRE, &[text]), [], "{text:?}");
    }
    assert_eq!(read(WIRE, &[&[b'1'; 5000], b"\r\x02140115\x03"]), [block(&[0x14, 1])]);
}

#[test]
fn bytes_are_cut_by_their_lengths_and_found_again_after_noise() {
    let sent = [0x10, 0x10, 0x77, 0x13, 0x00, 0x01, 0x5E, 0x00, 0x05, 0x77, 0x00, 0x13, 0x04, 0x17];
    for cut in 0..sent.len() {
        let (first, rest) = sent.split_at(cut);
        let expected = [block(&[0x10]), block(&[0x13, 0, 1, 0x5E, 0, 5]), Passed::Ack, block(&[0x13, 4])];
        assert_eq!(read(RAW, &[first, rest]), expected, "cut at {cut}");
    }
}

#[test]
fn an_answer_is_written_as_the_box_wants_it() {
    let approved = Status::Approved(350).encode();
    assert_eq!(encode(approved.clone(), true, false), [0x05, 0x01, 0x5E, 0x64]);
    assert_eq!(encode(approved.clone(), false, false), [0x05, 0x01, 0x5E]);
    assert_eq!(encode(approved, true, true), b"05015E64\r\n");
}

#[test]
fn an_approval_without_an_ack_is_not_sent_again_and_a_credit_is() {
    let config = block::Config { level: 3, scale: 1, decimals: 2, max_response_s: 120, cash_sales: true };
    let can = Abilities { config, always_idle: false, answers_setup: false };
    let mut hex = Hex::new(WIRE, can);
    let mut now = Duration::ZERO;
    hex.opened(now);
    // The session before, whatever it was, is ended; then ours is begun and never acknowledged.
    assert_eq!(hex.to_send(now), Some(vec![7, 7]));
    hex.received(now, b"\x0200\x03");
    now += PAUSE;
    hex.begin(now, 500);
    let sent = |hex: &mut Hex, now: &mut Duration, first: u8, seconds: u64| {
        let until = *now + Duration::from_secs(seconds);
        let mut times = 0;
        while *now < until {
            times += u32::from(hex.to_send(*now).is_some_and(|bytes| bytes[0] == first));
            *now = hex.due().unwrap_or(until).clamp(*now + Duration::from_millis(1), until);
            hex.woken(*now);
        }
        times
    };
    assert!((3..8).contains(&sent(&mut hex, &mut now, 3, 60)));
    hex.received(now, b"\x021300015E000577\x03");
    hex.approve(now, 350);
    assert_eq!(sent(&mut hex, &mut now, 5, 60), 1);
}

#[test]
fn an_approval_that_never_left_is_in_no_doubt_and_never_leaves() {
    let mut spec =
        VendSpec { slots: vec![SlotSpec { name: "5".into(), ..SlotSpec::default() }], ..VendSpec::default() };
    spec.mdb.adapter = MdbAdapter::Hex;
    let at = Duration::from_secs;
    let mut controller = crate::vend::mdb::controller(&spec);
    controller.opened(at(1));
    let start_up =
        [Command::Reset, Command::Setup { level: 3, columns: 0, rows: 0, display: 0 }, Command::Options(0x20)];
    for command in start_up.into_iter().chain([Command::Enable, Command::VendRequest { price: 350, item: 5 }]) {
        controller.received(at(2), &encode(command.encode(0x10), true, true));
        // No ACK: what goes first stays first.
        while controller.to_send().is_some() {}
    }
    controller.wanted(at(2), Job::Dispense { job: 1, slot: "5".into(), price: 350 });
    controller.closed(at(3), "the cable is out");
    let ended = std::iter::from_fn(|| controller.happened()).find_map(|event| {
        let DeviceEvent::VendEnded { job, result, .. } = event else { return None };
        Some((job, result))
    });
    assert_eq!(ended, Some((1, VendResult::NotDropped)));
}
