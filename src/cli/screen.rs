//! `till screen`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::client::Client;
use super::{Answer, Exit, Failure};

#[derive(Debug, Args)]
pub(super) struct ScreenArgs {
    /// The file to write
    #[arg(short, long, default_value = "screen.png")]
    output: PathBuf,
}

pub(super) async fn save(client: &Client, args: ScreenArgs) -> Result<Answer, Failure> {
    let png = client.bytes("/v1/screen.png").await?;
    let file = args.output.display();
    std::fs::write(&args.output, &png)
        .map_err(|error| Failure::other(Exit::Refused, format!("cannot write {file} ({error})")))?;
    let json = json!({ "file": args.output, "bytes": png.len() });
    Ok(Answer::done(format!("the screen is in {file}"), json))
}
