//! `MSS_ProfileReq`: asks which signature profiles a SIM has (TS 102 204 clause 7.4).

use time::OffsetDateTime;

use super::{Ap, Message, envelope::Envelope};
use crate::{request::ProfileQuery, ts102204::Port};

/// Writes the query.
pub fn profile_query(ap: &Ap, query: &ProfileQuery, now: OffsetDateTime) -> Message {
    let names = ("MSS_ProfileQuery", "MSS_ProfileReq");
    let mut xml = Envelope::open(ap, Port::ProfileQuery, names, &[], &query.ap_trans_id, now);
    xml.mobile_user(&query.msisdn);
    xml.close()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, ap};
    use super::*;

    #[test]
    fn the_query_names_the_operation_and_the_number() {
        let query = ProfileQuery {
            ap_trans_id: "T01JAB3K4M5N6P7Q8".parse().unwrap(),
            msisdn: "84900000000".parse().unwrap(),
        };
        let message = profile_query(&ap(), &query, NOW);
        let start = r#"<w:MSS_ProfileQuery xmlns:w="http://ae.mobile-id.vn/TS102204/etsi204"><MSS_ProfileReq xmlns="" "#;
        let end = "<mss:MobileUser><mss:MSISDN>84900000000</mss:MSISDN></mss:MobileUser></MSS_ProfileReq></w:MSS_ProfileQuery></env:Body></env:Envelope>";
        assert!(message.expose_body().contains(start) && message.expose_body().ends_with(end));
    }
}
