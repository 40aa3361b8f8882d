//! Every synthetic statement is read in full, in each of its containers, and what is wrong is refused or said.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{Cursor, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use books::statement::{Kind, Remark, Source, Standing, Statement, Trouble, Unit, Unreadable, read};
use encoding_rs::GBK;
use flate2::Compression;
use flate2::write::GzEncoder;
use payment::channel::allinpay::vsp::cancel_number;
use payment::ids::AttemptId;
use payment::money::Fen;
use serde_json::Value;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/statements.json")).unwrap()
}

fn text(pointer: &str) -> String {
    vectors().pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer}")).to_owned()
}

fn bytes(pointer: &str) -> Vec<u8> {
    STANDARD.decode(text(pointer)).unwrap()
}

fn gbk(text: &str) -> Vec<u8> {
    GBK.encode(text).0.into_owned()
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Kind, fen, fee, our number, our refund's number and the channel's number of each line.
type Short<'a> = (Kind, i64, Option<i64>, Option<&'a str>, Option<&'a str>, Option<&'a str>);

fn short(statement: &Statement) -> Vec<Short<'_>> {
    let of = |line: &books::statement::Line| (line.kind, line.amount.get(), line.fee.map(Fen::get));
    let lines = statement.lines.iter();
    lines
        .map(|line| {
            let ((kind, amount, fee), numbers) = (of(line), &line.numbers);
            (kind, amount, fee, numbers.ours.as_deref(), numbers.refund_ours.as_deref(), numbers.channel.as_deref())
        })
        .collect()
}

fn alipay_details() -> String {
    encoding_rs::GB18030.decode(&bytes("/alipay/detail_csv_gbk_b64")).0.into_owned()
}

#[test]
fn alipays_bill_is_read_with_its_sums() {
    let statement = read(Source::AlipayTrade, &bytes("/alipay/zip_b64")).unwrap();
    let trade = "2025053122001400001000000001";
    assert_eq!(
        short(&statement),
        [
            (Kind::Payment, 350, Some(2), Some("VM0001_20250531100000_000001"), None, Some(trade)),
            (
                Kind::Payment,
                200,
                Some(1),
                Some("VM0001_20250531110000_000002"),
                None,
                Some("2025053122001400001000000002")
            ),
            (Kind::Refund, 350, Some(-2), Some("VM0001_20250531100000_000001"), Some("RF0001"), Some(trade)),
        ]
    );
    assert_eq!(statement.lines[0].cells.get("商品名称"), Some("可乐 330ml"));
    assert_eq!(statement.lines[0].at.text, "2025-05-31 10:00:05");
    assert_eq!(statement.lines[0].at.ms, Some(1_748_656_805_000));
    let (first, last) = statement.days().unwrap();
    assert_eq!((first.to_string(), last), ("2025-05-31".to_owned(), first));
    assert_eq!(statement.totals.len(), 7, "{:?}", statement.totals);
    assert_eq!(statement.remarks, [], "a whole file leaves no doubt");
}

#[test]
fn alipays_detail_alone_is_read_too() {
    let statement = read(Source::AlipayTrade, &bytes("/alipay/detail_csv_gbk_b64")).unwrap();
    assert_eq!((statement.lines.len(), statement.totals.len()), (3, 4));
}

#[test]
fn commas_in_the_goods_names_move_no_cell() {
    for goods in ["可乐,330ml,冰", "\"可乐,330ml\"", "5\"螺丝", "\"可乐\""] {
        let details = alipay_details().replacen("可乐 330ml", goods, 1);
        let statement = read(Source::AlipayTrade, &gbk(&details)).unwrap();
        assert_eq!(statement.lines[0].amount, Fen::new(350), "{goods}");
        assert_eq!(statement.lines[0].fee, Some(Fen::new(2)), "{goods}");
        let wanted = if goods.starts_with('"') { goods.trim_matches('"') } else { goods };
        assert_eq!(statement.lines[0].cells.get("商品名称"), Some(wanted));
        assert_eq!(statement.remarks, [], "{goods}");
    }
}

#[test]
fn more_columns_and_an_empty_end_are_no_trouble() {
    let more: String = alipay_details()
        .lines()
        .map(|line| if line.starts_with('#') { format!("{line}\r\n") } else { format!("新列,{line},\r\n") })
        .collect();
    let statement = read(Source::AlipayTrade, &gbk(&more)).unwrap();
    assert_eq!(statement.lines[2].numbers.refund_ours.as_deref(), Some("RF0001"));
    assert_eq!(statement.remarks, []);
}

