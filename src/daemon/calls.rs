//! Calls to channels on their way. A call is signed as soon as it is known and sent only when told: so the signature
//! overlaps the journal's flush, and the sending never precedes it.

use std::collections::BTreeMap;

use payment::channel::Answer;
use payment::channel::outcome::{Doubt, DoubtKind};
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

    /// Signs a call ahead of time. It does not leave. Nothing is signed at a time that is not trusted.
    pub fn prepare(&mut self, call: &Call, wall: Wall) {
        if !wall.trusted || self.ready.contains_key(&call.id) {
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

    /// Lets a call leave. The engine holds calls back while the clock is not trusted, so only a clock that is set in this
    /// very moment makes one fail here.
    pub fn send(&mut self, call: &Call, wall: Wall) {
        if !wall.trusted {
            self.ready.remove(&call.id);
            let doubt = Doubt::new(DoubtKind::NoConnection, "not sent: the clock is not trusted");
            let _stopped = self.answers.send((call.id, Answer::in_doubt(&call.request, doubt)));
            return;
        }
        self.prepare(call, wall);
        if let Some(go) = self.ready.remove(&call.id) {
            // The other end waits for exactly this.
            let _sent = go.send(());
        }
    }

    /// Asks a channel for the time, unsigned.
    pub fn ask_time(&self) {
        let channels = self.channels.clone();
        // The clock is told.
        tokio::spawn(async move { channels.ask_time().await });
    }

    /// Why the newest exchange with a channel that failed did.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.channels.trouble()
    }

    /// Drops what was signed and will never be sent.
    pub fn forget_prepared(&mut self) {
        self.ready.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use payment::channel::{ChannelId, Method, Request, Trade};
    use payment::ids::IdMint;
    use payment::money::Fen;

    use super::*;
    use crate::http::ClientOptions;

    const WALL: Wall = Wall { ms: 1_800_000_000_000, trusted: true };
    /// A task that could run has run by then: there is one thread.
    const TURNS: usize = 50;

    /// A channel that is not set up answers with a doubt as soon as a call leaves.
    fn calls() -> (Calls, mpsc::UnboundedReceiver<Answered>) {
        let limit = Duration::from_secs(1);
        let options = ClientOptions { connect: limit, total: limit, extra_roots: None };
        Calls::new(Channels::new(Vec::new(), &options).unwrap())
    }

    fn call(id: u64) -> Call {
        let attempt = IdMint::new([1; 32]).attempt();
        let (method, amount) = (Method::ShowCode, Fen::new(350));
        let trade = Trade { attempt, method, amount, begun: WALL, trade_no: None };
        Call { id: CallId(id), channel: ChannelId::Alipay, request: Request::Query(trade) }
    }

    async fn let_them_run() {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_is_prepared_leaves_when_it_is_sent_and_once() {
        let (mut calls, mut answers) = calls();
        calls.prepare(&call(1), WALL);
        calls.prepare(&call(1), WALL);
        let_them_run().await;
        assert!(answers.try_recv().is_err(), "it left before its entry was durable");
        calls.send(&call(1), WALL);
        assert_eq!(answers.recv().await.unwrap().0, CallId(1));
        let_them_run().await;
        assert!(answers.try_recv().is_err());
    }

    #[tokio::test]
    async fn nothing_is_signed_or_sent_at_a_time_that_is_not_trusted() {
        let (mut calls, mut answers) = calls();
        let set_back = Wall { ms: 0, trusted: false };
        calls.prepare(&call(1), set_back);
        assert!(calls.ready.is_empty());
        calls.prepare(&call(2), WALL);
        calls.send(&call(2), set_back);
        let (id, answer) = answers.recv().await.unwrap();
        let doubt = answer.doubt().unwrap();
        assert_eq!((id, doubt.detail.as_str()), (CallId(2), "not sent: the clock is not trusted"));
        let_them_run().await;
        assert!(answers.try_recv().is_err() && calls.ready.is_empty());
    }

    #[tokio::test]
    async fn what_was_forgotten_leaves_only_by_being_sent() {
        let (mut calls, mut answers) = calls();
        calls.prepare(&call(1), WALL);
        calls.prepare(&call(2), WALL);
        let_them_run().await;
        calls.forget_prepared();
        assert!(calls.ready.is_empty(), "a pay code is kept for a call that never leaves");
        let_them_run().await;
        assert!(answers.try_recv().is_err(), "a call that was taken back left");
        calls.send(&call(2), WALL);
        assert_eq!(answers.recv().await.unwrap().0, CallId(2));
        let_them_run().await;
        assert!(answers.try_recv().is_err());
    }
}
