//! Lines of the simulated machine, over its socket.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    time::Duration,
};

use super::{Edge, InputLines, LineError, Lines, OutputLine};
use crate::{
    board::LineSpec,
    sim::{
        link::{Link, Watcher, Wire},
        protocol::{FromMachine, ToMachine},
    },
    vend::DropCounter,
};

/// The simulator backend.
pub struct SimLines {
    link: Arc<Link>,
}

impl SimLines {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self { link }
    }
}

struct SimOutput {
    wire: Arc<Wire>,
    line: String,
    active_low: bool,
}

impl OutputLine for SimOutput {
    fn set(&self, active: bool) -> Result<(), LineError> {
        let question = ToMachine::Set { line: self.line.clone(), high: active != self.active_low };
        self.wire.order(&question, &[])
    }

    fn set_inactive_now(&self) {
        self.wire.shout(&ToMachine::SetNow { line: self.line.clone(), high: self.active_low });
    }
}

struct SimInputs {
    wire: Arc<Wire>,
    edges: Receiver<Edge>,
    levels: Vec<bool>,
    waiting: VecDeque<Edge>,
}

impl SimInputs {
    /// The machine sends the level of a new input before anything else of it: where things stand is not a change.
    fn learn_level(&mut self, index: usize) {
        while let Ok(edge) = self.edges.try_recv() {
            match self.levels.get_mut(index) {
                Some(level) if edge.index == index => {
                    *level = edge.active;
                    return;
                }
                Some(_) | None => self.take(edge),
            }
        }
    }

    fn take(&mut self, edge: Edge) {
        if let Some(level) = self.levels.get_mut(edge.index)
            && *level != edge.active
        {
            *level = edge.active;
            self.waiting.push_back(edge);
        }
    }
}

impl InputLines for SimInputs {
    fn is_active(&mut self, index: usize) -> Result<bool, LineError> {
        // Any answer follows the levels that were sent before it, so the level is read as of now.
        self.wire.ask(&ToMachine::Drops, &[])?;
        loop {
            match self.edges.try_recv() {
                Ok(edge) => self.take(edge),
                Err(std::sync::mpsc::TryRecvError::Empty) => break,
                Err(std::sync::mpsc::TryRecvError::Disconnected) => {
                    return Err(LineError::Gone("the simulated machine is away".into()));
                }
            }
        }
        self.levels.get(index).copied().ok_or_else(|| LineError::Gone(format!("there is no input {index}")))
    }

    fn wait_edge(&mut self, timeout: Duration) -> Result<Option<Edge>, LineError> {
        let deadline = crate::pace::now() + timeout;
        loop {
            if let Some(edge) = self.waiting.pop_front() {
                return Ok(Some(edge));
            }
            let rest = deadline.saturating_sub(crate::pace::now());
            match self.edges.recv_timeout(rest) {
                Ok(edge) => self.take(edge),
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(LineError::Gone("the simulated machine is away".into()));
                }
            }
        }
    }
}

impl Lines for SimLines {
    fn output(&self, line: &LineSpec) -> Result<Box<dyn OutputLine>, LineError> {
        let wire = self.link.wire()?;
        let question = ToMachine::Output { line: line.id(), high: line.active_low };
        wire.order(&question, &[])?;
        Ok(Box::new(SimOutput { wire, line: line.id(), active_low: line.active_low }))
    }

    fn inputs(&self, lines: &[LineSpec], _debounce: Duration) -> Result<Box<dyn InputLines>, LineError> {
        let wire = self.link.wire()?;
        let (sender, edges) = channel();
        let mut inputs =
            SimInputs { wire: Arc::clone(&wire), edges, levels: vec![false; lines.len()], waiting: VecDeque::new() };
        for (index, line) in lines.iter().enumerate() {
            let watcher = Watcher { index, active_low: line.active_low, edges: sender.clone() };
            wire.watch(line.id(), watcher)?;
            inputs.learn_level(index);
        }
        Ok(Box::new(inputs))
    }
}

impl DropCounter for SimLines {
    fn drops(&self) -> Option<u64> {
        match self.link.wire().ok()?.ask(&ToMachine::Drops, &[]).ok()? {
            FromMachine::Drops { count } => Some(count),
            FromMachine::Done | FromMachine::Refused { .. } | FromMachine::Level { .. } => None,
        }
    }
}
