//! `till.toml` as it is written: every key with its kind and its place. Nothing is judged here but the shape, and a wrong
//! shape does not hide the next one: all are reported.

use std::ops::Range;

use payment::engine::entry::WhoScans;
use payment::money::Fen;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::checked::{Language, LogLevel, Mode};
use super::source::{At, Findings, Layer, Span, closest, is_secret_name};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written<T> {
    pub(super) value: T,
    pub(super) at: At,
}

/// What is wrong with the shape of a value, and what to write.
#[derive(Debug)]
pub(super) struct Misshapen {
    problem: String,
    advice: String,
}

/// A kind of value that a key can have.
pub(super) trait FromToml: Sized {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Misshapen>;
}

/// A closed set of words.
pub(super) trait Choice: Copy + 'static {
    const WORDS: &'static [(&'static str, Self)];
}

impl Choice for Language {
    const WORDS: &'static [(&'static str, Self)] = &[("zh", Self::Chinese), ("en", Self::English)];
}

impl Choice for Mode {
    const WORDS: &'static [(&'static str, Self)] = &[("production", Self::Production), ("sandbox", Self::Sandbox)];
}

impl Choice for WhoScans {
    const WORDS: &'static [(&'static str, Self)] =
        &[("either", Self::Either), ("buyer_scans", Self::BuyerScans), ("merchant_scans", Self::MerchantScans)];
}

impl Choice for LogLevel {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

fn wrong_kind(value: &DeValue<'_>, wanted: &str, advice: impl Into<String>) -> Misshapen {
    Misshapen { problem: format!("this is {}, and {wanted} is wanted", kind_of(value)), advice: advice.into() }
}

impl FromToml for String {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Misshapen> {
        let text = value.as_str().map(str::to_owned);
        text.ok_or_else(|| wrong_kind(value, "a text", "write it in double quotes"))
    }
}

impl FromToml for u64 {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Misshapen> {
        const ADVICE: &str = "write a whole number without quotes and unit: the key's name ends in its unit";
        let number = value.as_integer().map(|number| Self::from_str_radix(number.as_str(), number.radix()));
        match number {
            Some(Ok(number)) => Ok(number),
            Some(Err(_)) => {
                Err(Misshapen { problem: "this number is negative or too large".into(), advice: ADVICE.into() })
            }
            None => Err(wrong_kind(value, "a whole number", ADVICE)),
        }
    }
}

/// An amount that is written in yuan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Yuan(pub(super) Fen);

impl serde::Serialize for Yuan {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_yuan())
    }
}

impl FromToml for Yuan {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Misshapen> {
        let in_quotes = |number: &str| format!("write yuan as a text, exact to the fen: \"{number}\"");
        match value {
            DeValue::String(text) => text.parse().map(Self).map_err(|error: payment::money::AmountError| Misshapen {
                problem: error.to_string(),
                advice: "write yuan with up to two decimals in quotes, such as \"3.50\"".into(),
            }),
            DeValue::Float(number) => Err(wrong_kind(value, "an amount in quotes", in_quotes(number.as_str()))),
            DeValue::Integer(number) => {
                Err(wrong_kind(value, "an amount in quotes", in_quotes(&format!("{}.00", number.as_str()))))
            }
            DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                Err(wrong_kind(value, "an amount in quotes", in_quotes("3.50")))
            }
        }
    }
}

impl FromToml for Vec<String> {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Misshapen> {
        let wrong = || wrong_kind(value, "a list of texts", "write it like [\"balance\", \"moneyFund\"]");
        let items = value.as_array().ok_or_else(wrong)?;
        items.iter().map(|item| item.get_ref().as_str().map(str::to_owned).ok_or_else(wrong)).collect()
    }
}

impl<T: Choice> FromToml for T {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Misshapen> {
        let words = || T::WORDS.iter().map(|(word, _)| *word);
        let list = words().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let Some(text) = value.as_str() else {
            return Err(wrong_kind(value, "a word", format!("write one of {list}")));
        };
        let found = T::WORDS.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        found.ok_or_else(|| Misshapen {
            problem: format!("\"{text}\" is not known here"),
            advice: match closest(text, words()) {
                Some(meant) => format!("did you mean \"{meant}\"? It can be {list}"),
                None => format!("write one of {list}"),
            },
        })
    }
}

/// A section of a file, or the place where it would be.
struct Section<'t> {
    layer: Layer,
    at: At,
    table: Option<&'t DeTable<'t>>,
}

