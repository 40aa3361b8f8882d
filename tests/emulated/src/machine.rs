//! An emulated machine: Debian under qemu, with a USB scanner, a screen, pins, and a plug that can be pulled.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::line::Line;

/// A start with systemd takes half a minute alone on the machine, and several when others compile beside it.
const BOOT_WITHIN: Duration = Duration::from_secs(400);
/// No command of a test takes longer, also an upgrade.
const COMMAND_WITHIN: Duration = Duration::from_secs(240);
/// In the machine, the only address outside.
const OUTSIDE: &str = "10.0.2.100:8500";

/// What the machines of one run share.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The folder that `tests/emulated/image` filled.
    pub image: PathBuf,
    /// The run's folder: disks, pictures, logs.
    pub run: PathBuf,
    /// The payment channel's port on this side.
    pub channel_port: u16,
    /// A disk with packages and programs, which the machine sees at `/load`.
    pub load: PathBuf,
}

/// Makes a disk of files, each under its name there.
///
/// # Errors
///
/// When a file is missing or `mke2fs` fails.
pub async fn load_disk(run: &Path, files: &[(&str, &Path)]) -> anyhow::Result<PathBuf> {
    let folder = tempfile::tempdir_in(run)?;
    for (name, file) in files {
        std::fs::copy(file, folder.path().join(name)).with_context(|| file.display().to_string())?;
    }
    let disk = run.join("load.img");
    let mut command = Command::new("mke2fs");
    command.args(["-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d"]).arg(folder.path()).arg(&disk).arg("200M");
    command.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin");
    ensure!(command.status().await?.success(), "mke2fs made no disk");
    Ok(disk)
}

/// A machine's disk: a layer over the image that is never written.
#[derive(Debug, Clone)]
pub struct Disk(PathBuf);

impl Disk {
    /// The terminal's disk of an earlier run.
    #[must_use]
    pub fn of_run(parts: &Parts) -> Self {
        Self(parts.run.join("terminal.qcow2"))
    }

    /// A fresh one.
    ///
    /// # Errors
    ///
    /// When `qemu-img` fails.
    pub async fn new(parts: &Parts, name: &str) -> anyhow::Result<Self> {
        let path = parts.run.join(format!("{name}.qcow2"));
        let base = parts.image.join("root.img");
        let mut command = Command::new("qemu-img");
        command.args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"]).arg(base).arg(&path);
        ensure!(command.status().await?.success(), "qemu-img made no disk");
        Ok(Self(path))
    }
}

/// What a command in the machine said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its exit code.
    pub code: i32,
    /// What it printed, on both outputs.
    pub text: String,
}

/// How a machine is started.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The clock chip's time, as qemu reads it; the present by default.
    pub clock: Option<String>,
    /// Started without the wire to the payment channel.
    pub offline: bool,
}

/// A running machine. Dropping it pulls its plug.
#[derive(Debug)]
pub struct Machine {
    qemu: Child,
    agent: Line,
    monitor: Line,
    scanner: Line,
    folder: PathBuf,
    motors: Arc<Mutex<Vec<String>>>,
    /// Ends when the emulator has ended and its last word was read.
    listening: JoinHandle<()>,
    shots: u32,
    /// Seconds from the kernel's start to the agent's word.
    pub booted_s: f64,
}

