//! Random block-structured models: whatever is drawn, every token comes to the end, and nothing is left behind.

use proptest::prelude::*;

use super::Driver;
use crate::command::Command;
use crate::value::Value;

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
        let outside = std::mem::take(&mut self.xml);
        self.process(block);
        std::mem::replace(&mut self.xml, outside)
    }

    /// A block between a start and an end event.
    fn process(&mut self, block: &Block) {
        let (start, _) = self.element("startEvent", "", "");
        let (enter, leave) = self.draw(block);
        let (end, _) = self.element("endEvent", "", "");
        self.flow(&start, &enter, None);
        self.flow(&leave, &end, None);
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
                    let event = if at == 0 {
                        TIMER
                    } else {
                        r#"<messageEventDefinition messageRef="m"/>"#
                    };
                    let (event, _) = self.element("intermediateCatchEvent", "", event);
                    let (enter, leave) = self.draw(block);
                    self.flow(&first, &event, None);
                    self.flow(&event, &enter, None);
                    self.flow(&leave, &last, None);
                }
                (first, last)
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

/// Something that can go on, chosen by a number.
fn go_on(driver: &mut Driver, choice: usize) -> bool {
    let memory = &driver.memory;
    let mut choices: Vec<Command> = Vec::new();
    choices.extend(memory.tasks.keys().map(|id| Command::CompleteTask {
        id: *id,
        variables: Vec::new(),
    }));
    choices.extend(memory.jobs.keys().map(|id| Command::ExecuteJob(*id)));
    let external: Vec<_> = memory.external_tasks.keys().copied().collect();
    let waiting: Vec<_> = memory
        .subscriptions
        .values()
        .filter_map(|row| Some((row.instance?, row.execution?)))
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
        // To all who wait: a message by name alone may have several receivers.
        let mut message = Driver::message("go");
        message.all = true;
        driver.correlate(message).unwrap();
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn every_block_structured_model_runs_to_its_end(block in block(), choices in prop::collection::vec(any::<usize>(), 1..40)) {
        let mut pen = Pen::default();
        pen.process(&block);
        let mut driver = Driver::new();
        driver.deploy(&format!(r#"<message id="m" name="go"/>---{}"#, pen.xml));
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
        driver.deploy(&format!(r#"<message id="m" name="go"/>---{}"#, pen.xml));
        let id = driver.start(&[]).instance.id;
        for choice in choices {
            go_on(&mut driver, choice);
        }
        if driver.memory.instances.contains_key(&id) {
            driver.run(&Command::DeleteInstance { id, reason: None, skip_custom_listeners: false }).unwrap();
        }
        prop_assert!(driver.is_empty(), "left behind: {:?}", driver.open());
        prop_assert!(driver.memory.historic_activities.values().all(|row| row.end_time.is_some()));
    }
}
