//! Signed notes: a text and who signed it, as one text (C2SP `signed-note`). Reading and writing only; whoever holds the
//! keys signs and verifies.
//!
//! ```text
//! text, one or more lines
//!
//! — name base64(key hash, 4 bytes ‖ signature)
//! ```

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A text with its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    /// What is signed, with the newline at its end.
    pub text: String,
    /// Who signed it.
    pub signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key: not empty, no space and no plus sign in it.
    pub name: String,
    /// Hash that tells keys of one name apart; no proof of anything.
    pub key: [u8; 4],
    /// The signature.
    pub value: Vec<u8>,
}

/// A note may be no longer; nobody signs a book.
const LONGEST: usize = 64 * 1024;
/// Signatures on one note at most.
const MOST: usize = 16;

impl SignedNote {
    /// Reads a note; lines after the text that are no signatures make it none.
    pub fn parse(note: &str) -> Option<Self> {
        if note.len() > LONGEST || note.chars().any(|c| c.is_control() && c != '\n') {
            return None;
        }
        let split = note.rfind("\n\n")?;
        let (text, signed) = (note.get(..=split)?, note.get(split + 2..)?);
        let signed = signed.strip_suffix('\n')?;
        let signatures: Vec<_> = signed.split('\n').take(MOST + 1).map(signature).collect::<Option<_>>()?;
        (signatures.len() <= MOST).then(|| Self { text: text.to_owned(), signatures })
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for NoteSignature { name, key, value } in &self.signatures {
            writeln!(f, "— {name} {}", STANDARD.encode([key.as_slice(), value].concat()))?;
        }
        Ok(())
    }
}

fn signature(line: &str) -> Option<NoteSignature> {
    let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let (key, value) = bytes.split_first_chunk::<4>()?;
    let named = !name.is_empty() && !name.contains('+') && !value.is_empty();
    named.then(|| NoteSignature { name: name.to_owned(), key: *key, value: value.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_note_is_not_read() {
        let note = "a\nb\n\n— name AAAAAAE=\n";
        assert_eq!(SignedNote::parse(note).expect("a note").text, "a\nb\n");
        for broken in [
            "",
            "a\nb\n",
            "a\n\n- name AAAAAAE=\n",
            "a\n\n— name AAAAAAE=",
            "a\n\n— name AAAA\n",
            "a\n\n— na+me AAAAAAE=\n",
            "a\n\n— AAAAAAE=\n",
            "a\r\n\n— name AAAAAAE=\n",
        ] {
            assert_eq!(SignedNote::parse(broken), None, "{broken:?}");
        }
    }

    proptest! {
        #[test]
        fn a_note_survives_text(
            lines in proptest::collection::vec("[a-z0-9/+=. ]{1,20}", 1..5),
            signed in proptest::collection::vec(
                ("[a-z./-]{1,20}", any::<[u8; 4]>(), proptest::collection::vec(any::<u8>(), 1..80)),
                1..4,
            ),
        ) {
            let text = lines.iter().fold(String::new(), |text, line| text + line + "\n");
            let signatures =
                signed.into_iter().map(|(name, key, value)| NoteSignature { name, key, value }).collect();
            let note = SignedNote { text, signatures };
            prop_assert_eq!(SignedNote::parse(&note.to_string()), Some(note));
        }

        #[test]
        fn any_text_is_a_note_or_not(text in "(.|\n){0,200}") {
            let _ = SignedNote::parse(&text);
        }
    }
}
