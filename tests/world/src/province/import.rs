//! `province.toml`: everything that `trinhky admin import` needs to know this province. The schema stands in its head.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::Result;

use super::people::{OFFICE, Person, Role};
use crate::{keys::pem, mssp::Mssp, vault::Vault};

const HEAD: &str = r"# One office for `trinhky admin import`. Importing twice changes nothing; a changed value is updated by its id.
#
# [[office]]    id, name, short (in document symbols), place (of the place-and-date line), code (edXML), email
# [[unit]]      id, office, name
# [[person]]    username (id), name, title, office, unit, email, roles = drafter|checker|clerk|leader|admin,
#               password and totp_secret (base32, SHA-1, 6 digits, 30 s); leaders also msisdn, certificate_pem
#               (path of the SIM's certificate), signature_png (path)
# [[register]]  id, office, kind (loại văn bản), name, symbol (the grammar of số, ký hiệu; {number} is the number), first
# [[chain]]     id, office, name, content (username), format (username), signers (usernames, in order)
# [[recipient]] id, name, code (edXML), email
# [seal]        office, certificate_pem, chain_pem, image_png, holder (username of the assigned văn thư)
# [trust]       roots_pem, chain_pem (issuing CAs), tsa_url, ocsp_url
# Paths are absolute.

";

/// Paths that the import file names.
pub(crate) struct Paths<'a> {
    pub(crate) roots: &'a str,
    pub(crate) chain: &'a str,
    pub(crate) seal_image: &'a str,
    pub(crate) tsa_url: &'a str,
    pub(crate) ocsp_url: &'a str,
}

/// Writes the file and returns its path.
pub(crate) fn write(vault: &Vault, people: &[Person], mssp: &Mssp, paths: &Paths<'_>) -> Result<PathBuf> {
    let mut out = Toml(HEAD.to_owned());
    out.table(
        "[[office]]",
        &[
            ("id", "muong-thanh"),
            ("name", OFFICE),
            ("short", "UBND"),
            ("place", "Mường Thanh"),
            ("code", "000.01.99.H18"),
            ("email", "vanthu@muongthanh.example"),
        ],
    );
    for (id, name) in [
        ("ld", "Lãnh đạo Ủy ban nhân dân"),
        ("vp", "Văn phòng Hội đồng nhân dân và Ủy ban nhân dân"),
        ("kt", "Phòng Kinh tế, Hạ tầng và Đô thị"),
    ] {
        out.table("[[unit]]", &[("id", id), ("office", "muong-thanh"), ("name", name)]);
    }
    for person in people {
        out.person(vault, person, mssp)?;
    }
    for (id, kind, name, symbol) in [
        ("quyet-dinh", "Quyết định", "Sổ đăng ký quyết định", "{number}/QĐ-UBND"),
        ("cong-van", "Công văn", "Sổ đăng ký công văn", "{number}/UBND-VP"),
        ("thong-bao", "Thông báo", "Sổ đăng ký thông báo", "{number}/TB-UBND"),
    ] {
        out.table(
            "[[register]]",
            &[("id", id), ("office", "muong-thanh"), ("kind", kind), ("name", name), ("symbol", symbol)],
        );
        out.0.push_str("first = 1\n");
    }
    out.table(
        "[[chain]]",
        &[
            ("id", "thuong"),
            ("office", "muong-thanh"),
            ("name", "Trình Chủ tịch"),
            ("content", "duc.nh"),
            ("format", "anh.vn"),
        ],
    );
    out.0.push_str("signers = [\"cuong.tq\"]\n");
    for (id, name, code) in [
        ("so-noi-vu", "Sở Nội vụ tỉnh Tưởng Tượng", "000.02.99.H18"),
        ("so-tai-chinh", "Sở Tài chính tỉnh Tưởng Tượng", "000.03.99.H18"),
    ] {
        out.table(
            "[[recipient]]",
            &[("id", id), ("name", name), ("code", code), ("email", &format!("vanthu@{id}.example"))],
        );
    }
    out.table(
        "[seal]",
        &[
            ("office", "muong-thanh"),
            ("certificate_pem", &vault.certificate_path("seal").display().to_string()),
            ("chain_pem", paths.chain),
            ("image_png", paths.seal_image),
            ("holder", "thuy.qv"),
        ],
    );
    out.table(
        "[trust]",
        &[
            ("roots_pem", paths.roots),
            ("chain_pem", paths.chain),
            ("tsa_url", paths.tsa_url),
            ("ocsp_url", paths.ocsp_url),
        ],
    );
    vault.file("province.toml", out.0.as_bytes())
}

/// TOML text in the making.
struct Toml(String);

impl Toml {
    fn table(&mut self, header: &str, pairs: &[(&str, &str)]) {
        self.0.push('\n');
        self.0.push_str(header);
        self.0.push('\n');
        for (key, value) in pairs {
            self.pair(key, value);
        }
    }

    fn pair(&mut self, key: &str, value: &str) {
        // A JSON string is a TOML basic string.
        let quoted = serde_json::Value::from(value).to_string();
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{key} = {quoted}");
    }

    fn person(&mut self, vault: &Vault, person: &Person, mssp: &Mssp) -> Result<()> {
        self.table(
            "[[person]]",
            &[
                ("username", &person.username),
                ("name", &person.name),
                ("title", &person.title),
                ("office", "muong-thanh"),
                ("unit", person.unit),
                ("email", &person.email()),
                ("password", &person.password()),
                ("totp_secret", &person.totp_secret()),
            ],
        );
        let roles: Vec<&str> = person.roles.iter().copied().map(Role::word).collect();
        let _ = writeln!(self.0, "roles = {}", serde_json::Value::from(roles));
        if let Some((msisdn, _)) = &person.sim
            && let Some(sim) = mssp.sim(msisdn)
        {
            let certificate = vault.file(
                &format!("certs/sim-{msisdn}-now.pem"),
                pem("CERTIFICATE", &sim.holder().certificate).as_bytes(),
            )?;
            self.pair("msisdn", msisdn);
            self.pair("certificate_pem", &certificate.display().to_string());
            self.pair("signature_png", &vault.dir().join(person.signature_file()).display().to_string());
        }
        Ok(())
    }
}
