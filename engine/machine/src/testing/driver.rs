//! Runs commands one by one, as an engine would: ids and time are given, requests answered, deltas applied. Each
//! command is decided twice, and must be decided alike.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

use super::memory::Memory;
use crate::command::{
    Command, Correlate, Deploy, ExternalTaskAction, Once, Reply, Start, StartTarget, Started, VariableInput,
    VariablesCall,
};
use crate::delta::Notice;
use crate::env::Env;
use crate::error::MachineError;
use crate::id::{Id, Millis, Node};
use crate::request::{Answer, Request};
use crate::row::{ExternalTask, Job, UserTask};
use crate::value::Value;
use crate::view::Tenant;
use crate::{Question, Step, Told, ask, step};

/// Answers requests.
pub type Responder = Box<dyn FnMut(&Request) -> Answer>;

/// An engine around the machine.
pub struct Driver {
    /// All rows.
    pub memory: Memory,
    /// The time.
    pub now: Millis,
    /// What was noticed.
    pub notices: Vec<Notice>,
    /// Who sends the commands.
    pub user: Option<String>,
    /// Who answers requests.
    pub responder: Responder,
    next: i64,
}

impl Default for Driver {
    fn default() -> Self {
        Self::new()
    }
}

/// The most elements that one command enters here.
const STEPS_MAX: u32 = 10_000;

impl Driver {
    /// An empty engine, in which nobody answers requests.
    #[must_use]
    pub fn new() -> Self {
        Self {
            memory: Memory::default(),
            now: 1_700_000_000_000,
            notices: Vec::new(),
            user: None,
            responder: Box::new(|request| panic!("nobody answers {request:?}")),
            next: 1,
        }
    }

    /// The node of all ids.
    #[must_use]
    pub fn node() -> Node {
        Node::new(7)
    }

    /// Asks something of the rows.
    ///
    /// # Errors
    /// It cannot be evaluated.
    pub fn ask(&self, question: &Question) -> Result<Told, MachineError> {
        ask(&self.memory, question, &self.env(Id(0), 1))
    }

    fn env(&self, invocation: Id, attempt: u32) -> Env {
        Env {
            now: self.now,
            first_id: Id(self.next),
            node: Self::node(),
            invocation,
            attempt,
            default_job_retries: 3,
            history_time_to_live: None,
            enforce_history_time_to_live: true,
            removal_time_at_start: false,
            user: self.user.clone(),
            steps_max: STEPS_MAX,
        }
    }

    /// Runs a command.
    ///
    /// # Errors
    /// It is refused; nothing has changed.
    ///
    /// # Panics
    /// It is decided differently the second time.
    pub fn run(&mut self, command: &Command) -> Result<Reply, MachineError> {
        let job = match command {
            Command::ExecuteJob(id) => self.memory.jobs.get(id),
            _ => None,
        };
        let env = self.env(
            job.map_or(Id(self.next), |job| job.id),
            job.map_or(1, |job| job.failures + 1),
        );
        let mut answers = Vec::new();
        loop {
            match step(&self.memory, command, &env, &answers)? {
                Step::Need(request) => {
                    assert_eq!(request.ordinal as usize, answers.len(), "requests come in order");
                    answers.push((self.responder)(&request));
                }
                Step::Done(delta) => {
                    match step(&self.memory, command, &env, &answers) {
                        Ok(Step::Done(again)) => assert_eq!(delta.changes, again.changes, "decided alike"),
                        other => panic!("decided differently: {other:?}"),
                    }
                    self.next += i64::from(delta.ids) + 1;
                    self.memory.apply(&delta.changes);
                    self.memory.check();
                    self.notices.extend(delta.notices);
                    return Ok(delta.reply);
                }
            }
        }
    }

    /// Deploys one file.
    ///
    /// # Errors
    /// It is refused.
    pub fn try_deploy(&mut self, xml: &str) -> Result<Reply, MachineError> {
        self.run(&Command::Deploy(Deploy {
            name: None,
            source: None,
            tenant: None,
            duplicate_filtering: false,
            changed_only: false,
            strict: false,
            resources: vec![("test.bpmn".to_owned(), xml.as_bytes().to_vec())],
        }))
    }

