//! The table of `docs/bpmn.md`: a sample of each row is deployed, or refused, as it says.

use std::path::Path;

use crate::MachineError;
use crate::command::Reply;
use crate::testing::Driver;

const DEFINITIONS: &str = r#"<message id="m" name="m"/><signal id="sg" name="sg"/><error id="er" errorCode="e"/><escalation id="es" escalationCode="e"/>"#;

/// Each row with what is inside of its process.
#[rustfmt::skip]
const SAMPLES: &[(&str, &str)] = &[
    ("start event: none", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/>"##),
    ("start event: message", r##"<startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/>"##),
    ("start event: timer", r##"<startEvent id="s"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></startEvent><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/>"##),
    ("start event: signal", r##"<startEvent id="s"><signalEventDefinition signalRef="sg"/></startEvent><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/>"##),
    ("start event: conditional", r##"<startEvent id="s"><conditionalEventDefinition><condition >${x}</condition></conditionalEventDefinition></startEvent><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/>"##),
    ("intermediate catch event: message", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><intermediateCatchEvent id="x"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>"##),
    ("intermediate catch event: timer", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><intermediateCatchEvent id="x"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>"##),
    ("intermediate catch event: signal", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><intermediateCatchEvent id="x"><signalEventDefinition signalRef="sg"/></intermediateCatchEvent>"##),
    ("intermediate catch event: conditional", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><intermediateCatchEvent id="x"><conditionalEventDefinition><condition >${x}</condition></conditionalEventDefinition></intermediateCatchEvent>"##),
    ("intermediate throw event: none", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><intermediateThrowEvent id="x"></intermediateThrowEvent>"##),
    ("intermediate throw event: message", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><intermediateThrowEvent id="x"><messageEventDefinition messageRef="m" camunda:type="external" camunda:topic="t"/></intermediateThrowEvent>"##),
    ("intermediate throw event: signal", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><intermediateThrowEvent id="x"><signalEventDefinition signalRef="sg"/></intermediateThrowEvent>"##),
    ("intermediate throw event: escalation", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><intermediateThrowEvent id="x"><escalationEventDefinition escalationRef="es"/></intermediateThrowEvent>"##),
    ("intermediate throw event: compensation", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><intermediateThrowEvent id="x"><compensateEventDefinition/></intermediateThrowEvent>"##),
    ("link events", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><intermediateThrowEvent id="x"><linkEventDefinition name="l"/></intermediateThrowEvent><intermediateCatchEvent id="y"><linkEventDefinition name="l"/></intermediateCatchEvent><sequenceFlow id="f2" sourceRef="y" targetRef="z"/><userTask id="z"/>"##),
    ("end event: none", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><endEvent id="x"></endEvent>"##),
    ("end event: terminate", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><endEvent id="x"><terminateEventDefinition/></endEvent>"##),
    ("end event: message", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><endEvent id="x"><messageEventDefinition messageRef="m" camunda:type="external" camunda:topic="t"/></endEvent>"##),
    ("end event: signal", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><endEvent id="x"><signalEventDefinition signalRef="sg"/></endEvent>"##),
    ("end event: error", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><endEvent id="x"><errorEventDefinition errorRef="er"/></endEvent>"##),
    ("end event: escalation", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><endEvent id="x"><escalationEventDefinition escalationRef="es"/></endEvent>"##),
    ("end event: compensation", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><endEvent id="x"><compensateEventDefinition/></endEvent>"##),
    ("end event: cancel, boundary event: cancel", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><transaction id="x"><startEvent id="s2"/><sequenceFlow id="f2" sourceRef="s2" targetRef="e2"/><endEvent id="e2"><cancelEventDefinition/></endEvent></transaction><boundaryEvent id="b" attachedToRef="x"><cancelEventDefinition/></boundaryEvent><sequenceFlow id="f3" sourceRef="b" targetRef="z"/><userTask id="z"/>"##),
    ("boundary event: message", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/><boundaryEvent id="b" attachedToRef="x"><messageEventDefinition messageRef="m"/></boundaryEvent><sequenceFlow id="f3" sourceRef="b" targetRef="z"/><userTask id="z"/>"##),
    ("boundary event: timer", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/><boundaryEvent id="b" attachedToRef="x"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent><sequenceFlow id="f3" sourceRef="b" targetRef="z"/><userTask id="z"/>"##),
    ("boundary event: signal", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/><boundaryEvent id="b" attachedToRef="x"><signalEventDefinition signalRef="sg"/></boundaryEvent><sequenceFlow id="f3" sourceRef="b" targetRef="z"/><userTask id="z"/>"##),
    ("boundary event: conditional", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/><boundaryEvent id="b" attachedToRef="x"><conditionalEventDefinition><condition >${x}</condition></conditionalEventDefinition></boundaryEvent><sequenceFlow id="f3" sourceRef="b" targetRef="z"/><userTask id="z"/>"##),
    ("boundary event: error", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/><boundaryEvent id="b" attachedToRef="x"><errorEventDefinition errorRef="er"/></boundaryEvent><sequenceFlow id="f3" sourceRef="b" targetRef="z"/><userTask id="z"/>"##),
    ("boundary event: escalation", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/><boundaryEvent id="b" attachedToRef="x"><escalationEventDefinition escalationRef="es"/></boundaryEvent><sequenceFlow id="f3" sourceRef="b" targetRef="z"/><userTask id="z"/>"##),
    ("boundary event: compensation", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/><boundaryEvent id="b" attachedToRef="x"><compensateEventDefinition/></boundaryEvent><userTask id="z" isForCompensation="true"/><association id="as" sourceRef="b" targetRef="z" associationDirection="One"/>"##),
    ("user task", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/>"##),
    ("service task: external", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><serviceTask id="x" camunda:type="external" camunda:topic="t"/>"##),
    ("service task: expression", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><serviceTask id="x" camunda:expression="${1}" camunda:resultVariable="r"/>"##),
    ("service task: delegate", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><serviceTask id="x" camunda:delegateExpression="${d}"/>"##),
    ("service task: connector", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><serviceTask id="x"><extensionElements><camunda:connector><camunda:connectorId>http-connector</camunda:connectorId></camunda:connector></extensionElements></serviceTask>"##),
    ("send task", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><sendTask id="x" camunda:type="external" camunda:topic="t"/>"##),
    ("receive task", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><receiveTask id="x" messageRef="m"/>"##),
    ("script task: JavaScript", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><scriptTask id="x" scriptFormat="javascript"><script>1</script></scriptTask>"##),
    ("script task: Groovy and others", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><scriptTask id="x" scriptFormat="groovy"><script>1</script></scriptTask>"##),
    ("business rule task: external", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><businessRuleTask id="x" camunda:type="external" camunda:topic="t"/>"##),
    ("manual task", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><manualTask id="x"/>"##),
    ("task", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><task id="x"/>"##),
    ("call activity", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><callActivity id="x" calledElement="q"/>"##),
    ("call activity: case", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><callActivity id="x" camunda:caseRef="c"/>"##),
    ("embedded sub-process", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><subProcess id="x"><startEvent id="s2"/><sequenceFlow id="f2" sourceRef="s2" targetRef="u2"/><userTask id="u2"/></subProcess>"##),
    ("event sub-process", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/><subProcess id="esp" triggeredByEvent="true"><startEvent id="s2"><messageEventDefinition messageRef="m"/></startEvent><sequenceFlow id="f2" sourceRef="s2" targetRef="u2"/><userTask id="u2"/></subProcess>"##),
    ("ad-hoc sub-process", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><adHocSubProcess id="x"><userTask id="u2"/></adHocSubProcess>"##),
    ("exclusive gateway", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><exclusiveGateway id="x" default="f2"/><sequenceFlow id="f2" sourceRef="x" targetRef="y"/><userTask id="y"/>"##),
    ("parallel gateway", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><parallelGateway id="x"/><sequenceFlow id="f2" sourceRef="x" targetRef="y"/><userTask id="y"/>"##),
    ("inclusive gateway", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><inclusiveGateway id="x"/><sequenceFlow id="f2" sourceRef="x" targetRef="y"/><userTask id="y"/>"##),
    ("event-based gateway", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><eventBasedGateway id="x"/><sequenceFlow id="f2" sourceRef="x" targetRef="y"/><intermediateCatchEvent id="y"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>"##),
    ("complex gateway", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><complexGateway id="x"/><sequenceFlow id="f2" sourceRef="x" targetRef="y"/><userTask id="y"/>"##),
    ("multi-instance", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"><multiInstanceLoopCharacteristics isSequential="true"><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></userTask>"##),
    ("standard loop", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"><standardLoopCharacteristics/></userTask>"##),
    ("data objects and stores", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/><dataObject id="do"/><dataObjectReference id="dr" dataObjectRef="do"/>"##),
    ("text annotations", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/><textAnnotation id="ta"><text>t</text></textAnnotation>"##),
    ("lanes", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><laneSet id="ls"><lane id="l"><flowNodeRef>x</flowNodeRef></lane></laneSet><userTask id="x"/>"##),
    ("camunda:asyncBefore, asyncAfter, exclusive", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x" camunda:asyncBefore="true" camunda:exclusive="false"/>"##),
    ("camunda:inputOutput", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"><extensionElements><camunda:inputOutput><camunda:inputParameter name="a">${1}</camunda:inputParameter></camunda:inputOutput></extensionElements></userTask>"##),
    ("camunda:executionListener", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"><extensionElements><camunda:executionListener event="start" expression="${1}"/></extensionElements></userTask>"##),
    ("camunda:taskListener", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"><extensionElements><camunda:taskListener event="create" expression="${1}"/></extensionElements></userTask>"##),
    ("camunda:errorEventDefinition", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><serviceTask id="x" camunda:type="external" camunda:topic="t"><extensionElements><camunda:errorEventDefinition id="ee" errorRef="er" expression="${true}"/></extensionElements></serviceTask>"##),
    ("camunda:failedJobRetryTimeCycle", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x" camunda:asyncBefore="true"><extensionElements><camunda:failedJobRetryTimeCycle>R3/PT1M</camunda:failedJobRetryTimeCycle></extensionElements></userTask>"##),
    ("camunda:formData", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"><extensionElements><camunda:formData><camunda:formField id="a" type="long"/></camunda:formData></extensionElements></userTask>"##),
    ("camunda:formKey, camunda:formRef", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x" camunda:formKey="embedded:app:x.html"/>"##),
    ("camunda:properties", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"><extensionElements><camunda:properties><camunda:property name="a" value="b"/></camunda:properties></extensionElements></userTask>"##),
    ("camunda:validation with a validator class", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"><extensionElements><camunda:formData><camunda:formField id="a" type="long"><camunda:validation><camunda:constraint name="validator" config="a.B"/></camunda:validation></camunda:formField></camunda:formData></extensionElements></userTask>"##),
    ("camunda:formHandlerClass", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x" camunda:formHandlerClass="a.B"/>"##),
    ("camunda:variableMappingClass", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><callActivity id="x" calledElement="q" camunda:variableMappingClass="a.B"/>"##),
    ("camunda:potentialStarter", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x"/><extensionElements><camunda:potentialStarter><resourceAssignmentExpression><formalExpression>u</formalExpression></resourceAssignmentExpression></camunda:potentialStarter></extensionElements>"##),
    ("camunda:assignee, candidateUsers, candidateGroups", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x" camunda:assignee="a" camunda:candidateUsers="b" camunda:candidateGroups="c"/>"##),
    ("camunda:dueDate, followUpDate, priority", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x" camunda:dueDate="${d}" camunda:priority="5"/>"##),
    ("camunda:taskPriority, jobPriority", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><serviceTask id="x" camunda:type="external" camunda:topic="t" camunda:taskPriority="5" camunda:jobPriority="3" camunda:asyncBefore="true"/>"##),
    ("an unknown camunda: attribute", r##"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/><userTask id="x" camunda:unheardOf="a"/>"##),
];

/// What becomes of a sample: the word of the table.
fn outcome(sample: &str) -> &'static str {
    let mut driver = Driver::new();
    match driver.try_deploy(&Driver::xml(&format!("{DEFINITIONS}---{sample}"))) {
        Ok(Reply::Deployed { warnings, .. }) if warnings.is_empty() => "executed",
        Ok(Reply::Deployed { .. }) => "warned",
        Err(MachineError::Parse(_) | MachineError::Execution(_)) => "refused",
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_table_of_elements_is_true() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/bpmn.md");
    let text = std::fs::read_to_string(&book).expect("the table");
    let rows: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            Some((cells.next()?, cells.next()?))
        })
        .filter(|(element, _)| *element != "element")
        .collect();
    let names: Vec<&str> = rows.iter().map(|(element, _)| *element).collect();
    let samples: Vec<&str> = SAMPLES.iter().map(|(element, _)| *element).collect();
    assert_eq!(names, samples, "each row has a sample, in its order");
    for ((element, says), (_, sample)) in rows.iter().zip(SAMPLES) {
        let expected = if *says == "ignored" { "executed" } else { says };
        assert_eq!(outcome(sample), expected, "{element}");
    }
}
