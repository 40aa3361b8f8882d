//! A Unix socket that speaks in lines, on the test's side: the agent in the machine, its motors, the emulator's monitor.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{sleep, timeout};

/// The emulator makes its sockets while it starts.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);

/// One connection.
#[derive(Debug)]
pub struct Line {
    reading: BufReader<OwnedReadHalf>,
    writing: OwnedWriteHalf,
}

impl Line {
    /// Connects as soon as somebody listens.
    ///
    /// # Errors
    ///
    /// When nobody does in time.
    pub async fn open(path: &Path) -> anyhow::Result<Self> {
        let connect = async {
            loop {
                match UnixStream::connect(path).await {
                    Ok(stream) => return stream,
                    Err(_) => sleep(Duration::from_millis(50)).await,
                }
            }
        };
        let stream = timeout(CONNECT_WITHIN, connect).await.with_context(|| format!("{} answers", path.display()))?;
        let (reading, writing) = stream.into_split();
        Ok(Self { reading: BufReader::new(reading), writing })
    }

    /// The next line, without its end.
    ///
    /// # Errors
    ///
    /// When the connection ends.
    pub async fn read(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.reading.read_line(&mut line).await? == 0 {
            bail!("the machine is gone");
        }
        Ok(line.trim_end().to_owned())
    }

    /// Writes bytes.
    ///
    /// # Errors
    ///
    /// When the connection ended.
    pub async fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(self.writing.write_all(bytes).await?)
    }
}
