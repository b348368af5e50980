//! What operators do: modification, restart, batches, suspension, incidents.

use super::*;
use crate::MachineError;
use crate::command::{
    BatchWork, Command, DefinitionTarget, Instruction, JobAction, JobTarget, Modification, NewBatch, Restart, StartAt,
    StartPoint, SuspendDefinitions,
};
use crate::row::{InstanceState, JobKind};
use crate::value::Value;

const NESTED: &str = r#"
    <startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="first"/>
    <userTask id="first"/><sequenceFlow id="f2" sourceRef="first" targetRef="sub"/>
    <subProcess id="sub">
      <startEvent id="subStart"/><sequenceFlow id="s1" sourceRef="subStart" targetRef="inner"/>
      <userTask id="inner"/><sequenceFlow id="s2" sourceRef="inner" targetRef="second"/>
      <userTask id="second"/>
    </subProcess>
    <boundaryEvent id="message" attachedToRef="sub"><messageEventDefinition messageRef="m"/></boundaryEvent>
    <sequenceFlow id="f3" sourceRef="sub" targetRef="last"/><userTask id="last"/>
"#;

fn nested() -> Driver {
    let mut driver = Driver::new();
    driver.deploy(&format!(r#"<message id="m" name="stop"/>---{NESTED}"#));
    driver
}

fn before(activity: &str) -> StartAt {
    StartAt {
        point: StartPoint::Before(activity.to_owned()),
        ancestor: None,
        variables: Vec::new(),
        local_variables: Vec::new(),
    }
}

fn modify(driver: &mut Driver, instructions: Vec<Instruction>) -> Result<(), MachineError> {
    let id = *driver.memory.instances.keys().next().expect("an instance");
    let modification = Modification {
        instructions,
        ..Modification::default()
    };
    driver.run(&Command::ModifyInstance { id, modification }).map(drop)
}

#[test]
fn a_token_is_put_into_a_scope_that_is_made_for_it() {
    let mut driver = nested();
    driver.start(&[]);
    modify(&mut driver, vec![Instruction::Start(before("inner"))]).unwrap();
    assert_eq!(driver.open(), ["first", "inner"]);
    assert_eq!(
        driver.memory.subscriptions.len(),
        1,
        "the scope waits for its boundary event"
    );
    // The next one goes into the scope that there is.
    modify(&mut driver, vec![Instruction::Start(before("second"))]).unwrap();
    let subs = driver.memory.executions.values().filter(|row| row.activity == "sub");
    assert_eq!(subs.count(), 1);
    assert_eq!(
        driver.path(),
        [
            "start startEvent",
            "first userTask…",
            "sub subProcess…",
            "inner userTask…",
            "second userTask…"
        ]
    );
}

#[test]
fn cancelling_takes_the_scopes_that_are_left_empty_and_at_last_the_instance() {
    let mut driver = nested();
    driver.start(&[]);
    let move_on = vec![
        Instruction::CancelActivity("first".to_owned()),
        Instruction::Start(before("inner")),
    ];
    modify(&mut driver, move_on).unwrap();
    assert_eq!(driver.open(), ["inner"]);
    modify(&mut driver, vec![Instruction::CancelActivity("inner".to_owned())]).unwrap();
    assert!(driver.is_empty());
    let history = driver.memory.historic_instances.values().next().unwrap();
    assert_eq!(history.state, InstanceState::ExternallyTerminated);
    assert_eq!(history.delete_reason.as_deref(), Some("Cancellation via API"));
}

#[test]
fn a_token_goes_on_from_a_flow_and_ends_an_instance_as_any_other() {
    let mut driver = nested();
    driver.start(&[]);
    let after = StartAt {
        point: StartPoint::After("sub".to_owned()),
        ..before("")
    };
    modify(
        &mut driver,
        vec![
            Instruction::CancelActivity("first".to_owned()),
            Instruction::Start(after),
        ],
    )
    .unwrap();
    assert_eq!(driver.open(), ["last"]);
    driver.complete_user_task("last");
    let history = driver.memory.historic_instances.values().next().unwrap();
    assert_eq!(history.state, InstanceState::Completed);
}

#[test]
fn what_cannot_be_is_refused_and_nothing_has_changed() {
    let mut driver = nested();
    driver.start(&[]);
    let wrong = |driver: &mut Driver, instruction| modify(driver, vec![instruction]).unwrap_err().to_string();
    let point = |point| Instruction::Start(StartAt { point, ..before("") });
    for (instruction, words) in [
        (point(StartPoint::Before("no".into())), "Activity 'no' does not exist"),
        (
            point(StartPoint::Transition("no".into())),
            "Transition 'no' does not exist",
        ),
        (point(StartPoint::After("last".into())), "has no outgoing sequence flow"),
        (
            Instruction::CancelActivityInstance(crate::Id(4)),
            "activityInstance is null",
        ),
    ] {
        let message = wrong(&mut driver, instruction);
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(driver.open(), ["first"]);
}

#[test]
fn an_instance_is_started_and_started_again_by_instructions() {
    let mut driver = nested();
    driver.start(&[("x", Value::Integer(1))]);
    let id = *driver.memory.instances.keys().next().unwrap();
    driver
        .run(&Command::DeleteInstance {
            id,
            reason: None,
            skip_custom_listeners: false,
            skip_io_mappings: false,
        })
        .unwrap();
    let definition = *driver.memory.definitions.keys().next().unwrap();
    driver
        .run(&Command::RestartInstances {
            restart: Restart {
                definition,
                at: vec![before("inner")],
                initial_variables: true,
                without_business_key: false,
                skip_custom_listeners: false,
                skip_io_mappings: false,
            },
            instances: vec![id],
        })
        .unwrap();
    assert_eq!(driver.open(), ["inner"]);
    let again = driver.memory.instances.values().next().unwrap();
    assert_eq!(again.business_key.as_deref(), Some("key"));
    let history = &driver.memory.historic_instances[&again.id];
    assert_eq!((history.restarted, history.start_activity.as_deref()), (Some(id), None));
    assert_eq!(driver.variable("x"), Some(Value::Integer(1)));
}

#[test]
fn parallel_instances_are_counted_when_one_is_added() {
    let mut driver = Driver::new();
    driver.deploy(
        r#"<startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="many"/>
           <userTask id="many"><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality>
           </multiInstanceLoopCharacteristics></userTask>"#,
    );
    driver.start(&[]);
    modify(&mut driver, vec![Instruction::Start(before("many"))]).unwrap();
    let value = |driver: &Driver, name: &str| {
        let mut rows = driver.memory.variables.values().filter(|row| row.name == name);
        rows.next_back().map(|row| row.value.clone())
    };
    assert_eq!(value(&driver, "nrOfInstances"), Some(Value::Integer(3)));
    assert_eq!(value(&driver, "loopCounter"), Some(Value::Integer(2)));
    for task in driver.memory.tasks.keys().copied().collect::<Vec<_>>() {
        driver
            .run(&Command::CompleteTask {
                id: task,
                variables: Vec::new(),
                with_variables: false,
            })
            .unwrap();
    }
    assert!(driver.is_empty());
}

fn run_jobs(driver: &mut Driver) {
    for _ in 0..1_000 {
        let due = driver
            .memory
            .jobs
            .values()
            .find(|job| job.retries > 0 && !job.suspended && job.due.unwrap_or(0) <= driver.now)
            .map(|job| job.id);
        let Some(id) = due else { return };
        if let Err(error) = driver.run(&Command::ExecuteJob(id)) {
            driver
                .run(&Command::FailJob {
                    id,
                    message: error.to_string(),
                    stacktrace: String::new(),
                    activity: None,
                })
                .unwrap();
        }
    }
    panic!("the jobs never come to rest");
}

#[test]
fn a_batch_does_its_work_by_jobs_and_goes() {
    let mut driver = nested();
    for _ in 0..250 {
        driver.start(&[]);
    }
    let items: Vec<_> = driver.memory.instances.keys().copied().collect();
    let work = BatchWork::DeleteInstances {
        reason: Some("enough".to_owned()),
        skip_custom_listeners: false,
        skip_io_mappings: false,
    };
    let reply = driver
        .run(&Command::StartBatch(NewBatch {
            work,
            items,
            user: None,
        }))
        .unwrap();
    let crate::Reply::Batch(batch) = reply else { panic!() };
    assert_eq!((batch.total_jobs, batch.kind.as_str()), (250, "instance-deletion"));
    run_jobs(&mut driver);
    assert!(driver.is_empty() && driver.memory.batches.is_empty() && driver.memory.job_definitions.is_empty());
    let history = &driver.memory.historic_batches[&batch.id];
    assert!(history.end_time.is_some());
    assert_eq!(history.batch.jobs_created, 250);
}

#[test]
fn a_job_of_a_batch_fails_alone_and_can_be_tried_again() {
    let mut driver = nested();
    driver.start(&[]);
    let instance = *driver.memory.instances.keys().next().unwrap();
    let modification = Modification {
        instructions: vec![Instruction::CancelActivity("first".to_owned())],
        ..Modification::default()
    };
    let work = BatchWork::Modify(modification);
    // The second one does not exist.
    let items = vec![instance, crate::Id(3)];
    let reply = driver.run(&Command::StartBatch(NewBatch {
        work,
        items,
        user: None,
    }));
    let Ok(crate::Reply::Batch(batch)) = reply else {
        panic!()
    };
    run_jobs(&mut driver);
    assert!(driver.memory.instances.is_empty());
    let incident = driver.memory.incidents.values().next().unwrap();
    assert_eq!((incident.kind.as_str(), incident.definition), ("failedJob", None));
    driver
        .run(&Command::Jobs {
            target: JobTarget::JobDefinition(batch.job_definition),
            action: JobAction::Retries(1),
        })
        .unwrap();
    assert!(driver.memory.incidents.is_empty());
    run_jobs(&mut driver);
    driver
        .run(&Command::DeleteBatch {
            id: batch.id,
            cascade: false,
        })
        .unwrap();
    assert!(driver.memory.jobs.is_empty() && driver.memory.batches.is_empty());
}

#[test]
fn a_definition_is_suspended_at_its_time_with_its_instances() {
    let mut driver = nested();
    driver.start(&[]);
    let definition = *driver.memory.definitions.keys().next().unwrap();
    let at = driver.now + 60_000;
    driver
        .run(&Command::SuspendDefinitions(SuspendDefinitions {
            target: DefinitionTarget::Id(definition),
            suspended: true,
            include_instances: true,
            at: Some(at),
        }))
        .unwrap();
    let job = driver.memory.jobs.values().next().unwrap().clone();
    assert!(matches!(job.kind, JobKind::Timed { .. }));
    driver.now = at;
    run_jobs(&mut driver);
    assert!(driver.memory.definitions[&definition].row.suspended);
    assert!(driver.memory.instances.values().all(|row| row.suspended));
    let refused = driver.try_start(None, &[]).unwrap_err().to_string();
    assert!(refused.contains("is suspended"), "{refused}");
}

#[test]
fn an_incident_that_somebody_makes_is_annotated_and_resolved_and_goes_with_its_activity() {
    let mut driver = nested();
    driver.start(&[]);
    let execution = driver.user_task("first").execution().expect("its execution");
    let create = Command::CreateIncident {
        execution,
        kind: "odd".to_owned(),
        configuration: Some("thing".to_owned()),
        message: None,
    };
    driver.run(&create).unwrap();
    let id = *driver.memory.incidents.keys().next().unwrap();
    driver
        .run(&Command::AnnotateIncident {
            id,
            annotation: Some("seen".to_owned()),
        })
        .unwrap();
    assert_eq!(
        driver.memory.historic_incidents[&id].incident.annotation.as_deref(),
        Some("seen")
    );
    driver.run(&Command::ResolveIncident(id)).unwrap();
    assert!(driver.memory.historic_incidents[&id].resolved);
    driver.run(&create).unwrap();
    driver.complete_user_task("first");
    assert!(driver.memory.incidents.is_empty());
}

#[test]
fn who_deletes_a_called_instance_cancels_its_call() {
    let mut driver = Driver::new();
    let called = Driver::xml(
        r#"<startEvent id="s"/><userTask id="inner"/><sequenceFlow id="f1" sourceRef="s" targetRef="inner"/>"#,
    )
    .replace(r#"process id="p""#, r#"process id="q""#);
    driver.try_deploy(&called).unwrap();
    driver.deploy(
        r#"<startEvent id="s"/><parallelGateway id="fork"/><callActivity id="call" calledElement="q"/><userTask id="beside"/>
        <sequenceFlow id="f1" sourceRef="s" targetRef="fork"/><sequenceFlow id="f2" sourceRef="fork" targetRef="call"/>
        <sequenceFlow id="f3" sourceRef="fork" targetRef="beside"/>"#,
    );
    let delete = |driver: &mut Driver, caller: crate::Id| {
        let called = driver
            .memory
            .instances
            .values()
            .find(|row| row.super_instance == Some(caller));
        let command = Command::DeleteInstance {
            id: called.unwrap().id,
            reason: Some("gone".to_owned()),
            skip_custom_listeners: false,
            skip_io_mappings: false,
        };
        driver.run(&command).unwrap();
    };
    // Something else runs in the caller, and goes on.
    let caller = driver.start(&[]).instance.id;
    delete(&mut driver, caller);
    assert_eq!(driver.open(), ["beside"]);
    assert!(driver.path().contains(&"call callActivity!".to_owned()));
    driver.complete_user_task("beside");
    assert!(driver.is_empty());
    // Nothing else does: the caller goes too, by the same hand.
    let caller = driver.start(&[]).instance.id;
    driver.complete_user_task("beside");
    delete(&mut driver, caller);
    assert!(driver.is_empty());
    let history = &driver.memory.historic_instances[&caller];
    assert_eq!(history.state, InstanceState::ExternallyTerminated);
    assert_eq!(history.delete_reason.as_deref(), Some("gone"));
}
