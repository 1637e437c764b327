//! The check before consent: the tail only adds this signature, to the very bytes that were shown.
//!
//! [`Checked`] is what a leader may consent to, and only [`Session::check`] makes one. Everything in it was computed
//! here from the reviewed bytes: the digest of the `ByteRange`, the signed attributes, the digest to be signed (DTBS),
//! the code and the text of the SIM, the declared fields with their places. Nothing was asked of the SIM yet.

use time::OffsetDateTime;
use trinhky_pades::Digest;
use trinhky_pades::x509::Certificate;
use trinhky_protos::HexDigest;
use trinhky_protos::audit::{Consistency, ConsistencyView};
use trinhky_protos::document::{DocumentView, SignerView};
use trinhky_protos::ids::AttemptId;
use trinhky_protos::problem::Code;
use trinhky_protos::signing::{PrepareRequest, PrepareResponse};
use trinhky_simpki::code::VerificationCode;

use crate::error::Error;
use crate::examine::{examine, growth, my_turn};
use crate::keep::{Pin, recall, remember};
use crate::prompt::Prompt;
use crate::review::Reviewed;
use crate::session::Session;

/// What may be consented to. Deciding uses it up: a challenge is good once.
pub struct Checked {
    pub(crate) session: Session,
    pub(crate) reviewed: Reviewed,
    pub(crate) prepared: PrepareResponse,
    pub(crate) pin: Pin,
    pub(crate) finding: Finding,
}

/// What the examination found; every part goes into the decision or onto the screen.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) signer: SignerView,
    pub(crate) certificate: Certificate,
    pub(crate) content: Digest,
    pub(crate) dtbs: Digest,
    pub(crate) prompt: Prompt,
    pub(crate) tail: HexDigest,
    pub(crate) fields: Vec<DeclaredField>,
}

/// A declared field, read from the bytes: drawn on the screen with "văn thư sẽ điền".
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredField {
    /// Its name, e.g. `DocNumber`.
    pub name: String,
    /// From 1; 0 for none.
    pub page: u32,
    /// x, y, width, height in points from the lower left of the page as displayed.
    pub rect: [f64; 4],
    /// Its text, if it was filled already.
    pub text: Option<String>,
}

impl std::fmt::Debug for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checked")
            .field("attempt", &self.prepared.attempt)
            .field("dtbs", &self.finding.dtbs)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Has a signature prepared for what was reviewed, and checks that it is that and nothing else.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], [`Error::NotWaiting`]; [`Error::BaseChanged`], [`Error::Tail`], [`Error::Manifest`],
    /// [`Error::CertificateMismatch`], [`Error::CertificateExpired`], [`Error::CodeKind`], [`Error::DisplayText`], [`Error::History`],
    /// [`Error::AuditShrank`], [`Error::AuditForked`], [`Error::GoodForTooLong`], [`Error::Expired`] if what was prepared must not be signed; [`Error::Transport`],
    /// [`Error::Refused`], of which `head_moved` means: read again.
    pub async fn check(&self, reviewed: &Reviewed) -> Result<Checked, Error> {
        let memory = recall(self.platform.keep.as_ref())?;
        let pin =
            memory.pin.clone().filter(|pin| pin.person == self.person().id).ok_or(Error::NotEnrolled)?;
        my_turn(reviewed.document(), self.person())?;
        let request = PrepareRequest { device: pin.device, head: reviewed.head().sha256 };
        let path = format!("/v1/documents/{}/prepare", reviewed.document().id);
        let prepared: PrepareResponse = self.server.act("the preparation", path, &request).await?;
        let growth = self.growth(memory.checkpoint.as_deref(), prepared.checkpoint.as_deref()).await?;
        let now = self.platform.clock.now();
        let finding = examine(reviewed, &prepared, self.person(), &memory, &pin, growth.as_ref(), now)?;
        // Witnessed and known from here on, whatever the leader decides.
        if prepared.checkpoint != memory.checkpoint || pin.code_kind.is_none() {
            remember(self.platform.keep.as_ref(), |memory| {
                memory.witness(prepared.checkpoint.clone());
                if let Some(pin) = &mut memory.pin {
                    pin.code_kind.get_or_insert(prepared.code_kind);
                }
            })?;
        }
        Ok(Checked { session: self.clone(), reviewed: reviewed.clone(), prepared, pin, finding })
    }
}

