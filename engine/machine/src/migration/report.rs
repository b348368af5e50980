//! What is wrong with a migration, in Camunda's words and shape.

use std::fmt;

use crate::command::MigratingInstruction;

/// What is wrong with one instruction of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstructionReport {
    /// The instruction.
    pub instruction: MigratingInstruction,
    /// What is wrong; never empty.
    pub failures: Vec<String>,
}

/// What is wrong with migrating one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceReport {
    /// The id of the instance outside.
    pub instance: String,
    /// Of the instance as a whole.
    pub failures: Vec<String>,
    /// Of activity instances.
    pub activities: Vec<ActivityReport>,
    /// Of tokens before and after asynchronous continuations.
    pub transitions: Vec<ActivityReport>,
}

/// What is wrong with migrating one activity or transition instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityReport {
    /// Its id outside.
    pub id: String,
    /// The id of its activity; that of the definition where it is the instance itself.
    pub activity: String,
    /// The instruction for it, where there is one.
    pub instruction: Option<MigratingInstruction>,
    /// What is wrong.
    pub failures: Vec<String>,
}

impl InstanceReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.failures.is_empty() && self.activities.is_empty() && self.transitions.is_empty()
    }
}

impl fmt::Display for InstanceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "ENGINE-23004 Cannot migrate process instance '{}':", self.instance)?;
        for failure in &self.failures {
            writeln!(f, "\t{failure}")?;
        }
        for (what, reports) in [("activity", &self.activities), ("transition", &self.transitions)] {
            for report in reports {
                writeln!(f, "\tCannot migrate {what} instance '{}':", report.id)?;
                for failure in &report.failures {
                    writeln!(f, "\t\t{failure}")?;
                }
            }
        }
        Ok(())
    }
}
