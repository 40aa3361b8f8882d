use super::*;
use crate::reconcile::{Books, Date, Entry, EntryKind, Files, State, reconcile};
use crate::statement::{Numbers, Source, Statement};
use payment::channel::ChannelId;

fn sheet() -> Sheet {
    let mut sheet = Sheet::new("订单", &["单号", "金额（元）", "笔数", "备注"]);
    let row = |number: &str, fen, note: &str| {
        vec![Cell::text(number), Cell::Money(Fen::new(fen)), Cell::Count(1), Cell::text(note)]
    };
    sheet.rows = vec![
        row("4200001234202605280000000001", 350, "可乐, \"冰\"\n两行"),
        row("P1", -1, "=HYPERLINK(\"x\")"),
        row("007", 123_456_789, "-3.50"),
        row("260528", 0, "+cmd|x"),
        row("a", 5, "@SUM(A1)"),
        row("b", 5, "  =1+1"),
    ];
    sheet
}

fn rows_of(bytes: &[u8]) -> Vec<Vec<String>> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap();
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text);
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn a_csv_reads_back_as_it_was_but_for_its_guards() {
    let rows = rows_of(&csv(&sheet()).unwrap());
    assert_eq!(rows[0], ["单号", "金额（元）", "笔数", "备注"]);
    assert_eq!(rows[1], ["4200001234202605280000000001\t", "3.50", "1", "可乐, \"冰\"\n两行"]);
    assert_eq!(rows[2], ["P1", "-0.01", "1", "'=HYPERLINK(\"x\")"]);
    assert_eq!(rows[3], ["007\t", "1234567.89", "1", "-3.50"]);
    assert_eq!(rows[4], ["260528", "0.00", "1", "'+cmd|x"]);
    assert_eq!((rows[5][3].as_str(), rows[6][3].as_str()), ("'@SUM(A1)", "'  =1+1"));
}

#[cfg(feature = "xlsx")]
#[test]
fn an_excel_reads_back_with_numbers_as_numbers_and_text_as_text() {
    use calamine::{Data, Reader, Xlsx};
    let bytes = xlsx(&[sheet(), Sheet::new("空", &["x"])]).unwrap();
    let mut book: Xlsx<_> = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
    assert_eq!(book.sheet_names(), ["订单", "空"]);
    let range = book.worksheet_range("订单").unwrap();
    let at = |row, column| range.get((row, column)).unwrap().clone();
    assert_eq!(at(1, 0), Data::String("4200001234202605280000000001".to_owned()));
    assert_eq!(at(1, 1), Data::Float(3.5));
    assert_eq!(at(2, 1), Data::Float(-0.01));
    assert_eq!(at(2, 3), Data::String("=HYPERLINK(\"x\")".to_owned()));
    assert_eq!(at(3, 0), Data::String("007".to_owned()));
    assert!(book.worksheet_formula("订单").unwrap().is_empty(), "no text became a formula");
}

#[cfg(feature = "xlsx")]
#[test]
fn what_excel_cannot_hold_is_refused() {
    let long = Sheet::new("a name that is longer than thirty-one characters", &["x"]);
    assert!(matches!(xlsx(&[long]), Err(ExportError::Excel { .. })));
    let mut wide = Sheet::new("a", &["x"]);
    wide.rows = vec![vec![Cell::Text("x".repeat(40_000))]];
    assert!(matches!(xlsx(&[wide]), Err(ExportError::Excel { .. })));
}

fn day() -> Date {
    "2026-05-28".parse().unwrap()
}

fn statement(source: Source, text: &str) -> Statement {
    crate::statement::read(source, text.as_bytes()).unwrap()
}

#[test]
fn a_report_has_a_row_for_everything_under_chinese_headings() {
    let bill = "交易时间,微信订单号,商户订单号,交易状态,订单金额\n\
                `2026-05-28 10:01:02,`4200,`P1,`SUCCESS,`3.40\n`2026-05-28 10:01:02,`4201,`P2,`ODD,`3.40\n";
    let files = [statement(Source::WechatTrade, bill)];
    let entry = |amount, ours: &str| Entry {
        kind: EntryKind::Payment,
        channel: ChannelId::Wechat,
        amount: Fen::new(amount),
        at: 1_779_933_662_000,
        numbers: Numbers { ours: Some(ours.to_owned()), ..Numbers::default() },
        state: State::Final,
    };
    let books = Books { entries: vec![entry(350, "P1"), entry(200, "P3")], ..Books::default() };
    let result = reconcile(day(), &books, Files { day: &files, other_days: &[] }).unwrap();
    let sheets = report(&result);
    let names: Vec<&str> = sheets.iter().map(|sheet| sheet.name.as_str()).collect();
    assert_eq!(names, ["对账明细", "对账汇总", "对账提示"]);
    assert!(sheets.iter().all(|sheet| sheet.rows.iter().all(|row| row.len() == sheet.headings.len())));
    let first: Vec<&Cell> = sheets[0].rows.iter().map(|row| &row[0]).collect();
    let word = |text: &str| Cell::text(text);
    assert_eq!(first, [&word("短款（我方有，渠道无）"), &word("不一致"), &word("其他流水")]);
    assert_eq!(sheets[0].rows[1][5], Cell::Money(Fen::new(10)), "ours less theirs");
    assert_eq!(sheets[0].rows[1][19], word("金额：我方3.50，渠道3.40"));
    assert_eq!(sheets[2].rows[0][2], word("第3行：未知的类型或状态“ODD”，按其他处理"));
    let whole = rows_of(&csv(&sheets[0]).unwrap());
    assert_eq!(whole.len(), 1 + result.rows.len());
    #[cfg(feature = "xlsx")]
    assert!(xlsx(&sheets).is_ok());
}

