//! What operators do with many at once, and with definitions, jobs and batches.

use super::super::table::{Operation, Resource, op};

/// The instances that a call is about.
const INSTANCES: &str = "processInstanceIds:list processInstanceQuery:obj historicProcessInstanceQuery:obj";
const SUSPENSION: &str = "suspended:bool executionDate:date includeProcessInstances:bool includeJobs:bool";
const DEFINITION: &str =
    "processDefinitionId processDefinitionKey processDefinitionTenantId processDefinitionWithoutTenantId:bool";

fn batch(operation: Operation) -> Operation {
    operation.gives("Batch")
}

pub(super) fn batches() -> Resource {
    Resource::new("Batch")
        .schema(
            "Batch",
            "id type totalJobs:int jobsCreated:int batchJobsPerSeed:int suspended:bool tenantId startTime:date",
        )
        .list(
            "/batch",
            "Batches",
            "batchId type tenantIdIn:list withoutTenantId:bool suspended:bool",
            "Batch",
        )
        .list(
            "/batch/statistics",
            "How far batches are",
            "batchId type tenantIdIn:list withoutTenantId:bool suspended:bool",
            "obj",
        )
        .with(op("GET", "/batch/{id}", "A batch").gives("Batch"))
        .with(op("DELETE", "/batch/{id}", "Deletes a batch").query("cascade:bool"))
        .with(op("PUT", "/batch/{id}/suspended", "Suspends or activates a batch").takes("suspended:bool"))
        .with(op("DELETE", "/history/batch/{id}", "Deletes the history of a batch"))
}

pub(super) fn migration() -> Resource {
    const DEFINITIONS: &str = "sourceProcessDefinitionId! targetProcessDefinitionId!";
    let plan = format!("{DEFINITIONS} instructions:[MigrationInstruction] variables:vars");
    let execution = "migrationPlan!:MigrationPlan processInstanceIds:list processInstanceQuery:obj skipCustomListeners:bool skipIoMappings:bool";
    Resource::new("Migration")
        .schema(
            "MigrationInstruction",
            "sourceActivityIds:list targetActivityIds:list updateEventTrigger:bool",
        )
        .schema("MigrationPlan", &plan)
        .with(
            op(
                "POST",
                "/migration/generate",
                "Maps what is the same in two definitions",
            )
            .takes(&format!("{DEFINITIONS} updateEventTriggers:bool variables:vars"))
            .gives("MigrationPlan"),
        )
        .with(
            op("POST", "/migration/validate", "Says what is wrong with a plan")
                .takes(&plan)
                .gives("obj"),
        )
        .with(op("POST", "/migration/execute", "Migrates instances, all or none").takes(execution))
        .with(batch(
            op("POST", "/migration/executeAsync", "Migrates instances by a batch").takes(execution),
        ))
}

