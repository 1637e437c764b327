//! What describes an office for its people's forms: units, registers, chains, recipients; and whom the settings must trust.
//! Checked against the people of the file, the rules and the settings, so that an import that succeeds is one that fits. The
//! forms are kept as `GET /v1/office/forms` offers them; a register that begins with a number above 1 begins there.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use anyhow::{Context, ensure};
use serde::Deserialize;
use trinhky_domain::email::EmailAddress;
use trinhky_domain::ids::PersonId;
use trinhky_domain::paper::{DocumentType, Family};
use trinhky_domain::people::Role;
use trinhky_domain::policy::SeriesRule;
use trinhky_domain::register::Series;
use trinhky_protos::office::{
    ChainFormView, OfficeFormsView, RecipientFormView, RegisterFormView, UnitFormView, UnitPersonView,
};

use super::import::certificates;
use super::province::{Office, Province};
use crate::app::App;

/// `[[unit]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unit {
    id: String,
    office: String,
    name: String,
}

/// `[[register]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Register {
    id: String,
    office: String,
    /// Loại văn bản, in words.
    kind: String,
    name: String,
    /// The grammar of số, ký hiệu.
    symbol: String,
    #[serde(default = "first")]
    first: u32,
}

const fn first() -> u32 {
    1
}

/// `[[chain]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chain {
    id: String,
    office: String,
    name: String,
    content: Option<String>,
    format: Option<String>,
    signers: Vec<String>,
}

/// `[[recipient]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipient {
    id: String,
    name: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    email: String,
}

/// `[trust]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trust {
    pub(super) roots_pem: Option<PathBuf>,
    pub(super) chain_pem: Option<PathBuf>,
    tsa_url: Option<String>,
    ocsp_url: Option<String>,
}

/// Mã định danh, QCVN 102 C4.3.
const LONGEST_CODE: usize = 35;

/// What the file says by itself.
///
/// # Errors
/// The first entry that does not fit, by table, id and key, with what to do.
pub(super) fn check(province: &Province) -> anyhow::Result<()> {
    units(province)?;
    let mut ids = HashSet::new();
    for register in &province.register {
        let place = || format!("[[register]] {:?}", register.id);
        ensure!(ids.insert(&register.id), "{} stands there twice: give it another id", place());
        is_register(province, register).with_context(place)?;
    }
    let mut ids = HashSet::new();
    for chain in &province.chain {
        let place = || format!("[[chain]] {:?}", chain.id);
        ensure!(ids.insert(&chain.id), "{} stands there twice: give it another id", place());
        is_chain(province, chain).with_context(place)?;
    }
    let mut ids = HashSet::new();
    for recipient in &province.recipient {
        let place = || format!("[[recipient]] {:?}", recipient.id);
        ensure!(ids.insert(&recipient.id), "{} stands there twice: give it another id", place());
        is_named(&recipient.name).with_context(place)?;
        let fits = |code: &String| !code.is_empty() && code.chars().count() <= LONGEST_CODE;
        let code = recipient.code.as_ref().is_none_or(fits);
        let email = recipient.email.is_empty() || recipient.email.parse::<EmailAddress>().is_ok();
        ensure!(email, "{} email: {:?} is no mailbox; correct it or leave it out", place(), recipient.email);
        ensure!(code, "{} code: give a mã định danh of at most {LONGEST_CODE} characters, or none", place());
    }
    if let Some(seal) = &province.seal
        && let Some(holder) = &seal.holder
    {
        has_role(province, holder, Role::Clerk, &seal.office).context("[seal] holder")?;
    }
    Ok(())
}

