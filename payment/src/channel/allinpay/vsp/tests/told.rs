//! Each of VSP's states and refusals at each request, for the engine's table of what orders become of them.

use serde_json::json;

use super::codes::{OUTCOMES, RETCODES};
use super::{NOON, every_request, members, sealed, vsp, with};
use crate::channel::{Answer, Decoded, HttpReply, Request};

const UNDOCUMENTED: [&str; 6] = ["", "0", "00000", "3123", "3998", "SUCCESS"];

/// Code, request, answer, and whether the table says that it ends the attempt unpaid.
pub(crate) fn told() -> Vec<(String, Request, Answer, bool)> {
    let states = rows(OUTCOMES).into_iter().flat_map(|(state, words)| {
        let words = words.into_iter().map(is_unpaid).zip(every_request());
        words.filter_map(move |(is_final, (_, request))| {
            let answer = said(&request, &sealed(&members(&request, state)))?;
            Some((state.to_owned(), request, answer, is_final))
        })
    });
    let unlisted = UNDOCUMENTED.iter().flat_map(|state| {
        let told = |(_, request): (_, Request)| {
            let answer = said(&request, &sealed(&members(&request, state)))?;
            Some(((*state).to_owned(), request, answer, false))
        };
        every_request().into_iter().filter_map(told)
    });
    let refused = rows(RETCODES).into_iter().flat_map(|(retcode, words)| {
        words.into_iter().map(is_unpaid).zip(every_request()).filter_map(move |(is_final, (_, request))| {
            let told = with(members(&request, "3999"), &json!({ "retcode": retcode }));
            let answer = said(&request, &sealed(&told))?;
            Some((retcode.to_owned(), request, answer, is_final))
        })
    });
    states.chain(unlisted).chain(refused).collect()
}

fn rows(table: &'static str) -> Vec<(&'static str, Vec<&'static str>)> {
    let lines = table.lines().filter(|line| !line.is_empty());
    lines
        .filter_map(|line| line.split_once(' '))
        .map(|(code, rest)| (code, rest.split_whitespace().collect()))
        .collect()
}

fn is_unpaid(word: &str) -> bool {
    word.starts_with("not-paid") || word.starts_with("no:")
}

/// `None` where another number is taken for the same request.
fn said(request: &Request, reply: &HttpReply) -> Option<Answer> {
    match vsp().decode(request, NOON, reply) {
        Decoded::Answer(answer) => Some(answer),
        Decoded::EncodeAgain | Decoded::UnknownKey { .. } => None,
    }
}
