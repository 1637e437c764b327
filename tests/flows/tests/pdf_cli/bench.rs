//! The workbench: a folder with a province beside it, commands that are run to their end, and who judges what comes out.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;
use trinhky_flows::clerk::Desk;
use trinhky_flows::judges::{python, repository};
use trinhky_flows::process::{Running, binary, command, output};
use trinhky_flows::rig::WorldView;

/// A folder, and the province around it.
pub(crate) struct Bench {
    folder: TempDir,
    pub(crate) world: WorldView,
    _running: Running,
}

/// Who signs: a certificate and its key, as files.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) chain: PathBuf,
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// The one JSON object on standard output.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.out).with_context(|| format!("{self:?}"))
    }

    /// It was done: exit 0 and one object.
    pub(crate) fn done(&self) -> Result<Value> {
        ensure!(self.code == 0, "{self:?}");
        self.json()
    }

    /// It was refused with this code, which people read too; exit 1.
    pub(crate) fn refused(&self, code: &str) -> Result<()> {
        self.ends(1, code)
    }

    /// The input is not what it should be; exit 2.
    pub(crate) fn unreadable(&self, code: &str) -> Result<()> {
        self.ends(2, code)
    }

    /// Usage: exit 2, nothing on standard output, and a sentence that has these words.
    pub(crate) fn usage(&self, words: &str) -> Result<()> {
        ensure!(self.code == 2 && self.out.is_empty() && self.err.contains(words), "{words}: {self:?}");
        Ok(())
    }

    fn ends(&self, exit: i32, code: &str) -> Result<()> {
        let answer = self.json()?;
        ensure!(self.code == exit && answer["refused"] == code, "not {code} and {exit}: {self:?}");
        let why = answer["why"].as_str().context("it says why")?;
        ensure!(!why.is_empty() && self.err.contains(why), "{self:?}");
        Ok(())
    }
}

impl Bench {
    pub(crate) async fn set_up() -> Result<Self> {
        // An error means that another test of this process has installed it.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let folder = tempfile::Builder::new().prefix("trinhky-pdf-").tempdir()?;
        let mut world = command(binary("trinhky-world")?);
        world.arg("serve").arg("--dir").arg(folder.path().join("world"));
        world.arg("--pool").arg(std::env::temp_dir().join("trinhky-world-pool"));
        let running = Running::start("world", world, &folder.path().join("world.log")).await?;
        let world = serde_json::from_value(running.ready.clone())?;
        Ok(Self { folder, world, _running: running })
    }

    /// A file of this bench.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same with these bytes in it.
    pub(crate) fn with(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.file(name);
        std::fs::write(&path, bytes)?;
        Ok(path)
    }

