//! `till board detect`: which computer this is, which boards are for it, what is plugged in, and what is in the way.

use std::path::Path;

use serde_json::{Value, json};

use super::Answer;
use super::list::{Known, boards, json_of};
use crate::cli::machine::{Device, Tree, architecture, devices, thieves};
use crate::cli::text;

pub(super) fn detect(tree: &Tree, folder: &Path) -> Answer {
    let model = tree.model();
    let fitting = fitting(folder, model.as_deref());
    let (devices, thieves) = (devices(tree), thieves(tree));
    let named = |model: &Option<String>| model.clone().unwrap_or_else(|| "not told by the system".to_owned());
    let mut text = format!("Computer:  {} ({})\n", text::plain(&named(&model)), architecture());
    text.push_str(&match fitting.as_slice() {
        [] => format!("Boards:    none in {} is for it; begin with the one that is nearest\n", folder.display()),
        known => {
            format!("Boards:    {}\n", known.iter().map(|known| known.name.as_str()).collect::<Vec<_>>().join(", "))
        }
    });
    text.push_str(&format!("\n{}", table(&devices)));
    for thief in &thieves {
        text.push_str(&format!("\nBAD  in the way: {}\n       do: {}", thief.what, thief.remedy));
    }
    let json = json!({
        "model": model,
        "architecture": architecture(),
        "boards": fitting.iter().map(json_of).collect::<Vec<Value>>(),
        "devices": devices,
        "in_the_way": thieves,
    });
    Answer::done(text, json)
}

/// The boards for this model; for a PC that no board names, those of its architecture.
fn fitting(folder: &Path, model: Option<&str>) -> Vec<Known> {
    let (named, others): (Vec<Known>, Vec<Known>) = boards(folder).into_iter().partition(|known| {
        let about = known.board.as_ref().map(|board| &board.about);
        about.zip(model).is_some_and(|(about, model)| about.is_for(model))
    });
    if !named.is_empty() || architecture() != "amd64" {
        return named;
    }
    let is_alike = |known: &Known| {
        let about = known.board.as_ref().and_then(|board| board.about.architecture);
        about.is_some_and(|kind| kind.word() == architecture())
    };
    others.into_iter().filter(is_alike).collect()
}

fn table(devices: &[Device]) -> String {
    let mut rows = vec![text::heading(&["KIND", "DEVICE", "NAME FOR THE BOARD FILE", "SAYS"])];
    rows.extend(devices.iter().map(|device| {
        let name = device.name.clone().unwrap_or_else(|| "-".to_owned());
        vec![device.kind.to_owned(), device.device.clone(), name, text::plain(&device.says)]
    }));
    text::table(&rows)
}
