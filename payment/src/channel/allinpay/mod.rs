//! Allinpay (通联支付), an acquirer: one contract for Alipay, WeChat Pay, UnionPay QR and the digital yuan.
//!
//! | module | subject |
//! |---|---|
//! | [`sm2`] | the keys and signatures of the Chinese standard that its interfaces share |
//! | [`vsp`] | 收银宝 VSP: the natural one for a terminal |
//! | [`yst`] | 云商通 (YunST), generation 2: members, splits, guaranteed payments |

pub mod sm2;
pub mod vsp;
pub mod yst;
