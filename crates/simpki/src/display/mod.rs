//! What the SIM's prompt says: "Ky so VB 123/QD-UBND 05/03/2025 Bo nhiem can bo. Ma %%VC%%".
//!
//! A prompt is one short message in the GSM-7 alphabet, which has almost no Vietnamese letter; anything else
//! would turn the whole message to UCS-2 and halve it. So the text is folded ([`fold_vi`]), counted
//! ([`septets`]), and cut only where cutting does no harm: in the subject, at a word. The number and the
//! literal `%%VC%%`, which the SIM's applet replaces with the code it computed, are never cut.
//!
//! A subject is written by whoever drafts the document, so it is filtered ([`spoof`]) before it may stand
//! on a prompt. The folded text only identifies the document; its meaning is what the app shows in full.

mod fold;
mod gsm7;
pub mod spoof;

use std::fmt;

use serde::{Deserialize, Serialize};
use time::Date;

pub use self::{
    fold::fold_vi,
    gsm7::{NotGsm7, septets},
};
use crate::code::{CodePolicy, VerificationCode};

/// What the applet replaces with the code.
pub const CODE_LITERAL: &str = "%%VC%%";

/// Septets of a prompt that every provider seen so far shows whole.
pub const DEFAULT_BUDGET: usize = 100;

/// No prompt is longer than one SMS, whatever the configuration says.
const HARD_LIMIT: usize = 160;

/// A prompt's text: GSM-7, within one message, with `%%` only as the literal `%%VC%%`, at most once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DisplayText(String);

/// What a prompt is about.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Number and symbol, where the document already has one ("123/QĐ-UBND").
    pub number: Option<&'a str>,
    /// The document's date, where it already has one.
    pub date: Option<Date>,
    /// The subject (trích yếu), as written.
    pub subject: &'a str,
}

/// Why a text cannot stand on a prompt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DisplayError {
    /// Nothing that could be shown is left.
    #[error("the text is empty after folding: give the document a number or a subject in letters")]
    Empty,
    /// The parts that may not be cut do not fit.
    #[error("the number and the code need {needed} septets and the prompt has {budget}: shorten the number")]
    TooLong {
        /// Septets needed.
        needed: usize,
        /// Septets available.
        budget: usize,
    },
    /// A character that would turn the message to UCS-2.
    #[error(transparent)]
    NotGsm7(#[from] NotGsm7),
    /// `%%` other than one `%%VC%%`.
    #[error("the text holds '%%' other than one %%VC%%")]
    Placeholder,
}

impl DisplayText {
    /// Composes the prompt for a document: `Ky so VB {number} {date} {subject}. Ma %%VC%%`.
    ///
    /// The subject is folded, filtered and cut at a word with `..`; with no code policy the last sentence is
    /// left out. The same input gives the same text on every device.
    ///
    /// # Errors
    /// [`DisplayError::TooLong`] when number, date and code alone exceed the budget;
    /// [`DisplayError::Empty`] when neither a number nor a subject is left.
    pub fn compose(item: &Item<'_>, code: CodePolicy, budget: usize) -> Result<Self, DisplayError> {
        let budget = budget.min(HARD_LIMIT);
        let number = item.number.map(|n| fold_vi(n).replace("%%", "")).filter(|n| !n.is_empty());
        let is_numbered = number.is_some();
        let date = item.date.map(|d| format!("{:02}/{:02}/{:04}", d.day(), u8::from(d.month()), d.year()));
        let subject = spoof::clean(item.subject);
        if !is_numbered && subject.is_empty() {
            return Err(DisplayError::Empty);
        }
        let head = [Some(LEAD.to_owned()), number, date].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let tail = if code.on_prompt() { format!(". Ma {CODE_LITERAL}") } else { String::new() };
        let fixed = septets(&head)? + septets(&tail)?;
        if fixed > budget {
            return Err(DisplayError::TooLong { needed: fixed, budget });
        }
        let subject = cut_at_word(&subject, (budget - fixed).saturating_sub(1));
        if !is_numbered && subject.is_empty() {
            return Err(DisplayError::TooLong { needed: budget + 1, budget });
        }
        let space = if subject.is_empty() { "" } else { " " };
        Self::parse(&format!("{head}{space}{subject}{tail}"))
    }

