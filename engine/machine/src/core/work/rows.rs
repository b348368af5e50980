//! The kinds of rows: how each is listed and changed.

use super::Work;
use super::table::{Row, Table};
use crate::delta::Change;
use crate::id::Id;
use crate::row::{
    EventSubscription, Execution, ExternalTask, IdentityLink, Incident, Instance, Job, UserTask, Variable,
};

/// The tables of a command.
#[derive(Default)]
pub(in crate::core) struct Tables {
    pub(in crate::core) instances: Table<Instance>,
    pub(in crate::core) executions: Table<Execution>,
    pub(in crate::core) variables: Table<Variable>,
    pub(in crate::core) external_tasks: Table<ExternalTask>,
    pub(in crate::core) jobs: Table<Job>,
    pub(in crate::core) subscriptions: Table<EventSubscription>,
    pub(in crate::core) tasks: Table<UserTask>,
    pub(in crate::core) links: Table<IdentityLink>,
    pub(in crate::core) incidents: Table<Incident>,
}

/// Which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Kind {
    Instance,
    Execution,
    Variable,
    ExternalTask,
    Job,
    Subscription,
    Task,
    Link,
    Incident,
}

/// A row and where it is kept.
pub(in crate::core) trait Kept: Row {
    const KIND: Kind;
    fn table(tables: &mut Tables) -> &mut Table<Self>;
}

macro_rules! rows {
    ($($row:ident $kind:ident $table:ident owner($owner:expr) $insert:ident $update:expr, $delete:ident, $migrate:expr;)*) => {
        $(
            impl Row for $row {
                fn id(&self) -> Id {
                    self.id
                }
                fn owner(&self) -> Option<Id> {
                    let owner: fn(&$row) -> Option<Id> = $owner;
                    owner(self)
                }
                fn insert(self) -> Change {
                    Change::$insert(self)
                }
                fn update(self) -> Option<Change> {
                    let update: Option<fn($row) -> Change> = $update;
                    update.map(|update| update(self))
                }
                fn delete(id: Id) -> Change {
                    Change::$delete(id)
                }
                fn migrate(self) -> Option<Change> {
                    let migrate: Option<fn($row) -> Change> = $migrate;
                    migrate.map(|migrate| migrate(self))
                }
            }
            impl Kept for $row {
                const KIND: Kind = Kind::$kind;
                fn table(tables: &mut Tables) -> &mut Table<Self> {
                    &mut tables.$table
                }
            }
        )*

        impl Tables {
            pub(in crate::core) fn outcome(&mut self, kind: Kind, id: Id) -> Option<Change> {
                match kind {
                    $(Kind::$kind => self.$table.outcome(id),)*
                }
            }
        }
    };
}

rows! {
    Instance Instance instances owner(|_| None) InsertInstance Some(Change::UpdateInstance), DeleteInstance, Some(Change::MigrateInstance);
    Execution Execution executions owner(|row| Some(row.parent)) InsertExecution Some(Change::UpdateExecution), DeleteExecution, Some(Change::MigrateExecution);
    Variable Variable variables owner(|row| Some(row.scope)) InsertVariable Some(Change::UpdateVariable), DeleteVariable, Some(Change::MigrateVariable);
    ExternalTask ExternalTask external_tasks owner(|row| Some(row.execution)) InsertExternalTask Some(Change::UpdateExternalTask), DeleteExternalTask, Some(Change::MigrateExternalTask);
    Job Job jobs owner(|row| row.execution) InsertJob Some(Change::UpdateJob), DeleteJob, Some(Change::MigrateJob);
    EventSubscription Subscription subscriptions owner(|row| row.execution) InsertSubscription None, DeleteSubscription, Some(Change::MigrateSubscription);
    UserTask Task tasks owner(UserTask::execution) InsertTask Some(Change::UpdateTask), DeleteTask, Some(Change::MigrateTask);
    IdentityLink Link links owner(|row| Some(row.task)) InsertIdentityLink None, DeleteIdentityLink, None;
    Incident Incident incidents owner(|row| Some(row.configuration)) InsertIncident Some(Change::UpdateIncident), DeleteIncident, Some(Change::MigrateIncident);
}

impl Work<'_> {
    /// A new row.
    pub(in crate::core) fn insert<R: Kept>(&mut self, row: R) {
        self.touched.push((R::KIND, row.id()));
        R::table(&mut self.tables).insert(row);
    }

    /// Changes a row that is known; nothing where there is none.
    pub(in crate::core) fn change<R: Kept>(&mut self, id: Id, change: impl FnOnce(&mut R)) {
        if let Some((row, first)) = R::table(&mut self.tables).change(id) {
            change(row);
            if first {
                self.touched.push((R::KIND, id));
            }
        }
    }

    /// Changes a row that is known in columns that only migration changes, and lists it under its new owner.
    pub(in crate::core) fn migrate<R: Kept>(&mut self, id: Id, change: impl FnOnce(&mut R)) {
        let Some(before) = R::table(&mut self.tables).get(id).map(Row::owner) else {
            return;
        };
        self.change(id, change);
        let table = R::table(&mut self.tables);
        table.set_migrated(id);
        table.relist(id, before);
    }

    /// Removes a row that is known.
    pub(in crate::core) fn remove<R: Kept>(&mut self, id: Id) -> Option<R> {
        let (row, first) = R::table(&mut self.tables).remove(id)?;
        if first {
            self.touched.push((R::KIND, id));
        }
        Some(row)
    }
}
