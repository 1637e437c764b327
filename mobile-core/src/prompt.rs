//! What the SIM will show: the text that speaks of this very document, and the code on both screens.
//!
//! The text is composed here from what was shown and must be the server's, letter by letter; so a prompt can never
//! speak of another document than the one on the screen. The code is computed here from the digest computed here.

use time::Date;
use time::macros::format_description;
use trinhky_pades::Digest;
use trinhky_protos::document::DocumentView;
use trinhky_protos::signing::CodeKind;
use trinhky_simpki::code::{self, CodeOver, CodePolicy, VerificationCode};
use trinhky_simpki::digest::DtbsDigest;
use trinhky_simpki::display::{DEFAULT_BUDGET, DisplayText, Item, fold_vi};

use crate::error::Error;

/// A checked prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// The text with the literal `%%VC%%`: this is signed.
    pub(crate) text: DisplayText,
    /// The code that both screens show, if the SIM computes one.
    pub(crate) code: Option<VerificationCode>,
}

impl Prompt {
    /// The text as the SIM will show it, code and all.
    pub(crate) fn shown(&self) -> String {
        self.text.shown_with(self.code.as_ref())
    }

    /// What the screen says where the SIM computes no code: never a code written by the server (architecture, section 5).
    pub(crate) fn without_code(&self) -> Option<&'static str> {
        self.code.is_none().then_some(WITHOUT_CODE)
    }
}

/// The prompt for a document's signature.
///
/// # Errors
/// [`Error::DisplayText`] if `given` is not what this document's prompt says.
pub(crate) fn for_document(
    given: &str,
    document: &DocumentView,
    kind: CodeKind,
    dtbs: &Digest,
) -> Result<Prompt, Error> {
    let policy = policy(kind);
    let text = parse(given, policy)?;
    let date = match document.date.as_deref() {
        Some(date) => Some(Date::parse(date, format_description!("[year]-[month]-[day]")).map_err(|_| {
            Error::Unreadable { asked: "the document", why: format!("its date is {date:?}") }
        })?),
        None => None,
    };
    let item = Item { number: document.number.as_deref(), date, subject: &document.subject };
    let expected = DisplayText::compose(&item, policy, DEFAULT_BUDGET)
        .map_err(|error| Error::DisplayText { why: error.to_string(), given: given.into() })?;
    if text != expected {
        return Err(Error::DisplayText {
            why: format!("this document's text is {expected:?}"),
            given: given.into(),
        });
    }
    Ok(Prompt { text, code: policy.code(&DtbsDigest(dtbs.0)) })
}

/// The prompt for enrolling a device: it must say so, and name the person.
///
/// # Errors
/// [`Error::DisplayText`].
pub(crate) fn for_enrolment(
    given: &str,
    full_name: &str,
    kind: CodeKind,
    dtbs: &Digest,
) -> Result<Prompt, Error> {
    let policy = policy(kind);
    let text = parse(given, policy)?;
    if !(given.starts_with(ENROLMENT_LEAD) && given.contains(&fold_vi(full_name))) {
        let why = format!("an enrolment's text begins with {ENROLMENT_LEAD:?} and names its owner");
        return Err(Error::DisplayText { why, given: given.into() });
    }
    Ok(Prompt { text, code: policy.code(&DtbsDigest(dtbs.0)) })
}

fn parse(given: &str, policy: CodePolicy) -> Result<DisplayText, Error> {
    let wrong = |why: String| Error::DisplayText { why, given: given.into() };
    let text = DisplayText::parse(given).map_err(|error| wrong(error.to_string()))?;
    if text.septets() > DEFAULT_BUDGET {
        return Err(wrong(format!("{} septets, and a prompt shows {DEFAULT_BUDGET}", text.septets())));
    }
    if text.carries_code() != policy.on_prompt() {
        return Err(wrong("the place for the SIM's own code is missing, or there without one".into()));
    }
    Ok(text)
}

fn policy(kind: CodeKind) -> CodePolicy {
    let computed = |kind, over| CodePolicy::SimComputed { kind, over };
    match kind {
        CodeKind::MobileId4OverDigest => computed(code::CodeKind::MobileId4, CodeOver::Digest),
        CodeKind::MobileId4OverDigestInfo => computed(code::CodeKind::MobileId4, CodeOver::DigestInfo),
        CodeKind::Vn6OverDigest => computed(code::CodeKind::Vn6, CodeOver::Digest),
        CodeKind::Vn6OverDigestInfo => computed(code::CodeKind::Vn6, CodeOver::DigestInfo),
        CodeKind::None => CodePolicy::None,
    }
}

const WITHOUT_CODE: &str = "Cơ quan không dùng mã xác nhận, SIM không hiện mã nào. Hãy đối chiếu từng chữ trên SIM với dòng chữ ở đây.";

/// How every enrolment prompt begins, so that it can never pass for a document's.
const ENROLMENT_LEAD: &str = "Dang ky thiet bi";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    const KIND: CodeKind = CodeKind::MobileId4OverDigest;

    fn dtbs() -> Digest {
        Digest::of(b"abc")
    }

    #[tokio::test]
    async fn the_text_of_this_document_is_taken_and_carries_the_code_of_this_digest() {
        let document = Bench::new().await.document(&[("main", b"x")]);
        let prompt = for_document("Ky so VB Bo nhiem can bo. Ma %%VC%%", &document, KIND, &dtbs()).unwrap();
        assert_eq!(prompt.shown(), "Ky so VB Bo nhiem can bo. Ma 5933");
        let silent = for_document("Ky so VB Bo nhiem can bo", &document, CodeKind::None, &dtbs()).unwrap();
        assert_eq!((silent.code, silent.text.as_str()), (None, "Ky so VB Bo nhiem can bo"));
    }

    #[tokio::test]
    async fn any_other_text_is_refused() {
        let mut document = Bench::new().await.document(&[("main", b"x")]);
        document.number = Some("29/QĐ-UBND".into());
        document.date = Some("2026-03-02".into());
        let right = "Ky so VB 29/QD-UBND 02/03/2026 Bo nhiem can bo. Ma %%VC%%";
        for_document(right, &document, KIND, &dtbs()).unwrap();
        for wrong in [
            "Ky so VB 30/QD-UBND 02/03/2026 Bo nhiem can bo. Ma %%VC%%",
            "Ky so VB 29/QD-UBND 02/03/2026 Bo nhiem can bo. Ma 5933",
            "Ky so VB 29/QD-UBND 02/03/2026 Bo nhiem can bo",
            "Dang ky thiet bi cho Nguyen Van A. Ma %%VC%%",
            "Ký số VB 29/QD-UBND 02/03/2026 Bo nhiem can bo. Ma %%VC%%",
            "",
        ] {
            let error = for_document(wrong, &document, KIND, &dtbs()).unwrap_err();
            let crate::CoreError::DoNotSign(told) = error.into() else { panic!("must not be signed") };
            assert_eq!(told.code, "display_text_mismatch", "{wrong}");
        }
    }

    #[test]
    fn an_enrolment_says_so_and_names_its_owner() {
        let check = |text| for_enrolment(text, "Nguyễn Văn A", KIND, &dtbs());
        check("Dang ky thiet bi ky so cho Nguyen Van A. Ma %%VC%%").unwrap();
        for wrong in [
            "Dang ky thiet bi ky so cho Tran Van B. Ma %%VC%%",
            "Ky so VB Nguyen Van A. Ma %%VC%%",
            "Dang ky thiet bi ky so cho Nguyen Van A",
        ] {
            check(wrong).unwrap_err();
        }
    }
}
