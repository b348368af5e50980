//! Deployments: parsing, versions, duplicate filtering, and who owns the start events.

use std::sync::Arc;

use crate::command::{Deploy, Reply};
use crate::core::halt::{Halt, Run};
use crate::core::work::Work;
use crate::delta::Change;
use crate::error::{MachineError, ParseProblems, Problem};
use crate::id::Id;
use crate::model::{self, ParseError, ProcessModel, Trigger};
use crate::row::{DefinitionRow, Deployment, EventKind, EventSubscription, JobDefinition, Resource};
use crate::view::{Definition, Tenant};

/// A file whose name ends so is a model; every other is only kept.
const MODEL_SUFFIXES: [&str; 2] = [".bpmn20.xml", ".bpmn"];

/// A parsed process and the resource it comes from.
struct Parsed {
    resource: String,
    model: Arc<ProcessModel>,
}

impl Work<'_> {
    pub(super) fn deploy(&mut self, deploy: &Deploy) -> Run<Reply> {
        let resources = self.resources_to_deploy(deploy)?;
        if resources.is_empty()
            && !deploy.resources.is_empty()
            && let Some(deployment) = self
                .view
                .latest_deployment(deploy.name.as_deref(), deploy.tenant.as_deref())?
        {
            return Ok(Reply::Deployed {
                deployment,
                definitions: Vec::new(),
                decisions: Vec::new(),
                requirements: Vec::new(),
                warnings: Vec::new(),
            });
        }
        let (parsed, mut warnings) = self.parse_all(deploy, &resources)?;
        let files = self.parse_decisions(deploy, &resources, &mut warnings)?;
        let id = self.id()?;
        let deployment = Deployment {
            id,
            name: deploy.name.clone(),
            source: deploy.source.clone(),
            tenant: deploy.tenant.clone(),
            time: self.now(),
        };
        self.others.push(Change::InsertDeployment(deployment.clone()));
        self.log_deployed(&deployment, deploy)?;
        for (name, bytes) in &resources {
            let row = Resource {
                id: self.id()?,
                deployment: id,
                name: (*name).clone(),
                bytes: (*bytes).clone(),
            };
            self.others.push(Change::InsertResource(row));
        }
        let mut definitions = Vec::new();
        let mut starts = Vec::new();
        for parsed in parsed {
            let definition = self.define(&deployment, parsed, &mut starts)?;
            definitions.push(definition.row.clone());
        }
        let (mut decisions, mut requirements) = (Vec::new(), Vec::new());
        for file in files {
            self.define_decisions(&deployment, file, &mut decisions, &mut requirements)?;
        }
        Ok(Reply::Deployed {
            deployment,
            definitions,
            decisions,
            requirements,
            warnings,
        })
    }

    /// All resources, or, with duplicate filtering, what differs from the last deployment of the name.
    fn resources_to_deploy<'d>(&mut self, deploy: &'d Deploy) -> Run<Vec<(&'d String, &'d Vec<u8>)>> {
        let all: Vec<_> = deploy.resources.iter().map(|(name, bytes)| (name, bytes)).collect();
        if !deploy.duplicate_filtering {
            return Ok(all);
        }
        let mut changed = Vec::new();
        for (name, bytes) in &all {
            let before = self
                .view
                .latest_resource(deploy.name.as_deref(), deploy.tenant.as_deref(), name)?;
            if before.is_none_or(|before| before.bytes != **bytes) {
                changed.push((*name, *bytes));
            }
        }
        // Camunda deploys all again where anything has changed.
        Ok(if changed.is_empty() || deploy.changed_only {
            changed
        } else {
            all
        })
    }

    #[allow(clippy::type_complexity, reason = "processes and warnings, each with its resource")]
    fn parse_all(
        &mut self,
        deploy: &Deploy,
        resources: &[(&String, &Vec<u8>)],
    ) -> Run<(Vec<Parsed>, Vec<(String, Problem)>)> {
        let mut parsed: Vec<Parsed> = Vec::new();
        let mut warnings = Vec::new();
        let mut refused = Vec::new();
        for (name, bytes) in resources {
            if !MODEL_SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
                continue;
            }
            let file = match model::parse(name, bytes) {
                Ok(file) => file,
                Err(ParseError::Malformed(message)) => return Err(MachineError::Execution(message).into()),
                Err(ParseError::Refused(errors, warnings)) => {
                    refused.push(((*name).clone(), errors, warnings));
                    continue;
                }
            };
            let mut errors = self.unlimited_histories(&file.processes);
            if deploy.strict {
                errors.extend(file.warnings.iter().cloned());
            }
            if !errors.is_empty() {
                refused.push(((*name).clone(), errors, file.warnings));
                continue;
            }
            warnings.extend(file.warnings.into_iter().map(|warning| ((*name).clone(), warning)));
            let harm = file.processes.iter().flat_map(|model| model::lint(model, None));
            warnings.extend(harm.map(|warning| ((*name).clone(), warning)));
            for model in file.processes {
                if parsed.iter().any(|other| other.model.key == model.key) {
                    return Err(Halt::execution(format!(
                        "The deployment contains definitions with the same key '{}' (id attribute), this is not allowed",
                        model.key
                    )));
                }
                parsed.push(Parsed {
                    resource: (*name).clone(),
                    model,
                });
            }
        }
        if refused.is_empty() {
            Ok((parsed, warnings))
        } else {
            Err(MachineError::Parse(Box::new(summary(refused))).into())
        }
    }

    /// Definitions that do not say how long their history is kept, where there is no default for it.
    fn unlimited_histories(&self, processes: &[Arc<ProcessModel>]) -> Vec<Problem> {
        if self.env.history_time_to_live.is_some() || !self.env.enforce_history_time_to_live {
            return Vec::new();
        }
        let unlimited = processes.iter().filter(|model| model.history_time_to_live.is_none());
        unlimited
            .map(|model| {
                model.problem(
                    &model.key,
                    "ENGINE-12018 History Time To Live (TTL) cannot be null. TTL is necessary for the History Cleanup to work. Set camunda:historyTimeToLive on the process, for example to P180D.".to_owned(),
                )
            })
            .collect()
    }

    fn define(&mut self, deployment: &Deployment, parsed: Parsed, starts: &mut Vec<String>) -> Run<Arc<Definition>> {
        let model = parsed.model;
        let tenant = deployment.tenant.clone().map_or(Tenant::None, Tenant::Is);
        let previous = self.view.latest_definitions(&model.key, &tenant)?.into_iter().next();
        let row = DefinitionRow {
            id: self.id()?,
            key: model.key.clone(),
            version: previous.as_ref().map_or(1, |previous| previous.row.version + 1),
            name: model.name.clone(),
            category: model.category.clone(),
            description: model.description.clone(),
            deployment: deployment.id,
            resource: parsed.resource,
            tenant: deployment.tenant.clone(),
            version_tag: model.version_tag.clone(),
            history_time_to_live: model.history_time_to_live.or(self.env.history_time_to_live),
            suspended: false,
            startable_in_tasklist: model.startable_in_tasklist,
        };
        self.others.push(Change::InsertDefinition(row.clone()));
        let jobs = self.define_jobs(&row, &model)?;
        let definition = Arc::new(Definition { row, model, jobs });
        self.put_definition(Arc::clone(&definition));
        self.check_message_names(&definition, previous.as_deref().map(|previous| previous.row.id), starts)?;
        if let Some(previous) = &previous {
            self.put_definition(Arc::clone(previous));
            self.drop_starts(previous)?;
        }
        self.create_starts(&definition)?;
        Ok(definition)
    }

    /// The job definitions of a new definition.
    fn define_jobs(&mut self, row: &DefinitionRow, model: &ProcessModel) -> Run<Vec<JobDefinition>> {
        let mut jobs = Vec::new();
        for declaration in model.jobs() {
            let job = JobDefinition {
                id: self.id()?,
                definition: Some(row.id),
                definition_key: Some(row.key.clone()),
                deployment: Some(row.deployment),
                activity: Some(declaration.activity),
                job_type: declaration.job_type.to_owned(),
                configuration: Some(declaration.configuration),
                suspended: false,
                priority: None,
                tenant: row.tenant.clone(),
            };
            self.others.push(Change::InsertJobDefinition(job.clone()));
            jobs.push(job);
        }
        Ok(jobs)
    }

    /// A message starts one definition only.
    fn check_message_names(
        &mut self,
        definition: &Definition,
        previous: Option<Id>,
        deployed: &mut Vec<String>,
    ) -> Run<()> {
        let tenant = definition.row.tenant.clone().map_or(Tenant::None, Tenant::Is);
        for (_, _, start) in definition.model.start_events() {
            let Trigger::Message(name) = &start.trigger else {
                continue;
            };
            let name = name.0.source();
            let others = self.view.start_subscriptions(EventKind::Message, name, &tenant)?;
            let taken = others.iter().any(|other| Some(other.definition) != previous);
            if taken || deployed.iter().any(|other| other == name) {
                return Err(Halt::execution(format!(
                    "Cannot deploy process definition '{}': there already is a message event subscription for the message with name '{name}'.",
                    definition.row.resource
                )));
            }
            deployed.push(name.to_owned());
        }
        Ok(())
    }

    /// Makes what starts instances of a definition by themselves: subscriptions and timers.
    pub(super) fn create_starts(&mut self, definition: &Arc<Definition>) -> Run<()> {
        for (_, element, start) in definition.model.start_events() {
            if let Trigger::Timer(timer) = &start.trigger {
                self.create_start_job(definition, element, timer)?;
            }
            let Some((kind, name)) = start.trigger.subscription() else {
                continue;
            };
            let id = self.id()?;
            let created = self.now();
            self.insert(EventSubscription {
                id,
                kind,
                name: name.map(|name| name.0.source().to_owned()).unwrap_or_default(),
                instance: None,
                execution: None,
                definition: definition.row.id,
                activity: element.id.clone(),
                created,
                tenant: definition.row.tenant.clone(),
                business_key: None,
                configuration: None,
            });
        }
        Ok(())
    }
}

/// The refusal as Camunda words it: one line for each error.
fn summary(resources: Vec<(String, Vec<Problem>, Vec<Problem>)>) -> ParseProblems {
    let mut message = "ENGINE-09005 Could not parse BPMN process. Errors: ".to_owned();
    for (name, errors, _) in &resources {
        for error in errors {
            message.push_str(&format!(
                "\n* {} | resource {name} | line {} | column {}",
                error.message, error.line, error.column
            ));
        }
    }
    ParseProblems { message, resources }
}
