//! Two codes, codes for several wallets, and instalments: what a phone reads and what a buyer can read.

use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use payment::channel::ChannelId;
use payment::engine::view::View;
use till::screen::mark::Mark;
use till::screen::qr::QUIET_ZONE;
use till::screen::{self, Language, Look};

use crate::codes::read_with_middles;
use crate::panel::Panel;
use crate::samples::{SIZES, USUAL_CODE, looks, pay};
use crate::shared::{WECHAT_CODE, alipay, lent, shared, wechat, with_codes};

const BOTH: [ChannelId; 2] = [ChannelId::Alipay, ChannelId::Wechat];

fn each(mut check: impl FnMut(&str, &View, &Look, Size)) {
    for size in SIZES {
        for look in looks() {
            for (name, view) in shared(look.language) {
                check(name, &view, &look, size);
            }
        }
    }
}

/// Two codes are shown on panels from 320 pixels across.
fn has_room_for_two(size: Size) -> bool {
    size.width >= 320
}

fn codes(marks: &[Mark]) -> Vec<(Rectangle, u32)> {
    let code = |mark: &Mark| match mark {
        Mark::Code { area, symbol } => Some((symbol.place_in(*area), symbol.modules())),
        Mark::Panel { .. } | Mark::Frame { .. } | Mark::Line { .. } | Mark::Picture { .. } => None,
    };
    marks.iter().filter_map(code).collect()
}

fn lines(marks: &[Mark]) -> Vec<(Rectangle, String)> {
    let line = |mark: &Mark| match mark {
        Mark::Line { area, text, .. } => Some((*area, text.clone())),
        Mark::Panel { .. } | Mark::Frame { .. } | Mark::Code { .. } | Mark::Picture { .. } => None,
    };
    marks.iter().filter_map(line).collect()
}

/// All that is written, without the breaks between lines.
fn told(marks: &[Mark]) -> String {
    lines(marks).iter().map(|(_, text)| text.replace(' ', "")).collect()
}

#[test]
fn a_phone_reads_each_of_two_codes_on_its_side() {
    each(|name, view, look, size| {
        let View::Pay { codes, .. } = view else {
            return;
        };
        let read = read_with_middles(&Panel::showing(view, look, size));
        let texts: Vec<&str> = read.iter().map(|(text, _)| text.as_str()).collect();
        let shown = if has_room_for_two(size) { codes.len() } else { codes.len().min(1) };
        let wanted: Vec<&str> = codes[..shown].iter().map(|code| code.text.as_str()).collect();
        assert_eq!(texts, wanted, "{name} at {size:?}");
        if let [(_, left), (_, right)] = read[..] {
            let middle = size.width as i32 / 2;
            assert!(left < middle && right > middle, "{name} at {size:?}: {left} and {right}");
        }
    });
}

#[test]
fn two_codes_are_large_enough_and_far_enough_apart() {
    each(|name, view, look, size| {
        let marks = screen::compose(view, look, size);
        if let [(left, modules), (right, others)] = codes(&marks)[..] {
            let module = left.size.width / modules;
            assert!(module >= 3, "{name} at {size:?}: {module} pixels a module");
            assert_eq!((left.size, modules), (right.size, others), "{name} at {size:?}: one is larger");
            let between = right.top_left.x - left.top_left.x - left.size.width as i32;
            let least = 3 * QUIET_ZONE * module;
            assert!(between >= least as i32, "{name} at {size:?}: {between} pixels between them");
        }
    });
}

#[test]
fn each_of_two_has_its_wallet_below_it() {
    for size in SIZES.into_iter().filter(|size| has_room_for_two(*size)) {
        for look in looks() {
            let view = with_codes(vec![alipay(), wechat()], &BOTH, true, look.language);
            let marks = screen::compose(&view, &look, size);
            let names = match look.language {
                Language::Chinese => ["支付宝", "微信"],
                Language::English => ["Alipay", "WeChat"],
            };
            for ((place, _), name) in codes(&marks).into_iter().zip(names) {
                let written = lines(&marks);
                let (area, _) = written.iter().find(|(_, text)| *text == name).expect("the name");
                assert!(area.top_left.y >= place.top_left.y + place.size.height as i32, "{name} at {size:?}");
                let off = (area.center().x - place.center().x).abs();
                assert!(off <= 1, "{name} at {size:?} is {off} pixels beside its code");
            }
        }
    }
}

