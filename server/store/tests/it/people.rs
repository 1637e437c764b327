//! People, how they sign in, their SIMs and devices.

use time::Duration;
use time::macros::date;
use trinhky_domain::Digest;
use trinhky_domain::ids::{OfficeId, SessionId};
use trinhky_domain::paper::Capacity;
use trinhky_domain::people::{Appointment, Client};
use trinhky_store::{Account, Delivery, DeviceState, Error, OrgSeal, Push, Session, Sim};

use crate::on_both;
use crate::world::{CLERK, LEADER, NOW, SECOND, World, device, device_id, fresh, is_conflict, person_id};

on_both!(
    people_and_offices_are_kept,
    a_code_counts_once,
    one_number_one_person,
    sessions_end,
    a_device_is_enrolled_once_and_barred_for_good,
);

async fn people_and_offices_are_kept(world: World) {
    let mut tx = world.begin().await;
    assert_eq!(tx.office_by_code("H53.6").await.expect("there"), world.office);
    assert_eq!(tx.offices().await.expect("reads"), std::slice::from_ref(&world.office));
    assert_eq!(tx.people_of(world.office.id).await.expect("reads"), world.people);
    let mut leader = tx.person_by_login("p2").await.expect("there");
    leader.active = false;
    tx.put_person(&leader).await.expect("stored");
    assert_eq!(tx.person(leader.id).await.expect("there"), leader);
    let mut office = world.office.clone();
    office.policy = "profile = \"kien_giang_2017\"".into();
    tx.put_office(&office).await.expect("stored");
    assert_eq!(tx.office(office.id).await.expect("there"), office);
    assert_eq!(tx.appointments_of(office.id).await.expect("reads").len(), 2);
    assert!(matches!(tx.office_by_code("X").await, Err(Error::NotFound("office"))));
    assert_eq!(tx.office_forms(office.id).await.expect("reads"), None);
    for forms in ["{}", "{\"place\":\"X\"}"] {
        tx.put_office_forms(office.id, forms, NOW).await.expect("stored");
        assert_eq!(tx.office_forms(office.id).await.expect("reads").as_deref(), Some(forms));
    }
    tx.commit().await.expect("commits");
    let mut tx = world.begin().await;
    let unlimited = Appointment {
        person: person_id(LEADER),
        office: office.id,
        capacity: Capacity::ByAuthority,
        from: date!(2026 - 01 - 01),
        until: None,
    };
    assert!(tx.put_appointment(&unlimited).await.is_err(), "a TUQ. has a last day");
    drop(tx);
    let mut tx = world.begin().await;
    office.id = OfficeId::at(NOW, 99);
    assert!(is_conflict(&tx.put_office(&office).await), "one office per code");
}

async fn a_code_counts_once(world: World) {
    let person = person_id(LEADER);
    let mut tx = world.begin().await;
    let account = Account {
        person,
        password_hash: "$argon2id$…".into(),
        totp_secret: Some(vec![7; 20]),
        last_totp_step: 0,
    };
    tx.put_account(&account).await.expect("stored");
    assert_eq!(tx.account(person).await.expect("there"), account);
    assert_eq!(tx.accounts().await.expect("read"), std::slice::from_ref(&account));
    assert!(!format!("{account:?}").contains("argon"), "not in logs");
    tx.use_totp_step(person, 5).await.expect("used");
    tx.commit().await.expect("commits");
    for step in [5, 4] {
        let mut tx = world.begin().await;
        assert!(is_conflict(&tx.use_totp_step(person, step).await));
    }
}

async fn one_number_one_person(world: World) {
    let sim = Sim {
        person: person_id(LEADER),
        msisdn: "84900000001".parse().expect("a number"),
        certificate: vec![0x30, 1],
        chain: vec![vec![0x30, 2], vec![0x30, 3]],
        image: Some(Digest::of(b"image")),
        at: NOW,
    };
    let mut tx = world.begin().await;
    tx.put_sim(&sim).await.expect("stored");
    assert_eq!(tx.sim(sim.person).await.expect("there"), sim);
    let seal =
        OrgSeal { office: world.office.id, certificate: vec![0x30, 4], chain: Vec::new(), image: None };
    tx.put_org_seal(&seal).await.expect("stored");
    assert_eq!(tx.org_seal(seal.office).await.expect("there"), seal);
    tx.commit().await.expect("commits");
    let mut tx = world.begin().await;
    assert!(is_conflict(&tx.put_sim(&Sim { person: person_id(SECOND), ..sim }).await));
}