impl Session {
    /// The proof that the audit log has grown from what this device saw to what it is given now; none if it has not grown.
    pub(crate) async fn growth(
        &self,
        seen: Option<&str>,
        given: Option<&str>,
    ) -> Result<Option<Consistency>, Error> {
        let Some((from, to)) = growth(seen, given) else { return Ok(None) };
        let path = format!("/v1/audit/consistency?from={from}&to={to}");
        match self.server.get::<ConsistencyView>("the audit log's growth", path).await {
            Ok(view) => Ok(Some(view.into())),
            Err(Error::Refused(problem)) if problem.code == Code::NotFound.as_str() => {
                Err(Error::AuditForked {
                    why: format!("the server has no proof from {from} to {to} entries"),
                })
            }
            Err(error) => Err(error),
        }
    }
}

impl Checked {
    /// The document, as shown.
    pub fn document(&self) -> &DocumentView {
        self.reviewed.document()
    }

    /// The attempt that deciding starts.
    pub fn attempt(&self) -> AttemptId {
        self.prepared.attempt
    }

    /// The code that both screens show; none if the SIM computes none, and then the screen says so.
    pub fn code(&self) -> Option<&str> {
        self.finding.prompt.code.as_ref().map(VerificationCode::as_str)
    }

    /// What the screen says in the place of a code that there is not.
    pub fn without_code(&self) -> Option<&'static str> {
        self.finding.prompt.without_code()
    }

    /// "SIM sẽ hiện: …", code and all.
    pub fn sim_shows(&self) -> String {
        self.finding.prompt.shown()
    }

    /// The text as it is signed, with the literal `%%VC%%`.
    pub fn display_text(&self) -> &str {
        self.finding.prompt.text.as_str()
    }

    /// The digest that the SIM signs: SHA-256 of the signed attributes.
    pub fn dtbs(&self) -> Digest {
        self.finding.dtbs
    }

    /// The signer's certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.finding.certificate
    }

    /// Thẩm quyền ký of this signature.
    pub fn capacity(&self) -> &str {
        &self.finding.signer.capacity
    }

    /// What the clerk will fill in, and where.
    pub fn fields(&self) -> &[DeclaredField] {
        &self.finding.fields
    }

    /// After this, check again.
    pub fn expires_at(&self) -> OffsetDateTime {
        self.prepared.expires_at
    }
}

#[cfg(test)]
mod tests {
    use trinhky_pades::cms::{self, ID_DATA};
    use trinhky_pades::pdf::Rect;
    use trinhky_pades::{PagePlace, ProvisionPlan};
    use trinhky_protos::signing::CodeKind;

    use super::*;
    use crate::CoreError;
    use crate::testing::NOW;
    use crate::testing::fixture::{Log, Ready, Sim, tampered};

    /// What the app is told when the server answers `prepared`.
    async fn told(ready: &Ready, prepared: &PrepareResponse) -> CoreError {
        ready.bench.server.json(201, prepared);
        let error = ready.bench.session.check(&ready.reviewed).await.expect_err("must be refused");
        assert_eq!(ready.bench.server.asked().len(), 1, "nothing but the preparation was asked for");
        error.into()
    }

    async fn refused_with(ready: &Ready, change: impl FnOnce(&mut PrepareResponse)) -> String {
        let mut prepared = ready.prepared.clone();
        change(&mut prepared);
        match told(ready, &prepared).await {
            CoreError::DoNotSign(told) => told.code,
            other => panic!("{other} is no refusal to sign"),
        }
    }

