//! Random lives: keys, scans, payments, member and voucher codes, cash, cancels, lost and doubled replies, kills, a failing
//! disk, jams, clocks that lose their trust, in an order that a seed decides; some with two channels that come and go,
//! with refunds that are asked for, decided and fail, with duties and instalments. Afterwards the weather clears, and the
//! money is right.

use super::alipay::{Standing, Wallet};
use super::codes::{member, once, signed, taking_codes, voucher};
use super::world::{DAY, World, bare, basket, one_after_the_other, settings, slot, two_channels, with_instalments};
use crate::channel::outcome::Why;
use crate::channel::{ChannelId, DutyKind};
use crate::engine::entry::{Entry, RefundReason, WhoScans};
use crate::engine::faults::Fault;
use crate::engine::input::{Input, Key};
use crate::engine::record::OrderRecord;
use crate::engine::settings::{RefundSettings, Settings};
use crate::ids::{AttemptId, OrderId};
use crate::money::Fen;
use crate::voucher::{Kind, Voucher};

const SEEDS: u64 = 500;
const STEPS: u64 = 60;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (word ^ (word >> 31)) % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.roll(from.len() as u64)).expect("small")]
    }
}

const WHO: [WhoScans; 3] = [WhoScans::BuyerScans, WhoScans::MerchantScans, WhoScans::Either];
const CHANNELS: [ChannelId; 2] = [ChannelId::Alipay, ChannelId::Wechat];
const SLOTS: [&str; 3] = ["11", "12", "21"];

fn step(world: &mut World, dice: &mut Dice) {
    match dice.roll(11) {
        8 => sale(world, dice),
        9 => person(world, dice),
        10 => fair(world, dice),
        0 | 1 => customer(world, dice),
        2 | 3 => phone(world, dice),
        4 => weather(world, dice),
        5 => trouble(world, dice),
        6 => operator(world, dice),
        _ => {}
    }
    let ms = dice.pick(&[0, 40, 100, 1_000, 3_000, 9_000, 30_000, 100_000]);
    world.run(ms);
}

fn customer(world: &mut World, dice: &mut Dice) {
    let who_scans = dice.pick(&WHO);
    match dice.roll(9) {
        0 => drop(world.key(Key::Cancel)),
        8 => choice(world, dice),
        6 => code(world, dice),
        7 => cash(world, dice, who_scans),
        1 => drop(world.open(basket(dice.pick(&[&SLOTS[..2], &SLOTS[..], &["11", "11"]]), who_scans))),
        2 => drop(world.open(bare(dice.pick(&[1, 250, 100_000]), who_scans))),
        _ => drop(world.buy(dice.pick(&SLOTS))),
    }
}

/// Somebody buys and pays at once.
fn sale(world: &mut World, dice: &mut Dice) {
    let who_scans = dice.pick(&WHO);
    match dice.roll(3) {
        0 => drop(world.open(bare(dice.pick(&[250, 1_000]), who_scans))),
        1 => drop(world.open(basket(&SLOTS[..2], who_scans))),
        _ => drop(world.buy(dice.pick(&SLOTS))),
    }
    world.run(1_000);
    let before = world.codes_on_screen();
    match dice.roll(4) {
        0 => choice(world, dice),
        1 => {
            let _was_there = world.net.away.insert(dice.pick(&CHANNELS));
            world.run(20_000);
        }
        _ => {}
    }
    world.run(1_000);
    // A code that is on the phone already.
    if let Some(code) = before.first().filter(|_| dice.roll(3) == 0) {
        world.scan(*code);
        world.confirm(*code);
    }
    let by = dice.pick(&CHANNELS);
    let paid = world.phone_pays_by(by);
    if dice.roll(3) == 0 {
        let _paid = world.phone_pays_by(dice.pick(&CHANNELS));
    }
    if paid.is_none() || dice.roll(4) == 0 {
        drop(world.show_wechat_code(dice.pick(&[Wallet::PaysAtOnce, Wallet::Confirms])));
    }
    world.run(5_000);
}

