//! Deployments, and the engine itself.

use super::super::table::{Resource, op};

/// Criteria of deployments.
const DEPLOYMENTS: &str = "\
    id name nameLike source withoutSource:bool after:date before:date tenantIdIn:list withoutTenantId:bool";

/// `DeploymentDto`
const DEPLOYMENT: &str = "\
    links:[Link] id name source deploymentTime:date tenantId";

/// `DeploymentWithDefinitionsDto`
const DEPLOYED: &str = "\
    links:[Link] id name source deploymentTime:date tenantId deployedProcessDefinitions:obj \
    deployedCaseDefinitions:obj deployedDecisionDefinitions:obj deployedDecisionRequirementsDefinitions:obj \
    handoff:obj";

pub(super) fn deployments() -> Resource {
    Resource::new("Deployment")
        .schema("Deployment", DEPLOYMENT)
        .schema("Deployed", DEPLOYED)
        .schema("Resource", "id name deploymentId")
        .list("/deployment", "Deployments", DEPLOYMENTS, "Deployment")
        .with(
            op("POST", "/deployment/create", "Deploys files")
                .takes_form("deployment-name deployment-source tenant-id enable-duplicate-filtering deploy-changed-only handoff-strict data:any")
                .gives("Deployed"),
        )
        .with(op("GET", "/deployment/registered", "The deployments whose jobs are run").gives("list"))
        .with(op("GET", "/deployment/{id}", "A deployment").gives("Deployment"))
        .with(
            op("DELETE", "/deployment/{id}", "Deletes a deployment")
                .query("cascade:bool skipCustomListeners:bool skipIoMappings:bool"),
        )
        .with(
            op("POST", "/deployment/{id}/redeploy", "Deploys files of a deployment again")
                .takes("resourceIds:list resourceNames:list source")
                .gives("Deployed"),
        )
        .with(op("GET", "/deployment/{id}/resources", "The files of a deployment").gives("[Resource]"))
        .with(op("GET", "/deployment/{id}/resources/{resource}", "A file").gives("Resource"))
        .with(op("GET", "/deployment/{id}/resources/{resource}/data", "The content of a file").gives_raw("application/octet-stream"))
}

pub(super) fn engine() -> Resource {
    Resource::new("Engine")
        .with(op("GET", "/engine", "The engines that there are").gives("[obj]"))
        .with(op("GET", "/version", "The version whose dialect this is").gives("obj"))
        .with(op("GET", "/handoff", "What this engine can do beyond Camunda 7").gives("obj"))
        .with(op("GET", "/schema/log", "The schema of the database").gives("[obj]"))
        .with(
            op("POST", "/schema/log", "The schema of the database")
                .takes("version")
                .gives("[obj]"),
        )
        .with(op("GET", "/telemetry/configuration", "There is no telemetry").gives("obj"))
        .with(op("POST", "/telemetry/configuration", "There is no telemetry").takes("enableTelemetry:bool"))
        .with(op("GET", "/openapi.json", "This description").gives("obj"))
        .with(op("GET", "/openapi", "A page that shows it").gives_raw("text/html"))
        .with(
            op("GET", "/metrics", "What has been done, by intervals")
                .query("name startDate:date endDate:date firstResult:int maxResults:int interval:int")
                .gives("[obj]"),
        )
        .with(
            op("GET", "/metrics/{name}/sum", "How often something has been done")
                .query("startDate:date endDate:date")
                .gives("obj"),
        )
}

/// What is always empty here, for those who ask.
pub(super) fn identity() -> Resource {
    let mut resource = Resource::new("Identity")
        .with(
            op("GET", "/identity/groups", "The groups of a user")
                .query("userId")
                .gives("obj"),
        )
        .with(
            op("POST", "/identity/verify", "Whether a password is right")
                .takes("username! password!")
                .gives("obj"),
        )
        .with(
            op("GET", "/authorization/check", "Whether the caller may do something")
                .query("permissionName resourceName resourceType resourceId userId")
                .gives("obj"),
        )
        .with(op("GET", "/user/{id}/profile", "A user").gives("obj"))
        .with(op("POST", "/group", "Groups").gives("[obj]"))
        .with(op("POST", "/group/count", "Groups: how many").gives("Count"));
    for what in ["user", "group", "tenant", "authorization", "filter"] {
        let (path, about) = (format!("/{what}"), format!("What is known as {what}"));
        resource = resource
            .with(op("GET", &path, &about).gives("[obj]"))
            .with(op("OPTIONS", &path, "What can be done with it").gives("obj"))
            .with(op("GET", &format!("{path}/count"), &format!("{about}: how many")).gives("Count"));
        if what != "user" {
            resource = resource.with(op("GET", &format!("{path}/{{id}}"), "There is none").gives("obj"));
        }
    }
    for what in ["case-definition", "case-instance", "case-execution"] {
        let path = format!("/{what}");
        resource = resource
            .with(op("GET", &path, "There are no cases").gives("[obj]"))
            .with(op("GET", &format!("{path}/count"), "There are no cases: how many").gives("Count"));
        if what != "case-definition" {
            resource = resource
                .with(op("POST", &path, "There are no cases").gives("[obj]"))
                .with(op("POST", &format!("{path}/count"), "There are no cases: how many").gives("Count"));
        }
    }
    resource
}
