//! Offices, people and appointments.

use time::{Date, OffsetDateTime};
use trinhky_domain::ids::{OfficeId, PersonId};
use trinhky_domain::people::{Appointment, Office, Person, Role};

use crate::error::Result;
use crate::tx::{Columns, Tx, micros, query};

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        PUT_OFFICE = "insert into offices (office_id, parent_id, code, name, symbol, policy)
            values ($1, $2, $3, $4, $5, $6)
            on conflict (office_id) do update set parent_id = excluded.parent_id, code = excluded.code,
                name = excluded.name, symbol = excluded.symbol, policy = excluded.policy";
        OFFICE = "select office_id, parent_id, code, name, symbol, policy from offices where office_id = $1";
        OFFICE_BY_CODE = "select office_id, parent_id, code, name, symbol, policy from offices where code = $1";
        OFFICES = "select office_id, parent_id, code, name, symbol, policy from offices order by code";
        PUT_FORMS = "insert into office_forms (office_id, forms, at) values ($1, $2, $3)
            on conflict (office_id) do update set forms = excluded.forms, at = excluded.at";
        FORMS = "select office_id, forms from office_forms where office_id = $1";
        PUT_PERSON = "insert into people (person_id, office_id, login, name, title, roles, active)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (person_id) do update set office_id = excluded.office_id, login = excluded.login,
                name = excluded.name, title = excluded.title, roles = excluded.roles, active = excluded.active";
        PERSON = "select person_id, office_id, login, name, title, roles, active from people where person_id = $1";
        PERSON_BY_LOGIN = "select person_id, office_id, login, name, title, roles, active from people where login = $1";
        PEOPLE_OF = "select person_id, office_id, login, name, title, roles, active from people
            where office_id = $1 order by name, person_id";
        PUT_APPOINTMENT = "insert into appointments (person_id, office_id, capacity, from_day, until_day)
            values ($1, $2, $3, $4, $5)
            on conflict (office_id, person_id, capacity, from_day) do update set until_day = excluded.until_day";
        APPOINTMENTS_OF = "select person_id, office_id, capacity, from_day, until_day from appointments
            where office_id = $1 order by from_day, person_id";
    }
}

impl Tx {
    /// Stores an office, new or changed.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when another office has the code.
    pub async fn put_office(&mut self, office: &Office) -> Result<()> {
        let statement = query(sql::PUT_OFFICE)
            .bind(office.id.to_string())
            .bind(office.parent.map(|parent| parent.to_string()))
            .bind(office.code.clone())
            .bind(office.name.clone())
            .bind(office.symbol.clone())
            .bind(office.policy.clone());
        self.change_one("office", statement).await
    }

