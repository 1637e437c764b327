//! How people prove who they are, the SIM each leader signs with, and the organisation's certificate.
//!
//! No private key and no PIN is ever here. Passwords are Argon2 hashes; the caller decides whether the TOTP secret is
//! sealed bytes. `Debug` shows neither.

use std::fmt;

use sqlx::any::AnyRow;
use time::OffsetDateTime;
use trinhky_domain::Digest;
use trinhky_domain::ids::{OfficeId, PersonId};
use trinhky_domain::signing::Msisdn;

use crate::error::Result;
use crate::tx::{Columns, Tx, digest_text, json, micros, query};

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        PUT_ACCOUNT = "insert into accounts (person_id, password_hash, totp_secret, last_totp_step)
            values ($1, $2, $3, $4)
            on conflict (person_id) do update set password_hash = excluded.password_hash,
                totp_secret = excluded.totp_secret, last_totp_step = excluded.last_totp_step";
        ACCOUNT = "select person_id, password_hash, totp_secret, last_totp_step from accounts where person_id = $1";
        ACCOUNTS = "select person_id, password_hash, totp_secret, last_totp_step from accounts order by person_id";
        USE_TOTP_STEP = "update accounts set last_totp_step = $2 where person_id = $1 and last_totp_step < $2";
        PUT_SIM = "insert into sims (person_id, msisdn, certificate, certificate_sha256, chain, image_sha256, at)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (person_id) do update set msisdn = excluded.msisdn, certificate = excluded.certificate,
                certificate_sha256 = excluded.certificate_sha256, chain = excluded.chain,
                image_sha256 = excluded.image_sha256, at = excluded.at";
        SIM = "select person_id, msisdn, certificate, chain, image_sha256, at from sims where person_id = $1";
        PUT_ORG_SEAL = "insert into org_seals (office_id, certificate, certificate_sha256, chain, image_sha256)
            values ($1, $2, $3, $4, $5)
            on conflict (office_id) do update set certificate = excluded.certificate,
                certificate_sha256 = excluded.certificate_sha256, chain = excluded.chain,
                image_sha256 = excluded.image_sha256";
        ORG_SEAL = "select office_id, certificate, chain, image_sha256 from org_seals where office_id = $1";
    }
}

/// How a person signs in.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Whose.
    pub person: PersonId,
    /// Argon2, in the PHC form.
    pub password_hash: String,
    /// The second factor's secret, when there is one.
    pub totp_secret: Option<Vec<u8>>,
    /// The TOTP step used last; only a later one counts.
    pub last_totp_step: i64,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("person", &self.person).finish_non_exhaustive()
    }
}

/// The SIM a leader signs with: number and certificate are pinned together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sim {
    /// Whose.
    pub person: PersonId,
    /// Its number.
    pub msisdn: Msisdn,
    /// DER.
    pub certificate: Vec<u8>,
    /// Issuers up to the root, DER, nearest first.
    pub chain: Vec<Vec<u8>>,
    /// The blue image of the signature, a file.
    pub image: Option<Digest>,
    /// Since when.
    pub at: OffsetDateTime,
}

/// The organisation's certificate and seal image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgSeal {
    /// Whose.
    pub office: OfficeId,
    /// DER.
    pub certificate: Vec<u8>,
    /// Issuers up to the root, DER, nearest first.
    pub chain: Vec<Vec<u8>>,
    /// The red seal, a file.
    pub image: Option<Digest>,
}

impl Tx {
    /// Stores how a person signs in.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn put_account(&mut self, account: &Account) -> Result<()> {
        let statement = query(sql::PUT_ACCOUNT)
            .bind(account.person.to_string())
            .bind(account.password_hash.clone())
            .bind(account.totp_secret.clone())
            .bind(account.last_totp_step);
        self.change_one("account", statement).await
    }

    /// How a person signs in.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn account(&mut self, person: PersonId) -> Result<Account> {
        let row = self.one("account", query(sql::ACCOUNT).bind(person.to_string())).await?;
        account(&row)
    }

    /// How everybody signs in.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn accounts(&mut self) -> Result<Vec<Account>> {
        self.all("account", query(sql::ACCOUNTS)).await?.iter().map(account).collect()
    }

    /// Uses up a TOTP step: a code counts once, even when two requests bring it at the same moment.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) unless the step is later than the one used last.
    pub async fn use_totp_step(&mut self, person: PersonId, step: i64) -> Result<()> {
        self.change_one("code", query(sql::USE_TOTP_STEP).bind(person.to_string()).bind(step)).await
    }

    /// Pins a person's SIM.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when another person has the number.
    pub async fn put_sim(&mut self, sim: &Sim) -> Result<()> {
        let statement = query(sql::PUT_SIM)
            .bind(sim.person.to_string())
            .bind(sim.msisdn.digits().to_owned())
            .bind(sim.certificate.clone())
            .bind(Digest::of(&sim.certificate).to_string())
            .bind(json(&sim.chain.iter().map(hex::encode).collect::<Vec<_>>())?)
            .bind(digest_text(sim.image))
            .bind(micros(sim.at));
        self.change_one("SIM", statement).await
    }

    /// The SIM a person signs with.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn sim(&mut self, person: PersonId) -> Result<Sim> {
        let row = self.one("SIM", query(sql::SIM).bind(person.to_string())).await?;
        let columns = Columns::of("sims", "person_id", &row);
        Ok(Sim {
            person: columns.word("person_id")?,
            msisdn: columns.word("msisdn")?,
            certificate: columns.bytes("certificate")?,
            chain: chain(&columns)?,
            image: columns.word_or_null("image_sha256")?,
            at: columns.time("at")?,
        })
    }

    /// Stores the organisation's certificate.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn put_org_seal(&mut self, seal: &OrgSeal) -> Result<()> {
        let statement = query(sql::PUT_ORG_SEAL)
            .bind(seal.office.to_string())
            .bind(seal.certificate.clone())
            .bind(Digest::of(&seal.certificate).to_string())
            .bind(json(&seal.chain.iter().map(hex::encode).collect::<Vec<_>>())?)
            .bind(digest_text(seal.image));
        self.change_one("seal", statement).await
    }

    /// The organisation's certificate.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn org_seal(&mut self, office: OfficeId) -> Result<OrgSeal> {
        let row = self.one("seal", query(sql::ORG_SEAL).bind(office.to_string())).await?;
        let columns = Columns::of("org_seals", "office_id", &row);
        Ok(OrgSeal {
            office: columns.word("office_id")?,
            certificate: columns.bytes("certificate")?,
            chain: chain(&columns)?,
            image: columns.word_or_null("image_sha256")?,
        })
    }
}

/// The column holds a JSON list of DER in hexadecimal.
fn chain(columns: &Columns<'_>) -> Result<Vec<Vec<u8>>> {
    let list: Vec<String> = columns.json("chain")?;
    list.iter()
        .map(|text| hex::decode(text).map_err(|error| columns.corrupt(format!("chain: {error}"))))
        .collect()
}

fn account(row: &AnyRow) -> Result<Account> {
    let columns = Columns::of("accounts", "person_id", row);
    Ok(Account {
        person: columns.word("person_id")?,
        password_hash: columns.text("password_hash")?,
        totp_secret: columns.bytes_or_null("totp_secret")?,
        last_totp_step: columns.integer("last_totp_step")?,
    })
}
