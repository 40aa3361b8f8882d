//! Notices, the alarms that they raise, and the list of complaints.

use std::sync::Arc;

use payment::channel::ChannelId;
use sandbox::wechat::{Changes, Notice};
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};

use super::http::{Answer, ask};
use super::machine::Machine;
use crate::daemon::alarms::Alarms;
use crate::daemon::clock::Timekeeper;
use crate::daemon::complaints::{Complaints, OpenComplaint};
use crate::daemon::notices::{ChannelNews, Notices};
use crate::http::tests::wechat::Shop;

/// A machine with WeChat Pay, and what its leaf would tell of complaints.
pub struct Told {
    pub machine: Machine,
    pub complaints: watch::Sender<Complaints>,
    shop: Shop,
    look: Arc<Notify>,
}

impl Told {
    pub async fn start() -> Self {
        Self::with_clock(true).await
    }

    async fn with_clock(believed: bool) -> Self {
        let (shop, look, alarms) = (Shop::new().await, Arc::new(Notify::new()), Alarms::default());
        let mut clock = Timekeeper::start(None, false, 5_000);
        let channels = shop.channels.clone().telling(clock.clock().dates());
        if believed {
            channels.ask_time().await.expect("the channel's word");
            let _asked = clock.attend();
        }
        let clock = clock.clock().clone();
        let notices = Notices { channels, clock, alarms: alarms.clone(), look: Arc::clone(&look) };
        let (complaints, seen) = watch::channel(Complaints::default());
        let news = ChannelNews { complaints: seen, alarms, notices: Some(notices) };
        Self { machine: Machine::start_with_news(news).await, complaints, shop, look }
    }

    /// A watch on the channel: it tells of every call from now on.
    pub fn calls(&self) -> Changes {
        self.shop.gateway.control().changes()
    }

    pub fn warning(&self) -> Notice {
        let plain = json!({ "risk_description": "涉嫌欺诈", "punish_description": "关闭支付权限" });
        self.shop.gateway.control().event_notice("VIOLATION.PUNISH", "violation", plain).unwrap()
    }

    /// As the operator's reverse proxy forwards it.
    pub async fn forwards(&self, notice: &Notice) -> Answer {
        let headers: String = notice.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        ask(&self.machine.socket, "POST", "/v1/notices/wechat", &headers, &notice.body).await
    }

    async fn alarms(&self) -> Value {
        self.machine.get("/v1/alarms").await.json()["alarms"].clone()
    }

    pub async fn warn(&self) -> String {
        self.forwards(&self.warning()).await.json()["notice"].as_str().unwrap().to_owned()
    }
}

pub fn complaint(attempt: &str) -> OpenComplaint {
    let [id, at, detail] =
        ["200000020221020220032600130840", "2026-05-28T10:00:00+08:00", "没有出货"].map(str::to_owned);
    let attempts = vec![attempt.to_owned()];
    OpenComplaint { channel: ChannelId::Wechat, id, at, detail, attempts, awaits_answer: true }
}

#[tokio::test]
async fn a_notice_that_warns_is_an_alarm_until_a_person_ends_it() {
    let told = Told::start().await;
    let notice = told.warning();
    let taken = told.forwards(&notice).await.json();
    assert_eq!((&taken["became"], &taken["event"]), (&"alarm".into(), &"VIOLATION.PUNISH".into()), "{taken}");
    assert_eq!(told.forwards(&notice).await.json()["became"], "known");
    let alarms = told.alarms().await;
    assert!(alarms[0]["text"].as_str().unwrap().contains("涉嫌欺诈"), "{alarms}");

    let terminal = told.machine.get("/v1/terminal").await.json();
    assert_eq!((&terminal["selling"], &terminal["alarms"][0]["name"]), (&true.into(), &alarms[0]["id"]), "{terminal}");
    let metrics = told.machine.get("/metrics").await.text();
    assert!(metrics.contains("\ntill_alarms 1\n"), "{metrics}");

    let path = format!("/v1/alarms/{}", alarms[0]["id"].as_str().unwrap());
    assert_eq!(told.machine.send("DELETE", &path).await.json()["alarms"], json!([]));
    told.machine.send("DELETE", &path).await.is_problem(404, "no_such_alarm");
    assert_eq!(told.forwards(&notice).await.json()["became"], "known", "it does not come back by a repetition");
    assert_eq!(told.alarms().await, json!([]));
}

