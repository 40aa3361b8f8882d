//! The safe state of the machine: every relay, lamp and buzzer off.
//!
//! Outputs are requested inactive, go inactive when they are dropped, and go inactive in the panic hook. None of this runs
//! on SIGKILL or power loss, and Raspberry Pi kernels keep an output driven after its owner is gone
//! (reference/hardware.md 4.4): a machine whose motors must not run for ever needs a one-shot in hardware as well.

use std::{
    panic,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};

/// Something that can be put in a safe state without waiting.
pub trait MakeSafe: Send + Sync {
    /// Best effort; takes no lock that another thread may hold for long, and never panics.
    fn make_safe(&self);
}

fn registry() -> &'static Mutex<Vec<Weak<dyn MakeSafe>>> {
    static REGISTRY: OnceLock<Mutex<Vec<Weak<dyn MakeSafe>>>> = OnceLock::new();
    REGISTRY.get_or_init(Mutex::default)
}

/// Registers something for [`make_everything_safe`] until it is dropped.
pub fn register(thing: &Arc<impl MakeSafe + 'static>) {
    let mut things = registry().lock().unwrap_or_else(PoisonError::into_inner);
    things.retain(|thing| thing.strong_count() > 0);
    let weak: Weak<dyn MakeSafe> = Arc::downgrade(thing) as Weak<dyn MakeSafe>;
    things.push(weak);
}

/// Puts every open output of this process in its safe state. Never waits for a lock.
pub fn make_everything_safe() {
    let Some(things) = registered() else { return };
    for thing in things {
        thing.make_safe();
    }
}

/// A snapshot, so that no registry lock is held while devices are touched. `None`: a thread died inside [`register`].
fn registered() -> Option<Vec<Arc<dyn MakeSafe>>> {
    let things = match registry().try_lock() {
        Ok(things) => things,
        Err(std::sync::TryLockError::Poisoned(things)) => things.into_inner(),
        Err(std::sync::TryLockError::WouldBlock) => return None,
    };
    Some(things.iter().filter_map(Weak::upgrade).collect())
}

/// From now on a panic in any thread switches every output off before it is reported.
///
/// Any thread: a panic is a broken invariant, and a machine with a broken invariant turns no motor.
pub fn install_panic_hook() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        make_everything_safe();
        report(info);
    }));
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    struct Relay(AtomicBool);

    impl MakeSafe for Relay {
        fn make_safe(&self) {
            self.0.store(false, Ordering::SeqCst);
        }
    }

    /// Only the list is looked at: switching everything off would reach into the tests beside this one.
    /// `tests/safe_state.rs` does it in a process of its own.
    #[test]
    fn what_is_registered_is_found_and_the_dropped_are_forgotten() {
        let relay = Arc::new(Relay(AtomicBool::new(true)));
        let gone = Arc::new(Relay(AtomicBool::new(true)));
        let is_listed = |place: *const ()| {
            let things = registry().lock().unwrap_or_else(PoisonError::into_inner);
            let things: Vec<Arc<dyn MakeSafe>> = things.iter().filter_map(Weak::upgrade).collect();
            things.into_iter().find(|thing| Arc::as_ptr(thing).cast::<()>() == place)
        };
        register(&relay);
        register(&gone);
        let place_of_gone = Arc::as_ptr(&gone).cast::<()>();
        assert!(is_listed(place_of_gone).is_some());
        drop(gone);
        assert!(is_listed(place_of_gone).is_none());
        is_listed(Arc::as_ptr(&relay).cast::<()>()).unwrap().make_safe();
        assert!(!relay.0.load(Ordering::SeqCst));
    }
}
