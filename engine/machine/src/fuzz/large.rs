//! Inputs that are as long or as deep as a file can be: they are read, or refused with a reason, in a time that grows as
//! they do, and on the stack that a thread of an engine has.

use std::time::{Duration, Instant};

use indexmap::IndexMap;

use super::LIMIT;
use crate::command::Command;
use crate::decision;
use crate::expression::Expression;
use crate::feel::{self, Budget};
use crate::model::{lint, parse};
use crate::testing::{Driver, bounded};
use crate::value::Value;

/// How many times as long something may take for eight times as much. Eight would be linear and 64 quadratic.
const GROWTH_MAX: u32 = 28;

/// Times below it say nothing.
const SHORT: Duration = Duration::from_millis(20);

/// Whether the time that `work` takes grows much faster than its input. What else the machine does only ever makes it
/// longer, so the shortest of a few tries counts.
fn grows_as_its_input(what: &str, count: usize, work: impl Fn(usize) -> Box<dyn Fn()> + Send + 'static) {
    let what = what.to_owned();
    bounded("large", LIMIT, move || {
        let time = |count| {
            let work = work(count);
            let tries = (0..3).map(|_| {
                let start = Instant::now();
                work();
                start.elapsed()
            });
            tries.min().unwrap_or_default()
        };
        let (few, many) = (time(count), time(count * 8));
        assert!(
            many < few.max(SHORT) * GROWTH_MAX,
            "{what}: {count} take {few:?}, eight times as many {many:?}"
        );
    });
}

/// Elements, one after another, for each number from 1.
fn each(count: usize, element: impl Fn(usize) -> String) -> String {
    (1..=count).map(element).collect()
}