#[test]
fn while_one_of_two_is_fetched_its_place_is_kept() {
    for size in SIZES.into_iter().filter(|size| has_room_for_two(*size)) {
        for look in looks() {
            for (code, at_left) in [(alipay(), true), (wechat(), false)] {
                let mut view = with_codes(vec![code], &BOTH, true, look.language);
                if let View::Pay { code_coming, .. } = &mut view {
                    *code_coming = true;
                }
                let marks = screen::compose(&view, &look, size);
                let [(place, _)] = codes(&marks)[..] else {
                    panic!("{size:?}: one code is there");
                };
                let middle = size.width as i32 / 2;
                assert_eq!(place.center().x < middle, at_left, "at {size:?}");
                let frame = marks.iter().find(|mark| matches!(mark, Mark::Frame { .. })).expect("a place").area();
                assert_eq!(frame.center().x > middle, at_left, "at {size:?}");
            }
        }
    }
}

/// Where two have no room the first is as large as alone, and the scanner takes the other wallet.
#[test]
fn without_room_for_two_the_other_wallet_is_named_for_its_pay_code() {
    for size in SIZES.into_iter().filter(|size| !has_room_for_two(*size)) {
        let [look, _] = looks();
        for armed in [true, false] {
            let both = with_codes(vec![alipay(), wechat()], &BOTH, armed, look.language);
            let mut alone = pay(Some(USUAL_CODE), 350, look.language);
            if let View::Pay { scanner, .. } = &mut alone {
                *scanner = armed;
            }
            let (both, alone) = (screen::compose(&both, &look, size), screen::compose(&alone, &look, size));
            assert_eq!(codes(&both), codes(&alone), "at {size:?}");
            assert_eq!(told(&both).contains("微信付款码"), armed, "at {size:?}");
        }
    }
}

/// A code of one wallet is not offered to another.
#[test]
fn a_code_names_those_that_can_scan_it() {
    for size in SIZES {
        let [look, _] = looks();
        let one = with_codes(vec![wechat()], &BOTH, false, look.language);
        let written = told(&screen::compose(&one, &look, size));
        assert!(written.contains("微信") && !written.contains("支付宝"), "{written} at {size:?}");
        let any = vec![crate::samples::code_of(None, WECHAT_CODE)];
        let any = with_codes(any, &[ChannelId::AllinpayVsp], false, look.language);
        let written = told(&screen::compose(&any, &look, size));
        let all = written.contains("支付宝、微信、云闪付、数字人民币");
        assert!(all || written.contains("支付宝、微信等"), "{written} at {size:?}");
    }
}

#[test]
fn a_chosen_plan_is_told_whole_and_how_to_change_it() {
    for size in SIZES {
        for look in looks() {
            for shown in [vec![alipay()], vec![alipay(), wechat()], Vec::new()] {
                for armed in [true, false] {
                    if shown.is_empty() && !armed {
                        continue;
                    }
                    let view = lent(with_codes(shown.clone(), &BOTH, armed, look.language), 2);
                    let written = told(&screen::compose(&view, &look, size));
                    for part in ["6", "¥178.18", "¥178.15", "¥45.93", "¥1023.00"] {
                        assert!(written.contains(part), "{part} is missing at {size:?}: {written}");
                    }
                    assert!(written.contains("0-3") || written.contains("0一次付清") || written.contains("0Payatonce"));
                    assert!(!written.contains('…') || written.contains("3months"), "{written} at {size:?}");
                }
            }
        }
    }
}

#[test]
fn plans_to_choose_from_leave_a_code_that_reads() {
    each(|name, view, look, size| {
        let marks = screen::compose(view, look, size);
        for (place, modules) in codes(&marks) {
            let module = place.size.width / modules;
            assert!(module >= 3, "{name} at {size:?}: {module} pixels a module");
        }
    });
}

#[test]
fn a_plan_that_is_even_and_free_says_so() {
    let [look, _] = looks();
    let view = lent(with_codes(vec![alipay()], &[ChannelId::Alipay], false, look.language), 1);
    let written = told(&screen::compose(&view, &look, Size::new(800, 480)));
    assert!(written.contains("分3期，每期¥341.00，免手续费"), "{written}");
    assert!(written.contains("首期¥178.18，以后¥178.15，含手续费¥45.93"), "{written}");
}
