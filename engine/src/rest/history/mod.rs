//! `/history/…`: what was, and what is, since history is written from the start.

mod activity;
mod batch;
mod decision;
mod detail;
mod external_task_log;
mod identity_link;
mod incident;
mod instance;
mod job_log;
mod place;
mod removal;
mod task;
mod user_operation;
mod variable;

use axum::Router;

use super::api::Api;

pub(crate) use self::instance::select as instances;

/// The routes of all history.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .merge(instance::routes())
        .merge(activity::routes())
        .merge(variable::routes())
        .merge(task::routes())
        .merge(incident::routes())
        .merge(external_task_log::routes())
        .merge(job_log::routes())
        .merge(batch::routes())
        .merge(decision::routes())
        .merge(detail::routes())
        .merge(identity_link::routes())
        .merge(removal::routes())
        .merge(user_operation::routes())
}

/// List and count by GET and by POST, and one row by its id: every kind of history has the same five.
macro_rules! history {
    ($path:literal, $row:ty, $orders:expr, $unknown:literal) => {
        use axum::Router;
        use axum::response::Response;
        use axum::routing::get;

        use $crate::rest::api::Api;
        use $crate::rest::body::{count, ok};
        use $crate::rest::error::{RestError, Result};
        use $crate::rest::path::Path;
        use $crate::rest::query::{Criteria, Params, PostParams, Select};
        use $crate::rest::reader::Reader;

        /// The resource's routes.
        pub(super) fn routes() -> Router<Api> {
            Router::new()
                .route($path, get(by_get).post(by_post))
                .route(concat!($path, "/count"), get(count_by_get).post(count_by_post))
                .route(concat!($path, "/{id}"), get(one))
                .merge(more())
        }

        async fn by_get(api: Api, params: Params) -> Result<Response> {
            list(api, params).await
        }

        async fn by_post(api: Api, PostParams(params): PostParams) -> Result<Response> {
            list(api, params).await
        }

        async fn count_by_get(api: Api, params: Params) -> Result<Response> {
            count_all(api, params).await
        }

        async fn count_by_post(api: Api, PostParams(params): PostParams) -> Result<Response> {
            count_all(api, params).await
        }

        async fn list(api: Api, params: Params) -> Result<Response> {
            let mut select = select(&api, &params)?;
            select.arranged(&params, $orders)?;
            let rows = api.read(move |reader| {
                let rows = select.rows(reader.connection)?;
                rows.iter()
                    .map(|row| dto(reader, row, &params))
                    .collect::<Result<Vec<_>>>()
            });
            Ok(ok(rows.await?))
        }

        async fn count_all(api: Api, params: Params) -> Result<Response> {
            let select = select(&api, &params)?;
            Ok(count(
                api.read(move |reader| select.count(reader.connection)).await?,
            ))
        }

        async fn one(api: Api, Path(id): Path<String>, params: Params) -> Result<Response> {
            let key = api.ids.read_activity(&id);
            let row = api.read(
                move |reader| match Select::<$row>::by_id(reader.connection, key)? {
                    Some(row) => dto(reader, &row, &params).map(Some),
                    None => Ok(None),
                },
            );
            row.await?
                .map(ok)
                .ok_or_else(|| RestError::unknown(format!($unknown, id)))
        }
    };
}
use history;
