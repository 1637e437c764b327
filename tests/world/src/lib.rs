//! `trinhky-world`: an imaginary province for `make demo`, for every flow test and for training.
//!
//! A three-level PKI with OCSP, CRLs and an RFC 3161 time stamp, a mobile signature service over mutual TLS with virtual
//! SIMs, a push service, a mail server, images, a document and an import file. All of it on loopback, on free ports, in one folder.
//! The product never links this crate, and this crate uses nothing of the product: what both agree on is the standards.
//!
//! Tests either start the binary and read its ready line, or call [`Running::start`] in their own process.

mod clock;
mod control;
mod der;
mod faults;
mod keys;
mod look;
mod mail;
mod mssp;
mod page;
mod pki;
mod province;
mod push;
mod ready;
mod serve;
mod vault;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use tokio::{net::TcpListener, task::JoinHandle};

pub use faults::{Fault, Service};
pub use keys::KeyKind;
pub use look::document::decision as demo_document;
pub use mssp::behaviour::{Behaviour, Outcome, Quirk};
pub use ready::{AccountInfo, Fixture, Ready, Seal, SimInfo};

use clock::Clock;
use faults::Faults;
use mssp::{Mssp, sim::Sim};
use pki::{Pki, certificate::Name, years};
use province::people::{self, OFFICE};
use push::Push;
use vault::Vault;

/// How the world is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its folder. A world restarted on the same folder has the same keys, certificates and ports.
    pub dir: PathBuf,
    /// Port of the HTTP side; 0 takes the earlier one or a free one.
    pub http_port: u16,
    /// Port of the MSSP; 0 likewise.
    pub mssp_port: u16,
    /// Where to answer what time it is; default `clock.sock` in the folder.
    pub clock_socket: Option<PathBuf>,
    /// Number of leaders with SIMs.
    pub leaders: usize,
    /// One more leader per magic number in the import file. The SIMs exist in any case.
    pub magic: bool,
    /// Folder where RSA keys and images are kept between worlds, so that the next one starts faster.
    pub pool: Option<PathBuf>,
    /// Milliseconds after which a SIM accepts by itself; `None` waits for the page's buttons.
    pub accept_after_ms: Option<u64>,
}

impl Options {
    /// Three leaders, free ports, SIMs that accept after 300 ms.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            http_port: 0,
            mssp_port: 0,
            clock_socket: None,
            leaders: 3,
            magic: false,
            pool: None,
            accept_after_ms: Some(300),
        }
    }
}

/// What all handlers share.
struct World {
    vault: Vault,
    clock: Clock,
    faults: Faults,
    pki: Arc<Pki>,
    mssp: Mssp,
    push: Push,
    mail: mail::Mail,
    /// Address of the HTTP side, without a slash at its end: also the origin of push endpoints.
    base: String,
}

/// A running world; dropping it ends all its tasks.
pub struct Running {
    ready: Ready,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Makes what is missing, opens the ports and serves.
    ///
    /// # Errors
    /// The folder cannot be written, or a port of an earlier run is taken (certificates name it).
    pub async fn start(options: &Options) -> Result<Self> {
        let vault = Vault::open(&options.dir, options.pool.as_deref())?;
        let http = bind(&vault, "http", options.http_port).await?;
        let mssp = bind(&vault, "mssp", options.mssp_port).await?;
        let base = format!("http://{}", http.local_addr()?);
        let mssp_base = format!("https://{}", mssp.local_addr()?);
        let smtp = bind(&vault, "smtp", 0).await?;
        let smtps = bind(&vault, "smtps", 0).await?;
        let mail_urls = MailUrls {
            starttls: format!("smtp://{}", smtp.local_addr()?),
            tls_first: format!("smtps://{}", smtps.local_addr()?),
        };

        let (world, people) = {
            let (vault, base, options) = (vault.clone(), base.clone(), options.clone());
            // Making RSA keys takes a while: not on the runtime's own threads.
            tokio::task::spawn_blocking(move || build(vault, &base, &options)).await??
        };
        let ready = describe(
            &world,
            &people,
            Addresses { base: &base, mssp: &mssp_base, mail: &mail_urls },
            options,
        )?;

        let tls = serve::mutual_tls(
            vec![world.pki.mssp.certificate.clone()],
            world.pki.mssp.key.pkcs8(),
            &world.pki.tls_ca.certificate,
        )?;
        let mail = &world.pki.mail;
        let mail_tls = serve::server_tls(vec![mail.certificate.clone()], mail.key.pkcs8())?;
        let router = pki::http::routes()
            .merge(control::routes())
            .merge(push::http::routes())
            .merge(mail::http::routes())
            .merge(page::routes())
            .with_state(world.clone());
        let tasks = vec![
            world.clock.serve(Path::new(&ready.clock))?,
            serve::accept(http, None, router),
            mail::accept(smtp, mail_tls.clone(), false, world.clone()),
            mail::accept(smtps, mail_tls, true, world.clone()),
            serve::accept(mssp, Some(tls), mssp::http::routes().with_state(world)),
        ];
        Ok(Self { ready, tasks })
    }

