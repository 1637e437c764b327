//! What becomes of a released document: handed to the mail server whatever state that is in, by hand where no machine goes,
//! answered by its receivers, called back.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use trinhky_domain::ids::DocumentId;
use trinhky_flows::clerk::refusal;
use trinhky_flows::mail::{copies, copy_that, fault, letters_to};
use trinhky_flows::main_job::{self, Cast, PATIENCE};
use trinhky_flows::rig::{MailBy, Part, Plan, Rig};
use trinhky_protos::copies::CopyView;
use trinhky_protos::document::RecipientView;

const SCHOOL: &str = "Trường Trung học cơ sở số 1";
const SCHOOL_MAILBOX: &str = "vanthu@thcs-so-1.example";
const WARD: &str = "Trạm Y tế phường";
const EXCHANGE: &str = "Sở Nội vụ";
const PAPER: &str = "Tổ dân phố 7";

#[tokio::test]
async fn a_mail_server_in_every_kind_of_trouble() -> Result<()> {
    let mut rig = Rig::start(&Plan { mail: MailBy::TlsFirst, ..Plan::default() }).await?;
    let cast = Cast::gather(&rig).await?;
    let doctor = rig.trinhky(&["doctor"]).await?;
    ensure!(doctor.contains("ok    mail: the server lets vanthu@muongthanh.example in"), "{doctor}");
    says_later_and_then_takes_it(&rig, &cast).await?;
    takes_it_and_is_silent(&rig, &cast).await?;
    too_large_for_a_message(&mut rig, &cast).await
}

async fn says_later_and_then_takes_it(rig: &Rig, cast: &Cast) -> Result<()> {
    fault(rig, "mail", Some("later"), None).await?;
    let everybody = [
        by_mail(SCHOOL, SCHOOL_MAILBOX),
        by_mail(WARD, "550@tram-y-te.example"),
        RecipientView { code: Some("H53.7".into()), ..named(EXCHANGE) },
        named(PAPER),
    ];
    let document = released_to(rig, cast, everybody).await?;
    let waits = |why: &'static str| move |copy: &CopyView| copy.waiting_for.as_deref() == Some(why);

    let copy = copy_that(&cast.clerk, document, SCHOOL, waits("mail_unreachable")).await?;
    ensure!(copy.state == "queued" && says(&copy, "451"), "{copy:?}");
    ensure!(letters_to(rig, SCHOOL_MAILBOX).await?.is_empty(), "a message that was not taken is there");
    fault(rig, "mail", None, None).await?;
    let copy = copy_that(&cast.clerk, document, SCHOOL, |copy| copy.state == "handed").await?;
    ensure!(copy.waiting_for.is_none() && copy.note.is_none(), "{copy:?}");
    ensure!(letters_to(rig, SCHOOL_MAILBOX).await?.len() == 1, "it was sent more than once");

    a_wrong_address_is_corrected(rig, cast, document).await?;
    by_hand_where_no_machine_goes(cast, document).await
}

async fn a_wrong_address_is_corrected(rig: &Rig, cast: &Cast, document: DocumentId) -> Result<()> {
    let copy = copy_that(&cast.clerk, document, WARD, |copy| copy.state == "undeliverable").await?;
    ensure!(copy.waiting_for.as_deref() == Some("address_refused") && says(&copy, "550"), "{copy:?}");
    let path = format!("/v1/copies/{}/send", copy.id);
    let corrected = json!({ "email": "vanthu@tram-y-te.example" });
    let refused = cast.drafter.post::<Value>(&path, &corrected).await.err().context("the drafter sent it")?;
    ensure!(refusal(&refused) == "not_the_clerk", "{refused:#}");
    for bad in ["", "vanthu", "a@b.example\r\nBcc: c@d.example"] {
        let refused =
            cast.clerk.post::<Value>(&path, &json!({ "email": bad })).await.err().context("taken")?;
        ensure!(refusal(&refused) == "missing_metadata", "{refused:#}");
    }
    let again: CopyView = cast.clerk.post(&path, &corrected).await?;
    ensure!(again.recipient.email.as_deref() == Some("vanthu@tram-y-te.example"), "{again:?}");
    copy_that(&cast.clerk, document, WARD, |copy| copy.state == "handed").await?;
    ensure!(letters_to(rig, "vanthu@tram-y-te.example").await?.len() == 1, "it did not arrive once");
    Ok(())
}

