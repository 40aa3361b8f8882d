//! The workbench of a board: the same board with everything outside of the computer simulated, down to the wires.
//!
//! Drivers, lines, slots and texts stay as the board file says. Ports become pseudo-terminals in a folder, GPIO chips become
//! the simulated machine's pins, and a panel becomes its panel. What has no wire of ours is replaced: a typing scanner, which only
//! a kernel could pretend, by one that sends lines, a PWM channel by a line. Times are short.

use std::{
    any::Any,
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    machine::{Machine, MachineSpec},
    mdb::{
        Adapter,
        hex_adapter::HexAdapter,
        text_adapter::TextAdapter,
        vmc::{Act, Vmc, VmcSpec},
    },
    motor::{RtuBoard, Speech, SpringBoard},
    port::{Device, SimPort},
    printer::Printer,
    scanner::{
        Scanner, Wire, caret::CaretScanner, hid::pos_reports, honeywell::HoneywellScanner, newland::NewlandScanner,
        ssi::SsiScanner, zone::ZoneScanner,
    },
    xy::{XyMachine, XySlot},
};
use crate::board::{
    AboutSpec, BoardSpec, BuzzerSpec, DialectKind, DisplayKind, DisplaySpec, GpioKind, LineSpec, MdbAdapter, ModbusMap,
    PrinterKind, ScannerKind, SlotSpec, SoundSpec, StatusSpec, VendKind, VendSpec,
};

/// Paper for many receipts, in dots.
const ROLL: usize = 100_000;
/// What an item costs in a simulated controller, in fen.
const PRICE: u16 = 100;

/// A board on the workbench.
pub struct Bench {
    /// The board whose devices are here.
    pub board: BoardSpec,
    /// What hangs on its lines, and its panel.
    pub machine: Machine,
    /// Its printer.
    pub printer: Option<SimPort<Printer>>,
    scanner: Option<SimPort<Reader>>,
    controller: Controller,
}

impl Bench {
    /// Puts a board on the bench; its ports and its socket are made in `folder`.
    ///
    /// # Errors
    /// When a port or the socket cannot be made.
    pub fn start(board: &BoardSpec, folder: &Path) -> io::Result<Self> {
        let board = simulated(board, folder);
        let socket = board.sim.socket.clone().unwrap_or_default();
        let machine = Machine::start(socket, MachineSpec::from_board(&board))?;
        let scanner = board.scanner.path.as_ref().filter(|_| board.scanner.kind != ScannerKind::None);
        let scanner = scanner.map(|path| SimPort::start(path, Reader::of(&board))).transpose()?;
        let printer = board.printer.path.as_ref().filter(|_| board.printer.kind != PrinterKind::None);
        let printer = printer.map(|path| SimPort::start(path, Printer::new(board.printer.columns.into(), ROLL)));
        let controller = Controller::start(&board)?;
        Ok(Self { machine, scanner, printer: printer.transpose()?, controller, board })
    }

    /// A buyer chooses at the keys of the machine's controller, by its own number. False: it takes no choice now.
    pub fn choose(&self, number: u16) -> bool {
        self.controller.choose(number)
    }

    /// Holds a code before the scanner's window.
    pub fn scan(&self, code: &str) {
        if let Some(scanner) = &self.scanner {
            scanner.with(|reader, now| reader.show(now, code));
        }
    }
}

/// The same board on simulated devices, whose ports are in `folder`.
fn simulated(board: &BoardSpec, folder: &Path) -> BoardSpec {
    let mut board = BoardSpec { about: AboutSpec::default(), ..board.clone() };
    if board.gpio.kind != GpioKind::None {
        board.gpio.kind = GpioKind::Sim;
    }
    if !matches!(board.display.kind, DisplayKind::None | DisplayKind::Memory) {
        let DisplaySpec { width, height, rotation, .. } = board.display;
        board.display = DisplaySpec { kind: DisplayKind::Sim, width, height, rotation, ..DisplaySpec::default() };
    }
    if board.scanner.kind == ScannerKind::Keyboard {
        board.scanner.kind = ScannerKind::Serial;
    }
    board.scanner.stale_ms = 0;
    if board.buzzer.pwm.is_some() {
        let line = Some(LineSpec { name: Some("buzzer".into()), ..LineSpec::default() });
        board.buzzer = BuzzerSpec { line, ..BuzzerSpec::default() };
        board.gpio.kind = GpioKind::Sim;
    }
    board.status_display = StatusSpec::default();
    board.sound = SoundSpec::default();
    board.sim.socket = Some(folder.join("machine.sock"));
    board.scanner.path = Some(folder.join("scanner"));
    board.printer.path = Some(folder.join("printer"));
    let port = Some(folder.join("controller"));
    (board.vend.xy.path, board.vend.modbus.path) = (port.clone(), port.clone());
    (board.vend.spring.path, board.vend.mdb.path) = (port.clone(), port);
    quickly(&mut board);
    board
}

/// The machine on the lines is quick; the models of controllers take their own time.
fn quickly(board: &mut BoardSpec) {
    if board.vend.kind == VendKind::Relay {
        board.vend.max_on_ms = 600;
        board.vend.drop_window_ms = 150;
        board.vend.settle_ms = 50;
    }
    board.sim.motor_ms = 60;
    board.sim.fall_ms = 20;
    board.sim.one_shot_ms = 900;
}

