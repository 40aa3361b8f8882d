//! The real drivers against the simulated machine, at pin level.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test passes over the events it does not ask for")]

mod common;

use common::*;
use embedded_graphics::{
    pixelcolor::{Rgb565, RgbColor},
    prelude::*,
    primitives::Rectangle,
};
use hal::{Beep, DeviceEvent, DisplayState, Key, VendRefused, VendResult, board::Rotation, display::Frame};
use tempfile::tempdir;

#[tokio::test]
async fn a_paid_item_falls_and_the_relay_is_released() {
    let directory = tempdir().unwrap();
    let board = vend_only(&directory);
    let machine = start(&board);
    let (devices, mut events) = open(&board);
    assert_eq!(vend_ready(&mut events).await, Some(0));
    devices.dispense(7, "12", 350).unwrap();
    assert_eq!(vend_ended(&mut events, 7).await, (VendResult::Dropped, Some(1)));
    let state = machine.state();
    let slot = state.slot("12").unwrap();
    assert_eq!((slot.motor_starts, slot.drops, slot.stock), (1, 1, 7));
    assert!(!slot.relay_on);
    assert_eq!(state.motor_starts(), 1);
}

#[tokio::test]
async fn a_jam_is_not_dropped_and_the_next_item_falls_after_it_is_cleared() {
    let directory = tempdir().unwrap();
    let board = vend_only(&directory);
    let machine = start(&board);
    let (devices, mut events) = open(&board);
    vend_ready(&mut events).await;
    assert!(machine.jam("11"));
    devices.dispense(1, "11", 350).unwrap();
    assert_eq!(vend_ended(&mut events, 1).await, (VendResult::NotDropped, Some(0)));
    assert!(machine.unjam("11"));
    devices.dispense(2, "11", 350).unwrap();
    assert_eq!(vend_ended(&mut events, 2).await, (VendResult::Dropped, Some(1)));
    assert_eq!(machine.state().slot("11").unwrap().one_shot_trips, 0);
}

#[tokio::test]
async fn a_blocked_curtain_turns_no_motor_takes_the_machine_down_and_heals() {
    let directory = tempdir().unwrap();
    let board = vend_only(&directory);
    let machine = start(&board);
    let (devices, mut events) = open(&board);
    vend_ready(&mut events).await;
    machine.block_curtain(true);
    devices.dispense(1, "11", 350).unwrap();
    let (result, _) = vend_ended(&mut events, 1).await;
    assert_eq!(result, VendResult::NotDropped);
    assert!(vend_down(&mut events).await.contains("drop sensor"));
    assert_eq!(machine.state().motor_starts(), 0);
    machine.block_curtain(false);
    vend_ready(&mut events).await;
}

#[tokio::test]
async fn an_item_that_falls_after_the_cable_was_pulled_is_found_by_inspection() {
    let directory = tempdir().unwrap();
    let board = vend_only(&directory);
    let machine = start(&board);
    let (devices, mut events) = open(&board);
    let before = vend_ready(&mut events).await;
    devices.dispense(1, "11", 350).unwrap();
    machine_is(&machine, |state| state.motor_starts() == 1).await;
    machine.set_reachable(false);
    let (result, _) = vend_ended(&mut events, 1).await;
    assert_eq!(result, VendResult::Unknown);
    vend_down(&mut events).await;
    // Nobody told the relay to release: the item falls, and the one-shot stops the motor.
    let state = machine_is(&machine, |state| state.slot("11").unwrap().one_shot_trips == 1).await;
    assert!(state.slot("11").unwrap().relay_on);
    devices.inspect(2, "11", before).unwrap();
    machine.set_reachable(true);
    let (result, drops) = vend_ended(&mut events, 2).await;
    vend_ready(&mut events).await;
    assert_eq!(result, VendResult::Dropped);
    assert!(drops > before);
    let state = machine.state();
    assert!(!state.slot("11").unwrap().relay_on, "released at open");
    assert_eq!(state.motor_starts(), 1, "an inspection turns no motor");
}

#[tokio::test]
async fn an_inspection_after_a_restart_needs_no_clear_tray() {
    let directory = tempdir().unwrap();
    let board = vend_only(&directory);
    let machine = start(&board);
    let (devices, mut events) = open(&board);
    let before = vend_ready(&mut events).await;
    devices.dispense(1, "11", 350).unwrap();
    vend_ended(&mut events, 1).await;
    drop(devices);
    machine.block_curtain(true);
    let (devices, mut events) = open(&board);
    assert!(vend_down(&mut events).await.contains("drop sensor"));
    devices.inspect(2, "11", before).unwrap();
    let (result, _) = vend_ended(&mut events, 2).await;
    assert_eq!(result, VendResult::Dropped);
    devices.dispense(3, "11", 350).unwrap();
    let (result, _) = vend_ended(&mut events, 3).await;
    assert_eq!(result, VendResult::NotDropped);
    assert_eq!(machine.state().motor_starts(), 1);
}

