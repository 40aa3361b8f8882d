//! The part that the protocols of controllers share: what waits for its turn, and what is to be told.

use std::collections::VecDeque;

use super::Job;
use crate::{
    board::VendSpec,
    event::{DeviceEvent, VendResult},
};

/// An item that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) job: u64,
    /// The slot's number in the controller.
    pub(super) number: u16,
    /// In fen.
    pub(super) price: i64,
}

/// Takes jobs and gives results: one for each job.
pub(super) struct Desk {
    numbers: Vec<(String, u16)>,
    waiting: VecDeque<Order>,
    events: VecDeque<DeviceEvent>,
    /// What the loop was told of the controller: that it is there, or why not.
    told: Option<Result<(), String>>,
}

impl Desk {
    pub(super) fn new(spec: &VendSpec) -> Self {
        let numbers =
            spec.slots.iter().filter_map(|slot| Some((slot.name.clone(), slot.controller_number()?))).collect();
        Self { numbers, waiting: VecDeque::new(), events: VecDeque::new(), told: None }
    }

    /// The name that the board has for a number of the controller's.
    pub(super) fn name_of(&self, number: u16) -> Option<&str> {
        self.numbers.iter().find(|(_, known)| *known == number).map(|(name, _)| name.as_str())
    }

    /// Any slot: for a question that wants one.
    pub(super) fn first_number(&self) -> Option<u16> {
        self.numbers.first().map(|(_, number)| *number)
    }

    /// Takes a job on. True: the choice at the machine is to be turned away, which is the protocol's to do.
    pub(super) fn wanted(&mut self, job: Job) -> bool {
        match job {
            Job::TurnAway => return true,
            // The controllers here keep no count of what fell, and turn no motor to find out.
            Job::Inspect { job, .. } => {
                self.ended(job, VendResult::Unknown, "the controller cannot tell what fell before")
            }
            Job::Dispense { job, slot, price } => {
                let number = self.numbers.iter().find(|(name, _)| *name == slot).map(|(_, number)| *number);
                match number {
                    None => self.ended(job, VendResult::NotDropped, "the board gives this slot no number"),
                    Some(_) if self.told != Some(Ok(())) => {
                        self.ended(job, VendResult::NotDropped, "the controller is away; nothing was sent");
                    }
                    Some(number) => self.waiting.push_back(Order { job, number, price }),
                }
            }
        }
        false
    }

    pub(super) fn next_order(&mut self) -> Option<Order> {
        self.waiting.pop_front()
    }

    /// The controller is there.
    pub(super) fn up(&mut self) {
        if self.told != Some(Ok(())) {
            self.told = Some(Ok(()));
            self.tell(DeviceEvent::VendReady { drops: None });
        }
    }

    /// The controller is away: nothing that waits will be sent. A new reason is told anew, because it wants another hand.
    pub(super) fn down(&mut self, why: &str) {
        while let Some(order) = self.waiting.pop_front() {
            self.ended(order.job, VendResult::NotDropped, "the controller went away; nothing was sent");
        }
        if !matches!(&self.told, Some(Err(told)) if told == why) {
            self.told = Some(Err(why.to_owned()));
            self.tell(DeviceEvent::VendDown { reason: why.to_owned() });
        }
    }

    pub(super) fn has_orders(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn ended(&mut self, job: u64, result: VendResult, told: &str) {
        let told = (!told.is_empty()).then(|| told.to_owned());
        self.tell(DeviceEvent::VendEnded { job, result, drops: None, taken: None, told });
    }

    pub(super) fn tell(&mut self, event: DeviceEvent) {
        self.events.push_back(event);
    }

    pub(super) fn happened(&mut self) -> Option<DeviceEvent> {
        self.events.pop_front()
    }
}
