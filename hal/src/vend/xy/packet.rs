//! `FA FB | command | length | text… | xor`: the length counts the text, the xor goes over everything before it.
//!
//! The text's first byte is the packet's number, but for POLL and ACK, which have none.

/// POLL: the machine asks whether we have something.
pub(crate) const POLL: u8 = 0x41;
/// ACK: the packet arrived.
pub(crate) const ACK: u8 = 0x42;

const HEAD: [u8; 2] = [0xFA, 0xFB];
/// Head, command, length and xor.
const AROUND: usize = 5;

/// One packet of either side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) command: u8,
    /// With the number, where it has one.
    pub(crate) text: Vec<u8>,
}

impl Packet {
    pub(crate) fn bare(command: u8) -> Self {
        Self { command, text: Vec::new() }
    }

    pub(crate) fn numbered(command: u8, number: u8, text: &[u8]) -> Self {
        let mut all = vec![number];
        all.extend_from_slice(text);
        Self { command, text: all }
    }

    /// As it goes over the wire. A text of more than 255 bytes does not exist in this protocol and is cut off.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let text = self.text.get(..255).unwrap_or(&self.text);
        let mut bytes = Vec::from(HEAD);
        bytes.push(self.command);
        bytes.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(text);
        bytes.push(xor(&bytes));
        bytes
    }
}

fn xor(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |all, byte| all ^ byte)
}

/// Finds packets in bytes that were cut anywhere, and goes on behind noise at the next head.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    bytes: Vec<u8>,
}

impl Reader {
    /// Forgets a packet that was begun: its rest does not come any more.
    pub(crate) fn forget(&mut self) {
        self.bytes.clear();
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole packet.
    pub(crate) fn next(&mut self) -> Option<Packet> {
        loop {
            self.skip_to_head();
            let length = usize::from(*self.bytes.get(3)?) + AROUND;
            let whole = self.bytes.get(..length)?;
            // Over everything with its xor, the xor is zero.
            if xor(whole) != 0 {
                // Perhaps these two bytes were noise; the real head may be inside.
                self.bytes.drain(..1);
                continue;
            }
            let packet = Packet {
                command: whole.get(2).copied().unwrap_or_default(),
                text: whole.get(4..length - 1).unwrap_or_default().into(),
            };
            self.bytes.drain(..length);
            return Some(packet);
        }
    }

    fn skip_to_head(&mut self) {
        let [first, second] = HEAD;
        let here =
            |place: usize, byte: u8| byte == first && self.bytes.get(place + 1).is_none_or(|next| *next == second);
        let head = self.bytes.iter().enumerate().find(|(place, byte)| here(*place, **byte));
        let skipped = head.map_or(self.bytes.len(), |(place, _)| place);
        self.bytes.drain(..skipped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// reference/hardware.md 3.6.
    fn golden() -> Vec<(Packet, &'static [u8])> {
        vec![
            (Packet::bare(POLL), &[0xFA, 0xFB, 0x41, 0x00, 0x40]),
            (Packet::bare(ACK), &[0xFA, 0xFB, 0x42, 0x00, 0x43]),
            (Packet::numbered(0x03, 1, &[0, 7]), &[0xFA, 0xFB, 0x03, 0x03, 0x01, 0x00, 0x07, 0x07]),
            (Packet::numbered(0x04, 2, &[2, 0, 7]), &[0xFA, 0xFB, 0x04, 0x04, 0x02, 0x02, 0x00, 0x07, 0x06]),
            (
                Packet::numbered(0x27, 3, &[5, 0, 0, 1, 0x5E]),
                &[0xFA, 0xFB, 0x27, 0x06, 0x03, 0x05, 0x00, 0x00, 0x01, 0x5E, 0x79],
            ),
            (Packet::numbered(0x06, 4, &[1, 0, 0, 7]), &[0xFA, 0xFB, 0x06, 0x05, 0x04, 0x01, 0x00, 0x00, 0x07, 0x00]),
        ]
    }

    fn read(bytes: &[u8]) -> Vec<Packet> {
        let mut reader = Reader::default();
        reader.push(bytes);
        std::iter::from_fn(|| reader.next()).collect()
    }

    #[test]
    fn packets_have_the_bytes_of_the_reference() {
        for (packet, bytes) in golden() {
            assert_eq!(packet.to_bytes(), bytes, "{packet:?}");
            assert_eq!(read(bytes), [packet]);
        }
    }

    #[test]
    fn packets_are_found_however_they_are_cut() {
        let all: Vec<u8> = golden().iter().flat_map(|(_, bytes)| bytes.to_vec()).collect();
        let expected: Vec<Packet> = golden().into_iter().map(|(packet, _)| packet).collect();
        for size in 1..=all.len() {
            let mut reader = Reader::default();
            let mut found = Vec::new();
            for chunk in all.chunks(size) {
                reader.push(chunk);
                found.extend(std::iter::from_fn(|| reader.next()));
            }
            assert_eq!(found, expected, "chunks of {size}");
        }
    }

    #[test]
    fn noise_costs_at_most_the_packet_it_hit() {
        let poll = Packet::bare(POLL).to_bytes();
        for noise in [&[0xFA][..], &[0xFA, 0xFA], &[0x00, 0xFB, 0xFA], &[0xFA, 0xFB, 0x41, 0x01, 0x00]] {
            let bytes = [noise, &poll, &poll].concat();
            assert_eq!(read(&bytes), [Packet::bare(POLL), Packet::bare(POLL)], "{noise:02X?}");
        }
        for place in 0..poll.len() {
            let mut torn = poll.clone();
            torn[place] ^= 0x10;
            let found = read(&[torn, poll.clone(), poll.clone(), poll.clone(), poll.clone()].concat());
            assert!(found.len() >= 2 && found.iter().all(|packet| *packet == Packet::bare(POLL)), "{place}: {found:?}");
        }
    }
}