#[test]
fn a_row_that_was_lost_is_found_by_the_files_own_sums() {
    let details = alipay_details();
    let lost: String =
        details.lines().filter(|line| !line.contains("矿泉水")).map(|line| format!("{line}\r\n")).collect();
    let statement = read(Source::AlipayTrade, &gbk(&lost)).unwrap();
    let wrong: Vec<&str> = statement
        .remarks
        .iter()
        .map(|remark| match remark {
            Remark::Total { name, .. } => name.as_str(),
            Remark::Row { .. } | Remark::ExtraFile { .. } | Remark::Assumed { .. } => panic!("{remark}"),
        })
        .collect();
    assert_eq!(wrong, ["交易合计笔数", "交易合计商家实收共"]);
}

#[test]
fn words_signs_and_cells_that_are_not_known_are_said_and_kept() {
    let strange =
        alipay_details().replace(",退款,", ",神秘,").replacen("-0.02", "x", 1).replacen(",2.00,2.00", ",-2.00,2.00", 1);
    let statement = read(Source::AlipayTrade, &gbk(&strange)).unwrap();
    assert_eq!(
        statement.lines.iter().map(|line| line.kind).collect::<Vec<_>>(),
        [Kind::Payment, Kind::Payment, Kind::Other]
    );
    let troubles: Vec<&Trouble> = statement
        .remarks
        .iter()
        .filter_map(|remark| match remark {
            Remark::Row { trouble, .. } => Some(trouble),
            Remark::Total { .. } | Remark::ExtraFile { .. } | Remark::Assumed { .. } => None,
        })
        .collect();
    assert!(troubles.contains(&&Trouble::Words("神秘".to_owned())));
    assert!(troubles.contains(&&Trouble::Sign));
    assert!(troubles.contains(&&Trouble::Cell { column: "服务费(元)".to_owned(), text: "x".to_owned() }));
}

#[test]
fn alipays_ledger_is_read() {
    let ledger = "#支付宝账务明细查询\r\n账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,\
                  账户余额（元）,交易渠道,业务类型,备注,业务描述\r\n\
                  L1\t,T1\t,P1\t,可乐,冰,2025-05-31 10:00:05,a***,3.50,0.00,103.50,支付宝,在线支付,,\r\n\
                  L2\t,T1\t,P1\t,可乐,2025-05-31 12:00:05,a***,,-3.50,100.00,支付宝,交易退款,,\r\n\
                  L3\t,T1\t,P1\t,,2025-05-31 12:00:06,a***,,-0.02,99.98,支付宝,收费,,\r\n";
    let statement = read(Source::AlipayLedger, &gbk(ledger)).unwrap();
    let kinds: Vec<_> = statement.lines.iter().map(|line| (line.kind, line.amount.get())).collect();
    assert_eq!(kinds, [(Kind::Payment, 350), (Kind::Refund, 350), (Kind::Other, 2)]);
    assert_eq!(statement.lines[0].numbers.ours.as_deref(), Some("P1"));
    assert_eq!(statement.remarks, [], "a ledger has other movements by nature");
}

fn wechat_lines() -> [Short<'static>; 2] {
    let (ours, trade) = ("VM0001-20260528-000001", "4200001234202605280000000001");
    [
        (Kind::Payment, 350, Some(2), Some(ours), None, Some(trade)),
        (Kind::Refund, 350, Some(-2), Some(ours), Some("R-VM0001-20260528-000001-1"), Some(trade)),
    ]
}

#[test]
fn wechats_bill_is_read_plain_or_packed_with_or_without_its_mark() {
    let plain = text("/wechat/0/uncompressed_text");
    let bare = plain.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let forms =
        [bytes("/wechat/0/gzip_base64"), plain.clone().into_bytes(), bare.into_bytes(), gzipped(plain.as_bytes())];
    for form in forms {
        let statement = read(Source::WechatTrade, &form).unwrap();
        assert_eq!(short(&statement), wechat_lines());
        assert_eq!(statement.lines[1].numbers.refund_channel.as_deref(), Some("50300001232026052800000000001"));
        assert_eq!(statement.lines[1].standing, Standing::Done);
        assert_eq!(statement.lines[1].words, "REFUND SUCCESS");
        assert_eq!(statement.totals.len(), 7);
        assert_eq!(statement.remarks, []);
    }
}

