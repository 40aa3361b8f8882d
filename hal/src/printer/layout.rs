//! Text on a grid of columns: a letter takes one, a Chinese character two.

/// Marks that do not stand at the start of a line, and those that do not stand at its end (reference/hardware.md 2.7).
const CLOSING: &str = "，。！？；：）》、」』】”’,.!?;:)]}%";
const OPENING: &str = "（《「『【“‘([{￥$";

/// Columns that a character takes.
pub(crate) fn columns_of(character: char) -> usize {
    if character.is_ascii() { 1 } else { 2 }
}

/// Columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Whether a line may be broken between the two.
fn may_break(before: char, after: char) -> bool {
    if after == ' ' || CLOSING.contains(after) || OPENING.contains(before) {
        return false;
    }
    // A word or a number with what belongs to it stays whole; between Chinese characters anything may end.
    before == ' ' || !before.is_ascii() || !after.is_ascii()
}

/// Splits into pieces that are not broken.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut before) = (0, None);
    for (index, character) in text.char_indices() {
        if before.is_some_and(|before| may_break(before, character)) {
            pieces.extend(text.get(start..index));
            start = index;
        }
        before = Some(character);
    }
    pieces.extend(text.get(start..));
    pieces
}

/// Breaks a text into lines of at most `columns`; a piece longer than a line is broken wherever it must.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = Line { columns, ..Line::default() };
        for piece in pieces(paragraph) {
            line.add(piece, &mut lines);
        }
        lines.push(line.text.trim_end().to_owned());
    }
    lines
}

#[derive(Default)]
struct Line {
    text: String,
    columns: usize,
}

impl Line {
    fn add(&mut self, piece: &str, lines: &mut Vec<String>) {
        // The space behind a word may hang over the edge.
        if width(&self.text) + width(piece.trim_end()) > self.columns && !self.text.is_empty() {
            lines.push(std::mem::take(&mut self.text).trim_end().to_owned());
        }
        for character in piece.chars() {
            if width(&self.text) + columns_of(character) > self.columns {
                if character == ' ' {
                    continue;
                }
                lines.push(std::mem::take(&mut self.text));
            }
            self.text.push(character);
        }
    }
}

/// A name at the left and an amount at the right, on as many lines as the name needs.
pub(crate) fn pair(left: &str, right: &str, columns: usize) -> Vec<String> {
    let room = columns.saturating_sub(width(right) + 1);
    // An amount that leaves no room for the name stands below it.
    let mut lines = if room < columns / 3 { wrap(left, columns) } else { wrap(left, room) };
    let last = if room < columns / 3 { String::new() } else { lines.pop().unwrap_or_default() };
    let gap = columns.saturating_sub(width(&last) + width(right));
    lines.push(format!("{last}{}{right}", " ".repeat(gap)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_paper_and_nothing_is_lost() {
        let text = "收银小票 农夫山泉饮用天然水550ml 单价￥2.00，数量1。Thank you for your purchase at machine 0042!";
        for columns in [16, 24, 32, 42, 48] {
            let lines = wrap(text, columns);
            assert!(lines.iter().all(|line| width(line) <= columns), "{columns}: {lines:#?}");
            let squeeze = |text: &str| text.replace(' ', "");
            assert_eq!(squeeze(&lines.concat()), squeeze(text), "{columns}");
        }
    }

    #[test]
    fn chinese_breaks_anywhere_but_before_a_closing_mark_and_numbers_stay_whole() {
        assert_eq!(wrap("一二三四五六", 8), ["一二三四", "五六"]);
        assert_eq!(wrap("一二三四，五", 8), ["一二三", "四，五"]);
        assert_eq!(wrap("共（五件", 4), ["共", "（五", "件"]);
        assert_eq!(wrap("合计12.50元", 8), ["合计", "12.50元"]);
        assert_eq!(wrap("hello big world", 9), ["hello big", "world"]);
        assert_eq!(wrap("a\nb", 9), ["a", "b"]);
    }

    #[test]
    fn a_word_longer_than_a_line_is_broken() {
        assert_eq!(wrap("4200001234202611150123456789", 10), ["4200001234", "2026111501", "23456789"]);
        assert_eq!(wrap("，，，，，", 4), ["，，", "，，", "，"], "a wide character is never cut in half");
        assert_eq!(wrap("，，，", 3), ["，", "，", "，"]);
    }

    #[test]
    fn an_amount_stands_at_the_right_edge() {
        assert_eq!(pair("可乐", "3.50", 16), ["可乐        3.50"]);
        assert_eq!(pair("农夫山泉饮用天然水", "12.00", 16), ["农夫山泉饮", "用天然水   12.00"]);
        for columns in [32, 42, 48] {
            let lines = pair("三得利乌龙茶无糖500ml", "￥5.00", columns);
            assert_eq!(lines.iter().map(|line| width(line)).max(), Some(columns));
        }
        assert_eq!(pair("单号", "4200001234202611150123456789", 32), ["单号", "    4200001234202611150123456789"]);
    }
}
