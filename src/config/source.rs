//! The text of `till.toml` and of what lies over it, their lines and columns, and the way from a place
//! in it to a problem.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::Needs;
use super::report::{Excerpt, Problem, Report, Severity};

/// No config of a terminal is larger; what is, is another file.
const LARGEST_BYTES: u64 = 1 << 20;

/// An unbroken run of this many key characters may be a key that was pasted into the file.
const KEY_RUN: usize = 40;

/// The same for one that has digits in it or ends as Base64 does: an AES key of 16 bytes has 24 characters with its end.
const SHORT_KEY_RUN: usize = 22;

/// A file as it was read.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    text: String,
}

/// Which file of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    /// `till.toml`.
    Base,
    /// `hub.toml`, which lies over it.
    Overlay,
}

/// A part of one of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) layer: Layer,
    pub(super) bytes: Range<usize>,
}

/// Where a value stands, or would stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At {
    /// The key path, such as `product[2].price`.
    pub(super) key: String,
    /// The part that is meant; `None` when nothing is written there.
    pub(super) span: Option<Span>,
}

impl At {
    /// A key, somewhere in the file.
    pub(super) fn key(key: impl Into<String>) -> Self {
        Self { key: key.into(), span: None }
    }

    /// A key inside of this one that is not written: it points at the head of the section.
    pub(super) fn missing(&self, name: &str) -> Self {
        Self { span: self.span.clone(), ..self.unwritten(name) }
    }

    /// A key inside of this one that is not written, and need not be.
    pub(super) fn unwritten(&self, name: &str) -> Self {
        match self.key.as_str() {
            "" => Self::key(name),
            section => Self::key(format!("{section}.{name}")),
        }
    }
}

impl Source {
    pub(super) fn new(path: &Path, text: String) -> Self {
        Self { path: path.to_owned(), text }
    }

    /// A text that is not larger than a config is, whatever the file is.
    pub(super) fn sized(path: &Path, text: String) -> Result<Self, Box<Problem>> {
        match u64::try_from(text.len()) {
            Ok(0..=LARGEST_BYTES) => Ok(Self::new(path, text)),
            Ok(_) | Err(_) => Err(too_large(path)),
        }
    }

    /// Reads the file, or says why not.
    pub(super) fn read(path: &Path) -> Result<Self, Box<Problem>> {
        let found = std::fs::metadata(path);
        if found.is_ok_and(|found| found.len() > LARGEST_BYTES) {
            return Err(too_large(path));
        }
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self::new(path, text)),
            Err(error) => Err(whole_file(
                path,
                format!("the file cannot be read: {error}"),
                "check the path given with --config, that the file is UTF-8 text, and that Till's user may read it",
            )),
        }
    }

    /// Reads a file that need not be there.
    pub(super) fn read_if_there(path: &Path) -> Result<Option<Self>, Box<Problem>> {
        match std::fs::metadata(path) {
            Ok(_) => Self::read(path).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(whole_file(
                path,
                format!("whether this file is there cannot be seen: {error}"),
                "do this as Till's user: sudo -u till …",
            )),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The folder that relative paths start from.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Line and column of a byte, both from 1.
    pub(super) fn position(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[line_start..].chars().count() + 1;
        (before.matches('\n').count() + 1, column)
    }

    fn excerpt(&self, span: &Range<usize>) -> Option<Excerpt> {
        let start = self.text.get(..span.start)?.rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[start..].lines().next().unwrap_or_default();
        if may_hold_a_key(line) {
            return None;
        }
        let end = span.end.min(start + line.len());
        let before = self.text.get(start..span.start)?.replace('\t', " ");
        let marked = self.text.get(span.start..end).unwrap_or_default();
        Some(Excerpt { line: line.replace('\t', " "), before: cells(&before), marked: cells(marked) })
    }

    fn problem(&self, severity: Severity, at: &At, problem: String, advice: String) -> Problem {
        let position = at.span.as_ref().map(|span| self.position(span.bytes.start));
        Problem {
            severity,
            file: self.path.clone(),
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
            key: at.key.clone(),
            problem,
            advice,
            excerpt: at.span.as_ref().and_then(|span| self.excerpt(&span.bytes)),
        }
    }
}

fn too_large(path: &Path) -> Box<Problem> {
    whole_file(path, "the file is larger than 1 MiB".into(), "check the path given with --config")
}

fn whole_file(path: &Path, problem: String, advice: &str) -> Box<Problem> {
    Box::new(Problem {
        severity: Severity::Error,
        file: path.to_owned(),
        line: None,
        column: None,
        key: String::new(),
        problem,
        advice: advice.to_owned(),
        excerpt: None,
    })
}

/// Cells of a terminal: Chinese characters take two.
fn cells(text: &str) -> usize {
    text.chars().map(|character| if character >= '\u{1100}' { 2 } else { 1 }).sum()
}

/// Whether a line may hold the key itself. Such a line is never printed.
fn may_hold_a_key(line: &str) -> bool {
    let name = line.split('=').next().unwrap_or_default().trim();
    has_a_key(line) || is_secret_name(name)
}

/// Whether a text has a run of characters in it that looks like a key in Base64 or hexadecimal digits.
pub(crate) fn has_a_key(text: &str) -> bool {
    let is_key_character = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    text.split(|c| !is_key_character(c)).any(|run| {
        let is_path = run.starts_with('/') || run.split('/').all(|part| part.len() < SHORT_KEY_RUN);
        let looks_random = run.ends_with('=') || (!is_path && run.contains(|c: char| c.is_ascii_digit()));
        run.len() >= KEY_RUN || (run.len() >= SHORT_KEY_RUN && looks_random)
    })
}

/// Whether a key of the file is called as if the secret itself stood behind it.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_secret = ["private_key", "aes_key", "token", "secret", "password"].iter().any(|word| name.contains(word));
    is_secret && !name.ends_with("_file")
}

