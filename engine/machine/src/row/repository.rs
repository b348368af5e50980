//! What is deployed.

use crate::id::{Id, Millis};

/// A deployment.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct Deployment {
    pub id: Id,
    pub name: Option<String>,
    pub source: Option<String>,
    pub tenant: Option<String>,
    pub time: Millis,
}

/// A file of a deployment.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct Resource {
    pub id: Id,
    pub deployment: Id,
    pub name: String,
    pub bytes: Vec<u8>,
}

/// A version of a process definition. Its id outside is `key:version:uuid`.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct DefinitionRow {
    pub id: Id,
    pub key: String,
    pub version: i32,
    pub name: Option<String>,
    pub category: Option<String>,
    pub description: Option<String>,
    pub deployment: Id,
    pub resource: String,
    pub tenant: Option<String>,
    pub version_tag: Option<String>,
    /// Days.
    pub history_time_to_live: Option<i32>,
    pub suspended: bool,
    pub startable_in_tasklist: bool,
}

/// A version of a decision definition. Its id outside is `key:version:uuid`.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct DecisionRow {
    pub id: Id,
    pub key: String,
    pub version: i32,
    pub name: Option<String>,
    pub category: Option<String>,
    pub deployment: Id,
    pub resource: String,
    pub tenant: Option<String>,
    pub version_tag: Option<String>,
    /// Days.
    pub history_time_to_live: Option<i32>,
    /// The file's requirements, where it has several decisions.
    pub requirements: Option<Id>,
    pub requirements_key: Option<String>,
}

/// A version of the requirements of a DMN file with several decisions.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct RequirementsRow {
    pub id: Id,
    pub key: String,
    pub version: i32,
    pub name: Option<String>,
    pub category: Option<String>,
    pub deployment: Id,
    pub resource: String,
    pub tenant: Option<String>,
}
