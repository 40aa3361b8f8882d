//! `[channels.allinpay_yst]`: reads the key files, has the channel check them, and puts its answer at the right key.

use payment::channel::Wallet;
use payment::channel::allinpay::yst::codes::CodeRule;
use payment::channel::allinpay::yst::setup::{
    AmountForm, AskBy, GoodsFields, PayModeForm, PayModes, Terminal, TradeKind,
};
use payment::channel::allinpay::yst::split::{Share, SplitPart};
use payment::channel::allinpay::yst::{Config, SetupError, Yst};
use payment::redact::Secret;

use super::channels::{self, Settings, required, required_file, secret_line, text};
use super::check::Checker;
use super::checked::{Mode, TerminalConfig};
use super::gateway::Gateway;
use super::keys::Readers;
use super::later::millionths;
use super::raw::{self, Places, Word, Written, Yuan};
use crate::http::{Adapter, Channel};

const ADVICE: &str = "correct it as the portal shows it; docs/configuration.md says which file is which";

/// What passes, to go on checking after something wrong was reported.
const ANY_APP_ID: &str = "00000000000000000000";
const ANY_CUSID: &str = "000000000000000";
const ANY_MEMBER: &str = "0";
const ANY_TERMINAL: &str = "00000000";

/// A terminal that takes pay codes (条码支付受理终端).
const DEVICE_TYPE: &str = "10";

/// Checks the section and loads the keys.
pub(super) fn check(c: &mut Checker<'_, '_>, raw: raw::AllinpayYst, terminal: &TerminalConfig) -> Option<Channel> {
    let places = raw.places();
    let config = read(c, raw, &places, terminal.mode);
    let address = config.base_url.clone();
    let yst = channels::settle(c, config, &places, ADVICE)?;
    Some(Channel { adapter: Adapter::AllinpayYst(yst), address, identity: None })
}

fn read(c: &mut Checker<'_, '_>, mut raw: raw::AllinpayYst, places: &Places, mode: Mode) -> Config {
    let base_url = channels::address(c, raw.gateway_url.take(), places.unwritten("gateway_url"), &Gateway::YST, mode);
    let asked = ("app_id", "add the application's number from the portal: app_id = \"…\"", ANY_APP_ID);
    let app_id = required(c, raw.app_id.take(), places, asked);
    let asked = ("receiver", "add the member number of the payee: receiver = \"…\"", ANY_MEMBER);
    let receiver = required(c, raw.receiver.take(), places, asked);
    let asked = ("cusid", "add the VSP merchant number, 15 digits: cusid = \"…\"", ANY_CUSID);
    let cusid = required(c, raw.cusid.take(), places, asked);
    let advice = "name the file with our SM2 private key, or a credential: \"credential:yst-private-key\"";
    let asked = ("private_key_file", advice);
    let private_key = required_file(c, raw.private_key_file.take(), places, asked, Readers::Owner);
    let asked = ("public_key_file", "name the file with Allinpay's SM2 public key (not ours)");
    let allinpay_key = required_file(c, raw.public_key_file.take(), places, asked, Readers::Anybody);
    let Word(trade) = c.choice(raw.trade.take(), places.unwritten("trade"), Word(TradeKind::Consume));
    let Word(pay_mode_form) =
        c.choice(raw.pay_mode_form.take(), places.unwritten("pay_mode_form"), Word(PayModeForm::default()));
    let Word(amount_form) =
        c.choice(raw.amount_form.take(), places.unwritten("amount_form"), Word(AmountForm::default()));
    let Word(ask_by) = c.choice(raw.ask_by.take(), places.unwritten("ask_by"), Word(AskBy::default()));
    Config {
        base_url,
        app_id,
        sp_app_id: text(c, raw.sp_app_id.take()),
        private_key: Secret::new(private_key),
        allinpay_key,
        secret_key: secret_line(c, raw.secret_key_file.take()),
        receiver,
        cusid,
        orgid: text(c, raw.orgid.take()),
        trade,
        modes: modes(c, &mut raw, places),
        pay_mode_form,
        amount_form,
        ask_by,
        limit_pay: text(c, raw.limit_pay.take()),
        goods: goods(c, &mut raw),
        terminal: machine(c, &mut raw, places),
        notify_url: text(c, raw.notify_url),
        extend_params: text(c, raw.extend_params),
        split: raw.split.into_iter().filter_map(|row| split(c, row)).collect(),
        codes: raw.code.into_iter().filter_map(|row| code(c, row)).collect(),
    }
}

