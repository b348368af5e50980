//! TLS: whom the host believes, and whom an engine lets in.

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::serve::Listener;
use handoff_host::engines::{Engine as _, Fault};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{auth::connect, fake_engine::FakeEngine, wire::Wire};

/// An authority with what it signed.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

struct Signed {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    fn sign(&self, names: &[&str], usage: ExtendedKeyUsagePurpose) -> Signed {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Signed { certificate, key }
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        roots
    }
}

/// The files of a configuration.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let file = self.0.path().join(name);
        std::fs::write(&file, content).unwrap();
        file
    }

    fn authority(&self, authority: &Authority) -> String {
        let file = self.write("ca.pem", &authority.certificate.pem());
        format!("ca-file = {:?}", file.display().to_string())
    }

    fn client(&self, client: &Signed) -> String {
        let certificate = self.write("client.pem", &client.certificate.pem());
        let key = self.write("client.key", &client.key.serialize_pem());
        format!(
            "cert-file = {:?}, key-file = {:?}",
            certificate.display().to_string(),
            key.display().to_string()
        )
    }
}

struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.tcp.accept().await else {
                continue;
            };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

/// Serves an engine by TLS, for clients of an authority if there is one; answers where.
async fn serve(engine: &FakeEngine, server: &Signed, clients: Option<&Authority>) -> std::net::SocketAddr {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authority.roots()), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let certificate: CertificateDer<'static> = server.certificate.der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(server.key.serialize_der()));
    let mut config = builder.with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let listener = TlsListener {
        tcp,
        acceptor: TlsAcceptor::from(Arc::new(config)),
    };
    let router = engine.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn url(host: &str, address: std::net::SocketAddr) -> String {
    format!("https://{host}:{}/engine-rest", address.port())
}

#[tokio::test]
async fn an_own_authority_is_believed_where_it_is_configured_and_nowhere_else() {
    let (ours, others) = (Authority::new("ours"), Authority::new("others"));
    let engine = FakeEngine::start().await;
    let server = ours.sign(&["localhost"], ExtendedKeyUsagePurpose::ServerAuth);
    let address = serve(&engine, &server, None).await;
    let files = Files::new();
    let believed = connect(
        &url("localhost", address),
        &format!("tls = {{ {} }}", files.authority(&ours)),
    );
    believed.probe().await.unwrap();
    let calls = engine.calls().len();

    let files = Files::new();
    let strangers = connect(
        &url("localhost", address),
        &format!("tls = {{ {} }}", files.authority(&others)),
    );
    let system = connect(&url("localhost", address), "");
    for me in [strangers, system] {
        let refused = me.probe().await;
        assert!(
            matches!(&refused, Err(Fault::Unreachable(why)) if why.contains("certificate")),
            "{refused:?}"
        );
    }
    let kept = Files::new();
    let other_name = connect(
        &url("127.0.0.1", address),
        &format!("tls = {{ {} }}", kept.authority(&ours)),
    );
    let refused = other_name.probe().await;
    assert!(
        matches!(&refused, Err(Fault::Unreachable(why)) if why.contains("not valid for name")),
        "{refused:?}"
    );
    assert_eq!(
        engine.calls().len(),
        calls,
        "nothing was sent to a server that is not believed"
    );
}

#[tokio::test]
async fn an_engine_that_demands_a_certificate_is_shown_one() {
    let (ours, clients) = (Authority::new("ours"), Authority::new("clients"));
    let engine = FakeEngine::start().await;
    let server = ours.sign(&["localhost"], ExtendedKeyUsagePurpose::ServerAuth);
    let address = serve(&engine, &server, Some(&clients)).await;
    let files = Files::new();
    let trust = files.authority(&ours);
    let nameless = connect(&url("localhost", address), &format!("tls = {{ {trust} }}"));
    let refused = nameless.probe().await;
    assert!(
        matches!(&refused, Err(Fault::Unreachable(_) | Fault::Interrupted(_))),
        "{refused:?}"
    );
    let stranger = Files::new();
    let shown = stranger.client(&ours.sign(&["host"], ExtendedKeyUsagePurpose::ClientAuth));
    let stranger = connect(&url("localhost", address), &format!("tls = {{ {trust}, {shown} }}"));
    assert!(stranger.probe().await.is_err());
    assert!(engine.calls().is_empty());

    let shown = files.client(&clients.sign(&["host"], ExtendedKeyUsagePurpose::ClientAuth));
    let known = connect(&url("localhost", address), &format!("tls = {{ {trust}, {shown} }}"));
    known.probe().await.unwrap();
}

#[tokio::test]
async fn certificates_that_were_rotated_are_used_without_a_restart() {
    let (ours, old, new) = (Authority::new("ours"), Authority::new("old"), Authority::new("new"));
    let engine = FakeEngine::start().await;
    let server = ours.sign(&["localhost"], ExtendedKeyUsagePurpose::ServerAuth);
    let wire = Wire::to(serve(&engine, &server, Some(&old)).await).await;
    let files = Files::new();
    let trust = files.authority(&ours);
    let shown = files.client(&old.sign(&["host"], ExtendedKeyUsagePurpose::ClientAuth));
    let me = connect(
        &url("localhost", wire.address),
        &format!("tls = {{ {trust}, {shown} }}"),
    );
    me.probe().await.unwrap();
    files.client(&new.sign(&["host"], ExtendedKeyUsagePurpose::ClientAuth));
    wire.lead_to(serve(&engine, &server, Some(&new)).await);
    let recovered = async {
        while me.probe().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), recovered)
        .await
        .expect("the new certificate is shown");
}

#[tokio::test]
async fn what_cannot_be_used_is_told_with_its_file() {
    let files = Files::new();
    let wrong = files.write("wrong.pem", "no certificate");
    let (engine, clients) = (Authority::new("a"), Authority::new("b"));
    let client = files.client(&clients.sign(&["host"], ExtendedKeyUsagePurpose::ClientAuth));
    let other_key = files.write(
        "other.key",
        &engine
            .sign(&["x"], ExtendedKeyUsagePurpose::ClientAuth)
            .key
            .serialize_pem(),
    );
    let cases = [
        (format!("ca-file = {:?}", wrong.display().to_string()), "wrong.pem"),
        ("ca-file = \"/nowhere/ca.pem\"".to_owned(), "/nowhere/ca.pem"),
        (
            client.replace("client.key", "other.key"),
            &*other_key.display().to_string(),
        ),
    ];
    for (tls, hint) in cases {
        let text =
            format!("[engines.order]\nurl = \"https://localhost\"\ntls = {{ {tls} }}\n[workers]\ndir = \"none\"\n");
        let config = handoff_host::Config::parse(&text, std::path::Path::new("handoff.toml")).unwrap();
        let error =
            handoff_host::engines::camunda7::Camunda7::new("order", "me", &config.engines["order"]).unwrap_err();
        assert!(error.contains(hint), "{error}");
    }
}
