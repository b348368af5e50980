//! Variables and their scopes.

use std::collections::BTreeSet;

use super::halt::Run;
use super::work::Work;
use crate::command::VariableInput;
use crate::delta::Change;
use crate::id::Id;
use crate::model::VariableChange;
use crate::row::{DetailKind, HistoricDetail, Variable};
use crate::value::Value;
use crate::view::Seen;

impl Work<'_> {
    /// The scope around an execution; none where it is the instance.
    fn outer(&mut self, scope: Id) -> Seen<Option<Id>> {
        // A task is a scope only in commands on it, which have read it.
        if let Some(task) = self.tables.tasks.get(scope) {
            return Ok(task.execution());
        }
        Ok(self.execution(scope)?.map(|row| row.parent))
    }

    /// The instance that a scope is in; a task that is in none stands for it.
    pub(super) fn instance_of(&mut self, scope: Id) -> Seen<Id> {
        if let Some(task) = self.tables.tasks.get(scope) {
            return Ok(task.instance().unwrap_or(scope));
        }
        Ok(self.execution(scope)?.map_or(scope, |row| row.instance))
    }

    /// The id of a stored variable of this very scope.
    fn local_variable(&mut self, scope: Id, name: &str) -> Seen<Option<Id>> {
        if let Some(id) = self.variable_names.get(&scope).and_then(|names| names.get(name)) {
            return Ok(Some(*id));
        }
        let absent = |names: &BTreeSet<String>| names.contains(name);
        if self.tables.variables.is_loaded(scope)
            || self.is_new_scope(scope)
            || self.absent_variables.get(&scope).is_some_and(absent)
        {
            return Ok(None);
        }
        match self.view.variable(scope, name)? {
            // It may have been removed by this command.
            Some(row) if !self.tables.variables.knows(row.id) => {
                let id = row.id;
                self.learn_variable(row);
                Ok(Some(id))
            }
            _ => {
                self.absent_variables.entry(scope).or_default().insert(name.to_owned());
                Ok(None)
            }
        }
    }

    fn learn_variable(&mut self, row: Variable) {
        if !self.tables.variables.knows(row.id) {
            self.variable_names
                .entry(row.scope)
                .or_default()
                .insert(row.name.clone(), row.id);
            self.tables.variables.load(row);
        }
    }

    /// The value of a variable of this very scope.
    pub(super) fn local_value(&mut self, scope: Id, name: &str) -> Seen<Option<Value>> {
        if let Some(value) = self.transient.get(&scope).and_then(|values| values.get(name)) {
            return Ok(Some(value.clone()));
        }
        let id = self.local_variable(scope, name)?;
        Ok(id
            .and_then(|id| self.tables.variables.get(id))
            .map(|row| row.value.clone()))
    }

    /// The value of a variable that an execution sees: the innermost.
    pub(super) fn value(&mut self, scope: Id, name: &str) -> Seen<Option<Value>> {
        let mut scope = scope;
        loop {
            if let Some(value) = self.local_value(scope, name)? {
                return Ok(Some(value));
            }
            match self.outer(scope)? {
                Some(outer) => scope = outer,
                None => return Ok(None),
            }
        }
    }

    /// Does something while a scope has other values for some variables; nobody is told of them.
    pub(super) fn with_overlay<T>(
        &mut self,
        scope: Id,
        values: Vec<(String, Value)>,
        act: impl FnOnce(&mut Self) -> Run<T>,
    ) -> Run<T> {
        let before = self.transient.get(&scope).cloned();
        self.transient.entry(scope).or_default().extend(values);
        let outcome = act(self);
        match before {
            Some(before) => self.transient.insert(scope, before),
            None => self.transient.remove(&scope),
        };
        outcome
    }

    /// All variables of this very scope.
    pub(super) fn local_values(&mut self, scope: Id) -> Seen<Vec<(String, Value)>> {
        self.load_variables(scope)?;
        let variables = &self.tables.variables;
        let transient = self.transient.get(&scope).into_iter().flatten();
        let mut values: Vec<(String, Value)> = transient.map(|(name, value)| (name.clone(), value.clone())).collect();
        for row in variables.owned(scope).iter().filter_map(|id| variables.get(*id)) {
            if !values.iter().any(|(name, _)| *name == row.name) {
                values.push((row.name.clone(), row.value.clone()));
            }
        }
        Ok(values)
    }

    /// All variables that an execution sees, inner ones winning.
    pub(super) fn visible_values(&mut self, scope: Id) -> Seen<Vec<(String, Value)>> {
        let mut values = indexmap::IndexMap::new();
        let mut scope = scope;
        loop {
            for (name, value) in self.local_values(scope)? {
                values.entry(name).or_insert(value);
            }
            match self.outer(scope)? {
                Some(outer) => scope = outer,
                None => return Ok(values.into_iter().collect()),
            }
        }
    }

    fn load_variables(&mut self, scope: Id) -> Seen<()> {
        if !self.tables.variables.is_loaded(scope) {
            if !self.is_new_scope(scope) {
                for row in self.view.variables(scope)? {
                    self.learn_variable(row);
                }
            }
            self.tables.variables.set_loaded(scope);
        }
        Ok(())
    }

    /// Sets a variable where it exists, innermost first, else on the instance.
    pub(super) fn set_variable(&mut self, scope: Id, name: &str, value: Value, transient: bool) -> Run<()> {
        let mut target = scope;
        loop {
            let has_transient = self
                .transient
                .get(&target)
                .is_some_and(|values| values.contains_key(name));
            if has_transient || self.local_variable(target, name)?.is_some() {
                break;
            }
            match self.outer(target)? {
                Some(outer) => target = outer,
                None => break,
            }
        }
        self.set_local_variable(target, name, value, transient)
    }

    /// Sets a variable on this very scope.
    pub(super) fn set_local_variable(&mut self, scope: Id, name: &str, value: Value, transient: bool) -> Run<()> {
        if transient {
            let before = self.transient.entry(scope).or_default().insert(name.to_owned(), value);
            let change = before.map_or(VariableChange::Create, |_| VariableChange::Update);
            return self.note_change(scope, name, change);
        }
        if let Some(values) = self.transient.get_mut(&scope) {
            values.shift_remove(name);
        }
        match self.local_variable(scope, name)? {
            Some(id) => {
                self.change::<Variable>(id, |row| {
                    row.value = value;
                    row.revision += 1;
                });
                self.variable_detail(id)?;
                self.note_change(scope, name, VariableChange::Update)
            }
            None => {
                let instance = self.instance_of(scope)?;
                let id = self.id()?;
                self.variable_names
                    .entry(scope)
                    .or_default()
                    .insert(name.to_owned(), id);
                self.insert(Variable {
                    id,
                    instance,
                    scope,
                    name: name.to_owned(),
                    value,
                    revision: 0,
                });
                self.variable_detail(id)?;
                self.note_change(scope, name, VariableChange::Create)
            }
        }
    }

    /// Notes one change of a variable, beside its last value.
    fn variable_detail(&mut self, id: Id) -> Run<()> {
        let Some(row) = self.tables.variables.get(id).cloned() else {
            return Ok(());
        };
        if let Some(definition) = self.instance(row.instance)?.map(|row| row.definition) {
            self.known_definition(definition)?;
        }
        let initial = self.initial_variables;
        let Some(variable) = self.historic_variable(row) else {
            return Ok(());
        };
        let detail = HistoricDetail {
            id: self.id()?,
            kind: DetailKind::VariableUpdate,
            instance: variable.instance,
            root: variable.root,
            definition: variable.definition,
            definition_key: variable.definition_key,
            scope: variable.scope,
            scope_activity: variable.scope_activity,
            task: None,
            variable: Some(id),
            name: variable.name,
            value: variable.value,
            revision: variable.revision,
            time: self.now(),
            initial,
            tenant: variable.tenant,
            removal_time: None,
        };
        self.history.push(Change::HistoryDetail(detail));
        Ok(())
    }

    pub(super) fn set_variables(&mut self, scope: Id, inputs: &[VariableInput]) -> Run<()> {
        inputs
            .iter()
            .try_for_each(|input| self.set_variable(scope, &input.name, input.value.clone(), input.transient))
    }

    pub(super) fn set_local_variables(&mut self, scope: Id, inputs: &[VariableInput]) -> Run<()> {
        inputs
            .iter()
            .try_for_each(|input| self.set_local_variable(scope, &input.name, input.value.clone(), input.transient))
    }

    /// Removes a variable where it exists, innermost first.
    pub(super) fn remove_variable(&mut self, scope: Id, name: &str) -> Run<()> {
        let mut scope = scope;
        loop {
            if self.remove_local_variable(scope, name)? {
                return Ok(());
            }
            match self.outer(scope)? {
                Some(outer) => scope = outer,
                None => return Ok(()),
            }
        }
    }

    /// Removes a variable of this very scope; whether there was one.
    pub(super) fn remove_local_variable(&mut self, scope: Id, name: &str) -> Run<bool> {
        let transient = self
            .transient
            .get_mut(&scope)
            .and_then(|values| values.shift_remove(name))
            .is_some();
        let Some(id) = self.local_variable(scope, name)? else {
            if transient {
                self.note_change(scope, name, VariableChange::Delete)?;
            }
            return Ok(transient);
        };
        self.drop_variable(id)?;
        self.history.push(Change::HistoryVariableDeleted(id));
        self.note_change(scope, name, VariableChange::Delete)?;
        Ok(true)
    }

    /// Removes all variables of a scope that ends. Their history stays as it is.
    pub(super) fn drop_variables(&mut self, scope: Id) -> Run<()> {
        self.load_variables(scope)?;
        for id in self.tables.variables.owned(scope).to_vec() {
            self.drop_variable(id)?;
        }
        self.transient.remove(&scope);
        Ok(())
    }

    /// Removes a row, with its last value in the history where this command has set it.
    fn drop_variable(&mut self, id: Id) -> Run<()> {
        let changed = self.tables.variables.is_changed(id);
        if changed
            && let Some(row) = self.tables.variables.get(id).cloned()
            && (row.revision > 0 || !self.tables.variables.is_stored(id))
        {
            self.instance(row.instance)?;
            if let Some(event) = self.historic_variable(row) {
                self.history.push(Change::HistoryVariable(event));
            }
        }
        if let Some(row) = self.remove::<Variable>(id)
            && let Some(names) = self.variable_names.get_mut(&row.scope)
        {
            names.remove(&row.name);
        }
        Ok(())
    }

    /// Where local variables of an execution go: an element that is no scope has none of its own.
    pub(super) fn local_scope(&mut self, execution: Id) -> Run<Id> {
        Ok(match self.find_place(execution)? {
            Some(place) if !place.element().is_scope => place.parent,
            _ => execution,
        })
    }
}
