//! `DELETE /process-definition/…`

use axum::response::{IntoResponse, Response};
use handoff_machine::{Command, MachineError};
use http::StatusCode;

use crate::rest::api::Api;
use crate::rest::body::no_content;
use crate::rest::definition::Named;
use crate::rest::error::{RestError, Result};
use crate::rest::query::Params;
use crate::service::CommandError;

/// Deletes a definition; without `cascade` it is refused while instances run. By its id the answer is 200, as in Camunda.
pub(super) async fn delete(api: Api, named: Named, params: Params) -> Result<Response> {
    let unknown = |id: &str| {
        let message = format!("No process definition found with id '{id}': processDefinition is null");
        RestError::of_engine(StatusCode::NOT_FOUND, "InvalidRequestException", message)
    };
    let (id, done) = match named.clone() {
        Named::Id(id) => (api.ids.read_definition(&id), StatusCode::OK.into_response()),
        Named::Key(..) => {
            let named = named.clone();
            let row = api.read(move |reader| named.find(reader)).await?;
            (row.id, no_content())
        }
    };
    let command = Command::DeleteDefinition {
        id,
        cascade: params.is("cascade"),
        skip_custom_listeners: params.is("skipCustomListeners"),
        skip_io_mappings: params.is("skipIoMappings"),
    };
    match (api.submit_raw(command).await, named) {
        (Ok(_), _) => Ok(done),
        (Err(CommandError::Machine(MachineError::NotFound { .. })), Named::Id(id)) => Err(unknown(&id)),
        (Err(error), _) => Err(error.into()),
    }
}
