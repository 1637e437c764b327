//! X.509 certificates and CRLs, written by hand (RFC 5280): one builder for every profile of the province.
//!
//! Not a general library: it writes what a Vietnamese office's certificates look like (`UTF8String` names with diacritics,
//! digitalSignature + nonRepudiation, OCSP and caIssuers addresses, CRL distribution point) and the broken ones that tests need.

use anyhow::Result;
use time::OffsetDateTime;

use crate::{
    der::{self, tag},
    keys::Key,
};

/// Object identifiers of extensions and purposes.
mod oids {
    pub(super) const AUTHORITY_INFO: &str = "1.3.6.1.5.5.7.1.1";
    pub(super) const AUTHORITY_KEY: &str = "2.5.29.35";
    pub(super) const BASIC_CONSTRAINTS: &str = "2.5.29.19";
    pub(super) const CRL_NUMBER: &str = "2.5.29.20";
    pub(super) const CRL_POINTS: &str = "2.5.29.31";
    pub(super) const EXTENDED_USAGE: &str = "2.5.29.37";
    pub(super) const KEY_USAGE: &str = "2.5.29.15";
    pub(super) const OCSP_NOCHECK: &str = "1.3.6.1.5.5.7.48.1.5";
    pub(super) const POLICIES: &str = "2.5.29.32";
    pub(super) const REASON: &str = "2.5.29.21";
    pub(super) const SUBJECT_ALT: &str = "2.5.29.17";
    pub(super) const SUBJECT_KEY: &str = "2.5.29.14";
}

/// id-kp-documentSigning (RFC 9336).
pub(crate) const DOCUMENT_SIGNING: &str = "1.3.6.1.5.5.7.3.36";
/// id-kp-emailProtection.
pub(crate) const EMAIL_PROTECTION: &str = "1.3.6.1.5.5.7.3.4";
/// id-kp-OCSPSigning.
pub(crate) const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";
/// id-kp-timeStamping.
pub(crate) const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";
/// id-kp-serverAuth.
pub(crate) const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
/// id-kp-clientAuth.
pub(crate) const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";

/// A distinguished name; every value a `UTF8String` except the country.
#[derive(Debug, Clone, Default)]
pub(crate) struct Name(Vec<(&'static str, String)>);

impl Name {
    /// `C=VN` and what follows, most general first.
    pub(crate) fn vietnam() -> Self {
        Self(vec![("2.5.4.6", "VN".into())])
    }

    pub(crate) fn locality(self, text: &str) -> Self {
        self.with("2.5.4.7", text)
    }

    pub(crate) fn organisation(self, text: &str) -> Self {
        self.with("2.5.4.10", text)
    }

    pub(crate) fn unit(self, text: &str) -> Self {
        self.with("2.5.4.11", text)
    }

    pub(crate) fn title(self, text: &str) -> Self {
        self.with("2.5.4.12", text)
    }

    pub(crate) fn common(self, text: &str) -> Self {
        self.with("2.5.4.3", text)
    }

    fn with(mut self, oid: &'static str, text: &str) -> Self {
        self.0.push((oid, text.into()));
        self
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        let parts: Vec<Vec<u8>> = self
            .0
            .iter()
            .map(|(oid, text)| {
                let value = if *oid == "2.5.4.6" {
                    der::tlv(tag::PRINTABLE_STRING, text.as_bytes())
                } else {
                    der::utf8(text)
                };
                der::set_of(vec![der::seq(&[der::oid(oid), value])])
            })
            .collect();
        der::seq(&parts)
    }
}

/// From when to when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Validity {
    pub(crate) from: OffsetDateTime,
    pub(crate) to: OffsetDateTime,
}

/// Where relying parties find status and issuer of what an authority issued.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    pub(crate) ocsp: String,
    pub(crate) issuer: String,
    pub(crate) crl: String,
}

/// A certification authority: its key, its certificate and where its status services are.
pub(crate) struct Authority {
    pub(crate) key: Key,
    pub(crate) certificate: Vec<u8>,
    pub(crate) name: Vec<u8>,
    pub(crate) addresses: Addresses,
}

/// What a certificate is for; decides its extensions.
#[derive(Debug, Clone)]
pub(crate) enum Profile {
    /// A CA that may issue CAs (`path: None`) or only end entities (`path: Some(0)`).
    Authority { path: Option<u8> },
    /// A person or an organisation that signs documents.
    Signer { email: String },
    /// A delegated OCSP responder: id-pkix-ocsp-nocheck, no status address.
    OcspResponder,
    /// A time-stamping authority: timeStamping only and critical (RFC 3161 2.3).
    TimeStamping,
    /// TLS server on loopback.
    TlsServer,
    /// TLS client (the application provider's certificate).
    TlsClient,
}

