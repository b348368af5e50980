//! `/external-task`

mod act;
mod dto;
mod fetch;
mod list;

use axum::Router;
use axum::routing::{get, post, put};

use super::api::Api;

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/external-task", get(list::by_get).post(list::by_post))
        .route(
            "/external-task/count",
            get(list::count_by_get).post(list::count_by_post),
        )
        .route("/external-task/topic-names", get(list::topic_names))
        .route("/external-task/fetchAndLock", post(fetch::fetch_and_lock))
        .route("/external-task/retries", put(act::set_retries_of_many))
        .route("/external-task/retries-async", post(act::set_retries_by_batch))
        .route("/external-task/{id}", get(list::one))
        .route("/external-task/{id}/errorDetails", get(list::error_details))
        .route("/external-task/{id}/complete", post(act::complete))
        .route("/external-task/{id}/failure", post(act::fail))
        .route("/external-task/{id}/bpmnError", post(act::bpmn_error))
        .route("/external-task/{id}/lock", post(act::lock))
        .route("/external-task/{id}/extendLock", post(act::extend_lock))
        .route("/external-task/{id}/unlock", post(act::unlock))
        .route("/external-task/{id}/retries", put(act::set_retries))
        .route("/external-task/{id}/priority", put(act::set_priority))
}
