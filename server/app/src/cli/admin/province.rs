//! The import file: one office after another, with everybody in it. Reading only; [`super::import`] writes rows.
//!
//! ```toml
//! [[office]]                         # cơ quan
//! id = "muong-thanh"                 # within this file
//! name = "Ủy ban nhân dân phường Mường Thanh"
//! short = "UBND"                     # in document symbols
//! code = "000.01.99.H18"             # mã định danh
//! policy = 'profile = "nd30_default"'   # optional; else the server's
//!
//! [[person]]
//! username = "cuong.tq"
//! name = "Trần Quốc Cường"
//! title = "Chủ tịch"
//! office = "muong-thanh"
//! roles = ["leader"]                 # drafter, checker, content_checker, format_checker, clerk, leader, admin, auditor
//! capacities = ["head"]              # a leader's appointment: head, tm, kt, tl, tuq, q; without it, head
//! password = "…"
//! totp_secret = "BASE32"
//! msisdn = "84900000001"             # a leader's SIM: number, certificate, picture of the signature
//! certificate_pem = "/path/sim.pem"
//! signature_png = "/path/signature.png"
//!
//! [seal]                             # con dấu, chữ ký số cơ quan
//! office = "muong-thanh"
//! certificate_pem = "/path/seal.pem"
//! image_png = "/path/seal.png"
//! ```
//!
//! `[[unit]]`, `[[register]]`, `[[chain]]` and `[[recipient]]` describe the office for its people's forms: they are checked
//! ([`super::forms`]) and offered at `GET /v1/office/forms`. A register whose `first` is above 1 begins there, in the year of
//! the import: numbers before it were given on paper. `[trust]` says whom the settings must name, and is only compared.
//! Relative paths are relative to the file.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use trinhky_domain::paper::Capacity;
use trinhky_domain::people::Role;
use trinhky_domain::policy::Profile;
use trinhky_domain::signing::Msisdn;

use super::forms;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Province {
    #[serde(default)]
    pub(super) office: Vec<Office>,
    #[serde(default)]
    pub(super) person: Vec<Person>,
    pub(super) seal: Option<Seal>,
    #[serde(default)]
    pub(super) unit: Vec<forms::Unit>,
    #[serde(default)]
    pub(super) register: Vec<forms::Register>,
    #[serde(default)]
    pub(super) chain: Vec<forms::Chain>,
    #[serde(default)]
    pub(super) recipient: Vec<forms::Recipient>,
    pub(super) trust: Option<forms::Trust>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Office {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) short: String,
    pub(super) code: String,
    #[serde(default)]
    pub(super) policy: String,
    #[serde(default)]
    pub(super) place: String,
    #[serde(default)]
    pub(super) email: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub(super) username: String,
    pub(super) name: String,
    pub(super) title: String,
    pub(super) office: String,
    pub(super) roles: Vec<String>,
    #[serde(default)]
    pub(super) capacities: Vec<Capacity>,
    pub(super) password: String,
    pub(super) totp_secret: String,
    pub(super) msisdn: Option<Msisdn>,
    pub(super) certificate_pem: Option<PathBuf>,
    pub(super) signature_png: Option<PathBuf>,
    #[serde(default)]
    pub(super) unit: String,
    #[serde(default)]
    pub(super) email: String,
}

/// A password must not reach a log by way of `{:?}`.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("username", &self.username).finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seal {
    pub(super) office: String,
    pub(super) certificate_pem: PathBuf,
    #[serde(default)]
    pub(super) image_png: Option<PathBuf>,
    #[serde(default)]
    pub(super) chain_pem: Option<PathBuf>,
    #[serde(default)]
    pub(super) holder: Option<String>,
}

impl Province {
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let base = file.parent().unwrap_or(Path::new("."));
        Self::parse(&text, base).with_context(|| file.display().to_string())
    }

    fn parse(text: &str, base: &Path) -> anyhow::Result<Self> {
        let mut province: Self = toml::from_str(text)?;
        province.check()?;
        let absolute = |path: &mut PathBuf| *path = base.join(&*path);
        for person in &mut province.person {
            person.certificate_pem.as_mut().map(absolute);
            person.signature_png.as_mut().map(absolute);
        }
        if let Some(seal) = &mut province.seal {
            absolute(&mut seal.certificate_pem);
            seal.image_png.as_mut().map(absolute);
            seal.chain_pem.as_mut().map(absolute);
        }
        if let Some(trust) = &mut province.trust {
            trust.roots_pem.as_mut().map(absolute);
            trust.chain_pem.as_mut().map(absolute);
        }
        Ok(province)
    }

    fn check(&self) -> anyhow::Result<()> {
        let mut offices = HashSet::new();
        for office in &self.office {
            ensure!(offices.insert(office.id.as_str()), "office {:?} stands there twice", office.id);
            Profile::parse(&office.policy).with_context(|| format!("office {:?}", office.id))?;
        }
        let mut names = HashSet::new();
        for person in &self.person {
            let who = || format!("person {:?}", person.username);
            ensure!(names.insert(person.username.as_str()), "{} stands there twice", who());
            ensure!(
                person.username == person.username.to_lowercase() && !person.username.trim().is_empty(),
                "{}: a username is lower case and not empty",
                who()
            );
            ensure!(offices.contains(person.office.as_str()), "{}: no office {:?}", who(), person.office);
            ensure!(crate::auth::totp::from_base32(&person.totp_secret).is_some(), "{}: totp_secret", who());
            person.roles().with_context(who)?;
            ensure!(
                person.msisdn.is_some() == person.certificate_pem.is_some(),
                "{}: a SIM has both msisdn and certificate_pem",
                who()
            );
        }
        if let Some(seal) = &self.seal
            && !offices.contains(seal.office.as_str())
        {
            bail!("[seal]: no office {:?}", seal.office);
        }
        forms::check(self)
    }
}

