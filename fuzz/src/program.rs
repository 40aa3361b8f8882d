//! The daemon's own decoders: the hub's answers and commands, the configuration, the API's bodies.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use payment::time::Mono;
use ring::signature::{Ed25519KeyPair, KeyPair};
use till::api::{body, wanted};
use till::config::{Env, load_for_hub, load_in};
use till::sync::command::{Delivered, Judged, judge};
use till::sync::uplink::Uplink;
use till::sync::wire::{Answer, Batch, Said, commands, refusal};

const STATUSES: [u16; 8] = [200, 409, 422, 401, 503, 418, 429, 400];
const CODE_MAX: usize = 64;
const DETAIL_MAX: usize = 300;

/// The hub's answer to a batch and to a poll: short and printable where it is shown, and never more acknowledged than was sent.
pub fn hub(data: &[u8]) {
    let Some((&[status, first, length], body)) = data.split_first_chunk::<3>() else { return };
    let status = STATUSES[usize::from(status) % STATUSES.len()];
    let retry_after = std::str::from_utf8(body).ok();
    let answer = Answer::read(status, retry_after, body);
    assert!(answer == Answer::read(status, retry_after, body), "one answer, two readings");
    must_be_short(&answer);
    must_be_said(&refusal(body));
    let _commands = commands(status, retry_after, body);
    let (first, last) = (u64::from(first) + 1, u64::from(first) + 1 + u64::from(length));
    let batch = Batch { first, last, lines: String::new() };
    let mut uplink = Uplink::new(first - 1, last);
    if let Some(taken) = uplink.on_answer(Mono(1), &batch, answer, 7) {
        assert!((first..=last).contains(&taken.up_to), "{taken:?} of {first} to {last}");
        assert!(taken.refused.iter().all(|entry| (first..=taken.up_to).contains(&entry.seq)), "{taken:?}");
    }
}

fn must_be_short(answer: &Answer) {
    match answer {
        Answer::Taken { refused, .. } => refused.iter().for_each(|entry| {
            must_be_said(&Said { code: entry.code.clone(), detail: entry.detail.clone() });
        }),
        Answer::BadBatch(said) | Answer::NotAccepted(said) => must_be_said(said),
        Answer::Fork { detail } => must_be_said(&Said { code: "fork".to_owned(), detail: detail.clone() }),
        Answer::Gap { .. } | Answer::NotNow { .. } | Answer::Nonsense(_) => {}
    }
}

fn must_be_said(said: &Said) {
    let plain = said.code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    assert!(plain && (1..=CODE_MAX).contains(&said.code.len()), "{said:?}");
    assert!(said.detail.chars().count() <= DETAIL_MAX && !said.detail.chars().any(char::is_control), "{said:?}");
}

/// Commands: the first byte says who signs the rest. Nobody but the operator is ever obeyed.
pub fn commanded(data: &[u8]) {
    let Some((who, rest)) = data.split_first() else { return };
    let operator = pair(1);
    let mut public = [0; 32];
    public.copy_from_slice(operator.public_key().as_ref());
    let command = String::from_utf8_lossy(rest).into_owned();
    let message = format!("till command 1\n{command}");
    let signature = match who % 4 {
        0 | 1 => STANDARD.encode(operator.sign(message.as_bytes())),
        2 => STANDARD.encode(pair(2).sign(message.as_bytes())),
        _ => command.clone(),
    };
    let delivered = Delivered { number: 7, command, signature };
    let judged = judge(&delivered, "VM-0001", &public);
    assert!(judged == judge(&delivered, "VM-0001", &public), "one command, two readings");
    assert!(who % 4 < 2 || matches!(judged, Judged::NotGenuine(_)), "obeyed: {judged:?}");
    let elsewhere = judge(&delivered, "VM-0002", &public);
    assert!(!matches!(judged, Judged::Genuine(_)) || !matches!(elsewhere, Judged::Genuine(_)), "obeyed twice");
}

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap_or_else(|_| panic!("32 bytes are a seed"))
}

/// The configuration's loader wants files: they lie in a folder of this process, in memory where there is such a place.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = base.join(format!("till-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{error}"));
    folder
});

/// `config::load_in` and `load_for_hub`: a config, or a report whose problems say what to do.
pub fn config(data: &[u8]) {
    let path = FOLDER.join("till.toml");
    fs::write(&path, data).unwrap_or_else(|error| panic!("{error}"));
    let env = Env { state_directory: Some(FOLDER.clone()), sandbox_built: true, ..Env::default() };
    let board = Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/sim.toml");
    if let Err(report) = load_in(&path, &board, &env) {
        assert!(report.has_errors(), "refused without a reason");
        for problem in report.problems() {
            assert!(!problem.problem.is_empty() && !problem.advice.is_empty(), "{problem:?}");
        }
    }
    let _for_hub = load_for_hub(&path);
}

/// What the API's callers send.
pub fn api(data: &[u8]) {
    let Some((pick, text)) = data.split_first() else { return };
    match pick % 6 {
        0 => drop(body::parse::<wanted::WantedOrder>(text)),
        1 => drop(body::parse::<wanted::WantedCashSale>(text)),
        2 => drop(body::parse::<wanted::WantedRefund>(text)),
        3 => drop(body::parse::<wanted::WantedDecision>(text)),
        4 => drop(body::parse::<wanted::WantedPlan>(text)),
        _ => drop(body::parse::<wanted::WantedScan>(text)),
    }
}