impl<'t> Section<'t> {
    fn file(layer: Layer, table: &'t DeTable<'t>) -> Self {
        Self { layer, at: At::key(""), table: Some(table) }
    }

    fn new(layer: Layer, at: At, value: &'t DeValue<'t>, found: &mut Findings<'_>) -> Self {
        let table = value.as_table();
        if table.is_none() {
            let head = format!("write a section: [{}]", at.key);
            found.error(&at, format!("this is {}, and a section is wanted", kind_of(value)), head);
        }
        Self { layer, at, table }
    }

    fn inside(&self, name: &str, bytes: Range<usize>) -> At {
        At { span: Some(Span { layer: self.layer, bytes }), ..self.at.unwritten(name) }
    }

    fn take<T: FromToml>(&self, name: &str, found: &mut Findings<'_>) -> Option<Written<T>> {
        let value = self.table?.get(name)?;
        let at = self.inside(name, value.span());
        if found.report.has_error_at(&at.key) {
            // Refused already, as not for the hub to set.
            return None;
        }
        match T::from_toml(value.get_ref()) {
            Ok(value) => Some(Written { value, at }),
            Err(Misshapen { problem, advice }) => {
                found.error(&at, problem, advice);
                None
            }
        }
    }

    fn section(&self, name: &str, found: &mut Findings<'_>) -> Section<'t> {
        match self.table.and_then(|table| table.get_key_value(name)) {
            Some((key, value)) => Section::new(self.layer, self.inside(name, key.span()), value.get_ref(), found),
            None => Section { layer: self.layer, at: self.at.unwritten(name), table: None },
        }
    }

    /// The rows of `[[name]]`.
    fn rows(&self, name: &str, found: &mut Findings<'_>) -> Vec<Section<'t>> {
        let Some((key, value)) = self.table.and_then(|table| table.get_key_value(name)) else {
            return Vec::new();
        };
        let Some(items) = value.get_ref().as_array() else {
            let at = self.inside(name, key.span());
            found.error(
                &at,
                format!("[{name}] stands in single brackets"),
                format!("write a block [[{name}]] for each one"),
            );
            return Vec::new();
        };
        rows_of(self.layer, name, items, found)
    }

    fn refuse_unknown(&self, known: &[&'static str], found: &mut Findings<'_>) {
        for (name, _) in self.table.into_iter().flatten() {
            let written = name.get_ref().as_ref();
            let at = self.inside(written, name.span());
            if !known.contains(&written) && !found.report.has_error_at(&at.key) {
                found.error(&at, format!("unknown key {written}"), unknown_advice(written, known, &self.at.key));
            }
        }
    }
}

fn rows_of<'t>(layer: Layer, name: &str, items: &'t DeArray<'t>, found: &mut Findings<'_>) -> Vec<Section<'t>> {
    let rows = items.iter().enumerate().map(|(index, item): (usize, &Spanned<DeValue<'_>>)| {
        let at = At { key: format!("{name}[{index}]"), span: Some(Span { layer, bytes: item.span() }) };
        Section::new(layer, at, item.get_ref(), found)
    });
    rows.collect()
}

fn unknown_advice(written: &str, known: &[&str], section: &str) -> String {
    let file = known.iter().find(|key| key.strip_suffix("_file").is_some_and(|stem| stem == written));
    if let Some(file) = file.filter(|_| is_secret_name(written)) {
        return format!("a secret never stands in this file: put it in a file of its own and name that in {file}");
    }
    match (closest(written, known.iter().copied()), section) {
        (Some(meant), _) => format!("did you mean {meant}?"),
        (None, "") => format!("the file has the sections {}", known.join(", ")),
        (None, section) => format!("[{section}] has {}", known.join(", ")),
    }
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($key:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $name {
            /// The head of the section.
            pub(super) at: At,
            $(pub(super) $key: Option<Written<$kind>>,)*
        }

        impl $name {
            /// The keys of the section.
            pub(super) const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];

            fn read(section: &Section<'_>, found: &mut Findings<'_>) -> Self {
                section.refuse_unknown(Self::KEYS, found);
                Self { at: section.at.clone(), $($key: section.take(stringify!($key), found),)* }
            }
        }
    };
}

