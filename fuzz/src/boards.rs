//! Board files.

use std::path::Path;

use hal::board::BoardSpec;

/// `BoardSpec::parse`: a board, or every problem with an advice.
pub fn any(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = || BoardSpec::parse(Path::new("board.toml"), text);
    match (read(), read()) {
        (Ok(_), Ok(_)) => {}
        (Err(problems), Err(again)) => {
            assert!(problems == again && !problems.0.is_empty(), "one text, two reports");
            let lines = text.lines().count().max(1) + 1;
            for problem in &problems.0 {
                assert!(!problem.problem.is_empty() && !problem.advice.is_empty(), "{problem:?}");
                assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "{problem:?}");
            }
        }
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => panic!("one text, two readings"),
    }
}
