//! The CMS inside `/Contents` and the questions about it that need no trust (EN 319 102-1, 5.2.2, 5.2.7, 5.2.8;
//! ETSI EN 319 142-1, 6.3).

use time::OffsetDateTime;

use super::{report::SubIndication, structure::Located};
use crate::{
    cms::{self, EssCheck, Finding, SignedMessage, Signer},
    crypto::{CryptoError, HashAlgorithm, Provider, Weakness},
    oid,
    tsp::{CheckedToken, Token},
    x509::Certificate,
};

/// What `/Contents` holds.
pub(super) enum Content {
    /// A signature over the byte range.
    Detached(Box<SignedMessage>),
    /// `adbe.pkcs7.sha1`: a signature over the SHA-1 of the byte range.
    OverSha1(Box<SignedMessage>),
    /// A time stamp over the byte range.
    Stamp(Box<Token>),
    /// Nothing that can be judged; the code says why.
    Unusable(&'static str),
}

/// What the CMS itself says, trust aside.
pub(super) struct Judged {
    /// The signer's certificate.
    pub(super) certificate: Option<Certificate>,
    /// Further certificates of the message.
    pub(super) certificates: Vec<Certificate>,
    /// Whether the covered bytes have the digest that was signed; `None` if it cannot be told.
    pub(super) digest_ok: Option<bool>,
    /// What is wrong with form, attributes or value: code and sub-indication.
    pub(super) problem: Option<(&'static str, SubIndication)>,
    /// Algorithms and keys without assurance.
    pub(super) weaknesses: Vec<Weakness>,
    /// Whether it has what PAdES baseline asks of the CMS.
    pub(super) baseline: bool,
    /// Signing time attribute.
    pub(super) claimed_time: Option<OffsetDateTime>,
    /// Whether it is a document time stamp.
    pub(super) is_stamp: bool,
    /// Time stamp of a document time stamp, checked but for trust.
    pub(super) stamp: Option<CheckedToken>,
    /// The time stamps inside a signature, each checked but for trust, or why it is none.
    pub(super) inner_stamps: Vec<Result<CheckedToken, &'static str>>,
}

/// Reads what `/Contents` holds.
pub(super) fn read(located: &Located) -> Content {
    if located.contents.is_empty() {
        return Content::Unusable("contents_empty");
    }
    match located.sub_filter().as_str() {
        "ETSI.RFC3161" => match Token::parse(&located.contents) {
            Ok(token) => Content::Stamp(Box::new(token)),
            Err(_) => Content::Unusable("timestamp_malformed"),
        },
        filter @ ("ETSI.CAdES.detached" | "PBAD.PAdES" | "adbe.pkcs7.detached" | "adbe.pkcs7.sha1") => {
            match cms::parse(&located.contents) {
                Ok(message) if filter == "adbe.pkcs7.sha1" => Content::OverSha1(Box::new(message)),
                Ok(message) => Content::Detached(Box::new(message)),
                Err(_) => Content::Unusable("cms_malformed"),
            }
        }
        _ => Content::Unusable("sub_filter_unknown"),
    }
}

impl Content {
    /// With which function the byte range is to be digested.
    pub(super) fn algorithm(&self) -> Option<HashAlgorithm> {
        match self {
            Self::Detached(message) => message.signers.first()?.digest_algorithm,
            Self::OverSha1(_) => Some(HashAlgorithm::Sha1),
            Self::Stamp(token) => Some(token.imprint_algorithm()),
            Self::Unusable(_) => None,
        }
    }

    /// How many bytes of `/Contents` it takes; the rest must be zeros.
    pub(super) fn consumed(&self) -> usize {
        match self {
            Self::Detached(message) | Self::OverSha1(message) => message.consumed,
            Self::Stamp(token) => token.consumed(),
            Self::Unusable(_) => 0,
        }
    }

    /// The CRLs and OCSP responses it carries.
    pub(super) fn revocation(&self) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let message = match self {
            Self::Detached(message) | Self::OverSha1(message) => message,
            Self::Stamp(token) => token.message(),
            Self::Unusable(_) => return Default::default(),
        };
        let (mut crls, mut responses) = (message.crls.clone(), message.ocsp_responses.clone());
        for signer in &message.signers {
            let (more_crls, more_responses) = signer.adobe_revocation();
            crls.extend(more_crls);
            responses.extend(more_responses);
        }
        (crls, responses)
    }

