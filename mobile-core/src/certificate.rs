//! Whose certificate it is: the SIM certificate this device saw at its enrolment, and the person's own.
//!
//! A certificate may be perfectly valid and still be another person's, or the same person's from another SIM. Trust
//! chains and revocation are the server's and the gate's to check; that nobody was exchanged is checked here.

use time::OffsetDateTime;
use trinhky_pades::x509::Certificate;

use crate::error::Error;

/// Reads a certificate that must be valid now and belong to a person of that name.
///
/// # Errors
/// [`Error::CertificateMismatch`] if it names somebody else or cannot be read; [`Error::CertificateExpired`].
pub(crate) fn of_person(der: &[u8], full_name: &str, now: OffsetDateTime) -> Result<Certificate, Error> {
    let certificate = Certificate::from_der(der).map_err(|error| Error::CertificateMismatch {
        why: format!("the certificate cannot be read: {error}"),
    })?;
    let named = certificate.subject().common_name().unwrap_or_default();
    if !same_name(named, full_name) {
        let why = format!("the certificate is of {named:?}, not of {full_name:?}");
        return Err(Error::CertificateMismatch { why });
    }
    if certificate.is_valid_at(now) {
        Ok(certificate)
    } else {
        Err(Error::CertificateExpired {
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
        })
    }
}

/// Whether two texts are one name as people compare them: composed or decomposed letters, capitals and spaces do not tell
/// two people apart, every accent does.
pub fn same_name(one: &str, other: &str) -> bool {
    comparable(one) == comparable(other)
}

fn comparable(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    let lower = name.nfc().collect::<String>().to_lowercase();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_people_do_and_no_further() {
        assert!(same_name("NGUYỄN  VĂN A", "Nguye\u{302}\u{303}n Va\u{306}n A"));
        assert!(!same_name("Nguyễn Văn A", "Nguyễn Văn Á"));
        assert!(!same_name("Nguyễn Văn A", "Nguyen Van A"));
        assert!(!same_name("", "A"));
    }
}
