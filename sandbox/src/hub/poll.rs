//! Commands down, and their results up.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};

use super::join::read_json;
use super::store::{number, sql};
use super::wire::{Refusal, Request, Response};

/// The longest that a terminal may ask the hub to wait, in seconds: a signature holds for so long.
const WAIT_S_MAX: u64 = 300;
/// The most commands of one answer; the next poll brings more.
const COMMANDS_MAX: u32 = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Poll {
    handled: u64,
    results: Vec<Reported>,
    wait_s: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reported {
    number: u64,
    outcome: Outcome,
    detail: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Done,
    Refused,
}

impl Outcome {
    const fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

#[derive(Serialize)]
struct Answer {
    commands: Vec<Command>,
}

#[derive(Serialize)]
struct Command {
    number: u64,
    command: String,
    signature: String,
}

pub(crate) fn poll(
    connection: &mut Connection,
    terminal: &str,
    request: &Request,
    now_ms: i64,
) -> Result<Response, Refusal> {
    let poll: Poll = read_json(request)?;
    if poll.wait_s > WAIT_S_MAX {
        return Err(Refusal::new(422, "bad_wait", format!("wait_s is {WAIT_S_MAX} at most")));
    }
    let transaction = connection.transaction()?;
    check_numbers(&poll)?;
    keep_results(&transaction, terminal, &poll, now_ms)?;
    let handled = handled(&transaction, terminal)?.max(poll.handled);
    let commands = commands_above(&transaction, terminal, handled)?;
    transaction.commit()?;
    let wait_s = commands.is_empty().then_some(poll.wait_s);
    Ok(Response { wait_s, ..Response::json(200, &Answer { commands }) })
}

/// A result is of a command that was handled. That this hub does not know the command is no mistake of the terminal: the
/// hub may come from a backup, and numbers on from what the terminal says.
fn check_numbers(poll: &Poll) -> Result<(), Refusal> {
    match poll.results.iter().find(|result| result.number > poll.handled) {
        None => Ok(()),
        Some(Reported { number, .. }) => {
            let detail = format!("a result of command {number}, and the terminal handled up to {}", poll.handled);
            Err(Refusal::new(422, "unknown_command", detail))
        }
    }
}

fn keep_results(transaction: &Transaction<'_>, terminal: &str, poll: &Poll, now_ms: i64) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT OR IGNORE INTO results (terminal, number, outcome, detail, at_ms) VALUES (?, ?, ?, ?, ?)",
    )?;
    for result in &poll.results {
        insert.execute(params![terminal, sql(result.number), result.outcome.name(), result.detail, now_ms])?;
    }
    transaction
        .prepare_cached("UPDATE terminals SET handled = max(handled, ?1) WHERE terminal = ?2 AND handled < ?1")?
        .execute(params![sql(poll.handled), terminal])?;
    Ok(())
}

/// What the terminal ever said that it handled. One whose journal comes from a backup says less than before, and what it did
/// since is not to be done again.
fn handled(transaction: &Transaction<'_>, terminal: &str) -> rusqlite::Result<u64> {
    let mut query = transaction.prepare_cached("SELECT handled FROM terminals WHERE terminal = ?")?;
    Ok(query.query_row([terminal], |row| number(row, 0)).optional()?.unwrap_or(0))
}

fn commands_above(transaction: &Transaction<'_>, terminal: &str, handled: u64) -> rusqlite::Result<Vec<Command>> {
    let mut query = transaction.prepare_cached(
        "SELECT number, command, signature FROM commands WHERE terminal = ? AND number > ? ORDER BY number LIMIT ?",
    )?;
    let rows = query.query_map(params![terminal, sql(handled), COMMANDS_MAX], |row| {
        let signature: Vec<u8> = row.get(2)?;
        Ok(Command { number: number(row, 0)?, command: row.get(1)?, signature: STANDARD.encode(signature) })
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::receiver::Durability;
    use super::super::store;
    use super::*;

    fn books() -> Connection {
        let connection = store::open(None, Durability::default()).unwrap();
        connection
            .execute_batch(
                "INSERT INTO terminals (terminal, public_key, joined_ms) VALUES ('VM-0001', zeroblob(32), 0);
                 INSERT INTO commands (terminal, number, command, signature)
                 VALUES ('VM-0001', 1, '{}', x'00'), ('VM-0001', 2, '{}', x'00'), ('VM-0001', 3, '{}', x'00');",
            )
            .unwrap();
        connection
    }

    fn handed_out(connection: &mut Connection, handled: u64) -> Vec<u64> {
        let body = json!({ "handled": handled, "results": [], "wait_s": 0 }).to_string().into_bytes();
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        let request = Request { method: "POST".to_owned(), path: String::new(), headers, body };
        let answer = poll(connection, "VM-0001", &request, 0).unwrap();
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        answer["commands"].as_array().unwrap().iter().map(|each| each["number"].as_u64().unwrap()).collect()
    }

    #[test]
    fn what_a_terminal_said_it_handled_is_not_handed_out_to_its_older_journal() {
        let mut connection = books();
        assert_eq!(handed_out(&mut connection, 0), [1, 2, 3]);
        assert_eq!(handed_out(&mut connection, 2), [3]);
        assert_eq!(handed_out(&mut connection, 0), [3], "a refund would be done a second time");
    }
}
