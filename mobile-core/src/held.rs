//! Signatures that came after their wish was withdrawn: seen, adopted, or given up.
//!
//! ```text
//! held ─► what waits ─ review ─► Reviewed ─ check_held ─► HeldChecked ─ adopt ─► Asked ─ next … ─► embedded
//!                    └ void_held(reason) ─► it is destroyed
//! ```
//!
//! Nothing is asked of the SIM: it has signed already. What it signed is examined here once more, from the very bytes, as if
//! it were to be signed now; only what passes can be adopted.

use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};
use trinhky_pades::Digest;
use trinhky_protos::HexDigest;
use trinhky_protos::document::DocumentView;
use trinhky_protos::held::{HELD_TYP, HeldClaims, HeldSignatureView, HeldSignaturesView, HeldTaskView};
use trinhky_protos::ids::{AttemptId, DecisionId};
use trinhky_protos::signing::{AttemptView, DecisionRequest, PrepareResponse};

use crate::asked::Asked;
use crate::check::{DeclaredField, Finding};
use crate::error::Error;
use crate::examine::{examine_as, my_place};
use crate::jws;
use crate::keep::{Memory, OpenAttempt, Pin, recall, remember};
use crate::review::Reviewed;
use crate::session::Session;

/// A late signature that is over what was reviewed, and nothing else. Adopting uses it up.
pub struct HeldChecked {
    session: Session,
    reviewed: Reviewed,
    task: HeldTaskView,
    prepared: PrepareResponse,
    pin: Pin,
    finding: Finding,
}

impl std::fmt::Debug for HeldChecked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeldChecked").field("attempt", &self.task.attempt).finish_non_exhaustive()
    }
}

impl Session {
    /// Late signatures of this person that wait for a decision, oldest first.
    ///
    /// # Errors
    /// [`Error::Transport`], [`Error::Refused`], [`Error::Unreadable`].
    pub async fn held(&self) -> Result<Vec<HeldSignatureView>, Error> {
        let view: HeldSignaturesView =
            self.server.get("the late signatures", "/v1/held-signatures".to_owned()).await?;
        Ok(view.held)
    }

    /// Examines what the SIM signed then against what was reviewed now.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`]; [`Error::NotWaiting`] when it cannot be adopted any more; what
    /// [`check`](Self::check) refuses.
    pub async fn check_held(&self, reviewed: &Reviewed, attempt: &str) -> Result<HeldChecked, Error> {
        let (memory, pin) = self.pinned()?;
        let place = my_place(reviewed.document(), self.person())?;
        let task = self.held_task(attempt, &pin).await?;
        let prepared = task.prepared.clone().filter(|_| task.document == reviewed.document().id);
        let prepared =
            prepared.ok_or_else(|| Error::NotWaiting("its late signature cannot be adopted".into()))?;
        let growth = self.growth(memory.checkpoint.as_deref(), prepared.checkpoint.as_deref()).await?;
        let now = self.platform.clock.now();
        let known = (&memory, &pin);
        let finding = examine_as(place, reviewed, &prepared, self.person(), known, growth.as_ref(), now)?;
        if finding.dtbs.0 != task.dtbs.0 {
            return Err(Error::SignatureInvalid { why: "the SIM signed over something else".into() });
        }
        // Witnessed from here on, whatever the leader decides.
        if prepared.checkpoint != memory.checkpoint {
            remember(self.platform.keep.as_ref(), |memory| memory.witness(prepared.checkpoint.clone()))?;
        }
        Ok(HeldChecked { session: self.clone(), reviewed: reviewed.clone(), task, prepared, pin, finding })
    }

    /// Gives a late signature up: it is destroyed.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], [`Error::DeviceKey`], [`Error::Keep`], [`Error::History`], [`Error::Transport`],
    /// [`Error::Refused`].
    pub async fn void_held(&self, attempt: &str, reason: &str) -> Result<AttemptView, Error> {
        let (memory, pin) = self.pinned()?;
        let task = self.held_task(attempt, &pin).await?;
        if !memory.history.knows(task.previous_decision) {
            return Err(Error::History { newest: task.previous_decision });
        }
        let now = self.platform.clock.now();
        let claims = HeldClaims {
            act: "void".into(),
            reason: Some(reason.into()),
            // What this device has seen and checked; what it is told here it has not.
            checkpoint: memory.checkpoint,
            ..self.held_claims(&task, &pin, now + VOID_COUNTS_FOR, now)?
        };
        let jws = self.sign_held(&claims, &task, None).await?;
        let path = format!("/v1/attempts/{}/void", task.attempt);
        self.server.act("the decision", path, &DecisionRequest { jws }).await
    }

    fn pinned(&self) -> Result<(Memory, Pin), Error> {
        let memory = recall(self.platform.keep.as_ref())?;
        let pin = memory.pin.clone().filter(|pin| pin.person == self.person().id);
        Ok((memory, pin.ok_or(Error::NotEnrolled)?))
    }

