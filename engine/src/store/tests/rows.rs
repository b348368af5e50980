//! Rows come back as they were, each through its own table.

use handoff_machine::Id;
use handoff_machine::delta::Change;
use handoff_machine::row::{
    DedupeKey, DefinitionRow, Delegation, Deployment, EventKind, EventSubscription, Execution, ExecutionState,
    ExternalTask, ExternalTaskLog, HistoricActivity, HistoricIncident, HistoricInstance, HistoricTask,
    HistoricVariable, Incident, Instance, InstanceState, Job, JobKind, JobLog, LogState, Resource, TaskPlace, UserTask,
    Variable,
};
use handoff_machine::value::Value;

use super::{directory, open};
use crate::store::row::Table;
use crate::store::{Store, StoreError};

fn text(text: &str) -> String {
    text.to_owned()
}

fn external_task() -> ExternalTask {
    ExternalTask {
        id: Id(10),
        instance: Id(1),
        execution: Id(2),
        definition: Id(3),
        definition_key: text("p"),
        activity: text("a"),
        topic: text("t"),
        priority: -5,
        retries: Some(0),
        worker: Some(text("w")),
        lock_expiration: Some(99),
        created: 7,
        error_message: None,
        error_details: Some(text("e")),
        suspended: true,
        tenant: None,
        business_key: Some(text("")),
        entered_as: Some(text("before")),
    }
}

fn job() -> Job {
    Job {
        id: Id(11),
        kind: JobKind::Timer {
            repeat: Some(text("R2/PT1S")),
        },
        definition: Some(Id(3)),
        definition_key: Some(text("p")),
        job_definition: Some(Id(5)),
        instance: Some(Id(1)),
        execution: None,
        activity: text("a"),
        created: 5,
        due: Some(6),
        retries: 3,
        failures: 1,
        exclusive: true,
        priority: 2,
        suspended: false,
        tenant: Some(text("x")),
        exception_message: Some(text("m")),
        exception_stacktrace: None,
        failed_activity: Some(text("b")),
    }
}

fn user_task() -> UserTask {
    UserTask {
        id: Id(12),
        place: Some(TaskPlace {
            instance: Id(1),
            execution: Id(2),
            definition: Id(3),
            activity: text("u"),
            entered_as: Some(text("before")),
        }),
        name: Some(text("Do")),
        description: None,
        assignee: Some(text("me")),
        owner: None,
        delegation: Some(Delegation::Resolved),
        parent: Some(Id(11)),
        priority: 50,
        created: 1,
        updated: Some(2),
        due: None,
        follow_up: Some(3),
        suspended: false,
        tenant: None,
    }
}

fn incident() -> Incident {
    Incident {
        id: Id(13),
        kind: text("failedJob"),
        time: 4,
        instance: Some(Id(1)),
        execution: None,
        definition: Some(Id(3)),
        activity: text("a"),
        failed_activity: None,
        cause: Id(13),
        root_cause: Id(13),
        configuration: Id(11),
        custom: None,
        message: Some(text("m")),
        annotation: Some(text("seen")),
        tenant: None,
    }
}

fn apply(store: &mut Store, changes: &[Change]) -> Result<(), StoreError> {
    store.begin().unwrap();
    let applied = store.apply(changes);
    match &applied {
        Ok(()) => store.commit().unwrap(),
        Err(_) => store.rollback().unwrap(),
    }
    applied
}

fn assert_rows<T: Table + PartialEq + std::fmt::Debug>(store: &Store, table: &str, expected: &[T]) {
    let sql = format!("SELECT {} FROM {table} ORDER BY 1", T::COLUMNS);
    let mut statement = store.connection().prepare(&sql).unwrap();
    let rows = statement
        .query_map([], T::from_row)
        .unwrap()
        .collect::<Result<Vec<_>, _>>();
    assert_eq!(rows.unwrap(), expected, "{table}");
}