#[test]
fn wechats_other_layouts_are_read_by_their_headings() {
    let success = "交易时间,微信订单号,商户订单号,交易状态,应结订单金额,代金券金额,商品名称,手续费,订单金额\n\
                   `2026-05-28 10:01:02,`4200,`P1,`SUCCESS,`3.00,`0.50,`可乐, 冰`,`0.02000,`3.50\n\
                   总交易单数,应结订单总金额,退款总金额,手续费总金额,订单总金额,申请退款总金额\n`1,`3.00,`0.00,`0.02000,`3.50,`0.00\n";
    let statement = read(Source::WechatTrade, success.as_bytes()).unwrap();
    assert_eq!(short(&statement), [(Kind::Payment, 350, Some(2), Some("P1"), None, Some("4200"))]);
    assert_eq!(statement.remarks, []);

    let old = "交易时间,公众账号ID,微信订单号,商户订单号,交易状态,总金额,微信退款单号,商户退款单号,退款金额,退款状态,手续费\n\
               `2016-05-28 10:01:02,`wx,`4200,`P1,`SUCCESS,`3.50,`0,`0,`0.00,`,`0.02100\n\
               `2016-05-28 10:01:02,`wx,`4200,`P1,`REFUND,`0.00,`50300,`R1,`1.50,`PROCESSING,`0.00000\n\
               `2016-05-28 10:01:02,`wx,`4300,`P2,`REVOKED,`0.00,`0,`0,`2.50,`,`0.00000\n";
    let statement = read(Source::WechatTrade, old.as_bytes()).unwrap();
    assert_eq!(
        short(&statement),
        [
            (Kind::Payment, 350, None, Some("P1"), None, Some("4200")),
            (Kind::Refund, 150, Some(0), Some("P1"), Some("R1"), Some("4200")),
            (Kind::Reversal, 250, Some(0), Some("P2"), None, Some("4300")),
        ]
    );
    assert_eq!(statement.lines[1].standing, Standing::Pending);
    let fine = Remark::Row { row: 2, trouble: Trouble::FineFee("0.02100".to_owned()) };
    assert_eq!(statement.remarks, [fine], "a fee finer than a fen is said, not rounded");
}

#[test]
fn wechats_fund_flow_is_read_with_its_sums() {
    let plain = text("/wechat/1/uncompressed_text");
    let statement = read(Source::WechatFundFlow, plain.as_bytes()).unwrap();
    let trade = "4200001234202605280000000001";
    assert_eq!(
        short(&statement),
        [
            (Kind::Payment, 350, Some(0), None, None, Some(trade)),
            (Kind::Refund, 350, Some(0), None, Some("R-VM0001-20260528-000001-1"), None),
        ]
    );
    assert_eq!((statement.totals.len(), statement.remarks.len()), (5, 0));

    let less_fee = plain.replacen("收入,`3.50", "收入,`3.48", 1).replacen("含手续费 0.00", "含手续费 0.02", 1);
    let statement = read(Source::WechatFundFlow, less_fee.as_bytes()).unwrap();
    assert_eq!((statement.lines[0].amount, statement.lines[0].fee), (Fen::new(350), Some(Fen::new(2))));
    assert_eq!(statement.remarks.len(), 1, "and the sum of what came in is not the rows' any more");
}

fn vsp(kinds: &Statement) -> Vec<(Kind, i64, Option<i64>)> {
    kinds.lines.iter().map(|line| (line.kind, line.amount.get(), line.fee.map(Fen::get))).collect()
}

#[test]
fn vsps_statement_is_read_by_headings_or_by_place() {
    let packed = read(Source::Vsp(Unit::default()), &bytes("/vsp/zip_base64")).unwrap();
    let expected = [(Kind::Payment, 350, Some(2)), (Kind::Refund, 350, Some(-2))];
    assert_eq!(vsp(&packed), expected);
    assert_eq!(packed.lines[0].numbers.ours.as_deref(), Some("VM0001-20260528-000001"));
    assert_eq!(packed.lines[1].numbers.refund_ours.as_deref(), Some("R-VM0001-20260528-000001-1"));
    assert!(packed.lines[0].numbers.all().any(|number| number == "260528110000000001"));
    assert!(packed.remarks.iter().all(|remark| !remark.is_doubt()));

    let whole = text("/vsp/text");
    let (_, rows) = whole.split_once("\r\n").unwrap();
    let placed = read(Source::Vsp(Unit::Yuan), &zipped(&[("a.csv", &gbk(rows))])).unwrap();
    assert_eq!(vsp(&placed), expected);
    assert_eq!(placed.remarks.len(), 1, "reading by place is said");
}

