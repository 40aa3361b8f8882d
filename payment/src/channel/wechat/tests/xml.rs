//! The XML of v2, and what hides in XML.

use crate::channel::wechat::xml::{NotAMessage, read, write};

fn field(text: &str) -> String {
    read(text.as_bytes()).unwrap()["a"].clone()
}

#[test]
fn what_is_written_reads_back() {
    for value in ["", "350", "可乐", "<a>&lt;\"'", "]]>", "a]]>b]]>", "&#x41;", " blank "] {
        assert_eq!(field(&write([("a", value)])), value, "{value:?}");
    }
}

#[test]
fn what_gateways_send_is_read() {
    for (text, value) in [
        ("<xml><a><![CDATA[1]]></a></xml>", "1"),
        ("<xml>\n  <a>1</a>\n</xml>\n", "1"),
        ("<?xml version=\"1.0\" encoding=\"UTF-8\"?><xml><a>1</a></xml>", "1"),
        ("\u{feff}<xml><a>1</a></xml>", "1"),
        ("<xml><a>1&amp;2&#65;&#x42;</a></xml>", "1&2AB"),
        ("<xml><a>x<![CDATA[<y>]]>z</a></xml>", "x<y>z"),
        ("<xml><!-- note --><a/></xml>", ""),
    ] {
        assert_eq!(field(text), value, "{text}");
    }
}

#[test]
fn attacks_are_refused() {
    for text in [
        "<!DOCTYPE xml [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><xml><a>&e;</a></xml>",
        "<!DOCTYPE xml SYSTEM \"http://127.0.0.1/evil.dtd\"><xml><a>1</a></xml>",
        "<xml><a>&e;</a></xml>",
        "<xml><a>&nbsp;</a></xml>",
        "<?php echo 1 ?><xml><a>1</a></xml>",
        "<xml><trade_state>NOTPAY</trade_state><trade_state>SUCCESS</trade_state></xml>",
        "<xml><a><b>1</b></a></xml>",
        "<xml><a x=\"1\">1</a></xml>",
        "<xml><a>1</a></xml><xml><b>1</b></xml>",
        "<xml>text<a>1</a></xml>",
        "<html><a>1</a></html>",
        "<xml><a>1</b></xml>",
        "<xml><a>1</a>",
        "<xml><a>1",
        "<xml><a>&#xD800;</a></xml>",
        "",
        "{}",
    ] {
        assert!(read(text.as_bytes()).is_err(), "{text} was read");
    }
    assert_eq!(read(b"<xml><a>\xff</a></xml>"), Err(NotAMessage::Encoding));
    assert_eq!(read(b"<xml><a>1</a><a>1</a></xml>"), Err(NotAMessage::Twice("a".into())));
}
