//! The transitions: what to do next, and what an answer or its absence changes.
//!
//! Three rules carry the rest. The signature request is handed out only by the step `Approved → Sending`.
//! An answer counts only with our echoes; any other decides nothing. While a prompt may be alive, an answer
//! that is about the provider rather than about the transaction decides nothing either, since ending the
//! attempt would let a second prompt be raised beside the first; the prompt's time limit ends it instead.
//!
//! A clock that is set back must neither keep a number taken for hours nor free it early: what is remembered as later
//! than now is taken to be now, which is never earlier than it was.

use time::OffsetDateTime;

use super::{Attempt, End, FailedAt, Outcome, Signed, State, Step, Trouble, Watch};
use crate::{
    ids::{Msisdn, MsspTransId},
    reply::{Code, Fault, Operation, Reply, Response, Unreadable},
    request::{Request, SignatureRequest, StatusQuery},
    status::{self, Ending, Meaning, Means, Retry, Sentence},
};

impl Attempt {
    /// What to do now. A request that is handed out is already accounted for: store, then send.
    pub fn poll(&mut self, now: OffsetDateTime) -> Step {
        self.no_later_than(now);
        match &mut self.state {
            State::Approved { until, .. } if now >= *until => {
                let unreachable = self.trouble == Some(Trouble::Unreachable);
                self.end(if unreachable { UNREACHABLE } else { NOT_SENT }, now)
            }
            State::Approved { until, not_before: Some(at) } if now < *at => Step::Wait((*at).min(*until)),
            State::Approved { until, .. } => {
                self.state = State::Sending { since: now, until: *until };
                Step::Send(Request::Signature(SignatureRequest {
                    ap_trans_id: self.ap_trans_id.clone(),
                    msisdn: self.terms.msisdn.clone(),
                    digest: self.terms.digest,
                    display: self.terms.display.clone(),
                    timeout_seconds: self.timing.timeout_seconds,
                }))
            }
            State::Sending { since, .. } => {
                let (since, by) = (*since, self.timing.answer_by(*since));
                if now < by {
                    return Step::Wait(by);
                }
                self.doubt(since, None, Trouble::NoAnswer, now);
                self.poll(now)
            }
            State::Indeterminate { since, watch: None } => {
                let until = self.timing.gives_up_at(*since);
                if now < until { Step::Wait(until) } else { self.give_up(now) }
            }
            State::Accepted(watch) | State::Indeterminate { watch: Some(watch), .. } => {
                if let Some(asked_at) = watch.asking_since {
                    let by = self.timing.answer_by(asked_at);
                    if now < by {
                        return Step::Wait(by);
                    }
                    self.trouble = Some(Trouble::NoAnswer);
                    self.answered(now);
                    return self.poll(now);
                }
                if now < watch.next_at {
                    return Step::Wait(watch.next_at);
                }
                watch.asked = watch.asked.saturating_add(1);
                watch.asking_since = Some(now);
                Step::Send(Request::Status(StatusQuery {
                    ap_trans_id: self.ap_trans_id.clone(),
                    mssp_trans_id: watch.handle.clone(),
                }))
            }
            State::SignedRaw(signed) => Step::Done(Outcome::Signed(signed.signature.clone())),
            State::SignedHeld(signed) => Step::Done(Outcome::Held(signed.signature.clone())),
            State::Ended(end) => Step::Done(Outcome::Ended(end.clone())),
        }
    }

    /// Takes in an answer. One that belongs to nothing that was asked changes nothing.
    pub fn receive(&mut self, reply: Reply, now: OffsetDateTime) {
        match &self.state {
            State::Sending { since, .. } => {
                let since = *since;
                self.first_answer(reply, since, now);
            }
            // The acknowledgement came after all, when waiting for it had already been given up.
            State::Indeterminate { since, watch: None } => {
                let since = *since;
                if let Reply::Response(response) = reply
                    && self.echo(&response) == Echo::Ours
                {
                    self.first_answer(Reply::Response(response), since, now);
                }
            }
            State::Accepted(watch) | State::Indeterminate { watch: Some(watch), .. } => {
                let watch = watch.clone();
                self.later_answer(reply, watch, now);
            }
            State::Ended(End { ending: Ending::Lapsed | Ending::Expired, .. }) => {
                self.late_signature(reply, now);
            }
            State::Approved { .. } | State::SignedRaw(_) | State::SignedHeld(_) | State::Ended(_) => {}
        }
    }

