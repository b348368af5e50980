use proptest::prelude::*;

use super::*;

fn file(process: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="t">
<bpmn:message id="m" name="go"/>
<bpmn:process id="p" isExecutable="true" camunda:historyTimeToLive="P2D" camunda:versionTag="v1">
{process}
</bpmn:process></bpmn:definitions>"#
    )
}

fn read(process: &str) -> Result<ParsedResource, ParseError> {
    parse("test.bpmn", file(process).as_bytes())
}

#[track_caller]
fn problems(process: &str) -> Vec<Problem> {
    match read(process) {
        Err(ParseError::Refused(problems, _)) => problems,
        other => panic!("{other:?}"),
    }
}

const FRAME: &str = r#"<bpmn:startEvent id="s"/><bpmn:endEvent id="e"/>"#;

#[test]
fn a_flow_stays_in_its_scope() {
    let model = |inside: &str, outside: &str| {
        format!(
            r#"<bpmn:startEvent id="s"/><bpmn:subProcess id="sub"><bpmn:startEvent id="s2"/><bpmn:userTask id="a"/>{inside}</bpmn:subProcess><bpmn:userTask id="o"/>{outside}"#
        )
    };
    let flow = |from: &str, to: &str| format!(r#"<bpmn:sequenceFlow id="f" sourceRef="{from}" targetRef="{to}"/>"#);
    for (inside, outside, message) in [
        (
            flow("s2", "sub"),
            String::new(),
            "Invalid destination 'sub' of sequence flow 'f'",
        ),
        (
            flow("s2", "o"),
            String::new(),
            "Invalid destination 'o' of sequence flow 'f'",
        ),
        (flow("o", "a"), String::new(), "Invalid source 'o' of sequence flow 'f'"),
        (
            String::new(),
            flow("s2", "a"),
            "Invalid source 's2' of sequence flow 'f'",
        ),
        (
            String::new(),
            flow("o", "a"),
            "Invalid destination 'a' of sequence flow 'f'",
        ),
    ] {
        assert_eq!(problems(&model(&inside, &outside))[0].message, message);
    }
    assert!(read(&model(&flow("s2", "a"), "")).is_ok());
    // A sub-process without an id is a scope like any other.
    let nameless = model(&flow("s2", "a"), "").replace(r#"<bpmn:subProcess id="sub">"#, "<bpmn:subProcess>");
    assert!(read(&nameless).is_ok());
}

#[test]
fn a_model_has_its_elements_flows_and_extensions() {
    let parsed = read(
        r#"<bpmn:startEvent id="s"/>
        <bpmn:serviceTask id="work" name="Work" camunda:type="external" camunda:topic="${kind}-topic" camunda:taskPriority="7" camunda:asyncBefore="true" camunda:exclusive="false">
          <bpmn:extensionElements>
            <camunda:failedJobRetryTimeCycle>R3/PT1M</camunda:failedJobRetryTimeCycle>
            <camunda:properties><camunda:property name="a" value="1"/></camunda:properties>
            <camunda:executionListener event="end" delegateExpression="${done}"/>
          </bpmn:extensionElements>
        </bpmn:serviceTask>
        <bpmn:boundaryEvent id="late" attachedToRef="work"><bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>
        <bpmn:endEvent id="e"/>
        <bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="work"/><bpmn:sequenceFlow id="f2" sourceRef="work" targetRef="e"/><bpmn:sequenceFlow id="f3" sourceRef="late" targetRef="e"/>"#,
    )
    .unwrap();
    let model = &parsed.processes[0];
    assert_eq!(
        (
            model.key.as_str(),
            model.history_time_to_live,
            model.version_tag.as_deref()
        ),
        ("p", Some(2), Some("v1"))
    );
    let work = model.element("work").unwrap();
    assert_eq!((work.line, work.activity_type), (6, "serviceTask"));
    assert!(work.async_before && !work.async_after && !work.exclusive && work.is_scope);
    assert_eq!(work.properties, [("a".to_owned(), "1".to_owned())]);
    assert_eq!(work.retry_cycle.as_ref().map(|cycle| cycle.source()), Some("R3/PT1M"));
    let Kind::Service(ServiceTask::External(task)) = &work.kind else {
        panic!("{work:?}")
    };
    assert_eq!(task.topic.source(), "${kind}-topic");
    let late = model.find("late").unwrap();
    assert_eq!(work.boundary, [late]);
    assert_eq!(model.initial, model.find("s"));
    let targets: Vec<&str> = work
        .outgoing
        .iter()
        .map(|flow| model.at(model.flow(*flow).target).id.as_str())
        .collect();
    assert_eq!(targets, ["e"]);
}

#[test]
fn a_multi_instance_activity_gets_a_body_that_has_its_flows() {
    let parsed = read(
        r#"<bpmn:startEvent id="s"/><bpmn:userTask id="t"><bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>3</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>
        <bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="t"/>"#,
    )
    .unwrap();
    let model = &parsed.processes[0];
    let body = model.element("t#multiInstanceBody").unwrap();
    assert_eq!(body.children, [model.find("t").unwrap()]);
    assert_eq!(
        (body.incoming.len(), model.element("t").unwrap().incoming.len()),
        (1, 0)
    );
}

#[test]
fn a_link_has_no_activity_of_its_own() {
    let parsed = read(
        r#"<bpmn:startEvent id="s"/><bpmn:intermediateThrowEvent id="out"><bpmn:linkEventDefinition name="L"/></bpmn:intermediateThrowEvent>
        <bpmn:intermediateCatchEvent id="in"><bpmn:linkEventDefinition name="L"/></bpmn:intermediateCatchEvent><bpmn:endEvent id="e"/>
        <bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="out"/><bpmn:sequenceFlow id="f2" sourceRef="in" targetRef="e"/>"#,
    )
    .unwrap();
    let model = &parsed.processes[0];
    assert!(model.element("out").is_none());
    assert_eq!(
        model.flow(model.find_flow("f1").unwrap()).target,
        model.find("in").unwrap()
    );
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (process, part) in [
        (
            r#"<bpmn:sequenceFlow id="f" sourceRef="s" targetRef="gone"/>"#,
            "Invalid destination 'gone' of sequence flow 'f'",
        ),
        (r#"<bpmn:serviceTask id="t"/>"#, "is mandatory on serviceTask"),
        (
            r#"<bpmn:serviceTask id="t" camunda:type="external"/>"#,
            "must specify a 'topic'",
        ),
        (r#"<bpmn:exclusiveGateway id="x"/>"#, "has no outgoing sequence flows"),
        (r#"<bpmn:complexGateway id="x"/>"#, "complex gateway is not executed"),
        (
            r#"<bpmn:adHocSubProcess id="x"/>"#,
            "ad-hoc sub-process is not executed",
        ),
        (
            r#"<bpmn:scriptTask id="x" scriptFormat="groovy"><bpmn:script>1</bpmn:script></bpmn:scriptTask>"#,
            "a script in 'groovy' is not executed: write it in JavaScript",
        ),
        (
            r#"<bpmn:scriptTask id="x" scriptFormat="javascript"/>"#,
            "neither a script nor a resource",
        ),
        (
            r#"<bpmn:task id="x" camunda:jobPriority="much"/>"#,
            "Value 'much' for attribute 'jobPriority' is not a valid number",
        ),
        (
            r#"<bpmn:userTask id="x" camunda:formKey="a" camunda:formRef="b" camunda:formRefBinding="latest"/>"#,
            "only one of the attributes formKey and formRef is allowed",
        ),
        (
            r#"<bpmn:userTask id="x" camunda:formRef="b" camunda:formRefBinding="newest"/>"#,
            "one of [deployment, latest, version] but was newest",
        ),
        (
            r#"<bpmn:userTask id="x"><bpmn:extensionElements><camunda:formData><camunda:formField id="f"/></camunda:formData></bpmn:extensionElements></bpmn:userTask>"#,
            "form field must have a 'type' attribute",
        ),
        (
            r#"<bpmn:userTask id="x"><bpmn:extensionElements><camunda:taskListener event="timeout" expression="${1}"/></bpmn:extensionElements></bpmn:userTask>"#,
            "'id' is mandatory on taskListener of type 'timeout'",
        ),
        (
            r#"<bpmn:userTask id="x"><bpmn:extensionElements><camunda:executionListener event="take" expression="${1}"/></bpmn:extensionElements></bpmn:userTask>"#,
            "Attribute 'event' must be one of {start|end}",
        ),
        (
            r#"<bpmn:endEvent id="x"><bpmn:extensionElements><camunda:inputOutput><camunda:outputParameter name="a">1</camunda:outputParameter></camunda:inputOutput></bpmn:extensionElements></bpmn:endEvent>"#,
            "camunda:outputParameter not allowed for element type 'endEvent'",
        ),
        (
            r#"<bpmn:serviceTask id="x" camunda:class="a.B" camunda:resultVariable="r"/>"#,
            "'resultVariableName' not supported for serviceTask elements using 'class'",
        ),
        (r#"<bpmn:nonsense id="x"/>"#, "unknown element 'nonsense'"),
        (
            r#"<bpmn:receiveTask id="r" messageRef="none"/>"#,
            "no message with id 'none'",
        ),
        (r#"<bpmn:task id="s"/>"#, "the id 's' is used more than once"),
        (r#"<bpmn:startEvent id="s2"/>"#, "multiple none start events"),
        (
            r#"<bpmn:boundaryEvent id="b" attachedToRef="none"><bpmn:errorEventDefinition/></bpmn:boundaryEvent>"#,
            "Invalid reference in boundary event",
        ),
        (r#"<bpmn:subProcess id="sub"/>"#, "must define a startEvent"),
        (
            r#"<bpmn:intermediateThrowEvent id="x"><bpmn:escalationEventDefinition/></bpmn:intermediateThrowEvent>"#,
            "does not have required attribute 'escalationRef'",
        ),
        (
            r#"<bpmn:task id="x"/><bpmn:boundaryEvent id="b1" attachedToRef="x"><bpmn:messageEventDefinition messageRef="m"/></bpmn:boundaryEvent><bpmn:boundaryEvent id="b2" attachedToRef="x"><bpmn:messageEventDefinition messageRef="m"/></bpmn:boundaryEvent>"#,
            "more than one message event subscription with name 'go' for scope 'x'",
        ),
        (
            r#"<bpmn:task id="x" isForCompensation="true"/><bpmn:sequenceFlow id="f" sourceRef="s" targetRef="x"/>"#,
            "Invalid incoming sequence flow of compensation activity 'x'",
        ),
        (
            r#"<bpmn:endEvent id="x"><bpmn:compensateEventDefinition activityRef="none"/></bpmn:endEvent>"#,
            "no activity with id 'none'",
        ),
        (
            r#"<bpmn:endEvent id="x"><bpmn:cancelEventDefinition/></bpmn:endEvent>"#,
            "only supported inside transaction subprocess",
        ),
        (
            r#"<bpmn:subProcess id="x"><bpmn:startEvent id="y"><bpmn:messageEventDefinition messageRef="m"/></bpmn:startEvent></bpmn:subProcess>"#,
            "messageEventDefinition only allowed on start event if subprocess is an event subprocess",
        ),
    ] {
        let problems = problems(&format!("{FRAME}\n{process}"));
        let found = problems.iter().find(|problem| problem.message.contains(part));
        let found = found.unwrap_or_else(|| panic!("{part}: {problems:?}"));
        assert!(found.line >= 6 || found.line == 4, "{found:?}");
    }
}

#[test]
fn a_conditional_flow_alone_out_of_an_exclusive_gateway_is_refused() {
    let problems = problems(
        r#"<bpmn:startEvent id="s"/><bpmn:exclusiveGateway id="x"/><bpmn:endEvent id="e"/><bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="x"/>
        <bpmn:sequenceFlow id="f2" sourceRef="x" targetRef="e"><bpmn:conditionExpression>${true}</bpmn:conditionExpression></bpmn:sequenceFlow>"#,
    );
    assert_eq!(
        problems[0].message,
        "Exclusive Gateway 'x' has only one outgoing sequence flow ('f2'). This is not allowed to have a condition."
    );
    assert_eq!((problems[0].main_element.as_deref(), problems[0].line), (Some("x"), 5));
}

#[test]
fn what_camunda_ignores_is_a_warning() {
    let parsed = read(
        r#"<bpmn:startEvent id="s"/><bpmn:userTask id="t" startQuantity="2"><bpmn:standardLoopCharacteristics/></bpmn:userTask><bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="t"/>"#,
    )
    .unwrap();
    assert_eq!(parsed.warnings.len(), 2, "{:?}", parsed.warnings);
}

#[test]
fn nothing_is_ignored_in_silence() {
    let parsed = read(
        r#"<bpmn:startEvent id="s"/><bpmn:task id="t" camunda:assignee="kermit"><bpmn:ioSpecification/><bpmn:extensionElements>
        <camunda:taskListener event="create" expression="${1}"/><camunda:properties/></bpmn:extensionElements></bpmn:task><bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="t"/>"#,
    )
    .unwrap();
    for part in [
        "camunda:assignee has no meaning on task",
        "camunda:taskListener has no meaning in task",
        "ioSpecification is not executed",
    ] {
        let found = parsed.warnings.iter().find(|warning| warning.message.contains(part));
        assert_eq!(
            found.and_then(|warning| warning.main_element.as_deref()),
            Some("t"),
            "{part}"
        );
    }
    assert_eq!(parsed.warnings.len(), 3, "{:?}", parsed.warnings);
}

#[test]
fn malformed_text_is_another_kind_of_refusal() {
    for bad in [
        "<bpmn:definitions".to_owned(),
        String::new(),
        "no xml".to_owned(),
        "<!DOCTYPE a><a/>".to_owned(),
        "<a>&unknown;</a>".to_owned(),
        "<x:a/>".to_owned(),
        file(r#"<bpmn:startEvent id="s"/><bpmn:userTask id="t" camunda:assignee="${a b}"/>"#),
        format!("{}{}", "<a>".repeat(500), "</a>".repeat(500)),
    ] {
        assert!(
            matches!(parse("test.bpmn", bad.as_bytes()), Err(ParseError::Malformed(_))),
            "{bad:.60}"
        );
    }
    assert!(matches!(parse("test.bpmn", b"<a/>"), Err(ParseError::Refused(..))));
}

#[test]
fn the_models_of_the_hand_off_are_accepted() {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models");
    let mut count = 0;
    for entry in std::fs::read_dir(models).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "bpmn") {
            let parsed =
                parse("model.bpmn", &std::fs::read(&path).unwrap()).unwrap_or_else(|e| panic!("{path:?}: {e}"));
            assert!(parsed.warnings.is_empty(), "{path:?}: {:?}", parsed.warnings);
            count += parsed.processes.len();
        }
    }
    assert!(count >= 2);
}

proptest! {
    #[test]
    fn no_file_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,200}") {
        let _ = parse("a.bpmn", &bytes);
        let _ = parse("a.bpmn", text.as_bytes());
        let _ = parse("a.bpmn", file(&text).as_bytes());
    }

    #[test]
    fn no_heap_of_elements_panics(
        elements in prop::collection::vec(
            (
                prop::sample::select(vec![
                    "startEvent", "endEvent", "task", "serviceTask", "userTask", "subProcess", "transaction", "callActivity",
                    "exclusiveGateway", "eventBasedGateway", "inclusiveGateway", "boundaryEvent", "intermediateCatchEvent",
                    "intermediateThrowEvent", "receiveTask",
                ]),
                prop::sample::select(vec![
                    "", "<bpmn:messageEventDefinition messageRef='m'/>", "<bpmn:timerEventDefinition><bpmn:timeCycle>R/PT1S</bpmn:timeCycle></bpmn:timerEventDefinition>",
                    "<bpmn:errorEventDefinition/>", "<bpmn:linkEventDefinition name='l'/>", "<bpmn:cancelEventDefinition/>",
                    "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>2</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>",
                ]),
                0..6_u8,
            ),
            0..8,
        ),
        flows in prop::collection::vec((0..8_usize, 0..8_usize), 0..8),
    ) {
        let mut xml = String::new();
        for (at, (name, inside, host)) in elements.iter().enumerate() {
            xml.push_str(&format!("<bpmn:{name} id='n{at}' attachedToRef='n{host}' camunda:expression='${{1}}' calledElement='q'>{inside}</bpmn:{name}>"));
        }
        for (at, (from, to)) in flows.iter().enumerate() {
            xml.push_str(&format!("<bpmn:sequenceFlow id='f{at}' sourceRef='n{from}' targetRef='n{to}'/>"));
        }
        let _ = read(&xml);
    }
}
