//! `MSS_RegistrationReq`: asks for the certificates on a SIM.
//!
//! In the Vietnamese profile the operation is a certificate look-up: header and `MobileUser`, nothing else.
//! Success is status 408 with one `CertificateResponse` per certificate.

use time::OffsetDateTime;

use super::{Ap, Message, envelope::Envelope};
use crate::{request::CertificateQuery, ts102204::Port};

/// Writes the look-up.
pub fn registration(ap: &Ap, query: &CertificateQuery, now: OffsetDateTime) -> Message {
    let names = ("MSS_Registration", "MSS_RegistrationReq");
    let mut xml = Envelope::open(ap, Port::Registration, names, &[], &query.ap_trans_id, now);
    xml.mobile_user(&query.msisdn);
    xml.close()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, ap, compact};
    use super::*;

    const GOLDEN: &str = r#"
<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope">
 <env:Body>
  <w:MSS_Registration xmlns:w="http://ae.mobile-id.vn/TS102204/etsi204">
   <MSS_RegistrationReq xmlns="" xmlns:mss="http://uri.etsi.org/TS102204/v1.1.2#" MajorVersion="1" MinorVersion="1">
    <mss:AP_Info AP_ID="http://ap.mobile-id.vn/NAME" AP_PWD="S&lt;E&gt;C&amp;&quot;RET" AP_TransID="T01JAB3K4M5N6P7Q8" Instant="2025-03-05T08:00:00.000Z"/>
    <mss:MSSP_Info Instant="2025-03-05T08:00:00.000Z"><mss:MSSP_ID><mss:URI>http://hmssp.mobile-id.vn</mss:URI></mss:MSSP_ID></mss:MSSP_Info>
    <mss:MobileUser><mss:MSISDN>84900000000</mss:MSISDN></mss:MobileUser>
   </MSS_RegistrationReq>
  </w:MSS_Registration>
 </env:Body>
</env:Envelope>"#;

    #[test]
    fn the_look_up_is_golden() {
        let query = CertificateQuery {
            ap_trans_id: "T01JAB3K4M5N6P7Q8".parse().unwrap(),
            msisdn: "84900000000".parse().unwrap(),
        };
        assert_eq!(registration(&ap(), &query, NOW).expose_body(), compact(GOLDEN));
    }
}
