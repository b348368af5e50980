//! Scripts and what may be written in place of one.

use crate::expression::Expression;

/// A script of a script task, a listener, a parameter or a condition.
#[derive(Clone, Debug)]
pub enum Script {
    /// `scriptFormat="juel"`, which is also the default: an expression, evaluated in the machine.
    Juel(Expression),
    /// Any other language: it is run outside.
    Source {
        /// `scriptFormat`, as written.
        format: String,
        /// The text, or where it is.
        source: ScriptSource,
    },
}

/// Where the text of a script is.
#[derive(Clone, Debug)]
pub enum ScriptSource {
    /// Written into the model.
    Text(String),
    /// `${…}` in place of the text: it gives the text.
    Dynamic(Expression),
    /// `camunda:resource`: a file of the deployment (`deployment://name`).
    Resource(Expression),
}

/// The condition of a sequence flow or event.
#[derive(Clone, Debug)]
pub enum Condition {
    /// An expression.
    Expression(Expression),
    /// A script in a `language`.
    Script(Script),
}

impl Condition {
    /// As it is written, or where it is.
    #[must_use]
    pub fn source(&self) -> &str {
        match self {
            Self::Expression(expression) | Self::Script(Script::Juel(expression)) => expression.source(),
            Self::Script(Script::Source { source, .. }) => match source {
                ScriptSource::Text(text) => text.trim(),
                ScriptSource::Dynamic(expression) | ScriptSource::Resource(expression) => expression.source(),
            },
        }
    }
}
