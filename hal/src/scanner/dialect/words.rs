//! The set-up of scanners whose settings are words with a value: asked for, compared, and set until power-off if they differ.

/// One line of a set-up. A tag is three letters and a subtag of three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// Asks for the firmware's text.
    Version(&'static str),
    /// Sets it, whatever it is.
    Set(&'static str, &'static str),
    /// Sets it if it is something else.
    Want(&'static str, &'static str),
    /// Asks what it is.
    Learn(&'static str),
}

impl Item {
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::Version(tag) | Self::Set(tag, _) | Self::Want(tag, _) | Self::Learn(tag) => tag,
        }
    }
}

/// What is to be said next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    Version(&'static str),
    Query(&'static str),
    Set(&'static str, &'static str),
}

/// A set-up under way.
#[derive(Debug, Default)]
pub(super) struct Script {
    items: Vec<Item>,
    at: usize,
    /// The item was asked for and differs.
    differs: bool,
}

impl Script {
    pub(super) fn new(items: Vec<Item>) -> Self {
        Self { items, at: 0, differs: false }
    }

    /// The line that is under way.
    pub(super) fn item(&self) -> Option<Item> {
        self.items.get(self.at).copied()
    }

    /// What to say now.
    pub(super) fn say(&self) -> Option<Say> {
        Some(match self.item()? {
            Item::Version(tag) => Say::Version(tag),
            Item::Set(tag, value) => Say::Set(tag, value),
            Item::Want(tag, value) if self.differs => Say::Set(tag, value),
            Item::Want(tag, _) | Item::Learn(tag) => Say::Query(tag),
        })
    }

    /// What was answered: the value, if the scanner knows the word.
    pub(super) fn heard(&mut self, value: Option<&str>) {
        let wanted = match self.item() {
            Some(Item::Want(_, wanted)) if !self.differs => Some(wanted),
            Some(Item::Version(_) | Item::Set(..) | Item::Want(..) | Item::Learn(_)) | None => None,
        };
        self.differs = value.zip(wanted).is_some_and(|(value, wanted)| !same(value, wanted));
        if !self.differs {
            self.at += 1;
        }
    }
}

/// `0` and `00` are one value.
fn same(value: &str, wanted: &str) -> bool {
    match (value.parse::<u32>(), wanted.parse::<u32>()) {
        (Ok(value), Ok(wanted)) => value == wanted,
        (Ok(_) | Err(_), Ok(_) | Err(_)) => value == wanted,
    }
}

/// Splits a reply's text into what was said and its status byte.
pub(super) fn status(text: &[u8]) -> Option<(&str, u8)> {
    let (status, said) = text.split_last()?;
    Some((std::str::from_utf8(said).ok()?, *status))
}
