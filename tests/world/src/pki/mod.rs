//! Three levels of imaginary trust: a root, an issuing CA for people ("SIM PKI"), one for organisations and services.
//!
//! Holds every private key of the province; knows which certificates exist and which are revoked. OCSP, CRLs and time
//! stamps are made from here. Certificates live in real time (foreign judges read the machine's clock); status and stamps
//! follow the world's clock.

pub(crate) mod certificate;
pub(crate) mod http;
pub(crate) mod ocsp;
pub(crate) mod tsa;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use anyhow::Result;
use time::{Duration, OffsetDateTime};

use crate::{
    clock,
    keys::{self, Key, KeyKind},
    vault::Vault,
};
use certificate::{Addresses, Authority, Name, Profile, Revoked, Validity};

/// A key with its certificate.
pub(crate) struct Holder {
    pub(crate) key: Key,
    pub(crate) certificate: Vec<u8>,
}

/// What OCSP says.
pub(crate) enum Status {
    Good,
    Revoked(Revoked),
    Unknown,
}

/// Which authority issued something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Tier {
    Root,
    People,
    Org,
}

impl Tier {
    pub(crate) const ALL: [Self; 3] = [Self::Root, Self::People, Self::Org];

    /// Its name in addresses and files.
    pub(crate) fn slug(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::People => "people",
            Self::Org => "org",
        }
    }
}

/// Every certificate by issuer and serial number, with its revocation.
type Register = HashMap<(Tier, Vec<u8>), Option<Revoked>>;

/// The whole of it.
pub(crate) struct Pki {
    vault: Vault,
    pub(crate) root: Authority,
    pub(crate) people: Authority,
    pub(crate) org: Authority,
    responders: [Holder; 3],
    pub(crate) tsa: Holder,
    pub(crate) expired_tsa: Holder,
    /// The organisation's seal; its private key also lies in a file, for the import into a token.
    pub(crate) seal: Holder,
    /// The MSSP's side of mutual TLS.
    pub(crate) tls_ca: Authority,
    pub(crate) mssp: Holder,
    /// The mail server's TLS.
    pub(crate) mail: Holder,
    register: Mutex<Register>,
}

impl Pki {
    /// Names of the keys that take long to make.
    pub(crate) const RSA_KEYS: [&str; 5] = ["root", "people-ca", "org-ca", "tsa", "seal"];

