//! Everything a flow needs, in one temporary folder: the imaginary province, the settings, a database, the organisation's
//! token in SoftHSM, and the processes of the product, each of which can be killed and started again.

mod settings;
mod world;

use std::path::PathBuf;

use anyhow::{Context, Result};
use tempfile::TempDir;
use trinhky_cluster::{Cluster, Durability};

pub use world::{AccountView, SealMaterial, WorldView};

use crate::clerk::Desk;
use crate::leader::Leader;
use crate::process::{Running, binary, command, output};
use crate::sealer::{Sealer, make_token};

/// Leaders the province always has.
pub const NAMED_LEADERS: u32 = 3;

/// What differs between flows.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The agency's policy profile.
    pub profile: &'static str,
    /// What keeps the rows.
    pub engine: Engine,
    /// How many leaders the province has besides the named ones.
    pub leaders: u32,
    /// Where `serve` listens; 0 takes a free port.
    pub port: u16,
    /// Address of clamd, as the settings write it; without one nothing is scanned.
    pub scanner: Option<String>,
    /// How long a SIM dialog may stand open.
    pub dialog_seconds: u32,
    /// How long a dead gate keeps its attempts from the next one: short, for tests that kill it.
    pub lease_milliseconds: u32,
    /// How copies reach the mail server.
    pub mail: MailBy,
    /// Further settings, TOML.
    pub settings: String,
    /// Everybody lives in the world's time, which the test turns; sessions then last for months.
    pub told_clock: bool,
}

/// The way to the mail server that the settings name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailBy {
    /// Port of the submission service: STARTTLS.
    StartTls,
    /// TLS from the first byte.
    TlsFirst,
    /// No `[mail]` at all.
    NotSetUp,
}

/// What keeps the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file in the rig's own folder.
    Sqlite,
    /// A cluster of the rig's own.
    Postgres(Durability),
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            profile: "nd30_default",
            engine: Engine::Sqlite,
            leaders: 0,
            port: 0,
            scanner: None,
            dialog_seconds: 60,
            lease_milliseconds: 1_500,
            mail: MailBy::StartTls,
            settings: String::new(),
            told_clock: false,
        }
    }
}

impl Plan {
    /// Many at once: nothing is killed, so leases are as long as an operator's.
    pub fn busy() -> Self {
        Self { lease_milliseconds: 5_000, ..Self::default() }
    }
}

/// The whole product, running.
pub struct Rig {
    /// Holds everything; gone with the rig unless kept.
    pub folder: TempDir,
    /// The province.
    pub world: WorldView,
    /// Where the server answers.
    pub url: String,
    settings: PathBuf,
    database: String,
    told_clock: bool,
    _world: Running,
    serve: Option<Running>,
    work: Option<Running>,
    gate: Option<Running>,
    /// Last, so that it outlives the processes.
    cluster: Option<Cluster>,
}

/// A process of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// HTTP.
    Serve,
    /// Jobs.
    Work,
    /// SIM prompts.
    Gate,
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Work => "work",
            Self::Gate => "gate",
        }
    }
}

impl Rig {
    /// Starts the province, makes settings, database and token, imports everybody and starts the three processes.
    ///
    /// # Errors
    /// Something is not built, not installed or does not start; the text says what.
    pub async fn start(plan: &Plan) -> Result<Self> {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let folder = tempfile::Builder::new().prefix("trinhky-").tempdir()?;
        let mut world = command(binary("trinhky-world")?);
        world.arg("serve").arg("--dir").arg(folder.path().join("world"));
        world.args(["--leaders", &(NAMED_LEADERS + plan.leaders).to_string()]);
        // Making RSA keys takes seconds; worlds of one machine share a pool of them.
        world.arg("--pool").arg(std::env::temp_dir().join("trinhky-world-pool"));
        let running = Running::start("world", world, &folder.path().join("world.log")).await?;
        let world: WorldView = serde_json::from_value(running.ready.clone())
            .with_context(|| format!("the world's ready line: {}", running.ready))?;
        let settings = folder.path().join("trinhky.toml");
        let (cluster, database) = database(plan.engine).await?;
        let text = settings::settings_text(plan, &database, &world, folder.path()).await?;
        std::fs::write(&settings, text)?;
        make_token(folder.path(), &world.seal).await?;
        let mut rig = Self {
            folder,
            world,
            url: String::new(),
            settings,
            database,
            told_clock: plan.told_clock,
            _world: running,
            serve: None,
            work: None,
            gate: None,
            cluster,
        };
        rig.trinhky(&["migrate"]).await?;
        let import = rig.world.import_toml.display().to_string();
        rig.trinhky(&["admin", "import", &import]).await?;
        for part in [Part::Serve, Part::Work, Part::Gate] {
            rig.up(part, &[]).await?;
        }
        Ok(rig)
    }

    /// Runs a subcommand of `trinhky` to its end.
    ///
    /// # Errors
    /// It ended badly.
    pub async fn trinhky(&self, arguments: &[&str]) -> Result<String> {
        let mut trinhky = command(binary("trinhky")?);
        trinhky.arg("--config").arg(&self.settings).args(arguments).envs(self.time());
        output(trinhky).await
    }

