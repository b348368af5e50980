//! One call of a worker.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{capabilities::Capabilities, deadline::Deadline};

/// What a call needs from the embedder.
#[derive(Clone)]
pub struct CallContext {
    /// When the call has to end. It can be moved while the call runs.
    pub deadline: Deadline,
    /// The engines' side of the worker's capabilities.
    pub capabilities: Arc<dyn Capabilities>,
    /// Stops the call when it is cancelled.
    pub cancel: CancellationToken,
    /// The W3C `traceparent` of the run, which the worker may pass on.
    pub traceparent: Option<String>,
}