    /// Takes a text made elsewhere, such as the one in a signed decision, if it could stand on a prompt.
    ///
    /// # Errors
    /// [`DisplayError`] says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, DisplayError> {
        if text.trim().is_empty() {
            return Err(DisplayError::Empty);
        }
        let needed = septets(text)?;
        if needed > HARD_LIMIT {
            return Err(DisplayError::TooLong { needed, budget: HARD_LIMIT });
        }
        // A line feed is GSM-7, but would let a text draw a second line that looks like the phone's own.
        if let Some(control) = text.chars().find(|c| c.is_control()) {
            return Err(NotGsm7(control).into());
        }
        if text.replacen(CODE_LITERAL, "", 1).contains("%%") {
            return Err(DisplayError::Placeholder);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text as it is sent, with the literal `%%VC%%`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the applet is asked to put a code in.
    pub fn carries_code(&self) -> bool {
        self.0.contains(CODE_LITERAL)
    }

    /// The text as the SIM will show it, for "SIM sẽ hiện: …".
    pub fn shown_with(&self, code: Option<&VerificationCode>) -> String {
        match code {
            Some(code) => self.0.replacen(CODE_LITERAL, code.as_str(), 1),
            None => self.0.clone(),
        }
    }

    /// Its length as the network counts it.
    pub fn septets(&self) -> usize {
        septets(&self.0).unwrap_or(HARD_LIMIT)
    }
}

impl TryFrom<String> for DisplayText {
    type Error = DisplayError;

    fn try_from(text: String) -> Result<Self, DisplayError> {
        Self::parse(&text)
    }
}

impl From<DisplayText> for String {
    fn from(text: DisplayText) -> Self {
        text.0
    }
}

impl fmt::Display for DisplayText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As many whole words as fit, with `..` when some did not; nothing rather than half a word.
///
/// `text` is folded, so one character is one septet and one byte.
fn cut_at_word(text: &str, budget: usize) -> String {
    if text.len() <= budget {
        return text.to_owned();
    }
    let room = budget.saturating_sub(MORE.len());
    let fitting = text.get(..=room).and_then(|start| start.rfind(' ')).unwrap_or(0);
    match text.get(..fitting).map(|kept| kept.trim_end_matches([' ', '.', ',', ';', ':', '-'])) {
        None | Some("") => String::new(),
        Some(kept) => format!("{kept}{MORE}"),
    }
}

/// Words before the number: "digitally sign document".
const LEAD: &str = "Ky so VB";
/// Marks a subject that was cut.
const MORE: &str = "..";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;
    use crate::code::{CodeKind, CodeOver};

    const CODE: CodePolicy = CodePolicy::SimComputed { kind: CodeKind::MobileId4, over: CodeOver::Digest };

