//! `till demo`: a vending machine to buy from, in a browser.
//!
//! One process holds the simulated gateway, the buyer's phone, the simulated machine and the page; `till run` is its
//! child and knows nothing of it (docs/decisions/0010).
//!
//! | module | subject |
//! |---|---|
//! | [`scene`] | everything around a daemon; also what whole-program tests are set in |
//! | [`channels`] | the scene's channels: gateways, key files, sections |
//! | [`goods`] | what the machine sells |
//! | [`child`], `supervisor` | the daemon as a child process, and its restarts |
//! | `terminal` | what the daemon says of itself through its API |
//! | `stage`, `weather` | what a person can do |
//! | `snapshot`, `web` | what the page shows, and the page |

pub mod channels;
pub mod child;
pub mod goods;
pub mod scene;
mod snapshot;
mod stage;
mod supervisor;
mod terminal;
mod weather;
mod web;

use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use self::child::Launch;
use self::scene::{Scene, SceneOptions};
use self::stage::Stage;
use self::supervisor::Supervisor;
use self::terminal::{Api, Seen};
use crate::config::Language;

/// How to run the demo.
#[derive(Debug, Clone, Default)]
pub struct DemoOptions {
    /// The port of the page; 0 takes a free one, `None` the usual one or the next that is free.
    pub port: Option<u16>,
    /// Where state and sockets go, and stay; `None` takes a folder that is removed at the end.
    pub dir: Option<PathBuf>,
    /// The language of the machine's screens.
    pub language: Language,
}

/// Runs the demo until Ctrl-C or SIGTERM.
///
/// # Errors
///
/// When a port, a folder or a part of the demo cannot be had. The message says what to do.
pub fn run(options: DemoOptions) -> anyhow::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("no tokio runtime could be made")?;
    runtime.block_on(demonstrate(options))
}

async fn demonstrate(options: DemoOptions) -> anyhow::Result<()> {
    // First the port: it is what fails, and nothing has to be cleaned up then.
    let listener = web::listen(options.port).await?;
    let folder = Folder::make(options.dir)?;
    let mut scene_options = SceneOptions::new(folder.path());
    scene_options.language = options.language;
    let scene = Scene::set(scene_options)
        .await
        .with_context(|| format!("the demo could not be set up in {}", folder.path().display()))?;
    let program = std::env::current_exe().context("this program cannot find itself")?;
    let supervisor = Supervisor::start(Launch::on(program, &scene)).await?;
    let stage = open_stage(scene, supervisor, options.language)?;
    let ended = perform(listener, &stage, &folder).await;
    stage.supervisor.stop().await;
    ended
}

fn open_stage(scene: Scene, supervisor: Supervisor, language: Language) -> anyhow::Result<Arc<Stage>> {
    let api = Api::new(&scene.socket_path).context("no client for the terminal's API")?;
    let (telling, seen) = watch::channel(Seen::default());
    tokio::spawn(api.clone().follow(supervisor.life(), telling));
    Ok(Arc::new(Stage::new(scene, supervisor, api, seen, language)))
}

/// Serves the page until somebody ends the demo.
async fn perform(listener: TcpListener, stage: &Arc<Stage>, folder: &Folder) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let (telling, snapshots) = watch::channel(Arc::from("{}"));
    say(&welcome(&address.to_string(), folder));
    tokio::select! {
        () = snapshot::watch_stage(Arc::clone(stage), telling) => Ok(()),
        served = web::serve(listener, Arc::clone(stage), snapshots) => {
            served.context("the page could not be served any longer")
        }
        asked = asked_to_end() => asked.context("no signal can be waited for"),
    }
}

async fn asked_to_end() -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}

fn welcome(address: &str, folder: &Folder) -> String {
    let dir = folder.path().display();
    format!(
        "\n  Till demo   http://{address}\n\n\
         \x20 Open this address. Press 1 1 OK on the machine, then \"Scan the screen\" and \"Pay\" on the phone.\n\
         \x20 The terminal's own command line works too:  till status --socket {dir}/till.sock\n\
         \x20 Its log: {dir}/till.log   Ctrl-C ends everything.\n"
    )
}

fn say(text: &str) {
    // Nobody reads along: the demo works all the same.
    let _written = writeln!(io::stdout(), "{text}").and_then(|()| io::stdout().flush());
}

/// The folder of a demo.
enum Folder {
    /// Named by the user: it stays.
    Kept(PathBuf),
    /// Ours: removed at the end.
    Ours(PathBuf),
}

impl Folder {
    fn make(wished: Option<PathBuf>) -> anyhow::Result<Self> {
        if let Some(dir) = wished {
            std::fs::create_dir_all(&dir)
                .and_then(|()| dir.canonicalize())
                .map(Self::Kept)
                .with_context(|| format!("{} cannot be made: give another folder with --dir", dir.display()))
        } else {
            let dir = std::env::temp_dir().join(format!("till-demo-{}", std::process::id()));
            DirBuilder::new()
                .mode(0o700)
                .create(&dir)
                .with_context(|| format!("{} cannot be made: give a folder with --dir", dir.display()))?;
            Ok(Self::Ours(dir))
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(dir) | Self::Ours(dir) => dir,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        match self {
            Self::Kept(_) => {}
            Self::Ours(dir) => {
                // What cannot be removed now is removed with the system's temporary files.
                let _removed = std::fs::remove_dir_all(dir);
            }
        }
    }
}