/// A cancel has a number of its own; the attempt's follows from it.
#[test]
fn vsps_return_of_an_undone_attempt_names_the_attempt() {
    let attempt = AttemptId::from_entropy([7; 16]);
    let cancel = cancel_number(attempt);
    let text = text("/vsp/text").replace("R-VM0001-20260528-000001-1", &cancel);
    let statement = read(Source::Vsp(Unit::Yuan), &gbk(&text)).unwrap();
    let numbers = &statement.lines[1].numbers;
    assert_eq!((numbers.ours.as_deref(), &numbers.refund_ours), (Some(attempt.as_str()), &None));
    assert!(numbers.all().any(|number| number == cancel), "a person finds the row by what stands in it");
}

#[test]
fn vsps_unit_and_sign_are_taken_both_ways_but_never_mixed() {
    let fen = text("/vsp/text").replace("-3.50,-0.02", "350,2").replace("3.50,0.02", "350,2");
    let read_as = |text: &str, unit| read(Source::Vsp(unit), &gbk(text));
    let by_point = read_as(&fen, Unit::ByPoint).unwrap();
    assert_eq!(vsp(&by_point), [(Kind::Payment, 350, Some(2)), (Kind::Refund, 350, Some(2))]);
    assert_eq!(vsp(&read_as(&fen, Unit::Fen).unwrap()), vsp(&by_point));
    assert_eq!(vsp(&read_as(&fen, Unit::Yuan).unwrap())[0].1, 35_000);

    let mixed = text("/vsp/text").replacen("3.50,0.02", "350,2", 1);
    assert_eq!(read_as(&mixed, Unit::ByPoint), Err(Unreadable::MixedUnits { row: 3 }));
    let as_fen = read_as(&text("/vsp/text"), Unit::Fen).unwrap();
    assert_eq!(vsp(&as_fen)[0].0, Kind::Other, "3.50 is no number of fen");
    assert!(as_fen.remarks.iter().any(Remark::is_doubt));
}

#[test]
fn ysts_txt_is_read_with_all_its_numbers() {
    let statement = read(Source::Yst(Unit::default()), text("/yst/text").as_bytes()).unwrap();
    let (ours, order) = ("VM0001-20260528-000001", "20260528100102208500000001");
    assert_eq!(
        short(&statement),
        [
            (Kind::Payment, 350, Some(2), Some(ours), None, Some(order)),
            (Kind::Refund, 350, Some(0), Some(ours), Some("R-VM0001-20260528-000001-1"), Some(order)),
        ]
    );
    assert_eq!(statement.lines[1].numbers.refund_channel.as_deref(), Some("20260528100540229400000002"));
    assert_eq!(statement.lines[0].numbers.acquirer.as_deref(), Some("260528110000000001"));
    assert_eq!(statement.remarks, []);
}

#[test]
fn a_txt_without_its_first_line_loses_no_trade() {
    let whole = text("/yst/text");
    let (_, rows) = whole.split_once('\n').unwrap();
    let strange = rows.replacen("|2294|", "|2297|", 1);
    let statement = read(Source::Yst(Unit::default()), strange.as_bytes()).unwrap();
    assert_eq!(statement.lines.len(), 2);
    assert_eq!(statement.lines[1].kind, Kind::Other, "2297 is listed without a meaning");
    assert_eq!(statement.remarks.len(), 2);
}

#[test]
fn what_is_no_statement_is_refused_with_its_reason() {
    let no_trades = br#"{"code":"NO_STATEMENT_EXIST","message":"x"}"#;
    assert!(matches!(read(Source::WechatTrade, no_trades), Err(Unreadable::Answer { .. })));
    assert!(matches!(read(Source::WechatTrade, b"<xml></xml>"), Err(Unreadable::Answer { .. })));
    assert_eq!(read(Source::AlipayTrade, b""), Err(Unreadable::Empty));
    let utf8 = alipay_details();
    assert_eq!(read(Source::AlipayTrade, utf8.as_bytes()), Err(Unreadable::Encoding { wanted: "GBK" }));
    let wechat_in_gbk = gbk(&text("/wechat/0/uncompressed_text").replace('\u{feff}', ""));
    assert_eq!(read(Source::WechatTrade, &wechat_in_gbk), Err(Unreadable::Encoding { wanted: "UTF-8" }));
    let lacking = alipay_details().replace("订单金额（元）", "金额");
    let Err(Unreadable::Columns { missing, .. }) = read(Source::AlipayTrade, &gbk(&lacking)) else { panic!() };
    assert_eq!(missing, ["订单金额(元)"]);
    let other_kind = read(Source::AlipayLedger, &bytes("/alipay/zip_b64"));
    assert!(matches!(other_kind, Err(Unreadable::Columns { .. })));
    let no_amount = "交易时间,微信订单号,商户订单号,交易状态\n`2026-05-28 10:01:02,`4200,`P1,`SUCCESS\n";
    assert!(matches!(read(Source::WechatTrade, no_amount.as_bytes()), Err(Unreadable::Columns { .. })));
    assert!(matches!(read(Source::Yst(Unit::Fen), b"hello\n"), Err(Unreadable::Columns { .. })));
}

