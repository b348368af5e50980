//! The code of clauses and entries, in FEEL or JUEL.

use super::cell::Cell;
use super::error::DecisionError;
use super::scope::Surroundings;
use crate::expression;
use crate::feel;
use crate::feel::Feel;
use crate::value::Value;

/// Steps that one expression of JUEL takes off the budget.
const JUEL_STEPS: usize = 50;

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Feel,
    Juel,
}

impl Language {
    /// By its name, or FEEL's namespace; none where it is any other.
    pub(super) fn of(name: &str) -> Option<Self> {
        let lower = name.trim().to_ascii_lowercase();
        match lower.as_str() {
            "juel" => Some(Self::Juel),
            "feel" => Some(Self::Feel),
            uri if uri.starts_with("http") && uri.contains("/feel") => Some(Self::Feel),
            _ => None,
        }
    }
}

/// What gives a value.
#[derive(Debug)]
pub(super) enum Code {
    Feel(feel::Expression),
    Juel(expression::Expression),
    /// It cannot be parsed, and fails when it is reached.
    Broken(Broken),
}

/// What says whether an input fits.
#[derive(Debug)]
pub(super) enum Tests {
    Any,
    Feel(feel::UnaryTests),
    Juel(expression::Expression),
    Broken(Broken),
}

/// A text that is no code.
#[derive(Debug)]
pub(super) struct Broken {
    language: Language,
    source: String,
    reason: String,
}

impl Broken {
    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    fn error(&self) -> DecisionError {
        match self.language {
            Language::Feel => DecisionError::feel(&self.reason),
            Language::Juel => DecisionError::juel(&self.source, &self.reason),
        }
    }
}

/// `${…}` may be left out.
fn juel(text: &str) -> Result<expression::Expression, Broken> {
    let trimmed = text.trim();
    let whole = match trimmed.starts_with("${") || trimmed.starts_with("#{") {
        true => trimmed.to_owned(),
        false => format!("${{{trimmed}}}"),
    };
    expression::Expression::parse(&whole).map_err(|error| Broken {
        language: Language::Juel,
        source: text.to_owned(),
        reason: error.reason,
    })
}

fn broken(error: &feel::SyntaxError) -> Broken {
    Broken {
        language: Language::Feel,
        source: error.source_text.clone(),
        reason: error.to_string(),
    }
}

impl Code {
    pub(super) fn parse(language: Language, text: &str) -> Self {
        match language {
            Language::Feel => {
                feel::Expression::parse(text).map_or_else(|error| Self::Broken(broken(&error)), Self::Feel)
            }
            Language::Juel => juel(text).map_or_else(Self::Broken, Self::Juel),
        }
    }

    pub(super) fn evaluate(&self, surroundings: &mut Surroundings<'_>) -> Result<Cell, DecisionError> {
        match self {
            Self::Feel(expression) => surroundings
                .feel(|scope, budget| expression.evaluate(scope, budget))
                .map(Cell::from),
            Self::Juel(expression) => {
                surroundings.budget.spend(JUEL_STEPS)?;
                surroundings.juel(expression).map(Cell::from)
            }
            Self::Broken(broken) => Err(broken.error()),
        }
    }
}

impl Tests {
    pub(super) fn parse(language: Language, text: &str) -> Self {
        match (text.trim(), language) {
            ("", _) | ("-", Language::Feel) => Self::Any,
            (_, Language::Feel) => {
                feel::UnaryTests::parse(text).map_or_else(|error| Self::Broken(broken(&error)), Self::Feel)
            }
            (_, Language::Juel) => juel(text).map_or_else(Self::Broken, Self::Juel),
        }
    }

    pub(super) fn fit(&self, input: &Cell, surroundings: &mut Surroundings<'_>) -> Result<bool, DecisionError> {
        match self {
            Self::Any => Ok(true),
            Self::Feel(tests) => {
                let input: &Feel = &input.feel;
                surroundings.feel(|scope, budget| tests.fit(input, scope, budget))
            }
            Self::Juel(expression) => {
                surroundings.budget.spend(JUEL_STEPS)?;
                let found = surroundings.juel(expression)?;
                Ok(match found.clone().into_value() {
                    Value::Boolean(true) => true,
                    // Any other value is compared with the input.
                    value => !value.is_null() && found == input.to_datum(),
                })
            }
            Self::Broken(broken) => Err(broken.error()),
        }
    }
}