    #[tokio::test]
    async fn an_honest_preparation_is_checked_and_shown() {
        let ready = Ready::new().await;
        ready.bench.server.json(201, &ready.prepared);
        let checked = ready.bench.session.check(&ready.reviewed).await.unwrap();
        assert_eq!(checked.finding.content, ready.kept.digest, "the digest the server would sign");
        let attributes = cms::signed_attributes(&ready.kept.digest, &ready.sim.certificate, ID_DATA).unwrap();
        assert_eq!(checked.dtbs(), attributes.dtbs_digest());
        let code = checked.code().unwrap().to_owned();
        assert_eq!(checked.sim_shows(), format!("Ky so VB Bo nhiem can bo. Ma {code}"));
        assert_eq!(checked.without_code(), None);
        let names: Vec<_> = checked.fields().iter().map(|field| (field.name.as_str(), field.page)).collect();
        assert_eq!(names, [("DocNumber", 1), ("DocDate", 1)]);
    }

    #[tokio::test]
    async fn another_base_than_was_read_is_refused() {
        let ready = Ready::new().await;
        let other = HexDigest([9; 32]);
        assert_eq!(refused_with(&ready, |prepared| prepared.base.sha256 = other).await, "base_changed");
        assert_eq!(refused_with(&ready, |prepared| prepared.base.length += 1).await, "base_changed");
    }