    fn numbered(subject: &str) -> Item<'_> {
        Item { number: Some("123/QĐ-UBND"), date: Some(date!(2025 - 03 - 05)), subject }
    }

    #[test]
    fn a_numbered_document_reads_number_date_subject_code() {
        let text = DisplayText::compose(&numbered("Bổ nhiệm cán bộ"), CODE, DEFAULT_BUDGET).unwrap();
        assert_eq!(text.as_str(), "Ky so VB 123/QD-UBND 05/03/2025 Bo nhiem can bo. Ma %%VC%%");
    }

    #[test]
    fn a_document_without_number_is_named_by_its_subject() {
        let item = Item { number: None, date: None, subject: "Kế hoạch phòng, chống bão số 3" };
        let text = DisplayText::compose(&item, CODE, DEFAULT_BUDGET).unwrap();
        assert_eq!(text.as_str(), "Ky so VB Ke hoach phong, chong bao so 3. Ma %%VC%%");
    }

    #[test]
    fn the_subject_is_cut_at_a_word_and_nothing_else_is() {
        let subject =
            "Về việc phê duyệt nhiệm vụ quy hoạch chi tiết khu dân cư trung tâm xã Quài Tở, huyện Tuần Giáo";
        let text = DisplayText::compose(&numbered(subject), CODE, DEFAULT_BUDGET).unwrap();
        assert_eq!(
            text.as_str(),
            "Ky so VB 123/QD-UBND 05/03/2025 Ve viec phe duyet nhiem vu quy hoach chi tiet khu dan... Ma %%VC%%"
        );
        assert!(text.septets() <= DEFAULT_BUDGET);
    }

    #[test]
    fn without_a_code_policy_no_code_is_promised() {
        let text = DisplayText::compose(&numbered("Bổ nhiệm"), CodePolicy::None, DEFAULT_BUDGET).unwrap();
        assert_eq!(text.as_str(), "Ky so VB 123/QD-UBND 05/03/2025 Bo nhiem");
        assert!(!text.carries_code());
    }

    #[test]
    fn a_number_that_does_not_fit_is_refused_not_cut() {
        let number = "1".repeat(120);
        let item = Item { number: Some(&number), date: None, subject: "x" };
        assert!(matches!(
            DisplayText::compose(&item, CODE, DEFAULT_BUDGET),
            Err(DisplayError::TooLong { .. })
        ));
    }

    #[test]
    fn nothing_to_say_is_refused() {
        let item = Item { number: None, date: None, subject: "公文 %% 0900 000 001" };
        assert_eq!(DisplayText::compose(&item, CODE, DEFAULT_BUDGET), Err(DisplayError::Empty));
    }

    #[test]
    fn texts_from_outside_are_held_to_the_same_rules() {
        assert!(DisplayText::parse("Ky so VB 1. Ma %%VC%%").is_ok());
        assert_eq!(DisplayText::parse("Ma %%VC%% %%VC%%"), Err(DisplayError::Placeholder));
        assert_eq!(DisplayText::parse("Ma %%XX%%"), Err(DisplayError::Placeholder));
        assert_eq!(DisplayText::parse("Ký số"), Err(NotGsm7('ý').into()));
        assert_eq!(DisplayText::parse("a\nb"), Err(NotGsm7('\n').into()));
        assert_eq!(DisplayText::parse("  "), Err(DisplayError::Empty));
        assert!(matches!(
            DisplayText::parse(&"a".repeat(161)),
            Err(DisplayError::TooLong { needed: 161, .. })
        ));
    }

    #[test]
    fn the_preview_puts_the_code_in() {
        let text = DisplayText::parse("Ky so VB 1. Ma %%VC%%").unwrap();
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".parse().unwrap();
        assert_eq!(text.shown_with(CODE.code(&digest).as_ref()), "Ky so VB 1. Ma 5933");
    }

    proptest! {
        #[test]
        fn whatever_the_subject_the_prompt_fits_and_ends_with_the_code(subject in "\\PC{0,300}") {
            let text = DisplayText::compose(&numbered(&subject), CODE, DEFAULT_BUDGET).unwrap();
            prop_assert!(text.septets() <= DEFAULT_BUDGET);
            prop_assert!(text.as_str().starts_with("Ky so VB 123/QD-UBND 05/03/2025"));
            prop_assert!(text.as_str().ends_with(". Ma %%VC%%"));
            prop_assert_eq!(text.as_str().matches("%%").count(), 2);
        }

        #[test]
        fn any_budget_gives_a_fitting_text_or_a_refusal(subject in "\\PC{0,80}", budget in 0usize..200) {
            if let Ok(text) = DisplayText::compose(&numbered(&subject), CODE, budget) {
                prop_assert!(text.septets() <= budget);
            }
        }
    }
}