/// Issues a certificate under `issuer` for the holder of `key`.
pub(crate) fn issue(
    issuer: &Authority,
    subject: &Name,
    key: &Key,
    serial: &[u8],
    validity: Validity,
    profile: &Profile,
) -> Result<Vec<u8>> {
    let extensions = extensions(Some(issuer), key, profile);
    assemble(&issuer.key, &issuer.name, &subject.der(), key, serial, validity, &extensions)
}

/// Issues for a new key what an earlier signer's certificate said of its holder.
pub(crate) fn renew(
    issuer: &Authority,
    old: &[u8],
    key: &Key,
    serial: &[u8],
    validity: Validity,
) -> Result<Vec<u8>> {
    let mut body = der::Reader::new(old).sequence()?.sequence()?;
    body.expect(0xa0)?;
    body.expect(tag::INTEGER)?;
    for _ in ["signature", "issuer", "validity"] {
        body.expect(tag::SEQUENCE)?;
    }
    let subject = body.expect(tag::SEQUENCE)?.whole.to_vec();
    let extensions =
        extensions(Some(issuer), key, &Profile::Signer { email: "moi@muongthanh.example".into() });
    assemble(&issuer.key, &issuer.name, &subject, key, serial, validity, &extensions)
}

/// A self-signed root.
pub(crate) fn root(subject: &Name, key: &Key, serial: &[u8], validity: Validity) -> Result<Vec<u8>> {
    let extensions = extensions(None, key, &Profile::Authority { path: None });
    assemble(key, &subject.der(), &subject.der(), key, serial, validity, &extensions)
}

fn assemble(
    signer: &Key,
    issuer_name: &[u8],
    subject: &[u8],
    key: &Key,
    serial: &[u8],
    validity: Validity,
    extensions: &[Vec<u8>],
) -> Result<Vec<u8>> {
    let body = der::seq(&[
        der::context(0, &[der::int(2)]),
        der::uint(serial),
        signer.signature_algorithm(),
        issuer_name.to_vec(),
        der::seq(&[der::time(validity.from), der::time(validity.to)]),
        subject.to_vec(),
        key.spki(),
        der::context(3, &[der::seq(extensions)]),
    ]);
    let signature = signer.sign(&body)?;
    Ok(der::seq(&[body, signer.signature_algorithm(), der::bits(&signature)]))
}

fn extensions(issuer: Option<&Authority>, key: &Key, profile: &Profile) -> Vec<Vec<u8>> {
    let mut list = vec![extension(oids::SUBJECT_KEY, false, &der::octets(&key.identifier()))];
    if let Some(issuer) = issuer {
        list.push(authority_key(&issuer.key));
    }
    // Bits from the left: digitalSignature 0, nonRepudiation 1, keyCertSign 5, cRLSign 6.
    let mut usage = |unused: u8, bits: u8| {
        list.push(extension(oids::KEY_USAGE, true, &der::tlv(tag::BIT_STRING, &[unused, bits])));
    };
    match profile {
        Profile::Authority { .. } => usage(1, 0b0000_0110),
        Profile::Signer { .. } | Profile::TimeStamping => usage(6, 0b1100_0000),
        Profile::OcspResponder | Profile::TlsServer | Profile::TlsClient => usage(7, 0b1000_0000),
    }
    match profile {
        Profile::Authority { path } => {
            let mut constraints = vec![der::yes()];
            constraints.extend(path.map(|length| der::int(length.into())));
            list.push(extension(oids::BASIC_CONSTRAINTS, true, &der::seq(&constraints)));
            // anyPolicy: the leaf names the policy it was issued under.
            list.push(extension(oids::POLICIES, false, &der::seq(&[der::seq(&[der::oid("2.5.29.32.0")])])));
        }
        Profile::Signer { email } => {
            list.push(extended_usage(false, &[EMAIL_PROTECTION, DOCUMENT_SIGNING]));
            list.push(extension(
                oids::SUBJECT_ALT,
                false,
                &der::seq(&[der::context_primitive(1, email.as_bytes())]),
            ));
            // 2.999 is the arc that X.660 reserves for examples.
            list.push(extension(oids::POLICIES, false, &der::seq(&[der::seq(&[der::oid("2.999.30.1")])])));
        }
        Profile::OcspResponder => {
            list.push(extended_usage(false, &[OCSP_SIGNING]));
            list.push(extension(oids::OCSP_NOCHECK, false, &der::null()));
        }
        Profile::TimeStamping => list.push(extended_usage(true, &[TIME_STAMPING])),
        Profile::TlsServer => {
            list.push(extended_usage(false, &[SERVER_AUTH]));
            let names = [
                der::context_primitive(2, b"localhost"),
                der::context_primitive(7, &[127, 0, 0, 1]),
                der::context_primitive(7, &std::net::Ipv6Addr::LOCALHOST.octets()),
            ];
            list.push(extension(oids::SUBJECT_ALT, false, &der::seq(&names)));
        }
        Profile::TlsClient => list.push(extended_usage(false, &[CLIENT_AUTH])),
    }
    let has_status =
        matches!(profile, Profile::Authority { .. } | Profile::Signer { .. } | Profile::TimeStamping);
    if let Some(issuer) = issuer.filter(|_| has_status) {
        list.extend(status_addresses(&issuer.addresses));
    }
    list
}

