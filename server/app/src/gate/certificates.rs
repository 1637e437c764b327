//! The certificates on a SIM, asked of the service (`MSS_Registration`, success is 408).
//!
//! Used when an administrator pins a leader's SIM and to see whether a pinned certificate is still the one on the SIM.
//! What comes back is only what the service says: whoever pins it validates the chain and the person.

use trinhky_simpki::reply::{Code, Reply, SimCertificate};
use trinhky_simpki::request::CertificateQuery;
use trinhky_simpki::status::{self, Means, Sentence};

use super::mssp::NoAnswer;

/// Why there is no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCertificates {
    /// The service did not answer, or not in its language: ask again later.
    #[error("the mobile signature service cannot be asked now: {0}")]
    Unavailable(String),
    /// The service says no; the sentence is for people.
    #[error("the mobile signature service answers {code}: {}", .sentence.en())]
    Refused {
        /// Its code.
        code: Code,
        /// What that means.
        sentence: Sentence,
    },
}

impl From<NoAnswer> for NoCertificates {
    fn from(lost: NoAnswer) -> Self {
        Self::Unavailable(lost.what)
    }
}

/// Reads the answer to a look-up.
pub(super) fn read(query: &CertificateQuery, reply: Reply) -> Result<Vec<SimCertificate>, NoCertificates> {
    let code = match reply {
        Reply::Unreadable(unreadable) => {
            let what = format!("HTTP {}: {}", unreadable.http_status, unreadable.why);
            return Err(NoCertificates::Unavailable(what));
        }
        Reply::Fault(fault) => fault.code,
        Reply::Response(response) => {
            let ours = response.ap_trans_id.as_deref().is_none_or(|id| id == query.ap_trans_id.as_str());
            let means = response.status.map(|code| status::meaning(code).means);
            if ours && means == Some(Means::Registered) {
                return Ok(response.certificates);
            }
            response.status.filter(|_| ours)
        }
    };
    match code {
        Some(code) => Err(NoCertificates::Refused { code, sentence: status::meaning(code).sentence }),
        None => Err(NoCertificates::Unavailable("an answer without a code, or to somebody else".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use trinhky_simpki::ts102204::read::reply;

    use super::*;

    fn answer(trans_id: &str, code: u16) -> Result<usize, NoCertificates> {
        let body = format!(
            r#"<Envelope><Body><MSS_RegistrationResp><AP_Info AP_TransID="{trans_id}"/><Status><StatusCode Value="{code}"/></Status><CertificateResponse><X509Certificate>MAA=</X509Certificate></CertificateResponse></MSS_RegistrationResp></Body></Envelope>"#
        );
        let query =
            CertificateQuery { ap_trans_id: "T1".parse().unwrap(), msisdn: "84900000001".parse().unwrap() };
        read(&query, reply(200, body.as_bytes())).map(|found| found.len())
    }

    #[test]
    fn only_408_with_our_echo_is_a_list() {
        assert_eq!(answer("T1", 408), Ok(1));
        let refused = NoCertificates::Refused { code: Code::plain(105), sentence: Sentence::NotEnrolled };
        assert_eq!(answer("T1", 105), Err(refused));
        assert!(matches!(answer("T2", 408), Err(NoCertificates::Unavailable(_))));
        assert!(matches!(answer("T1", 502), Err(NoCertificates::Refused { .. })));
    }
}
