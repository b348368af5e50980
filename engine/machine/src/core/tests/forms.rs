//! Forms that are made of fields.

use super::*;
use crate::MachineError;
use crate::command::{Command, Once, Reply, Start, StartTarget, VariableInput};
use crate::model::{FormName, NamedForm};
use crate::row::DetailKind;
use crate::value::{NullType, Value};
use crate::view::Tenant;
use crate::{Id, Question, Told};

fn with_task_form(form: &str) -> Driver {
    let task = format!(
        r#"<startEvent id="s"/><userTask id="u"><extensionElements>{form}</extensionElements></userTask><userTask id="next"/>"#
    );
    let mut driver = Driver::new();
    driver.deploy(&model(&task, &[("s", "u"), ("u", "next")]));
    driver
}

fn field(kind: &str, rest: &str) -> String {
    format!(
        r#"<camunda:formData><camunda:formField id="f" type="{kind}" {rest}</camunda:formField></camunda:formData>"#
    )
}

fn constraint(kind: &str, name: &str, config: &str) -> String {
    let constraint = format!(r#"<camunda:constraint name="{name}" config="{config}"/>"#);
    field(kind, &format!("><camunda:validation>{constraint}</camunda:validation>"))
}

fn input(name: &str, value: Value) -> VariableInput {
    VariableInput {
        name: name.to_owned(),
        value,
        transient: false,
    }
}

fn submit(driver: &mut Driver, variables: Vec<VariableInput>) -> Result<Reply, MachineError> {
    let id = driver.user_task("u").id;
    driver.run(&Command::SubmitTaskForm {
        id,
        variables,
        with_variables: false,
    })
}

/// The field's variable after its form was submitted, or why it was refused.
fn submitted(form: &str, sent: Option<Value>) -> Result<Option<Value>, String> {
    let mut driver = with_task_form(form);
    driver.start(&[]);
    let variables = sent.map(|value| input("f", value)).into_iter().collect();
    match submit(&mut driver, variables) {
        Ok(_) => {
            assert_eq!(driver.open(), ["next"]);
            Ok(driver.variable("f"))
        }
        Err(error) => {
            assert_eq!(driver.open(), ["u"], "nothing has happened");
            Err(error.to_string())
        }
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

#[test]
fn what_is_submitted_becomes_the_fields_type() {
    let choice = r#"><camunda:value id="one" name="One"/>"#;
    for (kind, rest, sent, kept) in [
        ("string", ">", Value::Integer(5), text("5")),
        ("long", ">", text("12"), Value::Long(12)),
        ("long", ">", Value::Integer(7), Value::Long(7)),
        ("boolean", ">", text("true"), Value::Boolean(true)),
        ("boolean", ">", text("yes"), Value::Boolean(false)),
        ("date", ">", text("31/01/2026"), Value::Date(1_769_817_600_000)),
        (
            "date",
            r#"datePattern="yyyy-MM-dd">"#,
            text("2026-01-31"),
            Value::Date(1_769_817_600_000),
        ),
        ("date", ">", text(""), Value::NullOf(NullType::Date)),
        ("long", ">", Value::Null, Value::NullOf(NullType::Long)),
        ("enum", choice, Value::Null, Value::NullOf(NullType::String)),
        ("enum", choice, text("one"), text("one")),
    ] {
        assert_eq!(
            submitted(&field(kind, rest), Some(sent.clone())),
            Ok(Some(kept)),
            "{kind} {sent:?}"
        );
    }
    for (kind, rest, sent, message) in [
        ("long", ">", text("x"), "For input string: \"x\""),
        ("long", ">", Value::Double(7.5), "For input string: \"7.5\""),
        ("boolean", ">", Value::Integer(1), "Value '1' is not of type Boolean."),
        (
            "date",
            ">",
            text("2026-01-31"),
            "Could not parse value '2026-01-31' as date using date format 'dd/MM/yyyy'.",
        ),
        (
            "date",
            ">",
            Value::Integer(1),
            "Value '1' cannot be transformed into a Date.",
        ),
        ("enum", choice, text("two"), "Invalid value for enum form property: two"),
    ] {
        assert_eq!(
            submitted(&field(kind, rest), Some(sent)),
            Err(message.to_owned()),
            "{kind}"
        );
    }
}

#[test]
fn constraints_are_of_what_was_sent() {
    let refused = |what: &str| {
        Err(format!(
            "Invalid value submitted for form field 'f': validation of {what} failed."
        ))
    };
    for (kind, name, config, sent, expected) in [
        ("long", "min", "5", Some(Value::Integer(5)), Ok(Some(Value::Long(5)))),
        ("long", "min", "5", Some(Value::Integer(4)), refused("min(5)")),
        ("long", "min", "5", Some(text("7")), refused("min(5)")),
        ("long", "max", "10", Some(Value::Integer(9)), Ok(Some(Value::Long(9)))),
        ("long", "max", "10", Some(Value::Integer(10)), refused("max(10)")),
        ("long", "min", "5", None, Ok(None)),
        ("string", "minlength", "2", Some(text("ab")), Ok(Some(text("ab")))),
        ("string", "minlength", "2", Some(text("a")), refused("minlength(2)")),
        ("string", "maxlength", "4", Some(text("abcd")), Ok(Some(text("abcd")))),
        ("string", "maxlength", "4", Some(text("abcde")), refused("maxlength(4)")),
        ("string", "required", "", None, refused("required()")),
        ("string", "required", "", Some(text("")), refused("required()")),
        (
            "string",
            "required",
            "",
            Some(Value::NullOf(NullType::String)),
            refused("required()"),
        ),
        ("string", "readonly", "", Some(text("x")), refused("readonly()")),
        (
            "string",
            "minlength",
            "x",
            Some(text("ab")),
            Err("Cannot validate \"minlength\": configuration x cannot be interpreted as Integer".to_owned()),
        ),
        (
            "long",
            "min",
            "x",
            Some(Value::Integer(5)),
            Err("Cannot validate Integer value 5: configuration x cannot be parsed as Integer.".to_owned()),
        ),
    ] {
        let form = constraint(kind, name, config);
        assert_eq!(submitted(&form, sent.clone()), expected, "{name} {config} {sent:?}");
    }
}

#[test]
fn a_required_field_may_be_there_already() {
    let mut driver = with_task_form(&constraint("string", "required", ""));
    driver.start(&[("f", text("old"))]);
    submit(&mut driver, Vec::new()).expect("the variable is there");
}

#[test]
fn defaults_are_evaluated_and_what_no_field_names_is_set_too() {
    let form = r#"<camunda:formData><camunda:formField id="n" type="long" defaultValue="${x + 1}"/>
        <camunda:formField id="d" type="date" defaultValue="24/12/2026"/></camunda:formData>"#;
    let mut driver = with_task_form(form);
    driver.start(&[("x", Value::Integer(1))]);
    let id = driver.user_task("u").id;
    let Ok(Told::Fields(fields)) = driver.ask(&Question::TaskFields(id)) else {
        panic!("no fields");
    };
    let shown: Vec<(&str, &str, Value)> = fields
        .iter()
        .map(|field| (field.name.as_str(), field.value.type_name(), field.value.clone()))
        .collect();
    assert_eq!(
        shown,
        [("n", "Long", Value::Long(2)), ("d", "String", text("24/12/2026"))]
    );
    submit(&mut driver, vec![input("other", text("o"))]).expect("a submission");
    assert_eq!(driver.variable("n"), Some(Value::Long(2)));
    assert_eq!(driver.variable("d"), Some(Value::Date(1_798_070_400_000)));
    assert_eq!(driver.variable("other"), Some(text("o")));
    let details = driver
        .memory
        .details
        .iter()
        .filter(|row| row.kind == DetailKind::FormField);
    let details: Vec<(&str, bool)> = details.map(|row| (row.name.as_str(), row.task == Some(id))).collect();
    assert_eq!(details, [("other", true)], "what was submitted, and no default");
}

#[test]
fn older_properties_are_required_written_and_renamed() {
    let form = r#"<camunda:formProperty id="p" type="long" required="true" variable="q"/>
        <camunda:formProperty id="w" writable="false" expression="${1}"/>"#;
    let mut driver = with_task_form(form);
    driver.start(&[]);
    for (sent, message) in [
        (Vec::new(), "form property 'p' is required"),
        (
            vec![input("p", text("1")), input("w", text("2"))],
            "form property 'w' is not writable",
        ),
        (vec![input("p", text("x"))], "For input string: \"x\""),
    ] {
        assert_eq!(submit(&mut driver, sent).expect_err("a refusal").to_string(), message);
    }
    submit(&mut driver, vec![input("p", text("5"))]).expect("a submission");
    assert_eq!(driver.variable("q"), Some(Value::Long(5)));
    assert_eq!((driver.variable("p"), driver.variable("w")), (None, Some(text("1"))));
}

#[test]
fn a_form_starts_an_instance_with_what_it_is_made_of() {
    let start = format!(
        r#"<startEvent id="s"><extensionElements>{}</extensionElements></startEvent><userTask id="u"/>"#,
        field("long", r#"defaultValue="42">"#)
    );
    let mut driver = deployed(&start, &[("s", "u")]);
    let by_form = |variables| {
        Command::SubmitStartForm(Start {
            target: StartTarget::Key {
                key: "p".to_owned(),
                tenant: Tenant::None,
            },
            business_key: Some("key".to_owned()),
            variables,
            once: Once::default(),
            with_variables: false,
            at: Vec::new(),
            skip_custom_listeners: false,
            skip_io_mappings: false,
        })
    };
    driver.run(&by_form(Vec::new())).expect("a start");
    assert_eq!(driver.variable("f"), Some(Value::Long(42)));
    assert!(driver.memory.details.iter().all(|row| row.initial));
    let refused = driver
        .run(&by_form(vec![input("f", text("x"))]))
        .expect_err("no number");
    assert_eq!(refused.to_string(), "For input string: \"x\"");
    assert_eq!(driver.memory.instances.len(), 1);
}

#[test]
fn a_form_of_a_delegated_task_gives_it_back() {
    let mut driver = with_task_form(&field("long", ">"));
    driver.start(&[]);
    let id = driver.user_task("u").id;
    let delegate = crate::command::TaskAction::Delegate(Some("bob".to_owned()));
    driver
        .run(&Command::Task { id, action: delegate })
        .expect("a delegation");
    submit(&mut driver, vec![input("f", text("5"))]).expect("a submission");
    assert_eq!(driver.variable("f"), Some(Value::Long(5)));
    assert_eq!(driver.open(), ["u"], "its owner is to complete it");
}

/// What the form of a task is called, by its attributes.
fn name(attributes: &str, variables: &[(&str, Value)]) -> Result<FormName, MachineError> {
    let task = format!(r#"<startEvent id="s"/><userTask id="u" {attributes}/>"#);
    let mut driver = deployed(&task, &[("s", "u")]);
    driver.start(variables);
    let id = driver.user_task("u").id;
    match driver.ask(&Question::TaskForms(vec![id, Id(1)]))? {
        Told::Forms(forms) => {
            let [(told, name)] = &forms[..] else {
                panic!("of no other task: {forms:?}");
            };
            assert_eq!(*told, id);
            Ok(name.clone())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn forms_are_called_by_what_their_expressions_give_now() {
    let reference = |key: &str, binding: &str, version| {
        let reference = Some(NamedForm {
            key: key.to_owned(),
            binding: binding.to_owned(),
            version,
        });
        FormName { key: None, reference }
    };
    let keyed = |key: &str| FormName {
        key: Some(key.to_owned()),
        reference: None,
    };
    for (attributes, variables, expected) in [
        ("", vec![], FormName::default()),
        (r#"camunda:formKey="a.html""#, vec![], keyed("a.html")),
        (
            r#"camunda:formKey="${x}.html""#,
            vec![("x", text("b"))],
            keyed("b.html"),
        ),
        (
            r#"camunda:formRef="f" camunda:formRefBinding="latest""#,
            vec![],
            reference("f", "latest", None),
        ),
        (
            r#"camunda:formRef="${x}" camunda:formRefBinding="version" camunda:formRefVersion="${v}""#,
            vec![("x", text("g")), ("v", text("3"))],
            reference("g", "version", Some(3)),
        ),
    ] {
        assert_eq!(name(attributes, &variables).expect("a name"), expected, "{attributes}");
    }
    for (attributes, message) in [
        (
            r#"camunda:formKey="${nope}.html""#,
            "Unknown property used in expression: ${nope}.html. Cause: Cannot resolve identifier 'nope'",
        ),
        (
            r#"camunda:formRef="f" camunda:formRefBinding="version" camunda:formRefVersion="abc""#,
            "For input string: \"abc\"",
        ),
    ] {
        let error = name(attributes, &[]).expect_err("no name");
        assert_eq!(error.to_string(), message);
    }
    let number = r#"camunda:formRef="f" camunda:formRefBinding="version" camunda:formRefVersion="${v}""#;
    let error = name(number, &[("v", Value::Integer(1))]).expect_err("no text");
    assert!(
        matches!(
            error,
            MachineError::Java {
                class: "ClassCastException",
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn a_field_without_a_value_shows_a_null_of_its_type() {
    let form = r#"<camunda:formData><camunda:formField id="n" type="long"/><camunda:formField id="d" type="date"/>
        </camunda:formData>"#;
    for variables in [vec![], vec![("d", Value::NullOf(NullType::Date)), ("n", Value::Null)]] {
        let mut driver = with_task_form(form);
        driver.start(&variables);
        let id = driver.user_task("u").id;
        let Ok(Told::Fields(fields)) = driver.ask(&Question::TaskFields(id)) else {
            panic!("no fields");
        };
        let values: Vec<Value> = fields.into_iter().map(|field| field.value).collect();
        assert_eq!(values, [Value::NullOf(NullType::Long), text("")], "{variables:?}");
    }
}