    /// Takes in that a request brought no answer.
    pub fn transport_failed(&mut self, at: FailedAt, now: OffsetDateTime) {
        match (&self.state, at) {
            // Seen by the very process that was sending, so the request cannot be on a phone.
            (State::Sending { .. }, FailedAt::BeforeTls) if self.withdrawn => {
                self.end(NOT_SENT, now);
            }
            (State::Sending { until, .. }, FailedAt::BeforeTls) => {
                self.trouble = Some(Trouble::Unreachable);
                self.state =
                    State::Approved { until: *until, not_before: Some(self.timing.reconnect_at(now)) };
            }
            (State::Sending { since, .. }, FailedAt::AfterSend) => {
                let since = *since;
                self.doubt(since, None, Trouble::ConnectionLost, now);
            }
            (State::Accepted(_) | State::Indeterminate { watch: Some(_), .. }, _) => {
                self.trouble = Some(match at {
                    FailedAt::BeforeTls => Trouble::Unreachable,
                    FailedAt::AfterSend => Trouble::ConnectionLost,
                });
                self.answered(now);
            }
            _ => {}
        }
    }

    /// The wish is withdrawn. Nothing can be taken back from the SIM: what is live goes on to its end, and a
    /// signature that still comes is held.
    pub fn withdraw(&mut self, now: OffsetDateTime) {
        self.withdrawn = true;
        match &self.state {
            State::Approved { .. } => {
                self.end(NOT_SENT, now);
            }
            State::SignedRaw(signed) => self.state = State::SignedHeld(signed.clone()),
            _ => {}
        }
    }

    /// After the clock was set back: nothing that has happened lies in the future, and no wait is longer than any is.
    fn no_later_than(&mut self, now: OffsetDateTime) {
        let timing = self.timing;
        match &mut self.state {
            State::Approved { not_before: Some(at), .. } => *at = timing.reconnect_at(now).min(*at),
            State::Sending { since, .. } | State::Indeterminate { since, watch: None } => {
                *since = now.min(*since);
            }
            State::Accepted(watch) | State::Indeterminate { watch: Some(watch), .. } => {
                watch.sent_at = now.min(watch.sent_at);
                watch.next_at = timing.longest_wait_from(now).min(watch.next_at);
                watch.asking_since = watch.asking_since.map(|at| now.min(at));
            }
            State::Approved { .. } | State::SignedRaw(_) | State::SignedHeld(_) | State::Ended(_) => {}
        }
    }

    fn first_answer(&mut self, reply: Reply, since: OffsetDateTime, now: OffsetDateTime) {
        match reply {
            Reply::Response(response) => self.first_response(response, since, now),
            // Without a code of the protocol the fault may be a gateway's on the way back, and the prompt be there.
            Reply::Fault(Fault { code, text }) if !code.is_some_and(status::is_known) => {
                self.doubt(since, None, Trouble::Provider { code, text }, now);
            }
            Reply::Fault(Fault { code, text }) => {
                self.end(Verdict::by(code, text), now);
            }
            Reply::Unreadable(Unreadable { http_status: status, why }) => match status {
                // The server says that it did not process the request, so no prompt can come of it.
                429 => {
                    self.end(UNREACHABLE, now);
                }
                400..=407 | 409..=499 => {
                    self.end(Verdict::plain(Ending::Rejected, Sentence::BadRequest, Retry::Operator), now);
                }
                _ => self.doubt(since, None, Trouble::Unreadable { http_status: status, why }, now),
            },
        }
    }

    fn first_response(&mut self, response: Response, since: OffsetDateTime, now: OffsetDateTime) {
        let echo = self.echo(&response);
        if echo == Echo::Stray {
            return self.doubt(since, None, Trouble::NotOurs, now);
        }
        let meaning = response.status.map(status::meaning);
        match meaning.map(|meaning| meaning.means) {
            Some(Means::Signed { validated }) => self.signed(response, echo, validated, now),
            Some(Means::Pending) => match response.mssp_trans_id {
                Some(handle) if echo == Echo::Ours => {
                    self.trouble = None;
                    self.state = State::Accepted(self.watch(handle, since, now));
                }
                // Accepted, but for another number or without a handle: the prompt may be anywhere.
                handle => self.doubt(since, handle, Trouble::NotOurs, now),
            },
            Some(Means::Ended(_)) => match response.mssp_trans_id {
                Some(handle) if !meaning.is_some_and(|meaning| meaning.about_transaction) => {
                    let trouble = Trouble::Provider { code: response.status, text: response.message };
                    self.doubt(since, Some(handle), trouble, now);
                }
                _ => {
                    self.end(Verdict::by(response.status, response.message), now);
                }
            },
            Some(Means::Registered) | None => {
                self.doubt(since, response.mssp_trans_id, Trouble::NotOurs, now);
            }
        }
    }

