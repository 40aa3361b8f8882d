//! The side that tests and the demo hold: weather, truth, time passing. No HTTP is needed for any of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use super::calls::{CallRecord, Probe};
use super::keys::GatewayKeys;
use super::ledger::Ledger;
use super::notice::{self, Notice};
use super::options::GatewayOptions;
use super::order::TradeState;
use super::wallet::Wallet;
use super::weather::{Condition, Host, Weather};
use super::world::{Complaint, World};
use crate::alipay::china_time::DAY_MS;

/// What the gateway and its controls share.
pub(crate) struct Shared {
    pub(crate) options: GatewayOptions,
    pub(crate) keys: GatewayKeys,
    /// Counts changes.
    pub(crate) changes: watch::Sender<u64>,
    world: Mutex<World>,
}

impl Shared {
    pub(crate) fn new(options: GatewayOptions, keys: GatewayKeys) -> Self {
        let world = Mutex::new(World::new(&options));
        Self { options, keys, changes: watch::Sender::new(0), world }
    }

    pub(crate) fn now(&self) -> i64 {
        self.options.clock.now()
    }

    /// Looks at the world as it is now.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&World, i64) -> R) -> R {
        let now = self.now();
        let mut world = self.lock();
        let settled = world.settle(now);
        let seen = look(&world, now);
        drop(world);
        if settled {
            self.tell();
        }
        seen
    }

    /// Changes the world and tells everybody who waits.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut World, i64) -> R) -> R {
        let now = self.now();
        let mut world = self.lock();
        world.settle(now);
        let result = change(&mut world, now);
        drop(world);
        self.tell();
        result
    }

    pub(crate) fn is_down(&self, host: Host) -> bool {
        self.lock().weather.is_down(host)
    }

    fn tell(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything outside the wire: cheap to clone, usable from any thread, alive after the gateway stopped.
#[derive(Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// What is wrong just now.
    #[must_use]
    pub fn weather(&self) -> Weather {
        self.shared.look(|world, _| world.weather.clone())
    }

    /// Changes the weather. A shut door opens, and an open one shuts, within a moment.
    pub fn set_weather(&self, weather: Weather) {
        self.shared.change(|world, _| world.weather = weather);
    }

    /// One thing more goes wrong.
    pub fn add_weather(&self, condition: impl Into<Condition>) {
        let condition = condition.into();
        self.shared.change(|world, _| world.weather.conditions.push(condition));
    }

    /// From now on answers are signed by the next key, and certificate mode hands out its certificate too.
    pub fn rotate_signing_key(&self) {
        self.shared.change(|world, _| world.rotated = true);
    }

    /// The phone of the usual buyer.
    #[must_use]
    pub fn wallet(&self) -> Wallet {
        self.wallet_of("Lin")
    }

    /// The phone of the buyer with this name, who gets an account at the first call.
    #[must_use]
    pub fn wallet_of(&self, name: &str) -> Wallet {
        Wallet::new(Arc::clone(&self.shared), name)
    }

    /// The truth at this moment.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.shared.look(Ledger::of)
    }

    /// The last 10,000 calls, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<CallRecord> {
        self.shared.look(|world, _| world.calls.iter().cloned().collect())
    }

    /// Every probe signature that was sent, and whether the terminal fell for it.
    #[must_use]
    pub fn probes(&self) -> Vec<Probe> {
        self.shared.look(|world, _| world.probes.clone())
    }

    /// The notice of a paid order, as the channel would send it now. Till lives by queries: nothing posts it.
    #[must_use]
    pub fn payment_notice(&self, out_trade_no: &str) -> Option<Notice> {
        let shared = &self.shared;
        shared.change(|world, now| notice::of_payment(world, &shared.keys, out_trade_no, now))
    }

    /// The notice of an ended refund, as the channel would send it now.
    #[must_use]
    pub fn refund_notice(&self, out_refund_no: &str) -> Option<Notice> {
        let shared = &self.shared;
        shared.change(|world, now| notice::of_refund(world, &shared.keys, out_refund_no, now))
    }

    /// Any other notice, such as one of those that warn (reference/wechatpay.md 12), as the channel would send it now.
    #[must_use]
    pub fn event_notice(&self, event_type: &str, original_type: &str, plain: Value) -> Option<Notice> {
        let shared = &self.shared;
        shared.change(|world, now| notice::of_event(world, &shared.keys, (event_type, original_type), plain, now))
    }

    /// The buyer of an order complains; gives the complaint's id, or `None` when there is no such order.
    pub fn complain(&self, out_trade_no: &str, detail: &str) -> Option<String> {
        self.complained(out_trade_no, detail, 0)
    }

    /// The same, so many days ago.
    pub fn complained(&self, out_trade_no: &str, detail: &str, days_ago: i64) -> Option<String> {
        self.shared.change(|world, now| {
            let key = world.order_numbered(out_trade_no)?.terms.key.clone();
            let id = world.serial("2000000", now);
            let (detail, at) = (detail.to_owned(), now - days_ago * DAY_MS);
            world.complaints.push(Complaint { id: id.clone(), key, detail, at, is_answered: false });
            Some(id)
        })
    }

    /// The merchant deals with a complaint in the portal; tells whether there is one.
    pub fn answer_complaint(&self, id: &str) -> bool {
        self.shared.change(|world, _| {
            let complaint = world.complaints.iter_mut().find(|complaint| complaint.id == id);
            complaint.map(|complaint| complaint.is_answered = true).is_some()
        })
    }

    /// Lets an unpaid order's code die now; tells whether there was a live one.
    pub fn expire_code(&self, out_trade_no: &str) -> bool {
        self.shared.change(|world, now| {
            let mut orders = world.orders.values_mut().filter(|order| order.terms.key.number == out_trade_no);
            let code = orders.find_map(|order| order.code.as_mut());
            code.is_some_and(|code| std::mem::replace(&mut code.expires_at, now) > now)
        })
    }

    /// Lets every pay code die now.
    pub fn expire_pay_codes(&self) {
        self.shared.change(|world, now| {
            for code in world.pay_codes.values_mut() {
                code.expires_at = code.expires_at.min(now);
            }
        });
    }

    /// Closes an unpaid order as its time limit would; tells whether there was one.
    pub fn close_trade(&self, out_trade_no: &str) -> bool {
        self.shared.change(|world, _| {
            let mut orders = world.orders.values_mut();
            let waiting = orders.find(|order| order.terms.key.number == out_trade_no && order.is_waiting());
            waiting.map(|order| order.state = TradeState::Closed).is_some()
        })
    }

    /// A watch on everything that happens from now on.
    #[must_use]
    pub fn changes(&self) -> Changes {
        let mut seen = self.shared.changes.subscribe();
        seen.mark_unchanged();
        Changes { shared: Arc::clone(&self.shared), seen }
    }

    /// Waits for the next change after this call. Use [`Control::changes`] or [`Control::until`] to miss none.
    pub async fn changed(&self) {
        self.changes().next().await;
    }

    /// Waits until the ledger is as wished and gives it. Put a time limit around it.
    pub async fn until(&self, mut wished: impl FnMut(&Ledger) -> bool) -> Ledger {
        let mut changes = self.changes();
        loop {
            let ledger = self.ledger();
            if wished(&ledger) {
                return ledger;
            }
            changes.next().await;
        }
    }
}

/// Everything that happens at the gateway: calls, the buyer's doings, time limits, weather.
pub struct Changes {
    shared: Arc<Shared>,
    seen: watch::Receiver<u64>,
}

impl Changes {
    /// Waits for a change that this watch has not told of. Several may be told as one.
    pub async fn next(&mut self) {
        loop {
            let due = self.shared.look(|world, now| world.next_due_at().map(|at| at - now));
            let wait = due.and_then(|ms| u64::try_from(ms).ok()).map(|ms| ms.max(1));
            tokio::select! {
                _ = self.seen.changed() => return,
                () = wait_for(wait) => {}
            }
        }
    }
}

async fn wait_for(ms: Option<u64>) {
    match ms {
        Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
        None => std::future::pending().await,
    }
}
