use super::corpus;
use super::fuzz;
use super::mutation::{Language, mutated_xml};
use crate::command::{Command, ExternalTaskAction, Once, Start, StartTarget, VariableInput};
use crate::id::Id;
use crate::model::{lint, parse};
use crate::request::Answer;
use crate::testing::Driver;
use crate::value::Value;

/// Commands after the start of an instance.
const STEPS_MAX: usize = 12;

const BPMN: Language = Language {
    words: &[
        "<subProcess id=\"n\">",
        "<subProcess id=\"n\" triggeredByEvent=\"true\">",
        "<transaction id=\"n\">",
        "</subProcess>",
        "<startEvent id=\"n\"/>",
        "<endEvent id=\"n\"/>",
        "<userTask id=\"n\"/>",
        "<userTask id=\"n\" isForCompensation=\"true\"/>",
        "<boundaryEvent id=\"n\" attachedToRef=\"u\"><errorEventDefinition/></boundaryEvent>",
        "<sequenceFlow id=\"n\" sourceRef=\"u\" targetRef=\"u\"/>",
        "<inclusiveGateway id=\"n\"/>",
        "<parallelGateway id=\"n\"/>",
        "<eventBasedGateway id=\"n\"/>",
        "<callActivity id=\"n\" calledElement=\"p\"/>",
        "<timerEventDefinition><timeCycle>R/PT0S</timeCycle></timerEventDefinition>",
        "<timeDate>9999-12-31</timeDate>",
        "<timeDuration>P9999999999Y</timeDuration>",
        "0 0/0 * * * ?",
        "<compensateEventDefinition/>",
        "<cancelEventDefinition/>",
        "<terminateEventDefinition/>",
        "<escalationEventDefinition/>",
        "<conditionalEventDefinition><condition>${true}</condition></conditionalEventDefinition>",
        "<multiInstanceLoopCharacteristics><loopCardinality>1000000</loopCardinality></multiInstanceLoopCharacteristics>",
        "<loopCardinality>${-1}</loopCardinality>",
        "camunda:asyncBefore=\"true\"",
        "camunda:type=\"external\" camunda:topic=\"t\"",
        "camunda:expression=\"${execution.setVariable('a', 1)}\"",
        "camunda:collection=\"c\" camunda:elementVariable=\"e\"",
        "camunda:priority=\"${99999999999}\"",
        "isInterrupting=\"false\"",
        "cancelActivity=\"false\"",
        "default=\"f1\"",
        "isSequential=\"true\"",
        "attachedToRef",
        "${true}",
        "${",
        "xmlns:x=\"y\"",
        "x:",
        "<![CDATA[",
        "]]>",
        "&#0;",
        "&#x1F600;",
        "&nope;",
        "<!--",
        "\"",
        "<",
        "/>",
        "\u{0}",
    ],
    pairs: &[
        (
            "<subProcess id=\"n\"><startEvent id=\"s\"/><sequenceFlow id=\"f\" sourceRef=\"s\" targetRef=\"n\"/>",
            "</subProcess>",
        ),
        ("<subProcess>", "</subProcess>"),
        ("<subProcess>", ""),
        ("<a xmlns:a=\"b\">", "</a>"),
        ("<camunda:list>", "</camunda:list>"),
        (
            "<camunda:map><camunda:entry key=\"k\">",
            "</camunda:entry></camunda:map>",
        ),
        ("${(", ")}"),
        ("<!--", "-->"),
        ("<lane><childLaneSet>", "</childLaneSet></lane>"),
    ],
};

/// Reads a model, judges it, and lets it run for a while.
fn read(model: &str) {
    let Ok(parsed) = parse("p.bpmn", model.as_bytes()) else {
        return;
    };
    for process in &parsed.processes {
        let _ = lint(process, None);
    }
    run(model);
}

fn run(model: &str) {
    let mut driver = Driver::new();
    driver.responder = Box::new(|_| Answer::Failed {
        message: "nobody answers".to_owned(),
    });
    if driver.try_deploy(model).is_err() {
        return;
    }
    let ids: Vec<_> = driver.memory.definitions.keys().copied().take(3).collect();
    for id in ids {
        let _ = driver.run(&Command::Start(start(id)));
    }
    for step in 0..STEPS_MAX {
        driver.now += 3_600_000;
        let memory = &driver.memory;
        let command = match step % 4 {
            0 => memory.jobs.keys().next().copied().map(Command::ExecuteJob),
            1 => memory.tasks.keys().next().map(|id| Command::CompleteTask {
                id: *id,
                variables: Vec::new(),
                with_variables: false,
            }),
            2 => memory
                .instances
                .keys()
                .next_back()
                .map(|id| Driver::set_true(*id, "go")),
            _ => {
                if let Some(id) = memory.external_tasks.keys().next().copied() {
                    complete(&mut driver, id);
                }
                None
            }
        };
        if let Some(command) = command {
            let _ = driver.run(&command);
        }
    }
}

fn start(definition: Id) -> Start {
    Start {
        target: StartTarget::Definition(definition),
        business_key: None,
        variables: vec![VariableInput {
            name: "c".to_owned(),
            value: Value::Json("[1, 2, 3]".into()),
            transient: false,
        }],
        once: Once::default(),
        with_variables: true,
        at: Vec::new(),
        skip_custom_listeners: false,
        skip_io_mappings: false,
    }
}

fn complete(driver: &mut Driver, id: Id) {
    let worker = || "w".to_owned();
    let lock = ExternalTaskAction::Lock {
        worker: worker(),
        duration: 60_000,
    };
    let completion = ExternalTaskAction::Complete {
        worker: worker(),
        variables: Vec::new(),
        local_variables: Vec::new(),
    };
    let _ = driver.act(id, lock).and_then(|()| driver.act(id, completion));
}

#[test]
fn models_that_are_nearly_what_was_recorded() {
    fuzz(2_000, || mutated_xml(&corpus::BPMN, BPMN), |model| read(&model));
}