#[cfg(not(feature = "xlsx"))]
#[test]
fn a_build_without_excel_says_so() {
    let excel = zipped(&[("[Content_Types].xml", b"<x/>")]);
    assert_eq!(read(Source::Yst(Unit::Yuan), &excel), Err(Unreadable::NoExcel));
}

#[test]
fn a_locked_archive_is_refused() {
    let mut locked = bytes("/alipay/zip_b64");
    let central = locked.windows(4).position(|part| part == b"PK\x01\x02").unwrap();
    locked[central + 8] |= 1;
    assert!(matches!(read(Source::AlipayTrade, &locked), Err(Unreadable::Locked { .. })));
}

#[test]
fn archives_that_are_damaged_or_swell_are_refused() {
    let mut cut = bytes("/alipay/zip_b64");
    cut.truncate(cut.len() / 2);
    assert!(matches!(read(Source::AlipayTrade, &cut), Err(Unreadable::Damaged { .. })));
    let gz = bytes("/wechat/0/gzip_base64");
    assert!(matches!(read(Source::WechatTrade, &gz[..gz.len() - 20]), Err(Unreadable::Damaged { .. })));
    let zeros = vec![b' '; books::statement::UNPACKED_MAX + 1];
    let bomb = zipped(&[("a.csv", &zeros)]);
    assert!(bomb.len() < 1_000_000);
    let limit = books::statement::UNPACKED_MAX;
    assert_eq!(read(Source::AlipayTrade, &bomb), Err(Unreadable::TooLarge { limit }));
    assert_eq!(read(Source::WechatTrade, &gzipped(&zeros)), Err(Unreadable::TooLarge { limit }));
    let names: Vec<String> = (0..300).map(|number| format!("{number}.csv")).collect();
    let crowd: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"x".as_slice())).collect();
    assert!(matches!(read(Source::AlipayTrade, &zipped(&crowd)), Err(Unreadable::Damaged { .. })));
    let rows = "x\n".repeat(books::statement::ROWS_MAX + 1);
    let too_many = Unreadable::TooManyRows { limit: books::statement::ROWS_MAX };
    assert_eq!(read(Source::WechatTrade, rows.as_bytes()), Err(too_many));
}

/// Small, seeded, not for secrets.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next()).unwrap() % limit
    }
}

const SOURCES: [Source; 8] = [
    Source::AlipayTrade,
    Source::AlipayLedger,
    Source::WechatTrade,
    Source::WechatFundFlow,
    Source::Vsp(Unit::ByPoint),
    Source::Vsp(Unit::Fen),
    Source::Yst(Unit::ByPoint),
    Source::Yst(Unit::Yuan),
];

#[test]
fn no_bytes_make_the_reader_panic() {
    let seeds = [
        bytes("/alipay/zip_b64"),
        bytes("/alipay/detail_csv_gbk_b64"),
        bytes("/wechat/0/gzip_base64"),
        text("/wechat/0/uncompressed_text").into_bytes(),
        text("/wechat/1/uncompressed_text").into_bytes(),
        bytes("/vsp/zip_base64"),
        gbk(&text("/vsp/text")),
        text("/yst/text").into_bytes(),
    ];
    let mut random = Random(20_260_528);
    for round in 0..2_400 {
        let mut mangled = seeds[round % seeds.len()].clone();
        for _ in 0..=random.below(6) {
            let at = random.below(mangled.len());
            let last = mangled.len() - 1;
            match random.below(5) {
                0 => mangled.truncate(at.max(1)),
                1 => drop(mangled.remove(at.min(last))),
                2 => mangled.insert(at, b",|`\"\n\t-.0#"[random.below(10)]),
                _ => mangled[at.min(last)] = u8::try_from(random.below(256)).unwrap(),
            }
            if mangled.is_empty() {
                break;
            }
        }
        for source in SOURCES {
            if let Err(reason) = read(source, &mangled) {
                assert!(!reason.to_string().is_empty());
            }
        }
    }
}
