//! What the province hands to the product: seal, images, document, import file, told time. Foreign programs judge again.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

mod common;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    process::{Command, Stdio},
};

use common::{Fixture, must};

#[test]
fn the_document_is_clean_and_its_text_can_be_copied() {
    let world = Fixture::start();
    let pdf = &world.ready.demo_pdf;
    let text = must("qpdf", &["--check", pdf]);
    assert!(text.contains("No syntax or stream encoding errors found"), "{text}");
    let text = must("pdftotext", &["-layout", pdf, "-"]);
    for line in [
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "/QĐ-UBND",
        "Mường Thanh, ngày",
        "Nơi nhận:",
        "Trần Quốc Cường",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let fonts = must("pdffonts", &[pdf]);
    assert!(fonts.contains("CID TrueType") && fonts.contains("yes yes yes"), "{fonts}");
}

#[test]
fn the_seal_goes_into_a_token() {
    let world = Fixture::start();
    let tokens = world.path("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let settings = world.path("softhsm2.conf");
    std::fs::write(&settings, format!("directories.tokendir = {tokens}\n")).unwrap();
    let softhsm = |arguments: &[&str]| {
        let output =
            Command::new("softhsm2-util").args(arguments).env("SOFTHSM2_CONF", &settings).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    };
    let pins = ["--pin", "123456"];
    softhsm(&[&["--init-token", "--free", "--label", "dau", "--so-pin", "12345678"], &pins[..]].concat());
    let key = &world.ready.seal.key_p8;
    softhsm(&[&["--import", key, "--token", "dau", "--label", "dau", "--id", "01"], &pins[..]].concat());
    let public = |arguments: &[&str]| must("openssl", arguments);
    assert_eq!(
        public(&["pkey", "-in", key, "-pubout"]),
        public(&["x509", "-in", &world.ready.seal.certificate_pem, "-noout", "-pubkey"])
    );
}

#[test]
fn the_import_file_names_files_that_exist() {
    let world = Fixture::start_with(|options| options.leaders = 200);
    let text = std::fs::read_to_string(&world.ready.import_toml).unwrap();
    assert_eq!(text.matches("\nmsisdn = ").count(), 200);
    let paths = text.lines().filter_map(|line| {
        let (key, value) = line.split_once(" = ")?;
        (key.ends_with("_pem") || key.ends_with("_png")).then(|| value.trim_matches('"').to_owned())
    });
    let mut count = 0;
    for path in paths {
        assert!(std::path::Path::new(&path).is_file(), "{path}");
        count += 1;
    }
    assert!(count > 400);
    assert_eq!(world.ready.accounts.iter().filter(|account| account.role == "leader").count(), 200);
    assert_eq!(world.ready.sims.len(), 200);
}

#[test]
fn the_clock_answers_on_its_socket() {
    let world = Fixture::start();
    let stream = UnixStream::connect(&world.ready.clock).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut ask = |wish: &str| -> i64 {
        writer.write_all(wish.as_bytes()).unwrap();
        lines.next().unwrap().unwrap().parse().unwrap()
    };
    let first = ask("");
    world.control("/clock", r#"{"offset_seconds": 600}"#);
    let later = ask("\n");
    assert!((600_000_000..660_000_000).contains(&(later - first)), "{first} {later}");
}

#[test]
fn the_program_prints_one_line_and_ends_when_told() {
    let dir = tempfile::tempdir().unwrap();
    let start = |more: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_trinhky-world"))
            .args(["serve", "--dir"])
            .arg(dir.path())
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut child = start(&["--until-stdin-closes"]);
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(ready["ready"], "world");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());

    let mut child = start(&["--until-stdin-closes"]);
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    must("kill", &["-TERM", &child.id().to_string()]);
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_program_ends_with_its_parent() {
    let dir = tempfile::tempdir().unwrap();
    let mut parent = Command::new("sleep").arg("60").spawn().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_trinhky-world"))
        .args(["serve", "--parent-pid", &parent.id().to_string(), "--dir"])
        .arg(dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    parent.kill().unwrap();
    parent.wait().unwrap();
    assert!(child.wait().unwrap().success());
}