/// What there are many of, and the inside of a model with so many.
type Kind = (&'static str, fn(usize) -> String);

#[test]
fn models_with_many_of_a_kind_are_read_in_linear_time() {
    const KINDS: [Kind; 7] = [
        ("tasks in a row, with messages on their boundaries", |count| {
            let tasks = each(count, |at| {
                let before = at - 1;
                format!(
                    r#"<userTask id="t{at}"/><sequenceFlow id="f{at}" sourceRef="t{before}" targetRef="t{at}"/>
                    <boundaryEvent id="b{at}" attachedToRef="t{at}"><messageEventDefinition messageRef="m"/></boundaryEvent>"#
                )
            });
            format!(r#"<message id="m" name="m"/>---<startEvent id="t0"/>{tasks}"#)
        }),
        ("messages on one boundary", |count| {
            let messages = each(count, |at| format!(r#"<message id="m{at}" name="m{at}"/>"#));
            let events = each(count, |at| {
                format!(
                    r#"<boundaryEvent id="b{at}" attachedToRef="t"><messageEventDefinition messageRef="m{at}"/></boundaryEvent>"#
                )
            });
            format!(r#"{messages}---<startEvent id="s"/><userTask id="t"/>{events}"#)
        }),
        ("escalations on one boundary that exclude each other", |count| {
            let events = each(count, |at| {
                format!(r#"<boundaryEvent id="b{at}" attachedToRef="t"><escalationEventDefinition/></boundaryEvent>"#)
            });
            format!(r#"<startEvent id="s"/><userTask id="t"/>{events}"#)
        }),
        ("event sub-processes", |count| {
            each(count, |at| {
                format!(
                    r#"<subProcess id="p{at}" triggeredByEvent="true"><startEvent id="s{at}"><conditionalEventDefinition><condition>${{x == {at}}}</condition></conditionalEventDefinition></startEvent></subProcess>"#
                )
            })
        }),
        ("flows of a gateway", |count| {
            let flows = each(count, |at| {
                format!(
                    r#"<userTask id="t{at}"/><sequenceFlow id="f{at}" sourceRef="g" targetRef="t{at}"><conditionExpression>${{true}}</conditionExpression></sequenceFlow>"#
                )
            });
            format!(r#"<startEvent id="s"/><exclusiveGateway id="g"/>{flows}"#)
        }),
        ("parameters of a task", |count| {
            let parameters = each(count, |at| {
                format!(r#"<camunda:inputParameter name="p{at}">${{p{at}}}</camunda:inputParameter>"#)
            });
            format!(
                r#"<startEvent id="s"/><userTask id="t"><extensionElements><camunda:inputOutput>{parameters}</camunda:inputOutput></extensionElements></userTask>"#
            )
        }),
        ("compensated tasks", |count| {
            each(count, |at| {
                format!(
                    r#"<task id="t{at}"/><boundaryEvent id="b{at}" attachedToRef="t{at}"><compensateEventDefinition/></boundaryEvent><task id="h{at}" isForCompensation="true"/><association id="a{at}" sourceRef="b{at}" targetRef="h{at}"/><intermediateThrowEvent id="c{at}"><compensateEventDefinition activityRef="t{at}"/></intermediateThrowEvent>"#
                )
            })
        }),
    ];
    for (what, inside) in KINDS {
        grows_as_its_input(what, 500, move |count| {
            let model = Driver::xml(&inside(count));
            Box::new(move || {
                if let Ok(parsed) = parse("p.bpmn", model.as_bytes()) {
                    for process in parsed.processes {
                        let _ = lint(&process, None);
                    }
                }
            })
        });
    }
}

#[test]
fn models_are_run_as_deep_as_they_are_read() {
    bounded("deep", LIMIT, || {
        let nested = |depth| {
            let innermost =
                r#"<startEvent id="s"/><userTask id="u"/><sequenceFlow id="f" sourceRef="s" targetRef="u"/>"#;
            (0..depth).fold(innermost.to_owned(), |inside, at| {
                format!(
                    r#"<startEvent id="s{at}"/><sequenceFlow id="f{at}" sourceRef="s{at}" targetRef="p{at}"/><subProcess id="p{at}">{inside}</subProcess>"#
                )
            })
        };
        let mut driver = Driver::new();
        driver.deploy(&nested(120));
        let id = driver.start(&[]).instance.id;
        driver
            .run(&Command::DeleteInstance {
                id,
                reason: None,
                skip_io_mappings: false,
                skip_custom_listeners: false,
            })
            .unwrap();
        assert!(driver.is_empty(), "left behind: {:?}", driver.open());
        let refused = driver.try_deploy(&Driver::xml(&nested(200))).unwrap_err().to_string();
        assert!(refused.contains("nested deeper than 128 levels"), "{refused}");
    });
}

/// Decisions of which each requires the next.
fn chain(decisions: usize) -> String {
    let each = each(decisions, |at| {
        let next = at + 1;
        let requires = match at < decisions {
            true => {
                format!(r##"<informationRequirement><requiredDecision href="#d{next}"/></informationRequirement>"##)
            }
            false => String::new(),
        };
        format!(
            r#"<decision id="d{at}" name="d{at}"><variable name="v{at}"/>{requires}<literalExpression><text>1</text></literalExpression></decision>"#
        )
    });
    format!(
        r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="f" name="f" namespace="n">{each}</definitions>"#
    )
}

#[test]
fn decisions_that_require_each_other_are_bounded() {
    bounded("chain", LIMIT, || {
        let parsed = decision::parse(chain(100).as_bytes()).unwrap();
        let none: Vec<(String, Value)> = Vec::new();
        let mut budget = Budget::new(100_000, 0, 0);
        let evaluated = decision::evaluate(&parsed.file, 0, &mut none.as_slice(), &mut budget, 0).unwrap();
        assert_eq!(evaluated.len(), 100);
        let refused = decision::parse(chain(2_000).as_bytes()).unwrap_err();
        assert!(
            refused.message.contains("over more than 100 steps"),
            "{}",
            refused.message
        );
    });
    grows_as_its_input("decisions", 500, |count| {
        let file = chain(count);
        Box::new(move || drop(decision::parse(file.as_bytes())))
    });
}

/// What can be repeated around or beside a value.
type Around = (&'static str, &'static str, &'static str);

const FEEL: [Around; 22] = [
    ("(", "1", ")"),
    ("[", "1", "]"),
    ("{a: ", "1", "}"),
    ("-", "1", ""),
    ("1 + ", "1", ""),
    ("1 or ", "1", ""),
    ("", "x", ".a"),
    ("", "x", "[1]"),
    ("1 in (", "1", ")"),
    // Once read twice at each level.
    ("1 in (", "]", ")"),
    ("1 in (", "1", ""),
    ("if true then ", "1", " else 1"),
    ("if ", "true", " then true else true"),
    ("for x in [1] return ", "1", ""),
    ("function(a) ", "1", ""),
    ("abs(", "1", ")"),
    ("", "1", " between 0 and 2"),
    ("", "1", " instance of number"),
    ("", "1", "**1"),
    ("(", "function(a) a", ")(1)"),
    ("a b ", "c", ""),
    ("not(", "1", ")"),
];

const JUEL: [Around; 12] = [
    ("(", "1", ")"),
    ("-", "1", ""),
    ("!", "true", ""),
    ("empty ", "1", ""),
    ("1 + ", "1", ""),
    ("true ? ", "1", " : 1"),
    ("true ? 1 : ", "1", ""),
    ("x[", "1", "]"),
    ("", "x", "[1]"),
    ("", "x", ".a()"),
    ("S(", "1", ")"),
    ("x:y:", "z", ""),
];

fn repeated((open, middle, close): Around, times: usize) -> String {
    format!("{}{middle}{}", open.repeat(times), close.repeat(times))
}

#[test]
fn long_and_deep_expressions_are_read_and_evaluated_or_refused() {
    bounded("expressions", LIMIT, || {
        for times in [30, 60, 500, 2_400, 100_000] {
            for around in FEEL {
                let text = repeated(around, times);
                let budget = || Budget::new(100_000, 0, 0);
                if let Ok(read) = feel::Expression::parse(&text) {
                    let _ = read.evaluate(&IndexMap::new(), &mut budget());
                }
                if let Ok(read) = feel::UnaryTests::parse(&text) {
                    let _ = read.fit(&feel::Feel::Null, &IndexMap::new(), &mut budget());
                }
            }
            for around in JUEL {
                let text = repeated(around, times);
                for text in [format!("${{{text}}}"), "${1}".repeat(times)] {
                    if let Ok(read) = Expression::parse(&text) {
                        let _ = read.evaluate(&mut (0, &IndexMap::new()));
                    }
                }
            }
        }
    });
}