/// Somebody wants money back of a sale that was paid, and somebody decides.
fn person(world: &mut World, dice: &mut Dice) {
    let paid = |order: &OrderId| world.record(*order).winner().is_some();
    let orders: Vec<OrderId> = world.order_ids().into_iter().filter(paid).collect();
    if orders.is_empty() {
        return;
    }
    let order = dice.pick(&orders);
    drop(world.asks_refund(order, dice.pick(&[None, Some(100), Some(301)]), "Ann"));
    world.run(dice.pick(&[0, 1_000, 100_000]));
    let by = dice.pick(&["Ann", " ann ", "Bob", "Bob"]);
    drop(world.decides_refund(order, dice.roll(3) > 0, by));
}

/// The weather is fair for a while.
fn fair(world: &mut World, dice: &mut Dice) {
    world.net = super::world::Net::default();
    world.refuse_writes = false;
    world.trusted = true;
    for fault in [Fault::Scanner, Fault::Machine, Fault::SwitchedOff] {
        let _taken = world.input(Input::Clear(fault));
    }
    world.run(dice.pick(&[1_000, 70_000]));
}

/// How to pay, by a key or through the API; where nothing is offered it changes nothing.
fn choice(world: &mut World, dice: &mut Dice) {
    if let Some(order) = world.engine.order_at_machine() {
        if dice.roll(2) == 0 {
            drop(world.key(Key::Digit(dice.pick(&[0, 1, 2, 3]))));
        } else {
            let periods = dice.pick(&[None, Some(3), Some(6), Some(12)]);
            drop(world.input(Input::ChooseInstalments { order, periods }));
        }
    }
}

/// A few codes, over and over: some are used up, some expire, some are strangers'.
fn code(world: &mut World, dice: &mut Dice) {
    let id = dice.pick(&["1", "2", "3"]);
    let shown = match dice.roll(6) {
        0 => signed(&Voucher { terminals: vec!["VM-2".to_owned()], ..voucher(id, Kind::Member, 5_000) }),
        1 => signed(&Voucher { expires_ms: world.now().wall.ms + 100_000, ..voucher(id, Kind::Member, 5_000) }),
        2 | 3 => once(&format!("V-{id}"), dice.pick(&[350, 1_000])),
        _ => member(&format!("M-{id}"), dice.pick(&[1_000, 5_000])),
    };
    if dice.roll(2) == 0 {
        drop(world.buy(dice.pick(&SLOTS)));
    }
    match world.engine.order_at_machine() {
        Some(order) if dice.roll(3) == 0 => {
            let line = shown.expose().to_owned();
            drop(world.input(Input::CodeGiven { order, line }));
        }
        Some(_) | None => drop(world.show_code(&shown)),
    }
}

fn cash(world: &mut World, dice: &mut Dice, who_scans: WhoScans) {
    let sold = if dice.roll(2) == 0 { basket(&SLOTS[..2], who_scans) } else { bare(250, who_scans) };
    drop(world.input(Input::CashSale(Box::new(sold))));
}

fn phone(world: &mut World, dice: &mut Dice) {
    let payable = world.trades().filter(|(_, trade)| is_payable(trade.standing, trade.seen));
    let begun: Vec<AttemptId> = payable.map(|(attempt, _)| *attempt).collect();
    let wallets =
        [Wallet::PaysAtOnce, Wallet::Confirms, Wallet::Refuses(Why::Buyer), Wallet::Refuses(Why::RefreshCode)];
    match dice.roll(10) {
        6 | 7 => code(world, dice),
        8 => drop(world.show_wechat_code(dice.pick(&wallets))),
        9 => {
            let _paid = world.phone_pays_by(dice.pick(&CHANNELS));
        }
        0 => drop(world.phone_scans()),
        1 => world.phone_pays(),
        2 | 3 => drop(world.show_pay_code(dice.pick(&wallets))),
        _ if begun.is_empty() => {}
        4 => world.refuse(dice.pick(&begun)),
        _ => {
            // Perhaps late: the code was on a screen once.
            let attempt = dice.pick(&begun);
            world.scan(attempt);
            world.confirm(attempt);
        }
    }
}

fn is_payable(standing: Standing, seen: bool) -> bool {
    match standing {
        Standing::Code { .. } => seen,
        Standing::Confirming => true,
        Standing::Paid | Standing::Closed => false,
    }
}