/// The documents' names, unless the contract has others. The digital yuan has none in them.
fn modes(c: &mut Checker<'_, '_>, raw: &mut raw::AllinpayYst, places: &Places) -> PayModes {
    let usual = PayModes::default();
    let name = |wallet| usual.shown.iter().find(|(known, _)| *known == wallet).map(|(_, mode)| mode.clone());
    let mut mode = |written: Option<Written<String>>, key: &str, wallet| {
        let mode = match name(wallet) {
            Some(usual) => Some(c.choice(written, places.unwritten(key), usual)),
            None => text(c, written),
        };
        mode.map(|mode| (wallet, mode))
    };
    let shown = [
        mode(raw.mode_alipay.take(), "mode_alipay", Wallet::Alipay),
        mode(raw.mode_wechat.take(), "mode_wechat", Wallet::Wechat),
        mode(raw.mode_union_pay.take(), "mode_union_pay", Wallet::UnionPay),
        mode(raw.mode_ecny.take(), "mode_ecny", Wallet::Ecny),
    ];
    PayModes {
        shown: shown.into_iter().flatten().collect(),
        usual: c.choice(raw.usual_wallet.take(), places.unwritten("usual_wallet"), usual.usual),
        taken: c.choice(raw.mode_taken.take(), places.unwritten("mode_taken"), usual.taken),
    }
}

fn goods(c: &mut Checker<'_, '_>, raw: &mut raw::AllinpayYst) -> GoodsFields {
    GoodsFields {
        description: text(c, raw.goods_description.take()),
        industry_code: text(c, raw.industry_code.take()),
        industry_name: text(c, raw.industry_name.take()),
        district_code: text(c, raw.district_code.take()),
        summary: text(c, raw.summary.take()),
        goods_type: text(c, raw.goods_type.take()),
        goods_no: text(c, raw.goods_no.take()),
    }
}

fn machine(c: &mut Checker<'_, '_>, raw: &mut raw::AllinpayYst, places: &Places) -> Terminal {
    let advice =
        "add the number under which the terminal was filed, up to 8 characters: terminal_number = \"00000001\"";
    Terminal {
        number: required(c, raw.terminal_number.take(), places, ("terminal_number", advice, ANY_TERMINAL)),
        device_type: c.choice(raw.device_type.take(), places.unwritten("device_type"), DEVICE_TYPE.to_owned()),
        serial: text(c, raw.terminal_serial.take()),
        address: text(c, raw.terminal_address.take()),
        longitude: text(c, raw.longitude.take()),
        latitude: text(c, raw.latitude.take()),
        ip: text(c, raw.terminal_ip.take()),
        state: text(c, raw.terminal_state.take()),
        app_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
    }
}

fn split(c: &mut Checker<'_, '_>, row: raw::SplitRow) -> Option<SplitPart> {
    let member = c.required(row.sign_num, row.at.missing("sign_num"), "add the party's member number");
    let (amount, rate) = (c.optional(row.amount), c.optional(row.rate));
    let share = match (amount, rate) {
        (Some(Written { value: Yuan(amount), .. }), None) => Some(Share::Amount(amount)),
        (None, Some(rate)) => self::rate(c, &rate),
        (Some(amount), Some(_)) => {
            c.found.error(&amount.at, "a party gets an amount or a rate, and both are written", "keep one of the two");
            None
        }
        (None, None) => {
            c.found.missing(&row.at.missing("rate"), "say what the party gets: rate = \"10%\", or amount = \"0.50\"");
            None
        }
    };
    Some(SplitPart { sign_num: member?.value, share: share?, remark: text(c, row.remark) })
}

fn rate(c: &mut Checker<'_, '_>, written: &Written<String>) -> Option<Share> {
    let rate = millionths(&written.value).and_then(|rate| format!("0.{rate:06}").parse().ok()).map(Share::Rate);
    if rate.is_none() {
        let problem = format!("\"{}\" is no rate", written.value);
        c.found.error(&written.at, problem, "write it with its percent sign, below 100%: rate = \"10%\"");
    }
    rate
}