/// What the file says about the settings: whom they trust and whom they ask.
///
/// # Errors
/// What the settings lack, with the key to change.
pub(super) fn check_trust(trust: &Trust, app: &App) -> anyhow::Result<()> {
    if let Some(path) = &trust.roots_pem {
        for root in certificates(path).context("[trust] roots_pem")? {
            let known = app.trust.anchors.iter().any(|anchor| anchor.as_der() == root.as_der());
            let name = root.subject().common_name().unwrap_or_default();
            ensure!(
                known,
                "[trust] roots_pem: {name:?} is not trusted; add {} to [trust] roots of the settings",
                path.display()
            );
        }
    }
    if let Some(path) = &trust.chain_pem {
        for issuer in certificates(path).context("[trust] chain_pem")? {
            let known = app.trust.intermediates.iter().any(|one| one.as_der() == issuer.as_der());
            let name = issuer.subject().common_name().unwrap_or_default();
            ensure!(
                known,
                "[trust] chain_pem: {name:?} is not known; add {} to [trust] intermediates of the settings",
                path.display()
            );
        }
    }
    if let Some(url) = &trust.tsa_url {
        let asked = &app.config.tsa.url;
        ensure!(
            url == asked,
            "[trust] tsa_url: the settings ask {asked}; change [tsa] url there, or this line"
        );
    }
    if let Some(url) = &trust.ocsp_url {
        let host =
            url.split_once("://").map_or(url.as_str(), |(_, rest)| rest.split('/').next().unwrap_or(rest));
        let allowed = app.config.revocation.allow.iter().any(|allowed| allowed == host);
        ensure!(allowed, "[trust] ocsp_url: add {host:?} to [revocation] allow of the settings");
    }
    Ok(())
}

/// Where a book begins, by office and series: the number before the first one to be given here. `rules` say how each office
/// divides its numbers into books: registers of one series are one book, whatever they are called.
///
/// # Errors
/// Two registers of one book that begin with different numbers.
pub(super) fn books<'a>(
    province: &'a Province,
    rules: &HashMap<&str, SeriesRule>,
) -> anyhow::Result<BTreeMap<(&'a str, Series), u32>> {
    let mut books = BTreeMap::new();
    for register in &province.register {
        let office = register.office.as_str();
        let rule = *rules.get(office).context("office")?;
        let series = Series::of(Family::Administrative, kind(register)?, rule, None);
        let before = register.first - 1;
        let known = *books.entry((office, series.clone())).or_insert(before);
        ensure!(
            known == before,
            "[[register]] {:?} first: it is one book with another one (the policy's series {series}), which begins with {}; \
             say the same number in both",
            register.id,
            known + 1
        );
    }
    Ok(books)
}

/// What an office offers to choose from. `people` are those of the file, by username.
pub(super) fn offered(
    province: &Province,
    office: &Office,
    people: &HashMap<String, PersonId>,
) -> anyhow::Result<OfficeFormsView> {
    let known = |username: &String| people.get(username).copied().with_context(|| username.clone());
    let optional = |username: &Option<String>| username.as_ref().map(known).transpose();
    let here = |id: &str| id == office.id;
    let registers = province.register.iter().filter(|register| here(&register.office)).map(|register| {
        Ok(RegisterFormView {
            name: register.name.clone(),
            document_type: kind(register)?.abbreviation().unwrap_or_default().to_owned(),
            notation: register.symbol.trim_start_matches("{number}/").to_owned(),
        })
    });
    let chains = province.chain.iter().filter(|chain| here(&chain.office)).map(|chain| {
        Ok(ChainFormView {
            name: chain.name.clone(),
            content_checker: optional(&chain.content)?,
            format_checker: optional(&chain.format)?,
            signers: chain.signers.iter().map(known).collect::<anyhow::Result<_>>()?,
        })
    });
    let recipients = province.recipient.iter().map(|recipient| RecipientFormView {
        name: recipient.name.clone(),
        code: recipient.code.clone(),
        email: Some(recipient.email.clone()).filter(|email| !email.is_empty()),
    });
    let units = province.unit.iter().filter(|unit| here(&unit.office)).map(|unit| {
        let people = province.person.iter().filter(|person| here(&person.office) && person.unit == unit.id);
        let people = people.map(|person| {
            Ok(UnitPersonView {
                person: known(&person.username)?,
                full_name: person.name.clone(),
                title: person.title.clone(),
                email: person.email.clone(),
            })
        });
        let people = people.collect::<anyhow::Result<_>>()?;
        Ok(UnitFormView { id: unit.id.clone(), name: unit.name.clone(), people })
    });
    let seal = province.seal.as_ref().filter(|seal| here(&seal.office));
    Ok(OfficeFormsView {
        place: office.place.clone(),
        email: office.email.clone(),
        clerk: seal.map(|seal| optional(&seal.holder)).transpose()?.flatten(),
        registers: registers.collect::<anyhow::Result<_>>()?,
        chains: chains.collect::<anyhow::Result<_>>()?,
        recipients: recipients.collect(),
        units: units.collect::<anyhow::Result<_>>()?,
    })
}