impl Machine {
    /// Boots, and waits until the machine obeys.
    ///
    /// # Errors
    ///
    /// When the emulator cannot be started, or the machine does not come up in time.
    pub async fn boot(parts: &Parts, disk: &Disk, start: Start) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("boot-").tempdir_in(&parts.run)?.keep();
        let log = std::fs::File::create(folder.join("qemu.log"))?;
        let mut command = Command::new("qemu-system-aarch64");
        command.current_dir(&folder).args(arguments(parts, disk, &start)?).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let qemu = command.spawn().context("qemu-system-aarch64: apt-get install qemu-system-arm")?;
        let mut agent = Line::open(&folder.join("agent.sock")).await?;
        let mut monitor = Line::open(&folder.join("monitor.sock")).await?;
        let scanner = Line::open(&folder.join("scanner.sock")).await?;
        let motors = Arc::default();
        let listening = tokio::spawn(listen(Line::open(&folder.join("motors.sock")).await?, Arc::clone(&motors)));
        monitor.read().await?;
        monitor.write(b"{\"execute\":\"qmp_capabilities\"}\n").await?;
        monitor.read().await?;
        let up = timeout(BOOT_WITHIN, agent.read()).await.with_context(|| not_up(&folder))??;
        let booted_s = up.strip_prefix("up ").and_then(|up| up.parse().ok()).unwrap_or_default();
        Ok(Self { qemu, agent, monitor, scanner, folder, motors, listening, shots: 0, booted_s })
    }

    /// Runs a script of bash as root in the machine.
    ///
    /// # Errors
    ///
    /// When the machine is gone or the script hangs; a failing script is an answer.
    pub async fn run(&mut self, script: &str) -> anyhow::Result<Said> {
        self.agent.write(format!("{}\n", BASE64_STANDARD.encode(script)).as_bytes()).await?;
        let answer = timeout(COMMAND_WITHIN, self.agent.read()).await.with_context(|| format!("hung: {script}"))??;
        let (code, text) = answer.split_once(' ').unwrap_or((&answer, ""));
        let text = String::from_utf8_lossy(&BASE64_STANDARD.decode(text)?).into_owned();
        Ok(Said { code: code.parse().with_context(|| format!("not an answer: {answer}"))?, text })
    }

    /// Runs a script that must succeed; what it printed.
    ///
    /// # Errors
    ///
    /// When it fails, with what it printed.
    pub async fn must(&mut self, script: &str) -> anyhow::Result<String> {
        let Said { code, text } = self.run(script).await?;
        ensure!(code == 0, "exit code {code} of: {script}\n{text}");
        Ok(text)
    }

    /// Waits until a script succeeds; what it printed then.
    ///
    /// # Errors
    ///
    /// When it does not within `seconds`; with what it printed last.
    pub async fn until(&mut self, what: &str, seconds: u32, script: &str) -> anyhow::Result<String> {
        let waiting = format!(
            "end=$((SECONDS + {seconds})); while :; do text=$( {{ {script}\n}} 2>&1 ) && {{ printf '%s' \"$text\"; exit 0; }}; \
             [ $SECONDS -lt $end ] || {{ printf '%s' \"$text\"; exit 99; }}; sleep 0.2; done"
        );
        let Said { code, text } = self.run(&waiting).await?;
        ensure!(code == 0, "waited {seconds} s in vain for {what}; the last look: {text}");
        Ok(text)
    }

    /// Puts a small file into the machine; large ones come on the [load](Parts::load).
    ///
    /// # Errors
    ///
    /// When it cannot be written there.
    pub async fn put(&mut self, path: &str, mode: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let text = BASE64_STANDARD.encode(bytes);
        let script = format!(
            "mkdir -p $(dirname {path}); base64 -d > {path} <<'END'\n{text}\nEND\nchmod {mode} {path}; sync {path}"
        );
        self.must(&script).await.map(|_| ())
    }

    /// The scanner reads a code.
    ///
    /// # Errors
    ///
    /// When the machine is gone.
    pub async fn scan(&mut self, code: &str) -> anyhow::Result<()> {
        self.scanner.write(format!("{code}\r").as_bytes()).await
    }

    /// Pulls the scanner's cable.
    ///
    /// # Errors
    ///
    /// When the emulator refuses.
    pub async fn unplug_scanner(&mut self) -> anyhow::Result<()> {
        self.monitor("device_del", json!({ "id": "scanner" })).await
    }

    /// Puts it back.
    ///
    /// # Errors
    ///
    /// When the emulator refuses.
    pub async fn plug_scanner(&mut self) -> anyhow::Result<()> {
        // The same socket of the same hub: a scanner without a serial number has its name from there.
        let device = json!({
            "driver": "usb-serial", "id": "scanner", "bus": "usb.0", "port": "1", "chardev": "scanner", "always-plugged": true,
        });
        self.monitor("device_add", device).await
    }

    /// Plugs a keyboard in, which is what a scanner in its factory setting is.
    ///
    /// # Errors
    ///
    /// When the emulator refuses.
    pub async fn plug_keyboard(&mut self) -> anyhow::Result<()> {
        self.monitor("device_add", json!({ "driver": "usb-kbd", "id": "keyboard", "bus": "usb.0", "port": "2" })).await
    }

    /// Pulls it out.
    ///
    /// # Errors
    ///
    /// When the emulator refuses.
    pub async fn unplug_keyboard(&mut self) -> anyhow::Result<()> {
        self.monitor("device_del", json!({ "id": "keyboard" })).await
    }

    /// Types digits and Enter on it.
    ///
    /// # Errors
    ///
    /// When the emulator refuses.
    pub async fn types(&mut self, digits: &str) -> anyhow::Result<()> {
        for digit in digits.chars().map(|digit| digit.to_string()).chain(["ret".to_owned()]) {
            let key = json!({ "keys": [{ "type": "qcode", "data": digit }], "hold-time": 20 });
            self.monitor("send-key", key).await?;
        }
        Ok(())
    }

    /// The picture on the screen, as PNG. It stays in the run's folder.
    ///
    /// # Errors
    ///
    /// When the emulator refuses.
    pub async fn screen(&mut self) -> anyhow::Result<Vec<u8>> {
        self.shots += 1;
        let path = self.folder.join(format!("screen-{}.png", self.shots));
        self.monitor("screendump", json!({ "filename": path, "format": "png" })).await?;
        Ok(tokio::fs::read(&path).await?)
    }

    /// What the machine's mechanics did since the start: `run N`, `fell N`.
    #[must_use]
    pub fn motors(&self) -> Vec<String> {
        self.motors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Pulls the plug: nothing is said and nothing is flushed.
    ///
    /// # Errors
    ///
    /// When the emulator ended by itself before.
    pub async fn power_cut(mut self) -> anyhow::Result<Vec<String>> {
        self.qemu.start_kill()?;
        self.qemu.wait().await?;
        self.last_words().await
    }

    /// Shuts down in order.
    ///
    /// # Errors
    ///
    /// When the machine does not end in time.
    pub async fn power_off(mut self) -> anyhow::Result<Vec<String>> {
        self.agent.write(format!("{}\n", BASE64_STANDARD.encode("systemctl poweroff")).as_bytes()).await?;
        timeout(COMMAND_WITHIN, self.qemu.wait()).await.context("the machine does not shut down")??;
        self.last_words().await
    }

    /// What the mechanics did up to the very end: a motor that ran in the last moment counts.
    async fn last_words(mut self) -> anyhow::Result<Vec<String>> {
        (&mut self.listening).await?;
        Ok(self.motors())
    }

    async fn monitor(&mut self, command: &str, arguments: Value) -> anyhow::Result<()> {
        let question = json!({ "execute": command, "arguments": arguments });
        self.monitor.write(format!("{question}\n").as_bytes()).await?;
        loop {
            let answer: Value = serde_json::from_str(&self.monitor.read().await?)?;
            if let Some(error) = answer.get("error") {
                bail!("{command}: {error}");
            }
            // Events of the emulator come in between.
            if answer.get("return").is_some() {
                return Ok(());
            }
        }
    }
}

