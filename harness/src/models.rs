//! The models of the pattern, and what tests change in them.

/// `models/order-management.bpmn`.
pub const ORDER_MANAGEMENT: &str = include_str!("../../models/order-management.bpmn");

/// `models/inventory.bpmn`.
pub const INVENTORY: &str = include_str!("../../models/inventory.bpmn");

const RETRY_CYCLE_START: &str = "<camunda:failedJobRetryTimeCycle>";
const RETRY_CYCLE_END: &str = "</camunda:failedJobRetryTimeCycle>";

/// The Inventory model with another `failedJobRetryTimeCycle` of its start event, such as `R3/PT1S`.
#[must_use]
pub fn inventory_with_retry_cycle(cycle: &str) -> String {
    let (before, rest) = split(INVENTORY, RETRY_CYCLE_START);
    let (_, after) = split(rest, RETRY_CYCLE_END);
    format!("{before}{RETRY_CYCLE_START}{cycle}{RETRY_CYCLE_END}{after}")
}

/// The completion listener, as the Inventory model's start event has it.
const LISTENER: &str = r#"<camunda:executionListener event="end" delegateExpression="${completeExternalTask}" />"#;

/// An Inventory model that nobody completes the task for: what a stock worker needs, which does it in its handler.
#[must_use]
pub fn inventory_without_listener() -> String {
    INVENTORY.replacen(LISTENER, "", 1)
}

/// An Inventory model that answers first and completes the task last, at its end.
#[must_use]
pub fn inventory_that_answers_first() -> String {
    let at_the_end = format!("<bpmn:extensionElements>{LISTENER}</bpmn:extensionElements><bpmn:incoming>flow-told-");
    let late = at_the_end.replace("event=\"end\"", "event=\"start\"");
    inventory_without_listener().replace("<bpmn:incoming>flow-told-", &late)
}

/// An Inventory model that calls the delegate `name` right after its start event: in the job that goes on after it.
#[must_use]
pub fn inventory_with_delegate_after_start(name: &str) -> String {
    let task = format!(
        r#"<bpmn:sequenceFlow id="flow-needed" sourceRef="inventory-check-needed" targetRef="after-start" />
    <bpmn:serviceTask id="after-start" camunda:delegateExpression="${{{name}}}">
      <bpmn:incoming>flow-needed</bpmn:incoming>
      <bpmn:outgoing>flow-after-start</bpmn:outgoing>
    </bpmn:serviceTask>
    <bpmn:sequenceFlow id="flow-after-start" sourceRef="after-start" targetRef="count-stock" />"#
    );
    let old = r#"<bpmn:sequenceFlow id="flow-needed" sourceRef="inventory-check-needed" targetRef="count-stock" />"#;
    let with_task = inventory_with_retry_cycle("R2/PT0.1S").replacen(old, &task, 1);
    let incoming = |flow: &str| format!("topic=\"count-stock\">\n      <bpmn:incoming>{flow}</bpmn:incoming>");
    with_task.replacen(&incoming("flow-needed"), &incoming("flow-after-start"), 1)
}

/// The text before and after `mark`; all of it is before where the mark is absent, which no caller's model is.
fn split<'a>(text: &'a str, mark: &str) -> (&'a str, &'a str) {
    text.split_once(mark).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_retry_cycle_is_replaced_and_nothing_else() {
        let changed = inventory_with_retry_cycle("R3/PT1S");
        assert!(changed.contains("<camunda:failedJobRetryTimeCycle>R3/PT1S</camunda:failedJobRetryTimeCycle>"));
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let different = lines(&changed)
            .iter()
            .zip(lines(INVENTORY))
            .filter(|(a, b)| *a != b)
            .count();
        assert_eq!((different, lines(&changed).len()), (1, lines(INVENTORY).len()));
    }

    #[test]
    fn each_variant_is_another_model() {
        let after_start = inventory_with_delegate_after_start("x");
        assert!(after_start.contains("delegateExpression=\"${x}\"") && after_start.contains(LISTENER));
        assert_eq!(after_start.matches("flow-after-start<").count(), 2);
        assert!(!inventory_without_listener().contains("executionListener"));
        let answers_first = inventory_that_answers_first();
        assert_eq!(answers_first.matches("executionListener event=\"start\"").count(), 2);
        assert_eq!(answers_first.matches("executionListener").count(), 2);
    }

    #[test]
    fn every_element_of_the_models_is_drawn() {
        for model in [ORDER_MANAGEMENT, INVENTORY] {
            let process = model
                .split_once("<bpmn:process ")
                .unwrap()
                .1
                .split_once("</bpmn:process>")
                .unwrap()
                .0;
            let drawn = |id: &str| model.contains(&format!("bpmnElement=\"{id}\""));
            let elements = [
                "startEvent",
                "sendTask",
                "serviceTask",
                "sequenceFlow",
                "exclusiveGateway",
            ]
            .into_iter()
            .chain([
                "eventBasedGateway",
                "intermediateCatchEvent",
                "endEvent",
                "textAnnotation",
                "association",
            ]);
            let mut count = 0;
            for element in elements {
                for part in process.split(&format!("<bpmn:{element} id=\"")).skip(1) {
                    let id = part.split('"').next().unwrap();
                    assert!(drawn(id), "{id} has neither shape nor edge");
                    count += 1;
                }
            }
            assert!(count >= 15, "only {count} elements found");
        }
    }
}
