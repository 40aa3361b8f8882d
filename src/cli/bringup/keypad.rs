//! Each key once.

use std::collections::BTreeSet;

use hal::{DeviceEvent, Key};

use super::person::Person;
use super::{Trial, Verdict};

pub(super) async fn press<P: Person>(trial: &mut Trial<'_, P>) -> Verdict {
    let keypad = &trial.board.keypad;
    let names = keypad.keys.iter().map(|key| &key.key).chain(&keypad.layout);
    let keys: BTreeSet<Key> = names.filter_map(|name| Key::from_name(name)).collect();
    let mut left = keys.clone();
    trial.say(format!("press every key once: {}", words(&left)));
    while !left.is_empty() {
        match trial.next().await {
            Some(DeviceEvent::Key(key)) => {
                left.remove(&key);
                let rest =
                    if left.is_empty() { "that was the last".to_owned() } else { format!("left: {}", words(&left)) };
                trial.say(format!("key {}; {rest}", key.name()));
                trial.go_on();
            }
            Some(_) => {}
            None => return Err(remedy(&keys, &left)),
        }
    }
    Ok(format!("{} keys, each came once or more", keys.len()))
}

fn words(keys: &BTreeSet<Key>) -> String {
    keys.iter().map(|key| key.name()).collect::<Vec<_>>().join(" ")
}

fn remedy(all: &BTreeSet<Key>, left: &BTreeSet<Key>) -> String {
    let never = words(left);
    if left.len() == all.len() {
        return "no key came: is the common wire on ground, and bias = \"pull-up\" with active_low = true set? `gpioinfo` shows \
                whether Till holds the lines"
            .to_owned();
    }
    format!("these never came: {never}. Compare their lines with the board file, and the wires with a meter")
}
