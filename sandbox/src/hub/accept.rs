//! Entries up: what is new is kept in one transaction, what was there is compared.

use rusqlite::{CachedStatement, Connection, Transaction, params};
use serde::Serialize;

use super::batch::{self, Content, Line, follows};
use super::receiver::Rule;
use super::seal::to_hex;
use super::store::{self, number, sql};
use super::wire::{Refusal, Request, Response};

#[derive(Serialize)]
struct Answer {
    acknowledged: u64,
    refused: Vec<Refused>,
}

#[derive(Serialize)]
struct Refused {
    seq: u64,
    code: String,
    detail: String,
}

pub(crate) fn accept(
    connection: &mut Connection,
    rules: &[Rule],
    terminal: &str,
    request: &Request,
) -> Result<Response, Refusal> {
    let lines = batch::read(request)?;
    let transaction = connection.transaction()?;
    let have = compare(&transaction, terminal, &lines)?;
    let new = lines.iter().filter(|line| line.seq > have);
    keep(&transaction, rules, terminal, new)?;
    let (first, last) = (lines.first().map_or(0, |line| line.seq), lines.last().map_or(0, |line| line.seq));
    let refused = refused_between(&transaction, terminal, first, last)?;
    transaction.commit()?;
    Ok(Response::json(200, &Answer { acknowledged: have.max(last), refused }))
}

/// Compares the lines with what the hub has, and says up to where it has everything.
fn compare(transaction: &Transaction<'_>, terminal: &str, lines: &[Line]) -> Result<u64, Refusal> {
    let (have, head) = store::head(transaction, terminal)?;
    for line in lines.iter().take_while(|line| line.seq <= have) {
        let kept = store::hash_at(transaction, terminal, line.seq)?;
        if kept != line.hash {
            let detail = format!("the hub has {} at {}, not {}", to_hex(&kept), line.seq, to_hex(&line.hash));
            return Err(Refusal::new(409, "fork", detail));
        }
    }
    match lines.iter().find(|line| line.seq > have) {
        Some(line) if line.seq > have + 1 => {
            let detail = format!("the batch begins at {}, the hub has everything up to {have}", line.seq);
            Err(Refusal { acknowledged: Some(have), ..Refusal::new(409, "gap", detail) })
        }
        Some(line) => follows(have, &head, line).map(|()| have),
        None => Ok(have),
    }
}

fn keep<'a>(
    transaction: &Transaction<'_>,
    rules: &[Rule],
    terminal: &str,
    new: impl Iterator<Item = &'a Line>,
) -> rusqlite::Result<()> {
    let mut entries = transaction.prepare_cached(
        "INSERT INTO entries (terminal, seq, prev, hash, order_number, at_ms, trusted, state, body)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut refused =
        transaction.prepare_cached("INSERT INTO refused (terminal, seq, code, detail) VALUES (?, ?, ?, ?)")?;
    for line in new {
        if let Some((code, detail)) = refusal(rules, terminal, line) {
            refused.execute(params![terminal, sql(line.seq), code, detail])?;
            keep_place(&mut entries, terminal, line)?;
        } else {
            keep_entry(&mut entries, terminal, line)?;
        }
    }
    Ok(())
}

/// Why the hub will never take this entry, if so.
fn refusal<'a>(rules: &'a [Rule], terminal: &str, line: &'a Line) -> Option<(&'a str, &'a str)> {
    match &line.content {
        Content::Unreadable(code) => Some((code, "sent by its place only: the hub could not read it")),
        Content::Entry(entry) => rules
            .iter()
            .find(|rule| rule.meets(terminal, line.seq, &entry.kind))
            .map(|rule| (rule.code.as_str(), rule.detail.as_str())),
    }
}

fn keep_place(statement: &mut CachedStatement<'_>, terminal: &str, line: &Line) -> rusqlite::Result<usize> {
    let nothing: Option<&str> = None;
    statement.execute(params![
        terminal,
        sql(line.seq),
        line.prev,
        line.hash,
        nothing,
        nothing,
        nothing,
        nothing,
        nothing
    ])
}

fn keep_entry(statement: &mut CachedStatement<'_>, terminal: &str, line: &Line) -> rusqlite::Result<usize> {
    let Content::Entry(entry) = &line.content else { return keep_place(statement, terminal, line) };
    statement.execute(params![
        terminal,
        sql(line.seq),
        line.prev,
        line.hash,
        entry.order,
        entry.at_ms,
        entry.trusted,
        entry.state,
        entry.body
    ])
}

fn refused_between(
    transaction: &Transaction<'_>,
    terminal: &str,
    first: u64,
    last: u64,
) -> rusqlite::Result<Vec<Refused>> {
    let mut query = transaction.prepare_cached(
        "SELECT seq, code, detail FROM refused WHERE terminal = ? AND seq BETWEEN ? AND ? ORDER BY seq",
    )?;
    let rows = query.query_map(params![terminal, sql(first), sql(last)], |row| {
        Ok(Refused { seq: number(row, 0)?, code: row.get(1)?, detail: row.get(2)? })
    })?;
    rows.collect()
}
