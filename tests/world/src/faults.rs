//! Switches that make a service fail in a named way, for good or for a number of requests.
//!
//! One table for all services, so that a test reads: "the TSA is down for two requests, then well again".

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// A service that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// RFC 3161.
    Tsa,
    /// RFC 6960.
    Ocsp,
    /// CRLs and issuer certificates over HTTP.
    Crl,
    /// The mobile signature service.
    Mssp,
    /// RFC 8030.
    Push,
    /// The mail server; a fault is for one connection.
    Mail,
}

/// How it fails. A service ignores a fault that has no meaning for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// HTTP 503; mail: 421 instead of a greeting.
    Down,
    /// The request is read, then the connection closes without an answer. Mail: the message is kept, and no answer given.
    Close,
    /// The answer comes late by this many milliseconds.
    Slow {
        /// How late.
        ms: u64,
    },
    /// An HTTP error page that is not of the protocol.
    ErrorPage,
    /// TSA, OCSP: another nonce than was asked for.
    WrongNonce,
    /// TSA, OCSP: no nonce although one was asked for.
    NoNonce,
    /// TSA: a token over another imprint.
    WrongImprint,
    /// TSA: signed with an expired certificate. OCSP: an answer whose nextUpdate has passed. CRL: likewise.
    Expired,
    /// TSA, OCSP, CRL: a signature that does not verify.
    BadSignature,
    /// TSA: `PKIStatus` rejection. OCSP: tryLater. Mail: 554 to the message.
    Refuse,
    /// Mail: 451 to the message.
    Later,
    /// TSA: the answer is granted but claims a time one day ahead.
    WrongTime,
    /// OCSP: a signer without the `OCSPSigning` purpose.
    WrongSigner,
    /// OCSP: certificate status unknown, whatever was asked.
    Unknown,
    /// Push: 404.
    NotFound,
    /// Push: 410.
    Gone,
    /// Push: 413.
    TooLarge,
    /// Push: 429 with `Retry-After`.
    TooMany {
        /// Value of `Retry-After`.
        retry_after: u64,
    },
    /// Push: 201, and never delivered.
    AcceptAndDrop,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    fault: Fault,
    left: Option<u64>,
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<BTreeMap<Service, Entry>>);

impl Faults {
    /// Sets (`times: None` = until cleared) or clears a fault.
    pub(crate) fn set(&self, service: Service, fault: Option<Fault>, times: Option<u64>) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match fault {
            Some(fault) if times != Some(0) => {
                table.insert(service, Entry { fault, left: times });
            }
            _ => {
                table.remove(&service);
            }
        }
    }

    /// The fault for this request; counts it.
    pub(crate) fn take(&self, service: Service) -> Option<Fault> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = table.get_mut(&service)?;
        let fault = entry.fault;
        if let Some(left) = &mut entry.left {
            *left -= 1;
            if *left == 0 {
                table.remove(&service);
            }
        }
        Some(fault)
    }

    /// The fault for this request, with a delay already waited for.
    pub(crate) async fn hit(&self, service: Service) -> Option<Fault> {
        match self.take(service) {
            Some(Fault::Slow { ms }) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                None
            }
            other => other,
        }
    }

    /// What is set now, for the page.
    pub(crate) fn shown(&self) -> BTreeMap<Service, (Fault, Option<u64>)> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.iter().map(|(service, entry)| (*service, (entry.fault, entry.left))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_with_a_count_wears_off() {
        let faults = Faults::default();
        faults.set(Service::Tsa, Some(Fault::Down), Some(2));
        assert_eq!(faults.take(Service::Ocsp), None);
        assert_eq!(faults.take(Service::Tsa), Some(Fault::Down));
        assert_eq!(faults.take(Service::Tsa), Some(Fault::Down));
        assert_eq!(faults.take(Service::Tsa), None);
    }
}
