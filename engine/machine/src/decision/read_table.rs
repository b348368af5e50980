//! Decision tables.

use super::hit_policy::HitPolicy;
use super::language::Tests;
use super::model::{Input, Output, Rule, Table};
use super::read::{Read, Reader, text};
use super::types::TypeRef;
use crate::model::xml::Node;

pub(super) fn read(reader: &mut Reader, node: &Node) -> Read<Table> {
    let hit_policy = HitPolicy::of(node.attribute("hitPolicy"), node.attribute("aggregation")).ok_or_else(|| {
        let message = format!(
            "the hit policy '{}' with the aggregation '{}' is not executed, as in Camunda: use UNIQUE, FIRST, ANY, RULE ORDER, COLLECT, or COLLECT with SUM, MIN, MAX or COUNT",
            node.attribute("hitPolicy").unwrap_or("UNIQUE"),
            node.attribute("aggregation").unwrap_or("none")
        );
        reader.error(node, message)
    })?;
    let mut inputs = Vec::new();
    for input in node.dmn("input") {
        inputs.push(read_input(reader, input)?);
    }
    let outputs: Vec<_> = node.dmn("output").map(output).collect();
    if outputs.is_empty() {
        return Err(reader.error(node, "a decision table has no output"));
    }
    let mut rules = Vec::new();
    for rule in node.dmn("rule") {
        rules.push(read_rule(reader, rule, inputs.len(), outputs.len())?);
    }
    Ok(Table {
        hit_policy,
        inputs,
        outputs,
        rules,
    })
}

fn read_input(reader: &mut Reader, node: &Node) -> Read<Input> {
    let expression = node.dmn("inputExpression").next();
    let code = match expression {
        Some(expression) if !text(expression).trim().is_empty() => Some(reader.code(expression, text(expression))?),
        _ => None,
    };
    Ok(Input {
        id: node.id().map(str::to_owned),
        label: node.attribute("label").map(str::to_owned),
        variable: node.camunda("inputVariable").unwrap_or("cellInput").to_owned(),
        code,
        kind: TypeRef::of(expression.and_then(|expression| expression.attribute("typeRef"))),
    })
}

fn output(node: &Node) -> Output {
    Output {
        id: node.id().map(str::to_owned),
        label: node.attribute("label").map(str::to_owned),
        name: node
            .attribute("name")
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
        kind: TypeRef::of(node.attribute("typeRef")),
    }
}

fn read_rule(reader: &mut Reader, node: &Node, inputs: usize, outputs: usize) -> Read<Rule> {
    let mut tests = Vec::new();
    for entry in node.dmn("inputEntry") {
        let parsed = Tests::parse(reader.language(entry)?, text(entry));
        if let Tests::Broken(broken) = &parsed {
            reader.warn_of(entry, broken);
        }
        tests.push(parsed);
    }
    let mut conclusions = Vec::new();
    for entry in node.dmn("outputEntry") {
        conclusions.push(match text(entry).trim() {
            "" => None,
            _ => Some(reader.code(entry, text(entry))?),
        });
    }
    if tests.len() != inputs || conclusions.len() != outputs {
        let message = format!(
            "a rule has {} input and {} output entries, where its table has {inputs} inputs and {outputs} outputs",
            tests.len(),
            conclusions.len()
        );
        return Err(reader.error(node, message));
    }
    Ok(Rule {
        id: node.id().map(str::to_owned),
        tests,
        conclusions,
    })
}
