//! The clerk at the server: signing in, by typing or, for a desk without a person, from files.

use std::sync::Arc;

use totp_rs::{Algorithm, Secret, TOTP};
use trinhky_mobile_core::Server;
use trinhky_mobile_core::native::{self, SystemChance};
use zeroize::Zeroizing;

use crate::clock;
use crate::config::{Config, read_file};
use crate::error::Error;
use crate::seal::told;

/// The server as the clerk sees it.
///
/// # Errors
/// [`Error::Config`], [`Error::Server`].
pub(crate) async fn sign_in(config: &Config) -> Result<Server, Error> {
    let roots = config.server_ca.as_deref().map(read_file).transpose()?.unwrap_or_default();
    let transport = native::transport(&config.server, &roots)
        .map_err(|error| Error::Config { file: "server".into(), why: error.to_string() })?;
    let nobody = Server::new(transport, Arc::new(SystemChance));
    if let Some(path) = &config.token_file {
        return Ok(nobody.with_token(&secret_text(path)?));
    }
    let username = match &config.username {
        Some(username) => username.clone(),
        None => ask("Tên đăng nhập: ", false)?.to_string(),
    };
    let password = match &config.password_file {
        Some(path) => secret_text(path)?,
        None => ask("Mật khẩu: ", true)?,
    };
    let code = match &config.totp_secret_file {
        Some(path) => totp(&secret_text(path)?)?,
        None => ask("Mã xác thực (6 số): ", false)?,
    };
    let (server, _) = nobody.sign_in(&username, &password, &code).await.map_err(told)?;
    Ok(server)
}

fn ask(prompt: &str, hidden: bool) -> Result<Zeroizing<String>, Error> {
    let failed = |error: std::io::Error| Error::Config { file: "terminal".into(), why: error.to_string() };
    if hidden {
        return rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(failed);
    }
    eprint!("{prompt}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(failed)?;
    Ok(Zeroizing::new(line.trim().to_owned()))
}

fn secret_text(path: &std::path::Path) -> Result<Zeroizing<String>, Error> {
    let wrong = |why: String| Error::Config { file: path.display().to_string(), why };
    let text = String::from_utf8(read_file(path)?).map_err(|error| wrong(error.to_string()))?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// RFC 6238 with its defaults.
fn totp(secret: &str) -> Result<Zeroizing<String>, Error> {
    let wrong = |why: String| Error::Config { file: "totp_secret_file".into(), why };
    let secret = Secret::Encoded(secret.to_owned()).to_bytes().map_err(|error| wrong(error.to_string()))?;
    let totp = TOTP::new_unchecked(Algorithm::SHA1, 6, 1, 30, secret);
    let now = u64::try_from(clock::now()?.unix_timestamp()).map_err(|error| wrong(error.to_string()))?;
    Ok(Zeroizing::new(totp.generate(now)))
}
