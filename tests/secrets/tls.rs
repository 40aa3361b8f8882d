//! Whom the terminal believes on the network: nothing in the tree can switch that off.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

fn device_sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for folder in ["src", "payment/src", "hal/src"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    }
    assert!(found.len() > 100, "this test looks at nothing");
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn no_code_can_switch_the_check_of_a_server_off() {
    let ways = ["danger", "accept_invalid", "ServerCertVerifier", "with_custom_certificate", "tls_sni", "SSL_CERT_"];
    for (path, text) in device_sources() {
        for way in ways {
            assert!(!text.contains(way), "{} says {way}", path.display());
        }
    }
}

/// The library's own client would believe whatever the image believes.
#[test]
fn every_client_is_made_with_the_programs_own_roots() {
    let mut clients = 0;
    for (path, text) in device_sources() {
        for (at, _) in text.match_indices("Client::builder()") {
            clients += 1;
            let made = &text[at..];
            let made = &made[..made.find(".build()").unwrap_or(made.len())];
            assert!(made.contains("tls_backend_preconfigured("), "{}: {made}", path.display());
        }
        assert!(!text.contains("reqwest::Client::new"), "{}", path.display());
        assert!(!text.contains("reqwest::get"), "{}", path.display());
    }
    assert!(clients >= 3, "the channels' client, the hub's and the command line's");
}
