//! Incidents of called instances, which are their callers' too.

use super::*;
use crate::command::{Command, ExternalTaskAction};
use crate::id::Id;
use crate::row::Incident;

/// `p` calls `mid`, which calls `child`, which waits for a worker.
fn called() -> Driver {
    let calls = |of: &str| {
        let elements = format!(r#"<startEvent id="s"/><callActivity id="call" calledElement="{of}"/>"#);
        Driver::xml(&model(&elements, &[("s", "call")]))
    };
    let waits = format!(r#"<startEvent id="s"/><serviceTask id="work" {EXTERNAL}/>"#);
    let child = Driver::xml(&model(&waits, &[("s", "work")]));
    let mut driver = Driver::new();
    for (id, xml) in [("child", child), ("mid", calls("child")), ("p", calls("mid"))] {
        let xml = xml.replace(r#"<process id="p""#, &format!(r#"<process id="{id}""#));
        driver.try_deploy(&xml).expect("a process");
    }
    driver.start(&[]);
    driver
}

fn set_retries(driver: &mut Driver, retries: i32) {
    let id = driver.external_task("work").id;
    driver
        .act(id, ExternalTaskAction::SetRetries(retries))
        .expect("retries");
}

/// From the called instance up.
fn chain(driver: &Driver) -> Vec<Incident> {
    driver.memory.incidents.values().cloned().collect()
}

fn ends(driver: &Driver) -> Vec<(bool, bool)> {
    let rows = driver.memory.historic_incidents.values();
    rows.map(|row| (row.resolved, row.deleted)).collect()
}

#[test]
fn an_incident_travels_to_all_callers_and_is_resolved_with_its_cause() {
    let mut driver = called();
    set_retries(&mut driver, 0);
    let incidents = chain(&driver);
    let activities: Vec<&str> = incidents.iter().map(|row| row.activity.as_str()).collect();
    assert_eq!(activities, ["work", "call", "call"]);
    let causes: Vec<Id> = incidents.iter().map(|row| row.cause).collect();
    assert_eq!(causes, [incidents[0].id, incidents[0].id, incidents[1].id]);
    assert!(incidents.iter().all(|row| row.root_cause == incidents[0].id));
    assert_eq!(driver.memory.historic_incidents.len(), 3);
    set_retries(&mut driver, 1);
    assert!(driver.memory.incidents.is_empty());
    assert_eq!(ends(&driver), [(true, false); 3]);
}

#[test]
fn what_a_called_instance_has_handed_on_ends_by_its_cause_alone() {
    let mut driver = called();
    let execution = driver.external_task("work").execution;
    let create = Command::CreateIncident {
        execution,
        kind: "mine".to_owned(),
        configuration: None,
        message: Some("look".to_owned()),
    };
    driver.run(&create).expect("an incident");
    let ids: Vec<Id> = chain(&driver).iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), 3);
    driver.run(&Command::ResolveIncident(ids[2])).expect("no refusal");
    assert_eq!(driver.memory.incidents.len(), 3, "its cause is still there");
    driver.run(&Command::ResolveIncident(ids[0])).expect("a resolution");
    assert!(driver.memory.incidents.is_empty());
    assert_eq!(ends(&driver), [(true, false); 3]);
}

#[test]
fn the_end_of_a_called_instance_ends_its_incidents_everywhere() {
    let mut driver = called();
    set_retries(&mut driver, 0);
    let top = *driver.memory.instances.keys().next().expect("an instance");
    let delete = Command::DeleteInstance {
        id: top,
        reason: None,
        skip_custom_listeners: false,
        skip_io_mappings: false,
    };
    driver.run(&delete).expect("a deletion");
    assert!(driver.is_empty());
    assert_eq!(ends(&driver), [(false, true); 3]);
}