    #[tokio::test]
    async fn a_tail_that_changes_a_page_is_refused() {
        let ready = Ready::new().await;
        let page = ready.provisioned.manifest.fields[0].page_id;
        let annotations = ready.provisioned.manifest.fields[0].annots;
        for change in ["/Contents 3 0 R", "/Rotate 90", "/CropBox [0 0 10 10]"] {
            let page_anew = format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> /Annots {annotations} /Tabs /S {change} >>"
            );
            let tail = tampered(&ready, page.number, &page_anew);
            assert_eq!(
                refused_with(&ready, |prepared| prepared.tail.0 = tail).await,
                "tail_changes_page",
                "{change}"
            );
        }
    }

    #[tokio::test]
    async fn a_tail_that_does_anything_else_is_refused() {
        let ready = Ready::new().await;
        let font = ready.provisioned.manifest.font;
        let tail = tampered(&ready, font.number, "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>");
        assert_eq!(refused_with(&ready, |prepared| prepared.tail.0 = tail).await, "tail_forbidden");
        for (what, cut) in [("a shorter tail", 1), ("no tail", usize::MAX)] {
            let tail = ready.kept.tail.clone();
            let kept = tail.len().saturating_sub(cut);
            let code = refused_with(&ready, |prepared| prepared.tail.0 = tail[..kept].to_vec()).await;
            assert_eq!(code, "tail_forbidden", "{what}");
        }
        let code = refused_with(&ready, |prepared| prepared.tail.0.extend_from_slice(b"more\n")).await;
        assert_eq!(code, "tail_forbidden");
        assert_eq!(
            refused_with(&ready, |prepared| prepared.field = "OrgSeal".into()).await,
            "tail_forbidden"
        );
    }

    #[tokio::test]
    async fn a_tail_with_something_in_the_gap_already_is_refused() {
        let ready = Ready::new().await;
        let at = usize::try_from(ready.kept.contents.at_in_tail).unwrap() + 1;
        let code =
            refused_with(&ready, |prepared| prepared.tail.0[at..at + 4].copy_from_slice(b"3082")).await;
        assert_eq!(code, "tail_forbidden");
    }

    #[tokio::test]
    async fn a_number_field_outside_its_place_is_refused() {
        let mut plan = ProvisionPlan::standard(1);
        let rect = Rect { x0: 200.0, y0: 300.0, x1: 300.0, y1: 318.0 };
        plan.number.as_mut().unwrap().place = Some(PagePlace { page: 1, rect });
        let ready = Ready::with(&plan, |_| {}).await;
        assert_eq!(refused_with(&ready, |_| {}).await, "field_outside_place");
    }

    #[tokio::test]
    async fn another_certificate_is_refused_whoever_it_names() {
        let ready = Ready::new().await;
        let twin = Sim::of(&ready.bench.session.person().full_name);
        let code = refused_with(&ready, |prepared| prepared.certificate.0 = twin.certificate).await;
        assert_eq!(code, "certificate_mismatch");

        let stranger = Sim::of("Trần Thị B");
        ready
            .bench
            .remember(|memory| memory.pin.as_mut().unwrap().certificate.0 = stranger.certificate.clone());
        let code = refused_with(&ready, |prepared| prepared.certificate.0 = stranger.certificate).await;
        assert_eq!(code, "certificate_mismatch");
    }

    #[tokio::test]
    async fn a_text_that_speaks_of_another_document_is_refused() {
        let ready = Ready::new().await;
        let text = "Ky so VB Thoi viec can bo. Ma %%VC%%";
        assert_eq!(
            refused_with(&ready, |prepared| prepared.display_text = text.into()).await,
            "display_text_mismatch"
        );
    }

    #[tokio::test]
    async fn another_way_to_make_the_code_than_the_sim_signed_at_enrolment_is_refused() {
        let ready = Ready::new().await;
        for (kind, text) in [
            (CodeKind::None, "Ky so VB Bo nhiem can bo"),
            (CodeKind::Vn6OverDigest, "Ky so VB Bo nhiem can bo. Ma %%VC%%"),
            (CodeKind::MobileId4OverDigestInfo, "Ky so VB Bo nhiem can bo. Ma %%VC%%"),
        ] {
            let code = refused_with(&ready, |prepared| {
                (prepared.code_kind, prepared.display_text) = (kind, text.into());
            });
            assert_eq!(code.await, "code_kind_changed", "{kind:?}");
        }
    }

    #[tokio::test]
    async fn an_agency_without_codes_says_so_and_what_a_device_was_told_first_stays() {
        let ready = Ready::new().await;
        ready.bench.remember(|memory| memory.pin.as_mut().unwrap().code_kind = None);
        let mut prepared = ready.prepared.clone();
        (prepared.code_kind, prepared.display_text) = (CodeKind::None, "Ky so VB Bo nhiem can bo".into());
        ready.bench.server.json(201, &prepared);
        let checked = ready.bench.session.check(&ready.reviewed).await.unwrap();
        assert_eq!((checked.code(), checked.sim_shows().as_str()), (None, "Ky so VB Bo nhiem can bo"));
        assert!(checked.without_code().unwrap().contains("không dùng mã xác nhận"));
        ready.bench.server.asked();
        assert_eq!(refused_with(&ready, |_| {}).await, "code_kind_changed");
    }

    #[tokio::test]
    async fn another_manifest_is_refused() {
        let ready = Ready::new().await;
        let code = refused_with(&ready, |prepared| prepared.manifest.0.push(b' ')).await;
        assert_eq!(code, "manifest_mismatch");
        let other =
            Ready::with(&ProvisionPlan::standard(1), |document| document.manifest = HexDigest([0; 32])).await;
        assert_eq!(refused_with(&other, |_| {}).await, "manifest_mismatch");
    }

    #[tokio::test]
    async fn a_decision_this_device_never_made_and_a_shorter_audit_log_are_refused() {
        let ready = Ready::new().await;
        let log = Log::of(12);
        ready.bench.remember(|memory| {
            memory.history.confirmed = Some(HexDigest([1; 32]));
            memory.checkpoint = Some(log.checkpoint());
        });
        let foreign = Some(HexDigest([2; 32]));
        assert_eq!(
            refused_with(&ready, |prepared| prepared.previous_decision = foreign).await,
            "history_broken"
        );
        let code = refused_with(&ready, |prepared| {
            prepared.previous_decision = Some(HexDigest([1; 32]));
            prepared.checkpoint = Some(Log::of(11).checkpoint());
        });
        assert_eq!(code.await, "history_broken");
        let renamed = log.checkpoint().replace("here/", "there/");
        for other in [log.forked(3).checkpoint(), renamed, "13 entries, believe me".into()] {
            let code = refused_with(&ready, |prepared| {
                prepared.previous_decision = Some(HexDigest([1; 32]));
                prepared.checkpoint = Some(other.clone());
            });
            assert_eq!(code.await, "history_broken", "{other}");
        }
    }

    /// Checks with a log that has grown to `now`, of which the server gives `proof`.
    async fn grown(ready: &Ready, now: &Log, proof: &Consistency) -> Result<Checked, Error> {
        let mut prepared = ready.prepared.clone();
        prepared.checkpoint = Some(now.checkpoint());
        ready.bench.server.json(201, &prepared).json(200, &ConsistencyView::from(proof.clone()));
        let checked = ready.bench.session.check(&ready.reviewed).await;
        let asked = ready.bench.server.asked().pop().unwrap();
        assert_eq!(asked.path, format!("/v1/audit/consistency?from={}&to={}", 12, now.size()));
        checked
    }

    #[tokio::test]
    async fn a_longer_audit_log_must_begin_with_the_one_seen_and_is_witnessed_then() {
        let ready = Ready::new().await;
        let (seen, longer) = (Log::of(12), Log::of(19));
        ready.bench.remember(|memory| memory.checkpoint = Some(seen.checkpoint()));
        // The lie needs one entry changed, whatever proof is given with it.
        let forked = longer.forked(3);
        for proof in [forked.consistency(12), longer.consistency(12), seen.consistency(12)] {
            let error = grown(&ready, &forked, &proof).await.expect_err("the log was written anew");
            let CoreError::DoNotSign(told) = error.into() else { panic!("must not be signed") };
            assert_eq!(told.code, "history_broken");
        }
        let mut prepared = ready.prepared.clone();
        prepared.checkpoint = Some(longer.checkpoint());
        let none = trinhky_protos::problem::Problem::new(Code::NotFound);
        ready.bench.server.json(201, &prepared).json(404, &none);
        let error = ready.bench.session.check(&ready.reviewed).await.unwrap_err();
        assert!(matches!(error, Error::AuditForked { .. }), "{error}");
        ready.bench.server.asked();
        assert_eq!(recall(ready.bench.notes.as_ref()).unwrap().checkpoint, Some(seen.checkpoint()));

        let checked = grown(&ready, &longer, &longer.consistency(12)).await.unwrap();
        assert_eq!(checked.prepared.checkpoint, Some(longer.checkpoint()), "the decision names it");
        assert_eq!(recall(ready.bench.notes.as_ref()).unwrap().checkpoint, Some(longer.checkpoint()));
        ready.bench.remember(|memory| memory.witness(Some(seen.checkpoint())));
        assert_eq!(recall(ready.bench.notes.as_ref()).unwrap().checkpoint, Some(longer.checkpoint()));
    }

    #[tokio::test]
    async fn a_decision_that_would_count_for_hours_is_refused() {
        let ready = Ready::new().await;
        for long in [time::Duration::minutes(21), time::Duration::days(3_000)] {
            let code = refused_with(&ready, |prepared| prepared.expires_at = NOW + long).await;
            assert_eq!(code, "validity_too_long");
        }
    }

    #[tokio::test]
    async fn what_is_too_late_or_not_mine_is_not_asked_for() {
        let ready = Ready::new().await;
        let mut expired = ready.prepared.clone();
        expired.expires_at = NOW;
        assert!(
            matches!(told(&ready, &expired).await, CoreError::ReadAgain(told) if told.code == "decision_expired")
        );

        let other = Ready::with(&ProvisionPlan::standard(1), |document| document.state.turn_of = None).await;
        let error = other.bench.session.check(&other.reviewed).await.unwrap_err();
        assert!(matches!(error, Error::NotWaiting(_)), "{error}");
        other.bench.remember(|memory| memory.pin = None);
        let error = other.bench.session.check(&other.reviewed).await.unwrap_err();
        assert!(matches!(error, Error::NotEnrolled), "{error}");
        assert!(other.bench.server.asked().is_empty());
    }
}
