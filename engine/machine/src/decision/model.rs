//! A compiled DMN file.

use super::hit_policy::HitPolicy;
use super::language::{Code, Tests};
use super::types::TypeRef;

/// A file: its decisions, and how they require each other.
#[derive(Debug)]
pub struct DecisionFile {
    /// The id of its `definitions`: the key of the requirements.
    pub key: String,
    /// Its name.
    pub name: Option<String>,
    /// Its namespace, which is the category.
    pub category: Option<String>,
    /// In XML order.
    pub decisions: Vec<Decision>,
}

impl DecisionFile {
    /// The position of a decision.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<usize> {
        self.decisions.iter().position(|decision| decision.key == key)
    }
}

/// A decision.
#[derive(Debug)]
pub struct Decision {
    /// The id.
    pub key: String,
    /// The name.
    pub name: String,
    /// `camunda:versionTag`
    pub version_tag: Option<String>,
    /// `camunda:historyTimeToLive`, in days.
    pub history_time_to_live: Option<i32>,
    /// The positions of those that it requires, which all come to an end.
    pub requires: Vec<usize>,
    pub(super) logic: Logic,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

/// How a decision comes to its result.
#[derive(Debug)]
pub(super) enum Logic {
    /// One expression, and the variable that has its result.
    Literal {
        variable: String,
        kind: TypeRef,
        code: Code,
    },
    Table(Table),
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) hit_policy: HitPolicy,
    pub(super) inputs: Vec<Input>,
    pub(super) outputs: Vec<Output>,
    pub(super) rules: Vec<Rule>,
}

#[derive(Debug)]
pub(super) struct Input {
    pub(super) id: Option<String>,
    pub(super) label: Option<String>,
    /// The name by which entries see the value, beside `?`.
    pub(super) variable: String,
    /// None gives null.
    pub(super) code: Option<Code>,
    pub(super) kind: TypeRef,
}

#[derive(Debug)]
pub(super) struct Output {
    pub(super) id: Option<String>,
    pub(super) label: Option<String>,
    pub(super) name: Option<String>,
    pub(super) kind: TypeRef,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: Option<String>,
    /// One for each input.
    pub(super) tests: Vec<Tests>,
    /// One for each output; none leaves it out of the result.
    pub(super) conclusions: Vec<Option<Code>>,
}