    fn later_answer(&mut self, reply: Reply, watch: Watch, now: OffsetDateTime) {
        let (code, text) = match reply {
            // These echo nothing: they can only be the answer to a question that was asked.
            Reply::Unreadable(_) | Reply::Fault(_) if watch.asking_since.is_none() => return,
            Reply::Unreadable(Unreadable { http_status, why }) => {
                self.trouble = Some(Trouble::Unreadable { http_status, why });
                return self.answered(now);
            }
            Reply::Fault(Fault { code, text }) if code.is_some_and(refuses_the_question) => {
                return self.undecided(Trouble::Provider { code, text }, watch, now);
            }
            Reply::Fault(Fault { code, text }) => (code, text),
            Reply::Response(response) => {
                let echo = self.echo(&response);
                match response.status.map(|code| status::meaning(code).means) {
                    Some(Means::Signed { validated }) if echo != Echo::Stray => {
                        return self.signed(response, echo, validated, now);
                    }
                    Some(Means::Pending) if echo == Echo::Ours => {
                        self.trouble = None;
                        self.state = State::Accepted(watch);
                        return self.answered(now);
                    }
                    Some(Means::Ended(_)) if echo == Echo::Ours => (response.status, response.message),
                    _ => {
                        self.trouble = Some(Trouble::NotOurs);
                        return self.answered(now);
                    }
                }
            }
        };
        let undecided = match code.map(|code| (code, status::meaning(code))) {
            Some((Code { value: 101 | 102, specifier: None }, _)) => {
                // "There is no such transaction": forgotten, or not yet known everywhere.
                if now >= self.timing.expires_at(watch.sent_at) {
                    let expired = Verdict::plain(Ending::Expired, Sentence::Expired, Retry::Leader);
                    self.end(Verdict { code, text, ..expired }, now);
                    return;
                }
                Trouble::UnknownTransaction
            }
            Some((_, Meaning { about_transaction: true, .. })) => {
                self.end(Verdict::by(code, text), now);
                return;
            }
            Some(_) | None => Trouble::Provider { code, text },
        };
        self.undecided(undecided, watch, now);
    }

    /// The answer to a question said nothing about the prompt, which may be alive.
    fn undecided(&mut self, trouble: Trouble, watch: Watch, now: OffsetDateTime) {
        self.trouble = Some(trouble);
        self.state = State::Indeterminate { since: watch.sent_at, watch: Some(watch) };
        self.answered(now);
    }

    fn late_signature(&mut self, reply: Reply, now: OffsetDateTime) {
        let Reply::Response(response) = reply else { return };
        let means = response.status.map(|code| status::meaning(code).means);
        if let (Some(Means::Signed { validated }), Echo::Ours, Some(signature)) =
            (means, self.echo(&response), response.signature)
        {
            self.state = State::SignedHeld(Signed { signature, at: now, provider_validated: validated });
        }
    }

    fn signed(&mut self, response: Response, echo: Echo, validated: bool, now: OffsetDateTime) {
        let Response { signature, status: code, message: text, .. } = response;
        let sentence = match signature {
            // Our transaction, another number: never embedded, and worth an alarm.
            _ if echo == Echo::OtherNumber => Sentence::EchoMismatch,
            None => Sentence::SignatureMissing,
            Some(signature) => {
                let signed = Signed { signature, at: now, provider_validated: validated };
                self.trouble = None;
                self.state =
                    if self.withdrawn { State::SignedHeld(signed) } else { State::SignedRaw(signed) };
                return;
            }
        };
        let rejected = Verdict::plain(Ending::Rejected, sentence, Retry::Operator);
        self.end(Verdict { code, text, ..rejected }, now);
    }

