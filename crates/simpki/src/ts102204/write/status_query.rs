//! `MSS_StatusReq`: asks how a transaction stands (TS 102 204 clause 7.5).
//!
//! Only the header and `@MSSP_TransID`. `AP_Info` repeats the attempt's `AP_TransID` with a new instant, as
//! `FiCom` 2.1 asks, since the Vietnamese answer names no `MSSP_TransID` to match it by.

use time::OffsetDateTime;

use super::{Ap, Message, envelope::Envelope};
use crate::{request::StatusQuery, ts102204::Port};

/// Writes the query.
pub fn status_query(ap: &Ap, query: &StatusQuery, now: OffsetDateTime) -> Message {
    let attributes = [("MSSP_TransID", query.mssp_trans_id.as_str())];
    let names = ("MSS_StatusQuery", "MSS_StatusReq");
    Envelope::open(ap, Port::StatusQuery, names, &attributes, &query.ap_trans_id, now).close()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, ap, compact};
    use super::*;

    const GOLDEN: &str = r#"
<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope">
 <env:Body>
  <w:MSS_StatusQuery xmlns:w="http://ae.mobile-id.vn/TS102204/etsi204">
   <MSS_StatusReq xmlns="" xmlns:mss="http://uri.etsi.org/TS102204/v1.1.2#" MajorVersion="1" MinorVersion="1" MSSP_TransID="x1a2b3">
    <mss:AP_Info AP_ID="http://ap.mobile-id.vn/NAME" AP_PWD="S&lt;E&gt;C&amp;&quot;RET" AP_TransID="T01JAB3K4M5N6P7Q8" Instant="2025-03-05T08:00:00.000Z"/>
    <mss:MSSP_Info Instant="2025-03-05T08:00:00.000Z"><mss:MSSP_ID><mss:URI>http://hmssp.mobile-id.vn</mss:URI></mss:MSSP_ID></mss:MSSP_Info>
   </MSS_StatusReq>
  </w:MSS_StatusQuery>
 </env:Body>
</env:Envelope>"#;

    #[test]
    fn the_query_is_golden() {
        let query = StatusQuery {
            ap_trans_id: "T01JAB3K4M5N6P7Q8".parse().unwrap(),
            mssp_trans_id: "x1a2b3".parse().unwrap(),
        };
        assert_eq!(status_query(&ap(), &query, NOW).expose_body(), compact(GOLDEN));
    }
}