#[tokio::test]
async fn a_dispense_while_the_machine_is_away_is_refused_as_not_dropped() {
    let directory = tempdir().unwrap();
    let board = vend_only(&directory);
    let (devices, mut events) = open(&board);
    assert!(vend_down(&mut events).await.contains("simulated machine"));
    devices.dispense(1, "11", 350).unwrap();
    assert_eq!(vend_ended(&mut events, 1).await, (VendResult::NotDropped, None));
    let machine = start(&board);
    vend_ready(&mut events).await;
    assert_eq!(machine.state().motor_starts(), 0);
}

#[tokio::test]
async fn an_idle_driver_notices_a_restarted_machine_and_comes_back() {
    let directory = tempdir().unwrap();
    let board = vend_only(&directory);
    let machine = start(&board);
    let (devices, mut events) = open(&board);
    vend_ready(&mut events).await;
    drop(machine);
    vend_down(&mut events).await;
    let _machine = start(&board);
    vend_ready(&mut events).await;
    devices.dispense(1, "11", 350).unwrap();
    let (result, _) = vend_ended(&mut events, 1).await;
    assert_eq!(result, VendResult::Dropped);
}

#[tokio::test]
async fn what_the_board_does_not_have_is_refused_without_an_event() {
    let directory = tempdir().unwrap();
    let board = vend_only(&directory);
    let machine = start(&board);
    let (devices, mut events) = open(&board);
    vend_ready(&mut events).await;
    assert_eq!(devices.dispense(1, "99", 350), Err(VendRefused::NoSuchSlot));
    assert_eq!(machine.state().motor_starts(), 0);
    assert!(events.try_recv().is_err());
    assert_eq!(devices.slots(), ["11", "12", "13", "21", "22", "23"]);
    assert!(devices.has_vend() && !devices.has_scanner() && !devices.has_display());
    assert_eq!(devices.dead_driver(), None);
}

#[tokio::test]
async fn keys_arrive_in_order_and_a_press_is_one_event() {
    let directory = tempdir().unwrap();
    let board = board(&directory);
    let machine = start(&board);
    let (_devices, mut events) = open(&board);
    // Twelve keys and the light curtain.
    machine_is(&machine, |state| state.inputs_read == 13).await;
    let keys = [Key::Digit(1), Key::Digit(1), Key::Ok, Key::Cancel];
    for key in keys {
        assert!(machine.press(key));
    }
    for key in keys {
        let pressed = event(&mut events, |event| match event {
            DeviceEvent::Key(key) => Some(*key),
            _ => None,
        })
        .await;
        assert_eq!(pressed, key);
    }
}

#[tokio::test]
async fn lamp_and_buzzer_reach_the_machine() {
    let directory = tempdir().unwrap();
    let board = vend_only(&directory);
    let machine = start(&board);
    let (devices, _events) = open(&board);
    devices.lamp(true);
    devices.beep(Beep::Success);
    machine_is(&machine, |state| state.lamp && state.beeps == 3 && !state.buzzer).await;
    drop(devices);
    machine_is(&machine, |state| !state.lamp).await;
}

#[tokio::test]
async fn the_picture_arrives_upright_whole_and_then_in_changed_rows() {
    let directory = tempdir().unwrap();
    let mut board = board(&directory);
    board.display.rotation = Rotation::Quarter;
    let machine = start(&board);
    let (devices, mut events) = open(&board);
    assert_eq!(devices.size(), Some((320, 480)));
    let mut frame = Frame::filled(320, 480, Rgb565::WHITE);
    devices.show(frame.clone());
    event(&mut events, |event| match event {
        DeviceEvent::Display(DisplayState::Up) => Some(()),
        _ => None,
    })
    .await;
    let spot = Rectangle::new(Point::new(10, 20), Size::new(30, 5));
    frame.fill_solid(&spot, Rgb565::RED).unwrap();
    devices.show(frame.clone());
    let mut pictures = machine.frames();
    let arrived = pictures.wait_for(|picture| picture.as_deref() == Some(&frame));
    tokio::time::timeout(GENEROUS, arrived).await.expect("the picture came").expect("the machine runs");
    assert_eq!(devices.last_frame().as_deref(), Some(&frame));
    assert!(machine.frame().unwrap().to_png().unwrap().starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn a_lost_display_is_reported_and_shows_the_last_frame_when_it_is_back() {
    let directory = tempdir().unwrap();
    let board = board(&directory);
    let machine = start(&board);
    let (devices, mut events) = open(&board);
    let frame = Frame::filled(480, 320, Rgb565::BLUE);
    devices.show(frame.clone());
    let up = |event: &DeviceEvent| match event {
        DeviceEvent::Display(state) => Some(state.clone()),
        _ => None,
    };
    assert_eq!(event(&mut events, up).await, DisplayState::Up);
    drop(machine);
    assert!(matches!(event(&mut events, up).await, DisplayState::Down { .. }));
    let machine = start(&board);
    assert_eq!(event(&mut events, up).await, DisplayState::Up);
    assert_eq!(machine.frame().as_deref(), Some(&frame));
}
