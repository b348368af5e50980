//! Random block-structured models: whatever is drawn, every token comes to the end, and nothing is left behind.

use proptest::prelude::*;

use super::Driver;
use crate::command::{Command, Signal};
use crate::id::Id;
use crate::row::EventKind;
use crate::value::Value;
use crate::view::Tenant;

/// A piece of a model with one way in and one way out.
#[derive(Clone, Debug)]
enum Block {
    Pass,
    User {
        after: bool,
    },
    External {
        before: bool,
    },
    Receive,
    Timer,
    Sequence(Vec<Block>),
    Parallel(Vec<Block>),
    Exclusive(Vec<Block>, usize),
    Inclusive(Vec<Block>, u8),
    Events(Vec<Block>),
    SubProcess(Box<Block>),
    Signal,
    Condition,
    /// An activity that can be compensated.
    Undoable {
        user: bool,
    },
    /// Compensates what has been done in the scope.
    Undo,
    /// A sub-process that escalates at its end.
    Escalates {
        interrupting: bool,
        inner: Box<Block>,
    },
    /// A sub-process beside whose work a note, which can be undone, may be taken.
    Noted(Box<Block>),
    /// A transaction that is cancelled at its end, or is not.
    Transaction {
        cancelled: bool,
        inner: Box<Block>,
    },
    Each {
        sequential: bool,
        count: u8,
        inner: Box<Block>,
    },
}

fn block() -> impl Strategy<Value = Block> {
    let leaf = prop_oneof![
        Just(Block::Pass),
        any::<bool>().prop_map(|after| Block::User { after }),
        any::<bool>().prop_map(|before| Block::External { before }),
        Just(Block::Receive),
        Just(Block::Timer),
        Just(Block::Signal),
        Just(Block::Condition),
        any::<bool>().prop_map(|user| Block::Undoable { user }),
        Just(Block::Undo),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        let several = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            several.clone().prop_map(Block::Sequence),
            several.clone().prop_map(Block::Parallel),
            (several.clone(), 0..4_usize).prop_map(|(blocks, way)| Block::Exclusive(blocks, way)),
            (several.clone(), any::<u8>()).prop_map(|(blocks, ways)| Block::Inclusive(blocks, ways)),
            several.prop_map(Block::Events),
            inner.clone().prop_map(|block| Block::SubProcess(Box::new(block))),
            (any::<bool>(), inner.clone()).prop_map(|(interrupting, inner)| Block::Escalates {
                interrupting,
                inner: Box::new(inner),
            }),
            inner.clone().prop_map(|block| Block::Noted(Box::new(block))),
            (any::<bool>(), inner.clone()).prop_map(|(cancelled, inner)| Block::Transaction {
                cancelled,
                inner: Box::new(inner),
            }),
            (any::<bool>(), 0..3_u8, inner).prop_map(|(sequential, count, inner)| Block::Each {
                sequential,
                count,
                inner: Box::new(inner),
            }),
        ]
    })
}

/// Draws blocks.
#[derive(Default)]
struct Pen {
    xml: String,
    next: usize,
}

impl Pen {
    fn id(&mut self) -> String {
        self.next += 1;
        format!("n{}", self.next)
    }

    fn flow(&mut self, from: &str, to: &str, condition: Option<bool>) {
        let id = self.id();
        let condition = condition
            .map(|truth| format!("<conditionExpression>${{{truth}}}</conditionExpression>"))
            .unwrap_or_default();
        self.xml.push_str(&format!(
            r#"<sequenceFlow id="{id}" sourceRef="{from}" targetRef="{to}">{condition}</sequenceFlow>"#
        ));
    }