fn code(c: &mut Checker<'_, '_>, row: raw::CodeMeaning) -> Option<CodeRule> {
    let code = c.required(row.code, row.at.missing("code"), "add the respCode");
    let meaning = c.required(row.meaning, row.at.missing("meaning"), "say what it means: meaning = \"no_order\"");
    Some(CodeRule { code: code?.value, meaning: meaning?.value.0 })
}

impl Settings for Config {
    type Adapter = Yst;
    type Complaint = SetupError;

    fn try_out(self) -> Result<Yst, SetupError> {
        Yst::new(self)
    }

    fn key_of(complaint: &SetupError) -> &'static str {
        match complaint {
            SetupError::BaseUrl(_) => "gateway_url",
            SetupError::Number { name, .. } | SetupError::Field { name, .. } => key_of_field(name),
            SetupError::NotifyUrl(_) => "notify_url",
            SetupError::NoUsualMode(_) => "usual_wallet",
            SetupError::Code(_) => "code",
            SetupError::Split(_) => "split",
            SetupError::PrivateKey(_) => "private_key_file",
            SetupError::AllinpayKey(_) | SetupError::AllinpayKeyIsOurs => "public_key_file",
            SetupError::SecretKey(_) => "secret_key_file",
        }
    }

    fn mend(&mut self, key: &str) -> bool {
        let (goods, terminal) = (&mut self.goods, &mut self.terminal);
        match key {
            "gateway_url" => self.base_url = Gateway::YST.production.to_owned(),
            "app_id" => self.app_id = ANY_APP_ID.to_owned(),
            "sp_app_id" => self.sp_app_id = None,
            "receiver" => self.receiver = ANY_MEMBER.to_owned(),
            "cusid" => self.cusid = ANY_CUSID.to_owned(),
            "orgid" => self.orgid = None,
            "limit_pay" => self.limit_pay = None,
            "notify_url" => self.notify_url = None,
            "extend_params" => self.extend_params = None,
            "goods_description" => goods.description = None,
            "industry_code" => goods.industry_code = None,
            "industry_name" => goods.industry_name = None,
            "district_code" => goods.district_code = None,
            "summary" => goods.summary = None,
            "goods_type" => goods.goods_type = None,
            "goods_no" => goods.goods_no = None,
            "terminal_number" => terminal.number = ANY_TERMINAL.to_owned(),
            "device_type" => terminal.device_type = DEVICE_TYPE.to_owned(),
            "terminal_serial" => terminal.serial = None,
            "terminal_address" => terminal.address = None,
            "longitude" => terminal.longitude = None,
            "latitude" => terminal.latitude = None,
            "terminal_ip" => terminal.ip = None,
            "terminal_state" => terminal.state = None,
            "usual_wallet" | "mode_taken" => self.modes = PayModes::default(),
            "code" => self.codes = Vec::new(),
            "split" => self.split = Vec::new(),
            "secret_key_file" => self.secret_key = None,
            // Everything else is checked with these two.
            _ => return false,
        }
        true
    }
}

/// The key for a field, as the channel names it.
fn key_of_field(name: &str) -> &'static str {
    match name {
        "app_id" => "app_id",
        "sp_app_id" => "sp_app_id",
        "receiver" => "receiver",
        "cusid" => "cusid",
        "orgid" => "orgid",
        "limit_pay" => "limit_pay",
        "notify_url" => "notify_url",
        "goods.description" => "goods_description",
        "goods.industry_code" => "industry_code",
        "goods.industry_name" => "industry_name",
        "goods.district_code" => "district_code",
        "goods.summary" => "summary",
        "goods.goods_type" => "goods_type",
        "goods.goods_no" => "goods_no",
        "terminal.number" => "terminal_number",
        "terminal.device_type" => "device_type",
        "terminal.serial" => "terminal_serial",
        "terminal.address" => "terminal_address",
        "terminal.longitude" => "longitude",
        "terminal.latitude" => "latitude",
        "terminal.ip" => "terminal_ip",
        "terminal.state" => "terminal_state",
        "modes" => "mode_taken",
        "split.sign_num" | "split.remark" => "split",
        _ => "extend_params",
    }
}
