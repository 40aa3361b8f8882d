//! Frames on serial lines: cut anywhere, sealed or not, and what they mean.

use std::{fmt::Debug, time::Duration};

use crate::vend::{
    mdb::{
        block::{self, Command, Status},
        hex::{self, Frames, Passed, Wire},
        money::{Money, UNKNOWN},
        text_line::{self, Lines},
    },
    motor::rtu,
    xy::packet::{Packet, Reader},
};

/// What a decoder shows of itself is longer than what it keeps: this is a few hundred bytes.
const KEPT_MAX: usize = 4000;

/// Of the first two bytes one chooses the decoder, the other how it is set.
pub fn any(data: &[u8]) {
    let Some((&[choice, ways], content)) = data.split_first_chunk::<2>() else { return };
    match choice % 6 {
        0 => text(ways, content),
        1 | 2 => boxes(ways, content),
        3 => statuses(content),
        4 => packets(content),
        _ => motors(content),
    }
}

fn small(what: &impl Debug) {
    let shown = format!("{what:?}").len();
    assert!(shown <= KEPT_MAX, "noise is kept: {shown} letters show it");
}

/// Lines of the text adapter, and the money in them.
fn text(ways: u8, content: &[u8]) {
    // Without decimals a board may have one scale only.
    let decimals = ways % 3;
    let money = Money { scale: if decimals == 0 { 1 } else { ways }, decimals };
    let (mut whole, mut cut) = (Lines::default(), Lines::default());
    let lines = whole.push(content);
    let pieces: Vec<String> = content.iter().flat_map(|byte| cut.push(&[*byte])).collect();
    assert!(lines == pieces, "split reads make other lines");
    small(&whole);
    for line in lines {
        assert!(line.len() <= 128 && line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
        let _any = text_line::parse(money, &line);
        if let Some(steps) = money.read(&line) {
            assert_eq!(money.read(&money.text(steps)), Some(steps), "an amount is written as another");
            assert!(
                steps == UNKNOWN || money.fen(steps).and_then(|fen| money.steps(fen)) == (steps > 0).then_some(steps)
            );
        }
    }
}

/// Blocks that a pass-through box hands up.
fn boxes(ways: u8, content: &[u8]) {
    let wire = Wire {
        address: if ways & 1 == 0 { 0x10 } else { 0x60 },
        sends_text: false,
        receives_text: ways & 2 != 0,
        sends_checksum: true,
        receives_checksum: ways & 4 != 0,
        acks: true,
    };
    let found = passed(wire, content);
    for passed in &found {
        let Passed::Block(block) = passed else { continue };
        assert!(!block.is_empty() && block.len() <= 65, "a block of {} bytes", block.len());
        if let Some(command) = Command::decode(wire.address, block) {
            again(wire, command);
        }
    }
}

fn passed(wire: Wire, content: &[u8]) -> Vec<Passed> {
    let now = Duration::from_secs(1);
    let (mut whole, mut cut) = (Frames::new(wire), Frames::new(wire));
    let (mut found, mut pieces) = (Vec::new(), Vec::new());
    whole.push(now, content, &mut found);
    for byte in content {
        cut.push(now, &[*byte], &mut pieces);
        small(&cut);
    }
    for (frames, found) in [(&mut whole, &mut found), (&mut cut, &mut pieces)] {
        frames.silence(now + Duration::from_secs(1), found);
        assert_eq!(frames.due(), None, "silence ends a block");
    }
    assert!(found == pieces, "split reads make other blocks");
    found
}

/// What was understood is written, handed up and understood the same.
fn again(wire: Wire, command: Command) {
    let block = command.encode(wire.address);
    assert_eq!(Command::decode(wire.address, &block), Some(command), "written as another");
    // Of what we offer nothing for, and of names, only the beginning matters.
    if !matches!(command, Command::Other | Command::ExpansionId) {
        assert_eq!(block::length(wire.address, &block), Some(block.len()), "{command:?}");
        let sent = hex::encode(block.clone(), wire.receives_checksum, wire.receives_text);
        assert_eq!(passed(wire, &sent), [Passed::Block(block)], "{command:?} does not come through");
    }
}

/// What a reader says, as the simulated machine reads it.
fn statuses(content: &[u8]) {
    if let Some(block) = block::unseal(content) {
        assert_eq!(block::seal(block.to_vec()), content);
    }
    if let Some(status) = Status::decode(content) {
        assert_eq!(Status::decode(&status.encode()), Some(status), "written as another");
    }
}

/// Packets of the XY controllers: as they come, and one of ours behind them.
fn packets(content: &[u8]) {
    let (mut whole, mut cut) = (Reader::default(), Reader::default());
    whole.push(content);
    let found: Vec<Packet> = std::iter::from_fn(|| whole.next()).collect();
    let mut pieces = Vec::new();
    for byte in content {
        cut.push(&[*byte]);
        pieces.extend(std::iter::from_fn(|| cut.next()));
        small(&cut);
    }
    assert!(found == pieces, "split reads make other packets");
    for packet in found {
        assert!(packet.text.len() <= 255);
        let mut reader = Reader::default();
        reader.push(&packet.to_bytes());
        assert_eq!(reader.next(), Some(packet), "written as another");
    }
    // Behind any noise and the silence after it the next packet is read.
    let ours = Packet::numbered(0x04, 7, content);
    let ours = Packet { text: ours.text.get(..255).unwrap_or(&ours.text).into(), ..ours };
    whole.forget();
    whole.push(&ours.to_bytes());
    assert_eq!(whole.next(), Some(ours));
    assert_eq!(whole.next(), None);
}

/// Frames of Modbus and of the lane boards.
fn motors(content: &[u8]) {
    for length in 4..=content.len().min(40) {
        if let (Some(data), Some(bytes)) = (rtu::whole(content, length), content.get(..length)) {
            assert_eq!(rtu::frame(bytes[0], bytes[1], data), bytes, "taken with a wrong checksum");
        }
    }
    if let [address, function, data @ ..] = content {
        let frame = rtu::frame(*address, *function, data);
        assert_eq!(rtu::whole(&frame, frame.len()), Some(data));
    }
}
