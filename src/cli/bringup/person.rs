//! The person in front of the machine.

use std::io::{self, BufRead, Write};
use std::time::Duration;

use tokio::sync::mpsc;

/// Who is told what happens, and asked what only a person can see.
pub(super) trait Person {
    /// One line about one thing that happened.
    fn hears(&mut self, line: &str);
    /// Yes or no; `None`: no answer in time.
    async fn answers(&mut self, question: &str, limit: Duration) -> Option<bool>;
}

/// At the terminal: text on stdout, or on stderr where stdout is for JSON.
pub(super) struct Console {
    as_json: bool,
    /// Lines that were typed; one thread reads them, since a read cannot be given up.
    typed: Option<mpsc::UnboundedReceiver<String>>,
}

impl Console {
    pub(super) const fn new(as_json: bool) -> Self {
        Self { as_json, typed: None }
    }

    fn put(&self, text: &str) {
        // A reader that went away is no error.
        let _ = if self.as_json {
            write!(io::stderr().lock(), "{text}")
        } else {
            let mut out = io::stdout().lock();
            write!(out, "{text}").and_then(|()| out.flush())
        };
    }
}

impl Person for Console {
    fn hears(&mut self, line: &str) {
        self.put(&format!("{line}\n"));
    }

    async fn answers(&mut self, question: &str, limit: Duration) -> Option<bool> {
        let typed = self.typed.get_or_insert_with(read_lines);
        // What was typed before the question is no answer to it.
        while typed.try_recv().is_ok() {}
        self.put(&format!("{question} [y/N] "));
        let typed = self.typed.as_mut()?;
        let line = tokio::time::timeout(limit, typed.recv()).await.ok().flatten();
        if line.is_none() {
            self.put("\n");
        }
        line.map(|line| is_yes(&line))
    }
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_lowercase().as_str(), "y" | "yes" | "是" | "好")
}

fn read_lines() -> mpsc::UnboundedReceiver<String> {
    let (typed, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if typed.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_turns_a_motor() {
        for yes in ["y", "Y\n", "yes", "是"] {
            assert!(is_yes(yes), "{yes}");
        }
        for no in ["", "n", "yep?", "0", "\n"] {
            assert!(!is_yes(no), "{no}");
        }
    }
}
