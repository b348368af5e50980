//! The work of one command: what it has read, what it changes, what it still has to do.
//!
//! Invariant: at the end every row that was touched gives at most one change: made and removed gives none, made and
//! changed gives one insertion.

mod history;
mod read;
mod rows;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;

pub(super) use self::history::{History, InstanceEnd};
use self::rows::{Kind, Tables};
use super::agenda::Op;
use super::condition::Changed;
use super::decision;
use super::halt::{Halt, Run};
use super::place::Place;
use super::scope::Ended;
use crate::command::Reply;
use crate::delta::{Change, Delta, Notice};
use crate::env::Env;
use crate::error::MachineError;
use crate::expression::Datum;
use crate::feel::Budget;
use crate::id::{Id, Millis};
use crate::model::{ElementIx, FlowIx};
use crate::request::{Answer, Request, RequestKind};
use crate::row::{DedupeKey, HistoricVariable, Variable};
use crate::value::Value;
use crate::view::{Definition, View};

pub(super) struct Work<'a> {
    pub(super) view: &'a dyn View,
    pub(super) env: &'a Env,
    answers: &'a [Answer],
    answered: usize,
    ids: u32,
    steps: u32,
    /// Where a token moved last.
    at: Option<(Arc<Definition>, ElementIx)>,
    definitions: BTreeMap<Id, Arc<Definition>>,
    pub(super) tables: Tables,
    /// Rows in the order of their first change.
    touched: Vec<(Kind, Id)>,
    pub(super) history: History,
    /// Changes of what no process runs on: deployments, dedupe keys.
    pub(super) others: Vec<Change>,
    /// Changes that come after all others.
    pub(super) last: Vec<Change>,
    dedupe_keys: Vec<Id>,
    notices: Vec<Notice>,
    /// What all decisions of the command together may use.
    pub(super) decision_budget: Budget,
    /// Results of decisions, by the scope that has the local variable `decisionResult`.
    pub(super) decision_results: BTreeMap<Id, Datum>,
    pub(super) agenda: Vec<Op>,
    /// Executions that have been made for a token that has not arrived yet: their activity has not started.
    pub(super) on_the_way: BTreeSet<Id>,
    /// By which flow a token of this command came.
    pub(super) came_by: BTreeMap<Id, FlowIx>,
    /// Executions whose end listeners threw an error: they are not called again when it cancels the activity.
    pub(super) end_listeners_failed: BTreeSet<Id>,
    /// Executions whose activity starts: its listeners and input parameters still run.
    pub(super) starting: BTreeSet<Id>,
    /// Executions whose activity is being left.
    pub(super) ending: BTreeSet<Id>,
    /// Scopes in which an event sub-process has interrupted all else (while conditions are looked at).
    pub(super) interrupted: BTreeSet<Id>,
    /// What the history of user tasks says while an event sub-process interrupts its scope.
    pub(super) task_delete_reason: Option<String>,
    /// Changes of variables that conditional events have not seen yet.
    pub(super) changed: Vec<Changed>,
    /// The loop variables of the last ended instance of a multi-instance activity, by the body.
    pub(super) ended_loops: BTreeMap<Id, Vec<(String, Value)>>,
    /// Stored variables that are known, by scope and name.
    pub(super) variable_names: BTreeMap<Id, BTreeMap<String, Id>>,
    /// Names that have no stored variable, by scope.
    pub(super) absent_variables: BTreeMap<Id, BTreeSet<String>>,
    /// Transient variables by scope.
    pub(super) transient: BTreeMap<Id, IndexMap<String, Value>>,
    /// Instances that have ended in this command, as they were.
    pub(super) ended: BTreeMap<Id, Ended>,
    /// Instances that call activities have started in this command, by the caller's execution.
    pub(super) called: BTreeMap<Id, Id>,
    /// The variables of ended instances are wanted.
    pub(super) keep_variables: bool,
    /// The element by which the last path right in an instance ended.
    pub(super) last_activity: BTreeMap<Id, String>,
    /// The instance that is being modified: it does not end meanwhile.
    pub(super) preserved: Option<Id>,
    /// Variables that are set are those that an instance begins with.
    pub(super) initial_variables: bool,
    /// No listeners are called.
    pub(super) skip_listeners: bool,
    /// No input and output parameters are evaluated.
    pub(super) skip_io_mappings: bool,
    /// The id of this command in the log of what users do, once something is logged.
    pub(super) operation: Option<Id>,
}

impl<'a> Work<'a> {
    pub(super) fn new(view: &'a dyn View, env: &'a Env, answers: &'a [Answer]) -> Self {
        Self {
            view,
            env,
            answers,
            answered: 0,
            ids: 0,
            steps: 0,
            at: None,
            definitions: BTreeMap::new(),
            tables: Tables::default(),
            touched: Vec::new(),
            history: History::default(),
            others: Vec::new(),
            last: Vec::new(),
            dedupe_keys: Vec::new(),
            notices: Vec::new(),
            decision_budget: decision::budget(env),
            decision_results: BTreeMap::new(),
            agenda: Vec::new(),
            on_the_way: BTreeSet::new(),
            came_by: BTreeMap::new(),
            end_listeners_failed: BTreeSet::new(),
            starting: BTreeSet::new(),
            ending: BTreeSet::new(),
            interrupted: BTreeSet::new(),
            task_delete_reason: None,
            changed: Vec::new(),
            ended_loops: BTreeMap::new(),
            variable_names: BTreeMap::new(),
            absent_variables: BTreeMap::new(),
            transient: BTreeMap::new(),
            ended: BTreeMap::new(),
            called: BTreeMap::new(),
            keep_variables: false,
            last_activity: BTreeMap::new(),
            preserved: None,
            initial_variables: false,
            skip_listeners: false,
            skip_io_mappings: false,
            operation: None,
        }
    }

