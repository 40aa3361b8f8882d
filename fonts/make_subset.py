"""Makes the two subset fonts of this folder from Noto Sans CJK. README.md says when and how to run it."""

import pathlib
import sys

from fontTools import subset
from fontTools.ttLib import TTFont

HERE = pathlib.Path(__file__).parent
SIMPLIFIED_CHINESE = 2  # the number of "Noto Sans CJK SC" in the collections
FIGURES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ.,:-% ¥￥"
PUNCTUATION = "¥￥·—–…℃‘’“”、。《》【】（）！，．：；？～％＋－＝／×°№©®←→↑↓"


def gb2312_level_1():
    rows, cells = range(0xB0, 0xD8), range(0xA1, 0xFF)
    codes = (bytes([row, cell]) for row in rows for cell in cells)
    return [code.decode("gb2312") for code in codes if code < b"\xd7\xfa"]


def strings_of_the_screens():
    return (HERE.parent / "src" / "screen" / "words.rs").read_text("utf-8")


def wanted():
    ascii_printable = "".join(map(chr, range(0x20, 0x7F)))
    extra = (HERE / "extra.txt").read_text("utf-8")
    every = ascii_printable + PUNCTUATION + "".join(gb2312_level_1()) + extra + strings_of_the_screens()
    return sorted({ord(c) for c in every if c.isprintable()})


def make(collection, codes, family, target):
    font = TTFont(collection, fontNumber=SIMPLIFIED_CHINESE)
    options = subset.Options()
    options.hinting = True
    options.desubroutinize = False
    options.layout_features = []
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 14]
    options.drop_tables += ["GSUB", "GPOS", "BASE", "VORG", "vhea", "vmtx", "DSIG", "GDEF"]
    options.glyph_names = False
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    for name_id, text in ((1, family), (3, family), (4, family), (6, family.replace(" ", ""))):
        font["name"].setName(text, name_id, 3, 1, 0x409)
    font.save(target)
    print(target.name, len(font.getBestCmap()), "characters,", target.stat().st_size, "bytes")


if __name__ == "__main__":
    regular, bold = sys.argv[1:3]
    make(regular, wanted(), "Till Screen", HERE / "till-screen.otf")
    make(bold, sorted(map(ord, FIGURES)), "Till Figures", HERE / "till-figures.otf")
