//! The small hub, to be tried by hand.
//!
//! `cargo run -p sandbox --example hub -- --dir DIR --port N`: books and operator key stay in DIR, so that it can be
//! stopped and started again. It prints where it listens, the operator's public key and a code to join with.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use sandbox::hub::{Books, Hub, HubOptions, OperatorKey};

const USAGE: &str = "usage: hub --dir DIR [--port N]";

struct Arguments {
    directory: PathBuf,
    port: u16,
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let (mut directory, mut port) = (None, 0);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match (word.as_str(), words.next()) {
            ("--dir", Some(value)) => directory = Some(PathBuf::from(value)),
            ("--port", Some(value)) => port = value.parse()?,
            _ => return Err(USAGE.into()),
        }
    }
    Ok(Arguments { directory: directory.ok_or(USAGE)?, port })
}

/// The operator's key in the folder, made when there is none.
fn operator(directory: &Path) -> Result<OperatorKey, Box<dyn Error>> {
    let path = directory.join("operator.key");
    let kept = match std::fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut seed = [0; 32];
            SystemRandom::new().fill(&mut seed).map_err(|_| "no entropy")?;
            std::fs::write(&path, seed)?;
            seed.to_vec()
        }
        kept => kept?,
    };
    let seed = kept.try_into().map_err(|_| "operator.key is not a seed of 32 bytes")?;
    Ok(OperatorKey::from_seed(&seed))
}

/// What the hub knows, in a line.
fn summary(books: Books<'_>) -> String {
    let lines = books.totals().into_iter().map(|(terminal, totals)| {
        let (have, paid, refunded) = (books.acknowledged(&terminal), totals.paid, totals.refunded);
        format!("{terminal}: {have} entries, paid {paid} fen, refunded {refunded} fen")
    });
    let doubles = books.double_uses().into_iter().map(|double| format!("double use of {}", double.code));
    lines.chain(doubles).collect::<Vec<_>>().join("; ")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = arguments()?;
    std::fs::create_dir_all(&arguments.directory)?;
    let operator = operator(&arguments.directory)?;
    let database = Some(arguments.directory.join("hub.db"));
    let options = HubOptions { port: arguments.port, database, operator: Some(operator), ..HubOptions::default() };
    let hub = Hub::start(options).await?;
    let control = hub.control();
    println!("hub:          {}", hub.url());
    println!("operator key: {}", STANDARD.encode(control.operator_public_key()));
    println!("join code:    {}", control.join_code());
    let mut told = String::new();
    loop {
        control.until(|books| summary(books) != told).await;
        told = control.books(summary);
        println!("{told}");
    }
}