/// The far end of a controller's port.
enum Controller {
    /// There is none.
    None,
    Xy(SimPort<XyMachine>),
    Text(SimPort<TextAdapter>),
    Hex(SimPort<HexAdapter>),
    /// Motor boards, at which nobody chooses.
    Motor(#[expect(dead_code, reason = "held, not read")] Box<dyn Any + Send>),
}

impl Controller {
    fn start(board: &BoardSpec) -> io::Result<Self> {
        let vend = &board.vend;
        Ok(match vend.kind {
            VendKind::None | VendKind::Relay | VendKind::Pulse => Self::None,
            VendKind::Xy => {
                let slot = || XySlot { price: PRICE.into(), stock: 8, ..XySlot::default() };
                let slots = vend.slots.iter().filter_map(|known| Some((known.controller_number()?, slot())));
                Self::Xy(SimPort::start(path(&vend.xy.path), XyMachine::new(slots.collect()))?)
            }
            VendKind::Modbus => {
                let speech = match vend.modbus.map {
                    ModbusMap::Registers => Speech::Registers,
                    ModbusMap::Lane | ModbusMap::Lane814 => Speech::Lane,
                };
                Self::Motor(Box::new(SimPort::start(path(&vend.modbus.path), RtuBoard::new(speech))?))
            }
            VendKind::Spring => Self::Motor(Box::new(SimPort::start(path(&vend.spring.path), SpringBoard::default())?)),
            VendKind::Mdb => Self::mdb(vend)?,
        })
    }

    fn mdb(vend: &VendSpec) -> io::Result<Self> {
        let spec = &vend.mdb;
        let numbers = vend.slots.iter().filter_map(SlotSpec::controller_number);
        let address = if spec.device == 2 { 0x60 } else { 0x10 };
        let items = numbers.map(|number| (number, PRICE)).collect();
        let machine = Vmc::new(VmcSpec { address, items, ..VmcSpec::default() }.faster(10));
        let port = path(&spec.path);
        Ok(match spec.adapter {
            MdbAdapter::Text => Self::Text(SimPort::start(port, TextAdapter::new(machine))?),
            MdbAdapter::Hex => Self::Hex(SimPort::start(port, HexAdapter::new(machine, address, spec.hex.clone()))?),
        })
    }

    fn choose(&self, number: u16) -> bool {
        fn at<A: Adapter>(port: &SimPort<A>, number: u16) -> bool {
            port.with(|adapter, now| {
                let may = adapter.vmc().takes_selections();
                if may {
                    adapter.vmc().plan(now, Act::Select(number));
                }
                may
            })
        }
        match self {
            Self::None | Self::Motor(_) => false,
            Self::Xy(port) => {
                port.with(|machine, _| machine.choose(number));
                true
            }
            Self::Text(port) => at(port, number),
            Self::Hex(port) => at(port, number),
        }
    }
}

fn path(path: &Option<PathBuf>) -> PathBuf {
    path.clone().unwrap_or_default()
}

/// A scanner of any kind, behind one port.
enum Reader {
    Spoken(Box<dyn Scanner>),
    /// It only sends.
    Plain(Wire),
    Reports(VecDeque<Vec<u8>>),
}

impl Reader {
    fn of(board: &BoardSpec) -> Self {
        let scanner: Box<dyn Scanner> = match (board.scanner.kind, board.scanner.dialect) {
            (ScannerKind::HidPos, _) => return Self::Reports(VecDeque::new()),
            (_, DialectKind::Plain) => return Self::Plain(Wire::at(board.scanner.baud)),
            (_, DialectKind::Auto | DialectKind::Zone) => Box::new(ZoneScanner::default()),
            (_, DialectKind::Newland) => Box::new(NewlandScanner::default()),
            (_, DialectKind::Honeywell) => Box::new(HoneywellScanner::default()),
            (_, DialectKind::Ssi) => Box::new(SsiScanner::default()),
            (_, DialectKind::Caret) => Box::new(CaretScanner::default()),
        };
        Self::Spoken(scanner)
    }

    fn show(&mut self, now: Duration, code: &str) {
        match self {
            Self::Spoken(scanner) => scanner.show(now, Some(code)),
            Self::Plain(wire) => wire.send(format!("{code}\r").as_bytes()),
            Self::Reports(waiting) => waiting.extend(pos_reports("]Q1", code).into_iter().map(Vec::from)),
        }
    }
}

impl Device for Reader {
    fn received(&mut self, now: Duration, bytes: &[u8]) {
        if let Self::Spoken(scanner) = self {
            scanner.received(now, bytes);
        }
    }

    fn woken(&mut self, now: Duration) {
        match self {
            Self::Spoken(scanner) => scanner.woken(now),
            Self::Plain(wire) => wire.woken(now),
            Self::Reports(_) => {}
        }
    }

    fn due(&self) -> Option<Duration> {
        match self {
            Self::Spoken(scanner) => scanner.due(),
            Self::Plain(wire) => wire.due(),
            Self::Reports(_) => None,
        }
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Spoken(scanner) => scanner.to_send(),
            Self::Plain(wire) => wire.to_send(),
            Self::Reports(waiting) => waiting.pop_front(),
        }
    }
}