/// A section that the hub may lay another one over.
macro_rules! laid_section {
    ($(#[$doc:meta])* $name:ident { $($key:ident: $kind:ty,)* }) => {
        section! { $(#[$doc])* $name { $($key: $kind,)* } }

        impl $name {
            /// Lays another one over this one, key by key.
            fn lay(&mut self, over: Self) {
                if self.at.span.is_none() {
                    self.at = over.at;
                }
                $(if over.$key.is_some() {
                    self.$key = over.$key;
                })*
            }
        }
    };
}

laid_section! {
    /// `[terminal]`
    Terminal { id: String, name: String, merchant: String, support: String, language: Language, mode: Mode, }
}

laid_section! {
    /// `[journal]`
    Journal { path: String, keep_days: u64, limit_mb: u64, }
}

section! {
    /// `[api]`
    Api { socket: String, tcp: String, token_file: String, }
}

laid_section! {
    /// `[sell]`
    Sell { who_scans: WhoScans, pay_within_s: u64, }
}

section! {
    /// `[[product]]`
    Product { slot: String, code: String, name: String, price: Yuan, }
}

laid_section! {
    /// `[pace]`
    Pace {
        code_valid_ms: u64,
        late_margin_ms: u64,
        code_poll_ms: u64,
        confirm_poll_ms: u64,
        confirm_total_ms: u64,
        confirm_grace_ms: u64,
        watch_ms: u64,
        in_flight_ms: u64,
        retry_ms: u64,
        retry_max_ms: u64,
        refund_query_ms: u64,
        refund_gap_ms: u64,
        release_ms: u64,
        choose_ms: u64,
        thanks_ms: u64,
        sorry_ms: u64,
        resume_ms: u64,
        probe_ms: u64,
        call_limit_ms: u64,
    }
}

section! {
    /// `[channels.alipay]`
    Alipay {
        gateway_url: String,
        app_id: String,
        private_key_file: String,
        public_key_file: String,
        app_cert_file: String,
        alipay_cert_file: String,
        alipay_root_cert_file: String,
        aes_key_file: String,
        app_auth_token_file: String,
        seller_id: String,
        store_id: String,
        alipay_store_id: String,
        operator_id: String,
        product_code: String,
        sys_service_provider_id: String,
        notify_url: String,
        enable_pay_channels: Vec<String>,
        disable_pay_channels: Vec<String>,
    }
}

section! {
    /// `[http]`
    Http { connect_timeout_s: u64, timeout_s: u64, ca_file: String, }
}

section! {
    /// `[hub]`
    Hub { url: String, key_file: String, ca_file: String, }
}

section! {
    /// `[operator]`
    Operator { public_key: String, }
}

laid_section! {
    /// `[vouchers]`
    Vouchers { per_sale_max: Yuan, unsettled_max: Yuan, }
}

section! {
    /// `[log]`
    Log { level: LogLevel, }
}

/// The whole file.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) terminal: Terminal,
    pub(super) journal: Journal,
    pub(super) api: Api,
    pub(super) sell: Sell,
    pub(super) products: Vec<Product>,
    pub(super) pace: Pace,
    /// `None`: there is no `[channels.alipay]`.
    pub(super) alipay: Option<Alipay>,
    pub(super) http: Http,
    /// `None`: there is no `[hub]`.
    pub(super) hub: Option<Hub>,
    pub(super) operator: Operator,
    /// `None`: there is no `[vouchers]`, and no member codes.
    pub(super) vouchers: Option<Vouchers>,
    pub(super) log: Log,
}

const SECTIONS: &[&str] = &[
    "terminal", "journal", "api", "sell", "product", "pace", "channels", "http", "hub", "operator", "vouchers", "log",
];

impl Raw {
    /// Reads the file; `None` when it is not TOML, where every further complaint would be noise.
    pub(super) fn read(found: &mut Findings<'_>) -> Option<Self> {
        let (table, wrong) = DeTable::parse_recoverable(found.source.text());
        not_toml(Layer::Base, &wrong, found);
        let file = Section::file(Layer::Base, table.get_ref());
        wrong.is_empty().then(|| Self::read_sections(&file, found))
    }

    fn read_sections(file: &Section<'_>, found: &mut Findings<'_>) -> Self {
        file.refuse_unknown(SECTIONS, found);
        let channels = file.section("channels", found);
        channels.refuse_unknown(&["alipay"], found);
        let alipay = channels.section("alipay", found);
        let (hub, vouchers) = (file.section("hub", found), file.section("vouchers", found));
        Self {
            terminal: Terminal::read(&file.section("terminal", found), found),
            journal: Journal::read(&file.section("journal", found), found),
            api: Api::read(&file.section("api", found), found),
            sell: Sell::read(&file.section("sell", found), found),
            products: file.rows("product", found).iter().map(|row| Product::read(row, found)).collect(),
            pace: Pace::read(&file.section("pace", found), found),
            alipay: alipay.table.is_some().then(|| Alipay::read(&alipay, found)),
            http: Http::read(&file.section("http", found), found),
            hub: hub.table.is_some().then(|| Hub::read(&hub, found)),
            operator: Operator::read(&file.section("operator", found), found),
            vouchers: vouchers.table.is_some().then(|| Vouchers::read(&vouchers, found)),
            log: Log::read(&file.section("log", found), found),
        }
    }
}

impl Raw {
    /// Lays the hub's file over this one: its products instead of ours, and its keys one by one.
    pub(super) fn lay(&mut self, over: Overlay) {
        self.terminal.lay(over.terminal);
        self.journal.lay(over.journal);
        self.sell.lay(over.sell);
        self.pace.lay(over.pace);
        if let Some(products) = over.products {
            self.products = products;
        }
        match (&mut self.vouchers, over.vouchers) {
            (Some(ours), Some(theirs)) => ours.lay(theirs),
            (ours @ None, theirs) => *ours = theirs,
            (Some(_), None) => {}
        }
    }
}

/// What the hub may set, by section. Never a key, an address, a path or the mode: the operator's signature moves prices, and
/// who takes the money stays with the person at the machine.
const OVERLAY: &[(&str, &[&str])] = &[
    ("terminal", &["name", "merchant", "support", "language"]),
    ("journal", &["keep_days"]),
    ("sell", Sell::KEYS),
    ("product", Product::KEYS),
    ("pace", Pace::KEYS),
    ("vouchers", Vouchers::KEYS),
];

/// `hub.toml` as it is written.
#[derive(Debug)]
pub(super) struct Overlay {
    terminal: Terminal,
    journal: Journal,
    sell: Sell,
    /// `None`: it names no product, and ours stay.
    products: Option<Vec<Product>>,
    pace: Pace,
    vouchers: Option<Vouchers>,
}

impl Overlay {
    /// Reads the file; `None` when there is none, or when it is not TOML.
    pub(super) fn read(found: &mut Findings<'_>) -> Option<Self> {
        let (table, wrong) = DeTable::parse_recoverable(found.overlay?.text());
        not_toml(Layer::Overlay, &wrong, found);
        let file = Section::file(Layer::Overlay, table.get_ref());
        wrong.is_empty().then(|| Self::read_sections(&file, found))
    }

    fn read_sections(file: &Section<'_>, found: &mut Findings<'_>) -> Self {
        file.refuse_what_the_hub_may_not_set(found);
        let vouchers = file.section("vouchers", found);
        let has_products = file.table.is_some_and(|table| table.contains_key("product"));
        let products = file.rows("product", found).iter().map(|row| Product::read(row, found)).collect();
        Self {
            terminal: Terminal::read(&file.section("terminal", found), found),
            journal: Journal::read(&file.section("journal", found), found),
            sell: Sell::read(&file.section("sell", found), found),
            products: has_products.then_some(products),
            pace: Pace::read(&file.section("pace", found), found),
            vouchers: vouchers.table.is_some().then(|| Vouchers::read(&vouchers, found)),
        }
    }
}

impl Section<'_> {
    fn refuse_what_the_hub_may_not_set(&self, found: &mut Findings<'_>) {
        for (name, value) in self.table.into_iter().flatten() {
            let section = name.get_ref().as_ref();
            let Some((_, keys)) = OVERLAY.iter().find(|(known, _)| *known == section) else {
                self.refuse_from_the_hub(name, found);
                continue;
            };
            let inner =
                Section { layer: self.layer, at: self.at.unwritten(section), table: value.get_ref().as_table() };
            for (key, _) in inner.table.into_iter().flatten() {
                if !keys.contains(&key.get_ref().as_ref()) {
                    inner.refuse_from_the_hub(key, found);
                }
            }
        }
    }

    fn refuse_from_the_hub(&self, name: &Spanned<std::borrow::Cow<'_, str>>, found: &mut Findings<'_>) {
        let at = self.inside(name.get_ref(), name.span());
        let problem = format!("{} is not for the hub to set", at.key);
        found.error(
            &at,
            problem,
            "hub.toml has goods, prices, texts and limits; set this in till.toml, at the machine",
        );
    }
}

fn not_toml(layer: Layer, wrong: &[toml::de::Error], found: &mut Findings<'_>) {
    for error in wrong {
        let at = At { key: String::new(), span: error.span().map(|bytes| Span { layer, bytes }) };
        let problem = format!("this is not TOML: {}", error.message().trim_end());
        found.error(&at, problem, "correct the syntax here first");
    }
}
