//! The books: statements of the channels, read, matched against the journal and exported.
//!
//! Nothing here opens a file or a connection: bytes in; rows, findings and bytes out. The caller downloads and keeps
//! the raw files, reads the journal, and shows the result.
//!
//! | module | subject |
//! |---|---|
//! | [`statement`] | a channel's daily file becomes [`statement::Line`]s, whatever its layout |
//! | [`reconcile`] | those lines against our own entries, number by number |
//! | [`dts`] | the audit file of EVA-DTS that vending operators' programs read |
//! | [`export`] | tables as CSV and Excel, with Chinese headings and words |
//! | [`words`] | the words of Allinpay's portal and Excel, and the codes behind them |
//! | [`numbers`] | which of an order's numbers a search text could be |
//! | [`day`] | China's calendar day, in which every channel keeps its books |

pub mod day;
pub mod dts;
pub mod export;
pub mod numbers;
pub mod reconcile;
pub mod statement;
pub mod words;
