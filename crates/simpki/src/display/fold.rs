//! Vietnamese to plain letters: "Quyết định về việc…" becomes "Quyet dinh ve viec...".
//!
//! The result is ASCII that stands in the *basic* GSM-7 table, without the characters that handsets' SIM
//! menus are known to show wrong (`@`, `$`, `_`). Folding is many to one ("bán", "bàn", "bản" all become
//! "ban"), which is why the folded text may only ever identify a document, never state its content.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// Folds a text for a SIM prompt; characters that have no plain form are dropped, blanks collapse.
pub fn fold_vi(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    // NFD splits every accented letter, composed or not, into its letter and its marks; only the barred d
    // is a letter of its own and has no decomposition.
    for letter in text.nfd().filter(|c| !is_combining_mark(*c)) {
        match plain(letter) {
            Plain::One(c) => folded.push(c),
            Plain::Text(s) => folded.push_str(s),
            Plain::Blank if folded.is_empty() || folded.ends_with(' ') => {}
            Plain::Blank => folded.push(' '),
            Plain::Nothing => {}
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

enum Plain {
    One(char),
    Text(&'static str),
    Blank,
    Nothing,
}

fn plain(c: char) -> Plain {
    match c {
        'đ' => Plain::One('d'),
        'Đ' => Plain::One('D'),
        '“' | '”' | '„' | '«' | '»' => Plain::One('"'),
        '‘' | '’' | '‚' | '`' | '´' => Plain::One('\''),
        '–' | '—' | '‒' | '―' | '−' | '‐' | '‑' | '_' | '~' => Plain::One('-'),
        '…' => Plain::Text("..."),
        '[' | '{' => Plain::One('('),
        ']' | '}' => Plain::One(')'),
        '|' | '\\' => Plain::One('/'),
        '@' | '$' | '^' => Plain::Blank,
        c if c.is_whitespace() || c.is_control() => Plain::Blank,
        ' '..='~' => Plain::One(c),
        _ => Plain::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::display::septets;

    /// The 67 accented letters of the Vietnamese alphabet, each with the letter it folds to.
    const LETTERS: [(&str, char); 12] = [
        ("àảãáạ", 'a'),
        ("ăằẳẵắặ", 'a'),
        ("âầẩẫấậ", 'a'),
        ("đ", 'd'),
        ("èẻẽéẹ", 'e'),
        ("êềểễếệ", 'e'),
        ("ìỉĩíị", 'i'),
        ("òỏõóọ", 'o'),
        ("ôồổỗốộ", 'o'),
        ("ơờởỡớợ", 'o'),
        ("ùủũúụ", 'u'),
        ("ưừửữứựỳỷỹýỵ", '\0'),
    ];

    #[test]
    fn all_134_letters_fold_composed_and_decomposed() {
        let mut count = 0;
        for (letters, base) in LETTERS {
            for letter in letters.chars() {
                let base = match (base, "ỳỷỹýỵ".contains(letter)) {
                    ('\0', true) => 'y',
                    ('\0', false) => 'u',
                    (base, _) => base,
                };
                let upper: String = letter.to_uppercase().collect();
                for (form, plain) in [(letter.to_string(), base), (upper, base.to_ascii_uppercase())] {
                    count += 1;
                    assert_eq!(
                        fold_vi(&form.nfc().collect::<String>()),
                        plain.to_string(),
                        "{form} composed"
                    );
                    assert_eq!(
                        fold_vi(&form.nfd().collect::<String>()),
                        plain.to_string(),
                        "{form} decomposed"
                    );
                }
            }
        }
        assert_eq!(count, 134);
    }

    #[test]
    fn only_seven_of_the_134_letters_are_gsm_7() {
        let letters = LETTERS.iter().flat_map(|(letters, _)| letters.chars());
        let both = letters.flat_map(|c| [c, c.to_uppercase().next().unwrap()]);
        let mut kept: Vec<char> = both.filter(|c| septets(&c.to_string()).is_ok()).collect();
        kept.sort_unstable();
        assert_eq!(kept, ['\u{c9}', '\u{e0}', '\u{e8}', '\u{e9}', '\u{ec}', '\u{f2}', '\u{f9}']);
    }

    #[test]
    fn punctuation_becomes_what_a_handset_has() {
        assert_eq!(
            fold_vi("“Về\u{a0}việc”\t– ‘một’…\r\n[a]{b}|c\\d~e"),
            "\"Ve viec\" - 'mot'... (a)(b)/c/d-e"
        );
        assert_eq!(fold_vi("  a@b $5 x_y ^ ` 公文 🙂 "), "a b 5 x-y '");
    }

    proptest! {
        #[test]
        fn whatever_comes_in_one_plain_septet_per_byte_comes_out(text in "\\PC*") {
            let folded = fold_vi(&text);
            prop_assert!(folded.is_ascii());
            prop_assert_eq!(septets(&folded), Ok(folded.len()));
            prop_assert!(!folded.contains("  ") && folded.trim() == folded);
        }

        #[test]
        fn folding_twice_changes_nothing(text in "\\PC*") {
            let folded = fold_vi(&text);
            prop_assert_eq!(fold_vi(&folded), folded);
        }
    }
}
