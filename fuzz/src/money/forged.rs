//! Who made a reply, and what then may come of it.

use payment::channel::{Answer, Decoded, HttpReply, Request};

use super::orders::{fits, settles};

/// The first bytes of an input: what is asked, and what happens to the reply. The rest is the content.
pub(super) struct Input<'a> {
    pub(super) ask: u8,
    pub(super) maker: Maker,
    /// One of the channel's own choices: the kind of signature, the HTTP status.
    pub(super) choice: u8,
    at: usize,
    flip: u8,
    pub(super) content: &'a [u8],
}

/// Who made the reply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// The channel.
    Channel,
    /// Nobody signed it.
    Nobody,
    /// Somebody with another key.
    Other,
    /// The channel, and one byte was changed on the way.
    Changed,
    /// The content is the whole body.
    Anything,
}

impl<'a> Input<'a> {
    pub(super) fn read(data: &'a [u8]) -> Option<Self> {
        let (&[ask, maker, choice, high, low, flip], content) = data.split_first_chunk::<6>()?;
        let maker = match maker % 8 {
            0..=3 => Maker::Channel,
            4 => Maker::Nobody,
            5 => Maker::Other,
            6 => Maker::Changed,
            _ => Maker::Anything,
        };
        Some(Self { ask, maker, choice, at: usize::from(high) << 8 | usize::from(low), flip: flip.max(1), content })
    }

    /// The bytes with one of them changed, where that is what happens.
    pub(super) fn on_the_way(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let length = bytes.len();
        if let Some(byte) = (self.maker == Maker::Changed && length > 0).then(|| &mut bytes[self.at % length]) {
            *byte ^= self.flip;
        }
        bytes
    }
}

/// The promises of every channel's decoder. `decode` must begin anew at each call; `sealed` is the reply as the channel
/// made it and `came` as it arrived.
pub(super) fn must_hold(
    request: &Request,
    maker: Maker,
    decode: impl Fn(&HttpReply) -> Decoded,
    sealed: &HttpReply,
    came: &HttpReply,
) {
    let decoded = decode(came);
    assert!(decoded == decode(came), "the same reply means two things");
    let Decoded::Answer(answer) = decoded else { return };
    assert!(fits(request, &answer), "{answer:?} to {request:?}");
    match maker {
        Maker::Channel => {}
        Maker::Nobody | Maker::Other | Maker::Anything => {
            assert!(!settles(&answer), "not the channel's, and believed: {answer:?}");
        }
        Maker::Changed => assert!(!settles(&answer) || is(&decode(sealed), &answer), "changed: {answer:?}"),
    }
}

fn is(decoded: &Decoded, answer: &Answer) -> bool {
    matches!(decoded, Decoded::Answer(other) if other == answer)
}
