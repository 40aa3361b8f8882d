//! The files of the report: opened before the first case, written after the last.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::RehearseArgs;
use super::report::Report;
use crate::cli::{Answer, Exit, Failure};

/// Where the report goes; to standard output where no file is named.
pub(super) struct Papers {
    out: Option<Paper>,
    csv: Option<Paper>,
}

impl Papers {
    /// Opens what was asked for. An hour with real money is not begun for a report that nobody can read.
    pub(super) fn open(args: &RehearseArgs) -> Result<Self, Failure> {
        let open = |path: &Option<PathBuf>| path.as_deref().map(Paper::open).transpose();
        Ok(Self { out: open(&args.out)?, csv: open(&args.csv)? })
    }

    /// Writes the report. What cannot be written is printed: it tells of live orders.
    pub(super) fn write(self, report: &Report) -> Answer {
        let (markdown, is_on_paper) = (report.markdown(), self.out.is_some());
        let (mut lines, mut is_kept) = match self.out {
            None => (vec![markdown], true),
            Some(paper) => paper.keep(markdown.as_bytes()),
        };
        if is_on_paper {
            lines.push(report.sum());
        }
        if let Some(paper) = self.csv {
            let (more, is_csv_kept) = match report.csv() {
                Ok(bytes) => paper.keep(&bytes),
                Err(error) => (vec![error.to_string()], false),
            };
            lines.extend(more);
            is_kept &= is_csv_kept;
        }
        let exit = if report.is_good() && is_kept { Exit::Done } else { Exit::Refused };
        Answer { text: lines.join("\n"), json: report.json(), exit }
    }
}

struct Paper {
    path: PathBuf,
    file: File,
}

impl Paper {
    /// What stands in the file stays until there is something to put in its place.
    fn open(path: &Path) -> Result<Self, Failure> {
        match File::options().write(true).create(true).truncate(false).open(path) {
            Ok(file) => Ok(Self { path: path.to_owned(), file }),
            Err(error) => {
                let message = format!("{} cannot be written ({error}); nothing was played", path.display());
                Err(Failure::other(Exit::Refused, message))
            }
        }
    }

    /// What to say of it, and whether the text is in the file; else it is in what is said.
    fn keep(mut self, bytes: &[u8]) -> (Vec<String>, bool) {
        let path = self.path.display();
        match replace(&mut self.file, bytes) {
            Ok(()) => (vec![format!("written: {path}")], true),
            Err(error) => {
                let text = String::from_utf8_lossy(bytes).trim_start_matches('\u{FEFF}').to_owned();
                (vec![text, format!("{path} could not be written ({error}): what belongs there stands above")], false)
            }
        }
    }
}

fn replace(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    file.write_all(bytes)?;
    file.flush()
}
