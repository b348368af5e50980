use super::corpus;
use super::fuzz;
use super::mutation::{Language, mutated_xml};
use crate::decision::{evaluate, parse};
use crate::feel::Budget;
use crate::value::Value;

/// What a decision may take.
const STEPS: u32 = 20_000;

const DMN: Language = Language {
    words: &[
        "<decision id=\"d\" name=\"D\">",
        "</decision>",
        "<informationRequirement><requiredDecision href=\"#d\"/></informationRequirement>",
        "<literalExpression><text>",
        "<decisionTable hitPolicy=\"COLLECT\" aggregation=\"SUM\">",
        "hitPolicy=\"UNIQUE\"",
        "hitPolicy=\"RULE ORDER\"",
        "aggregation=\"MAX\"",
        "typeRef=\"date\"",
        "typeRef=\"long\"",
        "expressionLanguage=\"juel\"",
        "expressionLanguage=\"javascript\"",
        "<rule>",
        "</rule>",
        "<inputEntry><text>&gt; 1</text></inputEntry>",
        "<outputEntry><text>1</text></outputEntry>",
        "<![CDATA[",
        "]]>",
        "&#0;",
        "&#x1F600;",
        "&lt;",
        "<!--",
        "\"",
        "<",
        ">",
        "/>",
        "9999999999999999999",
        "\u{0}",
    ],
    pairs: &[
        ("<a>", "</a>"),
        ("<a>", ""),
        ("(", ")"),
        ("<!--", "-->"),
        ("<decision id=\"n\" name=\"n\">", "</decision>"),
        ("&lt;", "&gt;"),
    ],
};

/// Reads a file, and evaluates all of its decisions.
fn read(file: &str) {
    let Ok(parsed) = parse(file.as_bytes()) else { return };
    let variables: Vec<(String, Value)> = vec![
        ("x".into(), Value::Integer(7)),
        ("s".into(), Value::String("a".into())),
        ("d".into(), Value::Date(i64::MIN)),
        ("n".into(), Value::Null),
    ];
    for decision in 0..parsed.file.decisions.len().min(20) {
        let mut budget = Budget::new(STEPS, 1_700_000_000_000, 1);
        let evaluated = evaluate(
            &parsed.file,
            decision,
            &mut variables.as_slice(),
            &mut budget,
            1_700_000_000_000,
        );
        if let Ok(evaluations) = evaluated {
            for evaluation in evaluations {
                let _ = evaluation.result.to_datum();
            }
        }
    }
}

#[test]
fn decisions_that_are_nearly_what_was_recorded() {
    fuzz(2_000, || mutated_xml(&corpus::DMN, DMN), |file| read(&file));
}
