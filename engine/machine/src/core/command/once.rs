//! Starting once (F2): by a key that is kept past the instance's end, and by what runs under a business key.

use crate::command::{IfRunning, Once, StartStatus, Started};
use crate::core::halt::Run;
use crate::core::work::Work;
use crate::error::MachineError;
use crate::id::Id;
use crate::row::{DedupeKey, Instance};
use crate::view::{Definition, Tenant};

/// Running instances of one business key that are looked at.
const RUNNING_MAX: usize = 1000;

impl Work<'_> {
    /// The instance that makes a start unnecessary.
    pub(super) fn started_before(
        &mut self,
        once: &Once,
        definition: &Definition,
        business_key: Option<&str>,
    ) -> Run<Option<Started>> {
        let tenant = definition.row.tenant.as_deref();
        if let Some(key) = &once.dedupe_key
            && let Some(row) = self.view.dedupe_key(tenant, key)?
        {
            return self.deduped(row).map(Some);
        }
        let (IfRunning::Join | IfRunning::Reject, Some(business_key)) = (once.if_running, business_key) else {
            return Ok(None);
        };
        let tenant = tenant.map_or(Tenant::None, |tenant| Tenant::Is(tenant.to_owned()));
        for instance in self
            .view
            .instances_by_business_key(business_key, &tenant, RUNNING_MAX)?
        {
            let found = self.known_definition(instance.definition)?;
            if found.row.key != definition.row.key {
                continue;
            }
            if once.if_running == IfRunning::Reject {
                return Err(MachineError::AlreadyRunning(format!(
                    "an instance of process definition '{}' already runs with business key '{business_key}': '{}'",
                    definition.row.key,
                    self.text(instance.id)
                ))
                .into());
            }
            return Ok(Some(Started {
                instance,
                definition: found.row.clone(),
                ended: false,
                status: StartStatus::AlreadyRunning,
                variables: Vec::new(),
            }));
        }
        Ok(None)
    }

    fn deduped(&mut self, row: DedupeKey) -> Run<Started> {
        let running = self.instance(row.instance)?.cloned();
        let definition = self.known_definition(row.definition)?.row.clone();
        let ended = running.is_none();
        let instance = running.unwrap_or(Instance {
            id: row.instance,
            definition: row.definition,
            business_key: row.business_key,
            tenant: row.tenant,
            root: row.instance,
            super_instance: None,
            super_execution: None,
            start_time: row.created,
            suspended: false,
        });
        let status = if ended {
            StartStatus::AlreadyEnded
        } else {
            StartStatus::AlreadyRunning
        };
        Ok(Started {
            instance,
            definition,
            ended,
            status,
            variables: Vec::new(),
        })
    }

    /// Keeps the key with the instance.
    pub(super) fn keep_dedupe_key(
        &mut self,
        once: &Once,
        definition: &Definition,
        instance: Id,
        business_key: Option<&str>,
    ) {
        if let Some(key) = &once.dedupe_key {
            self.insert_dedupe_key(DedupeKey {
                tenant: definition.row.tenant.clone(),
                key: key.clone(),
                instance,
                definition: definition.row.id,
                business_key: business_key.map(str::to_owned),
                created: self.now(),
            });
        }
    }
}
