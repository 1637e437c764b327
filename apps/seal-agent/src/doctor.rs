//! Whether everything that sealing needs is there, without a PIN and without sealing.

use std::sync::Arc;

use trinhky_mobile_core::Server;
use trinhky_protos::session::PersonView;

use crate::config::Config;
use crate::desk;
use crate::error::Error;
use crate::journal::Journal;
use crate::render;
use crate::seal::{anchors, told};
use crate::token::{Module, PinState};

/// One line a check; `ok` only if all are.
pub(crate) async fn doctor(config: &Config, module: Result<&Module, &Error>) -> serde_json::Value {
    let token = match module {
        Ok(module) => module.token(&config.token.label).and_then(|token| match token.pin {
            PinState::Locked => Err(Error::PinLocked),
            _ => Ok(()),
        }),
        Err(error) => Err(Error::TokenMissing(error.to_string())),
    };
    let clerk = async {
        let server: Server = desk::sign_in(config).await?;
        let me: PersonView = server.get("who am I", "/v1/me".into()).await.map_err(told)?;
        let clerk = me.roles.iter().any(|role| role == "clerk");
        if clerk { Ok(()) } else { Err(Error::Config { file: "username".into(), why: "is no clerk".into() }) }
    };
    let drawn = render::page(Arc::new(trinhky_pades::pdf::minimal()), 1).await.map(drop);
    let journal = Journal::at(&config.journal).read();
    let torn = journal.as_ref().ok().and_then(|contents| contents.torn);
    let checks = [
        ("roots", anchors(config).map(drop)),
        ("token", token),
        ("server", clerk.await),
        ("drawing", drawn),
        ("journal", journal.map(drop)),
    ];
    let told: Vec<_> = checks
        .iter()
        .map(|(name, outcome)| match outcome {
            Ok(()) if *name == "journal" && torn.is_some() => serde_json::json!({
                "check": name, "ok": true,
                "message": "Dòng cuối của nhật ký bị dở do mất điện, khi chưa ký gì. Lần đóng dấu sau sẽ tự bỏ dòng đó.",
                "what": format!("line {} was torn", torn.unwrap_or_default()),
            }),
            Ok(()) => serde_json::json!({"check": name, "ok": true}),
            Err(error) => serde_json::json!({
                "check": name, "ok": false, "code": error.code(), "message": error.vietnamese(), "what": error.to_string(),
            }),
        })
        .collect();
    serde_json::json!({"ok": checks.iter().all(|(_, outcome)| outcome.is_ok()), "checks": told})
}
