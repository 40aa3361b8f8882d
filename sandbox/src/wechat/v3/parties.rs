//! Who is who in a call: the merchant alone, or a service provider for its shop (reference/wechatpay.md 3, 4).

use super::super::fields::Fields;
use super::super::http::Moment;
use super::super::order::Account;
use super::super::refusal::Refusal;
use super::Call;

/// The parties as a body names them.
pub(super) struct Parties {
    pub(super) account: Account,
    pub(super) appid: Option<String>,
    pub(super) sub_appid: Option<String>,
}

/// The members of a body that name the parties.
pub(super) const fn members(partner: bool) -> &'static [&'static str] {
    if partner { &["sp_appid", "sp_mchid", "sub_appid", "sub_mchid"] } else { &["appid", "mchid"] }
}

/// Reads the parties of an order, which name an application too.
pub(super) fn of_order(call: &Call<'_>, fields: &Fields<'_>) -> Result<Parties, Refusal> {
    let account = of_body(call, fields)?;
    let appid = fields.required(if call.partner { "sp_appid" } else { "appid" }, 32)?;
    let sub_appid = if call.partner { fields.text("sub_appid", 32)? } else { None };
    Ok(Parties { account, appid: Some(appid.to_owned()), sub_appid: sub_appid.map(str::to_owned) })
}

/// Reads the parties of a close, which names no application.
pub(super) fn of_body(call: &Call<'_>, fields: &Fields<'_>) -> Result<Account, Refusal> {
    if call.partner {
        let mchid = fields.required("sp_mchid", 32)?.to_owned();
        return Ok(Account { mchid, sub_mchid: Some(fields.required("sub_mchid", 32)?.to_owned()) });
    }
    Ok(Account { mchid: fields.required("mchid", 32)?.to_owned(), sub_mchid: None })
}

/// Reads and checks the parties of a query string.
pub(super) fn of_query(call: &Call<'_>, moment: Moment<'_>) -> Result<Account, Refusal> {
    let account = if call.partner {
        call.query.only_known(&["sp_mchid", "sub_mchid"])?;
        let sub_mchid = call.query.required("sub_mchid")?.to_owned();
        Account { mchid: call.query.required("sp_mchid")?.to_owned(), sub_mchid: Some(sub_mchid) }
    } else {
        call.query.only_known(&["mchid"])?;
        Account { mchid: call.query.required("mchid")?.to_owned(), sub_mchid: None }
    };
    check(call, &account, moment)?;
    Ok(account)
}

/// The signer must be who the request names, and its shop one of its own.
pub(super) fn check(call: &Call<'_>, account: &Account, moment: Moment<'_>) -> Result<(), Refusal> {
    if account.mchid != call.mchid {
        return Err(Refusal::new(400, "PARAM_ERROR", "http header中的mchid与post payload中的mchid不匹配"));
    }
    let Some(sub_mchid) = &account.sub_mchid else {
        return Ok(());
    };
    if *sub_mchid == account.mchid {
        return Err(Refusal::new(400, "INVALID_REQUEST", "特约商户号不能是服务商商户号"));
    }
    let related = account.mchid == moment.options.mchid && moment.options.sub_mchids.contains(sub_mchid);
    if related { Ok(()) } else { Err(Refusal::new(403, "NO_AUTH", "特约商户与服务商没有受理关系")) }
}

impl Parties {
    /// As [`check`], and the application must be bound to the merchant.
    pub(super) fn check(&self, call: &Call<'_>, moment: Moment<'_>) -> Result<(), Refusal> {
        check(call, &self.account, moment)?;
        if self.appid.as_ref().is_some_and(|appid| *appid != moment.options.appid) {
            return Err(Refusal::new(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配，请检查后再试"));
        }
        Ok(())
    }
}
