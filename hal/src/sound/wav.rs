//! Sounds from files, played by ALSA's `aplay` where it is installed. Volume is ALSA's business.
//!
//! A sound is never more than a nicety: without player, card or file the machine is silent, which the log says once.

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use crate::{board::SoundSpec, event::Beep, latest::Latest, pace};

/// The file of a beep, below the board's folder.
pub(crate) fn file_of(folder: &Path, beep: Beep) -> PathBuf {
    folder.join(match beep {
        Beep::Key => "key.wav",
        Beep::Scan => "scan.wav",
        Beep::Success => "success.wav",
        Beep::Error => "error.wav",
    })
}

/// Plays until the mailbox is closed. A sound that is not over yet is never cut; of those that wait the newest is played.
pub(crate) fn run(spec: &SoundSpec, beeps: &Latest<Beep>) {
    let Some(folder) = &spec.folder else { return };
    let mut told = false;
    while let Some(beep) = beeps.take() {
        let file = file_of(folder, beep);
        // A folder need not have a sound for everything.
        if !file.exists() {
            continue;
        }
        match play(spec, &file) {
            Ok(()) => told = false,
            Err(why) if !told => {
                told = true;
                tracing::warn!(why, "no sound; said once");
            }
            Err(_) => {}
        }
    }
}

/// Plays one file to its end, or for as long as the board allows.
fn play(spec: &SoundSpec, file: &Path) -> Result<(), String> {
    let mut command = Command::new(&spec.player);
    command.arg("-q");
    if let Some(device) = &spec.device {
        command.args(["-D", device]);
    }
    // No shell, and no option can be made of a path that starts at the root or in a folder.
    command.arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut player = command.spawn().map_err(|error| {
        format!("{} cannot be started ({error}): install alsa-utils, or leave [sound] out", spec.player.display())
    })?;
    let said = player.stderr.take().map(|said| listen(said, Duration::from_millis(spec.limit_ms.into())));
    end(&mut player, said)
}

/// Waits for the end, which closes the pipe; what was said until then. `None`: it takes too long.
fn listen(mut said: ChildStderr, limit: Duration) -> Option<String> {
    let until = pace::now() + limit;
    let mut text = Vec::new();
    let mut bytes = [0; 256];
    loop {
        let rest = Timespec::try_from(until.saturating_sub(pace::now())).unwrap_or_default();
        match poll(&mut [PollFd::new(&said, PollFlags::IN)], Some(&rest)) {
            // A signal to this thread is no word of the player's.
            Err(Errno::INTR) => continue,
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
        match said.read(&mut bytes) {
            Ok(0) | Err(_) => return Some(String::from_utf8_lossy(&text).trim().to_owned()),
            Ok(length) => {
                text.truncate(512);
                text.extend_from_slice(bytes.get(..length).unwrap_or_default());
            }
        }
    }
}

fn end(player: &mut Child, said: Option<Option<String>>) -> Result<(), String> {
    if matches!(said, Some(None)) {
        // Ended by itself in this instant is fine.
        let _ = player.kill();
    }
    let status = player.wait().map_err(|error| error.to_string())?;
    match said.flatten() {
        Some(_) if status.success() => Ok(()),
        Some(said) => {
            Err(format!("the player failed: {said}; is there a sound card, and is the user in the group audio?"))
        }
        None => Err("the player did not end in time: make the sound shorter, or limit_ms longer".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, sync::Arc, thread};

    use super::*;

    /// A player that does what `script` says; its arguments are in `$@`.
    fn player(directory: &Path, script: &str) -> SoundSpec {
        let player = directory.join("aplay");
        // Written by another process: one that this test's neighbours fork would hold it open, and it could not be started.
        let write = format!("cat > '{}' <<'END'\n#!/bin/sh\n{script}\nEND", player.display());
        assert!(Command::new("/bin/sh").args(["-c", &write]).status().unwrap().success());
        fs::set_permissions(&player, fs::Permissions::from_mode(0o755)).unwrap();
        let sounds = directory.join("sounds; touch evil");
        fs::create_dir(&sounds).unwrap();
        for name in ["key.wav", "success.wav"] {
            fs::write(sounds.join(name), "RIFF").unwrap();
        }
        SoundSpec { folder: Some(sounds), player, limit_ms: 5000, device: Some("plughw:1".into()) }
    }

    fn run_all(spec: &SoundSpec, beeps: &[Beep]) {
        let mailbox = Latest::new();
        for beep in beeps {
            mailbox.put(*beep);
        }
        mailbox.close();
        run(spec, &mailbox);
    }

    #[test]
    fn every_beep_has_its_file() {
        let names = [Beep::Key, Beep::Scan, Beep::Success, Beep::Error].map(|beep| file_of(Path::new("/s"), beep));
        assert_eq!(names, ["/s/key.wav", "/s/scan.wav", "/s/success.wav", "/s/error.wav"].map(PathBuf::from));
    }

    #[test]
    fn the_player_gets_device_and_file_as_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let spec = player(directory.path(), &format!("for a in \"$@\"; do echo \"$a\" >> {}; done", log.display()));
        run_all(&spec, &[Beep::Success]);
        let file = file_of(spec.folder.as_ref().unwrap(), Beep::Success);
        assert_eq!(fs::read_to_string(log).unwrap(), format!("-q\n-D\nplughw:1\n{}\n", file.display()));
        assert!(!directory.path().join("evil").exists() && !Path::new("evil").exists());
    }

    #[test]
    fn a_beep_without_a_file_starts_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let spec = player(directory.path(), &format!("touch {}", log.display()));
        run_all(&spec, &[Beep::Error]);
        assert!(!log.exists());
    }

    #[test]
    fn a_player_that_hangs_is_ended_and_the_next_sound_is_played() {
        let directory = tempfile::tempdir().unwrap();
        let spec = SoundSpec { limit_ms: 50, ..player(directory.path(), "exec sleep 600") };
        let why = play(&spec, Path::new("/dev/null")).unwrap_err();
        assert!(why.contains("limit_ms"), "{why}");
    }

    #[test]
    fn a_missing_card_or_player_is_silence_with_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let spec = player(directory.path(), "echo 'audio open error: No such device' >&2; exit 1");
        let why = play(&spec, Path::new("/dev/null")).unwrap_err();
        assert!(why.contains("No such device") && why.contains("group audio"), "{why}");
        let spec = SoundSpec { player: directory.path().join("absent"), ..spec };
        let why = play(&spec, Path::new("/dev/null")).unwrap_err();
        assert!(why.contains("alsa-utils"), "{why}");
        run_all(&spec, &[Beep::Key, Beep::Success]);
    }

    #[test]
    fn of_the_beeps_that_wait_the_newest_is_played() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let spec = player(directory.path(), &format!("basename \"$4\" >> {}", log.display()));
        let mailbox = Arc::new(Latest::new());
        mailbox.put(Beep::Key);
        mailbox.put(Beep::Success);
        let thread = thread::spawn({
            let (spec, mailbox) = (spec.clone(), Arc::clone(&mailbox));
            move || run(&spec, &mailbox)
        });
        mailbox.close();
        thread.join().unwrap();
        assert_eq!(fs::read_to_string(log).unwrap(), "success.wav\n");
    }
}