/// Excel statements of Allinpay, made by our own writer: titles above, other columns, words instead of codes.
#[cfg(feature = "xlsx")]
#[test]
fn allinpays_excel_is_read_by_its_headings() {
    use crate::statement::{Kind, Unit, Unreadable, read};
    let sheet = |amounts: [Cell; 3]| {
        let mut sheet = Sheet::new("明细", &["云商通对账单"]);
        let headings = [
            "交易时间",
            "新列",
            "云商通订单号",
            "商户订单号",
            "原商户订单号",
            "订单类型-订单子类型",
            "订单金额",
            "渠道流水号",
        ];
        sheet.rows.push(headings.map(Cell::text).to_vec());
        let rows = [("P1", "", "消费"), ("R1", "P1", "退款"), ("C1", "", "担保消费-担保确认")];
        for ((own, original, sort), amount) in rows.into_iter().zip(amounts) {
            let text = |text: &str| Cell::text(text);
            let row = ["2026-05-28 10:01:02", "x", "20260528100102208500000001", own, original, sort].map(text);
            sheet.rows.push(row.into_iter().chain([amount, text("0")]).collect());
        }
        sheet.rows.push(vec![Cell::text("合计")]);
        sheet
    };
    let money = |fen| Cell::Money(Fen::new(fen));
    let bytes = xlsx(&[sheet([money(350), money(100), money(400)])]).unwrap();
    let statement = read(Source::Yst(Unit::ByPoint), &bytes).unwrap();
    let kinds: Vec<_> = statement.lines.iter().map(|line| (line.kind, line.amount.get())).collect();
    assert_eq!(kinds, [(Kind::Payment, 350), (Kind::Refund, 100), (Kind::Other, 400), (Kind::Other, 0)]);
    assert_eq!(statement.lines[1].numbers.refund_ours.as_deref(), Some("R1"));
    assert_eq!(statement.lines[1].numbers.ours.as_deref(), Some("P1"));
    assert_eq!(statement.lines[0].numbers.acquirer, None, "0 is no number");
    assert!(statement.remarks.iter().all(|remark| !remark.is_doubt()), "{:?}", statement.remarks);

    let whole = xlsx(&[sheet([money(400), money(100), money(400)])]).unwrap();
    assert_eq!(read(Source::Yst(Unit::ByPoint), &whole), Err(Unreadable::UnknownUnit), "4 is 4.00 or 0.04");
    assert_eq!(read(Source::Yst(Unit::Yuan), &whole).unwrap().lines[0].amount, Fen::new(400));
    assert_eq!(read(Source::Yst(Unit::Fen), &whole).unwrap().lines[0].amount, Fen::new(4));
    assert!(matches!(read(Source::AlipayTrade, &whole), Err(Unreadable::Excel { .. })));
    assert!(matches!(read(Source::Vsp(Unit::Yuan), &whole), Err(Unreadable::Columns { .. })));
    let damaged = &whole[..whole.len() - 30];
    assert!(read(Source::Yst(Unit::Yuan), damaged).is_err());
}

#[cfg(feature = "xlsx")]
#[test]
fn a_vsp_excel_is_read_by_its_headings() {
    use crate::statement::{Kind, Unit, read};
    let mut sheet = Sheet::new("交易", &["商户号", "交易时间", "交易类型", "交易金额（元）", "手续费", "订单号"]);
    let row = |sort: &str, fen| {
        let text = Cell::text;
        vec![text("99"), text("2026-05-28 10:01:02"), text(sort), Cell::Money(Fen::new(fen)), Cell::Empty, text("P1")]
    };
    sheet.rows = vec![row("微信支付", 400), row("微信支付退货", -400), row("VSP502", 400)];
    let statement = read(Source::Vsp(Unit::Fen), &xlsx(&[sheet]).unwrap()).unwrap();
    let kinds: Vec<_> = statement.lines.iter().map(|line| (line.kind, line.amount.get())).collect();
    assert_eq!(kinds, [(Kind::Payment, 400), (Kind::Refund, 400), (Kind::Reversal, 400)], "the heading tells the unit");
}

#[cfg(feature = "xlsx")]
#[test]
fn no_mangled_excel_makes_the_reader_panic() {
    use crate::statement::{Unit, read};
    let whole = xlsx(&[sheet()]).unwrap();
    let mut state: u64 = 7;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    for _ in 0..600 {
        let mut mangled = whole.clone();
        for _ in 0..=below(4) {
            let at = below(mangled.len());
            mangled[at] = u8::try_from(below(256)).unwrap();
        }
        drop(read(Source::Yst(Unit::Yuan), &mangled));
        drop(read(Source::Vsp(Unit::ByPoint), &mangled));
    }
}