    /// Runs `trinhky` with these arguments, `{name}` standing for a file of this bench.
    pub(crate) async fn trinhky(&self, arguments: &[&str]) -> Result<Ended> {
        let mut trinhky = command(binary("trinhky")?);
        for argument in arguments {
            match argument.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(name) => trinhky.arg(self.file(name)),
                None => trinhky.arg(argument),
            };
        }
        let ended = trinhky.current_dir(self.folder.path()).stdin(Stdio::null()).output().await?;
        Ok(Ended {
            code: ended.status.code().context("it was not killed")?,
            out: String::from_utf8(ended.stdout)?,
            err: String::from_utf8(ended.stderr)?,
        })
    }

    /// The organisation, whose key is RSA-2048.
    pub(crate) fn organisation(&self) -> Signer {
        let seal = &self.world.seal;
        Signer {
            certificate: seal.certificate_pem.clone(),
            key: seal.key_p8.clone(),
            chain: seal.chain_pem.clone(),
        }
    }

    /// A person by the name of the province's odd certificates; the key is P-256.
    pub(crate) fn person(&self, name: &str) -> Result<Signer> {
        let found = self.world.fixtures.iter().find(|fixture| fixture.name == name);
        let found = found.with_context(|| format!("no certificate {name}"))?;
        Ok(Signer {
            certificate: found.certificate_pem.clone(),
            key: found.key_p8.clone(),
            chain: self.world.chain_pem.clone(),
        })
    }

    /// Signs the signed attributes of a preparation with `openssl`: attributes and raw value as files.
    pub(crate) async fn sign(&self, signer: &Signer, prepared: &Value) -> Result<(PathBuf, PathBuf)> {
        let attributes = STANDARD.decode(prepared["signed_attributes"].as_str().context("attributes")?)?;
        let (attributes, value) = (self.with("attributes.der", &attributes)?, self.file("value.bin"));
        let mut openssl = command("openssl");
        openssl.args(["dgst", "-sha256", "-sign"]).arg(&signer.key).arg("-out").arg(&value).arg(&attributes);
        output(openssl).await?;
        Ok((attributes, value))
    }

    /// Prepares `from` with further arguments, signs, and completes into `to`; both answers.
    pub(crate) async fn signed(
        &self,
        signer: &Signer,
        from: &str,
        to: &str,
        prepare: &[&str],
        complete: &[&str],
    ) -> Result<(Value, Value)> {
        let (cert, chain) = (text(&signer.certificate)?, text(&signer.chain)?);
        let base = ["pdf", "prepare", from, "--out", "{prepared.pdf}", "--cert", cert, "--chain", chain];
        let prepared = self.trinhky(&[&base[..], prepare].concat()).await?.done()?;
        let (attributes, value) = self.sign(signer, &prepared).await?;
        let (attributes, value) = (text(&attributes)?, text(&value)?);
        let out = format!("{{{to}}}");
        let base = ["pdf", "complete", "{prepared.pdf}", "--out", &out, "--signature", value];
        let own = ["--cert", cert, "--signed-attributes", attributes, "--chain", chain];
        let completed = self.trinhky(&[&base[..], &own, complete].concat()).await?.done()?;
        Ok((prepared, completed))
    }

    /// The province's trust anchors.
    pub(crate) fn trust(&self) -> Result<&str> {
        text(&self.world.roots_pem)
    }

    /// The same for a file with signature fields that nobody has signed yet, each of which pdfsig counts.
    pub(crate) async fn judged_midway(&self, file: &str, signatures: u32, bases: &[&str]) -> Result<()> {
        self.asked(&["pyhanko", "qpdf", "prefix"], file, signatures, bases).await
    }

    /// pyHanko, pdfsig and qpdf accept the file, and earlier revisions are unchanged. (EU DSS accepts nothing that does not
    /// hold its revocation data: it is asked about whole documents elsewhere.)
    pub(crate) async fn judged(&self, file: &str, signatures: u32, bases: &[&str]) -> Result<()> {
        self.asked(&["pyhanko", "pdfsig", "qpdf", "prefix"], file, signatures, bases).await
    }

    async fn asked(&self, judges: &[&str], file: &str, signatures: u32, bases: &[&str]) -> Result<()> {
        let mut judge = command(python());
        judge
            .current_dir(repository())
            .env("PYTHONPATH", "tests")
            .args(["-m", "judges"])
            .arg(self.file(file));
        judge.arg("--trust").arg(&self.world.roots_pem).args(["--signatures", &signatures.to_string()]);
        for only in judges {
            judge.args(["--only", only]);
        }
        for base in bases {
            judge.arg("--base").arg(self.file(base));
        }
        output(judge).await.with_context(|| file.to_owned()).map(drop)
    }

    /// What `trinhky verify` says of a file, trusting the province.
    pub(crate) async fn verified(&self, file: &str, revocation: &str) -> Result<Value> {
        let file = format!("{{{file}}}");
        let arguments = ["verify", &file, "--trust", self.trust()?, "--revocation", revocation];
        self.trinhky(&arguments).await?.done()
    }

    /// What page 1 says, blanks left out.
    pub(crate) async fn page_1(&self, file: &str) -> Result<String> {
        let mut pdftotext = command("pdftotext");
        pdftotext.args(["-f", "1", "-l", "1", "-layout"]).arg(self.file(file)).arg("-");
        Ok(output(pdftotext).await?.split_whitespace().collect())
    }

    /// The colours of a page as people see it, at 72 dots an inch: width, height and RGB from the upper left corner.
    pub(crate) async fn seen(&self, file: &str, page: u32) -> Result<(usize, usize, Vec<u8>)> {
        let (root, page) = (self.file("seen"), page.to_string());
        let mut pdftoppm = command("pdftoppm");
        pdftoppm.args(["-r", "72", "-f", &page, "-l", &page, "-singlefile"]).arg(self.file(file)).arg(&root);
        output(pdftoppm).await?;
        let ppm = std::fs::read(root.with_extension("ppm"))?;
        let mut words = ppm.split(u8::is_ascii_whitespace);
        let mut number =
            || -> Result<usize> { Ok(std::str::from_utf8(words.next().context("P6")?)?.parse()?) };
        ensure!(ppm.starts_with(b"P6"), "a picture");
        ensure!(number().is_err(), "its kind comes first");
        let (width, height) = (number()?, number()?);
        let pixels = ppm.get(ppm.len() - 3 * width * height..).context("its pixels")?;
        Ok((width, height, pixels.to_vec()))
    }

    /// Tells the province something.
    pub(crate) async fn control(&self, what: &str, wish: Value) -> Result<()> {
        let url = format!("{}/{what}", self.world.control_url.trim_end_matches('/'));
        Desk::new(&url)?.request(reqwest::Method::POST, "").json(&wish).send().await?.error_for_status()?;
        Ok(())
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path in UTF-8")
}

/// Nothing was written, not even in part.
pub(crate) fn nothing_at(path: &Path) -> Result<()> {
    let folder = path.parent().context("a folder")?;
    let name = path.file_name().context("a name")?.to_string_lossy().into_owned();
    for entry in std::fs::read_dir(folder)? {
        let found = entry?.file_name().to_string_lossy().into_owned();
        ensure!(!found.starts_with(&name), "{found} is there");
    }
    Ok(())
}
