//! Notices of channels, and the alarms that they raise.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::body::{AsItCame, Named};
use super::problem::{Code, Problem};
use super::wire::alarms::AlarmList;
use crate::daemon::notices::{COMPLAINTS, NotTaken, Taken};

/// `POST /v1/notices/wechat`: the body and the headers exactly as WeChat Pay sent them.
pub(super) async fn take(State(api): State<Api>, came: AsItCame) -> Result<Json<Taken>, Problem> {
    Ok(Json(api.terminal.news().take(&came.headers, &came.body)?))
}

/// `GET /v1/alarms`
pub(super) async fn list(State(api): State<Api>) -> Json<AlarmList> {
    let (alarms, dropped) = api.terminal.news().alarms();
    Json(AlarmList { alarms, dropped })
}

/// `DELETE /v1/alarms/{name}`: a person has seen to it.
pub(super) async fn end(State(api): State<Api>, Named(name): Named) -> Result<Json<AlarmList>, Problem> {
    if name == COMPLAINTS {
        let detail = "this alarm ends by itself when the complaints are dealt with in the merchant portal";
        return Err(Problem::new(Code::FaultNotByHand, detail));
    }
    if !api.terminal.news().alarms.end(&name) {
        let shown: String = name.chars().take(64).collect();
        let detail = format!("there is no alarm {shown:?}; GET /v1/alarms lists those that stand");
        return Err(Problem::new(Code::NoSuchAlarm, detail));
    }
    Ok(list(State(api)).await)
}

impl From<NotTaken> for Problem {
    fn from(why: NotTaken) -> Self {
        let code = match why {
            NotTaken::NoChannel => Code::NoChannel,
            NotTaken::Clock | NotTaken::Key(_) => Code::NoticeNotChecked,
            NotTaken::NotBelieved(_) => Code::NoticeNotBelieved,
        };
        Self::new(code, why.to_string())
    }
}
