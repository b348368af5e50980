//! An engine from start to end: open the database, listen, stop cleanly.

use std::future::Future;
use std::net::SocketAddr;

use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::rest::{ServeError, Server};
use crate::service::Engine;
use crate::store::{OpenError, StoreError};

/// Why an engine could not be started, or ended badly.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The listener.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The store, while it ran or at the end.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Serves an engine until `shutdown` is there. `ready` is told the address as soon as requests are taken.
///
/// At the end no connection is accepted any more, waiting long polls are answered with Camunda's error, open requests
/// have [`crate::config::Limits::shutdown_grace`], and the log is folded into the database.
///
/// # Errors
/// See [`EngineError`]; each says what to do. If the database cannot be written any more, this ends at once.
pub async fn serve(
    config: Config,
    ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()>,
) -> Result<(), EngineError> {
    let engine = Engine::open(&config)?;
    let served = listen(&engine, &config, ready, shutdown).await;
    let closed = engine.shutdown().await;
    served?;
    Ok(closed?)
}

async fn listen(
    engine: &Engine,
    config: &Config,
    ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()>,
) -> Result<(), EngineError> {
    let server = Server::bind(engine.clone(), config).await?;
    let address = server.local_addr();
    tracing::info!(%address, data = %config.data_dir.display(), node = engine.node().bits(), "the engine is ready");
    ready(address);
    let stop = CancellationToken::new();
    let serving = server.serve(stop.clone());
    tokio::pin!(serving);
    tokio::select! {
        () = &mut serving => return Ok(()),
        () = shutdown => tracing::info!("the engine stops"),
        () = engine.stopped() => tracing::error!("the writer has stopped"),
    }
    // Long polls must not keep connections open.
    engine.refuse();
    stop.cancel();
    serving.await;
    Ok(())
}
