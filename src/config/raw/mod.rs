//! `till.toml` as it is written: every key with its kind and its place. Nothing is judged here but the shape, and a wrong
//! shape does not hide the next one: all are reported.

mod channels;
mod kinds;

use std::ops::Range;

use payment::channel::Wallet;
use payment::engine::entry::WhoScans;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

pub(super) use channels::{Alipay, AllinpayVsp, AllinpayYst, Channels, CodeMeaning, Places, SplitRow, Wechat};
pub(super) use kinds::{Choice, SignKind, Word, Written, Yuan};
use kinds::{FromToml, Misshapen, kind_of};

use super::checked::{Bearer, Language, LogLevel, Mode, PrintReceipts};
use super::source::{At, Findings, Layer, Span, closest, is_secret_name};

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

    /// What is read of the section, or nothing when it is not written.
    fn if_there<T>(&self, read: impl Fn(&Self, &mut Findings<'_>) -> T, found: &mut Findings<'_>) -> Option<T> {
        self.table.is_some().then(|| read(self, found))
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
                format!("[{0}] stands in single brackets", at.key),
                format!("write a block [[{0}]] for each one", at.key),
            );
            return Vec::new();
        };
        rows_of(self.layer, &self.at.unwritten(name).key, items, found)
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

/// A section with its keys, and with the blocks that stand inside of it.
macro_rules! section {
    (
        $(#[$doc:meta])*
        $name:ident { $($key:ident: $kind:ty,)* } $(blocks { $($block:ident: $row:ty,)* })?
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(in crate::config) struct $name {
            /// The head of the section.
            pub(in crate::config) at: At,
            $(pub(in crate::config) $key: Option<Written<$kind>>,)*
            $($(pub(in crate::config) $block: Vec<$row>,)*)?
        }

        impl $name {
            /// The keys of the section.
            pub(in crate::config) const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];

            fn read(section: &Section<'_>, found: &mut Findings<'_>) -> Self {
                let blocks: &[&'static str] = &[$($(stringify!($block)),*)?];
                section.refuse_unknown(&[Self::KEYS, blocks].concat(), found);
                Self {
                    at: section.at.clone(),
                    $($key: section.take(stringify!($key), found),)*
                    $($($block: section
                        .rows(stringify!($block), found)
                        .iter()
                        .map(|row| <$row>::read(row, found))
                        .collect(),)*)?
                }
            }
        }
    };
}
use section;

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
    Sell {
        who_scans: WhoScans,
        pay_within_s: u64,
        channels: Vec<String>,
        show: Vec<String>,
        refuse_card_shaped: bool,
        lock_slot_after: u64,
        print_receipts: PrintReceipts,
    }
}

section! {
    /// `[[route]]`
    Route { wallet: Wallet, first: Vec<String>, length_min: u64, length_max: u64, letters: bool, channels: Vec<String>, }
}

section! {
    /// `[refunds]`
    Refunds {
        approval_above: Yuan,
        window_days: u64,
        alipay_days: u64,
        wechat_days: u64,
        allinpay_vsp_days: u64,
        allinpay_yst_days: u64,
        instalment_days: u64,
    }
}

section! {
    /// `[instalments]`
    Instalments { minimum: Yuan, guide_numbers: bool, } blocks { plan: Plan, }
}

section! {
    /// `[[instalments.plan]]`
    Plan { periods: u64, bearer: Bearer, rate: String, }
}

section! {
    /// `[[product]]`
    Product { slot: String, code: String, name: String, price: Yuan, capacity: u64, }
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
    pub(super) routes: Vec<Route>,
    pub(super) refunds: Refunds,
    /// `None`: there is no `[instalments]`, and nothing is sold by them.
    pub(super) instalments: Option<Instalments>,
    pub(super) channels: Channels,
    pub(super) http: Http,
    /// `None`: there is no `[hub]`.
    pub(super) hub: Option<Hub>,
    pub(super) operator: Operator,
    /// `None`: there is no `[vouchers]`, and no member codes.
    pub(super) vouchers: Option<Vouchers>,
    pub(super) log: Log,
}

const SECTIONS: &[&str] = &[
    "terminal",
    "journal",
    "api",
    "sell",
    "product",
    "route",
    "refunds",
    "instalments",
    "pace",
    "channels",
    "http",
    "hub",
    "operator",
    "vouchers",
    "log",
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
        let channels = Channels::read(&file.section("channels", found), found);
        Self {
            terminal: Terminal::read(&file.section("terminal", found), found),
            journal: Journal::read(&file.section("journal", found), found),
            api: Api::read(&file.section("api", found), found),
            sell: Sell::read(&file.section("sell", found), found),
            products: file.rows("product", found).iter().map(|row| Product::read(row, found)).collect(),
            pace: Pace::read(&file.section("pace", found), found),
            routes: file.rows("route", found).iter().map(|row| Route::read(row, found)).collect(),
            refunds: Refunds::read(&file.section("refunds", found), found),
            instalments: file.section("instalments", found).if_there(Instalments::read, found),
            channels,
            http: Http::read(&file.section("http", found), found),
            hub: file.section("hub", found).if_there(Hub::read, found),
            operator: Operator::read(&file.section("operator", found), found),
            vouchers: file.section("vouchers", found).if_there(Vouchers::read, found),
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
    ("sell", &["who_scans", "pay_within_s"]),
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
        let has_products = file.table.is_some_and(|table| table.contains_key("product"));
        let products = file.rows("product", found).iter().map(|row| Product::read(row, found)).collect();
        Self {
            terminal: Terminal::read(&file.section("terminal", found), found),
            journal: Journal::read(&file.section("journal", found), found),
            sell: Sell::read(&file.section("sell", found), found),
            products: has_products.then_some(products),
            pace: Pace::read(&file.section("pace", found), found),
            vouchers: file.section("vouchers", found).if_there(Vouchers::read, found),
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
