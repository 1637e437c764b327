//! Serving HTTP/1.1 with and without TLS, with one thing that frameworks do not offer: closing without an answer.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    response::{Html, IntoResponse, Response},
};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// Marks a response that must never be sent: the request was handled, the connection closes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HangUp;

impl HangUp {
    pub(crate) fn response() -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(Self);
        response
    }
}

/// What a proxy in front of a dead service shows.
pub(crate) fn error_page() -> Response {
    let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>";
    (StatusCode::BAD_GATEWAY, Html(page)).into_response()
}

/// Accepts until the task is aborted; with `tls`, the handshake runs in the connection's own task.
pub(crate) fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            // Out of descriptors is a passing trouble; a closed listener ends with the task.
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let (tls, router) = (tls.clone(), router.clone());
            tokio::spawn(async move {
                match tls {
                    None => connection(stream, router).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            connection(stream, router).await;
                        }
                    }
                }
            });
        }
    })
}

#[derive(Debug, thiserror::Error)]
#[error("hung up on purpose")]
struct HungUp;

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let answered: Result<Response, Infallible> = router.oneshot(request.map(Body::new)).await;
            match answered {
                Ok(response) if response.extensions().get::<HangUp>().is_some() => Err(HungUp),
                Ok(response) => Ok(response),
                Err(never) => match never {},
            }
        }
    });
    // An error here is the hang-up or a client that went away: nothing to tell anybody.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// TLS that demands a client certificate of the given CA.
pub(crate) fn mutual_tls(
    server_chain: Vec<Vec<u8>>,
    server_key: &[u8],
    client_ca: &[u8],
) -> anyhow::Result<TlsAcceptor> {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(client_ca.to_vec()))?;
    let verifier =
        rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()?;
    let chain = server_chain.into_iter().map(CertificateDer::from).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key.to_vec()));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// TLS with the server's certificate alone.
pub(crate) fn server_tls(server_chain: Vec<Vec<u8>>, server_key: &[u8]) -> anyhow::Result<TlsAcceptor> {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

    let chain = server_chain.into_iter().map(CertificateDer::from).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key.to_vec()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