async fn by_hand_where_no_machine_goes(cast: &Cast, document: DocumentId) -> Result<()> {
    for (recipient, why) in [(EXCHANGE, "channel_not_set_up"), (PAPER, "by_hand")] {
        let copy = copy_that(&cast.clerk, document, recipient, |copy| copy.state == "queued").await?;
        ensure!(copy.waiting_for.as_deref() == Some(why) && copy.note.is_some(), "{copy:?}");
        let path = format!("/v1/copies/{}/handed", copy.id);
        let handed: CopyView = cast.clerk.post(&path, &json!({})).await?;
        ensure!(handed.state == "handed" && handed.note.is_none(), "{handed:?}");
        let twice = cast.clerk.post::<Value>(&path, &json!({})).await.err().context("handed over twice")?;
        ensure!(refusal(&twice) == "wrong_state", "{twice:#}");
    }
    Ok(())
}

async fn takes_it_and_is_silent(rig: &Rig, cast: &Cast) -> Result<()> {
    let before = letters_to(rig, SCHOOL_MAILBOX).await?.len();
    fault(rig, "mail", Some("close"), Some(1)).await?;
    let document = released_to(rig, cast, [by_mail(SCHOOL, SCHOOL_MAILBOX)]).await?;
    let copy = copy_that(&cast.clerk, document, SCHOOL, |copy| copy.state == "handed").await?;
    let letters = letters_to(rig, SCHOOL_MAILBOX).await?.split_off(before);
    // Nobody could know that the first had been taken; to the receiver both are one message.
    ensure!(letters.len() == 2, "{} messages", letters.len());
    let id = letters[0].message_id.clone().context("a Message-ID")?;
    ensure!(
        letters[1].message_id.as_ref() == Some(&id) && id.starts_with(&copy.id.to_string()),
        "{letters:?}"
    );
    receivers_answer_and_are_asked_for_it_back(rig, cast, document, &copy, &id).await
}

async fn receivers_answer_and_are_asked_for_it_back(
    rig: &Rig,
    cast: &Cast,
    document: DocumentId,
    copy: &CopyView,
    message: &str,
) -> Result<()> {
    let path = format!("/v1/copies/{}/receipts", copy.id);
    for (code, note, refused) in [
        ("13", "", "malformed"),
        ("99", "", "malformed"),
        ("15", "", "wrong_state"),
        ("02", " ", "missing_metadata"),
    ] {
        let body = json!({ "code": code, "note": note });
        let error =
            cast.clerk.post::<Value>(&path, &body).await.err().with_context(|| format!("{code} taken"))?;
        ensure!(refusal(&error) == refused, "{code}: {error:#}");
    }
    let accepted = || async {
        let request = cast.clerk.request(Method::POST, &path).header("idempotency-key", "receipt-03");
        let response = request.json(&json!({ "code": "03" })).send().await?.error_for_status()?;
        Ok::<CopyView, anyhow::Error>(response.json().await?)
    };
    let (first, again) = (accepted().await?, accepted().await?);
    ensure!(first == again && first.state == "accepted", "{first:?} {again:?}");
    ensure!(first.state_text == "Đã tiếp nhận", "{}", first.state_text);
    let late: CopyView = cast.clerk.post(&path, &json!({ "code": "01" })).await?;
    ensure!(late.state == "accepted", "a late receipt lowered it: {late:?}");

    let recall = format!("/v1/documents/{document}/recall");
    let refused =
        cast.drafter.post::<Value>(&recall, &json!({ "reason": "x" })).await.err().context("recalled")?;
    ensure!(refusal(&refused) == "not_the_clerk", "{refused:#}");
    let reason = "Ban hành không đúng thẩm quyền";
    let view: Value = cast.clerk.post(&recall, &json!({ "reason": reason })).await?;
    ensure!(view["state"]["name"] == "released" && view["state"]["reason"] == reason, "{view}");
    copy_that(&cast.clerk, document, SCHOOL, |copy| {
        copy.state == "recall_asked" && copy.waiting_for.is_none()
    })
    .await?;
    let letters = letters_to(rig, SCHOOL_MAILBOX).await?;
    let asked = letters.last().context("a request")?;
    ensure!(asked.in_reply_to.as_deref() == Some(message), "{asked:?}");
    ensure!(
        asked.subject.as_deref().is_some_and(|subject| subject.starts_with("Thu hồi văn bản ")),
        "{asked:?}"
    );
    ensure!(asked.text.as_deref().is_some_and(|text| text.contains(reason)), "{asked:?}");
    let given_back: CopyView = cast.clerk.post(&path, &json!({ "code": "15" })).await?;
    ensure!(given_back.state == "recalled", "{given_back:?}");
    let send = format!("/v1/copies/{}/send", copy.id);
    let refused =
        cast.clerk.post::<Value>(&send, &json!({})).await.err().context("a recalled document was sent")?;
    ensure!(refusal(&refused) == "wrong_state", "{refused:#}");
    Ok(())
}

