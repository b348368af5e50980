//! Files and tables: what is accepted, what they come to, and what is refused where.

use proptest::prelude::*;

use super::*;
use crate::feel::Budget;
use crate::value::Value;

const NAMESPACES: [&str; 5] = [
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
];

fn definitions_in(namespace: &str, decisions: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="{namespace}" xmlns:camunda="http://camunda.org/schema/1.0/dmn" id="file" name="File" namespace="ns">{decisions}</definitions>"#
    )
}

fn definitions(decisions: &str) -> String {
    definitions_in(NAMESPACES[2], decisions)
}

fn literal(key: &str, variable: &str, text: &str) -> String {
    format!(
        r#"<decision id="{key}" name="{key}"><variable name="{variable}"/><literalExpression><text>{text}</text></literalExpression></decision>"#
    )
}

/// A table over `x` with one output `r`.
fn table(attributes: &str, kind: &str, rules: &[(&str, &str)]) -> String {
    let rules: String = rules
        .iter()
        .enumerate()
        .map(|(at, (test, conclusion))| {
            format!(
                r#"<rule id="r{at}"><inputEntry><text>{test}</text></inputEntry><outputEntry><text>{conclusion}</text></outputEntry></rule>"#
            )
        })
        .collect();
    format!(
        r#"<decision id="d" name="D"><decisionTable {attributes}><input id="i" label="In"><inputExpression><text>x</text></inputExpression></input><output id="o" name="r" typeRef="{kind}"/>{rules}</decisionTable></decision>"#
    )
}

fn decide(xml: &str, key: &str, variables: &[(&str, Value)]) -> Result<Vec<Evaluation>, String> {
    let parsed = parse(xml.as_bytes()).map_err(|problem| problem.message.clone())?;
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let mut budget = Budget::new(100_000, 0, 0);
    let position = parsed.file.find(key).unwrap();
    evaluate(&parsed.file, position, &mut variables.as_slice(), &mut budget, 0).map_err(|error| error.to_string())
}

fn values(xml: &str, x: i32) -> Result<Vec<Value>, String> {
    let evaluations = decide(xml, "d", &[("x", Value::Integer(x))])?;
    let cells = evaluations[0].result.rules.iter().flatten();
    Ok(cells.map(|(_, cell)| cell.value.clone()).collect())
}

#[test]
fn all_versions_of_dmn_are_read() {
    for namespace in NAMESPACES {
        let xml = definitions_in(namespace, &literal("d", "r", "x + 1"));
        assert_eq!(values(&xml, 1), Ok(vec![Value::Long(2)]), "{namespace}");
    }
    let refused = parse(definitions_in("http://www.omg.org/spec/DMN/20191111/MODEL/", "").as_bytes()).unwrap_err();
    assert!(
        refused.message.contains("not 'definitions' of DMN"),
        "{}",
        refused.message
    );
}

