//! The seal agent as its own process, with the organisation's key in a SoftHSM token: at the terminal, and its window as
//! the clerk's browser sees it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use trinhky_domain::ids::DocumentId;

use crate::process::{Running, binary, command, output};
use crate::rig::{Rig, SealMaterial};

const TOKEN_LABEL: &str = "trinhky-seal";
const KEY_LABEL: &str = "seal";

/// The PIN of every rig's token.
pub const TOKEN_PIN: &str = "482915";

/// The seal agent, set up for the clerk's session.
#[derive(Debug, Clone)]
pub struct Sealer {
    settings: PathBuf,
    softhsm: PathBuf,
    log: PathBuf,
    time: Vec<(&'static str, String)>,
}

impl Sealer {
    /// Writes the agent's settings with a session's token.
    pub(crate) fn new(rig: &Rig, token: &str) -> Result<Self> {
        let folder = rig.folder.path().join("seal-agent");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("token"), token)?;
        let settings = folder.join("seal-agent.toml");
        std::fs::write(&settings, seal_agent_text(rig, &folder)?)?;
        let softhsm = rig.folder.path().join("softhsm/softhsm2.conf");
        let time = rig.time().into_iter().filter(|(name, _)| *name == "TRINHKY_CLOCK").collect();
        Ok(Self { settings, softhsm, log: rig.folder.path().join("seal-agent.log"), time })
    }

    /// Seals a document at the terminal, without a person.
    ///
    /// # Errors
    /// The agent, the token or the server refuses; the text is what the agent said.
    pub async fn seal(&self, document: DocumentId) -> Result<Value> {
        let mut agent = command("sh");
        agent.env("SOFTHSM2_CONF", &self.softhsm).envs(self.time.iter().cloned());
        agent.env("TOKEN_PIN", TOKEN_PIN).args(["-c", "printf '%s\\n' \"$TOKEN_PIN\" | \"$@\"", "sh"]);
        agent.arg(binary("trinhky-seal-agent")?).arg("--config").arg(&self.settings);
        agent.args(["seal", "--document", &document.to_string(), "--yes", "--pin-stdin"]);
        let text = output(agent).await.context("the seal agent refused")?;
        let last =
            text.lines().rfind(|line| line.starts_with('{')).context("the seal agent printed no JSON")?;
        Ok(serde_json::from_str(last)?)
    }

    /// What the agent's doctor says, with its exit status.
    ///
    /// # Errors
    /// It printed no JSON.
    pub async fn doctor(&self) -> Result<(bool, Value)> {
        let mut agent = self.agent()?;
        let output = agent.arg("doctor").stdin(std::process::Stdio::null()).output().await?;
        Ok((output.status.success(), serde_json::from_slice(&output.stdout)?))
    }

    /// The agent's window; the address that it printed opens it once.
    ///
    /// # Errors
    /// It does not say that it is ready.
    pub async fn window(&self) -> Result<Window> {
        let mut agent = self.agent()?;
        agent.args(["window", "--no-open"]);
        let running = Running::start("seal agent", agent, &self.log).await?;
        let address = running.ready["window"].as_str().context("the ready line has a window")?.to_owned();
        Ok(Window { address, _running: running })
    }

    fn agent(&self) -> Result<tokio::process::Command> {
        let mut agent = command(binary("trinhky-seal-agent")?);
        agent
            .env("SOFTHSM2_CONF", &self.softhsm)
            .envs(self.time.iter().cloned())
            .arg("--config")
            .arg(&self.settings);
        Ok(agent)
    }
}

/// The agent's window, while it runs.
pub struct Window {
    /// What the clerk's browser is sent to.
    pub address: String,
    _running: Running,
}

/// The window as its own page drives it.
pub struct Page {
    client: reqwest::Client,
    origin: String,
    key: String,
}

impl Window {
    /// Opens the window as the page does: the address's secret for the key.
    ///
    /// # Errors
    /// The agent refuses; the text is what it said.
    pub async fn open(&self) -> Result<Page> {
        let (origin, secret) = self.address.split_once("/#").context("the address has a secret")?;
        let client = reqwest::Client::builder().timeout(std::time::Duration::from_mins(1)).build()?;
        let mut page = Page { client, origin: origin.to_owned(), key: String::new() };
        let (status, key) = page.ask(Method::POST, "/open", secret).await?;
        if status != StatusCode::OK {
            bail!("{status}: {}", String::from_utf8_lossy(&key));
        }
        page.key = String::from_utf8(key)?;
        Ok(page)
    }
}

impl Page {
    /// One request as the page makes it.
    ///
    /// # Errors
    /// The agent does not answer.
    pub async fn ask(&self, method: Method, path: &str, body: &str) -> Result<(StatusCode, Vec<u8>)> {
        self.ask_as(&self.origin, method, path, body).await
    }

    /// The same from a page of another origin.
    ///
    /// # Errors
    /// The agent does not answer.
    pub async fn ask_as(
        &self,
        origin: &str,
        method: Method,
        path: &str,
        body: &str,
    ) -> Result<(StatusCode, Vec<u8>)> {
        let kind = if body.starts_with('{') { "application/json" } else { "text/plain" };
        let request = self.client.request(method, format!("{}{path}", self.origin));
        let request = request.header("origin", origin).header("x-trinhky-window", &self.key);
        let answer = request.header("content-type", kind).body(body.to_owned()).send().await?;
        Ok((answer.status(), answer.bytes().await?.to_vec()))
    }

    /// The same page without the window's key.
    #[must_use]
    pub fn without_key(&self) -> Self {
        Self { client: self.client.clone(), origin: self.origin.clone(), key: String::new() }
    }

    /// One request whose answer is JSON, whatever its status.
    ///
    /// # Errors
    /// The agent does not answer in JSON.
    pub async fn json(&self, method: Method, path: &str, body: &str) -> Result<Value> {
        let (status, text) = self.ask(method, path, body).await?;
        serde_json::from_slice(&text).with_context(|| format!("{status}: {}", String::from_utf8_lossy(&text)))
    }
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
verification_code = {{ sim_computed = {{ kind = "mobile_id_4", over = "digest" }} }}

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
pub(crate) async fn make_token(folder: &Path, seal: &SealMaterial) -> Result<()> {
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
