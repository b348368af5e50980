//! TLS to an engine: whom the host believes, and what it shows.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::config::TlsConfig;

/// What is in the configured files, to see whether they have changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Material(Vec<Vec<u8>>);

impl Material {
    /// Reads the files. Fails with the one that cannot be read.
    pub(super) fn read(config: &TlsConfig) -> Result<Self, String> {
        config
            .files()
            .map(|file| std::fs::read(file).map_err(|error| format!("tls: cannot read {}: {error}", file.display())))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// What connections by `https` are made with. `plain`: there will be none, and the system's certificates are not read.
pub(super) fn client_config(config: &TlsConfig, plain: bool) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("tls: {error}"))?;
    let builder = match &config.ca_file {
        Some(file) => builder.with_root_certificates(authorities(file)?),
        None if plain => builder.with_root_certificates(RootCertStore::empty()),
        None => builder
            .with_platform_verifier()
            .map_err(|error| format!("tls: the system's certificates cannot be used: {error}"))?,
    };
    let mut tls = match (&config.cert_file, &config.key_file) {
        (Some(cert), Some(key)) => builder
            .with_client_auth_cert(certificates(cert)?, private_key(key)?)
            .map_err(|error| {
                format!(
                    "tls: {} and {} cannot be used together: {error}",
                    cert.display(),
                    key.display()
                )
            })?,
        _ => builder.with_no_client_auth(),
    };
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

fn authorities(file: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots
            .add(certificate)
            .map_err(|error| format!("tls: a certificate in {} cannot be used: {error}", file.display()))?;
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unusable = |error: rustls::pki_types::pem::Error| {
        format!("tls: {} has no certificates in PEM form: {error}", file.display())
    };
    let found = CertificateDer::pem_file_iter(file)
        .map_err(unusable)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(unusable)?;
    if found.is_empty() {
        return Err(format!("tls: {} has no certificate in PEM form", file.display()));
    }
    Ok(found)
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(file)
        .map_err(|error| format!("tls: {} has no private key in PEM form: {error}", file.display()))
}
