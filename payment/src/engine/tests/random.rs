//! Random lives: keys, scans, payments, cancels, lost and doubled replies, kills, a failing disk, jams, clocks that lose
//! their trust, in an order that a seed decides. Afterwards the weather clears, and the money is right.

use super::alipay::{Standing, Wallet};
use super::world::{DAY, World, bare, basket, slot};
use crate::channel::outcome::Why;
use crate::engine::entry::WhoScans;
use crate::engine::faults::Fault;
use crate::engine::input::{Input, Key};
use crate::ids::AttemptId;

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
    match dice.roll(6) {
        0 => drop(world.key(Key::Cancel)),
        1 => drop(world.open(basket(dice.pick(&[&SLOTS[..2], &SLOTS[..], &["11", "11"]]), who_scans))),
        2 => drop(world.open(bare(dice.pick(&[1, 250, 100_000]), who_scans))),
        _ => drop(world.buy(dice.pick(&SLOTS))),
    }
}

fn phone(world: &mut World, dice: &mut Dice) {
    let payable = world.alipay.trades.iter().filter(|(_, trade)| is_payable(trade.standing, trade.seen));
    let begun: Vec<AttemptId> = payable.map(|(attempt, _)| *attempt).collect();
    let wallets =
        [Wallet::PaysAtOnce, Wallet::Confirms, Wallet::Refuses(Why::Buyer), Wallet::Refuses(Why::RefreshCode)];
    match dice.roll(6) {
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
    match dice.roll(3) {
        0 => drop(world.input(Input::Cancel { order })),
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

fn live(seed: u64) {
    // What a failing test prints.
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let counter = dice.pick(&[None, Some(0), Some(0)]);
    let mut world = World::with_counter(dice.pick(&WHO), counter);
    for _ in 0..STEPS {
        step(&mut world, &mut dice);
    }
    clear_up(&mut world);
}

#[test]
fn random_lives_end_with_the_right_money() {
    (0..SEEDS).for_each(live);
}
