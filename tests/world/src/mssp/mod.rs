//! The mobile signature service (ETSI TS 102 204, Vietnamese profile) with virtual SIMs behind it.
//!
//! State lives in memory: a restarted MSSP has forgotten its transactions, as a real one may.

pub(crate) mod behaviour;
pub(crate) mod fault;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod sim;
pub(crate) mod transaction;
pub(crate) mod xml;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result};
use time::{Duration, OffsetDateTime};

use crate::{
    clock, keys,
    pki::{Holder, Pki, Status, Tier},
};
use behaviour::{Outcome, Quirk};
use fault::SoapFault;
use log::Entry;
use request::{Request, SignatureRequest};
use sim::Sim;
use transaction::{Ending, State, Transaction};

/// The service.
pub(crate) struct Mssp {
    pki: Arc<Pki>,
    sims: BTreeMap<String, Sim>,
    pub(crate) ap_id: String,
    pub(crate) ap_password: String,
    inner: Mutex<Inner>,
}

struct Inner {
    /// (`AP_ID`, `AP_TransID`) ever seen in a signature request.
    used: HashSet<(String, String)>,
    transactions: HashMap<String, Transaction>,
    /// The last transaction of each number.
    latest: HashMap<String, String>,
    log: Vec<Entry>,
    accept_after: Duration,
}

/// What the caller of a transaction is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Pending,
    Signed { status: u16, signature: Vec<u8> },
    Failed(SoapFault),
}

/// A transaction as the page and the tests see it.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Prompt {
    pub(crate) id: String,
    pub(crate) ap_trans_id: String,
    pub(crate) text: String,
    pub(crate) code: String,
    pub(crate) digest: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) since: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) expires: OffsetDateTime,
}

impl Mssp {
    pub(crate) fn new(pki: Arc<Pki>, sims: Vec<Sim>, ap_password: String, accept_after: Duration) -> Self {
        Self {
            pki,
            sims: sims.into_iter().map(|sim| (sim.msisdn.clone(), sim)).collect(),
            ap_id: "http://ap.mobile-id.vn/trinhky".into(),
            ap_password,
            inner: Mutex::new(Inner {
                used: HashSet::new(),
                transactions: HashMap::new(),
                latest: HashMap::new(),
                log: Vec::new(),
                accept_after,
            }),
        }
    }

    pub(crate) fn sims(&self) -> impl Iterator<Item = &Sim> {
        self.sims.values()
    }

    pub(crate) fn sim(&self, msisdn: &str) -> Option<&Sim> {
        self.sims.get(msisdn)
    }

    /// The SIM of a request, or the fault that a stranger's number gets.
    fn known(&self, msisdn: &str) -> Result<&Sim, SoapFault> {
        self.sim(msisdn).ok_or_else(|| SoapFault::specified(105, 1052, "UNKNOWN_CLIENT", "no such id"))
    }

    /// Credentials and clock of the caller.
    pub(crate) fn admit(&self, request: &Request, now: OffsetDateTime) -> Result<(), SoapFault> {
        if request.ap.id != self.ap_id || request.ap.password != self.ap_password {
            return Err(SoapFault::code(104, "UNAUTHORIZED_ACCESS", "AP_ID or AP_PWD"));
        }
        if (request.ap.instant - now).abs() > Duration::minutes(5) {
            return Err(SoapFault::wrong("Instant is more than five minutes off"));
        }
        Ok(())
    }

    /// Raises a prompt and returns the transaction's id with the behaviour that rules it.
    pub(crate) fn begin(
        &self,
        request: &Request,
        wish: &SignatureRequest,
        now: OffsetDateTime,
    ) -> Result<String, SoapFault> {
        let mut inner = self.lock();
        let sim = self.known(&wish.msisdn)?;
        if !inner.used.insert((request.ap.id.clone(), request.ap.trans_id.clone())) {
            return Err(SoapFault::wrong("AP_TransID was used before"));
        }
        if inner.latest.get(&wish.msisdn).cloned().is_some_and(|id| self.settle(&mut inner, &id, now)) {
            return Err(SoapFault::of(406, None));
        }
        let behaviour = sim.take_behaviour();
        if let Outcome::RefuseAtOnce { code, specifier } = behaviour.outcome {
            return Err(SoapFault::of(code, specifier));
        }
        let id = format!("x{}", hex::encode(keys::random::<8>().map_err(|_| SoapFault::of(900, None))?));
        let transaction = Transaction::begin(id.clone(), request, wish, behaviour, now, inner.accept_after);
        inner.transactions.insert(id.clone(), transaction);
        inner.latest.insert(wish.msisdn.clone(), id.clone());
        Ok(id)
    }

    /// What a transaction has come to. `None`: there is no such transaction.
    pub(crate) fn answer(&self, id: &str, now: OffsetDateTime) -> Option<Answer> {
        let mut inner = self.lock();
        self.settle(&mut inner, id, now);
        inner.transactions.get(id).map(|transaction| match &transaction.state {
            State::Live | State::Silent => Answer::Pending,
            State::Signed { status, signature } => {
                Answer::Signed { status: *status, signature: signature.clone() }
            }
            State::Failed(fault) => Answer::Failed(fault.clone()),
        })
    }

