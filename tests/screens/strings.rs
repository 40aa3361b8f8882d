//! Every string can be drawn.

use till::screen::{ALL_WORDS, text_fonts};

#[test]
fn every_character_of_every_string_has_a_glyph() {
    for (language, text) in ALL_WORDS {
        for font in text_fonts() {
            assert!(font.holds(text), "{language:?}: {text:?} has a character without a glyph");
        }
    }
}

#[test]
fn the_common_characters_of_names_have_glyphs() {
    let every_printable: String = (' '..='~').collect();
    for text in [&every_printable, "¥￥，。：；（）《》·—…℃", "怡宝茉莉蓝莓榛子糯米", "喆镕堃祎翀燚玥旻昇瑄"]
    {
        for font in text_fonts() {
            assert!(font.holds(text), "{text:?} has a character without a glyph");
        }
    }
}