    /// Starts a process of the product, with `environment` set for it alone.
    ///
    /// # Errors
    /// It does not say that it is ready.
    pub async fn up(&mut self, part: Part, environment: &[(&str, &str)]) -> Result<()> {
        let mut trinhky = command(binary("trinhky")?);
        trinhky.arg("--config").arg(&self.settings).arg(part.name()).envs(self.time());
        trinhky.envs(environment.iter().copied());
        let log = self.log(part);
        let running = Running::start(part.name(), trinhky, &log).await?;
        if part == Part::Serve {
            let url = running.ready["url"].as_str().context("serve's ready line has no url")?;
            url.clone_into(&mut self.url);
            self.pin_port()?;
        }
        *self.slot(part) = Some(running);
        Ok(())
    }

    /// Kills a process as a power cut would.
    ///
    /// # Errors
    /// It was not running.
    pub async fn kill(&mut self, part: Part) -> Result<()> {
        self.slot(part).take().with_context(|| format!("{} is not running", part.name()))?.kill().await
    }

    /// Stops a process in good order.
    ///
    /// # Errors
    /// It was not running, or did not stop well.
    pub async fn stop(&mut self, part: Part) -> Result<()> {
        self.slot(part).take().with_context(|| format!("{} is not running", part.name()))?.stop().await
    }

    /// Starts every process afresh, whatever it was doing.
    ///
    /// # Errors
    /// One does not say that it is ready.
    pub async fn all_up(&mut self) -> Result<()> {
        for part in [Part::Serve, Part::Work, Part::Gate] {
            if let Some(running) = self.slot(part).take() {
                running.kill().await?;
            }
            self.up(part, &[]).await?;
        }
        Ok(())
    }

    /// A running process.
    pub fn running(&mut self, part: Part) -> Option<&mut Running> {
        self.slot(part).as_mut()
    }

    /// A running process, in the caller's hands from now on; [`Self::up`] starts another.
    pub fn take(&mut self, part: Part) -> Option<Running> {
        self.slot(part).take()
    }

    /// Where a process logs to.
    pub fn log(&self, part: Part) -> PathBuf {
        self.folder.path().join(format!("{}.log", part.name()))
    }

    /// Somebody with a role signs in at a desk.
    ///
    /// # Errors
    /// There is nobody with it, or the server refuses.
    pub async fn desk(&self, role: &str) -> Result<Desk> {
        Desk::sign_in(&self.url, &self.world.account(role, 0)?).await
    }

    /// The `nth` leader, with a phone of their own.
    ///
    /// # Errors
    /// There is no such leader.
    pub fn leader(&self, nth: usize) -> Result<Leader> {
        let state = self.folder.path().join(format!("phone-{nth}"));
        let leader = Leader::new(&self.url, &self.world.account("leader", nth)?, &state)?;
        Ok(if self.told_clock { leader.in_the_time_of(&self.world.clock) } else { leader })
    }

    /// Where the rows are, when a cluster keeps them.
    pub fn postgres(&self) -> Option<&str> {
        self.cluster.as_ref().map(|_| self.database.as_str())
    }

    /// What a process needs to live in the time of this rig.
    pub(crate) fn time(&self) -> Vec<(&'static str, String)> {
        if !self.told_clock {
            return Vec::new();
        }
        let months = ("TRINHKY_SERVER_SESSION_HOURS", "3000".to_owned());
        vec![("TRINHKY_CLOCK", format!("unix:{}", self.world.clock)), months]
    }

    /// Seals a document with the organisation's token, in the clerk's session.
    ///
    /// # Errors
    /// The agent, the token or the server refuses; the text is what the agent said.
    pub async fn seal(
        &self,
        clerk: &Desk,
        document: trinhky_domain::ids::DocumentId,
    ) -> Result<serde_json::Value> {
        self.sealer(clerk)?.seal(document).await
    }

    /// The seal agent, set up for the clerk's session.
    ///
    /// # Errors
    /// SoftHSM 2 is not installed, or nobody is signed in.
    pub fn sealer(&self, clerk: &Desk) -> Result<Sealer> {
        Sealer::new(self, clerk.token().context("the clerk is signed in")?)
    }

    /// After the first start the server keeps its port, so that phones and desks find it again after a kill.
    fn pin_port(&self) -> Result<()> {
        let port = self.url.rsplit(':').next().context("the url has a port")?;
        let text = std::fs::read_to_string(&self.settings)?;
        std::fs::write(&self.settings, text.replace("127.0.0.1:0\"", &format!("127.0.0.1:{port}\"")))?;
        Ok(())
    }

    fn slot(&mut self, part: Part) -> &mut Option<Running> {
        match part {
            Part::Serve => &mut self.serve,
            Part::Work => &mut self.work,
            Part::Gate => &mut self.gate,
        }
    }
}

/// Where the rows go, and what holds them there.
async fn database(engine: Engine) -> Result<(Option<Cluster>, String)> {
    match engine {
        Engine::Sqlite => Ok((None, "sqlite:rows.db".to_owned())),
        Engine::Postgres(durability) => {
            let made = tokio::task::spawn_blocking(move || {
                let cluster = Cluster::start(durability)?;
                let url = cluster.database("trinhky")?;
                Ok::<_, std::io::Error>((Some(cluster), url))
            });
            Ok(made.await??)
        }
    }
}
