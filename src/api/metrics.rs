//! The numbers of this run in Prometheus' text format, version 0.0.4. Money is not counted here: the journal does that.

use std::fmt::Write;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Api;
use super::problem::Problem;
use crate::daemon::metrics::Metrics;
use crate::daemon::notices::ChannelNews;
use crate::daemon::slots::SlotStatus;
use crate::daemon::terminal::Status;
use crate::journal::SyncCounts;
use crate::sync::status::LinkNews;

/// `GET /metrics`
pub(super) async fn show(State(api): State<Api>) -> Result<Response, Problem> {
    let status = api.terminal.status().await?;
    let mut text = text(api.terminal.metrics(), &status);
    let waiting = api.terminal.refunds_waiting().await?;
    one(&mut text, "till_refunds_waiting", "gauge", "Refunds that wait for a second person's decision.", waiting);
    news(&mut text, api.terminal.news());
    queue(&mut text, &api.terminal.sync_counts().await?, &api.terminal.link());
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// The whole page.
#[must_use]
pub fn text(metrics: &Metrics, status: &Status) -> String {
    let mut page = String::new();
    counters(&mut page, metrics);
    let gauge = |page: &mut String, name, help, value: u64| one(page, name, "gauge", help, value);
    gauge(&mut page, "till_selling", "1 while a buyer can be served.", u64::from(status.blocking.is_none()));
    gauge(&mut page, "till_clock_trusted", "1 while the wall clock is believed.", u64::from(status.wall.trusted));
    gauge(&mut page, "till_scanner_armed", "1 while the scanner lets codes through.", u64::from(status.scanner_armed));
    gauge(&mut page, "till_journal_newest_seq", "Place of the newest journal entry.", status.last_seq);
    gauge(&mut page, "till_uptime_seconds", "Seconds since the daemon started.", status.up_ms / 1000);
    heading(&mut page, "till_orders_open", "gauge", "Orders of which anything is still to be done, by state.");
    for (state, count) in &status.open {
        sample(&mut page, "till_orders_open", "state", state.name(), *count);
    }
    let slots = |which: fn(&SlotStatus) -> bool| count(status.slots.iter().filter(|slot| which(slot)).count());
    gauge(&mut page, "till_slots_blocked", "Slots that a fault blocks.", slots(|slot| slot.blocked));
    gauge(&mut page, "till_slots_sold_out", "Slots in which nothing is left.", slots(|slot| slot.count.is_sold_out()));
    heading(&mut page, "till_fault", "gauge", "1 for every fault that stands.");
    for fault in &status.faults {
        sample(&mut page, "till_fault", "name", &fault.name(), 1);
    }
    page
}

/// What channels tell besides the sales. What is not known has no sample.
fn news(page: &mut String, news: &ChannelNews) {
    let mut gauge = |name, help, value: u64| one(page, name, "gauge", help, value);
    let (alarms, dropped) = news.alarms();
    gauge("till_alarms", "What a person should see to: `till alarms` lists it.", count(alarms.len()));
    gauge("till_alarms_dropped", "Alarms that went unseen because there were too many at once.", dropped);
    let complaints = news.complaints.borrow();
    if let Some(ms) = complaints.fetched_ms.and_then(|ms| u64::try_from(ms).ok()) {
        gauge("till_complaints_open", "Complaints of buyers, as last fetched.", count(complaints.open.len()));
        gauge("till_complaints_fetched_timestamp_seconds", "When that was, Unix time.", ms / 1_000);
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The queue to the hub, and the journal's size against its limit. What is not known has no sample.
fn queue(page: &mut String, counts: &SyncCounts, (link, limit_bytes): &(LinkNews, u64)) {
    let mut gauge = |name, help, value: u64| one(page, name, "gauge", help, value);
    gauge("till_queue_waiting_entries", "Journal entries that the hub does not have.", counts.waiting);
    gauge("till_queue_acknowledged_seq", "Place up to which the hub has the journal.", counts.acknowledged);
    gauge("till_queue_set_aside_entries", "Entries that the hub refused for good.", counts.set_aside);
    gauge("till_journal_used_bytes", "What the journal takes of the disk.", counts.used_bytes);
    if *limit_bytes < u64::MAX {
        gauge("till_journal_limit_bytes", "At so much the terminal stops selling.", *limit_bytes);
    }
    if let Some(ms) = link.last_success_ms.and_then(|ms| u64::try_from(ms).ok()) {
        gauge("till_hub_last_success_timestamp_seconds", "When the hub last answered, Unix time.", ms / 1_000);
    }
    heading(page, "till_hub_link", "gauge", "1 for what the link to the hub does.");
    sample(page, "till_hub_link", "state", link.state.name(), 1);
}

fn counters(page: &mut String, metrics: &Metrics) {
    let rows = [
        ("till_journal_commits_total", "Commits of the journal.", &metrics.commits),
        ("till_journal_entries_total", "Entries written to the journal.", &metrics.entries),
        ("till_journal_commits_failed_total", "Writes that the disk refused.", &metrics.commits_failed),
        ("till_channel_calls_total", "Calls to channels.", &metrics.calls),
        ("till_channel_calls_in_doubt_total", "Calls to channels without a usable reply.", &metrics.calls_in_doubt),
        ("till_scans_total", "Codes read while the scanner was armed.", &metrics.scans),
        ("till_vends_total", "Motors started.", &metrics.vends),
        ("till_vends_failed_total", "Items that did not fall.", &metrics.vends_failed),
        ("till_loop_turns_total", "Turns of the loop.", &metrics.turns),
        ("till_frames_total", "Pictures drawn.", &metrics.frames),
        ("till_requests_refused_total", "Requests turned away because too many waited.", &metrics.requests_refused),
    ];
    for (name, help, counter) in rows {
        one(page, name, "counter", help, counter.get());
    }
}

fn one(page: &mut String, name: &str, kind: &str, help: &str, value: u64) {
    heading(page, name, kind, help);
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{name} {value}");
}

fn heading(page: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn sample(page: &mut String, name: &str, label: &str, value: &str, number: u64) {
    let _ = writeln!(page, "{name}{{{label}=\"{value}\"}} {number}");
}