    /// Makes or reads everything. `base` is the address of the world's HTTP side, as it stands in the certificates.
    pub(crate) fn open(vault: &Vault, base: &str) -> Result<Self> {
        let addresses = |tier: Tier| Addresses {
            ocsp: format!("{base}/ocsp"),
            issuer: format!("{base}/aia/{}.crt", tier.slug()),
            crl: format!("{base}/crl/{}.crl", tier.slug()),
        };
        let state =
            |unit: &str| Name::vietnam().organisation("Tỉnh Tưởng Tượng (dùng để thử nghiệm)").unit(unit);
        let root = root_authority(
            vault,
            "root",
            KeyKind::Rsa2048,
            &state("Chứng thực số").common("CA gốc Tưởng Tượng"),
            addresses(Tier::Root),
        )?;
        let issue_ca = |name: &str, subject: &Name, addresses: Addresses| -> Result<Authority> {
            let key = vault.key(name, KeyKind::Rsa2048)?;
            let profile = Profile::Authority { path: Some(0) };
            let certificate = vault.certificate(name, || {
                certificate::issue(&root, subject, &key, &serial()?, years(2, 12), &profile)
            })?;
            Ok(Authority { key, certificate, name: subject.der(), addresses })
        };
        let people = issue_ca(
            "people-ca",
            &state("Chứng thực số").common("SIM PKI Tưởng Tượng"),
            addresses(Tier::People),
        )?;
        let org = issue_ca(
            "org-ca",
            &state("Chứng thực số").common("CA cơ quan Tưởng Tượng"),
            addresses(Tier::Org),
        )?;
        let holder = |name: &str, kind, issuer: &Authority, subject: &Name, validity, profile: &Profile| {
            holder(vault, name, kind, issuer, subject, validity, profile)
        };
        let responder = |issuer: &Authority, tier: Tier| {
            let name = format!("ocsp-{}", tier.slug());
            let subject = state("Chứng thực số").common(&format!("OCSP {}", tier.slug()));
            holder(&name, KeyKind::P256, issuer, &subject, years(1, 1), &Profile::OcspResponder)
        };
        let tls_ca = root_authority(
            vault,
            "mssp-ca",
            KeyKind::P256,
            &state("Cổng ký số di động").common("TLS MSSP Tưởng Tượng"),
            addresses(Tier::Root),
        )?;
        let stamp = state("Dấu thời gian").common("TSA Tưởng Tượng");
        let past =
            Validity { from: clock::real() - Duration::days(800), to: clock::real() - Duration::days(60) };
        let office = "Ủy ban nhân dân phường Mường Thanh";
        let seal = Name::vietnam().locality("Điện Biên").organisation(office).common(office);
        let seal_profile = Profile::Signer { email: "vanthu@muongthanh.example".into() };
        let gate = state("Cổng ký số di động").common("Trình Ký AP");
        let mailer = state("Thư điện tử công vụ").common("mail.example");
        // The application provider's client certificate: only its files are needed.
        holder("ap", KeyKind::P256, &tls_ca, &gate, years(1, 2), &Profile::TlsClient)?;
        let this = Self {
            responders: [
                responder(&root, Tier::Root)?,
                responder(&people, Tier::People)?,
                responder(&org, Tier::Org)?,
            ],
            tsa: holder("tsa", KeyKind::Rsa2048, &org, &stamp, years(1, 9), &Profile::TimeStamping)?,
            expired_tsa: holder("tsa-expired", KeyKind::P256, &org, &stamp, past, &Profile::TimeStamping)?,
            seal: holder("seal", KeyKind::Rsa2048, &org, &seal, years(1, 4), &seal_profile)?,
            mail: holder("mail", KeyKind::P256, &tls_ca, &mailer, years(1, 2), &Profile::TlsServer)?,
            mssp: holder("mssp", KeyKind::P256, &tls_ca, &gate, years(1, 2), &Profile::TlsServer)?,
            vault: vault.clone(),
            root,
            people,
            org,
            tls_ca,
            register: Mutex::default(),
        };
        for certificate in [&this.people.certificate, &this.org.certificate] {
            this.enter(Tier::Root, certificate)?;
        }
        for certificate in [&this.tsa.certificate, &this.expired_tsa.certificate, &this.seal.certificate] {
            this.enter(Tier::Org, certificate)?;
        }
        Ok(this)
    }

    /// Key and certificate of a person, under the people's CA.
    pub(crate) fn person(
        &self,
        name: &str,
        kind: KeyKind,
        subject: &Name,
        email: &str,
        validity: Validity,
    ) -> Result<Holder> {
        let profile = Profile::Signer { email: email.into() };
        let holder = holder(&self.vault, name, kind, &self.people, subject, validity, &profile)?;
        self.enter(Tier::People, &holder.certificate)?;
        Ok(holder)
    }

    /// A new key and certificate with the subject of an old one: the SIM was replaced.
    pub(crate) fn successor(&self, name: &str, old: &Holder) -> Result<Holder> {
        let key = self.vault.key(name, old.key.kind())?;
        let certificate = self.vault.certificate(name, || {
            certificate::renew(&self.people, &old.certificate, &key, &serial()?, years(0, 2))
        })?;
        self.enter(Tier::People, &certificate)?;
        Ok(Holder { key, certificate })
    }

    /// The same for somebody whom no CA of this province knows: a certificate of a made-up CA.
    pub(crate) fn stranger(&self, name: &str, subject: &Name, email: &str) -> Result<Holder> {
        let rogue = root_authority(
            &self.vault,
            "rogue-ca",
            KeyKind::P256,
            &Name::vietnam().common("CA không ai tin"),
            self.people.addresses.clone(),
        )?;
        let profile = Profile::Signer { email: email.into() };
        holder(&self.vault, name, KeyKind::P256, &rogue, subject, years(1, 2), &profile)
    }

    pub(crate) fn authority(&self, tier: Tier) -> &Authority {
        match tier {
            Tier::Root => &self.root,
            Tier::People => &self.people,
            Tier::Org => &self.org,
        }
    }

    pub(crate) fn authorities(&self) -> impl Iterator<Item = (Tier, &Authority)> {
        Tier::ALL.into_iter().map(|tier| (tier, self.authority(tier)))
    }

