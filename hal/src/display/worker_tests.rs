use std::sync::{
    Mutex,
    mpsc::{Receiver, channel},
};

use embedded_graphics::pixelcolor::{Rgb565, RgbColor};

use super::*;

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Opened,
    Frame(u32),
    Blank(bool),
    Light(u32),
    Closed,
}

/// A panel and a light that tell what they are told.
struct Fake(std::sync::mpsc::Sender<Seen>);

impl Display for Fake {
    fn show(&mut self, frame: &Frame) -> Result<(), DisplayError> {
        self.0.send(Seen::Frame(frame.width())).map_err(|_| DisplayError::Lost("the test is over".into()))
    }

    fn blank(&mut self, dark: bool) -> Result<(), DisplayError> {
        self.0.send(Seen::Blank(dark)).map_err(|_| DisplayError::Lost("the test is over".into()))
    }

    fn close(&mut self) {
        let _ = self.0.send(Seen::Closed);
    }
}

impl Light for Fake {
    fn set(&mut self, percent: u32) -> Result<(), String> {
        self.0.send(Seen::Light(percent)).map_err(|error| error.to_string())
    }
}

fn frame(width: u32) -> Arc<Frame> {
    Arc::new(Frame::filled(width, 1, Rgb565::WHITE))
}

struct Bench {
    screen: Arc<Screen>,
    ended: Arc<Latest<()>>,
    seen: Receiver<Seen>,
    _events: tokio::sync::mpsc::Receiver<DeviceEvent>,
}

fn start(blank_after: Option<Duration>) -> Bench {
    let (sender, seen) = channel();
    let (events, heard) = tokio::sync::mpsc::channel(8);
    let (screen, ended) = (Arc::new(Screen::new()), Arc::new(Latest::new()));
    let panels = Mutex::new(sender.clone());
    let open: Open = Box::new(move || {
        let sender = panels.lock().unwrap().clone();
        sender.send(Seen::Opened).unwrap();
        Ok(Box::new(Fake(sender)))
    });
    let lamp = Lamp { light: Some(Box::new(Fake(sender))), brightness: 80 };
    let worker =
        Worker { open, screen: Arc::clone(&screen), lamp, blank_after, events, _ended: Ended(Arc::clone(&ended)) };
    std::thread::spawn(move || worker.run());
    Bench { screen, ended, seen, _events: heard }
}

impl Bench {
    fn expect(&self, wanted: &[Seen]) {
        for wanted in wanted {
            let seen = self.seen.recv_timeout(Duration::from_secs(20)).expect("it came");
            assert_eq!(&seen, wanted);
        }
    }
}

#[test]
fn a_panel_goes_dark_by_itself_and_only_a_picture_that_matters_lights_it() {
    let bench = start(Some(Duration::from_millis(40)));
    bench.expect(&[Seen::Opened]);
    bench.screen.put(frame(1), true);
    bench.expect(&[Seen::Frame(1), Seen::Light(80), Seen::Light(0), Seen::Blank(true)]);
    bench.screen.put(frame(2), false);
    bench.screen.put(frame(3), true);
    // The picture first, then the light; and dark again later.
    bench.expect(&[Seen::Frame(3), Seen::Blank(false), Seen::Light(80), Seen::Light(0), Seen::Blank(true)]);
    bench.screen.frames.close();
    bench.expect(&[Seen::Closed]);
}

#[test]
fn a_panel_that_never_blanks_shows_quiet_pictures_too() {
    let bench = start(None);
    bench.screen.put(frame(1), false);
    bench.expect(&[Seen::Opened, Seen::Frame(1), Seen::Light(80)]);
    bench.screen.put(frame(2), false);
    bench.expect(&[Seen::Frame(2)]);
    bench.screen.frames.close();
    bench.expect(&[Seen::Closed]);
    assert_eq!(bench.ended.take_within(Duration::from_secs(20)), None);
    assert!(bench.ended.is_closed(), "whoever waits for the end hears of it");
}

#[test]
fn a_picture_that_matters_still_wakes_when_a_quiet_one_replaced_it() {
    let screen = Screen::new();
    screen.put(frame(1), true);
    screen.put(frame(2), false);
    let shot = screen.frames.take().expect("a frame");
    assert!(shot.wakes && shot.frame.width() == 2);
}

#[test]
fn the_time_to_go_dark_counts_from_the_last_waking() {
    let second = Duration::from_secs(1);
    let mut idle = Idle { after: Some(second * 30), since: second, is_dark: false };
    assert_eq!(idle.rest(second * 11), Some(second * 20));
    idle.wake(second * 20);
    assert!(!idle.is_time(second * 49) && idle.is_time(second * 50));
    idle.is_dark = true;
    assert_eq!(idle.rest(second * 99), None);
}
