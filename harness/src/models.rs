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