    async fn held_task(&self, attempt: &str, pin: &Pin) -> Result<HeldTaskView, Error> {
        let id: AttemptId = attempt
            .parse()
            .map_err(|_| Error::Unreadable { asked: "the attempt", why: "its id is not a ULID".into() })?;
        let path = format!("/v1/attempts/{id}/held?device={}", pin.device);
        let task: HeldTaskView = self.server.get("the late signature", path).await?;
        if task.attempt == id {
            Ok(task)
        } else {
            Err(Error::Unreadable { asked: "the late signature", why: "it is another attempt's".into() })
        }
    }

    /// What both decisions say: who, about which attempt, when.
    fn held_claims(
        &self,
        task: &HeldTaskView,
        pin: &Pin,
        until: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<HeldClaims, Error> {
        let mut chance = [0; 16];
        self.platform.chance.fill(&mut chance)?;
        Ok(HeldClaims {
            jti: DecisionId::at(now, u128::from_be_bytes(chance)),
            iss: pin.device,
            sub: pin.person,
            iat: now.unix_timestamp(),
            exp: until.unix_timestamp(),
            act: String::new(),
            attempt: task.attempt,
            version: task.version,
            document: task.document,
            decision: HexDigest(Sha256::digest(&task.decision).into()),
            dtbs: task.dtbs,
            head: None,
            tail: None,
            reason: None,
            client: self.platform.client.into(),
            previous: task.previous_decision,
            checkpoint: None,
        })
    }

    /// Signs, and notes the decision before it leaves, as every other.
    async fn sign_held(
        &self,
        claims: &HeldClaims,
        task: &HeldTaskView,
        open: Option<OpenAttempt>,
    ) -> Result<String, Error> {
        let key = self.platform.key.as_ref();
        let public = key.public_jwk().await?;
        let jws = jws::sign(key, &public, HELD_TYP, &claims.iss.to_string(), claims).await?;
        remember(self.platform.keep.as_ref(), |memory| {
            memory.history.confirm(task.previous_decision);
            memory.history.send(HexDigest(Sha256::digest(&jws).into()));
            if let Some(open) = open {
                memory.watch(open);
            }
        })?;
        Ok(jws)
    }
}

impl HeldChecked {
    /// The document, as shown.
    pub fn document(&self) -> &DocumentView {
        self.reviewed.document()
    }

    /// The attempt whose signature it is.
    pub fn attempt(&self) -> AttemptId {
        self.task.attempt
    }

    /// The digest that the SIM signed, as computed here.
    pub fn dtbs(&self) -> Digest {
        self.finding.dtbs
    }

    /// The text that the SIM showed, code and all.
    pub fn sim_showed(&self) -> String {
        self.finding.prompt.shown()
    }

    /// Thẩm quyền ký of this signature.
    pub fn capacity(&self) -> &str {
        &self.finding.signer.capacity
    }

    /// What the clerk will fill in, and where.
    pub fn fields(&self) -> &[DeclaredField] {
        &self.finding.fields
    }

    /// The leader said yes: the device key signs it, and the signature goes on to its time stamp and into the document.
    ///
    /// # Errors
    /// As [`Checked::decide`](crate::Checked::decide).
    pub async fn adopt(self) -> Result<Asked, Error> {
        let Self { session, reviewed, task, prepared, pin, finding } = self;
        let now = session.platform.clock.now();
        if prepared.expires_at <= now {
            return Err(Error::Expired(prepared.expires_at));
        }
        let claims = HeldClaims {
            act: "adopt".into(),
            head: Some(reviewed.head().sha256),
            tail: Some(finding.tail),
            checkpoint: prepared.checkpoint.clone(),
            ..session.held_claims(&task, &pin, prepared.expires_at, now)?
        };
        let open = OpenAttempt {
            attempt: task.attempt,
            document: Some(task.document),
            content: HexDigest(finding.content.0),
            certificate: prepared.certificate,
            chain: prepared.chain,
            pin: None,
        };
        let jws = session.sign_held(&claims, &task, Some(open.clone())).await?;
        let path = format!("/v1/attempts/{}/adopt", open.attempt);
        Asked::begin(session, open, path, &DecisionRequest { jws }).await
    }
}

/// How long a decision to give up may wait for its server.
const VOID_COUNTS_FOR: Duration = Duration::minutes(10);

#[cfg(test)]
mod tests {
    use trinhky_protos::problem::{Code, Problem};

    use super::*;
    use crate::testing::TestKey;
    use crate::testing::fixture::Ready;
    use crate::{CoreError, DeviceKey as _};

    fn task(ready: &Ready) -> HeldTaskView {
        let attributes = trinhky_pades::cms::signed_attributes(
            &ready.kept.digest,
            &ready.sim.certificate,
            trinhky_pades::cms::ID_DATA,
        );
        HeldTaskView {
            attempt: ready.prepared.attempt,
            version: 7,
            document: ready.reviewed.document().id,
            decision: "e30.e30.AA".into(),
            dtbs: HexDigest(attributes.unwrap().dtbs_digest().0),
            previous_decision: ready.prepared.previous_decision,
            checkpoint: ready.prepared.checkpoint.clone(),
            prepared: Some(ready.prepared.clone()),
        }
    }

