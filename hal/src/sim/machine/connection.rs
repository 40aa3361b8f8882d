//! One driver's connection to the simulated machine.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    sync::{Arc, atomic::Ordering},
};

use super::{Core, Driver, Shared, WRITE_WITHIN, spawn};
use crate::{
    board::Rotation,
    display::Frame,
    sim::protocol::{FromMachine, LINE_MAX, ToMachine, to_line},
};

/// Largest picture side that is taken.
const SIDE_MAX: u32 = 4096;

/// Ends when the machine is dropped.
pub(super) fn accept_all(shared: &Arc<Shared>, listener: &UnixListener) {
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        // A driver that cannot be served sees its connection close, and tries again.
        let _ = spawn("till-machine-driver", shared, |shared| serve(&shared, stream));
    }
}

fn serve(shared: &Shared, stream: UnixStream) {
    if let Some(number) = enter(shared, &stream) {
        // However it ends, the driver has left.
        let _ = answer_all(shared, number, stream);
        shared.act(|core| core.drivers.retain(|driver| driver.number != number));
    }
}

/// Adds the driver, unless the cable is out.
fn enter(shared: &Shared, stream: &UnixStream) -> Option<u64> {
    stream.set_write_timeout(Some(WRITE_WITHIN)).ok()?;
    let stream = stream.try_clone().ok()?;
    shared.act(|core| {
        core.reachable.then(|| {
            core.next_driver += 1;
            core.drivers.push(Driver { number: core.next_driver, stream, inputs: Default::default() });
            core.next_driver
        })
    })
}

fn answer_all(shared: &Shared, number: u64, stream: UnixStream) -> io::Result<()> {
    let mut reading = BufReader::new(stream.try_clone()?);
    let mut line = Vec::new();
    loop {
        line.clear();
        let limit = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
        if (&mut reading).take(limit).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let question: ToMachine = serde_json::from_slice(&line)?;
        let body = read_body(&question, &mut reading)?;
        match question {
            // Published before it is answered: a driver that says the picture is up is right.
            ToMachine::Frame { .. } => {
                let answer = shared.act(|core| core.answer(number, &question, &body));
                show(shared);
                (&stream).write_all(&to_line(&answer))?;
            }
            ToMachine::SetNow { .. } => {
                shared.act(|core| core.answer(number, &question, &body));
            }
            // Answered under the lock, so that no level of a later moment overtakes the answer.
            ToMachine::Output { .. } | ToMachine::Input { .. } | ToMachine::Set { .. } | ToMachine::Drops => shared
                .act(|core| {
                    let answer = core.answer(number, &question, &body);
                    (&stream).write_all(&to_line(&answer))
                })?,
        }
    }
}

fn read_body(question: &ToMachine, reading: &mut impl Read) -> io::Result<Vec<u8>> {
    let ToMachine::Frame { width, rows, .. } = question else {
        return Ok(Vec::new());
    };
    if *width > SIDE_MAX || *rows > SIDE_MAX {
        return Err(io::Error::other("the picture is too large"));
    }
    let mut body = vec![0; *width as usize * *rows as usize * 2];
    reading.read_exact(&mut body)?;
    Ok(body)
}

/// Publishes the panel's memory as a person in front of the machine sees it.
fn show(shared: &Shared) {
    let upright = match shared.rotation {
        Rotation::None => Rotation::None,
        Rotation::Quarter => Rotation::ThreeQuarters,
        Rotation::Half => Rotation::Half,
        Rotation::ThreeQuarters => Rotation::Quarter,
    };
    let panel = shared.core().panel.clone();
    if let Some(panel) = panel {
        shared.picture.send_replace(Some(Arc::new(panel.rotated(upright))));
    }
}

fn refused(why: impl Into<String>) -> FromMachine {
    FromMachine::Refused { why: why.into() }
}

impl Core {
    fn answer(&mut self, driver: u64, question: &ToMachine, body: &[u8]) -> FromMachine {
        match question {
            ToMachine::Output { line, high } | ToMachine::Set { line, high } | ToMachine::SetNow { line, high } => {
                if self.model.set_output(line, *high) {
                    FromMachine::Done
                } else {
                    refused(format!("the machine has no output {line}"))
                }
            }
            ToMachine::Input { line } => self.add_input(driver, line),
            ToMachine::Drops => FromMachine::Drops { count: self.model.drops() },
            ToMachine::Frame { width, height, first_row, rows } => {
                self.paint((*width, *height), *first_row..first_row.saturating_add(*rows), body)
            }
        }
    }

    fn add_input(&mut self, number: u64, line: &str) -> FromMachine {
        if !self.model.is_input(line) {
            return refused(format!("the machine has no input {line}"));
        }
        let high = self.model.level(line);
        let driver = self.drivers.iter_mut().find(|known| known.number == number);
        let Some(driver) = driver else {
            return refused("the driver was cut off");
        };
        driver.inputs.insert(line.to_owned());
        let level = FromMachine::Level { line: line.to_owned(), high };
        match (&driver.stream).write_all(&to_line(&level)) {
            Ok(()) => FromMachine::Done,
            Err(error) => refused(error.to_string()),
        }
    }

    fn paint(&mut self, (width, height): (u32, u32), rows: std::ops::Range<u32>, body: &[u8]) -> FromMachine {
        if width == 0 || !(1..=SIDE_MAX).contains(&height) || rows.end > height {
            return refused("the picture does not fit the panel");
        }
        let panel = match self.panel.take() {
            Some(panel) if (panel.width(), panel.height()) == (width, height) => panel,
            Some(_) | None => Frame::new(width, height),
        };
        let panel = self.panel.insert(panel);
        let sent = body.chunks_exact(width as usize * 2);
        for (row, bytes) in panel.rows_mut().skip(rows.start as usize).zip(sent) {
            for (pixel, pair) in row.iter_mut().zip(bytes.as_chunks::<2>().0) {
                *pixel = u16::from_le_bytes(*pair);
            }
        }
        self.frames += 1;
        FromMachine::Done
    }
}
