//! What the import file says of an office: offered to whoever fills a form, and the book begins where it says.

use anyhow::{Context, Result, ensure};
use trinhky_flows::main_job::{self, Cast, PATIENCE};
use trinhky_flows::rig::{Plan, Rig};
use trinhky_protos::office::OfficeFormsView;

#[tokio::test]
async fn an_office_offers_what_was_imported_and_its_book_begins_where_it_says() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let forms: OfficeFormsView = cast.drafter.get("/v1/office/forms").await?;
    ensure!(forms.clerk == Some(cast.clerk_id) && forms.place == "Mường Thanh", "{forms:?}");
    let chain = forms.chains.first().context("a chain")?;
    ensure!(chain.signers == [cast.leader_id] && chain.content_checker.is_some(), "{chain:?}");
    let decision =
        forms.registers.iter().find(|register| register.document_type == "QĐ").context("decisions")?;
    ensure!(decision.notation == "QĐ-UBND", "{decision:?}");
    let recipient = forms.recipients.first().context("a recipient")?;
    ensure!(recipient.code.is_some() && recipient.email.as_deref().is_some_and(|email| email.contains('@')));
    let served =
        forms.units.iter().flat_map(|unit| &unit.people).any(|person| person.person == cast.leader_id);
    ensure!(served, "the leader serves in no unit: {:?}", forms.units);

    // Twenty-nine numbers were given on paper this year.
    let file = std::fs::read_to_string(&rig.world.import_toml)?;
    let import = async |text: String| {
        let path = rig.folder.path().join("again.toml");
        std::fs::write(&path, text)?;
        rig.trinhky(&["admin", "import", &path.display().to_string()]).await
    };
    let uneven = import(file.replacen("first = 1\n", "first = 30\n", 1))
        .await
        .err()
        .context("one book, two beginnings")?;
    ensure!(format!("{uneven:#}").contains("one book"), "{uneven:#}");
    let begun = file.replace("first = 1\n", "first = 30\n");
    import(begun.clone()).await?;
    import(begun.clone()).await?;
    let document = main_job::numbered(&rig, &cast).await?;
    let numbered = cast.clerk.wait_for(document, "sealing", PATIENCE).await?;
    ensure!(numbered.number.as_deref() == Some("30/QĐ-UBND"), "{numbered:?}");
    import(begun).await?;
    let late = import(file).await.err().context("the beginning of a book that goes on was changed")?;
    ensure!(format!("{late:#}").contains("number 30 of"), "{late:#}");
    let registers: serde_json::Value = cast.clerk.get("/v1/registers").await?;
    let book = &registers[0];
    ensure!(book["given_before"] == 29 && book["last"] == 30, "{registers}");
    Ok(())
}
