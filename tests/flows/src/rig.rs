//! Everything a flow needs, in one temporary folder: the imaginary province, the settings, a database, the organisation's
//! token in SoftHSM, and the processes of the product, each of which can be killed and started again.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tempfile::TempDir;

use crate::clerk::{Account, Desk};
use crate::leader::Leader;
use crate::process::{Running, binary, command, output};

/// Leaders the province always has.
pub const NAMED_LEADERS: u32 = 3;

const TOKEN_LABEL: &str = "trinhky-seal";
const KEY_LABEL: &str = "seal";
const TOKEN_PIN: &str = "482915";

/// What differs between flows.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The agency's policy profile.
    pub profile: &'static str,
    /// `sqlite` in the rig's own folder, or a URL.
    pub database: Option<String>,
    /// How many leaders the province has besides the named ones.
    pub leaders: u32,
    /// Where `serve` listens; 0 takes a free port.
    pub port: u16,
    /// Address of clamd, as the settings write it; without one nothing is scanned.
    pub scanner: Option<String>,
    /// How long a SIM dialog may stand open.
    pub dialog_seconds: u32,
    /// Further settings, TOML.
    pub settings: String,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            profile: "nd30_default",
            database: None,
            leaders: 0,
            port: 0,
            scanner: None,
            dialog_seconds: 60,
            settings: String::new(),
        }
    }
}

/// What the world says when it is ready, as far as flows need it.
#[derive(Debug, Clone, Deserialize)]
pub struct WorldView {
    /// PEM of the trust anchors.
    pub roots_pem: PathBuf,
    /// PEM of the issuing authorities below them.
    pub chain_pem: PathBuf,
    /// Where time-stamp requests go.
    pub tsa_url: String,
    /// The OCSP responder.
    pub ocsp_url: String,
    /// Base of the mobile signature service.
    pub mssp_url: String,
    /// PEM behind its TLS certificate.
    pub mssp_ca_pem: PathBuf,
    /// Our TLS client certificate there.
    pub ap_cert_pem: PathBuf,
    /// Its key.
    pub ap_key_pem: PathBuf,
    /// Our identifier there.
    pub ap_id: String,
    /// File with our password there.
    pub ap_password_file: PathBuf,
    /// The push service.
    pub push_base: String,
    /// The page with the virtual phones.
    pub page_url: String,
    /// What tests tell the world.
    pub control_url: String,
    /// The organisation's seal.
    pub seal: SealMaterial,
    /// PNG of the seal.
    pub seal_image: PathBuf,
    /// What `trinhky admin import` reads.
    pub import_toml: PathBuf,
    /// A document that looks as NĐ 30/2020 wants it.
    pub demo_pdf: PathBuf,
    /// Who can sign in.
    pub accounts: Vec<AccountView>,
}

/// The organisation's certificate and key.
#[derive(Debug, Clone, Deserialize)]
pub struct SealMaterial {
    /// Certificate, PEM.
    pub certificate_pem: PathBuf,
    /// Key, PKCS#8 PEM, to be imported into a token.
    pub key_p8: PathBuf,
    /// Issuers, PEM.
    pub chain_pem: PathBuf,
}

/// One account of the province.
#[derive(Debug, Clone, Deserialize)]
pub struct AccountView {
    /// What it may do.
    pub role: String,
    /// Name to sign in with.
    pub username: String,
    /// Its password.
    pub password: String,
    /// Base32 secret of its authenticator.
    pub totp_secret: String,
    /// Họ và tên.
    pub full_name: String,
    /// A leader's number.
    #[serde(default)]
    pub msisdn: Option<String>,
}

