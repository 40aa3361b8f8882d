//! A beep reaches the player through the open devices.

mod common;

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use common::open;
use hal::{Beep, board::BoardSpec};

#[tokio::test]
async fn a_beep_is_played_from_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("success.wav"), "RIFF").unwrap();
    let script =
        format!("cat > '{}' <<'END'\n#!/bin/sh\necho \"$@\" > '{}'\nEND", at("aplay").display(), at("log").display());
    assert!(Command::new("/bin/sh").args(["-c", &script]).status().unwrap().success());
    fs::set_permissions(at("aplay"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut board = BoardSpec::default();
    board.sound.folder = Some(directory.path().into());
    board.sound.player = at("aplay");
    let (devices, _events) = open(&board);
    devices.beep(Beep::Success);
    let played = async {
        loop {
            match fs::read_to_string(at("log")) {
                Ok(text) if text.ends_with('\n') => return text,
                Ok(_) | Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let played = tokio::time::timeout(common::GENEROUS, played).await.unwrap();
    assert_eq!(played, format!("-q {}\n", at("success.wav").display()));
    assert_eq!(devices.dead_driver(), None);
}
