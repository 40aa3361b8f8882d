//! The engine in a world on virtual time: a journal in memory, models of Alipay and WeChat Pay with their ledgers, a
//! machine with slots, and a buyer with a phone. No thread, no clock, no sleep: the same test takes the same steps every time.
//!
//! After every step of every test the functions named `invariant_*` are checked.

mod alipay;
mod approval;
mod at_once;
mod bad_input;
mod buyer_scans;
mod cash;
mod choice;
mod codes;
mod crash;
mod delivery;
mod duties;
mod fail_over;
mod faults;
mod instalments;
mod invariants;
mod machine;
mod members_only;
mod merchant_scans;
#[cfg(feature = "mutants")]
mod mistakes;
mod outcomes;
mod people;
mod random;
mod refunds;
mod renewed;
mod restart;
mod returns;
mod scenes;
mod slots;
mod stage;
mod terminals;
mod two_scenes;
mod undo;
mod vouchers;
mod wechat;
mod words;
mod world;