impl WorldView {
    /// The `nth` account with a role, from 0.
    ///
    /// # Errors
    /// There is none.
    pub fn account(&self, role: &str, nth: usize) -> Result<Account> {
        let found = self.accounts.iter().filter(|account| account.role == role).nth(nth);
        let found = found.with_context(|| format!("the province has no {role} number {nth}"))?;
        Ok(Account {
            username: found.username.clone(),
            password: found.password.clone(),
            totp_secret: found.totp_secret.clone(),
        })
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
    _world: Running,
    serve: Option<Running>,
    work: Option<Running>,
    gate: Option<Running>,
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
        std::fs::write(&settings, settings_text(plan, &world, folder.path()).await?)?;
        make_token(folder.path(), &world.seal).await?;
        let mut rig = Self {
            folder,
            world,
            url: String::new(),
            settings,
            _world: running,
            serve: None,
            work: None,
            gate: None,
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
        trinhky.arg("--config").arg(&self.settings).args(arguments);
        output(trinhky).await
    }

    /// Starts a process of the product, with `environment` set for it alone.
    ///
    /// # Errors
    /// It does not say that it is ready.
    pub async fn up(&mut self, part: Part, environment: &[(&str, &str)]) -> Result<()> {
        let mut trinhky = command(binary("trinhky")?);
        trinhky.arg("--config").arg(&self.settings).arg(part.name()).envs(environment.iter().copied());
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
        Leader::new(&self.url, &self.world.account("leader", nth)?, &state)
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
        let settings = self.seal_agent_settings(clerk)?;
        Ok(Sealer { settings, softhsm: self.folder.path().join("softhsm/softhsm2.conf") })
    }

    fn seal_agent_settings(&self, clerk: &Desk) -> Result<PathBuf> {
        let folder = self.folder.path().join("seal-agent");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("token"), clerk.token().context("the clerk is signed in")?)?;
        let path = folder.join("seal-agent.toml");
        std::fs::write(&path, seal_agent_text(self, &folder)?)?;
        Ok(path)
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

/// The seal agent as its own process, with the organisation's token.
#[derive(Debug, Clone)]
pub struct Sealer {
    settings: PathBuf,
    softhsm: PathBuf,
}

impl Sealer {
    /// Seals a document.
    ///
    /// # Errors
    /// The agent, the token or the server refuses; the text is what the agent said.
    pub async fn seal(&self, document: trinhky_domain::ids::DocumentId) -> Result<serde_json::Value> {
        let mut agent = command("sh");
        agent.env("SOFTHSM2_CONF", &self.softhsm);
        agent.env("TOKEN_PIN", TOKEN_PIN).args(["-c", "printf '%s\\n' \"$TOKEN_PIN\" | \"$@\"", "sh"]);
        agent.arg(binary("trinhky-seal-agent")?).arg("--config").arg(&self.settings);
        agent.args(["seal", "--document", &document.to_string(), "--yes", "--pin-stdin"]);
        let text = output(agent).await.context("the seal agent refused")?;
        let last =
            text.lines().rfind(|line| line.starts_with('{')).context("the seal agent printed no JSON")?;
        Ok(serde_json::from_str(last)?)
    }
}

async fn settings_text(plan: &Plan, world: &WorldView, folder: &Path) -> Result<String> {
    let vapid = folder.join("vapid.pem");
    let mut openssl = command("openssl");
    openssl.args(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"]).arg(&vapid);
    output(openssl).await?;
    let database = plan.database.clone().unwrap_or_else(|| "sqlite:rows.db".into());
    let scanner = plan.scanner.as_ref().map_or_else(
        || "mode = \"off\"".to_owned(),
        |address| format!("mode = \"required\"\naddress = \"{address}\""),
    );
    let ocsp_host = host(&world.ocsp_url)?;
    let push_host = host(&world.push_base)?;
    let push_name = push_host.split(':').next().unwrap_or_default();
    let roots = world.roots_pem.display();
    Ok(format!(
        r#"[server]
listen = "127.0.0.1:{port}"

[database]
url = "{database}"

[files]
url = "file:files"

[trust]
roots = ["{roots}"]
intermediates = ["{chain}"]

[tsa]
url = "{tsa}"

[revocation]
allow = ["{ocsp_host}"]

[scanner]
{scanner}

[jobs]
poll_milliseconds = 50
retry_milliseconds = 200
retry_max_milliseconds = 1000
lease_seconds = 2

[push]
vapid_key = "{vapid}"
subject = "mailto:quantri@example.vn"
allow = ["{push_host}", "{push_name}"]
allow_private = true

[seal]
certificate = "{seal}"
image = "{seal_image}"

[gate]
mssp_url = "{mssp}"
mssp_ca = "{mssp_ca}"
ap_cert = "{ap_cert}"
ap_key = "{ap_key}"
ap_id = "{ap_id}"
ap_password_file = "{ap_password}"
journal = "journal"
roots = ["{roots}"]
poll_milliseconds = 200
lease_milliseconds = 600
dialog_seconds = {dialog}
grace_seconds = 5

[policy]
profile = "{profile}"
{more}
"#,
        port = plan.port,
        chain = world.chain_pem.display(),
        tsa = world.tsa_url,
        vapid = vapid.display(),
        seal = world.seal.certificate_pem.display(),
        seal_image = world.seal_image.display(),
        mssp = world.mssp_url,
        mssp_ca = world.mssp_ca_pem.display(),
        ap_cert = world.ap_cert_pem.display(),
        ap_key = world.ap_key_pem.display(),
        ap_id = world.ap_id,
        ap_password = world.ap_password_file.display(),
        dialog = plan.dialog_seconds,
        profile = plan.profile,
        more = plan.settings,
    ))
}

fn host(url: &str) -> Result<String> {
    let rest = url.split_once("://").context("a URL has a scheme")?.1;
    Ok(rest.split('/').next().unwrap_or_default().to_owned())
}

fn seal_agent_text(rig: &Rig, folder: &Path) -> Result<String> {
    let module = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"]
        .into_iter()
        .find(|path| Path::new(path).is_file())
        .context("SoftHSM 2 is not installed (apt-get install softhsm2)")?;
    let leaders = rig.world.accounts.iter().filter(|account| account.role == "leader");
    let leaders = leaders.fold(String::new(), |listed, leader| {
        listed + &format!("\n[[leaders]]\nname = \"{}\"\n", leader.full_name)
    });
    Ok(format!(
        r#"server = "{url}"
token_file = "{folder}/token"
roots = ["{roots}"]
journal = "{folder}/journal.jsonl"

[token]
module = "{module}"
label = "{TOKEN_LABEL}"
key_label = "{KEY_LABEL}"
{leaders}"#,
        url = rig.url,
        folder = folder.display(),
        roots = rig.world.roots_pem.display(),
    ))
}

/// A token of its own for every rig: SoftHSM 2 with the organisation's key inside.
async fn make_token(folder: &Path, seal: &SealMaterial) -> Result<()> {
    let home = folder.join("softhsm");
    let tokens = home.join("tokens");
    std::fs::create_dir_all(&tokens)?;
    let conf = home.join("softhsm2.conf");
    std::fs::write(
        &conf,
        format!("directories.tokendir = {}\nobjectstore.backend = file\n", tokens.display()),
    )?;
    let util = |arguments: &[&str]| {
        let mut util = command("softhsm2-util");
        util.env("SOFTHSM2_CONF", &conf).args(arguments);
        output(util)
    };
    util(&["--init-token", "--free", "--label", TOKEN_LABEL, "--so-pin", "000000", "--pin", TOKEN_PIN])
        .await?;
    let key = seal.key_p8.display().to_string();
    if !seal.key_p8.is_file() {
        bail!("the world made no key for the seal at {key}");
    }
    util(&["--import", &key, "--token", TOKEN_LABEL, "--label", KEY_LABEL, "--id", "01", "--pin", TOKEN_PIN])
        .await?;
    Ok(())
}