    pub(crate) fn responder(&self, tier: Tier) -> &Holder {
        let [root, people, org] = &self.responders;
        match tier {
            Tier::Root => root,
            Tier::People => people,
            Tier::Org => org,
        }
    }

    /// Status of a serial number at an instant.
    pub(crate) fn status(&self, tier: Tier, serial: &[u8], at: OffsetDateTime) -> Status {
        let register = self.register.lock().unwrap_or_else(PoisonError::into_inner);
        match register.get(&(tier, plain(serial))) {
            None => Status::Unknown,
            Some(Some(entry)) if entry.at <= at => Status::Revoked(entry.clone()),
            Some(_) => Status::Good,
        }
    }

    /// Revokes (`Some`) or reinstates (`None`) a certificate; false when no authority here issued it.
    pub(crate) fn set_revoked(
        &self,
        certificate: &[u8],
        entry: Option<(OffsetDateTime, u8)>,
    ) -> Result<bool> {
        let identity = certificate::identity(certificate)?;
        let serial = plain(&identity.serial);
        let mut register = self.register.lock().unwrap_or_else(PoisonError::into_inner);
        let tier = Tier::ALL.into_iter().find(|tier| self.authority(*tier).name == identity.issuer);
        let Some(slot) = tier.and_then(|tier| register.get_mut(&(tier, serial.clone()))) else {
            return Ok(false);
        };
        *slot = entry.map(|(at, reason)| Revoked { serial, at, reason });
        Ok(true)
    }

    /// The current CRL of one authority.
    pub(crate) fn crl(&self, tier: Tier, now: OffsetDateTime, stale: bool) -> Result<Vec<u8>> {
        let register = self.register.lock().unwrap_or_else(PoisonError::into_inner);
        let mut revoked: Vec<Revoked> = register
            .iter()
            .filter(|((of, _), _)| *of == tier)
            .filter_map(|(_, entry)| entry.clone())
            .filter(|entry| entry.at <= now)
            .collect();
        drop(register);
        revoked.sort_by(|a, b| (a.at, &a.serial).cmp(&(b.at, &b.serial)));
        let shift = if stale { Duration::days(30) } else { Duration::ZERO };
        let validity = Validity { from: now - shift, to: now + Duration::days(1) - shift };
        let number = u64::try_from(now.unix_timestamp()).unwrap_or(0);
        certificate::crl(self.authority(tier), &revoked, number, validity)
    }

    fn enter(&self, tier: Tier, certificate: &[u8]) -> Result<()> {
        let serial = plain(&certificate::identity(certificate)?.serial);
        self.register.lock().unwrap_or_else(PoisonError::into_inner).entry((tier, serial)).or_insert(None);
        Ok(())
    }
}

/// A serial number without its sign byte.
fn plain(serial: &[u8]) -> Vec<u8> {
    let first = serial.iter().position(|byte| *byte != 0).unwrap_or(serial.len());
    serial[first..].to_vec()
}

/// Valid since `back` years and for `ahead` years more.
pub(crate) fn years(back: i64, ahead: i64) -> Validity {
    let now = clock::real();
    Validity { from: now - Duration::days(365 * back), to: now + Duration::days(365 * ahead) }
}

/// Sixteen random bytes with the top bits set to 01: positive and never short.
fn serial() -> Result<[u8; 16]> {
    let mut serial = keys::random::<16>()?;
    serial[0] = (serial[0] & 0x3f) | 0x40;
    Ok(serial)
}

fn root_authority(
    vault: &Vault,
    name: &str,
    kind: KeyKind,
    subject: &Name,
    addresses: Addresses,
) -> Result<Authority> {
    let key = vault.key(name, kind)?;
    let certificate =
        vault.certificate(name, || certificate::root(subject, &key, &serial()?, years(3, 20)))?;
    Ok(Authority { key, certificate, name: subject.der(), addresses })
}

fn holder(
    vault: &Vault,
    name: &str,
    kind: KeyKind,
    issuer: &Authority,
    subject: &Name,
    validity: Validity,
    profile: &Profile,
) -> Result<Holder> {
    let key = vault.key(name, kind)?;
    let certificate = vault
        .certificate(name, || certificate::issue(issuer, subject, &key, &serial()?, validity, profile))?;
    Ok(Holder { key, certificate })
}