    /// Deploys one process: what is inside of `<process id="p">`.
    pub fn deploy(&mut self, process: &str) {
        self.try_deploy(&Self::xml(process))
            .expect("a model that can be deployed");
    }

    /// A file with one process `p` and the definitions (messages and so on) that are written before `---`.
    #[must_use]
    pub fn xml(process: &str) -> String {
        let (definitions, process) = process.split_once("---").unwrap_or(("", process));
        format!(
            r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="t">
            {definitions}<process id="p" isExecutable="true" camunda:historyTimeToLive="P1D">{process}</process></definitions>"#
        )
    }

    /// Starts process `p`.
    ///
    /// # Errors
    /// It is refused.
    pub fn try_start(
        &mut self,
        business_key: Option<&str>,
        variables: &[(&str, Value)],
    ) -> Result<Started, MachineError> {
        let reply = self.run(&Command::Start(Start {
            target: StartTarget::Key {
                key: "p".to_owned(),
                tenant: Tenant::None,
            },
            business_key: business_key.map(str::to_owned),
            variables: inputs(variables),
            once: Once::default(),
            with_variables: true,
            at: Vec::new(),
            skip_custom_listeners: false,
            skip_io_mappings: false,
        }))?;
        match reply {
            Reply::Started(started) => Ok(*started),
            other => panic!("{other:?}"),
        }
    }

    /// Starts process `p`.
    pub fn start(&mut self, variables: &[(&str, Value)]) -> Started {
        self.try_start(Some("key"), variables).expect("a start")
    }

    /// The command that makes a variable of a scope true.
    #[must_use]
    pub fn set_true(scope: Id, name: &str) -> Command {
        Command::SetVariables {
            scope,
            local: false,
            variables: vec![VariableInput {
                name: name.to_owned(),
                value: Value::Boolean(true),
                transient: false,
            }],
            deletions: Vec::new(),
            call: VariablesCall::Modify,
        }
    }

    /// A correlation by name alone.
    #[must_use]
    pub fn message(name: &str) -> Correlate {
        Correlate {
            name: name.to_owned(),
            business_key: None,
            instance: None,
            tenant: Tenant::Any,
            correlation_keys: Vec::new(),
            local_correlation_keys: Vec::new(),
            variables: Vec::new(),
            local_variables: Vec::new(),
            triggered_scope_variables: Vec::new(),
            all: false,
            start_only: false,
            once: Once::default(),
            with_variables: true,
        }
    }

    /// Correlates a message.
    ///
    /// # Errors
    /// It is refused.
    pub fn correlate(&mut self, correlate: Correlate) -> Result<Vec<crate::command::Correlated>, MachineError> {
        match self.run(&Command::Correlate(Box::new(correlate)))? {
            Reply::Correlated(results) => Ok(results),
            other => panic!("{other:?}"),
        }
    }

    /// The only external task at an activity.
    #[must_use]
    pub fn external_task(&self, activity: &str) -> ExternalTask {
        let mut tasks = self
            .memory
            .external_tasks
            .values()
            .filter(|task| task.activity == activity);
        let task = tasks
            .next()
            .unwrap_or_else(|| panic!("no external task at '{activity}'"))
            .clone();
        assert!(tasks.next().is_none(), "several external tasks at '{activity}'");
        task
    }

    /// Locks and acts on an external task as worker `w`.
    ///
    /// # Errors
    /// It is refused.
    pub fn act(&mut self, id: Id, action: ExternalTaskAction) -> Result<(), MachineError> {
        self.run(&Command::ExternalTask { id, action }).map(drop)
    }

    /// Locks a task for worker `w` for a minute.
    pub fn lock(&mut self, id: Id) {
        self.act(
            id,
            ExternalTaskAction::Lock {
                worker: "w".to_owned(),
                duration: 60_000,
            },
        )
        .expect("a lock");
    }

    /// Completes the only external task at an activity.
    ///
    /// # Errors
    /// It is refused.
    pub fn try_complete(&mut self, activity: &str, variables: &[(&str, Value)]) -> Result<(), MachineError> {
        let id = self.external_task(activity).id;
        self.lock(id);
        let action = ExternalTaskAction::Complete {
            worker: "w".to_owned(),
            variables: inputs(variables),
            local_variables: Vec::new(),
        };
        self.act(id, action)
    }

