//! Everything that is wrong with the files, in one report that people read and `--json` prints.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Till does not start with this.
    Error,
    /// Till starts, and a person should look at it.
    Warning,
}

/// One thing that is wrong, for the person who wrote the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// The column in characters, counted from 1, where it is known.
    pub column: Option<usize>,
    /// The key, such as `product[2].price`; empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub advice: String,
    /// The line and what of it is meant; left out where the line may hold a secret.
    #[serde(skip)]
    pub excerpt: Option<Excerpt>,
}

/// A line of a file, and the part of it that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line.
    pub line: String,
    /// Cells of a terminal in front of the part.
    pub before: usize,
    /// Cells of a terminal that the part takes.
    pub marked: usize,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let margin = self.line.map_or(1, |line| line.to_string().len());
        writeln!(f, "{severity}: {}", self.problem)?;
        write!(f, "{:margin$}--> {}", "", self.file.display())?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        match self.key.as_str() {
            "" => writeln!(f)?,
            key => writeln!(f, "  {key}")?,
        }
        if let (Some(line), Some(excerpt)) = (self.line, &self.excerpt) {
            let marks = "^".repeat(excerpt.marked.max(1));
            writeln!(f, "{:margin$} |", "")?;
            writeln!(f, "{line} | {}", excerpt.line)?;
            writeln!(f, "{:margin$} | {:before$}{marks}", "", "", before = excerpt.before)?;
        }
        writeln!(f, "{:margin$} = help: {}", "", self.advice)
    }
}

/// Every problem of the files, in the order of the files and their lines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Report {
    problems: Vec<Problem>,
}

impl Report {
    /// One problem alone.
    pub(super) fn of(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }

    /// Those of its problems that are `wanted`.
    pub(super) fn only(mut self, wanted: impl Fn(&Problem) -> bool) -> Self {
        self.problems.retain(wanted);
        self
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// The problems.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether Till cannot start with these files.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many problems of this severity there are.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.problems.iter().filter(|problem| problem.severity == severity).count()
    }

    /// Adds a problem.
    pub(super) fn add(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Whether this key already has an error: a value that could not be read must not be called missing as well.
    pub(super) fn has_error_at(&self, key: &str) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error && problem.key == key)
    }

    /// Whether a key that begins like this has an error.
    pub(super) fn has_error_under(&self, start: &str) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error && problem.key.starts_with(start))
    }

    /// The same problems in the order of files and lines; what has no line comes first.
    pub(super) fn sorted(mut self) -> Self {
        self.problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        let counted = |count: usize, what: &str| match count {
            1 => format!("1 {what}"),
            more => format!("{more} {what}s"),
        };
        let errors = counted(self.count(Severity::Error), "error");
        write!(f, "{errors}, {}", counted(self.count(Severity::Warning), "warning"))
    }
}

impl std::error::Error for Report {}