    /// Whether a response is about this attempt. A signature needs both echoes; another answer without any
    /// is taken for ours, since it came over the connection that asked.
    fn echo(&self, response: &Response) -> Echo {
        if !matches!(response.operation, Operation::Signature | Operation::StatusQuery) {
            return Echo::Stray;
        }
        let strict = response.signature.is_some();
        let ours = response.ap_trans_id.as_deref().map(|id| id == self.ap_trans_id.as_str());
        let number =
            response.msisdn.as_deref().map(|n| Msisdn::normalise(n).as_ref() == Ok(&self.terms.msisdn));
        match (ours.unwrap_or(!strict), number.unwrap_or(!strict)) {
            (true, true) => Echo::Ours,
            (true, false) => Echo::OtherNumber,
            (false, _) => Echo::Stray,
        }
    }

    fn watch(&self, handle: MsspTransId, sent_at: OffsetDateTime, now: OffsetDateTime) -> Watch {
        let next_at = self.timing.first_poll_at(sent_at).max(now);
        Watch { handle, sent_at, next_at, asked: 0, asking_since: None }
    }

    fn doubt(
        &mut self,
        since: OffsetDateTime,
        handle: Option<MsspTransId>,
        trouble: Trouble,
        now: OffsetDateTime,
    ) {
        let watch = handle.map(|handle| self.watch(handle, since, now));
        self.trouble = Some(trouble);
        self.state = State::Indeterminate { since, watch };
    }

    /// The question that was open is over; plans the next, or gives up after the last.
    fn answered(&mut self, now: OffsetDateTime) {
        let (State::Accepted(watch) | State::Indeterminate { watch: Some(watch), .. }) = &mut self.state
        else {
            return;
        };
        let asked_at = watch.asking_since.take();
        match self.timing.next_poll(watch.sent_at, now, (&self.ap_trans_id, watch.asked)) {
            Some(next) => watch.next_at = next,
            // The answer outlasted the schedule: what was asked before the end is not the last word.
            None if asked_at.is_some_and(|at| at < self.timing.gives_up_at(watch.sent_at)) => {
                watch.next_at = now;
            }
            None => {
                self.give_up(now);
            }
        }
    }

    fn give_up(&mut self, now: OffsetDateTime) -> Step {
        let verdict = match self.trouble.take() {
            Some(Trouble::Provider { code, text }) => Verdict::by(code, text),
            trouble => {
                self.trouble = trouble;
                Verdict::plain(Ending::Lapsed, Sentence::Lapsed, Retry::Leader)
            }
        };
        self.end(verdict, now)
    }

    fn end(&mut self, verdict: Verdict, now: OffsetDateTime) -> Step {
        let Verdict { ending, sentence, retry, code, text } = verdict;
        // Another prompt lives at most as long as ours would have.
        let not_before = (sentence == Sentence::Busy).then(|| self.timing.gives_up_at(now));
        let end = End { ending, at: now, sentence, retry, code, text, not_before };
        self.state = State::Ended(end.clone());
        Step::Done(Outcome::Ended(end))
    }
}

/// Whether a fault is about the question as such (its form, its sender), not about the transaction that was asked after:
/// a password that was changed meanwhile must not free the number of a SIM on which a prompt stands.
const fn refuses_the_question(code: Code) -> bool {
    match code {
        // Without a specifier these are "no such transaction", too.
        Code { value: 101 | 102, specifier } => specifier.is_some(),
        Code { value: 104, specifier: None } | Code { value: 107 | 108, .. } => true,
        _ => false,
    }
}

/// An end without its time.
struct Verdict {
    ending: Ending,
    sentence: Sentence,
    retry: Retry,
    code: Option<Code>,
    text: Option<String>,
}

impl Verdict {
    const fn plain(ending: Ending, sentence: Sentence, retry: Retry) -> Self {
        Self { ending, sentence, retry, code: None, text: None }
    }

    /// As the provider's code says; without one, or with one that is no failure, the provider is at fault.
    fn by(code: Option<Code>, text: Option<String>) -> Self {
        let plain = match code.map(status::meaning) {
            Some(Meaning { means: Means::Ended(ending), sentence, retry, .. }) => {
                Self::plain(ending, sentence, retry)
            }
            Some(_) | None => Self::plain(Ending::ProviderDown, Sentence::ProviderError, Retry::Operator),
        };
        Self { code, text, ..plain }
    }
}

const UNREACHABLE: Verdict = Verdict::plain(Ending::ProviderDown, Sentence::ServiceDown, Retry::Later);
const NOT_SENT: Verdict = Verdict::plain(Ending::Lapsed, Sentence::NotSent, Retry::Leader);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Echo {
    Ours,
    OtherNumber,
    Stray,
}
