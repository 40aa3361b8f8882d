//! How a promise is found broken: the life ends at once, with what it would have cost.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What a broken promise costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Somebody paid more than the goods that were had are worth.
    Lost,
    /// Somebody had goods or money twice, or without paying.
    Doubled,
    /// Something never came to rest.
    Stuck,
    /// Another promise of the design's list, before it cost anything.
    Broken,
}

/// A broken promise, in words.
#[derive(Debug)]
pub struct Violation {
    /// What it costs.
    pub wrong: Wrong,
    /// What happened.
    pub what: String,
}

/// Ends the life.
pub fn violated(wrong: Wrong, what: String) -> ! {
    resume_unwind(Box::new(Violation { wrong, what }))
}

/// Ends the life unless the condition holds.
macro_rules! must {
    ($holds:expr, $wrong:ident, $($text:tt)+) => {
        if !$holds {
            $crate::sim::verdict::violated($crate::sim::verdict::Wrong::$wrong, format!($($text)+))
        }
    };
}
pub(crate) use must;

/// Lives a life, and tells how it was ended early. A panic of the terminal's own code is a broken promise too.
pub fn judged<T>(life: impl FnOnce() -> T) -> Result<T, Violation> {
    catch_unwind(AssertUnwindSafe(life)).map_err(|cause| match cause.downcast::<Violation>() {
        Ok(violation) => *violation,
        Err(cause) => Violation { wrong: Wrong::Broken, what: format!("a panic: {}", words_of(&*cause)) },
    })
}

fn words_of(cause: &(dyn Any + Send)) -> String {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("without words").to_owned()
}
