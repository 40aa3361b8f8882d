//! `alipay.data.dataservice.bill.downloadurl.query`: where a day's bill lies, for 30 seconds (reference/alipay.md 5.9).

use super::super::bill::{BillLink, has_rows};
use super::super::china_time;
use super::super::common::Biz;
use super::super::fields;
use super::super::refusal::Refusal;
use super::super::world::World;
use super::{Moment, Node, put, success};

/// How long the address lives.
const LIFE_MS: i64 = 30_000;
/// When the bill of a day is there: 09:00 of the next day.
const READY_MS: i64 = china_time::DAY_MS + 9 * 60 * china_time::MINUTE_MS;

pub(super) fn execute(world: &mut World, biz: &Biz, moment: Moment<'_>) -> Result<Node, Refusal> {
    fields::only_known(biz, &["bill_type", "bill_date", "smid"])?;
    match fields::required(biz, "bill_type", 20)? {
        "trade" => {}
        _ => return Err(Refusal::business("TYPE_NOT_SUPPORTED", "the sandbox makes bills of the type trade only")),
    }
    let day = day(fields::required(biz, "bill_date", 15)?, moment)?;
    if !moment.options.bill_of_today && moment.now < day + READY_MS {
        return Err(not_exist());
    }
    if has_rows(world, moment.options, day) {
        return Ok(link(world, day, moment));
    }
    if !moment.options.empty_bill_file {
        return Err(not_exist());
    }
    let mut node = success();
    put(&mut node, "bill_file_code", "EMPTY_DATA_WITH_BILL_FILE");
    Ok(node)
}

/// The beginning of a day before today; today too where that is set.
fn day(text: &str, moment: Moment<'_>) -> Result<i64, Refusal> {
    let invalid = || Refusal::business("INVAILID_ARGUMENTS", "入参不合法：bill_date yyyy-MM-dd, before today");
    let day = china_time::read(&format!("{text} 00:00:00")).ok_or_else(invalid)?;
    let is_past = moment.options.bill_of_today || china_time::midnight_after(day) <= moment.now;
    is_past.then_some(day).ok_or_else(invalid)
}

fn not_exist() -> Refusal {
    Refusal::business("isp.bill_not_exist", "账单不存在")
}

fn link(world: &mut World, day: i64, moment: Moment<'_>) -> Node {
    let token = format!("{:016x}", world.next());
    let date = china_time::day(day);
    let seller = &moment.options.seller_id;
    let url = format!(
        "http://{}/downloadBillFile.resource?bizType=trade&userId={seller}0156&fileType=csv.zip&bizDates={date}\
         &downloadFileName={seller}0156_{date}.csv.zip&timestamp={}&token={token}",
        world.address, moment.now
    );
    world.bill_links.retain(|_, link| link.expires_at > moment.now);
    world.bill_links.insert(token, BillLink { day, expires_at: moment.now + LIFE_MS });
    let mut node = success();
    put(&mut node, "bill_download_url", url);
    node
}
