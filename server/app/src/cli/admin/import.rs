//! `trinhky admin import FILE.toml`: offices, people, SIMs and the seal into rows. One transaction: all of the file or
//! nothing. Importing twice changes nothing; a changed value is updated by its office code or username.

use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use trinhky_domain::Digest;
use trinhky_domain::audit::{By, Entry, Event};
use trinhky_domain::calendar::day;
use trinhky_domain::ids::{OfficeId, PersonId};
use trinhky_domain::paper::Capacity;
use trinhky_domain::people::{Appointment, Office, Person, Role};
use trinhky_pades::look::PreparedImage;
use trinhky_pades::x509::path::Purpose;
use trinhky_pades::x509::{Certificate, certificates_from_pem};
use trinhky_store::{Account, OrgSeal, Sim, Tx};

use super::province::{self, Province};
use crate::app::App;
use crate::auth::{password, totp};

#[expect(clippy::print_stdout, reason = "the summary is this command's output")]
pub(super) fn run(settings: &Path, file: &Path) -> anyhow::Result<ExitCode> {
    let config = super::super::settings(settings)?;
    let province = Province::read(file)?;
    super::super::block_on(async {
        let app = App::open(config).await?;
        let mut tx = app.store.begin().await?;
        let import = Import { app: &app, province: &province };
        let offices = import.offices(&mut tx).await?;
        import.people(&mut tx, &offices).await?;
        import.seal(&mut tx, &offices).await?;
        let entry = Entry::new(Event::Administered, By::process("admin"), app.clock.now())
            .with("offices", province.office.len())
            .with("people", province.person.len());
        tx.record(&entry).await?;
        tx.commit().await?;
        println!(
            "{} offices, {} people; {} entries of other kinds were left aside.",
            province.office.len(),
            province.person.len(),
            province.unused()
        );
        Ok(ExitCode::SUCCESS)
    })
}

struct Import<'a> {
    app: &'a App,
    province: &'a Province,
}

impl Import<'_> {
    async fn offices(&self, tx: &mut Tx) -> anyhow::Result<HashMap<String, OfficeId>> {
        let mut ids = HashMap::new();
        for office in &self.province.office {
            let id = match found(tx.office_by_code(&office.code).await)? {
                Some(known) => known.id,
                None => OfficeId::at(self.app.clock.now(), self.app.random.chance()),
            };
            tx.put_office(&Office {
                id,
                parent: None,
                code: office.code.clone(),
                name: office.name.clone(),
                symbol: office.short.clone(),
                policy: office.policy.clone(),
            })
            .await?;
            ids.insert(office.id.clone(), id);
        }
        Ok(ids)
    }

    async fn people(&self, tx: &mut Tx, offices: &HashMap<String, OfficeId>) -> anyhow::Result<()> {
        for person in &self.province.person {
            let who = || format!("person {:?}", person.username);
            let office = *offices.get(&person.office).with_context(who)?;
            let id = match found(tx.person_by_login(&person.username).await)? {
                Some(known) => known.id,
                None => PersonId::at(self.app.clock.now(), self.app.random.chance()),
            };
            let roles = person.roles().with_context(who)?;
            let appointed = roles.contains(&Role::Leader);
            tx.put_person(&Person {
                id,
                office,
                login: person.username.clone(),
                name: person.name.clone(),
                title: person.title.clone(),
                roles,
                active: true,
            })
            .await
            .with_context(who)?;
            if appointed {
                self.appoint(tx, id, office, &person.capacities).await.with_context(who)?;
            }
            self.account(tx, id, person).await.with_context(who)?;
            self.sim(tx, id, person).await.with_context(who)?;
        }
        Ok(())
    }

    /// A leader signs in the capacities the file names; in none named, as head.
    async fn appoint(
        &self,
        tx: &mut Tx,
        person: PersonId,
        office: OfficeId,
        capacities: &[Capacity],
    ) -> anyhow::Result<()> {
        let known = tx.appointments_of(office).await?;
        let from = day(self.app.clock.now());
        for capacity in if capacities.is_empty() { &[Capacity::Head] } else { capacities } {
            if !known.iter().any(|one| one.covers(person, office, *capacity, from)) {
                let appointment = Appointment { person, office, capacity: *capacity, from, until: None };
                tx.put_appointment(&appointment).await?;
            }
        }
        Ok(())
    }

    async fn account(&self, tx: &mut Tx, id: PersonId, person: &province::Person) -> anyhow::Result<()> {
        let secret = totp::from_base32(&person.totp_secret).context("totp_secret")?;
        let known = found(tx.account(id).await)?;
        let unchanged = known.as_ref().is_some_and(|known| {
            known.totp_secret.as_deref() == Some(secret.as_slice())
                && password::verify(&person.password, Some(&known.password_hash))
        });
        if unchanged {
            return Ok(());
        }
        let account = Account {
            person: id,
            password_hash: password::hash(&person.password, &*self.app.random)?,
            totp_secret: Some(secret),
            last_totp_step: known.map_or(-1, |known| known.last_totp_step),
        };
        Ok(tx.put_account(&account).await?)
    }

    async fn sim(&self, tx: &mut Tx, id: PersonId, person: &province::Person) -> anyhow::Result<()> {
        let (Some(msisdn), Some(path)) = (&person.msisdn, &person.certificate_pem) else { return Ok(()) };
        let certificate = certificate(path)?;
        let sim = Sim {
            person: id,
            msisdn: msisdn.clone(),
            chain: self.chain(&certificate),
            certificate: certificate.as_der().to_vec(),
            image: person.signature_png.as_deref().map(|path| self.picture(path)).transpose()?,
            at: self.app.clock.now(),
        };
        Ok(tx.put_sim(&sim).await?)
    }

    async fn seal(&self, tx: &mut Tx, offices: &HashMap<String, OfficeId>) -> anyhow::Result<()> {
        let Some(seal) = &self.province.seal else { return Ok(()) };
        let office = *offices.get(&seal.office).context("[seal] office")?;
        let certificate = certificate(&seal.certificate_pem)?;
        let row = OrgSeal {
            office,
            chain: self.chain(&certificate),
            certificate: certificate.as_der().to_vec(),
            image: seal.image_png.as_deref().map(|path| self.picture(path)).transpose()?,
        };
        Ok(tx.put_org_seal(&row).await?)
    }

    /// The issuers as far as they are known now. A certificate that is not trusted may still be imported: signing with it
    /// is refused by name then.
    fn chain(&self, certificate: &Certificate) -> Vec<Vec<u8>> {
        let chain = self.app.trust.chain(certificate, &[], Purpose::DocumentSigning, self.app.clock.now());
        let chain = chain.unwrap_or_default();
        chain.iter().skip(1).map(|issuer| issuer.as_der().to_vec()).collect()
    }

    /// A picture, looked at before it is kept.
    fn picture(&self, path: &Path) -> anyhow::Result<Digest> {
        let png = std::fs::read(path).with_context(|| path.display().to_string())?;
        PreparedImage::from_png(&png).with_context(|| path.display().to_string())?;
        Ok(self.app.blobs.keep(&png)?.sha256)
    }
}

fn certificate(path: &Path) -> anyhow::Result<Certificate> {
    let pem = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let found = certificates_from_pem(&pem).with_context(|| path.display().to_string())?;
    found.into_iter().next().with_context(|| format!("{} holds no certificate", path.display()))
}

fn found<T>(result: Result<T, trinhky_store::Error>) -> anyhow::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(trinhky_store::Error::NotFound(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}