fn weather(world: &mut World, dice: &mut Dice) {
    let some = u32::try_from(dice.roll(4)).expect("small");
    match dice.roll(12) {
        9 => {
            let _was_there = world.net.away.insert(dice.pick(&CHANNELS));
        }
        10 => {
            let _was_away = world.net.away.remove(&dice.pick(&CHANNELS));
        }
        11 => moods(world, dice, some),
        0 => world.net.lose_requests = some,
        1 => world.net.lose_replies = some,
        2 => world.net.double_replies = some,
        3 => world.net.slow_ms = dice.pick(&[0, 0, 2_000, 20_000, 50_000]),
        4 => world.net.down = dice.roll(3) == 0,
        5 => world.alipay.mood.again = some,
        6 => world.alipay.mood.refuses_refunds = dice.roll(3) == 0,
        7 => world.alipay.mood.refuses_cancels = dice.roll(3) == 0,
        _ => world.alipay.mood.short_of_funds = dice.roll(3) == 0,
    }
}

fn moods(world: &mut World, dice: &mut Dice, some: u32) {
    let mood = &mut world.wechat.mood;
    match dice.roll(8) {
        0 => mood.refuses_codes = dice.roll(2) == 0,
        1 => mood.knows_every_number = dice.roll(2) == 0,
        2 => mood.short_of_funds = dice.roll(2) == 0,
        3 => mood.refuses_duties = dice.roll(2) == 0,
        4 => mood.mumbles = dice.roll(2) == 0,
        5 | 6 => mood.closes_refunds = some + 1,
        _ => world.alipay.mood.refuses_instalments = dice.roll(2) == 0,
    }
}

fn trouble(world: &mut World, dice: &mut Dice) {
    let slot = slot(dice.pick(&SLOTS));
    match dice.roll(9) {
        0 | 7 => world.restart(dice.roll(2) == 0, dice.pick(&[500, 2_000, 50_000, DAY])),
        1 => world.refuse_writes = dice.roll(2) == 0,
        2 => world.trusted = dice.roll(2) == 0,
        3 => drop(world.machine.jammed.insert(slot)),
        4 => {
            world.machine.jammed.remove(&slot);
            let _taken = world.technician_clears(slot.as_str());
        }
        5 => {
            let fault = dice.pick(&[0, 1, 2]);
            let fault = [Fault::Scanner, Fault::Machine, Fault::SwitchedOff][fault].clone();
            let clear = dice.roll(2) == 0;
            let _taken = world.input(if clear { Input::Clear(fault) } else { Input::Raise(fault) });
        }
        6 => drop(world.technician_counts(slot.as_str(), dice.pick(&[None, Some(0), Some(1), Some(3)]))),
        _ => world.wall_shift += i64::try_from(dice.roll(3 * DAY)).expect("days"),
    }
}

fn operator(world: &mut World, dice: &mut Dice) {
    let orders = world.order_ids();
    if orders.is_empty() {
        return;
    }
    let order = dice.pick(&orders);
    let by = dice.pick(&["Ann", "Bob", " ann "]);
    match dice.roll(7) {
        0 => drop(world.input(Input::Cancel { order })),
        3 => world.hub_acknowledges(),
        1 => drop(world.refund(order, None)),
        4 => drop(world.asks_refund(order, dice.pick(&[None, Some(100), Some(301)]), by)),
        5 | 6 => drop(world.decides_refund(order, dice.roll(3) > 0, by)),
        _ => drop(world.refund(order, Some(100))),
    }
}

/// Everything works again, and has time.
fn clear_up(world: &mut World) {
    world.net = super::world::Net::default();
    world.alipay.mood = super::alipay::Mood::default();
    world.wechat.mood = super::wechat::Mood::default();
    world.refuse_writes = false;
    world.trusted = true;
    world.machine.jammed.clear();
    // A machine that just started reports first.
    world.run(1_000);
    for fault in [Fault::Scanner, Fault::Machine, Fault::SwitchedOff] {
        let _taken = world.input(Input::Clear(fault));
    }
    world.settle();
    for slot in SLOTS {
        assert!(world.technician_counts(slot, None) && world.technician_clears(slot));
    }
    world.settle();
    assert!(world.engine.faults().next().is_none(), "{:?}", world.engine.faults().collect::<Vec<_>>());
    assert!(world.buy("11").is_ok(), "the machine sells again");
    world.settle();
}

