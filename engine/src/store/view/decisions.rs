//! Decision definitions, however they are named.

use std::sync::Arc;

use handoff_machine::row::DecisionRow;
use handoff_machine::view::{DecisionDefinition, DecisionQuery, Seen, Tenant};
use rusqlite::params;

use super::{StoreView, failed, select, tenant_column};

impl StoreView<'_> {
    pub(super) fn find_decision(&self, query: &DecisionQuery) -> Seen<Option<Arc<DecisionDefinition>>> {
        let Some(row) = self.decision_row(query)? else {
            return Ok(None);
        };
        let committed = !self.uncommitted.contains(row.id);
        let definition = self.models.decision(self.connection, row, committed).map_err(failed)?;
        Ok(Some(Arc::new(definition)))
    }

    fn decision_row(&self, query: &DecisionQuery) -> Seen<Option<DecisionRow>> {
        match query {
            DecisionQuery::Id(id) => self.optional(select!(DecisionRow, "decision WHERE id = ?1"), params![id.0]),
            DecisionQuery::Latest { key, tenant } => self.optional(
                select!(
                    DecisionRow,
                    "decision WHERE key = ?1 AND (?3 OR tenant IS ?2) ORDER BY version DESC LIMIT 1"
                ),
                params![key, tenant_column(tenant), *tenant == Tenant::Any],
            ),
            DecisionQuery::Version { key, version, tenant } => self.optional(
                select!(
                    DecisionRow,
                    "decision WHERE key = ?1 AND version = ?4 AND (?3 OR tenant IS ?2) LIMIT 1"
                ),
                params![key, tenant_column(tenant), *tenant == Tenant::Any, version],
            ),
            DecisionQuery::VersionTag { key, tag, tenant } => self.optional(
                select!(
                    DecisionRow,
                    "decision WHERE key = ?1 AND version_tag = ?4 AND (?3 OR tenant IS ?2) ORDER BY version DESC LIMIT 1"
                ),
                params![key, tenant_column(tenant), *tenant == Tenant::Any, tag],
            ),
            DecisionQuery::Deployment { key, deployment } => self.optional(
                select!(DecisionRow, "decision WHERE deployment = ?1 AND key = ?2 LIMIT 1"),
                params![deployment.0, key],
            ),
        }
    }
}