    /// Keeps what an office offers to choose from (opaque here), instead of what it offered before.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn put_office_forms(&mut self, id: OfficeId, forms: &str, now: OffsetDateTime) -> Result<()> {
        let statement = query(sql::PUT_FORMS).bind(id.to_string()).bind(forms.to_owned()).bind(micros(now));
        self.change_one("office", statement).await
    }

    /// What an office offers to choose from, if anything was ever said.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn office_forms(&mut self, id: OfficeId) -> Result<Option<String>> {
        let row = self.optional("office", query(sql::FORMS).bind(id.to_string())).await?;
        row.map(|row| Columns::of("office_forms", "office_id", &row).text("forms")).transpose()
    }

    /// An office.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn office(&mut self, id: OfficeId) -> Result<Office> {
        let row = self.one("office", query(sql::OFFICE).bind(id.to_string())).await?;
        office(&Columns::of("offices", "office_id", &row))
    }

    /// The office with this code (mã định danh).
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn office_by_code(&mut self, code: &str) -> Result<Office> {
        let row = self.one("office", query(sql::OFFICE_BY_CODE).bind(code.to_owned())).await?;
        office(&Columns::of("offices", "office_id", &row))
    }

    /// Every office, by code.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn offices(&mut self) -> Result<Vec<Office>> {
        let rows = self.all("office", query(sql::OFFICES)).await?;
        rows.iter().map(|row| office(&Columns::of("offices", "office_id", row))).collect()
    }

    /// Stores a person, new or changed.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when another person has the login.
    pub async fn put_person(&mut self, person: &Person) -> Result<()> {
        let roles: Vec<_> = person.roles.iter().map(|role| role.as_str()).collect();
        let statement = query(sql::PUT_PERSON)
            .bind(person.id.to_string())
            .bind(person.office.to_string())
            .bind(person.login.clone())
            .bind(person.name.clone())
            .bind(person.title.clone())
            .bind(roles.join(" "))
            .bind(i64::from(person.active));
        self.change_one("person", statement).await
    }

    /// A person.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn person(&mut self, id: PersonId) -> Result<Person> {
        let row = self.one("person", query(sql::PERSON).bind(id.to_string())).await?;
        person(&Columns::of("people", "person_id", &row))
    }

    /// The person with this sign-in name.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn person_by_login(&mut self, login: &str) -> Result<Person> {
        let row = self.one("person", query(sql::PERSON_BY_LOGIN).bind(login.to_owned())).await?;
        person(&Columns::of("people", "person_id", &row))
    }

    /// Everybody of an office, by name.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn people_of(&mut self, office: OfficeId) -> Result<Vec<Person>> {
        let rows = self.all("person", query(sql::PEOPLE_OF).bind(office.to_string())).await?;
        rows.iter().map(|row| person(&Columns::of("people", "person_id", row))).collect()
    }

    /// Stores an appointment; one that begins the same day replaces it.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), also for a TUQ. without a last day.
    pub async fn put_appointment(&mut self, appointment: &Appointment) -> Result<()> {
        let statement = query(sql::PUT_APPOINTMENT)
            .bind(appointment.person.to_string())
            .bind(appointment.office.to_string())
            .bind(appointment.capacity.as_str())
            .bind(appointment.from.to_string())
            .bind(appointment.until.map(|day| day.to_string()));
        self.change_one("appointment", statement).await
    }

    /// Every appointment of an office, past ones too.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn appointments_of(&mut self, office: OfficeId) -> Result<Vec<Appointment>> {
        let rows = self.all("appointment", query(sql::APPOINTMENTS_OF).bind(office.to_string())).await?;
        rows.iter()
            .map(|row| {
                let columns = Columns::of("appointments", "person_id", row);
                Ok(Appointment {
                    person: columns.word("person_id")?,
                    office: columns.word("office_id")?,
                    capacity: columns.word("capacity")?,
                    from: columns.word::<Day>("from_day")?.0,
                    until: columns.word_or_null::<Day>("until_day")?.map(|day| day.0),
                })
            })
            .collect()
    }
}

fn office(columns: &Columns<'_>) -> Result<Office> {
    Ok(Office {
        id: columns.word("office_id")?,
        parent: columns.word_or_null("parent_id")?,
        code: columns.text("code")?,
        name: columns.text("name")?,
        symbol: columns.text("symbol")?,
        policy: columns.text("policy")?,
    })
}

fn person(columns: &Columns<'_>) -> Result<Person> {
    let roles = columns.text("roles")?;
    let roles = roles.split_whitespace().map(str::parse).collect::<Result<Vec<Role>, _>>();
    Ok(Person {
        id: columns.word("person_id")?,
        office: columns.word("office_id")?,
        login: columns.text("login")?,
        name: columns.text("name")?,
        title: columns.text("title")?,
        roles: roles.map_err(|error| columns.corrupt(error))?,
        active: columns.flag("active")?,
    })
}

/// A day as rows hold it: `YYYY-MM-DD`.
pub(crate) struct Day(pub(crate) Date);

impl std::str::FromStr for Day {
    type Err = time::error::Parse;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Date::parse(text, &time::format_description::well_known::Iso8601::DATE).map(Self)
    }
}
