//! Workers as the dispatcher sees them: something that handles tasks and calls, of which a component is one kind.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use handoff_runtime::{
    CallContext, CallError, Catalog, TopicSubscription, WorkerVersion,
    wit::{
        delegate::{DelegateError, Delegation, Execution},
        types::{Outcome, Task},
    },
};

/// What the dispatcher has to know of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerProfile {
    /// The worker's name.
    pub name: String,
    /// The version's digest.
    pub version: String,
    /// The most tasks of it at once.
    pub concurrency: u32,
    /// What a task's retries become at its first failure.
    pub retries: u32,
    /// The wait before the first retry.
    pub retry_after: Duration,
    /// The longest that a call may take.
    pub time_limit: Duration,
}

/// One version of a worker.
#[async_trait]
pub trait Worker: Send + Sync + 'static {
    /// What the dispatcher has to know of it.
    fn profile(&self) -> &WorkerProfile;

    /// Handles one task.
    async fn handle(&self, task: Task, context: CallContext) -> Result<Outcome, CallError>;

    /// Serves an engine's call. The outer error is the call's, the inner one the worker's own answer.
    async fn execute(
        &self,
        execution: Execution,
        context: CallContext,
    ) -> Result<Result<Delegation, DelegateError>, CallError>;
}

/// Everything that workers subscribe to, at one moment.
#[derive(Default, Clone)]
pub struct Workforce {
    topics: BTreeMap<String, Vec<Assignment>>,
    by_topic: HashMap<(String, String), Arc<dyn Worker>>,
    delegates: HashMap<String, Arc<dyn Worker>>,
}

/// A topic with the worker that handles it.
#[derive(Clone)]
pub struct Assignment {
    /// The topic and its filters.
    pub subscription: TopicSubscription,
    /// The worker.
    pub worker: Arc<dyn Worker>,
}

impl Workforce {
    /// Assigns a topic of an engine, also if another worker had it before.
    #[must_use]
    pub fn with_topic(mut self, engine: &str, subscription: TopicSubscription, worker: Arc<dyn Worker>) -> Self {
        self.by_topic
            .insert((engine.to_owned(), subscription.name.clone()), worker.clone());
        let assignments = self.topics.entry(engine.to_owned()).or_default();
        assignments.retain(|assignment| assignment.subscription.name != subscription.name);
        assignments.push(Assignment { subscription, worker });
        self
    }

    /// Assigns a delegate.
    #[must_use]
    pub fn with_delegate(mut self, name: &str, worker: Arc<dyn Worker>) -> Self {
        self.delegates.insert(name.to_owned(), worker);
        self
    }

    /// What is to be fetched from an engine.
    pub fn assignments(&self, engine: &str) -> &[Assignment] {
        self.topics.get(engine).map(Vec::as_slice).unwrap_or_default()
    }

    /// What is to be fetched from all engines, by their names.
    pub fn all_assignments(&self) -> impl Iterator<Item = (&str, &Assignment)> {
        self.topics
            .iter()
            .flat_map(|(engine, assignments)| assignments.iter().map(move |assignment| (engine.as_str(), assignment)))
    }

    /// Who handles a topic.
    pub fn topic(&self, engine: &str, topic: &str) -> Option<&Arc<dyn Worker>> {
        self.by_topic.get(&(engine.to_owned(), topic.to_owned()))
    }

    /// Who serves a delegate.
    pub fn delegate(&self, name: &str) -> Option<&Arc<dyn Worker>> {
        self.delegates.get(name)
    }
}

/// A component as a worker.
struct ComponentWorker {
    profile: WorkerProfile,
    version: Arc<WorkerVersion>,
}

#[async_trait]
impl Worker for ComponentWorker {
    fn profile(&self) -> &WorkerProfile {
        &self.profile
    }

    async fn handle(&self, task: Task, context: CallContext) -> Result<Outcome, CallError> {
        self.version.handle(task, context).await
    }

    async fn execute(
        &self,
        execution: Execution,
        context: CallContext,
    ) -> Result<Result<Delegation, DelegateError>, CallError> {
        self.version.execute(execution, context).await
    }
}

impl From<&Catalog> for Workforce {
    fn from(catalog: &Catalog) -> Self {
        let mut workforce = Self::default();
        for version in catalog.workers().filter_map(|worker| worker.current.as_ref()) {
            let manifest = version.manifest();
            let worker: Arc<dyn Worker> = Arc::new(ComponentWorker {
                profile: WorkerProfile {
                    name: version.name().to_owned(),
                    version: version.digest().to_string(),
                    concurrency: version.limits().concurrency,
                    retries: manifest.retries(),
                    retry_after: manifest.retry_after(),
                    time_limit: version.limits().time,
                },
                version: version.clone(),
            });
            for topic in &manifest.topics {
                if let Some(engine) = manifest.engine_of(topic) {
                    workforce = workforce.with_topic(engine, topic.clone(), worker.clone());
                }
            }
            for name in &manifest.delegates {
                workforce = workforce.with_delegate(name, worker.clone());
            }
        }
        workforce
    }
}