/// Keeps what the mechanics tell.
async fn listen(mut line: Line, into: Arc<Mutex<Vec<String>>>) {
    while let Ok(word) = line.read().await {
        into.lock().unwrap_or_else(PoisonError::into_inner).push(word);
    }
}

fn not_up(folder: &Path) -> String {
    let console = std::fs::read_to_string(folder.join("console.log")).unwrap_or_default();
    let last: Vec<&str> = console.lines().rev().take(15).collect();
    format!(
        "the machine did not come up; the end of its console:\n{}",
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    )
}

/// The machine on qemu's command line: a `virt` board with a Cortex-A72, which is what a Raspberry Pi 4 has.
fn arguments(parts: &Parts, disk: &Disk, start: &Start) -> anyhow::Result<Vec<String>> {
    let pipe = std::env::current_exe()?;
    let channel = format!("guestfwd=tcp:{OUTSIDE}-cmd:{} pipe {}", pipe.display(), parts.channel_port);
    let network = if start.offline { String::new() } else { format!(",{channel}") };
    let text = format!(
        "-M virt -cpu cortex-a72 -accel tcg,thread=multi -smp 2 -m 1024 -display none -no-user-config -nodefaults -no-reboot \
         -kernel {kernel} -initrd {initrd} -serial file:console.log \
         -chardev socket,id=monitor,path=monitor.sock,server=on,wait=off -mon chardev=monitor,mode=control \
         -drive if=none,id=root,file={disk},format=qcow2,cache=none -device virtio-blk-pci,drive=root \
         -drive if=none,id=load,file={load},format=raw,readonly=on -device virtio-blk-pci,drive=load,serial=load \
         -device virtio-serial-pci \
         -chardev socket,id=agent,path=agent.sock,server=on,wait=off -device virtserialport,chardev=agent,name=agent \
         -chardev socket,id=motors,path=motors.sock,server=on,wait=off -device virtserialport,chardev=motors,name=motors \
         -device virtio-rng-pci -device virtio-gpu-pci,xres=480,yres=320 -device i6300esb -device qemu-xhci,id=usb \
         -chardev socket,id=scanner,path=scanner.sock,server=on,wait=off \
         -device usb-serial,bus=usb.0,port=1,chardev=scanner,always-plugged=on,id=scanner -device virtio-net-pci,netdev=outside,romfile=",
        kernel = parts.image.join("vmlinuz").display(),
        initrd = parts.image.join("initrd.gz").display(),
        disk = disk.0.display(),
        load = parts.load.display(),
    );
    let mut arguments: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let console = "console=ttyAMA0 loglevel=4 mitigations=off random.trust_cpu=on systemd.show_status=0 vt.global_cursor_default=0";
    arguments.extend(["-append".to_owned(), console.to_owned()]);
    arguments.extend(["-netdev".to_owned(), format!("user,id=outside,restrict=on{network}")]);
    if let Some(clock) = &start.clock {
        arguments.extend(["-rtc".to_owned(), format!("base={clock}")]);
    }
    Ok(arguments)
}