    /// Looks at one transaction.
    pub(crate) fn with<T>(&self, id: &str, look: impl FnOnce(&mut Transaction) -> T) -> Option<T> {
        self.lock().transactions.get_mut(id).map(look)
    }

    /// The holder presses a button. False when no prompt is live on that number.
    pub(crate) fn press(&self, msisdn: &str, accept: bool, now: OffsetDateTime) -> bool {
        let mut inner = self.lock();
        let Some(id) = inner.latest.get(msisdn).cloned() else { return false };
        if !self.settle(&mut inner, &id, now) {
            return false;
        }
        let ending = if accept {
            Ending::Sign { status: 502 }
        } else {
            Ending::Fault { code: 401, specifier: Some(4011) }
        };
        self.carry_out(&mut inner, &id, ending, now);
        true
    }

    /// The live prompt of a number.
    pub(crate) fn prompt(&self, msisdn: &str, now: OffsetDateTime) -> Option<Prompt> {
        let mut inner = self.lock();
        let id = inner.latest.get(msisdn).cloned()?;
        if !self.settle(&mut inner, &id, now) {
            return None;
        }
        inner.transactions.get(&id).map(|transaction| Prompt {
            id: transaction.id.clone(),
            ap_trans_id: transaction.ap_trans_id.clone(),
            text: transaction.shown.clone(),
            code: transaction.code.clone(),
            digest: hex::encode(transaction.digest),
            since: transaction.since,
            expires: transaction.expires,
        })
    }

    /// Delay before a SIM accepts by itself.
    pub(crate) fn set_accept_after(&self, delay: Duration) {
        self.lock().accept_after = delay;
    }

    /// A SIM gets a new key and certificate for the same number.
    pub(crate) fn swap(&self, msisdn: &str) -> Result<()> {
        let sim = self.sim(msisdn).context("no such number")?;
        sim.replace(|old, number| self.pki.successor(&format!("sim-{msisdn}-replaced-{number}"), old))
    }

    /// Adds a line to the log.
    pub(crate) fn record(&self, mut entry: Entry) {
        let mut inner = self.lock();
        entry.seq = inner.log.len() as u64 + 1;
        inner.log.push(entry);
    }

    /// The log from a line on.
    pub(crate) fn log(&self, after: u64) -> Vec<Entry> {
        self.lock().log.iter().filter(|entry| entry.seq > after).cloned().collect()
    }

    /// Settles a transaction; true while its prompt is live.
    fn settle(&self, inner: &mut Inner, id: &str, now: OffsetDateTime) -> bool {
        let due = inner.transactions.get_mut(id).and_then(|transaction| transaction.settle(now));
        if let Some(ending) = due {
            self.carry_out(inner, id, ending, now);
        }
        inner.transactions.get(id).is_some_and(Transaction::is_live)
    }

    fn carry_out(&self, inner: &mut Inner, id: &str, ending: Ending, now: OffsetDateTime) {
        let Some(transaction) = inner.transactions.get_mut(id) else { return };
        transaction.state = match ending {
            Ending::Fault { code, specifier } => State::Failed(SoapFault::of(code, specifier)),
            Ending::Sign { status } => match self.sign(transaction, status, now) {
                Ok(state) => state,
                Err(error) => State::Failed(SoapFault::code(900, "INTERNAL_ERROR", &error.to_string())),
            },
        };
    }

    fn sign(&self, transaction: &Transaction, status: u16, now: OffsetDateTime) -> Result<State> {
        let sim = self.sim(&transaction.msisdn).context("the SIM is gone")?;
        if transaction.behaviour.quirk == Some(Quirk::CertificateSwap) {
            self.swap(&transaction.msisdn)?;
        }
        let holder = match transaction.behaviour.quirk {
            Some(Quirk::WrongKey) => self.somebody_else(&transaction.msisdn)?,
            _ => sim.holder(),
        };
        let mut digest = transaction.digest;
        if transaction.behaviour.quirk == Some(Quirk::WrongHash) {
            digest = keys::sha256(&digest);
        }
        let mut signature = holder.sim_sign(&digest)?;
        if transaction.behaviour.quirk == Some(Quirk::ShortSignature) {
            signature.truncate(signature.len() / 2);
        }
        let status = if status == 502 { self.validate(&sim.holder(), now)? } else { status };
        Ok(State::Signed { status, signature })
    }

    /// The signatureValidation service: what the provider says of the certificate.
    fn validate(&self, holder: &Holder, now: OffsetDateTime) -> Result<u16> {
        let identity = crate::pki::certificate::identity(&holder.certificate)?;
        let validity = crate::pki::certificate::validity(&holder.certificate)?;
        let real = clock::real();
        Ok(match self.pki.status(Tier::People, &identity.serial, now) {
            Status::Revoked(_) => 501,
            _ if real < validity.from || real > validity.to => 503,
            _ => 502,
        })
    }

    fn somebody_else(&self, msisdn: &str) -> Result<Arc<Holder>> {
        let kind = self.sim(msisdn).map(|sim| sim.holder().key.kind());
        self.sims()
            .filter(|sim| sim.msisdn != msisdn)
            .map(Sim::holder)
            .find(|holder| Some(holder.key.kind()) == kind)
            .context("there is nobody else with such a key")
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