    /// Completes the only external task at an activity.
    pub fn complete(&mut self, activity: &str, variables: &[(&str, Value)]) {
        self.try_complete(activity, variables).expect("a completion");
    }

    /// Ends the only external task at an activity by a BPMN error.
    pub fn bpmn_error(&mut self, activity: &str, code: &str) {
        let id = self.external_task(activity).id;
        self.lock(id);
        let action = ExternalTaskAction::BpmnError {
            worker: "w".to_owned(),
            code: code.to_owned(),
            message: Some("why".to_owned()),
            variables: Vec::new(),
        };
        self.act(id, action).expect("an error");
    }

    /// The only user task at an activity.
    #[must_use]
    pub fn user_task(&self, activity: &str) -> UserTask {
        let mut tasks = self
            .memory
            .tasks
            .values()
            .filter(|task| task.activity() == Some(activity));
        let task = tasks
            .next()
            .unwrap_or_else(|| panic!("no user task at '{activity}'"))
            .clone();
        assert!(tasks.next().is_none(), "several user tasks at '{activity}'");
        task
    }

    /// Completes the only user task at an activity.
    pub fn complete_user_task(&mut self, activity: &str) {
        let id = self.user_task(activity).id;
        self.run(&Command::CompleteTask {
            id,
            variables: Vec::new(),
            with_variables: false,
        })
        .expect("a completion");
    }

    /// The only job of an activity.
    #[must_use]
    pub fn job(&self, activity: &str) -> Job {
        let mut jobs = self.memory.jobs.values().filter(|job| job.activity == activity);
        let job = jobs.next().unwrap_or_else(|| panic!("no job at '{activity}'")).clone();
        assert!(jobs.next().is_none(), "several jobs at '{activity}'");
        job
    }

    /// Runs the only job of an activity; its due date comes first where it has one.
    ///
    /// # Errors
    /// It failed, and that is noted.
    pub fn execute_job(&mut self, activity: &str) -> Result<(), MachineError> {
        let job = self.job(activity);
        self.now = self.now.max(job.due.unwrap_or_default());
        let Err(error) = self.run(&Command::ExecuteJob(job.id)) else {
            return Ok(());
        };
        self.run(&Command::FailJob {
            id: job.id,
            message: error.to_string(),
            stacktrace: String::new(),
            activity: None,
        })
        .expect("the failure is noted");
        Err(error)
    }

    /// What waits, in words: the activities of all executions that have no others inside.
    #[must_use]
    pub fn open(&self) -> Vec<String> {
        let executions = &self.memory.executions;
        let mut open: Vec<String> = executions
            .values()
            .filter(|row| !executions.values().any(|other| other.parent == row.id))
            .map(|row| row.activity.clone())
            .collect();
        open.sort();
        open
    }

    /// The history of activities as `id type`, with `!` where canceled and `…` where open, in order of their start.
    #[must_use]
    pub fn path(&self) -> Vec<String> {
        let rows = self.memory.historic_activities.values();
        rows.map(|row| {
            let end = match (row.end_time, row.canceled) {
                (None, _) => "…",
                (Some(_), true) => "!",
                _ => "",
            };
            format!("{} {}{end}", row.activity, row.activity_type)
        })
        .collect()
    }

    /// A variable of the only or last instance, running or ended.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<Value> {
        self.memory
            .historic_variables
            .values()
            .rev()
            .find(|row| row.name == name)
            .map(|row| row.value.clone())
    }

    /// Whether nothing runs and nothing is left of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let memory = &self.memory;
        memory.instances.is_empty()
            && memory.executions.is_empty()
            && memory.variables.is_empty()
            && memory.external_tasks.is_empty()
            && memory.tasks.is_empty()
            && memory.incidents.is_empty()
            && memory.jobs.values().all(|job| job.instance.is_none())
            && memory.subscriptions.values().all(|row| row.instance.is_none())
    }
}

fn inputs(variables: &[(&str, Value)]) -> Vec<VariableInput> {
    let input = |(name, value): &(&str, Value)| VariableInput {
        name: (*name).to_owned(),
        value: value.clone(),
        transient: false,
    };
    variables.iter().map(input).collect()
}