async fn too_large_for_a_message(rig: &mut Rig, cast: &Cast) -> Result<()> {
    rig.stop(Part::Work).await?;
    rig.up(Part::Work, &[("TRINHKY_MAIL_MESSAGE_BYTES", "20000")]).await?;
    let before = letters_to(rig, SCHOOL_MAILBOX).await?.len();
    let document = released_to(rig, cast, [by_mail(SCHOOL, SCHOOL_MAILBOX)]).await?;
    let copy = copy_that(&cast.clerk, document, SCHOOL, |copy| copy.state == "undeliverable").await?;
    ensure!(copy.waiting_for.as_deref() == Some("too_large") && says(&copy, "20000"), "{copy:?}");
    ensure!(letters_to(rig, SCHOOL_MAILBOX).await?.len() == before, "it was sent");
    let path = format!("/v1/copies/{}/handed", copy.id);
    let handed: CopyView = cast.clerk.post(&path, &json!({})).await?;
    ensure!(handed.state == "handed", "{handed:?}");
    Ok(())
}

#[tokio::test]
async fn without_a_mail_server_copies_wait_and_leave_once_there_is_one() -> Result<()> {
    let mut rig = Rig::start(&Plan { mail: MailBy::NotSetUp, ..Plan::default() }).await?;
    let cast = Cast::gather(&rig).await?;
    let document = released_to(&rig, &cast, [by_mail(SCHOOL, SCHOOL_MAILBOX)]).await?;
    let missing = |copy: &CopyView| copy.waiting_for.as_deref() == Some("mail_not_set_up");
    let copy = copy_that(&cast.clerk, document, SCHOOL, missing).await?;
    ensure!(copy.state == "queued" && says(&copy, "[mail]"), "{copy:?}");

    rig.stop(Part::Work).await?;
    let world = rig.world.clone();
    let (ca, password) =
        (world.mail_ca_pem.display().to_string(), world.mail_password_file.display().to_string());
    let mail = [
        ("TRINHKY_MAIL_URL", world.smtp_url.as_str()),
        ("TRINHKY_MAIL_CA", &ca),
        ("TRINHKY_MAIL_FROM", &world.mail_from),
        ("TRINHKY_MAIL_USERNAME", &world.mail_from),
        ("TRINHKY_MAIL_PASSWORD_FILE", &password),
    ];
    rig.up(Part::Work, &mail).await?;
    copy_that(&cast.clerk, document, SCHOOL, |copy| copy.state == "handed").await?;
    ensure!(letters_to(&rig, SCHOOL_MAILBOX).await?.len() == 1, "it did not leave once");

    // A server that is not the one whose certificate we trust is told nothing.
    rig.stop(Part::Work).await?;
    let stranger = [("TRINHKY_MAIL_CA", world.roots_pem.to_str().context("a path")?)];
    let environment: Vec<_> = mail
        .iter()
        .map(|pair| stranger.iter().find(|other| other.0 == pair.0).unwrap_or(pair))
        .copied()
        .collect();
    rig.up(Part::Work, &environment).await?;
    let document = released_to(&rig, &cast, [by_mail(WARD, "vanthu@tram-y-te.example")]).await?;
    let untrusted = |copy: &CopyView| copy.waiting_for.as_deref() == Some("mail_unreachable");
    copy_that(&cast.clerk, document, WARD, untrusted).await?;
    ensure!(letters_to(&rig, "vanthu@tram-y-te.example").await?.is_empty(), "it was told");
    ensure!(copies(&cast.clerk, document).await?.len() == 1);
    Ok(())
}

fn named(name: &str) -> RecipientView {
    RecipientView { name: name.into(), ..RecipientView::default() }
}

fn by_mail(name: &str, mailbox: &str) -> RecipientView {
    RecipientView { email: Some(mailbox.into()), ..named(name) }
}

fn says(copy: &CopyView, what: &str) -> bool {
    copy.note.as_deref().is_some_and(|note| note.contains(what))
}

async fn released_to(
    rig: &Rig,
    cast: &Cast,
    recipients: impl IntoIterator<Item = RecipientView>,
) -> Result<DocumentId> {
    let uploaded = cast.drafter.upload(&rig.world.demo_pdf).await?;
    let mut request = cast.request(&uploaded);
    request.recipients = recipients.into_iter().collect();
    let document = cast.drafter.create(&request).await?.id;
    cast.drafter.submit(document).await?;
    cast.leader.approve(document).await?;
    cast.clerk.wait_for(document, "awaiting_number", PATIENCE).await?;
    main_job::seal_and_release(rig, cast, document).await?;
    Ok(document)
}
