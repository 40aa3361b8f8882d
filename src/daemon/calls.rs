//! Calls to channels on their way. A call is signed as soon as it is known and sent only when told: so the signature
//! overlaps the journal's flush, and the sending never precedes it.

use std::collections::BTreeMap;

use payment::channel::Answer;
use payment::engine::effect::{Call, CallId};
use payment::time::Wall;
use tokio::sync::{mpsc, oneshot};

use crate::http::Channels;

/// An answer and the call it belongs to.
pub type Answered = (CallId, Answer);

/// Starts calls and collects their answers.
#[derive(Debug)]
pub struct Calls {
    channels: Channels,
    ready: BTreeMap<CallId, oneshot::Sender<()>>,
    answers: mpsc::UnboundedSender<Answered>,
}

impl Calls {
    /// Calls over `channels`. The answers come in the returned queue: one for each call that was sent, so it is bounded
    /// by the engine's one call at a time for each attempt and refund.
    #[must_use]
    pub fn new(channels: Channels) -> (Self, mpsc::UnboundedReceiver<Answered>) {
        let (answers, queue) = mpsc::unbounded_channel();
        (Self { channels, ready: BTreeMap::new(), answers }, queue)
    }

    /// Signs a call ahead of time. It does not leave.
    pub fn prepare(&mut self, call: &Call, wall: Wall) {
        if self.ready.contains_key(&call.id) {
            return;
        }
        let (go, gate) = oneshot::channel();
        self.ready.insert(call.id, go);
        let (channels, answers, call) = (self.channels.clone(), self.answers.clone(), call.clone());
        tokio::spawn(async move {
            let prepared = channels.prepare(call.channel, call.request, wall);
            if gate.await.is_ok() {
                let answer = channels.send(prepared).await;
                // The loop is gone only when the daemon stops; the journal knows the attempt.
                let _stopped = answers.send((call.id, answer));
            }
        });
    }

    /// Lets a call leave.
    pub fn send(&mut self, call: &Call, wall: Wall) {
        self.prepare(call, wall);
        if let Some(go) = self.ready.remove(&call.id) {
            // The other end waits for exactly this.
            let _sent = go.send(());
        }
    }

    /// Drops what was signed and will never be sent.
    pub fn forget_prepared(&mut self) {
        self.ready.clear();
    }
}
