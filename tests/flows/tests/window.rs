//! The seal agent's window, asked as its own page asks: queue, checks, pages, wrong and right PIN, the next document
//! without a PIN, giving back; and everything that is not its page refused.

use anyhow::{Context, Result, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use trinhky_domain::ids::DocumentId;
use trinhky_flows::main_job::{self, Cast, PATIENCE};
use trinhky_flows::rig::{Plan, Rig};
use trinhky_flows::sealer::{Page, TOKEN_PIN};

#[tokio::test]
async fn a_clerk_seals_one_document_after_the_other() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(main_job::numbered(&rig, &cast).await?);
    }
    let agent = rig.sealer(&cast.clerk)?;
    let (well, told) = agent.doctor().await?;
    ensure!(well && told["checks"].as_array().is_some_and(|checks| checks.len() == 5), "{told}");

    let window = agent.window().await?;
    let page = window.open().await?;
    ensure!(window.open().await.is_err(), "the address opened a second window");
    only_its_own_page(&page, waiting[0]).await?;

    let desk = page.json(Method::GET, "/desk", "").await?;
    ensure!(desk["queue"].as_array().is_some_and(|queue| queue.len() == 3), "{desk}");
    ensure!(desk["token"]["state"] == "ready", "{desk}");

    let [first, second, third] = waiting[..] else { unreachable!("three were made") };
    shows_and_checks(&page, first, &cast).await?;
    let error = seal(&page, first, "000000").await?;
    ensure!(error["error"]["code"] == "pin_wrong", "{error}");
    let careful = page.json(Method::GET, "/desk", "").await?;
    ensure!(careful["token"]["state"] == "careful" && careful["sealed"] == 0, "{careful}");
    let error = seal(&page, first, "").await?;
    ensure!(error["error"]["code"] == "pin_missing", "{error}");
    let sealed = seal(&page, first, TOKEN_PIN).await?;
    ensure!(sealed["id"] == first.to_string(), "{sealed}");

    // The token is open: the next one needs no PIN, but an examination.
    let error = seal(&page, second, "").await?;
    ensure!(error["error"]["code"] == "base_changed", "{error}");
    examine(&page, second).await?;
    seal(&page, second, "").await?;
    for document in [first, second] {
        cast.clerk.wait_for(document, "sealed", PATIENCE).await?;
    }

    let reason = json!({"reason": "Thiếu phụ lục"}).to_string();
    let returned = page.json(Method::POST, &format!("/documents/{third}/return"), &reason).await?;
    ensure!(returned["state"]["name"] == "returned", "{returned}");
    let desk = page.json(Method::GET, "/desk", "").await?;
    ensure!(desk["sealed"] == 2 && desk["queue"] == json!([]), "{desk}");
    ensure!(desk["token"]["state"] == "logged_in", "{desk}");
    let (status, _) = page.ask(Method::POST, "/close", "").await?;
    ensure!(status == StatusCode::NO_CONTENT);
    Ok(())
}

/// Everything about a document is shut to other origins, to requests without the key, and while nothing was examined.
async fn only_its_own_page(page: &Page, document: DocumentId) -> Result<()> {
    let (status, _) = page.ask_as("http://127.0.0.1:1", Method::POST, "/close", "").await?;
    ensure!(status == StatusCode::FORBIDDEN, "another origin: {status}");
    let (status, _) = page.without_key().ask(Method::GET, "/desk", "").await?;
    ensure!(status == StatusCode::FORBIDDEN, "without the key: {status}");
    let error = page.json(Method::GET, &format!("/documents/{document}/pages/1"), "").await?;
    ensure!(error["error"]["code"] == "base_changed", "{error}");
    let (status, text) = page.without_key().ask(Method::GET, "/", "").await?;
    ensure!(status == StatusCode::OK && !String::from_utf8_lossy(&text).contains(&document.to_string()));
    Ok(())
}

async fn shows_and_checks(page: &Page, document: DocumentId, cast: &Cast) -> Result<()> {
    let review = examine(page, document).await?;
    let checks = review["checks"].as_array().context("checks")?;
    ensure!(checks.len() == 9 && checks.iter().all(|check| check["outcome"] == "passed"), "{review}");
    let view = cast.clerk.document(document).await?;
    ensure!(
        review["seal"]["number"] == json!(view.number) && review["seal"]["date"] == json!(view.date),
        "{review}"
    );
    let code = review["seal"]["leaders"][0]["code"].as_str().context("the leader's code")?;
    ensure!(code.len() == 4, "{code}");
    let (status, png) = page.ask(Method::GET, &format!("/documents/{document}/pages/1"), "").await?;
    ensure!(status == StatusCode::OK && png.starts_with(b"\x89PNG"), "{status}");
    let (status, _) = page.ask(Method::GET, &format!("/documents/{document}/pages/99"), "").await?;
    ensure!(status == StatusCode::CONFLICT, "a page that is not there: {status}");
    Ok(())
}

async fn examine(page: &Page, document: DocumentId) -> Result<Value> {
    let review = page.json(Method::POST, &format!("/documents/{document}/examine"), "").await?;
    ensure!(review["error"].is_null() && review["seal"].is_object(), "{review}");
    Ok(review)
}

async fn seal(page: &Page, document: DocumentId, pin: &str) -> Result<Value> {
    page.json(Method::POST, &format!("/documents/{document}/seal"), pin).await
}