#[test]
fn deployed_and_running_rows_come_back_as_they_were() {
    let (_directory, config) = directory();
    let mut store = open(&config);
    let deployment = Deployment {
        id: Id(1),
        name: None,
        source: Some(text("s")),
        tenant: None,
        time: 3,
    };
    let resource = Resource {
        id: Id(2),
        deployment: Id(1),
        name: text("a.bpmn"),
        bytes: vec![1, 0, 255],
    };
    let definition = DefinitionRow {
        id: Id(3),
        key: text("p"),
        version: 2,
        name: Some(text("P")),
        category: None,
        description: None,
        deployment: Id(1),
        resource: text("a.bpmn"),
        tenant: None,
        version_tag: Some(text("v")),
        history_time_to_live: Some(30),
        suspended: false,
        startable_in_tasklist: true,
    };
    let instance = Instance {
        id: Id(1),
        definition: Id(3),
        business_key: Some(text("k")),
        tenant: None,
        root: Id(1),
        super_instance: None,
        super_execution: Some(Id(9)),
        start_time: 2,
        suspended: false,
    };
    let execution = |id, state| Execution {
        id: Id(id),
        instance: Id(1),
        definition: Id(3),
        parent: Id(1),
        activity: text("a"),
        state,
        start_time: 1,
        suspended: false,
        entered_as: Some(text("before")),
    };
    let executions = vec![
        execution(20, ExecutionState::AsyncBefore),
        execution(21, ExecutionState::Active),
        execution(
            22,
            ExecutionState::AsyncAfter {
                flows: vec![text("f\"1"), text("f2")],
            },
        ),
        execution(23, ExecutionState::AsyncAfter { flows: Vec::new() }),
        execution(24, ExecutionState::Joining { flow: text("f") }),
        execution(25, ExecutionState::Ended),
    ];
    let variable = Variable {
        id: Id(30),
        instance: Id(1),
        scope: Id(1),
        name: text("x"),
        value: Value::Json(text("{}")),
        revision: 4,
    };
    let subscription = EventSubscription {
        id: Id(31),
        kind: EventKind::Conditional,
        name: String::new(),
        instance: None,
        execution: None,
        definition: Id(3),
        activity: text("a"),
        created: 1,
        tenant: None,
        business_key: None,
        configuration: Some(text("c")),
    };
    let key = DedupeKey {
        tenant: None,
        key: text("d"),
        instance: Id(1),
        definition: Id(3),
        business_key: None,
        created: 1,
    };
    let mut changes = vec![
        Change::InsertDeployment(deployment.clone()),
        Change::InsertResource(resource.clone()),
        Change::InsertDefinition(definition.clone()),
        Change::InsertInstance(instance.clone()),
        Change::InsertVariable(variable.clone()),
        Change::InsertExternalTask(external_task()),
        Change::InsertJob(job()),
        Change::InsertSubscription(subscription.clone()),
        Change::InsertTask(user_task()),
        Change::InsertIncident(incident()),
        Change::InsertDedupeKey(key.clone()),
    ];
    changes.extend(executions.iter().cloned().map(Change::InsertExecution));
    apply(&mut store, &changes).unwrap();

    assert_rows(&store, "deployment", &[deployment]);
    assert_rows(&store, "resource", &[resource]);
    assert_rows(&store, "definition", &[definition]);
    assert_rows(&store, "process_instance", &[instance]);
    assert_rows(&store, "execution", &executions);
    assert_rows(&store, "variable", &[variable]);
    assert_rows(&store, "external_task", &[external_task()]);
    assert_rows(&store, "job", &[job()]);
    assert_rows(&store, "event_subscription", &[subscription]);
    assert_rows(&store, "task", &[user_task()]);
    assert_rows(&store, "incident", &[incident()]);
    assert_rows(&store, "dedupe_key", &[key]);
}

