//! The process is killed at every commit of every scene, before it and after it, with what has left lost or carried out;
//! it starts again soon or after days. The money is right each time.

use super::scenes::{ALL, Scene};
use super::world::{Crash, DAY, Moment, World};

const MOMENTS: [Moment; 4] = [Moment::Before, Moment::After, Moment::Executed, Moment::Lost];

fn play(scene: &Scene, counter: Option<u64>, crash: Option<Crash>) -> World {
    let (_, who_scans, happens) = scene;
    let mut world = World::with_counter(*who_scans, counter);
    world.crash = crash;
    happens(&mut world);
    world.settle();
    world
}

fn kill_at_every_commit(counter: Option<u64>, gap_ms: u64) {
    for scene in ALL {
        let commits = play(scene, counter, None).commits;
        assert!(commits > 0, "nothing happens in {}", scene.0);
        for at_commit in 1..=commits {
            for moment in MOMENTS {
                // What a failing test prints.
                println!("{}: killed at commit {at_commit} of {commits}, {moment:?}, for {gap_ms} ms", scene.0);
                let world = play(scene, counter, Some(Crash { at_commit, moment, gap_ms }));
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
    for scene in ALL {
        let commits = play(scene, Some(0), None).commits;
        for at_commit in 1..commits {
            let crash = |at_commit| Some(Crash { at_commit, moment: Moment::After, gap_ms: 1_500 });
            println!("{}: killed at commits {at_commit} and {}", scene.0, at_commit + 1);
            let mut world = World::new(scene.1);
            world.crash = crash(at_commit);
            (scene.2)(&mut world);
            world.crash = crash(world.commits + 1);
            world.settle();
        }
    }
}