    /// Answers everything but trust. `digest` is that of the byte range, `extra` further certificates.
    pub(super) fn judge(
        &self,
        located: &Located,
        digest: Option<&[u8]>,
        extra: &[Certificate],
        provider: &dyn Provider,
    ) -> Judged {
        let mut judged = match self {
            Self::Unusable(code) => Judged::unusable(code, SubIndication::FormatFailure),
            Self::Stamp(token) => stamp(token, digest, extra, provider),
            Self::Detached(message) => detached(message, located, digest, extra, provider),
            Self::OverSha1(message) => over_sha1(message, digest, extra, provider),
        };
        judged.is_stamp = matches!(self, Self::Stamp(_));
        judged.inner_stamps = self.timestamps(extra, provider);
        let padding = located.contents.get(self.consumed()..).unwrap_or_default();
        if judged.problem.is_none() && padding.iter().any(|&byte| byte != 0) {
            judged.problem = Some(("padding_not_zero", SubIndication::FormatFailure));
        }
        judged
    }

    /// The signature time stamps, each with the answer to everything but trust.
    fn timestamps(
        &self,
        extra: &[Certificate],
        provider: &dyn Provider,
    ) -> Vec<Result<CheckedToken, &'static str>> {
        let (Self::Detached(message) | Self::OverSha1(message)) = self else { return Vec::new() };
        let Some(signer) = message.signers.first() else { return Vec::new() };
        signer
            .timestamp_tokens()
            .take(8)
            .map(|token| signature_stamp(token, signer, extra, provider))
            .collect()
    }
}

fn signature_stamp(
    token: &[u8],
    signer: &Signer,
    extra: &[Certificate],
    provider: &dyn Provider,
) -> Result<CheckedToken, &'static str> {
    let token = Token::parse(token).map_err(|_| "timestamp_malformed")?;
    let imprint = token.imprint_algorithm().digest(&signer.signature);
    token.check(&imprint, extra, provider).map_err(|refused| stamp_code(&refused))
}

fn stamp_code(refused: &crate::tsp::TokenRefused) -> &'static str {
    use crate::tsp::TokenRefused;
    match refused {
        TokenRefused::Imprint => "timestamp_over_other_data",
        TokenRefused::NoCertificate => "timestamp_certificate_missing",
        TokenRefused::NotBound => "timestamp_not_bound_to_certificate",
        TokenRefused::Purpose => "timestamp_certificate_purpose",
        TokenRefused::OutsideValidity => "timestamp_outside_certificate_validity",
        TokenRefused::Signature(_) => "timestamp_signature_wrong",
        _ => "timestamp_malformed",
    }
}

impl Judged {
    fn unusable(code: &'static str, sub: SubIndication) -> Self {
        Self {
            certificate: None,
            certificates: Vec::new(),
            digest_ok: None,
            problem: Some((code, sub)),
            weaknesses: Vec::new(),
            baseline: false,
            claimed_time: None,
            is_stamp: false,
            stamp: None,
            inner_stamps: Vec::new(),
        }
    }
}

fn stamp(token: &Token, digest: Option<&[u8]>, extra: &[Certificate], provider: &dyn Provider) -> Judged {
    let Some(digest) = digest else {
        return Judged::unusable("digest_not_computed", SubIndication::FormatFailure);
    };
    let mut judged = Judged {
        certificate: None,
        certificates: token.certificates().to_vec(),
        digest_ok: Some(token.imprint() == digest),
        problem: None,
        weaknesses: Vec::new(),
        baseline: true,
        claimed_time: Some(token.time()),
        is_stamp: false,
        stamp: None,
        inner_stamps: Vec::new(),
    };
    if let [signer] = token.message().signers.as_slice() {
        judged.certificate = signer.inspect(token.message(), &[], extra, provider).certificate;
    }
    // Against its own imprint first, so that a wrong digest is not mistaken for a broken token.
    match token.check(token.imprint(), extra, provider) {
        Ok(checked) => {
            judged.certificate = Some(checked.certificate().clone());
            judged.weaknesses = checked.weaknesses().to_vec();
            judged.stamp = judged.digest_ok.unwrap_or(false).then_some(checked);
        }
        Err(refused) => {
            let sub = match refused {
                crate::tsp::TokenRefused::NoCertificate => SubIndication::NoSigningCertificateFound,
                crate::tsp::TokenRefused::Signature(_) => SubIndication::SigCryptoFailure,
                crate::tsp::TokenRefused::NotBound | crate::tsp::TokenRefused::Purpose => {
                    SubIndication::SigConstraintsFailure
                }
                _ => SubIndication::FormatFailure,
            };
            judged.problem = Some((stamp_code(&refused), sub));
        }
    }
    judged
}

