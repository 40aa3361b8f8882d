//! The shipped driver for pins against the kernel's pretend chip, and rppal on an emulated Raspberry Pi.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::report::Done;
use crate::stage::{Stage, unix_seconds};

/// The Pi is in memory and starts in seconds; a test of its pins takes as long.
const PI_WITHIN: Duration = Duration::from_secs(300);

/// hal's own tests of the character device, on a chip with named lines beside the terminal's.
pub async fn chardev(stage: &mut Stage) -> anyhow::Result<Done> {
    if stage.wanted.programs.is_none() {
        return Ok(Done::NotRun("no test programs were given (--programs)".to_owned()));
    }
    let machine = stage.machine()?;
    let script = "set -e; sim=/sys/kernel/config/gpio-sim/tests; mkdir -p $sim/bank; echo 16 >$sim/bank/num_lines; \
         echo till-tests >$sim/bank/label; mkdir $sim/bank/line4 $sim/bank/line5; echo relay1 >$sim/bank/line4/name; \
         echo key1 >$sim/bank/line5/name; echo 1 >$sim/live; \
         export TILL_GPIO_SIM_CHIP=till-tests TILL_GPIO_SIM_LIVE=$sim/live \
         TILL_GPIO_SIM_SYSFS=/sys/devices/platform/$(cat $sim/dev_name)/$(cat $sim/bank/chip_name); \
         cp /load/gpio_sim /root/; chmod +x /root/gpio_sim; /root/gpio_sim --ignored --test-threads=1";
    let said = machine.must(script).await?;
    let closing = said.lines().rev().find(|line| line.starts_with("test result")).context("a closing line")?;
    Ok(Done::Passed(closing.trim_start_matches("test result: ").to_owned()))
}

/// hal's tests of rppal on the board that qemu calls `raspi3b`, through the registers, as on a Pi without `/dev/gpiomem`.
pub async fn rppal(stage: &Stage) -> anyhow::Result<Done> {
    let Some(programs) = &stage.wanted.programs else {
        return Ok(Done::NotRun("no test programs were given (--programs)".to_owned()));
    };
    let folder = tempfile::tempdir_in(&stage.parts.run)?;
    let memory = folder.path().join("memory.gz");
    pack(&stage.parts.image.join("rpi.gz"), &programs.join("rppal_pi"), folder.path(), &memory).await?;
    let said = on_a_pi(&stage.parts.image, &memory, folder.path()).await?;
    ensure!(said.contains("##end 0"), "the Pi said:\n{said}");
    let closing = said.lines().rev().find(|line| line.contains("test result")).context("a closing line")?;
    Ok(Done::Passed(closing.trim().trim_start_matches("test result: ").to_owned()))
}

/// The Pi's root and, over it, the program with its job.
async fn pack(root: &Path, program: &Path, folder: &Path, into: &Path) -> anyhow::Result<()> {
    let job = folder.join("tree/job");
    std::fs::create_dir_all(&job)?;
    std::fs::copy(program, job.join("rppal_pi")).with_context(|| program.display().to_string())?;
    let text = "export TILL_RPPAL_PIN=GPIO17\nchmod +x rppal_pi\n./rppal_pi --ignored --nocapture --test-threads=1\n";
    std::fs::write(job.join("job"), text)?;
    let mut shell = Command::new("sh");
    shell.arg("-c").arg("cat \"$1\" >\"$2\" && cd \"$3\" && find . | cpio -o -H newc --quiet | gzip -1 >>\"$2\"");
    shell.arg("pack").arg(root).arg(into).arg(folder.join("tree"));
    ensure!(shell.status().await?.success(), "cpio failed");
    Ok(())
}

/// Boots it and reads its serial port until the job has ended. Such a Pi cannot switch itself off.
async fn on_a_pi(image: &Path, memory: &Path, folder: &Path) -> anyhow::Result<String> {
    let said = folder.join("serial.log");
    let now = unix_seconds();
    let mut qemu = Command::new("qemu-system-aarch64");
    qemu.args(["-M", "raspi3b", "-display", "none", "-monitor", "none", "-kernel"]).arg(image.join("vmlinuz"));
    qemu.arg("-initrd").arg(memory).arg("-dtb").arg(image.join("rpi3b.dtb"));
    // The first port is the console of the kernel, the second, the mini UART, that of the job.
    qemu.arg("-serial").arg("null").arg("-serial").arg(format!("file:{}", said.display()));
    qemu.arg("-append").arg(format!("console=ttyS1,115200 iomem=relaxed loglevel=3 rdinit=/init job.time={now}"));
    qemu.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut running = qemu.spawn()?;
    let ended = async {
        loop {
            let text = std::fs::read(&said).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).replace(['\r', '\0'], "");
            if text.contains("##end ") {
                return text;
            }
            sleep(Duration::from_millis(300)).await;
        }
    };
    let text = timeout(PI_WITHIN, ended).await;
    running.kill().await?;
    text.with_context(|| {
        format!("the Pi did not end; it said:\n{}", std::fs::read_to_string(&said).unwrap_or_default())
    })
}