/// Collects what is wrong with `till.toml` and what lies over it.
#[derive(Debug)]
pub(super) struct Findings<'s> {
    pub(super) source: &'s Source,
    /// `hub.toml`, when there is one.
    pub(super) overlay: Option<&'s Source>,
    pub(super) report: Report,
    /// Whether key files are opened.
    pub(super) needs: Needs,
}

impl Findings<'_> {
    /// The file that a layer stands in.
    pub(super) fn layer(&self, layer: Layer) -> &Source {
        match (layer, self.overlay) {
            (Layer::Overlay, Some(overlay)) => overlay,
            (Layer::Overlay, None) | (Layer::Base, _) => self.source,
        }
    }

    /// Till must not start with this.
    pub(super) fn error(&mut self, at: &At, problem: impl Into<String>, advice: impl Into<String>) {
        self.add(Severity::Error, at, problem.into(), advice.into());
    }

    /// Till may start with this.
    pub(super) fn warning(&mut self, at: &At, problem: impl Into<String>, advice: impl Into<String>) {
        self.add(Severity::Warning, at, problem.into(), advice.into());
    }

    fn add(&mut self, severity: Severity, at: &At, problem: String, advice: String) {
        let layer = at.span.as_ref().map_or(Layer::Base, |span| span.layer);
        let problem = self.layer(layer).problem(severity, at, problem, advice);
        self.report.add(problem);
    }

    /// A key that must be there; silent when what is there was already refused.
    pub(super) fn missing(&mut self, at: &At, advice: impl Into<String>) {
        if !self.report.has_error_at(&at.key) {
            self.error(at, format!("{} is missing", at.key), advice);
        }
    }
}

/// The word that was probably meant.
pub(super) fn closest<'w>(written: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let far = (written.chars().count() / 3).max(1);
    let by_distance = words.into_iter().map(|word| (distance(written, word), word));
    by_distance.filter(|(distance, _)| *distance <= far).min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

/// Letters to insert, drop, replace or swap with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.to_lowercase().chars().collect();
    let to: Vec<char> = to.to_lowercase().chars().collect();
    let mut rows = vec![(0..=to.len()).collect::<Vec<usize>>()];
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(a != b);
            let mut least = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_fingers_finds_its_word() {
        let words = ["language", "id", "support"];
        assert_eq!(closest("langauge", words), Some("language"));
        assert_eq!(closest("suport", words), Some("support"));
        assert_eq!(closest("Id", words), Some("id"));
        assert_eq!(closest("colour", words), None);
    }

    #[test]
    fn positions_count_characters_and_excerpts_count_cells() {
        let source = Source::new(Path::new("till.toml"), "a = 1\nname = \"可乐\" # x\n".into());
        let at = source.text().find('#').expect("there");
        assert_eq!(source.position(at), (2, 13));
        let excerpt = source.excerpt(&(at..at + 1)).expect("harmless");
        assert_eq!((excerpt.before, excerpt.marked), (14, 1));
    }

    #[test]
    fn a_line_with_a_key_in_it_is_never_shown() {
        for line in
            [format!("app_id = \"{}\"", "MIIE".repeat(10)), "private_key = \"x\"".into(), "token = \"x\"".into()]
                .into_iter()
                .chain([
                    "aes_key_file = \"aa4BtZ4tspm2wnXLb1ThQA==\"".into(),
                    "name = \"0123456789abcdef01234567\"".into(),
                ])
        {
            let source = Source::new(Path::new("till.toml"), line);
            assert_eq!(source.excerpt(&(0..1)), None);
        }
        for line in ["private_key_file = \"keys/app.pem\"", "token_file = \"/etc/till/keys/token2026forthekiosk\""] {
            let harmless = Source::new(Path::new("till.toml"), line.into());
            assert!(harmless.excerpt(&(0..1)).is_some(), "{line}");
        }
    }
}
