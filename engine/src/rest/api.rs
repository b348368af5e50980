//! What a handler works with: the engine, and who is calling.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use handoff_machine::{Command, Question, Reply, Told};
use http::HeaderName;
use uuid::Uuid;

use super::auth::Authenticator;
use super::counters::Counters;
use super::error::{RestError, Result};
use super::id::Ids;
use super::reader::Reader;
use crate::config::Config;
use crate::service::{CommandError, Engine, Sender};

/// The header by which a call says that a delegate makes it: then a call back into the delegate's own instance fails
/// at once, instead of waiting for itself.
const INVOCATION: HeaderName = HeaderName::from_static("handoff-invocation");

/// Who is calling: the name of a user or token of the `--auth-file`, as an extension of the request.
#[derive(Clone, Debug)]
pub(crate) struct User(pub(crate) Arc<str>);

/// The engine, as one request sees it.
#[derive(Clone)]
pub(crate) struct Api {
    /// The engine.
    pub(crate) engine: Engine,
    /// The ids of its database.
    pub(crate) ids: Ids,
    /// Where the tree of resources begins, as the caller knows it: `http://host:port/engine-rest`.
    pub(crate) base: Arc<str>,
    /// What is counted.
    pub(crate) counters: Arc<Counters>,
    /// Refuse at deployment also what Camunda accepts and ignores.
    pub(crate) strict: bool,
    /// Who may call, where that is said.
    pub(crate) authenticator: Option<Arc<Authenticator>>,
    /// Who is calling, where authentication is configured.
    pub(crate) user: Option<Arc<str>>,
    invocation: Option<Uuid>,
    scheme: &'static str,
}

impl Api {
    /// As nobody in particular sees it.
    pub(crate) fn new(engine: Engine, config: &Config) -> Self {
        Self {
            ids: Ids(engine.node()),
            engine,
            base: "/engine-rest".into(),
            counters: Arc::default(),
            strict: config.strict,
            authenticator: None,
            user: None,
            invocation: None,
            scheme: if config.tls.is_some() { "https" } else { "http" },
        }
    }

    /// Runs a command. The answer comes after its commit.
    ///
    /// # Errors
    /// As the engine's, see [`RestError`].
    pub(crate) async fn submit(&self, command: Command) -> Result<Reply> {
        Ok(self.submit_raw(command).await?)
    }

    /// Runs a command, for a resource that words refusals itself.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn submit_raw(&self, command: Command) -> std::result::Result<Reply, CommandError> {
        let user = self.user.as_deref().map(str::to_owned);
        self.engine
            .submit_from(
                command,
                Sender {
                    user,
                    invocation: self.invocation,
                },
            )
            .await
    }

    /// Runs a command whose answer is only that it is done.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub(crate) async fn run(&self, command: Command) -> Result<()> {
        self.submit(command).await.map(drop)
    }

    /// Asks what has to be evaluated.
    ///
    /// # Errors
    /// As the engine's, see [`RestError`].
    pub(crate) async fn ask(&self, question: Question) -> Result<Told> {
        let user = self.user.as_deref().map(str::to_owned);
        Ok(self.engine.ask(question, user).await?)
    }

    /// Reads committed rows.
    ///
    /// # Errors
    /// What `read` returns; 503 if too many reads wait.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let ids = self.ids;
        self.engine
            .read(move |connection| read(&Reader::new(connection, ids)))
            .await
    }
}

impl FromRequestParts<Api> for Api {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self> {
        let header = parts.headers.get(&INVOCATION).and_then(|value| value.to_str().ok());
        let invocation = header.and_then(|text| Uuid::try_parse(text).ok());
        let host = parts
            .headers
            .get(http::header::HOST)
            .and_then(|host| host.to_str().ok());
        let base = match host.or(parts.uri.authority().map(|authority| authority.as_str())) {
            Some(host) => format!("{}://{host}/engine-rest", api.scheme).into(),
            None => Arc::clone(&api.base),
        };
        let user = parts.extensions.get::<User>().map(|user| Arc::clone(&user.0));
        Ok(Self {
            invocation,
            base,
            user: user.or_else(|| api.user.clone()),
            ..api.clone()
        })
    }
}

impl From<CommandError> for RestError {
    fn from(error: CommandError) -> Self {
        use http::StatusCode as S;
        let message = error.to_string();
        match error {
            CommandError::Machine(error) => error.into(),
            CommandError::Overloaded { retry_after } => Self::overloaded(message, retry_after),
            CommandError::TooManyFetches => Self::new(S::INTERNAL_SERVER_ERROR, "InvalidRequestException", message),
            CommandError::Conflict(_) => Self::conflict(message),
            CommandError::Cycle { .. } | CommandError::Store(_) => {
                Self::of_engine(S::INTERNAL_SERVER_ERROR, "ProcessEngineException", message)
            }
            CommandError::ShuttingDown => Self::new(S::INTERNAL_SERVER_ERROR, "RestException", message),
        }
    }
}

/// A fallback's state is the request itself: what no resource answers to.
pub(crate) async fn not_found(request: Request) -> RestError {
    tracing::debug!(path = request.uri().path(), "no such resource");
    RestError::new(http::StatusCode::NOT_FOUND, "NotFoundException", "HTTP 404 Not Found")
}

/// A resource that knows other methods.
pub(crate) async fn not_allowed() -> RestError {
    RestError::new(
        http::StatusCode::METHOD_NOT_ALLOWED,
        "NotAllowedException",
        "HTTP 405 Method Not Allowed",
    )
}
