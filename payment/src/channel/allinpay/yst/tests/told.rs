//! Each `respCode` and `result` at each request, for the engine's table of what orders become of them.

use super::table::{TABLE, columns, fields};
use super::{taught, understood};
use crate::channel::{Answer, Request};

/// Code and result, request, answer, and whether the table says that it ends the attempt unpaid.
pub(crate) fn told() -> Vec<(String, Request, Answer, bool)> {
    let channel = taught();
    let rows = TABLE.lines().skip(2).flat_map(|line| {
        let cells: Vec<&str> = line.split_whitespace().filter(|cell| *cell != "|").collect();
        let [code, result, words @ ..] = cells.as_slice() else { panic!("{line}") };
        let told = columns().into_iter().zip(words).map(|(request, word)| {
            let answer = understood(&channel, &request, "00000", &fields(&request, code, result));
            (format!("{code} {result}"), request, answer, matches!(*word, "not-paid" | "refused"))
        });
        told.collect::<Vec<_>>()
    });
    rows.collect()
}
