//! The engine in a world on virtual time: a journal in memory, a model of Alipay with its ledger, a machine with slots,
//! and a buyer with a phone. No thread, no clock, no sleep: the same test takes the same steps every time.
//!
//! After every step of every test the functions named `invariant_*` are checked.

mod alipay;
mod at_once;
mod bad_input;
mod buyer_scans;
mod cash;
mod codes;
mod crash;
mod delivery;
mod faults;
mod invariants;
mod machine;
mod members_only;
mod merchant_scans;
mod random;
mod refunds;
mod restart;
mod returns;
mod scenes;
mod vouchers;
mod wechat;
mod world;
