//! Where lines may break (reference/hardware.md 2.7): Chinese between any two characters, but not before closing marks,
//! not after opening ones, and never inside a number and its unit; words stay whole.

use super::text::Font;

const NOT_FIRST: &str = "，。！？；：、）》】”’…,.!?;:)]}%";
const NOT_LAST: &str = "（《【“‘([{¥￥";
const UNITS: &str = "元角分秒件个瓶包袋罐盒克升号点次折岁年月日期";

/// A text in its smallest parts, measured.
pub struct Broken<'a> {
    pieces: Vec<Piece<'a>>,
    font: Font,
}

/// What must stay on one line, with the blanks after it.
struct Piece<'a> {
    text: &'a str,
    /// Its width without the blanks at its end.
    solid: u32,
    width: u32,
}

impl<'a> Broken<'a> {
    /// Finds where `text` may break.
    pub fn new(text: &'a str, font: Font) -> Self {
        let pieces = pieces(text).into_iter().map(|piece| Piece::new(piece, font)).collect();
        Self { pieces, font }
    }

    /// Lines no wider than `width`, each filled before the next begins.
    pub fn lines(&self, width: u32) -> Vec<String> {
        let mut lines = vec![(String::new(), 0)];
        for part in self.pieces.iter().flat_map(|piece| piece.bounded(self.font, width)) {
            if let Some((line, used)) = lines.last_mut()
                && (line.is_empty() || *used + part.solid <= width)
            {
                line.push_str(part.text);
                *used += part.width;
            } else {
                lines.push((part.text.to_owned(), part.width));
            }
        }
        lines.iter().map(|(line, _)| line.trim_end().to_owned()).collect()
    }

    /// As few lines as [`Broken::lines`] gives, but of about the same length.
    pub fn balanced_lines(&self, width: u32) -> Vec<String> {
        let greedy = self.lines(width);
        if greedy.len() == 1 {
            return greedy;
        }
        let (mut low, mut high) = (width / 2, width);
        while low < high {
            let middle = u32::midpoint(low, high);
            if self.keeps_words(middle) && self.lines(middle).len() <= greedy.len() {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        self.lines(high)
    }

    /// Whether every word fits into a line, so that none is cut.
    pub fn keeps_words(&self, width: u32) -> bool {
        self.pieces.iter().all(|piece| piece.solid <= width)
    }

    /// At most `count` lines; what is too much is replaced by an ellipsis.
    pub fn lines_with_ellipsis(&self, width: u32, count: usize) -> Vec<String> {
        let mut lines = self.lines(width);
        if lines.len() > count {
            lines.truncate(count);
            if let Some(last) = lines.last_mut() {
                while self.font.width(&format!("{last}…")) > width && last.pop().is_some() {}
                *last = format!("{}…", last.trim_end());
            }
        }
        lines
    }
}

impl<'a> Piece<'a> {
    fn new(text: &'a str, font: Font) -> Self {
        let solid = font.width(text.trim_end());
        Self { text, solid, width: font.width(text) }
    }

    /// A piece that is wider than a whole line is cut anywhere, because otherwise it could not be shown.
    fn bounded(&self, font: Font, width: u32) -> Vec<Self> {
        let Self { text, solid, width: whole } = *self;
        if solid <= width {
            return vec![Self { text, solid, width: whole }];
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while font.width(rest.trim_end()) > width {
            let fits = |end: &usize| font.width(&rest[..*end]) <= width;
            let ends = rest.char_indices().map(|(at, character)| at + character.len_utf8());
            let first = rest.chars().next().map_or(0, char::len_utf8);
            let end = ends.take_while(fits).last().unwrap_or(first);
            parts.push(Self::new(&rest[..end], font));
            rest = &rest[end..];
        }
        parts.push(Self::new(rest, font));
        parts
    }
}

/// The smallest parts of a text that must stay on one line, blanks at their ends.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let ends = text.char_indices().zip(text.chars().skip(1));
    for ((at, before), after) in ends {
        let end = at + before.len_utf8();
        if may_break(before, after) {
            pieces.push(&text[start..end]);
            start = end;
        }
    }
    pieces.push(&text[start..]);
    pieces
}

fn may_break(before: char, after: char) -> bool {
    if after == ' ' || NOT_FIRST.contains(after) || NOT_LAST.contains(before) {
        return false;
    }
    if before == ' ' {
        return true;
    }
    let number_with_unit = before.is_ascii_digit() && UNITS.contains(after);
    let word = !is_wide(before) && !is_wide(after);
    !number_with_unit && !word
}

/// Ideographs, kana and full-width marks: what may stand alone.
const fn is_wide(character: char) -> bool {
    matches!(character, '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FF60}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::super::text::TEXT_16;
    use super::*;

    fn lines(text: &str, font: Font, width: u32) -> Vec<String> {
        Broken::new(text, font).lines(width)
    }

    #[test]
    fn chinese_breaks_between_characters() {
        assert_eq!(lines("请在手机上确认", TEXT_16, 64), ["请在手机", "上确认"]);
    }

    #[test]
    fn lines_are_of_about_the_same_length() {
        let text = "付款码已失效，请刷新后再出示";
        assert_eq!(lines(text, TEXT_16, 208), ["付款码已失效，请刷新后再出", "示"]);
        assert_eq!(Broken::new(text, TEXT_16).balanced_lines(208), ["付款码已失效，", "请刷新后再出示"]);
    }

    #[test]
    fn closing_marks_never_begin_and_opening_ones_never_end_a_line() {
        assert_eq!(lines("请稍候，不要", TEXT_16, 48), ["请稍", "候，不", "要"]);
        assert_eq!(lines("商品（冰）好", TEXT_16, 48), ["商品", "（冰）", "好"]);
    }

    #[test]
    fn a_number_keeps_its_unit_and_its_sign() {
        assert_eq!(pieces("共12元整"), ["共", "12元", "整"]);
        assert_eq!(pieces("退￥3.50到"), ["退", "￥3.50", "到"]);
        assert_eq!(pieces("退¥3.50到"), ["退", "¥3.50", "到"]);
    }

    #[test]
    fn words_stay_whole_and_blanks_do_not_begin_lines() {
        let broken = lines("Show your pay code", TEXT_16, TEXT_16.width("Show your"));
        assert_eq!(broken, ["Show your", "pay code"]);
    }

    #[test]
    fn what_is_wider_than_a_line_is_cut() {
        let broken = lines("ABCDEFGHIJ", TEXT_16, 40);
        assert!(broken.len() > 1);
        assert!(broken.iter().all(|line| TEXT_16.width(line) <= 40));
        assert_eq!(broken.concat(), "ABCDEFGHIJ");
    }

    #[test]
    fn too_much_ends_in_an_ellipsis_inside_the_width() {
        let broken = Broken::new("请在手机上确认付款", TEXT_16).lines_with_ellipsis(64, 1);
        assert_eq!(broken, ["请在手…"]);
        assert!(TEXT_16.width(&broken[0]) <= 64);
    }

    #[test]
    fn an_empty_text_is_one_empty_line() {
        assert_eq!(lines("", TEXT_16, 64), [""]);
    }
}