impl Person {
    /// `checker` is both checks.
    pub(super) fn roles(&self) -> anyhow::Result<Vec<Role>> {
        let mut roles = Vec::new();
        for word in &self.roles {
            match word.as_str() {
                "checker" => roles.extend([Role::ContentChecker, Role::FormatChecker]),
                word => roles.push(word.parse()?),
            }
        }
        roles.sort_unstable();
        roles.dedup();
        Ok(roles)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use trinhky_domain::policy::SeriesRule;

    use super::*;

    const LEAST: &str = r#"
[[office]]
id = "mt"
name = "Ủy ban nhân dân phường Mường Thanh"
short = "UBND"
code = "000.01.99.H18"
[[person]]
username = "cuong.tq"
name = "Trần Quốc Cường"
title = "Chủ tịch"
office = "mt"
roles = ["leader", "checker"]
password = "x"
totp_secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
msisdn = "84900000001"
certificate_pem = "sim.pem"
"#;

    #[test]
    fn a_person_is_read_with_roles_and_paths() {
        let province = Province::parse(LEAST, Path::new("/srv")).expect("reads");
        let person = &province.person[0];
        assert_eq!(person.roles().expect("roles"), [Role::ContentChecker, Role::FormatChecker, Role::Leader]);
        assert_eq!(person.certificate_pem.as_deref(), Some(Path::new("/srv/sim.pem")));
        assert!(!format!("{province:?}").contains("GEZDG"));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        for (from, to, said) in [
            ("office = \"mt\"", "office = \"xx\"", "cuong.tq"),
            ("\"checker\"", "\"king\"", "king"),
            ("GEZDG", "GE1!", "totp_secret"),
            ("certificate_pem", "signature_png", "msisdn"),
            ("cuong.tq", "Cuong.TQ", "lower case"),
            ("title = \"Chủ tịch\"", "title = \"Chủ tịch\"\nunit = \"ld\"", "unit: no [[unit]] \"ld\""),
            ("title =", "tittle =", "tittle"),
            ("code =", "policy = \"numbring = 1\"\ncode =", "numbring"),
        ] {
            let error = Province::parse(&LEAST.replace(from, to), Path::new("/")).expect_err(to);
            assert!(format!("{error:#}").contains(said), "{error:#}");
        }
    }

    #[test]
    fn what_describes_the_office_must_fit_its_people() {
        let office = |tables: &str| Province::parse(&format!("{LEAST}{tables}"), Path::new("/"));
        let register = "[[register]]\nid = \"qd\"\noffice = \"mt\"\nkind = \"Quyết định\"\nname = \"Sổ\"\nsymbol = \"{number}/QĐ-UBND\"\n";
        let chain = "[[chain]]\nid = \"c\"\noffice = \"mt\"\nname = \"Trình\"\ncontent = \"cuong.tq\"\nsigners = [\"cuong.tq\"]\n";
        let seal = "[seal]\noffice = \"mt\"\ncertificate_pem = \"s.pem\"\nholder = \"cuong.tq\"\n";
        office(&format!("{register}{chain}")).expect("fits");
        for (tables, said) in [
            (register.replace("Quyết định", "Quyết nghị"), "kind"),
            (register.replace("QĐ-UBND", "QD-UBND"), "symbol"),
            (format!("{register}first = 0\n"), "first"),
            (format!("{register}{register}"), "twice"),
            (chain.replace("[\"cuong.tq\"]", "[\"ai.do\"]"), "ai.do"),
            (chain.replace("[\"cuong.tq\"]", "[]"), "signers"),
            (chain.replace("\"mt\"", "\"xx\""), "office"),
            (seal.to_owned(), "clerk"),
        ] {
            let error = office(&tables).expect_err(&tables);
            assert!(format!("{error:#}").contains(said), "{error:#}");
        }
    }

    #[test]
    fn registers_of_one_book_begin_with_one_number() {
        let register = |kind: &str, abbreviation: &str, first: u32| {
            format!(
                "[[register]]\nid = \"{abbreviation}\"\noffice = \"mt\"\nkind = \"{kind}\"\nname = \"Sổ\"\n\
                 symbol = \"{{number}}/{abbreviation}-UBND\"\nfirst = {first}\n"
            )
        };
        let both = |one, other| {
            let tables = [register("Quyết định", "QĐ", one), register("Thông báo", "TB", other)].concat();
            Province::parse(&format!("{LEAST}{tables}"), Path::new("/")).expect("fits")
        };
        let begins = |province: &Province, rule| {
            let books = forms::books(province, &HashMap::from([("mt", rule)]));
            books.map(|books| books.into_values().collect::<Vec<_>>())
        };
        assert_eq!(begins(&both(30, 30), SeriesRule::One).expect("one book"), [29]);
        assert_eq!(begins(&both(30, 8), SeriesRule::PerType).expect("two books"), [29, 7]);
        let error = begins(&both(30, 8), SeriesRule::One).expect_err("one book cannot begin twice");
        assert!(format!("{error:#}").contains("one book"), "{error:#}");
    }
}
