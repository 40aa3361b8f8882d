//! The picture: drawn when what it shows has changed, handed to the panel and to whoever asks for a screenshot.

use std::sync::Arc;

use hal::display::Frame;
use payment::engine::view::View;
use tokio::sync::watch;

use super::devices::Machinery;
use super::metrics::Metrics;
use crate::screen::{self, Look};

/// The screen of the terminal.
#[derive(Debug)]
pub struct Picture {
    look: Look,
    size: Option<(u32, u32)>,
    shown: Option<View>,
    frame: watch::Sender<Option<Arc<Frame>>>,
}

impl Picture {
    /// A picture of `size` pixels; `None` when the board has no display.
    #[must_use]
    pub fn new(look: Look, size: Option<(u32, u32)>) -> Self {
        Self { look, size, shown: None, frame: watch::Sender::new(None) }
    }

    /// The newest frame, for screenshots.
    #[must_use]
    pub fn frames(&self) -> watch::Receiver<Option<Arc<Frame>>> {
        self.frame.subscribe()
    }

    /// Whether the picture has a countdown in it.
    #[must_use]
    pub const fn counts_down(&self) -> bool {
        matches!(self.shown, Some(View::Pay { .. } | View::Confirming { .. }))
    }

    /// Draws `view` if it is not what is shown.
    pub fn follow(&mut self, view: &View, machinery: &Machinery, metrics: &Metrics) {
        let Some((width, height)) = self.size.filter(|_| self.shown.as_ref() != Some(view)) else {
            return;
        };
        let mut frame = Frame::new(width, height);
        let Ok(()) = screen::draw(view, &self.look, &mut frame);
        self.frame.send_replace(Some(Arc::new(frame.clone())));
        // A panel that goes dark is lit by a buyer, not by a machine that is free again.
        match view {
            View::Starting | View::Idle { .. } | View::OutOfService { .. } => machinery.show_quietly(frame),
            View::Choose { .. }
            | View::Pay { .. }
            | View::Confirming { .. }
            | View::Checking { .. }
            | View::Delivering { .. }
            | View::Thanks { .. }
            | View::Sorry { .. } => machinery.show(frame),
        }
        metrics.frames.add_one();
        self.shown = Some(view.clone());
    }
}