    /// Where everything is.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn build(vault: Vault, base: &str, options: &Options) -> Result<(Arc<World>, Vec<people::Person>)> {
    let everybody = people::everybody(options.leaders, true);
    let rsa_sims = everybody.iter().filter_map(|person| match &person.sim {
        Some((msisdn, KeyKind::Rsa2048)) => Some(format!("sim-{msisdn}")),
        _ => None,
    });
    let rsa: Vec<String> = Pki::RSA_KEYS.map(str::to_owned).into_iter().chain(rsa_sims).collect();
    vault.warm(&rsa, KeyKind::Rsa2048)?;
    let pki = Arc::new(Pki::open(&vault, base)?);
    let usual = match options.accept_after_ms {
        Some(_) => Behaviour::ACCEPT,
        None => Behaviour { outcome: Outcome::Manual, quirk: None },
    };
    let mut sims = Vec::new();
    for person in &everybody {
        let Some((msisdn, kind)) = &person.sim else { continue };
        let subject = Name::vietnam()
            .locality("Điện Biên")
            .organisation(OFFICE)
            .title(&person.title)
            .common(&person.name);
        let holder = pki.person(&format!("sim-{msisdn}"), *kind, &subject, &person.email(), years(1, 3))?;
        let behaviour = mssp::behaviour::magic()
            .into_iter()
            .find(|magic| magic.msisdn == *msisdn)
            .map_or(usual, |magic| magic.behaviour);
        sims.push(Sim::new(msisdn, &person.name, holder, behaviour));
    }
    let delay = options.accept_after_ms.unwrap_or(300);
    let delay = time::Duration::milliseconds(i64::try_from(delay).unwrap_or(i64::MAX));
    let password = hex::encode(keys::sha256(format!("ap:{base}").as_bytes())).split_off(32);
    vault.secret("ap-password", &password)?;
    let mail_password = hex::encode(keys::sha256(format!("mail:{base}").as_bytes())).split_off(40);
    vault.secret("mail-password", &mail_password)?;
    let mssp = Mssp::new(pki.clone(), sims, password, delay);
    let world = World {
        vault,
        clock: Clock::default(),
        faults: Faults::default(),
        pki,
        mssp,
        push: Push::default(),
        mail: mail::Mail::new(mail_password),
        base: base.to_owned(),
    };
    Ok((Arc::new(world), people::everybody(options.leaders, options.magic)))
}

/// Where the services listen.
struct Addresses<'a> {
    base: &'a str,
    mssp: &'a str,
    mail: &'a MailUrls,
}

struct MailUrls {
    starttls: String,
    tls_first: String,
}

