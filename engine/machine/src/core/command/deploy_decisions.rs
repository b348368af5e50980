//! The decisions of a deployment.

use std::sync::Arc;

use crate::command::Deploy;
use crate::core::halt::{Halt, Run};
use crate::core::work::Work;
use crate::decision::{self, DecisionFile};
use crate::delta::Change;
use crate::error::Problem;
use crate::row::{DecisionRow, Deployment, RequirementsRow};
use crate::view::{DecisionQuery, Tenant};

/// A parsed file and its name.
pub(super) struct ParsedFile {
    resource: String,
    file: Arc<DecisionFile>,
}

/// A refusal as Camunda words it, with the place and the reason that it leaves to its log.
fn refused(resource: &str, problem: &Problem) -> Halt {
    let Problem {
        message, line, column, ..
    } = problem;
    Halt::execution(format!(
        "ENGINE-22004 Unable to transform DMN resource '{resource}'. {message} | line {line} | column {column}"
    ))
}

impl Work<'_> {
    pub(super) fn parse_decisions(
        &mut self,
        deploy: &Deploy,
        resources: &[(&String, &Vec<u8>)],
        warnings: &mut Vec<(String, Problem)>,
    ) -> Run<Vec<ParsedFile>> {
        let mut files: Vec<ParsedFile> = Vec::new();
        for (name, bytes) in resources {
            if !decision::is_file_of_decisions(name) {
                continue;
            }
            let parsed = decision::parse(bytes).map_err(|problem| refused(name, &problem))?;
            if let Some(problem) = parsed.warnings.first().filter(|_| deploy.strict) {
                return Err(refused(name, problem));
            }
            if let Some(problem) = self.unlimited_decision(&parsed.file) {
                return Err(refused(name, &problem));
            }
            for decision in &parsed.file.decisions {
                if files.iter().any(|other| other.file.find(&decision.key).is_some()) {
                    return Err(Halt::execution(format!(
                        "The deployment contains definitions with the same key '{}' (id attribute), this is not allowed",
                        decision.key
                    )));
                }
            }
            warnings.extend(parsed.warnings.into_iter().map(|warning| ((*name).clone(), warning)));
            files.push(ParsedFile {
                resource: (*name).clone(),
                file: parsed.file,
            });
        }
        Ok(files)
    }

    /// A decision that does not say how long its history is kept, where there is no default for it.
    fn unlimited_decision(&self, file: &DecisionFile) -> Option<Problem> {
        if self.env.history_time_to_live.is_some() || !self.env.enforce_history_time_to_live {
            return None;
        }
        let decision = file
            .decisions
            .iter()
            .find(|decision| decision.history_time_to_live.is_none())?;
        Some(Problem {
            message: "History Time To Live (TTL) cannot be null. TTL is necessary for the History Cleanup to work. Set camunda:historyTimeToLive on the decision, for example to P180D.".to_owned(),
            line: decision.line,
            column: decision.column,
            main_element: Some(decision.key.clone()),
            elements: vec![decision.key.clone()],
        })
    }

    pub(super) fn define_decisions(
        &mut self,
        deployment: &Deployment,
        parsed: ParsedFile,
        decisions: &mut Vec<DecisionRow>,
        requirements: &mut Vec<RequirementsRow>,
    ) -> Run<()> {
        let ParsedFile { resource, file } = parsed;
        let mut named = None;
        if file.decisions.len() > 1 {
            let previous = self.view.latest_requirements(&file.key, deployment.tenant.as_deref())?;
            let row = RequirementsRow {
                id: self.id()?,
                key: file.key.clone(),
                version: previous.map_or(1, |previous| previous.version + 1),
                name: file.name.clone(),
                category: file.category.clone(),
                deployment: deployment.id,
                resource: resource.clone(),
                tenant: deployment.tenant.clone(),
            };
            named = Some((row.id, row.key.clone()));
            self.others.push(Change::InsertRequirements(row.clone()));
            requirements.push(row);
        }
        for decision in &file.decisions {
            let query = DecisionQuery::Latest {
                key: decision.key.clone(),
                tenant: deployment.tenant.clone().map_or(Tenant::None, Tenant::Is),
            };
            let previous = self.view.decision(&query)?;
            let row = DecisionRow {
                id: self.id()?,
                key: decision.key.clone(),
                version: previous.map_or(1, |previous| previous.row.version + 1),
                name: Some(decision.name.clone()),
                category: file.category.clone(),
                deployment: deployment.id,
                resource: resource.clone(),
                tenant: deployment.tenant.clone(),
                version_tag: decision.version_tag.clone(),
                history_time_to_live: decision.history_time_to_live.or(self.env.history_time_to_live),
                requirements: named.as_ref().map(|(id, _)| *id),
                requirements_key: named.as_ref().map(|(_, key)| key.clone()),
            };
            self.others.push(Change::InsertDecision(row.clone()));
            decisions.push(row);
        }
        Ok(())
    }
}
