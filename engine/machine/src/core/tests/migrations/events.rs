//! Events that wait, what is compensated, and event sub-processes.

use super::*;

#[test]
fn a_timer_keeps_its_due_date_unless_it_is_updated() {
    for (update, hours) in [(false, 1), (true, 2)] {
        let mut driver = two(
            &with_boundary("b", &timer("timeDuration", "PT1H")),
            &with_boundary("c", &timer("timeDuration", "PT2H")),
        );
        let before = driver.job("b");
        migrate_with(&mut driver, &[("a", "a", false), ("b", "c", update)]);
        is_of_second_version(&driver);
        let job = driver.job("c");
        assert_eq!(job.id, before.id);
        assert_eq!(job.due, Some(driver.now + hours * 60 * 60 * 1000));
        let definition = driver.memory.job_definitions[&job.job_definition.expect("a definition")].clone();
        assert_eq!(definition.definition, Some(plan(&driver, &[]).target));
        driver.execute_job("c").unwrap();
        assert_eq!(driver.open(), ["late"]);
    }
}

#[test]
fn an_event_that_is_not_mapped_goes_and_a_new_one_begins() {
    let mut driver = two(
        &with_boundary("b", &timer("timeDuration", "PT1H")),
        &format!(
            r#"<message id="m" name="stop"/>---{}"#,
            with_boundary("c", r#"<messageEventDefinition messageRef="m"/>"#)
        ),
    );
    migrate(&mut driver, &[("a", "a")]);
    is_of_second_version(&driver);
    assert!(driver.memory.jobs.is_empty());
    driver.correlate(Driver::message("stop")).unwrap();
    assert_eq!(driver.open(), ["late"]);
}

#[test]
fn a_timer_that_has_fired_does_not_begin_again() {
    let process = with_boundary("b", &timer("timeDuration", "PT1H")).replace(
        r#"id="b" attachedToRef"#,
        r#"id="b" cancelActivity="false" attachedToRef"#,
    );
    let mut driver = two(&process, &process);
    driver.execute_job("b").unwrap();
    migrate(&mut driver, &[("a", "a"), ("b", "b"), ("late", "late")]);
    assert!(driver.memory.jobs.is_empty());
    assert_eq!(driver.open(), ["a", "late"]);
}

/// A task with a compensation handler, then a task, then all is compensated; in a scope or not.
fn compensated(scope: Option<&str>, handler: &str, boundary: &str) -> String {
    let done = format!(
        r#"<userTask id="a"/><userTask id="{handler}" isForCompensation="true"/>
        <boundaryEvent id="{boundary}" attachedToRef="a"><compensateEventDefinition/></boundaryEvent>
        <association id="as" sourceRef="{boundary}" targetRef="{handler}"/>"#
    );
    let (done, first) = match scope {
        Some(id) => (
            format!(
                r#"<subProcess id="{id}"><startEvent id="s"/>{done}<endEvent id="e"/>
                <sequenceFlow id="i1" sourceRef="s" targetRef="a"/><sequenceFlow id="i2" sourceRef="a" targetRef="e"/></subProcess>"#
            ),
            id,
        ),
        None => (done, "a"),
    };
    model(
        &format!(
            r#"<startEvent id="start"/>{done}<userTask id="w"/>
            <intermediateThrowEvent id="undo"><compensateEventDefinition/></intermediateThrowEvent><endEvent id="end"/>"#
        ),
        &[("start", first), (first, "w"), ("w", "undo"), ("undo", "end")],
    )
}

#[test]
fn what_can_be_compensated_goes_along_by_its_boundary_event() {
    let cases = [
        (None, None),
        (Some("sub"), None),
        (None, Some("sub")),
        (Some("sub"), Some("other")),
    ];
    for (from, to) in cases {
        let mut driver = two(&compensated(from, "h", "cb"), &compensated(to, "h2", "cb2"));
        driver.complete_user_task("a");
        let report = refused(&mut driver, &[("w", "w")]);
        assert!(
            report.activities[0].failures[0].starts_with("Cannot migrate subscription for compensation handler 'h'"),
            "{report}"
        );
        let mut instructions = vec![("w", "w"), ("cb", "cb2")];
        if let (Some(from), Some(to)) = (from, to) {
            instructions.push((from, to));
        }
        migrate(&mut driver, &instructions);
        is_of_second_version(&driver);
        let kept = driver
            .memory
            .executions
            .values()
            .filter(|row| row.state == ExecutionState::Ended);
        assert_eq!(kept.count(), usize::from(to.is_some()), "{from:?} {to:?}");
        driver.complete_user_task("w");
        assert_eq!(driver.user_task("h2").activity(), Some("h2"));
        driver.complete_user_task("h2");
        assert!(driver.is_empty(), "{from:?} {to:?}");
    }
}

fn with_event_sub_process(id: &str, start: &str) -> String {
    format!(
        r#"<message id="m" name="go"/>---{}<subProcess id="{id}" triggeredByEvent="true">
        <startEvent id="{start}" isInterrupting="false"><messageEventDefinition messageRef="m"/></startEvent>
        <userTask id="x"/><sequenceFlow id="v1" sourceRef="{start}" targetRef="x"/></subProcess>"#,
        user("a")
    )
}

#[test]
fn an_event_sub_process_that_runs_goes_along() {
    let mut driver = two(
        &with_event_sub_process("ev", "es"),
        &with_event_sub_process("ev2", "es2"),
    );
    driver.correlate(Driver::message("go")).unwrap();
    migrate(&mut driver, &[("a", "a"), ("ev", "ev2"), ("x", "x"), ("es", "es2")]);
    is_of_second_version(&driver);
    let waiting: Vec<_> = driver
        .memory
        .subscriptions
        .values()
        .map(|row| row.activity.clone())
        .collect();
    assert_eq!(waiting, ["es2"]);
    driver.complete_user_task("x");
    driver.complete_user_task("a");
    assert!(driver.is_empty());
}

#[test]
fn a_new_event_sub_process_begins_to_wait() {
    let mut driver = two(&user("a"), &with_event_sub_process("ev", "es"));
    migrate(&mut driver, &[("a", "a")]);
    driver.correlate(Driver::message("go")).unwrap();
    assert_eq!(driver.open(), ["a", "x"]);
}

#[test]
fn an_event_gateway_goes_along_with_the_events_that_are_mapped() {
    let gateway = |suffix: &str, message: &str| {
        format!(
            r#"<message id="m" name="{message}"/>---{}"#,
            model(
                &format!(
                    r#"<startEvent id="start"/><eventBasedGateway id="g"/><endEvent id="end"/>
                    <intermediateCatchEvent id="c{suffix}"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>
                    <intermediateCatchEvent id="t{suffix}">{}</intermediateCatchEvent>"#,
                    timer("timeDuration", "PT1H")
                ),
                &[
                    ("start", "g"),
                    ("g", &format!("c{suffix}")),
                    ("g", &format!("t{suffix}")),
                    (&format!("c{suffix}"), "end"),
                    (&format!("t{suffix}"), "end"),
                ],
            )
        )
    };
    for (mapped, awaited) in [(true, "old"), (false, "new")] {
        let mut driver = two(&gateway("1", "old"), &gateway("2", "new"));
        let job = driver.job("t1").id;
        let mut instructions = vec![("g", "g")];
        if mapped {
            instructions.extend([("c1", "c2"), ("t1", "t2")]);
        }
        migrate(&mut driver, &instructions);
        is_of_second_version(&driver);
        assert_eq!(driver.job("t2").id == job, mapped);
        driver.correlate(Driver::message(awaited)).unwrap();
        assert!(driver.is_empty());
    }
}

#[test]
fn what_compensates_is_not_taken_for_an_event() {
    let mut driver = two(&compensated(None, "h", "cb"), &compensated(None, "h", "cb"));
    driver.complete_user_task("a");
    migrate(&mut driver, &[("w", "w"), ("cb", "cb")]);
    let kinds: Vec<_> = driver.memory.subscriptions.values().map(|row| row.kind).collect();
    assert_eq!(kinds, [EventKind::Compensate]);
}

#[test]
fn what_does_not_wait_cannot_go_along() {
    let mut driver = two(&compensated(None, "h", "cb"), &compensated(None, "h", "cb"));
    driver.complete_user_task("a");
    driver.complete_user_task("w");
    let report = refused(&mut driver, &[("undo", "undo"), ("h", "h")]);
    let of = |activity: &str| report.activities.iter().find(|report| report.activity == activity);
    assert_eq!(
        of("undo").expect("a report").failures,
        ["The type of the source activity is not supported for activity instance migration"]
    );
}