    pub(super) fn now(&self) -> Millis {
        self.env.now
    }

    /// The next id.
    pub(super) fn id(&mut self) -> Run<Id> {
        if self.ids >= Env::IDS_MAX {
            return Err(Halt::execution("the command makes too many rows"));
        }
        let id = Id(self.env.first_id.0 + i64::from(self.ids));
        self.ids += 1;
        Ok(id)
    }

    /// Counts an element that a token enters, so that an endless loop ends.
    pub(super) fn count_step(&mut self, element: &str) -> Run<()> {
        self.steps += 1;
        if self.steps > self.env.steps_max {
            return Err(Halt::execution(format!(
                "the command entered {} elements without coming to rest, '{element}' among them: is there a loop without a wait state?",
                self.env.steps_max
            )));
        }
        Ok(())
    }

    /// Notes where a token moves, for the refusal's sake.
    pub(super) fn come_to(&mut self, place: &Place) {
        self.at = Some((Arc::clone(&place.definition), place.ix));
    }

    /// The activity where a token moved last.
    pub(super) fn activity(&self) -> Option<&str> {
        self.at
            .as_ref()
            .map(|(definition, ix)| definition.model.at(*ix).id.as_str())
    }

    /// The answer to a request; it must come from outside where it is not there yet.
    pub(super) fn ask(&mut self, instance: Id, kind: impl FnOnce(u32) -> RequestKind) -> Run<&'a Answer> {
        let ordinal = self.answered;
        self.answered += 1;
        match self.answers.get(ordinal) {
            Some(answer) => Ok(answer),
            None => {
                let ordinal = ordinal as u32;
                Err(Halt::Need(Box::new(Request {
                    ordinal,
                    instance,
                    kind: kind(ordinal),
                })))
            }
        }
    }

    pub(super) fn notice(&mut self, instance: Option<Id>, activity: &str, message: String) {
        self.notices.push(Notice {
            instance,
            activity: activity.to_owned(),
            message,
        });
    }

    pub(super) fn insert_dedupe_key(&mut self, row: DedupeKey) {
        self.dedupe_keys.push(row.instance);
        self.others.push(Change::InsertDedupeKey(row));
    }

    /// Notes a definition that this command makes.
    pub(super) fn put_definition(&mut self, definition: Arc<Definition>) {
        self.definitions.insert(definition.row.id, definition);
    }

    /// A row names a definition that is not there.
    pub(super) fn known_definition(&mut self, id: Id) -> Run<Arc<Definition>> {
        self.definition(id)?.ok_or_else(|| {
            MachineError::Execution(format!("no deployed process definition found with id '{id}'")).into()
        })
    }

    /// All changes.
    pub(super) fn finish(mut self, reply: Reply) -> Delta {
        let mut followed: BTreeSet<Id> = std::mem::take(&mut self.dedupe_keys).into_iter().collect();
        followed.extend(self.history.callers());
        for instance in followed {
            self.history.repeat_instance_end(instance);
        }
        self.variable_history();
        let mut changes = self.others;
        changes.reserve(self.touched.len());
        for (kind, id) in &self.touched {
            changes.extend(self.tables.outcome(*kind, *id));
        }
        changes.extend(self.history.into_events());
        changes.extend(self.last);
        Delta {
            changes,
            ids: self.ids,
            reply,
            notices: self.notices,
        }
    }

    /// The last values of variables that were set and are still there.
    fn variable_history(&mut self) {
        let touched = std::mem::take(&mut self.touched);
        for (_, id) in touched.iter().filter(|(kind, _)| *kind == Kind::Variable) {
            // A change of the value is a new revision; migration may give it another scope.
            if self.tables.variables.is_changed(*id)
                && let Some(row) = self.tables.variables.get(*id).cloned()
                && (row.revision > 0 || !self.tables.variables.is_stored(*id))
                && let Some(event) = self.historic_variable(row)
            {
                self.history.push(Change::HistoryVariable(event));
            }
        }
        self.touched = touched;
    }

    /// The history of a variable as it is; none where its instance is not known.
    pub(super) fn historic_variable(&self, row: Variable) -> Option<HistoricVariable> {
        let (definition, root, tenant) = match self.tables.instances.get(row.instance) {
            Some(instance) => (instance.definition, instance.root, instance.tenant.clone()),
            None => {
                let instance = self.history.fresh_instance(row.instance)?;
                (instance.definition, instance.root, instance.tenant.clone())
            }
        };
        let definition_key = self.definitions.get(&definition)?.row.key.clone();
        let scope_activity = self
            .tables
            .executions
            .get(row.scope)
            .map(|execution| execution.entered().to_owned());
        Some(HistoricVariable {
            id: row.id,
            instance: row.instance,
            root,
            definition,
            definition_key,
            scope: row.scope,
            scope_activity,
            name: row.name,
            value: row.value,
            created: self.env.now,
            deleted: false,
            revision: row.revision,
            tenant,
            removal_time: None,
        })
    }
}
