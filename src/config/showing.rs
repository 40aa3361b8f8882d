//! Which channels can show whose code. It is not who can take whose pay code: YunST takes those of all wallets, and shows only
//! codes that it has a pay mode for.

use payment::channel::{ChannelId, Wallet};

use super::raw;

/// What of it depends on the settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Showing {
    /// YunST has a pay mode for the digital yuan: the documents name none, a contract may.
    yst_shows_ecny: bool,
}

impl Showing {
    pub(super) fn of(raw: &raw::Channels) -> Self {
        Self { yst_shows_ecny: raw.allinpay_yst.as_ref().is_some_and(|yst| yst.mode_ecny.is_some()) }
    }

    /// Those among `channels` that can show a code of this wallet, in their order; `None` is one code for all wallets.
    pub(super) fn among(self, wallet: Option<Wallet>, channels: &[ChannelId]) -> Vec<ChannelId> {
        channels.iter().copied().filter(|channel| self.can_show(*channel, wallet)).collect()
    }

    fn can_show(self, channel: ChannelId, wallet: Option<Wallet>) -> bool {
        match channel {
            ChannelId::Alipay | ChannelId::Wechat => wallet.is_some() && wallet == channel.own_wallet(),
            ChannelId::AllinpayVsp => true,
            ChannelId::AllinpayYst => match wallet {
                Some(Wallet::Alipay | Wallet::Wechat | Wallet::UnionPay) => true,
                Some(Wallet::Ecny) => self.yst_shows_ecny,
                None => false,
            },
            ChannelId::Voucher => false,
        }
    }
}