pub(super) fn many() -> Resource {
    let many =
        |path, about| op("POST", path, about).takes(&format!("{INSTANCES} deleteReason skipCustomListeners:bool"));
    let modification = "instructions:[obj] skipCustomListeners:bool skipIoMappings:bool annotation";
    let several = format!("{modification} processDefinitionId {INSTANCES}");
    let restart = format!(
        "instructions:[obj] initialVariables:bool withoutBusinessKey:bool skipCustomListeners:bool skipIoMappings:bool {INSTANCES}"
    );
    Resource::new("Operations")
        .with(batch(many("/process-instance/delete", "Deletes instances by a batch")))
        .with(batch(many("/process-instance/delete-historic-query-based", "Deletes instances by a batch, by their history")))
        .with(op("PUT", "/process-instance/suspended", "Suspends or activates instances").takes(&format!("{SUSPENSION} {DEFINITION} {INSTANCES}")))
        .with(batch(op("POST", "/process-instance/suspended-async", "Suspends or activates instances by a batch").takes(&format!("suspended:bool {INSTANCES}"))))
        .with(batch(op("POST", "/process-instance/job-retries", "Sets retries of instances' jobs by a batch").takes(&format!("retries:int {INSTANCES}"))))
        .with(batch(op("POST", "/process-instance/job-retries-historic-query-based", "Sets retries of jobs by a batch, by the history").takes(&format!("retries:int {INSTANCES}"))))
        .with(batch(op("POST", "/process-instance/variables-async", "Sets variables of instances by a batch").takes(&format!("variables:vars {INSTANCES}"))))
        .with(op("POST", "/process-instance/{id}/modification", "Modifies an instance").takes(modification))
        .with(batch(op("POST", "/process-instance/{id}/modification-async", "Modifies an instance by a batch").takes(modification)))
        .with(op("POST", "/modification/execute", "Modifies instances").takes(&several))
        .with(batch(op("POST", "/modification/executeAsync", "Modifies instances by a batch").takes(&several)))
        .with(op("POST", "/process-definition/{id}/restart", "Restarts ended instances").takes(&restart))
        .with(batch(op("POST", "/process-definition/{id}/restart-async", "Restarts ended instances by a batch").takes(&restart)))
        .with(op("PUT", "/process-definition/suspended", "Suspends or activates definitions by key").takes(&format!("{SUSPENSION} {DEFINITION}")))
        .with(op("PUT", "/process-definition/{id}/suspended", "Suspends or activates a definition").takes(SUSPENSION))
        .with(op("PUT", "/process-definition/key/{key}/suspended", "Suspends or activates a definition").takes(SUSPENSION))
        .with(op("PUT", "/process-definition/key/{key}/tenant-id/{tenant}/suspended", "Suspends or activates a definition").takes(SUSPENSION))
        .with(op("PUT", "/process-definition/{id}/history-time-to-live", "Sets how long history is kept").takes("historyTimeToLive:int"))
        .with(op("PUT", "/process-definition/key/{key}/history-time-to-live", "Sets how long history is kept").takes("historyTimeToLive:int"))
        .with(batch(op("POST", "/external-task/retries-async", "Sets the retries of tasks by a batch").takes("retries:int externalTaskIds:list processInstanceIds:list externalTaskQuery:obj processInstanceQuery:obj")))
        .with(op("POST", "/execution/{id}/create-incident", "Raises an incident").takes("incidentType! configuration message").gives("Incident"))
        .with(op("DELETE", "/incident/{id}", "Resolves an incident that was raised by hand"))
        .with(op("PUT", "/incident/{id}/annotation", "Annotates an incident").takes("annotation"))
        .with(op("DELETE", "/incident/{id}/annotation", "Takes the annotation away"))
        .with(op("DELETE", "/job/{id}", "Deletes a job"))
        .with(op("PUT", "/job/suspended", "Suspends or activates jobs").takes(&format!("{SUSPENSION} {DEFINITION} jobDefinitionId processInstanceId")))
        .with(batch(op("POST", "/job/retries", "Sets the retries of jobs by a batch").takes("retries:int jobIds:list jobQuery:obj")))
        .with(op("PUT", "/job/{id}/suspended", "Suspends or activates a job").takes("suspended:bool"))
        .with(op("PUT", "/job/{id}/priority", "Sets the priority of a job").takes("priority:int"))
        .queries("/job-definition", "Job definitions", "jobDefinitionId activityIdIn:list processDefinitionId processDefinitionKey jobType jobConfiguration active:bool suspended:bool withOverridingJobPriority:bool tenantIdIn:list withoutTenantId:bool includeJobDefinitionsWithoutTenantId:bool", "obj")
        .with(op("GET", "/job-definition/{id}", "A job definition").gives("obj"))
        .with(op("PUT", "/job-definition/suspended", "Suspends or activates job definitions").takes(&format!("{SUSPENSION} {DEFINITION}")))
        .with(op("PUT", "/job-definition/{id}/suspended", "Suspends or activates a job definition").takes(SUSPENSION))
        .with(op("PUT", "/job-definition/{id}/retries", "Sets the retries of its jobs").takes("retries:int dueDate:date"))
        .with(op("PUT", "/job-definition/{id}/jobPriority", "Sets the priority of its jobs").takes("priority:int includeJobs:bool"))
        .with(op("DELETE", "/history/process-instance/{id}", "Deletes the history of an ended instance").query("failIfNotExists:bool"))
        .with(batch(op("POST", "/history/process-instance/delete", "Deletes history by a batch").takes("historicProcessInstanceIds:list historicProcessInstanceQuery:obj deleteReason failIfNotExists:bool")))
        .with(batch(op("POST", "/history/process-instance/set-removal-time", "Sets when history goes by a batch").takes("historicProcessInstanceIds:list historicProcessInstanceQuery:obj absoluteRemovalTime:date clearedRemovalTime:bool calculatedRemovalTime:bool hierarchical:bool")))
        .with(op("POST", "/history/cleanup", "Cleans the history up").query("immediatelyDue:bool").gives("obj"))
        .with(op("GET", "/history/cleanup/job", "The job that cleans up").gives("obj"))
        .with(op("GET", "/history/cleanup/jobs", "The jobs that clean up").gives("[obj]"))
        .with(op("GET", "/history/cleanup/configuration", "When the history is cleaned up").gives("obj"))
        .with(op("GET", "/history/detail/{id}/data", "The content of a binary variable, as it was").gives_raw("application/octet-stream"))
}
