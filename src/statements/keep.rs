//! The files as they came: `statements/CHANNEL/YYYY-MM-DD.EXT` beside the journal. A channel may stop giving an old one,
//! and an auditor wants the bytes, not our reading of them. WeChat Pay's comes packed and is kept unpacked, as the hash by
//! which it proves itself is of that.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use books::reconcile::Date;
use payment::channel::ChannelId;

use crate::durable;

/// The name that says that the channel had nothing for the day.
const NOTHING: &str = "none";

/// The folder of kept files.
#[derive(Debug, Clone)]
pub struct Shelf(PathBuf);

impl Shelf {
    /// The shelf beside the journal.
    #[must_use]
    pub fn beside(journal: &Path) -> Self {
        Self(journal.parent().unwrap_or(Path::new(".")).join("statements"))
    }

    /// The kept file of a day, if there is one; empty when the channel had nothing.
    ///
    /// # Errors
    ///
    /// When the file is there and cannot be read.
    pub fn find(&self, channel: ChannelId, day: Date) -> io::Result<Option<Vec<u8>>> {
        for extension in [extension_of(channel), NOTHING] {
            match fs::read(self.path(channel, day, extension)) {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Keeps a file, in place of one that was kept before; no bytes for a day without movements.
    ///
    /// # Errors
    ///
    /// When the disk does not take it; an older file stays then.
    pub fn keep(&self, channel: ChannelId, day: Date, bytes: &[u8]) -> io::Result<PathBuf> {
        let extension = if bytes.is_empty() { NOTHING } else { extension_of(channel) };
        self.write(&self.path(channel, day, extension), bytes)
    }

    /// Keeps the file of a day that is not over, under a name of its own, so that nobody takes it for the whole day.
    ///
    /// # Errors
    ///
    /// When the disk does not take it; an older file stays then.
    pub fn keep_unfinished(&self, channel: ChannelId, day: Date, bytes: &[u8]) -> io::Result<PathBuf> {
        let extension = format!("unfinished.{}", extension_of(channel));
        self.write(&self.path(channel, day, &extension), bytes)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
        let folder = path.parent().unwrap_or(&self.0);
        fs::create_dir_all(folder)?;
        let part = path.with_extension("part");
        durable::put(fs::File::create(&part)?, &part, bytes, path)?;
        Ok(path.to_owned())
    }

    fn path(&self, channel: ChannelId, day: Date, extension: &str) -> PathBuf {
        self.0.join(channel.name()).join(format!("{day}.{extension}"))
    }
}

/// What a channel's daily file is.
const fn extension_of(channel: ChannelId) -> &'static str {
    match channel {
        ChannelId::Alipay | ChannelId::AllinpayVsp => "zip",
        ChannelId::Wechat => "csv",
        ChannelId::AllinpayYst | ChannelId::Voucher => "txt",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_file_is_found_as_it_came_and_a_day_without_movements_too() {
        let place = tempfile::tempdir().unwrap();
        let shelf = Shelf::beside(&place.path().join("till.db"));
        let day = Date::constant(2026, 11, 21);
        assert_eq!(shelf.find(ChannelId::Wechat, day).unwrap(), None);
        shelf.keep(ChannelId::Wechat, day, b"`2026").unwrap();
        shelf.keep(ChannelId::Alipay, day, b"").unwrap();
        assert_eq!(shelf.find(ChannelId::Wechat, day).unwrap(), Some(b"`2026".to_vec()));
        assert_eq!(shelf.find(ChannelId::Alipay, day).unwrap(), Some(Vec::new()));
        assert_eq!(shelf.find(ChannelId::Alipay, day.tomorrow().unwrap()).unwrap(), None);
        shelf.keep(ChannelId::Alipay, day, b"PK").unwrap();
        assert_eq!(shelf.find(ChannelId::Alipay, day).unwrap(), Some(b"PK".to_vec()), "the newer one counts");
    }

    #[test]
    fn the_file_of_a_day_that_is_not_over_is_never_taken_for_the_whole_day() {
        let place = tempfile::tempdir().unwrap();
        let shelf = Shelf::beside(&place.path().join("till.db"));
        let day = Date::constant(2026, 11, 21);
        let path = shelf.keep_unfinished(ChannelId::Wechat, day, b"`2026").unwrap();
        assert!(path.ends_with("wechat/2026-11-21.unfinished.csv") && path.exists());
        assert_eq!(shelf.find(ChannelId::Wechat, day).unwrap(), None);
    }
}
