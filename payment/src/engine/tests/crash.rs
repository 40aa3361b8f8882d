//! The process is killed at every commit of every scene, before it and after it, with what has left lost or carried out;
//! it starts again soon or after days. The money is right each time.

use super::codes::taking_codes;
use super::scenes::{ALL, Scene, WITH_CODES};
use super::two_scenes::{LENDING, ONE_AFTER_THE_OTHER, SIDE_BY_SIDE};
use super::world::{Crash, DAY, Moment, World, one_after_the_other, settings, two_channels, with_instalments};
use crate::engine::settings::Settings;

const MOMENTS: [Moment; 4] = [Moment::Before, Moment::After, Moment::Executed, Moment::Lost];

/// Each scene, and the machine that it is played at.
fn scenes() -> impl Iterator<Item = (&'static Scene, Settings)> {
    let without = ALL.iter().map(|scene| (scene, settings(scene.1)));
    let with_codes = WITH_CODES.iter().map(|scene| (scene, taking_codes(scene.1)));
    let side_by_side = SIDE_BY_SIDE.iter().map(|scene| (scene, two_channels(scene.1)));
    let one = ONE_AFTER_THE_OTHER.iter().map(|scene| (scene, one_after_the_other(scene.1)));
    let lending = LENDING.iter().map(|scene| (scene, with_instalments(scene.1)));
    without.chain(with_codes).chain(side_by_side).chain(one).chain(lending)
}

fn play((scene, settings): &(&Scene, Settings), counter: Option<u64>, crash: Option<Crash>) -> World {
    let (_, _, happens) = scene;
    let mut world = World::begin(settings.clone(), counter);
    world.crash = crash;
    happens(&mut world);
    world.settle();
    world
}

fn kill_at_every_commit(counter: Option<u64>, gap_ms: u64) {
    for played in scenes() {
        let scene = played.0;
        let commits = play(&played, counter, None).commits;
        assert!(commits > 0, "nothing happens in {}", scene.0);
        for at_commit in 1..=commits {
            for moment in MOMENTS {
                // What a failing test prints.
                println!("{}: killed at commit {at_commit} of {commits}, {moment:?}, for {gap_ms} ms", scene.0);
                let world = play(&played, counter, Some(Crash { at_commit, moment, gap_ms }));
                assert_eq!(world.runs, 1, "it was killed once");
            }
        }
    }
}

#[test]
fn killed_at_any_commit_and_back_soon_the_money_is_right() {
    kill_at_every_commit(Some(7), 1_500);
}

#[test]
fn killed_at_any_commit_and_back_after_days_the_money_is_right() {
    kill_at_every_commit(Some(7), 3 * DAY);
}

#[test]
fn killed_at_any_commit_without_a_drop_sensor_the_money_is_right() {
    kill_at_every_commit(None, 1_500);
}

#[test]
fn killed_twice_the_money_is_right() {
    for played in scenes() {
        let scene = played.0;
        let commits = play(&played, Some(0), None).commits;
        for at_commit in 1..commits {
            let crash = |at_commit| Some(Crash { at_commit, moment: Moment::After, gap_ms: 1_500 });
            println!("{}: killed at commits {at_commit} and {}", scene.0, at_commit + 1);
            let mut world = World::begin(played.1.clone(), Some(0));
            world.crash = crash(at_commit);
            (scene.2)(&mut world);
            world.crash = crash(world.commits + 1);
            world.settle();
        }
    }
}