#[test]
fn historic_rows_come_back_as_they_were() {
    let (_directory, config) = directory();
    let mut store = open(&config);
    let instance = HistoricInstance {
        id: Id(1),
        definition: Id(3),
        definition_key: text("p"),
        business_key: None,
        tenant: Some(text("t")),
        root: Id(1),
        super_instance: None,
        start_time: 1,
        start_activity: Some(text("s")),
        start_user: Some(text("u")),
        restarted: Some(Id(2)),
        end_time: None,
        end_activity: None,
        delete_reason: None,
        state: InstanceState::Active,
        removal_time: None,
    };
    let activity = HistoricActivity {
        id: Id(2),
        parent: Id(1),
        parent_activity: None,
        instance: Id(1),
        root: Id(1),
        definition: Id(3),
        definition_key: text("p"),
        activity: text("a"),
        activity_name: Some(text("A")),
        activity_type: text("serviceTask"),
        task: None,
        assignee: None,
        called_instance: Some(Id(8)),
        start_time: 1,
        end_time: Some(2),
        canceled: true,
        complete_scope: false,
        tenant: None,
        removal_time: Some(5),
        entered_as: Some(text("before")),
    };
    let variable = HistoricVariable {
        id: Id(4),
        instance: Id(1),
        root: Id(1),
        definition: Id(3),
        definition_key: text("p"),
        scope: Id(2),
        scope_activity: Some(text("a")),
        name: text("n"),
        value: Value::Double(0.5),
        created: 1,
        deleted: false,
        revision: 0,
        tenant: None,
        removal_time: None,
    };
    let task = HistoricTask {
        task: user_task(),
        root: Some(Id(1)),
        definition_key: Some(text("p")),
        end_time: None,
        delete_reason: None,
        removal_time: None,
    };
    let incident = HistoricIncident {
        incident: incident(),
        root: None,
        definition_key: Some(text("p")),
        end_time: None,
        deleted: false,
        resolved: false,
        removal_time: None,
    };
    let task_log = ExternalTaskLog {
        id: Id(50),
        time: 9,
        root: Id(1),
        task: external_task(),
        state: LogState::Failed,
        removal_time: None,
    };
    let job_log = JobLog {
        id: Id(51),
        time: 9,
        root: Some(Id(1)),
        job: job(),
        deployment: Some(Id(6)),
        state: LogState::Successful,
        removal_time: None,
    };
    apply(
        &mut store,
        &[
            Change::HistoryInstanceStart(instance.clone()),
            Change::HistoryActivityStart(activity.clone()),
            Change::HistoryVariable(variable.clone()),
            Change::HistoryVariable(HistoricVariable {
                revision: 1,
                value: Value::Null,
                ..variable.clone()
            }),
            Change::HistoryTaskStart(task.clone()),
            Change::HistoryIncidentStart(incident.clone()),
            Change::HistoryExternalTask(task_log.clone()),
            Change::HistoryJob(job_log.clone()),
            Change::HistoryInstanceEnd {
                id: Id(1),
                end_time: 20,
                end_activity: Some(text("e")),
                delete_reason: None,
                state: InstanceState::Completed,
                removal_time: Some(30),
            },
        ],
    )
    .unwrap();
    let ended = HistoricInstance {
        end_time: Some(20),
        end_activity: Some(text("e")),
        state: InstanceState::Completed,
        removal_time: Some(30),
        ..instance
    };
    assert_rows(&store, "historic_instance", &[ended]);
    assert_rows(&store, "historic_activity", &[activity]);
    assert_rows(
        &store,
        "historic_variable",
        &[HistoricVariable {
            revision: 1,
            value: Value::Null,
            ..variable
        }],
    );
    assert_rows(&store, "historic_task", &[task]);
    assert_rows(&store, "historic_incident", &[incident]);
    assert_rows(&store, "external_task_log", &[task_log]);
    assert_rows(&store, "job_log", &[job_log]);

    apply(&mut store, &[Change::HistoryInstanceDelete(Id(1))]).unwrap();
    for table in [
        "historic_instance",
        "historic_activity",
        "historic_variable",
        "historic_task",
        "external_task_log",
    ] {
        let sql = format!("SELECT count(*) FROM {table}");
        let count: i64 = store.connection().query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 0, "{table}");
    }
}

#[test]
fn updates_change_what_can_change_and_refuse_what_is_not_there() {
    let (_directory, config) = directory();
    let mut store = open(&config);
    let missing = apply(&mut store, &[Change::InsertTask(user_task()), Change::UpdateJob(job())]);
    assert!(
        matches!(
            missing,
            Err(StoreError::Sqlite(rusqlite::Error::StatementChangedRows(0)))
        ),
        "{missing:?}"
    );
    assert_rows::<UserTask>(&store, "task", &[]);

    let changed_task = ExternalTask {
        retries: None,
        worker: None,
        lock_expiration: None,
        error_message: Some(text("m")),
        error_details: None,
        suspended: false,
        priority: 9,
        ..external_task()
    };
    let changed_job = Job {
        due: None,
        retries: 0,
        failures: 4,
        exception_message: None,
        kind: JobKind::Timer { repeat: None },
        ..job()
    };
    apply(
        &mut store,
        &[
            Change::InsertExternalTask(external_task()),
            Change::UpdateExternalTask(changed_task.clone()),
            Change::InsertJob(job()),
            Change::UpdateJob(changed_job.clone()),
        ],
    )
    .unwrap();
    assert_rows(&store, "external_task", &[changed_task]);
    assert_rows(&store, "job", &[changed_job]);
    apply(
        &mut store,
        &[Change::DeleteJob(Id(11)), Change::DeleteExternalTask(Id(10))],
    )
    .unwrap();
    assert!(apply(&mut store, &[Change::DeleteJob(Id(11))]).is_err());
}
