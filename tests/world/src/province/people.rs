//! Who lives in the imaginary province: one ward office with its people, their duties, phones and demo passwords.
//!
//! Names are made up. Passwords and TOTP secrets are derived from the user name, so that a restarted world agrees with an
//! earlier import; they protect nothing.

use crate::keys::{KeyKind, sha256};

/// The office whose documents are signed.
pub(crate) const OFFICE: &str = "Ủy ban nhân dân phường Mường Thanh";

/// A person's duty in the main job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Writes and submits documents.
    Drafter,
    /// Gives the opinions of the chain before the leader.
    Checker,
    /// *Văn thư*: number, seal, release.
    Clerk,
    /// Signs by SIM.
    Leader,
    /// Runs the system.
    Admin,
}

impl Role {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Drafter => "drafter",
            Self::Checker => "checker",
            Self::Clerk => "clerk",
            Self::Leader => "leader",
            Self::Admin => "admin",
        }
    }
}

/// One person.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) unit: &'static str,
    pub(crate) roles: Vec<Role>,
    /// Number and kind of key of a leader's SIM.
    pub(crate) sim: Option<(String, KeyKind)>,
}

impl Person {
    fn new(username: &str, name: &str, title: &str, unit: &'static str, role: Role) -> Self {
        Self {
            username: username.into(),
            name: name.into(),
            title: title.into(),
            unit,
            roles: vec![role],
            sim: None,
        }
    }

    fn with_sim(mut self, msisdn: String, kind: KeyKind) -> Self {
        self.sim = Some((msisdn, kind));
        self
    }

    pub(crate) fn email(&self) -> String {
        format!("{}@muongthanh.example", self.username)
    }

    /// Path of the signature image below the world's folder. Leaders without a name of their own share one.
    pub(crate) fn signature_file(&self) -> String {
        let common = self.username.starts_with("lanhdao.") || self.username.starts_with("thu.");
        format!("images/{}.png", if common { "lanhdao" } else { &self.username })
    }

    /// Demo only.
    pub(crate) fn password(&self) -> String {
        format!("Trinh-Ky-{}-2026", self.username)
    }

    /// 160 bits in base32, as authenticator apps take them.
    pub(crate) fn totp_secret(&self) -> String {
        base32(&sha256(format!("totp:{}", self.username).as_bytes())[..20])
    }
}

/// Everybody: the five kinds of staff, `leaders` leaders, and one leader per magic number where wanted.
pub(crate) fn everybody(leaders: usize, magic: bool) -> Vec<Person> {
    let mut people = vec![
        Person::new("hanh.lt", "Lò Thị Hạnh", "Chuyên viên", "vp", Role::Drafter),
        Person::new("duc.nh", "Nguyễn Hữu Đức", "Trưởng phòng", "kt", Role::Checker),
        Person::new("anh.vn", "Vũ Ngọc Ánh", "Chánh Văn phòng", "vp", Role::Checker),
        Person::new("thuy.qv", "Quàng Văn Thủy", "Văn thư", "vp", Role::Clerk),
        Person::new("bao.pg", "Phạm Gia Bảo", "Quản trị hệ thống", "vp", Role::Admin),
        Person::new("panh.cv", "Cà Văn Pánh", "Quản trị hệ thống", "vp", Role::Admin),
    ];
    let named = [
        ("cuong.tq", "Trần Quốc Cường", "Chủ tịch", KeyKind::Rsa2048),
        ("phuong.lt", "Lường Thị Phượng", "Phó Chủ tịch", KeyKind::Rsa2048),
        ("khoi.dm", "Đỗ Mạnh Khởi", "Phó Chủ tịch", KeyKind::P256),
    ];
    for number in 1..=leaders.max(1) {
        let person = if let Some((username, name, title, kind)) = named.get(number - 1) {
            Person::new(username, name, title, "ld", Role::Leader).with_sim(number_of(number), *kind)
        } else {
            // Many leaders get P-256 keys, which are made in no time.
            let (username, name) = (format!("lanhdao.{number:03}"), made_up_name(number));
            Person::new(&username, &name, "Phó Chủ tịch", "ld", Role::Leader)
                .with_sim(number_of(number), KeyKind::P256)
        };
        people.push(person);
    }
    if magic {
        people.extend(crate::mssp::behaviour::magic().into_iter().map(|magic| {
            Person::new(
                &format!("thu.{}", magic.name.replace('_', "-")),
                &format!("Lãnh đạo thử {}", magic.name),
                "Phó Chủ tịch",
                "ld",
                Role::Leader,
            )
            .with_sim(magic.msisdn, KeyKind::P256)
        }));
    }
    people
}

fn number_of(leader: usize) -> String {
    format!("84900{leader:06}")
}

fn made_up_name(number: usize) -> String {
    let family = ["Lò", "Cà", "Quàng", "Tòng", "Lường", "Vàng", "Giàng", "Nguyễn", "Trần", "Đỗ"];
    let middle = ["Văn", "Thị", "Hữu", "Ngọc", "Minh", "Quốc", "Thanh"];
    let given = ["Ánh", "Bình", "Chiến", "Dũng", "Hằng", "Khánh", "Liên", "Nghĩa", "Phương", "Tuyết", "Vững"];
    let pick = |list: &[&'static str]| list.get(number % list.len()).copied().unwrap_or_default();
    format!("{} {} {}", pick(&family), pick(&middle), pick(&given))
}

/// RFC 4648 base32 without padding.
fn base32(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut out = String::new();
    let (mut buffer, mut bits) = (0u32, 0u32);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(alphabet[(buffer >> bits) as usize & 31]));
        }
    }
    if bits > 0 {
        out.push(char::from(alphabet[(buffer << (5 - bits)) as usize & 31]));
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn base32_matches_rfc_4648() {
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(base32(b"fo"), "MZXQ");
    }

    #[test]
    fn two_hundred_leaders_have_their_own_numbers() {
        let people = everybody(200, true);
        let numbers: BTreeSet<_> =
            people.iter().filter_map(|person| person.sim.clone()).map(|sim| sim.0).collect();
        let leaders = people.iter().filter(|person| person.roles.contains(&Role::Leader)).count();
        assert_eq!(numbers.len(), leaders);
        assert!(leaders > 200);
        let usernames: BTreeSet<_> = people.iter().map(|person| person.username.clone()).collect();
        assert_eq!(usernames.len(), people.len());
    }
}
