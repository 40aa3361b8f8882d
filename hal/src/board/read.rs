//! Reads a board file and reports everything that is wrong with it.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{BoardSpec, checks::Finding};

const TOP_LEVEL_KEYS: &str =
    "name, about, display, status_display, scanner, gpio, vend, keypad, lamp, buzzer, printer, sound, sim";

/// One problem of a board file, for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardProblem {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// The key, such as `vend.slots[2].name`; empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for BoardProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}. {}.", self.problem, self.advice)
    }
}

/// Every problem of a board file, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardErrors(pub Vec<BoardProblem>);

impl fmt::Display for BoardErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BoardErrors {}

impl BoardSpec {
    /// Reads and checks a board file.
    ///
    /// # Errors
    /// Every problem of the file: unreadable, not TOML, unknown or wrongly typed keys per section, failed checks.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, BoardErrors> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| {
            BoardErrors(vec![BoardProblem {
                file: path.to_owned(),
                line: None,
                key: String::new(),
                problem: format!("cannot be read: {error}"),
                advice: "check the path given with --board and the file's permissions".into(),
            }])
        })?;
        Self::parse(path, &text)
    }

    /// Checks the text of a board file; `file` is only used in reports.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(file: &Path, text: &str) -> Result<Self, BoardErrors> {
        let mut report = Report { file, text, problems: Vec::new() };
        let (table, syntax) = DeTable::parse_recoverable(text);
        for error in &syntax {
            report.add(String::new(), error.span(), error.message().trim_end(), "correct the TOML syntax");
        }
        let (board, broken) = sections(table.get_ref(), &mut report);
        for finding in board.validate() {
            if syntax.is_empty() && !depends_on_broken(&finding, &broken) {
                let span = span_of(table.get_ref(), &finding.key);
                report.add(finding.key, span, &finding.problem, &finding.advice);
            }
        }
        report.finish(board)
    }
}

/// A section that did not parse is its default now: what a check says about it, or about the gpio it lacks, is noise.
fn depends_on_broken(finding: &Finding, broken: &[&str]) -> bool {
    let section = finding.key.split('.').next().unwrap_or_default();
    broken.iter().any(|name| *name == section || matches!(*name, "gpio" | "sim" | "vend"))
}

struct Report<'a> {
    file: &'a Path,
    text: &'a str,
    problems: Vec<BoardProblem>,
}

impl Report<'_> {
    fn add(&mut self, key: String, span: Option<Range<usize>>, problem: &str, advice: &str) {
        let line = span.map(|span| {
            let before = self.text.get(..span.start).unwrap_or(self.text);
            before.matches('\n').count() + 1
        });
        self.problems.push(BoardProblem {
            file: self.file.to_owned(),
            line,
            key,
            problem: problem.to_owned(),
            advice: advice.to_owned(),
        });
    }

    fn finish(mut self, board: BoardSpec) -> Result<BoardSpec, BoardErrors> {
        if self.problems.is_empty() {
            return Ok(board);
        }
        self.problems.sort_by_key(|problem| problem.line);
        Err(BoardErrors(self.problems))
    }
}

/// Reads each section by itself, so that one wrong section does not hide the next. Returns the broken ones, too.
fn sections<'t>(table: &'t DeTable<'_>, report: &mut Report<'_>) -> (BoardSpec, Vec<&'t str>) {
    let mut board = BoardSpec::default();
    let mut broken = Vec::new();
    for (name, value) in table {
        let section = name.get_ref().as_ref();
        let whole = match section {
            "name" => read_section(section, value, &mut board.name, report),
            "about" => read_section(section, value, &mut board.about, report),
            "display" => read_section(section, value, &mut board.display, report),
            "status_display" => read_section(section, value, &mut board.status_display, report),
            "scanner" => read_section(section, value, &mut board.scanner, report),
            "gpio" => read_section(section, value, &mut board.gpio, report),
            "vend" => read_section(section, value, &mut board.vend, report),
            "keypad" => read_section(section, value, &mut board.keypad, report),
            "lamp" => read_section(section, value, &mut board.lamp, report),
            "buzzer" => read_section(section, value, &mut board.buzzer, report),
            "printer" => read_section(section, value, &mut board.printer, report),
            "sound" => read_section(section, value, &mut board.sound, report),
            "sim" => read_section(section, value, &mut board.sim, report),
            unknown => {
                report.add(
                    unknown.to_owned(),
                    Some(name.span()),
                    "unknown key",
                    &format!("a board has {TOP_LEVEL_KEYS}"),
                );
                true
            }
        };
        if !whole {
            broken.push(section);
        }
    }
    (board, broken)
}

fn read_section<T: DeserializeOwned>(
    section: &str,
    value: &Spanned<DeValue<'_>>,
    into: &mut T,
    report: &mut Report<'_>,
) -> bool {
    match T::deserialize(ValueDeserializer::from(value.clone())) {
        Ok(read) => {
            *into = read;
            true
        }
        Err(error) => {
            let key = error.span().and_then(|place| key_at(section.to_owned(), value, &place));
            report.add(
                key.unwrap_or_else(|| section.to_owned()),
                error.span(),
                error.message().trim_end(),
                "boards/sim.toml shows every key with its meaning",
            );
            false
        }
    }
}

/// The innermost key at a place, below one that is known: serde's errors say only where they are.
fn key_at(key: String, value: &Spanned<DeValue<'_>>, place: &Range<usize>) -> Option<String> {
    let covers = |span: Range<usize>| span.start <= place.start && place.end <= span.end;
    let inner = match value.get_ref() {
        DeValue::Table(table) => table.iter().find_map(|(name, value)| {
            let key = format!("{key}.{}", name.get_ref());
            if covers(name.span()) { Some(key) } else { key_at(key, value, place) }
        }),
        DeValue::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, item)| key_at(format!("{key}[{index}]"), item, place))
        }
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            None
        }
    };
    inner.or_else(|| covers(value.span()).then_some(key))
}

/// Where a key such as `vend.slots[2].name` stands, or the nearest thing around it that exists.
fn span_of(table: &DeTable<'_>, key: &str) -> Option<Range<usize>> {
    let mut parts = key.split(['.', '[', ']']).filter(|part| !part.is_empty());
    let (name, mut value) = table.get_key_value(parts.next()?)?;
    let mut span = name.span();
    for part in parts {
        let next = match value.get_ref() {
            DeValue::Table(table) => table.get_key_value(part).map(|(name, value)| (name.span(), value)),
            DeValue::Array(items) => {
                part.parse::<usize>().ok().and_then(|index| items.get(index)).map(|value| (value.span(), value))
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => None,
        };
        let Some((found, inner)) = next else { break };
        (span, value) = (found, inner);
    }
    Some(span)
}
