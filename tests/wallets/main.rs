//! The real program at every channel: pictures that phones read, codes that the scanner reads, items that fall, and books
//! that agree to the fen. What one channel promises, all of them have to keep: the same evening is played at each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod allinpay;
mod approval;
mod evening;
mod filing;
mod gate;
mod instalments;
#[path = "../program/shop.rs"]
#[expect(dead_code, reason = "other stories need more of the shop")]
mod shop;
mod side_by_side;
mod three_books;
mod wechat;
