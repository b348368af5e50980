//! An instance with all of its rows, and what can be asked of them.

use handoff_machine::Id;
use handoff_machine::row::{EventSubscription, Execution, ExternalTask, Incident, Instance, Job, UserTask, Variable};

use super::weight::Weight;

/// An instance with all of its rows.
#[derive(Debug)]
pub(in crate::store) struct Resident {
    pub(in crate::store) instance: Instance,
    executions: Rows<Execution>,
    variables: Rows<Variable>,
    external_tasks: Rows<ExternalTask>,
    jobs: Rows<Job>,
    subscriptions: Rows<EventSubscription>,
    tasks: Rows<UserTask>,
    incidents: Rows<Incident>,
    /// Whether other rows follow its removal time: it has a dedupe key, or has called instances.
    pub(in crate::store) followed: bool,
}

/// Rows of one kind, by ascending id.
#[derive(Debug)]
pub(in crate::store) struct Rows<R> {
    rows: Vec<R>,
    bytes: usize,
}

/// A row that belongs to an instance, or may do so.
pub(in crate::store) trait Owned {
    fn owner(&self) -> Option<Id>;
}

/// A row that is kept with its instance.
pub(in crate::store) trait Kept: Owned + Clone + Weight {
    fn id(&self) -> Id;
    fn rows(resident: &Resident) -> &Rows<Self>;
    fn rows_mut(resident: &mut Resident) -> &mut Rows<Self>;
}

macro_rules! kept {
    ($($row:ident in $rows:ident: |$it:ident| $owner:expr),+ $(,)?) => {$(
        impl Owned for $row {
            fn owner(&self) -> Option<Id> {
                let $it = self;
                $owner
            }
        }

        impl Kept for $row {
            fn id(&self) -> Id {
                self.id
            }

            fn rows(resident: &Resident) -> &Rows<Self> {
                &resident.$rows
            }

            fn rows_mut(resident: &mut Resident) -> &mut Rows<Self> {
                &mut resident.$rows
            }
        }
    )+};
}

kept!(
    Execution in executions: |it| Some(it.instance),
    Variable in variables: |it| Some(it.instance),
    ExternalTask in external_tasks: |it| Some(it.instance),
    Job in jobs: |it| it.instance,
    EventSubscription in subscriptions: |it| it.instance,
    UserTask in tasks: |it| it.instance(),
    Incident in incidents: |it| it.instance,
);

impl Owned for Instance {
    fn owner(&self) -> Option<Id> {
        Some(self.id)
    }
}

impl<R> Default for Rows<R> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            bytes: 0,
        }
    }
}

impl<R: Kept> Rows<R> {
    /// Returns whether it was not there.
    pub(super) fn put(&mut self, row: R) -> bool {
        self.bytes += row.weight();
        // Ids grow: a new row is mostly the last.
        match self.rows.binary_search_by_key(&row.id(), Kept::id) {
            Ok(at) => {
                self.bytes -= self.rows[at].weight();
                self.rows[at] = row;
                false
            }
            Err(at) => {
                self.rows.insert(at, row);
                true
            }
        }
    }

    pub(super) fn remove(&mut self, id: Id) {
        if let Ok(at) = self.rows.binary_search_by_key(&id, Kept::id) {
            self.bytes -= self.rows.remove(at).weight();
        }
    }

    fn ids(&self) -> impl Iterator<Item = Id> {
        self.rows.iter().map(Kept::id)
    }
}

impl Resident {
    pub(super) fn new(instance: Instance) -> Self {
        Self {
            instance,
            executions: Rows::default(),
            variables: Rows::default(),
            external_tasks: Rows::default(),
            jobs: Rows::default(),
            subscriptions: Rows::default(),
            tasks: Rows::default(),
            incidents: Rows::default(),
            followed: false,
        }
    }

    /// A row of it.
    pub(in crate::store) fn row<R: Kept>(&self, id: Id) -> Option<&R> {
        let rows = &R::rows(self).rows;
        rows.binary_search_by_key(&id, Kept::id).ok().map(|at| &rows[at])
    }

    /// Its rows of a kind that are wanted, by ascending id.
    pub(in crate::store) fn rows<R: Kept>(&self, wanted: impl Fn(&R) -> bool) -> Vec<R> {
        let rows = R::rows(self).rows.iter();
        rows.filter(|row| wanted(row)).cloned().collect()
    }

    /// The first of its rows of a kind that is wanted.
    pub(in crate::store) fn first<R: Kept>(&self, wanted: impl Fn(&R) -> bool) -> Option<&R> {
        R::rows(self).rows.iter().find(|row| wanted(row))
    }

    /// A variable of a scope.
    pub(in crate::store) fn variable(&self, scope: Id, name: &str) -> Option<&Variable> {
        let mut variables = self.variables.rows.iter();
        variables.find(|variable| variable.scope == scope && variable.name == name)
    }

    /// What it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.instance.weight()
            + self.executions.bytes
            + self.variables.bytes
            + self.external_tasks.bytes
            + self.jobs.bytes
            + self.subscriptions.bytes
            + self.tasks.bytes
            + self.incidents.bytes
    }

    /// The ids of its rows.
    pub(super) fn ids(&self) -> impl Iterator<Item = Id> {
        self.executions
            .ids()
            .chain(self.variables.ids())
            .chain(self.external_tasks.ids())
            .chain(self.jobs.ids())
            .chain(self.subscriptions.ids())
            .chain(self.tasks.ids())
            .chain(self.incidents.ids())
    }
}
