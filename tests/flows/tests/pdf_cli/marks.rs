//! The organisation's signature where it shows no seal: the marks of NĐ 30/2020 on attachments and on electronic copies.

use anyhow::{Context, Result, ensure};

use crate::bench::{Bench, text};

#[tokio::test]
async fn attachments_and_copies_are_marked_in_the_corner() -> Result<()> {
    let bench = Bench::set_up().await?;
    let (demo, tsa) = (text(&bench.world.demo_pdf)?, bench.world.tsa_url.clone());
    let signer = bench.organisation();
    let complete = ["--tsa", tsa.as_str(), "--trust", bench.trust()?];
    for (name, mark, lines) in [
        ("attachment.pdf", "attachment=29/2021/QĐ-UBND", vec!["29/2021/QĐ-UBND"]),
        ("sao-y.pdf", "sao_y=UBND phường Mường Thanh", vec!["Sao y", "UBND phường Mường Thanh"]),
        ("sao-luc.pdf", "sao_luc=Sở Nội vụ", vec!["Sao lục", "Sở Nội vụ"]),
        ("trich-sao.pdf", "trich_sao=Sở Nội vụ", vec!["Trích sao", "Sở Nội vụ"]),
    ] {
        let at = "2026-11-22T02:03:01Z";
        let prepare = ["--field", "Mark", "--mark", mark, "--at", at];
        bench.signed(&signer, demo, name, &prepare, &complete).await.with_context(|| name.to_owned())?;
        bench.judged(name, 1, &[]).await?;
        let said = bench.page_1(name).await?;
        for line in lines.iter().chain(&["2026-11-22T09:03:01+07:00"]) {
            let packed: String = line.split_whitespace().collect();
            ensure!(said.contains(&packed), "{name} does not say {line}: {said}");
        }
        in_the_corner(&bench, demo, name).await?;
    }
    Ok(())
}

/// What is new on page 1 stands top right, in black, within the margins.
async fn in_the_corner(bench: &Bench, before: &str, after: &str) -> Result<()> {
    bench.with("before.pdf", &std::fs::read(before)?)?;
    let (width, height, was) = bench.seen("before.pdf", 1).await?;
    let (_, _, is) = bench.seen(after, 1).await?;
    let new = was.chunks_exact(3).zip(is.chunks_exact(3)).enumerate().filter(|(_, (was, is))| was != is);
    let new: Vec<(usize, &[u8])> = new.map(|(at, (_, is))| (at, is)).collect();
    ensure!(new.len() > 100, "{after}: {} pixels are new", new.len());
    for (at, pixel) in new {
        let (x, y) = (at % width, at / width);
        ensure!(x > width / 2 && x < width - 25 && y > 25 && y < height / 8, "{after}: {x} {y}");
        let spread = pixel.iter().max().context("r")? - pixel.iter().min().context("r")?;
        ensure!(spread < 12, "{after}: coloured {pixel:?} at {x} {y}");
    }
    Ok(())
}
