//! What is printed: a line for each step as it ends, and one for all.

use std::process::ExitCode;

use tokio::time::Instant;

/// The steps so far.
#[derive(Debug)]
pub struct Report {
    only: Option<String>,
    passed: u32,
    failed: u32,
    not_run: u32,
}

/// How a step ended that did not fail.
#[derive(Debug)]
pub enum Done {
    /// It holds; a figure or two beside it.
    Passed(String),
    /// It could not be tried here.
    NotRun(String),
}

impl From<()> for Done {
    fn from((): ()) -> Self {
        Self::Passed(String::new())
    }
}

impl From<String> for Done {
    fn from(figures: String) -> Self {
        Self::Passed(figures)
    }
}

impl Report {
    /// Nothing yet; with `only` other steps are passed over.
    #[must_use]
    pub const fn new(only: Option<String>) -> Self {
        Self { only, passed: 0, failed: 0, not_run: 0 }
    }

    /// Does a step that the next ones stand on; whether it holds.
    pub async fn step<T: Into<Done>>(&mut self, name: &str, doing: impl Future<Output = anyhow::Result<T>>) -> bool {
        let began = Instant::now();
        let done = doing.await.map(Into::into);
        let seconds = began.elapsed().as_secs();
        match done {
            Ok(Done::Passed(figures)) => {
                self.passed += 1;
                let figures = if figures.is_empty() { figures } else { format!(": {figures}") };
                println!("ok       {name} ({seconds} s){figures}");
                true
            }
            Ok(Done::NotRun(why)) => {
                self.not_run += 1;
                println!("NOT RUN  {name}: {why}");
                false
            }
            Err(error) => {
                self.failed += 1;
                println!("FAILED   {name} ({seconds} s): {error:#}");
                false
            }
        }
    }

    /// The same for a step that can be left out.
    pub async fn choice<T: Into<Done>>(&mut self, name: &str, doing: impl Future<Output = anyhow::Result<T>>) -> bool {
        let is_wanted = self.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
        if is_wanted { self.step(name, doing).await } else { false }
    }

    /// Something before the first step.
    pub fn broken(&mut self, what: &str, error: &anyhow::Error) {
        self.failed += 1;
        println!("FAILED   {what}: {error:#}");
    }

    /// The last line.
    #[must_use]
    pub fn end(self) -> ExitCode {
        let Self { passed, failed, not_run, .. } = self;
        let not_run = if not_run > 0 { format!(", {not_run} not run") } else { String::new() };
        println!("{passed} passed, {failed} failed{not_run}");
        if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
