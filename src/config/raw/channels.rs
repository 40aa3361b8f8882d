//! `[channels]` as it is written.

use super::super::source::{At, Findings};
use super::{Section, Written, section};

/// `[channels]`; a channel is `None` when it has no section.
#[derive(Debug)]
pub(in crate::config) struct Channels {
    pub(in crate::config) alipay: Option<Alipay>,
}

impl Channels {
    pub(super) fn read(section: &Section<'_>, found: &mut Findings<'_>) -> Self {
        section.refuse_unknown(&["alipay"], found);
        Self { alipay: section.section("alipay", found).if_there(Alipay::read, found) }
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
