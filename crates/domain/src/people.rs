//! Offices, people and what each may do. No passwords here: how somebody proves who they are is the server's matter.
//!
//! Roles R15-R19 and R25; appointments and delegations C1.8, R42, R55.

use serde::{Deserialize, Serialize};
use time::Date;

use crate::codes::codes;
use crate::ids::{DeviceId, OfficeId, PersonId};
use crate::paper::Capacity;
use crate::refused::Refused;

codes! {
    /// What a person may do in their office.
    Role "role" {
        /// Người soạn thảo (R15).
        Drafter = "drafter",
        /// Lãnh đạo quản lý phụ trách, answers for content (R16).
        ContentChecker = "content_checker",
        /// Người kiểm tra thể thức và kỹ thuật trình bày (R17).
        FormatChecker = "format_checker",
        /// Người có thẩm quyền ký (R18).
        Leader = "leader",
        /// Văn thư cơ quan: numbers, dates, seals in person, releases (R19).
        Clerk = "clerk",
        /// Quản trị: people, devices, settings; never documents (R25).
        Admin = "admin",
        /// Reads the journal, changes nothing.
        Auditor = "auditor",
    }
}

codes! {
    /// What kind of program the person holds. Decisions record it; policy may refuse the web for signing.
    Client "client" {
        /// An application whose code does not come from the server.
        Native = "native",
        /// The web app.
        Web = "web",
    }
}

/// An agency or a unit of one (cơ quan, đơn vị).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Office {
    /// Identity.
    pub id: OfficeId,
    /// The office above; a unit belongs to its agency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<OfficeId>,
    /// Mã định danh, up to 35 characters (R54).
    pub code: String,
    /// Full name, at most 200 characters (C1.5 field 7).
    pub name: String,
    /// The abbreviation in symbols, for instance `UBND`.
    pub symbol: String,
    /// Which policy profile holds, and the agency's own overrides, as TOML (`profile = "nd30_default"` and so on).
    pub policy: String,
}

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Identity.
    pub id: PersonId,
    /// Where they serve.
    pub office: OfficeId,
    /// Sign-in name, lower case.
    pub login: String,
    /// Full name, at most 50 characters (C1.5 field 12).
    pub name: String,
    /// Title, at most 100 characters.
    pub title: String,
    /// What they may do.
    pub roles: Vec<Role>,
    /// False once they left or were suspended.
    pub active: bool,
}

/// The right to sign in one capacity between two days (C1.8). An appointment that is not written down does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// Who may sign.
    pub person: PersonId,
    /// For which office.
    pub office: OfficeId,
    /// In which capacity.
    pub capacity: Capacity,
    /// First day.
    #[serde(with = "crate::dates")]
    pub from: Date,
    /// Last day; open when absent. A TUQ. must have one (C1.8: written, with time limits).
    #[serde(default, with = "crate::dates::option", skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

impl Appointment {
    /// Whether the appointment covers this person, office, capacity and day.
    pub fn covers(&self, person: PersonId, office: OfficeId, capacity: Capacity, day: Date) -> bool {
        let limited = self.capacity != Capacity::ByAuthority || self.until.is_some();
        self.person == person
            && self.office == office
            && self.capacity == capacity
            && self.from <= day
            && self.until.is_none_or(|last| day <= last)
            && limited
    }
}

/// Proof that a person held the capacity on a day: only [`appointed`] makes it (R42).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appointed {
    person: PersonId,
    capacity: Capacity,
}

impl Appointed {
    /// Who was appointed.
    pub const fn person(self) -> PersonId {
        self.person
    }

    /// In which capacity.
    pub const fn capacity(self) -> Capacity {
        self.capacity
    }
}

/// Checks the written appointments of an office (R42).
///
/// # Errors
/// [`Refused::NotAppointed`] when none covers the person, the capacity and the day.
pub fn appointed(
    appointments: &[Appointment],
    person: PersonId,
    office: OfficeId,
    capacity: Capacity,
    day: Date,
) -> Result<Appointed, Refused> {
    if appointments.iter().any(|one| one.covers(person, office, capacity, day)) {
        Ok(Appointed { person, capacity })
    } else {
        Err(Refused::NotAppointed { capacity })
    }
}

/// Who asks: a signed-in person, as the server has established it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub person: PersonId,
    /// Where they serve.
    pub office: OfficeId,
    /// What they may do.
    pub roles: Vec<Role>,
    /// The enrolled device in use, if any.
    pub device: Option<DeviceId>,
    /// Which kind of program.
    pub client: Client,
}

impl Actor {
    /// Whether the actor has the role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Asks for a role.
    ///
    /// # Errors
    /// [`Refused::RoleNeeded`] without it.
    pub fn must_be(&self, role: Role) -> Result<(), Refused> {
        if self.is(role) { Ok(()) } else { Err(Refused::RoleNeeded { role }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    fn ids() -> (PersonId, OfficeId) {
        let now = datetime!(2026-08-20 10:00 +7);
        (PersonId::at(now, 1), OfficeId::at(now, 2))
    }

    #[test]
    fn an_appointment_holds_from_its_first_to_its_last_day() {
        let (person, office) = ids();
        let list = [Appointment {
            person,
            office,
            capacity: Capacity::ForHead,
            from: date!(2026 - 01 - 10),
            until: Some(date!(2026 - 01 - 20)),
        }];
        let on = |day| appointed(&list, person, office, Capacity::ForHead, day);
        assert!(on(date!(2026 - 01 - 09)).is_err());
        assert!(on(date!(2026 - 01 - 10)).is_ok());
        assert!(on(date!(2026 - 01 - 20)).is_ok());
        assert_eq!(on(date!(2026 - 01 - 21)), Err(Refused::NotAppointed { capacity: Capacity::ForHead }));
        assert!(appointed(&list, person, office, Capacity::Head, date!(2026 - 01 - 15)).is_err());
    }

    #[test]
    fn an_authority_without_an_end_is_none() {
        let (person, office) = ids();
        let list = [Appointment {
            person,
            office,
            capacity: Capacity::ByAuthority,
            from: date!(2026 - 01 - 10),
            until: None,
        }];
        assert!(appointed(&list, person, office, Capacity::ByAuthority, date!(2026 - 01 - 15)).is_err());
    }
}
