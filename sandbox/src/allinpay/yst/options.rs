//! How 云商通 behaves. The default is as strict as the reference allows; what it leaves open is a switch.

use super::super::options::{AmountForm, House};

/// Where the members of a notice stand (reference/allinpay.md 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeShape {
    /// At top level, beside `sign`.
    TopLevel,
    /// In the text `bizData` of a signed envelope, as in answers.
    Envelope,
}

/// The knobs of a [`YstGateway`](super::YstGateway).
#[derive(Debug, Clone)]
pub struct YstOptions {
    /// Clock, money, wallets. Amounts are numbers here by default.
    pub house: House,
    /// The only application, 20 digits.
    pub app_id: String,
    /// The service provider of the application; then every request must name it.
    pub sp_app_id: Option<String>,
    /// The members who may get money, by `signNum`.
    pub members: Vec<String>,
    /// The VSP merchant underneath: `vspCusid`, `cusId`.
    pub vsp_cusid: String,
    /// How far `transDate` and `transTime` may be off, in milliseconds; `None` does not look. Not documented.
    pub clock_tolerance_ms: Option<i64>,
    /// Answers carry `signType`, which is never signed. Sources disagree whether real ones do.
    pub sign_type_in_answers: bool,
    /// A pay code, a confirmation and a refund that are decided at once are told so. By default the answer is 66666 and
    /// only 3001 tells the result.
    pub answers_at_once: bool,
    /// Sign failures too. Those for an unknown application never are.
    pub sign_failures: bool,
    /// `channelParamInfo` is a JSON text; otherwise an object.
    pub channel_info_as_text: bool,
    /// `channelParamInfo` is spelt `channelparamInfo`, as one client has it.
    pub channel_info_other_spelling: bool,
    /// From which hour on the statement of the day before is there, in Beijing. Not documented.
    pub statement_hour: i64,
    /// Where the members of a notice stand.
    pub notice_shape: NoticeShape,
    /// `result` of a notice is `SUCCESS` or `FAIL`; otherwise 1 or 2.
    pub notice_result_words: bool,
}

impl Default for YstOptions {
    fn default() -> Self {
        Self {
            house: House { amounts: AmountForm::Number, ..House::default() },
            app_id: "20000000000000000001".to_owned(),
            sp_app_id: None,
            members: vec!["OPERATOR001".to_owned(), "OPERATOR002".to_owned()],
            vsp_cusid: "990000000000001".to_owned(),
            clock_tolerance_ms: Some(10 * 60_000),
            sign_type_in_answers: false,
            answers_at_once: false,
            sign_failures: true,
            channel_info_as_text: true,
            channel_info_other_spelling: false,
            statement_hour: 9,
            notice_shape: NoticeShape::Envelope,
            notice_result_words: false,
        }
    }
}