fn status_addresses(addresses: &Addresses) -> [Vec<u8>; 2] {
    let access =
        |method: &str, url: &str| der::seq(&[der::oid(method), der::context_primitive(6, url.as_bytes())]);
    let information = der::seq(&[
        access("1.3.6.1.5.5.7.48.1", &addresses.ocsp),
        access("1.3.6.1.5.5.7.48.2", &addresses.issuer),
    ]);
    let full_name = der::context(0, &[der::context_primitive(6, addresses.crl.as_bytes())]);
    let points = der::seq(&[der::seq(&[der::context(0, &[full_name])])]);
    [extension(oids::AUTHORITY_INFO, false, &information), extension(oids::CRL_POINTS, false, &points)]
}

fn authority_key(key: &Key) -> Vec<u8> {
    extension(oids::AUTHORITY_KEY, false, &der::seq(&[der::context_primitive(0, &key.identifier())]))
}

fn extended_usage(critical: bool, purposes: &[&str]) -> Vec<u8> {
    let list: Vec<Vec<u8>> = purposes.iter().map(|purpose| der::oid(purpose)).collect();
    extension(oids::EXTENDED_USAGE, critical, &der::seq(&list))
}

/// One `Extension`; shared with CRLs and OCSP answers.
pub(crate) fn extension(oid: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![der::oid(oid)];
    if critical {
        parts.push(der::yes());
    }
    parts.push(der::octets(value));
    der::seq(&parts)
}

/// One revoked certificate.
#[derive(Debug, Clone)]
pub(crate) struct Revoked {
    pub(crate) serial: Vec<u8>,
    pub(crate) at: OffsetDateTime,
    /// `CRLReason` (RFC 5280 5.3.1); 1 is keyCompromise.
    pub(crate) reason: u8,
}

/// A complete CRL of one authority (RFC 5280 5).
pub(crate) fn crl(
    issuer: &Authority,
    revoked: &[Revoked],
    number: u64,
    validity: Validity,
) -> Result<Vec<u8>> {
    let mut parts = vec![
        der::int(1),
        issuer.key.signature_algorithm(),
        issuer.name.clone(),
        der::time(validity.from),
        der::time(validity.to),
    ];
    if !revoked.is_empty() {
        let entries: Vec<Vec<u8>> = revoked
            .iter()
            .map(|entry| {
                let reason = extension(oids::REASON, false, &der::tlv(tag::ENUMERATED, &[entry.reason]));
                der::seq(&[der::uint(&entry.serial), der::time(entry.at), der::seq(&[reason])])
            })
            .collect();
        parts.push(der::seq(&entries));
    }
    let extensions =
        der::seq(&[authority_key(&issuer.key), extension(oids::CRL_NUMBER, false, &der::int(number))]);
    parts.push(der::context(0, &[extensions]));
    let body = der::seq(&parts);
    let signature = issuer.key.sign(&body)?;
    Ok(der::seq(&[body, issuer.key.signature_algorithm(), der::bits(&signature)]))
}

/// Serial number and issuer name of a certificate: what `ESSCertIDv2`, OCSP and `SignerInfo` need.
pub(crate) struct Identity {
    pub(crate) serial: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
}

/// Reads both from a certificate that this world issued.
pub(crate) fn identity(certificate: &[u8]) -> Result<Identity, der::Malformed> {
    let mut body = der::Reader::new(certificate).sequence()?.sequence()?;
    body.expect(0xa0)?;
    let serial = body.expect(tag::INTEGER)?.body.to_vec();
    body.expect(tag::SEQUENCE)?;
    let issuer = body.expect(tag::SEQUENCE)?.whole.to_vec();
    Ok(Identity { serial, issuer })
}

/// Reads the validity of a certificate that this world issued.
pub(crate) fn validity(certificate: &[u8]) -> Result<Validity> {
    let mut body = der::Reader::new(certificate).sequence()?.sequence()?;
    body.expect(0xa0)?;
    body.expect(tag::INTEGER)?;
    body.expect(tag::SEQUENCE)?;
    body.expect(tag::SEQUENCE)?;
    let mut times = body.sequence()?;
    Ok(Validity { from: instant(times.any()?)?, to: instant(times.any()?)? })
}

fn instant(element: der::Element<'_>) -> Result<OffsetDateTime> {
    let digits = std::str::from_utf8(element.body)?;
    let full = match element.tag {
        tag::UTC_TIME => format!("20{digits}"),
        _ => digits.to_owned(),
    };
    let format = time::macros::format_description!("[year][month][day][hour][minute][second]Z");
    Ok(time::PrimitiveDateTime::parse(&full, format)?.assume_utc())
}