#[test]
fn a_hit_policy_says_which_rules_count() {
    let rules = [("&gt; 0", "1"), ("&gt; 5", "2"), ("&gt; 5", "3")];
    let of = |attributes: &str, x| values(&definitions(&table(attributes, "integer", &rules)), x);
    let one = |number| Ok(vec![Value::Integer(number)]);
    assert_eq!(of("", 3), one(1));
    assert!(of("", 7).unwrap_err().starts_with("DMN-03001"));
    assert_eq!(of("", -1), Ok(vec![]));
    assert_eq!(of(r#"hitPolicy="FIRST""#, 7), one(1));
    assert!(of(r#"hitPolicy="ANY""#, 7).unwrap_err().starts_with("DMN-03002"));
    let all = Ok([1, 2, 3].map(Value::Integer).to_vec());
    assert_eq!(of(r#"hitPolicy="RULE ORDER""#, 7), all);
    assert_eq!(of(r#"hitPolicy="COLLECT""#, 7), all);
    for (aggregation, number) in [("SUM", 6), ("MIN", 1), ("MAX", 3), ("COUNT", 3)] {
        let attributes = format!(r#"hitPolicy="COLLECT" aggregation="{aggregation}""#);
        assert_eq!(of(&attributes, 7), one(number), "{aggregation}");
    }
    assert_eq!(of(r#"hitPolicy="COLLECT" aggregation="SUM""#, -1), Ok(vec![]));
    assert_eq!(of(r#"hitPolicy="COLLECT" aggregation="COUNT""#, -1), one(0));
    for refused in [
        r#"hitPolicy="PRIORITY""#,
        r#"hitPolicy="OUTPUT ORDER""#,
        r#"aggregation="SUM""#,
    ] {
        assert!(of(refused, 1).unwrap_err().contains("is not executed"), "{refused}");
    }
}

#[test]
fn a_type_makes_or_refuses_a_value() {
    let of = |kind: &str, text: &str| {
        values(&definitions(&table("", kind, &[("-", text)])), 1).map(|mut values| values.remove(0))
    };
    assert_eq!(of("integer", r#""5""#), Ok(Value::Integer(5)));
    assert_eq!(of("long", "5"), Ok(Value::Long(5)));
    assert_eq!(of("double", "5"), Ok(Value::Double(5.0)));
    assert_eq!(of("string", "1.50"), Ok(Value::String("1.5".into())));
    assert_eq!(of("string", "[1, 2]"), Ok(Value::String("[1, 2]".into())));
    assert_eq!(of("boolean", r#""true""#), Ok(Value::Boolean(true)));
    let date = r#"date and time("2020-01-01T10:00:00+02:00")"#;
    assert_eq!(of("date", date), Ok(Value::Date(1_577_865_600_000)));
    assert_eq!(of("integer", "null"), Ok(Value::Null));
    assert_eq!(of("other", "1"), Ok(Value::Long(1)));
    for (kind, text) in [
        ("integer", "1.5"),
        ("integer", r#""x""#),
        ("integer", "3000000000"),
        ("boolean", "1"),
        ("date", r#"date("2020-01-01")"#),
    ] {
        assert!(of(kind, text).unwrap_err().starts_with("DMN-01005"), "{kind} {text}");
    }
}

#[test]
fn required_decisions_hand_on_their_outputs() {
    let requires = |keys: &[&str]| -> String {
        keys.iter()
            .map(|key| {
                format!(r##"<informationRequirement><requiredDecision href="#{key}"/></informationRequirement>"##)
            })
            .collect()
    };
    let with = |key: &str, variable: &str, text: &str, keys: &[&str]| {
        literal(key, variable, text).replace("<literalExpression>", &format!("{}<literalExpression>", requires(keys)))
    };
    let xml = definitions(&format!(
        "{}{}{}{}",
        with("top", "total", "a + b", &["left", "right"]),
        with("left", "a", "c + 1", &["base"]),
        with("right", "b", "c + 2", &["base"]),
        literal("base", "c", "x * 10")
    ));
    let evaluations = decide(&xml, "top", &[("x", Value::Integer(3))]).unwrap();
    let file = parse(xml.as_bytes()).unwrap().file;
    let order: Vec<_> = evaluations
        .iter()
        .map(|it| file.decisions[it.decision].key.as_str())
        .collect();
    assert_eq!(order, ["top", "base", "left", "right"], "each once, its own first");
    assert_eq!(evaluations[0].outputs[0].value, Value::Long(63));
}

#[test]
fn collected_results_are_lists_for_those_that_require_them() {
    let rules = [("&gt; 1", "1"), ("&gt; 2", "2")];
    let count = r##"<decision id="n" name="n"><variable name="n"/><informationRequirement><requiredDecision href="#d"/></informationRequirement><literalExpression><text>r</text></literalExpression></decision>"##;
    let of = |attributes: &str, x| {
        let xml = definitions(&format!("{}{count}", table(attributes, "integer", &rules)));
        let evaluations = decide(&xml, "n", &[("x", Value::Integer(x))]).unwrap();
        evaluations[0].result.rules[0][0].1.to_json().to_string()
    };
    for many in [r#"hitPolicy="COLLECT""#, r#"hitPolicy="RULE ORDER""#] {
        assert_eq!(
            (of(many, 3), of(many, 2), of(many, 0)),
            ("[1,2]".into(), "[1]".into(), "null".into())
        );
    }
    assert_eq!(of(r#"hitPolicy="COLLECT" aggregation="SUM""#, 3), "3");
    assert_eq!(of(r#"hitPolicy="FIRST""#, 3), "1");
}

#[test]
fn juel_serves_where_a_table_says_so() {
    let xml = definitions(&table("", "", &[("${x &gt; 2}", "${x * 2}")]))
        .replace("<inputEntry>", r#"<inputEntry expressionLanguage="juel">"#)
        .replace("<outputEntry>", r#"<outputEntry expressionLanguage="JUEL">"#);
    assert_eq!(values(&xml, 3), Ok(vec![Value::Long(6)]));
    assert_eq!(values(&xml, 2), Ok(vec![]));
    let bare = xml
        .replace("${x &gt; 2}", "cellInput &gt; 2")
        .replace("${x * 2}", "nope");
    assert!(values(&bare, 3).unwrap_err().starts_with("DMN-01002"));
    let value = xml
        .replace("${x &gt; 2}", "${x}")
        .replace("<inputExpression>", r#"<inputExpression expressionLanguage="juel">"#);
    assert_eq!(
        values(&value, 9),
        Ok(vec![Value::Long(18)]),
        "the value of the input fits too"
    );
    let script = xml.replace("JUEL", "javascript");
    assert!(values(&script, 3).unwrap_err().contains("write it in FEEL or JUEL"));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let refused = |decisions: &str| parse(definitions(decisions).as_bytes()).unwrap_err();
    let cycle = refused(
        r##"<decision id="a" name="a"><variable name="a"/><informationRequirement><requiredDecision href="#a"/></informationRequirement><literalExpression><text>1</text></literalExpression></decision>"##,
    );
    assert!(cycle.message.contains("requires itself"), "{}", cycle.message);
    assert_eq!((cycle.line, cycle.main_element.as_deref()), (2, Some("a")));
    for (decisions, reason) in [
        ("<decision/>", "has no id"),
        (r#"<decision id="a"/>"#, "has no name"),
        (
            r#"<decision id="a" name="a"><literalExpression/></decision>"#,
            "needs a variable",
        ),
        (
            r#"<decision id="a" name="a"><decisionTable/></decision>"#,
            "has no output",
        ),
        (&format!("{0}{0}", literal("a", "r", "1")), "more than once"),
        (
            r#"<decision id="a" name="a"><decisionTable><output name="r"/><rule/></decisionTable></decision>"#,
            "0 input and 0 output entries",
        ),
    ] {
        let found = refused(decisions);
        assert!(found.message.contains(reason), "{decisions}: {}", found.message);
    }
    let late = definitions(&literal("d", "r", "1 +"));
    let warnings = parse(late.as_bytes()).unwrap().warnings;
    assert_eq!(warnings.len(), 1, "it is told before it fails: {warnings:?}");
    assert!(values(&late, 1).unwrap_err().starts_with("FEEL/SCALA-01008"));
}

#[test]
fn a_chain_of_decisions_is_bounded() {
    let decision = |at: usize| {
        format!(
            r##"<decision id="d{at}" name="d"><variable name="v{at}"/><informationRequirement><requiredDecision href="#d{}"/></informationRequirement><literalExpression><text>1</text></literalExpression></decision>"##,
            at + 1
        )
    };
    let chain: String = (0..200).map(decision).collect();
    let refused = parse(definitions(&format!("{chain}{}", literal("d200", "v", "1"))).as_bytes()).unwrap_err();
    assert!(refused.message.contains("100 steps"), "{}", refused.message);
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(decisions in "(<(decision|decisionTable|input|output|rule|text|literalExpression|variable)( (id|name|hitPolicy|href)=\"[a-z#]{0,3}\")?/?>|</decision>|</decisionTable>|[ -~]{0,5}){0,12}") {
        let _ = parse(definitions(&decisions).as_bytes());
    }

    #[test]
    fn the_first_rule_that_matches_is_the_first_of_all(bounds in prop::collection::vec(-20..20, 1..8), x in -25..25) {
        let rules: Vec<(String, String)> = bounds.iter().enumerate()
            .map(|(at, bound)| (format!("&gt;= {bound}"), at.to_string()))
            .collect();
        let rules: Vec<(&str, &str)> = rules.iter().map(|(test, value)| (test.as_str(), value.as_str())).collect();
        let first = values(&definitions(&table(r#"hitPolicy="FIRST""#, "integer", &rules)), x).unwrap();
        let all = values(&definitions(&table(r#"hitPolicy="RULE ORDER""#, "integer", &rules)), x).unwrap();
        prop_assert_eq!(first.first(), all.first());
        let matching = bounds.iter().filter(|bound| x >= **bound).count();
        prop_assert_eq!(all.len(), matching);
    }
}
