use super::*;
use crate::command::Command;
use crate::error::MachineError;
use crate::row::JobKind;
use crate::value::Value;

fn task(listeners: &str, attributes: &str) -> Driver {
    deployed(
        &format!(
            r#"<startEvent id="s"/><userTask id="t" {attributes}><extensionElements>{listeners}</extensionElements></userTask><endEvent id="e"/>"#
        ),
        &[("s", "t"), ("t", "e")],
    )
}

fn noting(event: &str) -> String {
    let expression =
        "${execution.setVariable('seen', execution.hasVariable('seen') ? seen.concat(' EVENT') : 'EVENT')}";
    let expression = expression.replace("EVENT", event);
    format!(r#"<camunda:taskListener event="{event}" expression="{expression}"/>"#)
}

#[test]
fn task_listeners_are_called_in_the_order_of_their_events() {
    let listeners: String = ["complete", "assignment", "delete", "create"]
        .iter()
        .map(|event| noting(event))
        .collect();
    let mut driver = task(&listeners, r#"camunda:assignee="kermit""#);
    driver.start(&[]);
    assert_eq!(
        driver.variable("seen"),
        Some(Value::String("create assignment".to_owned()))
    );
    driver.complete_user_task("t");
    assert_eq!(
        driver.variable("seen"),
        Some(Value::String("create assignment complete".to_owned()))
    );
}

#[test]
fn a_listener_may_change_its_task() {
    let mut driver = task(
        r#"<camunda:taskListener event="create" expression="${task.setAssignee('kermit')}"/><camunda:taskListener event="create" expression="${task.setPriority(7)}"/>"#,
        "",
    );
    driver.start(&[]);
    let task = driver.user_task("t");
    assert_eq!((task.assignee.as_deref(), task.priority), (Some("kermit"), 7));
    let historic = driver.memory.historic_tasks.values().next().unwrap();
    assert_eq!(historic.task.assignee.as_deref(), Some("kermit"));
}

#[test]
fn a_timeout_listener_has_a_job_that_goes_with_the_task() {
    let listener = r#"<camunda:taskListener id="late" event="timeout" expression="${execution.setVariable('late', task.name)}">
        <timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></camunda:taskListener>"#;
    let mut driver = task(listener, r#"name="Work""#);
    driver.start(&[]);
    let job = driver.memory.jobs.values().next().unwrap().clone();
    assert!(matches!(&job.kind, JobKind::TaskTimeout { listener, repeat: None } if listener == "late"));
    assert_eq!(job.due, Some(driver.now + 3_600_000));
    driver.run(&Command::ExecuteJob(job.id)).unwrap();
    assert_eq!(driver.variable("late"), Some(Value::String("Work".to_owned())));
    assert!(driver.memory.jobs.is_empty() && !driver.is_empty(), "the task goes on");

    let mut driver = task(listener, "");
    driver.start(&[]);
    driver.complete_user_task("t");
    assert!(driver.is_empty(), "no job is left behind");
}

#[test]
fn a_job_before_the_start_event_calls_the_listeners_of_the_process() {
    let mut driver = deployed(
        r#"<extensionElements><camunda:executionListener event="start" expression="${missing}"/></extensionElements>
            <startEvent id="s" camunda:asyncBefore="true"/><endEvent id="e"/>"#,
        &[("s", "e")],
    );
    driver.start(&[]);
    let job = driver.memory.jobs.values().next().unwrap().id;
    let error = driver.run(&Command::ExecuteJob(job)).unwrap_err();
    assert!(error.to_string().contains("missing"));
}

#[test]
fn what_java_would_cast_or_parse_fails_as_there() {
    for (attributes, class) in [
        (r#"name="${5}""#, "ClassCastException"),
        (r#"camunda:assignee="${true}""#, "ClassCastException"),
    ] {
        let error = task("", attributes).try_start(None, &[]).unwrap_err();
        assert!(
            matches!(error, MachineError::Java { class: found, .. } if found == class),
            "{error:?}"
        );
    }
    let error = task("", r#"camunda:priority="high""#).try_start(None, &[]).unwrap_err();
    assert_eq!(error.to_string(), "Priority does not resolve to a number: high");
}

#[test]
fn a_priority_that_cannot_be_evaluated_is_zero() {
    let mut driver = deployed(
        r#"<startEvent id="s"/><task id="t" camunda:asyncBefore="true" camunda:jobPriority="${priority}"/>"#,
        &[("s", "t")],
    );
    driver.start(&[]);
    assert_eq!(driver.memory.jobs.values().next().unwrap().priority, 0);
    driver.start(&[("priority", Value::Integer(3))]);
    assert!(driver.memory.jobs.values().any(|job| job.priority == 3));
}

#[test]
fn a_date_may_be_a_period_and_a_cycle_gives_its_jobs_their_retries() {
    let mut driver = deployed(
        r#"<startEvent id="s"/><intermediateCatchEvent id="c"><extensionElements><camunda:failedJobRetryTimeCycle>R5/PT5M</camunda:failedJobRetryTimeCycle></extensionElements>
            <timerEventDefinition><timeDate>PT1H</timeDate></timerEventDefinition></intermediateCatchEvent>"#,
        &[("s", "c")],
    );
    driver.start(&[]);
    let job = driver.job("c");
    assert_eq!((job.due, job.retries), (Some(driver.now + 3_600_000), 5));
}

#[test]
fn a_property_with_a_source_fails_when_its_task_is_reached() {
    let mut driver = deployed(
        r#"<startEvent id="s"/><userTask id="t"><property id="v" camunda:src="in"/></userTask>"#,
        &[("s", "t")],
    );
    let error = driver.try_start(None, &[("in", Value::Integer(1))]).unwrap_err();
    assert!(error.to_string().contains("Couldn't create variable 'v'"));
}

#[test]
fn the_mapping_code_of_a_call_fails_when_it_is_reached() {
    let mut driver = deployed(
        r#"<startEvent id="s"/><callActivity id="c" calledElement="p" camunda:variableMappingClass="a.B"/>"#,
        &[("s", "c")],
    );
    assert!(driver.try_start(None, &[]).unwrap_err().to_string().contains("'a.B'"));
}
