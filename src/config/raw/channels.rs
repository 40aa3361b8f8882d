//! `[channels]` as it is written.

use payment::channel::wechat::CodePay;

use super::super::source::{At, Findings};
use super::kinds::Word;
use super::{Section, Written, section};

/// Where each written key of a channel's section stands.
#[derive(Debug)]
pub(in crate::config) struct Places {
    section: At,
    written: Vec<(&'static str, At)>,
}

impl Places {
    /// Where the key stands, or the head of the section when it is not written.
    pub(in crate::config) fn of(&self, key: &str) -> At {
        let found = self.written.iter().find(|(name, _)| *name == key);
        found.map_or_else(|| self.section.missing(key), |(_, at)| at.clone())
    }

    /// A key that need not be written.
    pub(in crate::config) fn unwritten(&self, key: &str) -> At {
        self.section.unwritten(key)
    }

    /// The head of the section.
    pub(in crate::config) const fn section(&self) -> &At {
        &self.section
    }
}

/// A channel's section, whose own checks name keys.
macro_rules! channel_section {
    (
        $(#[$doc:meta])*
        $name:ident { $($key:ident: $kind:ty,)* } $(blocks { $($block:ident: $row:ty,)* })?
    ) => {
        section! { $(#[$doc])* $name { $($key: $kind,)* } $(blocks { $($block: $row,)* })? }

        impl $name {
            /// Where its keys stand.
            pub(in crate::config) fn places(&self) -> Places {
                let written = [$((stringify!($key), self.$key.as_ref().map(|written| written.at.clone()))),*];
                Places {
                    section: self.at.clone(),
                    written: written.into_iter().filter_map(|(key, at)| Some((key, at?))).collect(),
                }
            }
        }
    };
}

/// `[channels]`; a channel is `None` when it has no section.
#[derive(Debug)]
pub(in crate::config) struct Channels {
    pub(in crate::config) alipay: Option<Alipay>,
    pub(in crate::config) wechat: Option<Wechat>,
}

impl Channels {
    pub(super) fn read(section: &Section<'_>, found: &mut Findings<'_>) -> Self {
        section.refuse_unknown(&["alipay", "wechat"], found);
        Self {
            alipay: section.section("alipay", found).if_there(Alipay::read, found),
            wechat: section.section("wechat", found).if_there(Wechat::read, found),
        }
    }
}

section! {
    /// `[channels.alipay]`
    Alipay {
        gateway_url: String,
        app_id: String,
        private_key_file: String,
        public_key_file: String,
        app_cert_file: String,
        alipay_cert_file: String,
        alipay_root_cert_file: String,
        aes_key_file: String,
        app_auth_token_file: String,
        seller_id: String,
        store_id: String,
        alipay_store_id: String,
        operator_id: String,
        product_code: String,
        sys_service_provider_id: String,
        notify_url: String,
        enable_pay_channels: Vec<String>,
        disable_pay_channels: Vec<String>,
    }
}

channel_section! {
    /// `[channels.wechat]`
    Wechat {
        gateway_url: String,
        backup_url: String,
        weixin_url: String,
        mchid: String,
        appid: String,
        sub_mchid: String,
        sub_appid: String,
        private_key_file: String,
        certificate_file: String,
        certificate_serial: String,
        apiv3_key_file: String,
        public_key_id: String,
        public_key_file: String,
        platform_cert_files: Vec<String>,
        code_pay: Word<CodePay>,
        v2_key_file: String,
        notify_url: String,
        store_id: String,
        store_out_id: String,
        store_name: String,
        store_area_code: String,
        store_address: String,
        terminal_ip: String,
        goods_tag: String,
        profit_sharing: bool,
        limit_pay: String,
        delivery_secret_file: String,
    }
}
