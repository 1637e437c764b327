//! Certificates that must be refused, each with its key, so that a test can sign with it and see the refusal.

use anyhow::Result;
use time::Duration;

use super::people::OFFICE;
use crate::{
    Fixture, clock,
    keys::KeyKind,
    pki::{
        Holder, Pki,
        certificate::{Name, Validity},
        years,
    },
    vault::Vault,
};

/// Makes them all. The certificates lie in `certs/fixture-NAME.pem`, the keys in `keys/fixture-NAME.p8`.
pub(crate) fn make(vault: &Vault, pki: &Pki) -> Result<Vec<Fixture>> {
    let now = clock::real();
    let subject = |name: &str| Name::vietnam().locality("Điện Biên").organisation(OFFICE).common(name);
    let person = |slug: &str, name: &str, validity| {
        let file = format!("fixture-{slug}");
        pki.person(&file, KeyKind::P256, &subject(name), &format!("{slug}@muongthanh.example"), validity)
    };
    let expired = Validity { from: now - Duration::days(700), to: now - Duration::days(5) };
    let future = Validity { from: now + Duration::days(5), to: now + Duration::days(700) };

    let revoked = person("revoked", "Hoàng Thị Thu Hồi", years(1, 2))?;
    pki.set_revoked(&revoked.certificate, Some((now - Duration::days(1), 1)))?;
    person("expired", "Lê Văn Hết Hạn", expired)?;
    person("not-yet-valid", "Mùa A Chưa Tới", future)?;
    person("other-person", "Bùi Văn Người Khác", years(1, 2))?;
    let stranger: Holder =
        pki.stranger("fixture-wrong-ca", &subject("Trần Quốc Cường"), "cuong.tq@muongthanh.example")?;
    drop(stranger);

    let list = [
        ("revoked", "thu hồi từ hôm qua (keyCompromise)"),
        ("expired", "hết hạn năm ngày trước"),
        ("not-yet-valid", "năm ngày nữa mới có hiệu lực"),
        ("other-person", "hợp lệ, nhưng của người khác"),
        ("wrong-ca", "mang tên Chủ tịch, do một CA không ai tin cấp"),
    ];
    Ok(list
        .into_iter()
        .map(|(slug, why)| Fixture {
            name: slug.into(),
            why: why.into(),
            certificate_pem: vault.certificate_path(&format!("fixture-{slug}")).display().to_string(),
            key_p8: vault.key_path(&format!("fixture-{slug}")).display().to_string(),
        })
        .collect())
}