    async fn given_back() -> Ready {
        Ready::with(&trinhky_pades::ProvisionPlan::standard(1), |document| {
            document.state.name = "returned".into();
            document.state.turn_of = None;
            document.state.signer = None;
        })
        .await
    }

    async fn sent(ready: &Ready) -> HeldClaims {
        let asked = ready.bench.server.asked().pop().unwrap();
        let DecisionRequest { jws } = serde_json::from_slice(&asked.body).unwrap();
        let key = TestKey::new(7).public_jwk().await.unwrap();
        let claims = crate::jws::verify::<HeldClaims>(&jws, &key, HELD_TYP).unwrap().claims;
        let memory = recall(ready.bench.notes.as_ref()).unwrap();
        assert_eq!(memory.history.sent, [HexDigest(Digest::of(jws.as_bytes()).0)]);
        claims
    }

    #[tokio::test]
    async fn what_the_sim_signed_over_these_bytes_is_adopted_by_a_decision_of_its_own() {
        let ready = given_back().await;
        let (task, id) = (task(&ready), ready.prepared.attempt.to_string());
        ready.bench.server.json(200, &task).json(202, &ready.attempt(8, "verified", None));
        let checked = ready.bench.session.check_held(&ready.reviewed, &id).await.unwrap();
        assert_eq!(checked.dtbs().0, task.dtbs.0);
        let mut asked = checked.adopt().await.unwrap();
        let claims = sent(&ready).await;
        assert_eq!((claims.act.as_str(), claims.attempt, claims.version), ("adopt", task.attempt, 7));
        assert_eq!(claims.decision.0, Digest::of(task.decision.as_bytes()).0);
        assert_eq!((claims.dtbs, claims.head), (task.dtbs, Some(ready.reviewed.head().sha256)));
        assert_eq!(claims.tail.unwrap().0, Digest::of(&ready.kept.tail).0);

        ready.bench.server.json(200, &ready.attempt(9, "embedded", None));
        assert!(asked.next().await.unwrap().is_done());
    }

    #[tokio::test]
    async fn a_late_signature_over_anything_else_is_not_adopted() {
        let ready = given_back().await;
        let id = ready.prepared.attempt.to_string();
        let mut spoilt = vec![];
        let mut other = task(&ready);
        other.dtbs = HexDigest([9; 32]);
        spoilt.push((other, "signature_invalid"));
        let mut other = task(&ready);
        other.prepared.as_mut().unwrap().base.sha256 = HexDigest([9; 32]);
        spoilt.push((other, "base_changed"));
        let mut other = task(&ready);
        other.prepared.as_mut().unwrap().tail.0.extend_from_slice(b"more\n");
        spoilt.push((other, "tail_forbidden"));
        for (task, code) in spoilt {
            ready.bench.server.json(200, &task);
            let error = ready.bench.session.check_held(&ready.reviewed, &id).await.unwrap_err();
            let CoreError::DoNotSign(told) = error.into() else { panic!("must not be adopted: {code}") };
            assert_eq!(told.code, code);
        }
        let gone = HeldTaskView { prepared: None, ..task(&ready) };
        ready.bench.server.json(200, &gone);
        let error = ready.bench.session.check_held(&ready.reviewed, &id).await.unwrap_err();
        assert!(matches!(error, Error::NotWaiting(_)), "{error}");

        let waiting = Ready::new().await;
        let error = waiting.bench.session.check_held(&waiting.reviewed, &id).await.unwrap_err();
        assert!(
            matches!(error, Error::NotWaiting(_)),
            "a document on its chain has no late signature: {error}"
        );
    }

    #[tokio::test]
    async fn a_late_signature_is_given_up_with_a_reason_and_without_reading() {
        let ready = given_back().await;
        let (task, id) = (task(&ready), ready.prepared.attempt.to_string());
        ready.bench.server.json(200, &task).json(200, &ready.attempt(8, "voided", None));
        let view = ready.bench.session.void_held(&id, "Văn bản đã sửa").await.unwrap();
        assert_eq!(view.state, "voided");
        let claims = sent(&ready).await;
        assert_eq!((claims.act.as_str(), claims.reason.as_deref()), ("void", Some("Văn bản đã sửa")));
        assert_eq!((claims.head, claims.tail, claims.dtbs), (None, None, task.dtbs));
        assert!(recall(ready.bench.notes.as_ref()).unwrap().open.is_empty(), "there is nothing to watch");

        let foreign = HeldTaskView { previous_decision: Some(HexDigest([3; 32])), ..task };
        ready.bench.server.json(200, &foreign);
        let error = ready.bench.session.void_held(&id, "x").await.unwrap_err();
        assert!(matches!(error, Error::History { .. }), "{error}");
    }

    #[tokio::test]
    async fn an_adoption_that_was_refused_leaves_nothing_to_watch() {
        let ready = given_back().await;
        let id = ready.prepared.attempt.to_string();
        ready.bench.server.json(200, &task(&ready)).json(409, &Problem::new(Code::HeadMoved));
        let checked = ready.bench.session.check_held(&ready.reviewed, &id).await.unwrap();
        checked.adopt().await.unwrap_err();
        assert!(ready.bench.session.go_on().unwrap().is_empty());
    }
}
