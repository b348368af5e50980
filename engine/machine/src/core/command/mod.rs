//! The commands, each finding the place where something happens. What happens there is the behaviours' affair.

mod attachment;
mod batch;
mod correlate;
mod decision;
mod delete_deployment;
mod deploy;
mod deploy_decisions;
mod execution;
mod external_task;
mod incident;
mod instance;
mod modify;
mod once;
mod operate;
mod restart;
mod signal;
mod start;
mod user_task;

use super::halt::Run;
use super::work::Work;
use crate::command::{Command, Reply};
use crate::delta::Change;
use crate::row::LogState;

pub(super) fn decide(work: &mut Work<'_>, command: &Command) -> Run<Reply> {
    work.log_command(command)?;
    let reply = carry_out(work, command)?;
    work.log_reply(command, &reply)?;
    Ok(reply)
}

fn carry_out(work: &mut Work<'_>, command: &Command) -> Run<Reply> {
    match command {
        Command::Deploy(deploy) => return work.deploy(deploy),
        Command::DeleteDefinition {
            id,
            cascade,
            skip_custom_listeners,
            skip_io_mappings,
        } => {
            work.skip_listeners = *skip_custom_listeners;
            work.skip_io_mappings = *skip_io_mappings;
            work.delete_definition(*id, *cascade)?;
        }
        Command::SignalExecution { id, variables } => work.signal_execution(*id, variables)?,
        Command::TriggerMessage {
            execution,
            name,
            variables,
        } => work.trigger_message(*execution, name, variables)?,
        Command::Start(start) => return work.start(start, false),
        Command::SubmitStartForm(start) => return work.start(start, true),
        Command::Correlate(correlate) => return work.correlate(correlate),
        Command::Signal(signal) => return work.receive_signal(signal),
        Command::Evaluate(evaluate) => return work.evaluate_starts(evaluate),
        Command::DeleteDeployment {
            id,
            cascade,
            skip_custom_listeners,
            skip_io_mappings,
        } => {
            work.skip_listeners = *skip_custom_listeners;
            work.skip_io_mappings = *skip_io_mappings;
            work.delete_deployment(*id, *cascade)?;
        }
        Command::DeleteInstance {
            id,
            reason,
            skip_custom_listeners,
            skip_io_mappings,
        } => {
            work.delete_instance(*id, reason.as_deref(), *skip_custom_listeners, *skip_io_mappings)?;
        }
        Command::SetVariables {
            scope,
            local,
            variables,
            deletions,
            ..
        } => {
            work.modify_variables(*scope, *local, variables, deletions)?;
        }
        Command::SuspendInstance { id, suspended } => work.suspend_instance(*id, *suspended)?,
        Command::StartBatch(new) => return Ok(Reply::Batch(Box::new(work.start_batch(new)?))),
        Command::DoAtOnce(new) => {
            for item in &new.items {
                work.do_batch_work(&new.work, *item)?;
            }
        }
        Command::ModifyInstance { id, modification } => work.modify_instance(*id, modification)?,
        Command::MigrateInstances { migration, instances } => {
            for instance in instances {
                work.migrate_instance(migration, *instance)?;
            }
        }
        Command::RestartInstances { restart, instances } => {
            for instance in instances {
                work.restart_instance(restart, *instance)?;
            }
        }
        Command::SuspendBatch { id, suspended } => work.suspend_batch(*id, *suspended)?,
        Command::DeleteBatch { id, cascade } => work.delete_batch(*id, *cascade)?,
        Command::SuspendDefinitions(spec) => work.suspend_definitions(spec)?,
        Command::SuspendJobDefinitions(spec) => work.suspend_job_definitions(spec)?,
        Command::Jobs { target, action } => work.act_on_jobs(target, *action)?,
        Command::SetJobDefinitionPriority {
            id,
            priority,
            include_jobs,
        } => work.set_job_definition_priority(*id, *priority, *include_jobs)?,
        Command::DeleteJob(id) => {
            work.find_job(*id)?;
            work.drop_job(*id, LogState::Deleted)?;
        }
        Command::CreateIncident {
            execution,
            kind,
            configuration,
            message,
        } => work.create_incident(*execution, kind, configuration.as_deref(), message.as_deref())?,
        Command::ResolveIncident(id) => work.resolve_incident(*id)?,
        Command::AnnotateIncident { id, annotation } => work.annotate_incident(*id, annotation.as_deref())?,
        Command::AnnotateOperation { operation, annotation } => {
            work.annotate_operation(*operation, annotation.as_deref())?;
        }
        Command::SetHistoryTimeToLive { definition, days } => work.set_history_time_to_live(*definition, *days)?,
        Command::EvaluateDecision { decision, variables } => return work.evaluate_decision(*decision, variables),
        Command::SetDecisionTimeToLive { decision, days } => work.set_decision_time_to_live(*decision, *days)?,
        Command::DeleteHistoricBatch(id) => work.last.push(Change::HistoryBatchDelete(*id)),
        Command::DeleteHistory(id) => work.delete_history(*id, true)?,
        Command::ExternalTask { id, action } => work.act_on_external_task(*id, action)?,
        Command::ExecuteJob(id) => work.execute_job(*id)?,
        Command::FailJob {
            id,
            message,
            stacktrace,
            activity,
        } => {
            work.fail_job(*id, message, stacktrace, activity.as_deref())?;
        }
        Command::SetJobRetries { id, retries } => work.set_job_retries(*id, *retries)?,
        Command::SetJobDue { id, due } => work.set_job_due(*id, *due)?,
        Command::CompleteTask {
            id,
            variables,
            with_variables,
        } => return work.complete_task(*id, variables, *with_variables, false),
        Command::SubmitTaskForm {
            id,
            variables,
            with_variables,
        } => return work.submit_task_form(*id, variables, *with_variables),
        Command::CreateTask(fields) => work.create_task(fields)?,
        Command::Task { id, action } => work.act_on_task(*id, action)?,
        Command::DeleteTask(id) => work.delete_task(*id)?,
        Command::AddComment {
            task,
            instance,
            user,
            message,
        } => return work.add_comment(*task, *instance, user.clone(), message),
        Command::AddAttachment(new) => return work.add_attachment(new),
        Command::DeleteAttachment(id) => work.delete_attachment(*id)?,
        Command::EditComment { id, message } => work.others.push(Change::UpdateComment {
            id: *id,
            message: message.clone(),
        }),
        Command::DeleteComment(id) => work.others.push(Change::DeleteComment(*id)),
        Command::DeleteComments { task, instance } => work.others.push(Change::DeleteComments {
            task: *task,
            instance: *instance,
        }),
    }
    Ok(Reply::Done)
}