#[tokio::test]
async fn a_notice_that_is_unsigned_forged_or_a_probe_changes_nothing() {
    let told = Told::start().await;
    let good = told.warning();
    let with = |name: &str, value: Option<&str>| {
        let mut notice = good.clone();
        notice.headers.retain(|(known, _)| known != name);
        notice.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        notice
    };
    let forged = Notice { body: good.body.replace("商户通知", "商户告知"), ..good.clone() };
    let old = (wall_seconds(&good) - 301).to_string();
    for notice in [
        with("Wechatpay-Signature", None),
        with("Wechatpay-Signature", Some("WECHATPAY/SIGNTEST/abcd")),
        with("Wechatpay-Timestamp", Some(&old)),
        with("Wechatpay-Nonce", Some("another")),
        forged,
    ] {
        told.forwards(&notice).await.is_problem(403, "notice_not_believed");
    }
    told.forwards(&with("Wechatpay-Serial", Some("7F"))).await.is_problem(503, "notice_not_checked");
    assert_eq!(told.alarms().await, json!([]));
    assert_eq!(told.forwards(&good).await.json()["became"], "alarm", "a refusal does not use the notice up");
}

fn wall_seconds(notice: &Notice) -> i64 {
    notice.headers.iter().find(|(name, _)| name == "Wechatpay-Timestamp").unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn without_a_clock_or_a_channel_a_notice_is_not_taken() {
    let told = Told::with_clock(false).await;
    let refused = told.forwards(&told.warning()).await;
    assert!(refused.header("retry-after").is_some());
    refused.is_problem(503, "notice_not_checked");
    assert_eq!(told.alarms().await, json!([]));
    Machine::start().await.post("/v1/notices/wechat", "{}").await.is_problem(409, "no_channel");
}

#[tokio::test]
async fn a_notice_of_a_payment_is_not_believed_as_money() {
    let told = Told::start().await;
    let before = told.machine.get("/v1/terminal").await.json()["newest_seq"].clone();
    let _paid = told.shop.pay().await;
    let attempt = crate::http::tests::wechat::number();
    let notice = told.shop.gateway.control().payment_notice(&attempt).unwrap();
    assert_eq!(told.forwards(&notice).await.json()["became"], "nothing");
    assert_eq!(told.alarms().await, json!([]));
    assert_eq!(told.machine.get("/v1/terminal").await.json()["newest_seq"], before);
}

#[tokio::test]
async fn a_complaint_that_is_announced_is_an_alarm_and_has_the_list_fetched() {
    let told = Told::start().await;
    let say = |action: &str| {
        let plain = json!({ "complaint_id": "200000020221020220032600130840", "action_type": action });
        told.shop.gateway.control().event_notice("COMPLAINT.CREATE", "complaint", plain).unwrap()
    };
    assert_eq!(told.forwards(&say("CREATE_COMPLAINT")).await.json()["became"], "alarm");
    told.look.notified().await;
    assert_eq!(told.forwards(&say("MERCHANT_RESPONSE")).await.json()["became"], "nothing", "we know what we did");
    told.look.notified().await;
}

#[tokio::test]
async fn open_complaints_are_an_alarm_that_ends_by_itself_and_say_whose_they_are() {
    let told = Told::start().await;
    let order = told.machine.order_of_slot_12().await;
    let order = told.machine.get(&format!("/v1/orders/{order}")).await.json();
    let ours = order["attempts"][0]["number"].as_str().unwrap();
    let open = vec![complaint(ours), OpenComplaint { id: "3".to_owned(), ..complaint("P2") }];
    told.complaints.send_modify(|known| {
        *known = Complaints { asked: vec![ChannelId::Wechat], open, fetched_ms: Some(1_000), trouble: None };
    });
    let listed = told.machine.get("/v1/complaints").await.json();
    assert_eq!((&listed["complaints"][0]["own"], &listed["complaints"][1]["own"]), (&true.into(), &false.into()));
    assert_eq!(listed["fetched_at"], "1970-01-01T00:00:01.000Z");
    assert_eq!(told.alarms().await[0]["id"], "complaints");
    told.machine.send("DELETE", "/v1/alarms/complaints").await.is_problem(409, "fault_not_by_hand");
    told.complaints.send_modify(|known| known.open.clear());
    assert_eq!(told.alarms().await, json!([]));
}
