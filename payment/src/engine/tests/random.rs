//! Random lives: keys, scans, payments, member and voucher codes, cash, cancels, lost and doubled replies, kills, a failing disk, jams, clocks that lose
//! their trust, in an order that a seed decides. Afterwards the weather clears, and the money is right.

use super::alipay::{Standing, Wallet};
use super::codes::{member, once, signed, taking_codes, voucher};
use super::world::{DAY, World, bare, basket, settings, slot};
use crate::channel::outcome::Why;
use crate::engine::entry::{Entry, WhoScans};
use crate::engine::faults::Fault;
use crate::engine::input::{Input, Key};
use crate::ids::AttemptId;
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
const SLOTS: [&str; 3] = ["11", "12", "21"];

fn step(world: &mut World, dice: &mut Dice) {
    match dice.roll(8) {
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
    match dice.roll(8) {
        0 => drop(world.key(Key::Cancel)),
        6 => code(world, dice),
        7 => cash(world, dice, who_scans),
        1 => drop(world.open(basket(dice.pick(&[&SLOTS[..2], &SLOTS[..], &["11", "11"]]), who_scans))),
        2 => drop(world.open(bare(dice.pick(&[1, 250, 100_000]), who_scans))),
        _ => drop(world.buy(dice.pick(&SLOTS))),
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
    let payable = world.alipay.trades.iter().filter(|(_, trade)| is_payable(trade.standing, trade.seen));
    let begun: Vec<AttemptId> = payable.map(|(attempt, _)| *attempt).collect();
    let wallets =
        [Wallet::PaysAtOnce, Wallet::Confirms, Wallet::Refuses(Why::Buyer), Wallet::Refuses(Why::RefreshCode)];
    match dice.roll(8) {
        6 | 7 => code(world, dice),
        0 => drop(world.phone_scans()),
        1 => world.phone_pays(),
        2 | 3 => drop(world.show_pay_code(dice.pick(&wallets))),
        _ if begun.is_empty() => {}
        4 => world.alipay.refuse(dice.pick(&begun)),
        _ => {
            // Perhaps late: the code was on a screen once.
            let attempt = dice.pick(&begun);
            world.alipay.scan(attempt, world.at);
            world.alipay.confirm(attempt);
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
    match dice.roll(9) {
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

fn trouble(world: &mut World, dice: &mut Dice) {
    let slot = slot(dice.pick(&SLOTS));
    match dice.roll(7) {
        0 => world.restart(dice.roll(2) == 0, dice.pick(&[500, 2_000, 50_000, DAY])),
        1 => world.refuse_writes = dice.roll(2) == 0,
        2 => world.trusted = dice.roll(2) == 0,
        3 => drop(world.machine.jammed.insert(slot)),
        4 => {
            world.machine.jammed.remove(&slot);
            let _taken = world.input(Input::Clear(Fault::Slot(slot)));
        }
        5 => {
            let fault = dice.pick(&[0, 1, 2]);
            let fault = [Fault::Scanner, Fault::Machine, Fault::SwitchedOff][fault].clone();
            let clear = dice.roll(2) == 0;
            let _taken = world.input(if clear { Input::Clear(fault) } else { Input::Raise(fault) });
        }
        _ => world.wall_shift += i64::try_from(dice.roll(3 * DAY)).expect("days"),
    }
}

fn operator(world: &mut World, dice: &mut Dice) {
    let orders = world.order_ids();
    if orders.is_empty() {
        return;
    }
    let order = dice.pick(&orders);
    match dice.roll(4) {
        0 => drop(world.input(Input::Cancel { order })),
        3 => world.hub_acknowledges(),
        1 => drop(world.refund(order, None)),
        _ => drop(world.refund(order, Some(100))),
    }
}

/// Everything works again, and has time.
fn clear_up(world: &mut World) {
    world.net = super::world::Net::default();
    world.alipay.mood = super::alipay::Mood::default();
    world.refuse_writes = false;
    world.trusted = true;
    world.machine.jammed.clear();
    for fault in [Fault::Scanner, Fault::Machine, Fault::SwitchedOff] {
        let _taken = world.input(Input::Clear(fault));
    }
    for slot_name in SLOTS {
        let _taken = world.input(Input::Clear(Fault::Slot(slot(slot_name))));
    }
    world.settle();
    assert!(world.engine.faults().next().is_none(), "{:?}", world.engine.faults().collect::<Vec<_>>());
    assert!(world.buy("11").is_ok(), "the machine sells again");
    world.settle();
}

/// Lives, and tells how many sales were paid by codes and by cash.
fn live(seed: u64) -> (usize, usize) {
    // What a failing test prints.
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let counter = dice.pick(&[None, Some(0), Some(0)]);
    let who_scans = dice.pick(&WHO);
    let settings = if dice.roll(3) == 0 { settings(who_scans) } else { taking_codes(who_scans) };
    let mut world = World::begin(settings, counter);
    for _ in 0..STEPS {
        step(&mut world, &mut dice);
    }
    clear_up(&mut world);
    let cash = world.stored.iter().filter(|stored| matches!(stored.entry, Entry::CashTaken { .. })).count();
    (world.code_uses().len(), cash)
}

#[test]
fn random_lives_end_with_the_right_money() {
    let sales: Vec<(usize, usize)> = (0..SEEDS).map(live).collect();
    let (codes, cash): (Vec<usize>, Vec<usize>) = sales.into_iter().unzip();
    let (codes, cash): (usize, usize) = (codes.into_iter().sum(), cash.into_iter().sum());
    assert!(codes > 200 && cash > 200, "{codes} sales by codes and {cash} for cash prove little");
}