fn describe(
    world: &World,
    people: &[people::Person],
    Addresses { base, mssp: mssp_base, mail }: Addresses<'_>,
    options: &Options,
) -> Result<Ready> {
    let (vault, pki) = (&world.vault, &world.pki);
    let text = |path: PathBuf| path.display().to_string();
    let roots_pem = text(vault.bundle("roots", &[&pki.root.certificate])?);
    let chain_pem = text(vault.bundle("chain", &[&pki.people.certificate, &pki.org.certificate])?);
    let seal_chain = text(vault.bundle("seal-chain", &[&pki.org.certificate, &pki.root.certificate])?);
    let tsa_url = format!("{base}/tsa");
    let ocsp_url = format!("{base}/ocsp");
    let seal_image = text(vault.made("images/seal.png", || {
        look::images::seal("ỦY BAN NHÂN DÂN PHƯỜNG MƯỜNG THANH", "TỈNH TƯỞNG TƯỢNG")
    })?);
    for person in people.iter().filter(|person| person.sim.is_some()) {
        vault.made(&person.signature_file(), || look::images::signature(&person.name))?;
    }
    let signer = people.iter().find(|person| person.sim.is_some()).map_or("", |person| &person.name);
    let demo_pdf = text(vault.made("demo.pdf", || look::document::decision(signer))?);
    let import = province::import::write(
        vault,
        people,
        &world.mssp,
        &province::import::Paths {
            roots: &roots_pem,
            chain: &chain_pem,
            seal_image: &seal_image,
            tsa_url: &tsa_url,
            ocsp_url: &ocsp_url,
        },
    )?;
    let magic = mssp::behaviour::magic();
    let info = |sim: &Sim, name: &str, outcome: &str| SimInfo {
        msisdn: sim.msisdn.clone(),
        name: name.into(),
        certificate_pem: text(vault.certificate_path(&format!("sim-{}", sim.msisdn))),
        outcome: outcome.into(),
    };
    let usual = if options.accept_after_ms.is_some() { "accept" } else { "manual" };
    Ok(Ready {
        ready: "world",
        dir: text(vault.dir().to_owned()),
        org_ca_pem: text(vault.certificate_path("org-ca")),
        people_ca_pem: text(vault.certificate_path("people-ca")),
        crl_url: format!("{base}/crl/"),
        mssp_url: format!("{mssp_base}/soap/services/"),
        mssp_ca_pem: text(vault.certificate_path("mssp-ca")),
        ap_cert_pem: text(vault.certificate_path("ap")),
        ap_key_pem: text(vault.key_path("ap")),
        ap_id: world.mssp.ap_id.clone(),
        ap_password_file: text(vault.dir().join("ap-password")),
        smtp_url: mail.starttls.clone(),
        smtps_url: mail.tls_first.clone(),
        mail_ca_pem: text(vault.certificate_path("mssp-ca")),
        mail_from: crate::mail::MAILBOX.into(),
        mail_password_file: text(vault.dir().join("mail-password")),
        push_base: format!("{base}/push/"),
        page_url: format!("{base}/"),
        control_url: format!("{base}/control"),
        clock: text(options.clock_socket.clone().unwrap_or_else(|| vault.dir().join("clock.sock"))),
        sims: world
            .mssp
            .sims()
            .filter(|sim| !magic.iter().any(|magic| magic.msisdn == sim.msisdn))
            .map(|sim| info(sim, &sim.name, usual))
            .collect(),
        magic: magic
            .iter()
            .filter_map(|magic| world.mssp.sim(&magic.msisdn).map(|sim| info(sim, &magic.name, &magic.name)))
            .collect(),
        fixtures: province::fixtures::make(vault, pki)?,
        seal: Seal {
            certificate_pem: text(vault.certificate_path("seal")),
            key_p8: text(vault.key_path("seal")),
            chain_pem: seal_chain,
        },
        accounts: people.iter().flat_map(AccountInfo::of).collect(),
        roots_pem,
        chain_pem,
        tsa_url,
        ocsp_url,
        seal_image,
        import_toml: text(import),
        demo_pdf,
    })
}

/// Binds the port asked for, else the one of an earlier run in this folder, else a free one; and remembers it.
async fn bind(vault: &Vault, name: &str, asked: u16) -> Result<TcpListener> {
    let file = format!("{name}.port");
    let earlier =
        std::fs::read_to_string(vault.dir().join(&file)).ok().and_then(|text| text.trim().parse().ok());
    let port = if asked == 0 { earlier.unwrap_or(0) } else { asked };
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("port {port} for {name}; the certificates in this folder name it"))?;
    vault.file(&file, listener.local_addr()?.port().to_string().as_bytes())?;
    Ok(listener)
}
