//! What the channel says when it does not do what it is asked, or does not say that it did: every code of the adapter's
//! table, and codes that are in no list.

use std::sync::LazyLock;

use payment::channel::Request;
use payment::channel::alipay::codes::{Class, TABLE, class};
use payment::channel::alipay::wire::Method;

/// Codes that no method lists.
const IN_NO_LIST: [&str; 2] = ["ACQ.CODE_OF_NEXT_YEAR", "SYSTEM_BUSY"];

/// What stands for the `*` of a row.
const REST: &str = "OF_THE_TEST";

/// How the channel says no.
#[derive(Debug, Clone, Copy)]
pub enum No {
    /// With this code.
    With(&'static str),
    /// With some code of this class.
    Some(Class),
}

/// The methods that have rows.
const METHODS: [Method; 7] =
    [Method::Precreate, Method::Pay, Method::Query, Method::Cancel, Method::Close, Method::Refund, Method::RefundQuery];

/// A code that a method may be answered with, and its class.
type Row = (Method, &'static str, Option<Class>);

/// Looked up once: a life asks for them with every call that fails.
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| METHODS.into_iter().flat_map(rows_of).collect());

/// A method's own rows, and without a class the codes of other methods and of none.
fn rows_of(method: Method) -> impl Iterator<Item = Row> {
    let own = TABLE.iter().filter(move |(methods, ..)| methods.contains(&method));
    let all = TABLE.iter().map(|(_, code, _)| *code).chain(IN_NO_LIST);
    let unlisted = all.filter(move |code| class(method, code).is_none());
    own.map(move |(_, code, class)| (method, *code, Some(*class))).chain(unlisted.map(move |code| (method, code, None)))
}

fn rows(method: Method) -> impl Iterator<Item = (&'static str, Option<Class>)> {
    ROWS.iter().filter(move |(of, ..)| *of == method).map(|(_, code, class)| (*code, *class))
}

/// The classes of a method's codes, each once; `None` is that of the codes that it does not list.
#[must_use]
pub fn classes(method: Method) -> Vec<Option<Class>> {
    rows(method).fold(Vec::new(), |mut classes, (_, class)| {
        if !classes.contains(&class) {
            classes.push(class);
        }
        classes
    })
}

/// A method's codes of one class.
#[must_use]
pub fn codes(method: Method, class: Option<Class>) -> Vec<&'static str> {
    rows(method).filter(|(_, of)| *of == class).map(|(code, _)| code).collect()
}

/// A row's code as the channel says it.
#[must_use]
pub fn spelled(code: &str) -> String {
    code.replace('*', REST)
}

/// A row in the books of what was said.
#[must_use]
pub fn name(method: Method, code: &str) -> String {
    format!("{method:?} {code}")
}

/// Whether an answer of this class says nothing about what was done. A cancel, a close and a refund that are not possible
/// were not done.
#[must_use]
pub const fn leaves_open(class: Option<Class>, request: &Request) -> bool {
    match class {
        None | Some(Class::Trouble | Class::Again) => true,
        Some(Class::Ask) => matches!(request, Request::ShowCode(_) | Request::TakeCode(..)),
        Some(Class::Refused(_) | Class::NoTrade | Class::ShortOfFunds | Class::Rejected) => false,
    }
}

/// Every row of the table, by each of its methods.
pub fn listed() -> impl Iterator<Item = String> {
    TABLE.iter().flat_map(|(methods, code, _)| methods.iter().map(|method| name(*method, code)))
}