async fn sessions_end(world: World) {
    let session = |n: u128, device| Session {
        id: SessionId::at(NOW, n),
        token_sha256: Digest::of(&n.to_be_bytes()),
        person: person_id(LEADER),
        client: Client::Native,
        device,
        created: NOW,
        expires: NOW + Duration::hours(8),
    };
    let mut tx = world.begin().await;
    let (one, two, three) = (session(fresh(), None), session(fresh(), None), session(fresh(), None));
    for session in [&one, &two, &three] {
        tx.open_session(session).await.expect("stored");
    }
    tx.bind_session_device(one.id, device_id(LEADER)).await.expect("bound");
    let found = tx.session(one.token_sha256, NOW).await.expect("open");
    assert_eq!(found.device, Some(device_id(LEADER)));
    assert!(tx.session(one.token_sha256, one.expires).await.is_err(), "expired");
    tx.close_session(one.id).await.expect("closed");
    assert!(tx.session(one.token_sha256, NOW).await.is_err());
    assert_eq!(tx.purge_sessions(NOW).await.expect("purged"), 0);
    assert_eq!(tx.close_sessions_of(person_id(LEADER)).await.expect("closed"), 2);
    tx.open_session(&three).await.expect("stored");
    assert_eq!(tx.purge_sessions(three.expires).await.expect("purged"), 1);
    tx.open_session(&two).await.expect("stored");
    assert!(is_conflict(&tx.bind_session_device(two.id, device_id(SECOND)).await), "another person's device");
}

async fn a_device_is_enrolled_once_and_barred_for_good(world: World) {
    let id = device_id(LEADER);
    let push = Push { endpoint: "https://push.example/1".into(), p256dh: "k".into(), auth: "a".into() };
    let mut tx = world.begin().await;
    tx.propose_enrolment(id, vec![1]).await.expect("proposed");
    assert_eq!(tx.device(id).await.expect("there").state, DeviceState::Pending);
    tx.enrol_device(id, vec![1], vec![2], NOW).await.expect("enrolled");
    let enrolled = tx.device_by_thumbprint("thumbprint 2").await.expect("there");
    assert_eq!((enrolled.state, enrolled.cms), (DeviceState::Enrolled, Some(vec![2])));
    tx.set_push(id, Some(&push)).await.expect("set");
    assert_eq!(tx.push_targets(person_id(LEADER)).await.expect("reads"), [(id, push.clone())]);
    let delivery = Delivery {
        id: format!("d{}", fresh()),
        device: id,
        document: None,
        kind: "signature_waits".into(),
        outcome: None,
        at: NOW,
    };
    tx.note_delivery(&delivery).await.expect("noted");
    tx.note_delivery(&delivery).await.expect("twice is once");
    tx.delivered(&delivery.id, "201", NOW).await.expect("noted");
    tx.commit().await.expect("commits");
    let document = world.submitted(LEADER, trinhky_domain::paper::Urgency::Normal, NOW).await;
    let mut tx = world.begin().await;
    let about = Delivery { id: format!("d{}", fresh()), document: Some(document), ..delivery };
    tx.note_delivery(&about).await.expect("noted");
    assert_eq!(tx.deliveries_of(document).await.expect("reads"), [about]);
    tx.revoke_device(id, NOW).await.expect("barred");
    assert!(
        tx.push_targets(person_id(LEADER)).await.expect("reads").is_empty(),
        "a barred device hears nothing"
    );
    assert_eq!(tx.devices_of(person_id(LEADER)).await.expect("reads")[0].state, DeviceState::Revoked);
    tx.commit().await.expect("commits");
    for again in [true, false] {
        let mut tx = world.begin().await;
        let result = if again {
            tx.enrol_device(id, vec![1], vec![2], NOW).await
        } else {
            tx.set_push(id, Some(&push)).await
        };
        assert!(is_conflict(&result));
    }
    let mut tx = world.begin().await;
    assert!(is_conflict(&tx.add_device(&device(LEADER)).await), "a key is known once");
    drop(tx);
    let mut tx = world.begin().await;
    let mut other = device(CLERK);
    other.thumbprint = "thumbprint 2".into();
    assert!(is_conflict(&tx.add_device(&other).await), "one key, one device");
}