    fn element(&mut self, name: &str, attributes: &str, inside: &str) -> (String, String) {
        let id = self.id();
        self.xml
            .push_str(&format!(r#"<{name} id="{id}" {attributes}>{inside}</{name}>"#));
        (id.clone(), id)
    }

    /// A gateway in, one way for each block, a gateway out.
    fn ways(&mut self, gateway: &str, blocks: &[Block], condition: impl Fn(usize) -> Option<bool>) -> (String, String) {
        let (first, _) = self.element(gateway, "", "");
        let (last, _) = self.element(gateway, "", "");
        for (at, block) in blocks.iter().enumerate() {
            let (enter, leave) = self.draw(block);
            self.flow(&first, &enter, condition(at).filter(|_| blocks.len() > 1));
            self.flow(&leave, &last, None);
        }
        (first, last)
    }

    fn nested(&mut self, block: &Block) -> String {
        self.nested_to(block, "")
    }

    fn nested_to(&mut self, block: &Block, end: &str) -> String {
        let outside = std::mem::take(&mut self.xml);
        self.process_to(block, end);
        std::mem::replace(&mut self.xml, outside)
    }

    /// A block between a start and an end event.
    fn process(&mut self, block: &Block) {
        self.process_to(block, "");
    }

    fn process_to(&mut self, block: &Block, end: &str) {
        let (start, _) = self.element("startEvent", "", "");
        let (enter, leave) = self.draw(block);
        let (end, _) = self.element("endEvent", "", end);
        self.flow(&start, &enter, None);
        self.flow(&leave, &end, None);
    }

    /// A boundary event and its host go on together where it interrupts; else it ends by itself.
    fn beside(&mut self, host: &str, event: &str, interrupting: bool) -> (String, String) {
        let (last, _) = self.element("exclusiveGateway", "", "");
        self.flow(host, &last, None);
        let event_target = if interrupting {
            last.clone()
        } else {
            self.element("endEvent", "", "").0
        };
        self.flow(event, &event_target, None);
        (host.to_owned(), last)
    }

    /// The ids of the way in and the way out.
    fn draw(&mut self, block: &Block) -> (String, String) {
        const TIMER: &str = "<timerEventDefinition><timeDuration>PT1M</timeDuration></timerEventDefinition>";
        match block {
            Block::Pass => self.element("task", "", ""),
            Block::User { after } => self.element("userTask", &format!(r#"camunda:asyncAfter="{after}""#), ""),
            Block::External { before } => {
                let attributes = format!(r#"camunda:type="external" camunda:topic="t" camunda:asyncBefore="{before}""#);
                self.element("serviceTask", &attributes, "")
            }
            Block::Receive => self.element("receiveTask", r#"messageRef="m""#, ""),
            Block::Timer => self.element("intermediateCatchEvent", "", TIMER),
            Block::Sequence(blocks) => {
                let (first, mut last) = self.element("task", "", "");
                for block in blocks {
                    let (enter, leave) = self.draw(block);
                    self.flow(&last, &enter, None);
                    last = leave;
                }
                (first, last)
            }
            Block::Parallel(blocks) => self.ways("parallelGateway", blocks, |_| None),
            Block::Exclusive(blocks, way) => {
                let way = way % blocks.len();
                self.ways("exclusiveGateway", blocks, |at| Some(at == way))
            }
            Block::Inclusive(blocks, ways) => {
                // The first is always taken, so that there is one.
                self.ways("inclusiveGateway", blocks, |at| Some(at == 0 || ways & (1 << at) != 0))
            }
            Block::Events(blocks) => {
                let (first, _) = self.element("eventBasedGateway", "", "");
                let (last, _) = self.element("exclusiveGateway", "", "");
                for (at, block) in blocks.iter().enumerate() {
                    let event = match at {
                        0 => TIMER.to_owned(),
                        _ => format!(r#"<messageEventDefinition messageRef="m{at}"/>"#),
                    };
                    let (event, _) = self.element("intermediateCatchEvent", "", &event);
                    let (enter, leave) = self.draw(block);
                    self.flow(&first, &event, None);
                    self.flow(&event, &enter, None);
                    self.flow(&leave, &last, None);
                }
                (first, last)
            }
            Block::Signal => self.element(
                "intermediateCatchEvent",
                "",
                r#"<signalEventDefinition signalRef="sig"/>"#,
            ),
            Block::Condition => self.element(
                "intermediateCatchEvent",
                "",
                "<conditionalEventDefinition><condition>${go}</condition></conditionalEventDefinition>",
            ),
            Block::Undoable { user } => {
                let ends = self.element("task", "", "");
                let attached = format!(r#"attachedToRef="{}""#, ends.0);
                let (event, _) = self.element("boundaryEvent", &attached, "<compensateEventDefinition/>");
                let kind = if *user { "userTask" } else { "task" };
                let (handler, _) = self.element(kind, r#"isForCompensation="true""#, "");
                let joined = format!(r#"sourceRef="{event}" targetRef="{handler}""#);
                self.element("association", &joined, "");
                ends
            }
            Block::Undo => self.element("intermediateThrowEvent", "", "<compensateEventDefinition/>"),
            Block::Escalates { interrupting, inner } => {
                let inside = self.nested_to(inner, r#"<escalationEventDefinition escalationRef="esc"/>"#);
                let (host, _) = self.element("subProcess", "", &inside);
                let attributes = format!(r#"attachedToRef="{host}" cancelActivity="{interrupting}""#);
                let (event, _) = self.element("boundaryEvent", &attributes, "<escalationEventDefinition/>");
                self.beside(&host, &event, *interrupting)
            }
            Block::Noted(block) => {
                let mut inside = self.nested(block);
                let outside = std::mem::take(&mut self.xml);
                let (start, _) = self.element(
                    "startEvent",
                    r#"isInterrupting="false""#,
                    r#"<messageEventDefinition messageRef="note"/>"#,
                );
                let (enter, leave) = self.draw(&Block::Undoable { user: true });
                let (end, _) = self.element("endEvent", "", "");
                self.flow(&start, &enter, None);
                self.flow(&leave, &end, None);
                let event = std::mem::take(&mut self.xml);
                self.element("subProcess", r#"triggeredByEvent="true""#, &event);
                inside.push_str(&std::mem::replace(&mut self.xml, outside));
                self.element("subProcess", "", &inside)
            }
            Block::Transaction { cancelled, inner } => {
                let end = if *cancelled { "<cancelEventDefinition/>" } else { "" };
                let inside = self.nested_to(inner, end);
                let (host, _) = self.element("transaction", "", &inside);
                let attached = format!(r#"attachedToRef="{host}""#);
                let (event, _) = self.element("boundaryEvent", &attached, "<cancelEventDefinition/>");
                self.beside(&host, &event, true)
            }
            Block::SubProcess(block) => {
                let inside = self.nested(block);
                self.element("subProcess", "", &inside)
            }
            Block::Each {
                sequential,
                count,
                inner,
            } => {
                let inside = self.nested(inner);
                let inside = format!(
                    r#"<multiInstanceLoopCharacteristics isSequential="{sequential}"><loopCardinality>{count}</loopCardinality></multiInstanceLoopCharacteristics>{inside}"#
                );
                self.element("subProcess", "", &inside)
            }
        }
    }
}

/// More notes are not taken: they could be for ever.
const NOTES_MAX: usize = 3;

/// Something that can go on, chosen by a number.
fn go_on(driver: &mut Driver, choice: usize) -> bool {
    let memory = &driver.memory;
    let mut choices: Vec<Command> = Vec::new();
    choices.extend(memory.tasks.keys().map(|id| Command::CompleteTask {
        id: *id,
        variables: Vec::new(),
        with_variables: false,
    }));
    choices.extend(memory.jobs.keys().map(|id| Command::ExecuteJob(*id)));
    let external: Vec<_> = memory.external_tasks.keys().copied().collect();
    let notes = memory
        .historic_activities
        .values()
        .filter(|row| row.activity_type == "messageStartEvent")
        .count();
    let waiting: Vec<_> = memory
        .subscriptions
        .values()
        .filter(|row| row.kind != EventKind::Compensate && (row.name != "note" || notes < NOTES_MAX))
        .filter_map(|row| Some((row.instance?, row.kind, row.name.clone())))
        .collect();
    let total = choices.len() + external.len() + waiting.len();
    if total == 0 {
        return false;
    }
    let choice = choice % total;
    if let Some(command) = choices.get(choice) {
        driver.run(command).unwrap();
    } else if let Some(id) = external.get(choice - choices.len()) {
        driver.lock(*id);
        let action = crate::command::ExternalTaskAction::Complete {
            worker: "w".to_owned(),
            variables: Vec::new(),
            local_variables: Vec::new(),
        };
        driver.act(*id, action).unwrap();
    } else {
        let (instance, kind, name) = &waiting[choice - choices.len() - external.len()];
        happen(driver, *instance, *kind, name);
    }
    true
}

/// What somebody waits for happens, for all who wait for it.
fn happen(driver: &mut Driver, instance: Id, kind: EventKind, name: &str) {
    let command = match kind {
        EventKind::Message => {
            let mut message = Driver::message(name);
            message.all = true;
            Command::Correlate(Box::new(message))
        }
        EventKind::Signal => Command::Signal(Box::new(Signal {
            name: name.to_owned(),
            execution: None,
            tenant: Tenant::Any,
            variables: Vec::new(),
        })),
        _ => Driver::set_true(instance, "go"),
    };
    driver.run(&command).unwrap();
}

const DEFINITIONS: &str = r#"<message id="m" name="go"/><message id="m1" name="go1"/><message id="m2" name="go2"/><message id="m3" name="go3"/><message id="note" name="note"/>
<signal id="sig" name="sig"/><escalation id="esc" escalationCode="E"/>---"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn every_block_structured_model_runs_to_its_end(block in block(), choices in prop::collection::vec(any::<usize>(), 1..40)) {
        let mut pen = Pen::default();
        pen.process(&block);
        let mut driver = Driver::new();
        driver.deploy(&format!("{DEFINITIONS}{}", pen.xml));
        driver.start(&[("a", Value::Integer(1))]);
        let mut steps = 0;
        while go_on(&mut driver, choices[steps % choices.len()]) {
            steps += 1;
            driver.now += 60_000;
            prop_assert!(steps < 2_000, "it does not come to an end: {:?}", driver.open());
        }
        prop_assert!(driver.is_empty(), "left behind: {:?}", driver.open());
        let memory = &driver.memory;
        prop_assert!(memory.historic_instances.values().all(|row| row.end_time.is_some()));
        prop_assert!(memory.historic_activities.values().all(|row| row.end_time.is_some()));
        prop_assert!(memory.historic_tasks.values().all(|row| row.end_time.is_some()));
    }

    #[test]
    fn an_instance_can_be_deleted_at_any_moment(block in block(), choices in prop::collection::vec(any::<usize>(), 0..10)) {
        let mut pen = Pen::default();
        pen.process(&block);
        let mut driver = Driver::new();
        driver.deploy(&format!("{DEFINITIONS}{}", pen.xml));
        let id = driver.start(&[]).instance.id;
        for choice in choices {
            go_on(&mut driver, choice);
        }
        if driver.memory.instances.contains_key(&id) {
            driver.run(&Command::DeleteInstance { id, reason: None, skip_io_mappings: false, skip_custom_listeners: false }).unwrap();
        }
        prop_assert!(driver.is_empty(), "left behind: {:?}", driver.open());
        prop_assert!(driver.memory.historic_activities.values().all(|row| row.end_time.is_some()));
    }
}