/// What the terminal has and allows.
fn terminal(dice: &mut Dice) -> Settings {
    let who_scans = dice.pick(&WHO);
    let two = dice.pick(&[two_channels, one_after_the_other, with_instalments]);
    let settings = match dice.roll(6) {
        0 => return settings(who_scans),
        1 | 2 => return taking_codes(who_scans),
        3 => two(who_scans),
        _ => Settings { vouchers: taking_codes(who_scans).vouchers, ..two(who_scans) },
    };
    let also_alipay = [(ChannelId::Alipay, DutyKind::ConfirmGuarantee)].into_iter().filter(|_| dice.roll(2) == 0);
    let duties = settings.duties.clone().into_iter().chain(also_alipay).collect();
    let approval_above = dice.pick(&[None, Some(0), Some(300)]).map(Fen::new);
    Settings { duties, refunds: RefundSettings { approval_above, ..settings.refunds.clone() }, ..settings }
}

/// What happened in a life.
#[derive(Debug, Default)]
pub struct Happened {
    codes: usize,
    cash: usize,
    approved: usize,
    declined: usize,
    made_again: usize,
    duties: usize,
    instalments: usize,
    paid_twice: usize,
    by_wechat: usize,
}

impl Happened {
    fn in_world(world: &World) -> Self {
        let count = |which: fn(&Entry) -> bool| world.stored.iter().filter(|stored| which(&stored.entry)).count();
        let paid = |record: OrderRecord| {
            let winner = record.winner().map(|winner| (winner.channel, winner.instalment.is_some()));
            winner.unwrap_or((ChannelId::Alipay, false))
        };
        let winners: Vec<(ChannelId, bool)> =
            world.order_ids().into_iter().map(|order| paid(world.record(order))).collect();
        Self {
            codes: world.code_uses().len(),
            cash: count(|entry| matches!(entry, Entry::CashTaken { .. })),
            approved: count(|entry| matches!(entry, Entry::RefundDecided { approved: true, .. })),
            declined: count(|entry| matches!(entry, Entry::RefundDecided { approved: false, .. })),
            made_again: count(|entry| matches!(entry, Entry::RefundStarted { instead_of: Some(_), .. })),
            duties: count(|entry| matches!(entry, Entry::DutyDone { .. })),
            instalments: winners.iter().filter(|(_, instalments)| *instalments).count(),
            paid_twice: count(|entry| {
                matches!(entry, Entry::RefundStarted { reason: RefundReason::PaidTwice, instead_of: None, .. })
            }),
            by_wechat: winners.iter().filter(|(channel, _)| *channel == ChannelId::Wechat).count(),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            codes: self.codes + other.codes,
            cash: self.cash + other.cash,
            approved: self.approved + other.approved,
            declined: self.declined + other.declined,
            made_again: self.made_again + other.made_again,
            duties: self.duties + other.duties,
            instalments: self.instalments + other.instalments,
            paid_twice: self.paid_twice + other.paid_twice,
            by_wechat: self.by_wechat + other.by_wechat,
        }
    }

    /// The least of anything that the new freedoms are for.
    fn least(&self) -> usize {
        let all = [self.approved, self.declined, self.made_again, self.duties, self.instalments, self.paid_twice];
        all.into_iter().chain([self.by_wechat]).min().unwrap_or_default()
    }
}

/// Lives, and tells what happened.
pub fn live(seed: u64) -> Happened {
    // What a failing test prints.
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let counter = dice.pick(&[None, Some(0), Some(0)]);
    let settings = Settings { lock_slot_after: dice.pick(&[1, 1, 2, 3]), ..terminal(&mut dice) };
    let mut world = World::begin(settings, counter);
    for _ in 0..STEPS {
        step(&mut world, &mut dice);
    }
    clear_up(&mut world);
    Happened::in_world(&world)
}

#[test]
fn random_lives_end_with_the_right_money() {
    let all = (0..SEEDS).map(live).fold(Happened::default(), Happened::and);
    println!("{all:?}");
    assert!(all.codes > 200 && all.cash > 200 && all.least() > 5, "so little proves little: {all:?}");
}
