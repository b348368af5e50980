//! The tree of all resources, and what every request passes before it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::Uri;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;

use super::api::{Api, User, not_allowed, not_found};
use super::auth::{AuthError, Authenticator};
use super::error::{RestError, Result};
use super::guard::Guard;
use super::{
    batch, condition, decision_definition, decision_requirements, deployment, engine, event_subscription, execution,
    external_task, history, identity, incident, job, job_definition, message, metrics, migration, modification,
    openapi, process_definition, process_instance, signal, task, variable_instance,
};
use crate::config::Config;
use crate::service::Engine;

/// The longest body that is not a deployment, in bytes. Files come in it as Base64.
const BODY_MAX: usize = 16 << 20;
/// Where the tree begins.
const ROOT: &str = "/engine-rest";

/// What stands before the resources.
#[derive(Clone)]
struct Gate {
    api: Api,
    guard: Arc<Guard>,
    authenticator: Option<Arc<Authenticator>>,
}

/// The whole REST of an engine.
///
/// # Errors
/// The file of users and tokens cannot be used.
pub fn router(engine: Engine, config: &Config) -> Result<Router, AuthError> {
    let authenticator = config
        .auth_file
        .as_deref()
        .map(Authenticator::read)
        .transpose()?
        .map(Arc::new);
    let guard = Arc::new(Guard::new(config.listen.ip().is_loopback(), &config.allowed_hosts));
    let mut api = Api::new(engine, config);
    api.authenticator.clone_from(&authenticator);
    let tree = Router::new()
        .nest(ROOT, resources())
        .route("/metrics", get(counters))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(api.clone());
    // The gate rewrites paths, so it must stand before the routing and not within it.
    let gate = Gate {
        api,
        guard,
        authenticator,
    };
    Ok(Router::new()
        .fallback_service(tree)
        .layer(middleware::from_fn_with_state(gate, pass)))
}

/// All resources, below [`ROOT`].
pub(super) fn resources() -> Router<Api> {
    Router::new()
        .merge(batch::routes())
        .merge(condition::routes())
        .merge(decision_definition::routes())
        .merge(decision_requirements::routes())
        .merge(deployment::routes())
        .merge(engine::routes())
        .merge(event_subscription::routes())
        .merge(execution::routes())
        .merge(external_task::routes())
        .merge(history::routes())
        .merge(identity::routes())
        .merge(incident::routes())
        .merge(job::routes())
        .merge(job_definition::routes())
        .merge(message::routes())
        .merge(metrics::routes())
        .merge(migration::routes())
        .merge(modification::routes())
        .merge(openapi::routes())
        .merge(process_definition::routes())
        .merge(process_instance::routes())
        .merge(signal::routes())
        .merge(task::routes())
        .merge(variable_instance::routes())
}

async fn counters(api: Api) -> Response {
    api.counters.response(api.engine.stats())
}

async fn pass(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let response = match gate.admit(&mut request).await {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    gate.api.counters.answered(response.status());
    response
}

impl Gate {
    async fn admit(&self, request: &mut Request) -> Result<()> {
        self.guard.check(request)?;
        if let Some(authenticator) = &self.authenticator {
            let user = authenticator.check(request.headers()).await?;
            request.extensions_mut().insert(User(user));
        }
        let path = request.uri().path();
        let bare = bare(path, self.api.engine.name())?;
        if bare != path {
            let query = request
                .uri()
                .query()
                .map(|query| format!("?{query}"))
                .unwrap_or_default();
            let mut parts = request.uri().clone().into_parts();
            let target = format!("{bare}{query}").parse();
            parts.path_and_query = Some(target.map_err(|_| RestError::invalid("The path cannot be read"))?);
            *request.uri_mut() = Uri::from_parts(parts).map_err(|_| RestError::invalid("The path cannot be read"))?;
        }
        Ok(())
    }
}

/// A path without `/engine/{name}` and without a slash at its end.
///
/// # Errors
/// 400: another engine's name.
fn bare(path: &str, own_name: &str) -> Result<String> {
    let path = if path.len() > 1 {
        path.trim_end_matches('/')
    } else {
        path
    };
    let Some(named) = path.strip_prefix("/engine-rest/engine/") else {
        return Ok(path.to_owned());
    };
    let (name, rest) = named.split_once('/').map_or((named, ""), |(name, rest)| (name, rest));
    let decoded = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    if decoded != "default" && decoded != own_name {
        let message = "No process engine available";
        return Err(RestError::new(
            StatusCode::BAD_REQUEST,
            "InvalidRequestException",
            message,
        ));
    }
    Ok(if rest.is_empty() {
        ROOT.to_owned()
    } else {
        format!("{ROOT}/{rest}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_known_by_its_name_and_as_the_default() {
        let bare = |path| bare(path, "order").map_err(|error| error.message);
        assert_eq!(
            bare("/engine-rest/engine/default/task/1").as_deref(),
            Ok("/engine-rest/task/1")
        );
        assert_eq!(
            bare("/engine-rest/engine/order/task/").as_deref(),
            Ok("/engine-rest/task")
        );
        assert_eq!(bare("/engine-rest/engine/").as_deref(), Ok("/engine-rest/engine"));
        assert_eq!(bare("/metrics").as_deref(), Ok("/metrics"));
        assert_eq!(
            bare("/engine-rest/engine/other/task"),
            Err("No process engine available".to_owned())
        );
    }
}
