//! `[channels]` as it is written.

use payment::channel::allinpay::vsp::Folder;
use payment::channel::allinpay::yst::codes::Meaning;
use payment::channel::allinpay::yst::setup::{AmountForm, AskBy, PayModeForm, TradeKind};
use payment::channel::wechat::{CodePay, TokenCall};

use super::super::source::{At, Findings};
use super::kinds::{SignKind, Word};
use super::{Section, Written, Yuan, section};

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
    pub(in crate::config) allinpay_vsp: Option<AllinpayVsp>,
    pub(in crate::config) allinpay_yst: Option<AllinpayYst>,
}

impl Channels {
    pub(super) fn read(section: &Section<'_>, found: &mut Findings<'_>) -> Self {
        section.refuse_unknown(&["alipay", "wechat", "allinpay_vsp", "allinpay_yst"], found);
        Self {
            alipay: section.section("alipay", found).if_there(Alipay::read, found),
            wechat: section.section("wechat", found).if_there(Wechat::read, found),
            allinpay_vsp: section.section("allinpay_vsp", found).if_there(AllinpayVsp::read, found),
            allinpay_yst: section.section("allinpay_yst", found).if_there(AllinpayYst::read, found),
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
        smid: String,
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
        delivery_token: Word<TokenCall>,
    }
}

channel_section! {
    /// `[channels.allinpay_vsp]`
    AllinpayVsp {
        gateway_url: String,
        statement_url: String,
        cusid: String,
        orgid: String,
        appid: String,
        version: String,
        sign_type: SignKind,
        app_key_file: String,
        private_key_file: String,
        public_key_file: String,
        terminal_number: String,
        device_type: String,
        terminal_serial: String,
        terminal_ip: String,
        longitude: String,
        latitude: String,
        terminal_address: String,
        terminal_state: String,
        notify_url: String,
        limit_pay: String,
        longest_valid_minutes: u64,
        pay_type_alipay: String,
        pay_type_wechat: String,
        pay_type_union_pay: String,
        pay_type_ecny: String,
        query_folder: Word<Folder>,
        cancel_folder: Word<Folder>,
        refund_folder: Word<Folder>,
        close_folder: Word<Folder>,
    }
}

channel_section! {
    /// `[channels.allinpay_yst]`
    AllinpayYst {
        gateway_url: String,
        app_id: String,
        sp_app_id: String,
        private_key_file: String,
        public_key_file: String,
        secret_key_file: String,
        receiver: String,
        cusid: String,
        orgid: String,
        trade: Word<TradeKind>,
        mode_alipay: String,
        mode_wechat: String,
        mode_union_pay: String,
        mode_ecny: String,
        mode_taken: String,
        pay_mode_form: Word<PayModeForm>,
        amount_form: Word<AmountForm>,
        ask_by: Word<AskBy>,
        limit_pay: String,
        goods_description: String,
        industry_code: String,
        industry_name: String,
        district_code: String,
        summary: String,
        goods_type: String,
        goods_no: String,
        terminal_number: String,
        device_type: String,
        terminal_serial: String,
        terminal_address: String,
        longitude: String,
        latitude: String,
        terminal_ip: String,
        terminal_state: String,
        notify_url: String,
        extend_params: String,
    } blocks { split: SplitRow, code: CodeMeaning, }
}

section! {
    /// `[[channels.allinpay_yst.split]]`
    SplitRow { sign_num: String, amount: Yuan, rate: String, remark: String, }
}

section! {
    /// `[[channels.allinpay_yst.code]]`
    CodeMeaning { code: String, meaning: Word<Meaning>, }
}
