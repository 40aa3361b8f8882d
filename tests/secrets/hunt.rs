//! Secrets, and the search for them in everything that was heard.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// Shorter texts would be found anywhere.
const SHORTEST: usize = 12;

/// A secret with all the forms in which it might be printed.
struct Secret {
    what: String,
    forms: Vec<String>,
}

/// Every secret of a run.
#[derive(Default)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// A text that nobody may print.
    pub fn add(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= SHORTEST, "{what} is too short to be searched for");
        let bytes = secret.as_bytes();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let list: String = bytes.iter().map(|byte| byte.to_string()).collect();
        let base64 = STANDARD_NO_PAD.encode(bytes);
        let forms = [secret, &hex, &list, &base64].map(|form| bare(form.as_bytes()));
        self.0.push(Secret { what: what.to_owned(), forms: forms.into() });
    }

    /// The private half of a key file: its lines, and the bytes that they stand for.
    pub fn add_key_file(&mut self, path: &Path) {
        let text = std::fs::read_to_string(path).unwrap();
        let what = path.file_name().unwrap().to_string_lossy();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("-----")).collect();
        assert!(text.contains("PRIVATE KEY") && !lines.is_empty(), "{what} is no private key");
        for line in lines.iter().filter(|line| line.len() >= SHORTEST) {
            self.add(&format!("a line of {what}"), line);
        }
        let der = STANDARD.decode(lines.concat()).unwrap();
        // An Ed25519 key is the 32 bytes behind a header. Of another kind's first bytes none are secret.
        let seed = if der.len() < 100 { &der[16..48] } else { &[] };
        for part in seed.chunks(16) {
            let hex: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
            let list: Vec<String> = part.iter().map(|byte| byte.to_string()).collect();
            let forms = vec![bare(hex.as_bytes()), bare(list.concat().as_bytes())];
            self.0.push(Secret { what: format!("bytes of {what}"), forms });
        }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// Everything that was printed, answered or written, with where it was.
#[derive(Default)]
pub struct Heard(Vec<(String, Vec<u8>)>);

impl Heard {
    pub fn add(&mut self, from: impl Into<String>, said: impl AsRef<[u8]>) {
        self.0.push((from.into(), said.as_ref().to_owned()));
    }

    /// All files in a folder and under it, but the key files themselves.
    pub fn add_folder(&mut self, folder: &Path, keys: &[&Path]) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if keys.contains(&path.as_path()) {
                continue;
            }
            // Links lead to devices; sockets and pipes hold nothing.
            let kind = path.symlink_metadata().unwrap().file_type();
            if kind.is_dir() {
                self.add_folder(&path, keys);
            } else if kind.is_file() {
                self.add(path.display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }

    /// The search looks at the right place: this is there.
    pub fn must_hold(&self, what: &str, word: &str) {
        let holds = self.0.iter().any(|(_, said)| String::from_utf8_lossy(said).contains(word));
        assert!(holds, "{what} is missing: nobody said {word:?}");
    }

    /// Where which secret was found, in words that do not hold it.
    pub fn leaks(&self, secrets: &Secrets) -> Vec<String> {
        let mut leaks = Vec::new();
        for (from, said) in &self.0 {
            let said = bare(said);
            for secret in &secrets.0 {
                if secret.forms.iter().any(|form| said.contains(form.as_str())) {
                    leaks.push(format!("{} in {from}", secret.what));
                }
            }
        }
        leaks
    }
}

/// Letters and digits only, and small ones: blanks, line ends, quotes and escapes between them hide nothing.
fn bare(text: &[u8]) -> String {
    text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}