fn units(province: &Province) -> anyhow::Result<()> {
    let mut ids = HashSet::new();
    for unit in &province.unit {
        let place = || format!("[[unit]] {:?}", unit.id);
        ensure!(ids.insert((&unit.office, &unit.id)), "{} stands there twice: give it another id", place());
        is_office(province, &unit.office).with_context(place)?;
        is_named(&unit.name).with_context(place)?;
    }
    for person in province.person.iter().filter(|person| !person.unit.is_empty()) {
        let (name, unit) = (&person.username, &person.unit);
        let known = ids.contains(&(&person.office, unit));
        ensure!(
            known,
            "[[person]] {name:?} unit: no [[unit]] {unit:?} in office {:?}; add it or correct the id",
            person.office
        );
    }
    Ok(())
}

fn is_register(province: &Province, register: &Register) -> anyhow::Result<()> {
    is_office(province, &register.office)?;
    is_named(&register.name)?;
    let kind = kind(register)?;
    let office = province.office.iter().find(|office| office.id == register.office);
    let short = office.map_or("", |office| office.short.as_str());
    let begins = match kind.abbreviation() {
        Some(abbreviation) => format!("{{number}}/{abbreviation}-{short}"),
        None => format!("{{number}}/{short}-"),
    };
    ensure!(
        register.symbol.starts_with(&begins),
        "symbol: the rules write {begins}…, not {:?}",
        register.symbol
    );
    ensure!(register.first >= 1, "first: the first number to be given here, 1 or above");
    Ok(())
}

fn kind(register: &Register) -> anyhow::Result<DocumentType> {
    let kind = DocumentType::ALL.iter().find(|kind| kind.name() == register.kind);
    kind.copied()
        .with_context(|| format!("kind: {:?} is no loại văn bản (NĐ 30/2020, Phụ lục III)", register.kind))
}

fn is_chain(province: &Province, chain: &Chain) -> anyhow::Result<()> {
    is_office(province, &chain.office)?;
    is_named(&chain.name)?;
    for (key, person, role) in
        [("content", &chain.content, Role::ContentChecker), ("format", &chain.format, Role::FormatChecker)]
    {
        if let Some(person) = person {
            has_role(province, person, role, &chain.office).context(key)?;
        }
    }
    ensure!(!chain.signers.is_empty(), "signers: name at least one leader");
    chain
        .signers
        .iter()
        .try_for_each(|signer| has_role(province, signer, Role::Leader, &chain.office).context("signers"))
}

fn is_office(province: &Province, office: &str) -> anyhow::Result<()> {
    let known = province.office.iter().any(|one| one.id == office);
    ensure!(known, "office: no [[office]] {office:?}; add it or correct the id");
    Ok(())
}

fn is_named(name: &str) -> anyhow::Result<()> {
    ensure!(!name.trim().is_empty(), "name: give one");
    Ok(())
}

fn has_role(province: &Province, username: &str, role: Role, office: &str) -> anyhow::Result<()> {
    let person = province.person.iter().find(|person| person.username == username);
    let person =
        person.with_context(|| format!("no [[person]] {username:?}; add them or correct the username"))?;
    ensure!(person.office == office, "{username:?} is of office {:?}, not {office:?}", person.office);
    let held = person.roles()?.contains(&role);
    ensure!(held, "{username:?} lacks the role {:?}; add it to their roles", role.as_str());
    Ok(())
}
