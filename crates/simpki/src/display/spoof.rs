//! Keeps a document's title from speaking in the SIM prompt's own voice.
//!
//! Whoever drafts a document chooses its subject, and the prompt is trusted by the leader. A subject must
//! not bring a code of its own ("Ma 5933"), a placeholder, a telephone number to call or an address to
//! open. What is taken out here stays visible in the app, where the full title stands.

use super::fold_vi;

/// Folds a subject and takes out whatever a prompt may not carry.
pub fn clean(subject: &str) -> String {
    // Addresses are judged before folding, which would already have taken their '@' apart.
    let named: Vec<&str> = subject.split_whitespace().filter(|word| !is_address(word)).collect();
    let folded = without_placeholders(&fold_vi(&named.join(" ")));
    let mut kept: Vec<&str> = Vec::new();
    for word in folded.split(' ').filter(|word| !word.is_empty()) {
        if is_code(word)
            && let Some(from) = announcement(&kept)
        {
            kept.truncate(from);
        } else if !is_address(word) {
            kept.push(word);
        }
    }
    let text = without_phone_numbers(&kept.join(" "));
    text.trim_end_matches([' ', '.', ',', ';', ':', '-']).to_owned()
}

/// Drops every run of two or more percent signs; a single one ("5%") is no placeholder.
fn without_placeholders(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once("%%") {
        kept.push_str(before);
        rest = from.trim_start_matches('%');
    }
    kept.push_str(rest);
    kept
}

/// A link, a host name, or a mail address.
fn is_address(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
    let host = word.split(['/', ':', '?', '#']).next().unwrap_or_default();
    let known_ending =
        host.rsplit_once('.').is_some_and(|(name, ending)| !name.is_empty() && ENDINGS.contains(&ending));
    word.contains("://") || word.contains('@') || word.starts_with("www.") || known_ending
}

/// Four to eight digits: what a code looks like.
fn is_code(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    (4..=8).contains(&bare.len()) && bare.bytes().all(|b| b.is_ascii_digit())
}

/// Where the words begin that announce a code: "ma", or the prompt's own "ma giao dich" and its like. Any two words after
/// "ma" would be too many: drugs are "ma tuy".
fn announcement(words: &[&str]) -> Option<usize> {
    let bare = |word: &&str| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase();
    let said: Vec<String> = words.iter().rev().take(3).rev().map(bare).collect();
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    let length = match said.as_slice() {
        [.., "ma" | "code" | "vc" | "pin" | "otp"] => 1,
        [.., "ma", "so"] => 2,
        ["ma", "giao", "dich"] | ["ma", "xac", "nhan" | "thuc"] | ["ma", "kiem", "tra"] => 3,
        _ => return None,
    };
    words.len().checked_sub(length)
}

/// Drops runs of eight or more digits, also when written in groups ("0900 000 001", "+84.900.000.001").
fn without_phone_numbers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars().chain(std::iter::once('\0')) {
        let continues = c.is_ascii_digit() || (!run.is_empty() && matches!(c, ' ' | '.' | '-'));
        let starts = run.is_empty() && c == '+';
        if continues || starts {
            run.push(c);
            continue;
        }
        flush(&mut kept, &run);
        run.clear();
        if c != '\0' {
            kept.push(c);
        }
    }
    kept.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A run is kept when it has too few digits for a telephone; the blank that ended it is kept anyway.
fn flush(kept: &mut String, run: &str) {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    if digits >= PHONE_DIGITS && !holds_a_date(run) {
        kept.push(' ');
    } else {
        kept.push_str(run);
    }
}

/// "05-03-2025" and "05.03.2025 " have eight digits and are no telephone.
fn holds_a_date(run: &str) -> bool {
    let parts: Vec<usize> = run.trim().split(['-', '.']).map(str::len).collect();
    matches!(parts.as_slice(), [1..=2, 1..=2, 4])
}

const PHONE_DIGITS: usize = 8;

/// Endings of host names seen in links on phones; initials such as "TP.HCM" are none of them.
const ENDINGS: [&str; 22] = [
    "vn", "com", "net", "org", "info", "ly", "io", "me", "cc", "xyz", "top", "gov", "edu", "app", "site",
    "online", "link", "co", "biz", "tk", "gl", "shop",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_subjects_pass_unchanged_but_folded() {
        for (subject, shown) in [
            ("Về việc nghỉ lễ 30/4 và 01/5 năm 2025", "Ve viec nghi le 30/4 va 01/5 nam 2025"),
            ("Triển khai Nghị định số 30/2020/NĐ-CP", "Trien khai Nghi dinh so 30/2020/ND-CP"),
            ("Giao đất tại P.Bình Thọ, TP.HCM", "Giao dat tai P.Binh Tho, TP.HCM"),
            ("Họp ngày 05-03-2025 lúc 14 giờ", "Hop ngay 05-03-2025 luc 14 gio"),
            ("Phân bổ 250000 đồng", "Phan bo 250000 dong"),
            ("Tăng thu 5% so với dự toán", "Tang thu 5% so voi du toan"),
            ("Phòng, chống ma túy năm 2025", "Phong, chong ma tuy nam 2025"),
        ] {
            assert_eq!(clean(subject), shown);
        }
    }

    #[test]
    fn codes_numbers_and_addresses_are_taken_out() {
        for (subject, shown) in [
            ("Quyết định. Mã 5933", "Quyet dinh"),
            ("Quyết định mã: 593312 gấp", "Quyet dinh gap"),
            ("Nhập PIN 1234", "Nhap"),
            ("Khẩn. Mã giao dịch: 593312", "Khan"),
            ("Nhập mã xác nhận 5933 ngay", "Nhap ngay"),
            ("%%VC%% %%%VC%%%%", "VC VC"),
            ("Gọi 0900 000 001 ngay", "Goi ngay"),
            ("Gọi +84.900.000.001", "Goi"),
            ("Xem https://lua-dao.example/a?b tại bit.ly/x và www.abc", "Xem tai va"),
            ("Gửi thu@abc.gov.vn nhé", "Gui nhe"),
            ("a\nMa 1234\n", "a"),
        ] {
            assert_eq!(clean(subject), shown, "{subject}");
        }
    }

    proptest! {
        #[test]
        fn no_placeholder_and_no_telephone_survives(subject in "(\\PC|[0-9%. ]){0,120}") {
            let cleaned = clean(&subject);
            prop_assert!(!cleaned.contains("%%"));
            let longest = cleaned.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
            prop_assert!(longest < PHONE_DIGITS);
        }
    }
}
