//! What a person should know about a statement that could be read.

use std::fmt;

/// One such thing. All but [`Remark::Assumed`] keep a reconciliation from being called agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// Something about one row. It is kept as far as it could be read.
    Row {
        /// The row's number in its file, from 1.
        row: usize,
        /// What.
        trouble: Trouble,
    },
    /// The file's own sum is not the sum of its rows: rows may be missing, or not understood.
    Total {
        /// The sum's name in the file.
        name: String,
        /// What the file says.
        said: String,
        /// What its rows make.
        rows: String,
    },
    /// A part of the archive that is not a table of this statement.
    ExtraFile {
        /// Its name.
        name: String,
    },
    /// What the documents leave open, and how it was read.
    Assumed {
        /// For a person.
        what: &'static str,
        /// The same in Chinese.
        chinese: &'static str,
    },
}

/// What is strange about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Its kind or state is in words that are not known: kept as other.
    Words(String),
    /// A cell is not an amount or a number: its column and text.
    Cell {
        /// The column's heading.
        column: String,
        /// What stands there.
        text: String,
    },
    /// The cells do not fit under the headings.
    Shape {
        /// How many cells it has.
        cells: usize,
        /// How many headings there are.
        headings: usize,
    },
    /// The sign is not the one that the kind should have.
    Sign,
    /// The fee is finer than a fen.
    FineFee(String),
}

impl Remark {
    /// Whether it leaves doubt about the rows.
    #[must_use]
    pub const fn is_doubt(&self) -> bool {
        match self {
            Self::Row { .. } | Self::Total { .. } | Self::ExtraFile { .. } => true,
            Self::Assumed { .. } => false,
        }
    }

    /// The same for an accountant, in Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
            Self::Row { row, trouble } => format!("第{row}行：{}", trouble.chinese()),
            Self::Total { name, said, rows } => format!("合计不符：{name} 文件为 {said}，明细合计为 {rows}"),
            Self::ExtraFile { name } => format!("压缩包内另有无法识别的文件：{name}"),
            Self::Assumed { chinese, .. } => (*chinese).to_owned(),
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row { row, trouble } => write!(f, "row {row}: {trouble}"),
            Self::Total { name, said, rows } => {
                write!(f, "the file says {said} for {name:?}, its rows make {rows}: a row is missing or not understood")
            }
            Self::ExtraFile { name } => write!(f, "{name:?} in the archive is no table of this statement"),
            Self::Assumed { what, .. } => f.write_str(what),
        }
    }
}

impl Trouble {
    fn chinese(&self) -> String {
        match self {
            Self::Words(words) => format!("未知的类型或状态“{words}”，按其他处理"),
            Self::Cell { column, text } => format!("“{column}”无法识别：“{text}”"),
            Self::Shape { cells, headings } => format!("共{cells}格，与表头{headings}列不符"),
            Self::Sign => "金额正负号与类型不符".to_owned(),
            Self::FineFee(text) => format!("手续费“{text}”不足一分，未计入"),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => write!(f, "{words:?} is not known; the row counts as neither payment nor refund"),
            Self::Cell { column, text } => write!(f, "{text:?} under {column:?} could not be read"),
            Self::Shape { cells, headings } => write!(f, "{cells} cells do not fit under {headings} headings"),
            Self::Sign => f.write_str("the amount has the other sign than its kind should have"),
            Self::FineFee(text) => write!(f, "the fee {text} is finer than a fen and was left out"),
        }
    }
}
