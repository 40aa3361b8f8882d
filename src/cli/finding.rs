//! One thing that was looked at, and what to do about it.

use serde::Serialize;

use super::text;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) about: String,
    pub(super) good: bool,
    pub(super) found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Finding {
    pub(super) fn good(about: impl Into<String>, found: impl Into<String>) -> Self {
        Self { about: about.into(), good: true, found: found.into(), remedy: None }
    }

    pub(super) fn bad(about: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { about: about.into(), good: false, found: found.into(), remedy: Some(remedy.into()) }
    }
}

/// A line for each, with what to do below it.
pub(super) fn text_of(findings: &[Finding]) -> String {
    let lines = findings.iter().map(|finding| {
        let mark = if finding.good { "ok  " } else { "BAD " };
        let remedy = finding.remedy.as_ref().map(|remedy| format!("\n       do: {remedy}")).unwrap_or_default();
        format!("{mark} {}: {}{remedy}", text::plain(&finding.about), finding.found.replace('\n', "\n       "))
    });
    lines.collect::<Vec<_>>().join("\n")
}
