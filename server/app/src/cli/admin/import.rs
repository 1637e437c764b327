//! `trinhky admin import FILE.toml`: offices, people, SIMs, the seal, where books begin and what forms offer, into rows. One
//! transaction: all of the file or nothing. Importing twice changes nothing; a changed value is updated by its office code or
//! username.

use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use trinhky_domain::Digest;
use trinhky_domain::audit::{By, Entry, Event};
use trinhky_domain::calendar::day;
use trinhky_domain::ids::{OfficeId, PersonId, RegisterId};
use trinhky_domain::paper::Capacity;
use trinhky_domain::people::{Appointment, Office, Person, Role};
use trinhky_pades::look::PreparedImage;
use trinhky_pades::x509::path::Purpose;
use trinhky_pades::x509::{Certificate, certificates_from_pem};
use trinhky_store::{Account, OrgSeal, Sim, Tx};

use super::forms;
use super::province::{self, Province};
use crate::app::App;
use crate::auth::{password, second_factor, totp};

#[expect(clippy::print_stdout, reason = "the summary is this command's output")]
pub(super) fn run(settings: &Path, file: &Path) -> anyhow::Result<ExitCode> {
    let config = super::super::settings(settings)?;
    let province = Province::read(file)?;
    super::super::block_on(async {
        let app = App::open(config).await?;
        if let Some(trust) = &province.trust {
            forms::check_trust(trust, &app).with_context(|| file.display().to_string())?;
        }
        let mut tx = app.store.begin().await?;
        let import = Import { app: &app, province: &province };
        let offices = import.offices(&mut tx).await?;
        let people = import.people(&mut tx, &offices).await.with_context(|| file.display().to_string())?;
        import.books(&mut tx, &offices).await.with_context(|| file.display().to_string())?;
        import.forms(&mut tx, &offices, &people).await.with_context(|| file.display().to_string())?;
        import.seal(&mut tx, &offices).await.with_context(|| file.display().to_string())?;
        let entry = Entry::new(Event::Administered, By::process("admin"), app.clock.now())
            .with("offices", province.office.len())
            .with("people", province.person.len());
        tx.record(&entry).await?;
        tx.commit().await?;
        println!(
            "{} offices, {} people; to choose from: {} units, {} registers, {} chains, {} recipients.",
            province.office.len(),
            province.person.len(),
            province.unit.len(),
            province.register.len(),
            province.chain.len(),
            province.recipient.len()
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

    /// A book that began on paper goes on after its last number there, this year; once a number was given here, where it
    /// began cannot be changed any more.
    async fn books(&self, tx: &mut Tx, offices: &HashMap<String, OfficeId>) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        let year = day(now).year();
        let mut rules = HashMap::new();
        for office in &self.province.office {
            let kept = tx.office(*offices.get(&office.id).context("office")?).await?;
            let profile =
                self.app.profile_of(&kept).map_err(|error| anyhow::anyhow!("its policy: {error:?}"))?;
            rules.insert(office.id.as_str(), profile.series);
        }
        for ((office, series), given) in forms::books(self.province, &rules)? {
            let place = || format!("[[register]] of office {office:?}, book {series}: first");
            let office = *offices.get(office).with_context(place)?;
            let known = tx.peek_register(office, &series, year).await?.map_or(0, |known| known.given_before);
            if known == given {
                continue;
            }
            let new = RegisterId::at(now, self.app.random.chance());
            let register = tx.register(office, &series, year, new).await?;
            match tx.begin_register_after(register.id, given).await {
                Err(trinhky_store::Error::Conflict(_)) => bail!(
                    "{}: number {} of {year} was given here already, so the book cannot begin with {}; say {} as before",
                    place(),
                    register.last,
                    given + 1,
                    known + 1
                ),
                begun => begun?,
            }
        }
        Ok(())
    }

    async fn forms(
        &self,
        tx: &mut Tx,
        offices: &HashMap<String, OfficeId>,
        people: &HashMap<String, PersonId>,
    ) -> anyhow::Result<()> {
        for office in &self.province.office {
            let id = *offices.get(&office.id).context("office")?;
            let forms = forms::offered(self.province, office, people)?;
            tx.put_office_forms(id, &serde_json::to_string(&forms)?, self.app.clock.now()).await?;
        }
        Ok(())
    }

    async fn people(
        &self,
        tx: &mut Tx,
        offices: &HashMap<String, OfficeId>,
    ) -> anyhow::Result<HashMap<String, PersonId>> {
        let mut ids = HashMap::new();
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
            ids.insert(person.username.clone(), id);
        }
        Ok(ids)
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
        let sealed = known.as_ref().and_then(|known| known.totp_secret.as_deref()).unwrap_or_default();
        let kept = second_factor::open(&self.app.keys.at_rest, id, sealed);
        let unchanged = kept.is_ok_and(|kept| kept == secret)
            && known
                .as_ref()
                .is_some_and(|known| password::verify(&person.password, Some(&known.password_hash)));
        if unchanged {
            return Ok(());
        }
        let account = Account {
            person: id,
            password_hash: password::hash(&person.password, &*self.app.random)?,
            totp_secret: Some(second_factor::seal(&self.app.keys.at_rest, id, &secret, &*self.app.random)?),
            last_totp_step: known.map_or(-1, |known| known.last_totp_step),
        };
        Ok(tx.put_account(&account).await?)
    }

    async fn sim(&self, tx: &mut Tx, id: PersonId, person: &province::Person) -> anyhow::Result<()> {
        let (Some(msisdn), Some(path)) = (&person.msisdn, &person.certificate_pem) else { return Ok(()) };
        let certificate = certificate(path).context("certificate_pem")?;
        let known = found(tx.sim(id).await)?.filter(|known| known.certificate == certificate.as_der());
        let chain = match (self.chain(&certificate, &[]), known) {
            (Ok(chain), _) => chain,
            // Pinned before, when it stood: signing with it is refused by name, and the rest of the file goes on.
            (Err(_), Some(known)) => known.chain,
            (Err(untrusted), None) => {
                return Err(untrusted).with_context(|| format!("certificate_pem {}", path.display()));
            }
        };
        let sim = Sim {
            person: id,
            msisdn: msisdn.clone(),
            chain,
            certificate: certificate.as_der().to_vec(),
            image: person.signature_png.as_deref().map(|path| self.picture(path)).transpose()?,
            at: self.app.clock.now(),
        };
        Ok(tx.put_sim(&sim).await?)
    }

    async fn seal(&self, tx: &mut Tx, offices: &HashMap<String, OfficeId>) -> anyhow::Result<()> {
        let Some(seal) = &self.province.seal else { return Ok(()) };
        let office = *offices.get(&seal.office).context("[seal] office")?;
        let certificate = certificate(&seal.certificate_pem).context("[seal] certificate_pem")?;
        let with = seal.chain_pem.as_deref().map(certificates).transpose().context("[seal] chain_pem")?;
        let known =
            found(tx.org_seal(office).await)?.filter(|known| known.certificate == certificate.as_der());
        let chain = match (self.chain(&certificate, &with.unwrap_or_default()), known) {
            (Ok(chain), _) => chain,
            (Err(_), Some(known)) => known.chain,
            (Err(untrusted), None) => {
                let path = seal.certificate_pem.display().to_string();
                return Err(untrusted).with_context(|| format!("[seal] certificate_pem {path}"));
            }
        };
        let row = OrgSeal {
            office,
            chain,
            certificate: certificate.as_der().to_vec(),
            image: seal.image_png.as_deref().map(|path| self.picture(path)).transpose()?,
        };
        Ok(tx.put_org_seal(&row).await?)
    }

    /// The issuers. A certificate that nobody could sign with is not imported.
    fn chain(&self, certificate: &Certificate, with: &[Certificate]) -> anyhow::Result<Vec<Vec<u8>>> {
        let chain = self.app.trust.chain(certificate, with, Purpose::DocumentSigning, self.app.clock.now());
        let chain = chain.context(
            "nobody could sign with it: name the right certificate, or add its issuers to [trust] of the settings",
        )?;
        Ok(chain.iter().skip(1).map(|issuer| issuer.as_der().to_vec()).collect())
    }

    /// A picture, looked at before it is kept.
    fn picture(&self, path: &Path) -> anyhow::Result<Digest> {
        let png = std::fs::read(path).with_context(|| path.display().to_string())?;
        PreparedImage::from_png(&png).with_context(|| path.display().to_string())?;
        Ok(self.app.blobs.keep(&png)?.sha256)
    }
}

fn certificate(path: &Path) -> anyhow::Result<Certificate> {
    certificates(path)?.into_iter().next().with_context(|| format!("{} holds no certificate", path.display()))
}

/// The certificates of a PEM file.
pub(super) fn certificates(path: &Path) -> anyhow::Result<Vec<Certificate>> {
    let pem = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    certificates_from_pem(&pem).with_context(|| path.display().to_string())
}

fn found<T>(result: Result<T, trinhky_store::Error>) -> anyhow::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(trinhky_store::Error::NotFound(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}
