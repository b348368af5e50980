//! The process models that are measured.

use std::fmt::Write as _;

/// The worker in whose name everything is fetched.
pub(super) const WORKER: &str = "bench";

/// The elements that a model is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// External tasks, whose topic is the process's key: each is a wait state.
    External,
    /// Tasks that do nothing, with one external task behind them: all are passed in one command.
    Passed,
}

/// A process `key` of `steps` activities in a row.
pub(super) fn chain(key: &str, steps: usize, step: Step) -> String {
    let mut elements = String::new();
    let external = |id: &str| format!(r#"<bpmn:serviceTask id="{id}" camunda:type="external" camunda:topic="{key}"/>"#);
    // Writing to a String cannot fail.
    for number in 0..steps {
        let id = format!("step-{number}");
        let element = match step {
            Step::External => external(&id),
            Step::Passed => format!(r#"<bpmn:task id="{id}"/>"#),
        };
        let _ = writeln!(elements, "    {element}");
    }
    if step == Step::Passed {
        let _ = writeln!(elements, "    {}", external("last"));
    }
    let mut ids = vec!["start".to_owned()];
    ids.extend((0..steps).map(|number| format!("step-{number}")));
    ids.extend((step == Step::Passed).then(|| "last".to_owned()));
    ids.push("end".to_owned());
    for (number, pair) in ids.windows(2).enumerate() {
        let _ = writeln!(
            elements,
            r#"    <bpmn:sequenceFlow id="flow-{number}" sourceRef="{}" targetRef="{}"/>"#,
            pair[0], pair[1]
        );
    }
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="bench">
  <bpmn:process id="{key}" isExecutable="true" camunda:historyTimeToLive="P30D">
    <bpmn:startEvent id="start"/>
{elements}    <bpmn:endEvent id="end"/>
  </bpmn:process>
</bpmn:definitions>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_has_as_many_flows_as_it_needs() {
        let external = chain("k", 3, Step::External);
        assert_eq!(external.matches("camunda:topic=\"k\"").count(), 3);
        assert_eq!(external.matches("<bpmn:sequenceFlow").count(), 4);
        let passed = chain("k", 3, Step::Passed);
        assert_eq!(passed.matches("camunda:topic=\"k\"").count(), 1);
        assert_eq!(passed.matches("<bpmn:sequenceFlow").count(), 5);
        assert!(passed.contains(r#"sourceRef="step-2" targetRef="last""#), "{passed}");
    }
}