fn detached(
    message: &SignedMessage,
    located: &Located,
    digest: Option<&[u8]>,
    extra: &[Certificate],
    provider: &dyn Provider,
) -> Judged {
    let etsi = located.sub_filter() == "ETSI.CAdES.detached";
    if message.content.is_some() {
        return Judged::unusable("content_attached", SubIndication::FormatFailure);
    }
    if message.content_type != oid::DATA {
        return Judged::unusable("content_type_not_data", SubIndication::FormatFailure);
    }
    signer(message, digest, etsi, extra, provider)
}

fn over_sha1(
    message: &SignedMessage,
    digest: Option<&[u8]>,
    extra: &[Certificate],
    provider: &dyn Provider,
) -> Judged {
    let Some(content) = &message.content else {
        return Judged::unusable("content_missing", SubIndication::FormatFailure);
    };
    let inner =
        message.signers.first().and_then(|signer| signer.digest_algorithm).map(|hash| hash.digest(content));
    let mut judged = signer(message, inner.as_deref(), false, extra, provider);
    judged.digest_ok = judged.digest_ok.map(|ok| ok && digest == Some(content.as_slice()));
    judged
}

fn signer(
    message: &SignedMessage,
    digest: Option<&[u8]>,
    etsi: bool,
    extra: &[Certificate],
    provider: &dyn Provider,
) -> Judged {
    let [signer] = message.signers.as_slice() else {
        return Judged::unusable("not_one_signer", SubIndication::FormatFailure);
    };
    if signer.digest_algorithm.is_none() {
        let sub = SubIndication::CryptoConstraintsFailureNoPoe;
        return Judged::unusable("algorithm_not_supported", sub);
    }
    let Some(digest) = digest else {
        return Judged::unusable("digest_not_computed", SubIndication::FormatFailure);
    };
    let checks = signer.inspect(message, digest, extra, provider);
    let bound = checks.signing_certificate.is_bound();
    let problem = if checks.certificate.is_none() {
        Some(("signer_certificate_missing", SubIndication::NoSigningCertificateFound))
    } else if checks.signature == Finding::Fails {
        Some(("signature_value_wrong", SubIndication::SigCryptoFailure))
    } else if !checks.content_type.holds() {
        Some(("content_type_attribute", SubIndication::FormatFailure))
    } else if !checks.repeated_attributes.is_empty() {
        Some(("attribute_repeated", SubIndication::FormatFailure))
    } else if matches!(checks.signing_certificate, EssCheck::Mismatch | EssCheck::Malformed) {
        Some(("signing_certificate_mismatch", SubIndication::SigConstraintsFailure))
    } else if etsi && !bound {
        Some(("signing_certificate_attribute_missing", SubIndication::SigConstraintsFailure))
    } else {
        match (checks.content, checks.signature) {
            (Finding::Unknown(error), _) | (_, Finding::Unknown(error)) => Some(unknown(error)),
            _ => None,
        }
    };
    // The value covers the attributes, and these the content: without attributes, the value covers it directly.
    let covering = if signer.has_signed_attributes() { checks.content } else { checks.signature };
    let digest_ok = match covering {
        Finding::Unknown(_) => None,
        finding => Some(finding.holds()),
    };
    Judged {
        certificates: message.certificates.clone(),
        digest_ok,
        problem,
        weaknesses: checks.weaknesses,
        baseline: etsi && bound && !checks.has_signing_time && signer.has_signed_attributes(),
        claimed_time: signer.claimed_time(),
        certificate: checks.certificate,
        is_stamp: false,
        stamp: None,
        inner_stamps: Vec::new(),
    }
}

fn unknown(error: CryptoError) -> (&'static str, SubIndication) {
    match error {
        CryptoError::BadSignature | CryptoError::WrongKey => {
            ("signature_value_wrong", SubIndication::SigCryptoFailure)
        }
        CryptoError::TooMany => ("too_many_checks", SubIndication::SigConstraintsFailure),
        CryptoError::BadKey => ("key_not_supported", SubIndication::CryptoConstraintsFailureNoPoe),
        CryptoError::Unsupported | CryptoError::NeedsMessage => {
            ("algorithm_not_supported", SubIndication::CryptoConstraintsFailureNoPoe)
        }
    }
}
