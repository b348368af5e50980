//! The worker matrix: what a worker can do, over each engine.

mod endings;
mod locks;
mod messages;
mod queueing;
mod variables;

use std::path::PathBuf;

use anyhow::{Context, Result};
use handoff_harness::{
    Engine, Host, HostOptions, Rest, WorkersFolder, eventually,
    proxy::{Exchange, NoFaults, Proxy},
};
use serde_json::{Value, json};

use crate::{
    limits::STATE_LIMIT,
    stage::{Kind, Stage},
};

/// One promise.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// As the table says it.
    pub(crate) promise: &'static str,
    /// What was seen, as the table says it.
    pub(crate) run: fn(&Bench) -> Result<&'static str>,
}

const fn case(name: &'static str, promise: &'static str, run: fn(&Bench) -> Result<&'static str>) -> Case {
    Case { name, promise, run }
}

/// All of them.
pub(crate) const CASES: [Case; 14] = [
    case(
        "types",
        "variables of every type come and go unchanged, files with their content",
        variables::types,
    ),
    case("local", "local variables stay in the task's scope", variables::local),
    case(
        "error",
        "a BPMN error is caught by a boundary event",
        endings::caught_error,
    ),
    case("uncaught", "a BPMN error that nothing catches", endings::uncaught_error),
    case(
        "retry",
        "a failed task comes again after its wait, with what the failure said",
        endings::retry,
    ),
    case(
        "incident",
        "a failure without retries is an incident, until somebody sets retries",
        endings::incident,
    ),
    case("panic", "a panic costs a retry each time", endings::panic),
    case("long", "a run longer than its lock keeps its task", locks::long),
    case(
        "deferred",
        "a deferred task is completed by another worker",
        locks::deferred,
    ),
    case(
        "foreign",
        "a task that a stranger holds is completed as the stranger; a free one too; a gone one is gone",
        locks::foreign,
    ),
    case("start", "a process is started by message, once", messages::start_once),
    case(
        "correlate",
        "a message reaches its receiver, all of them, or is a mismatch",
        messages::correlate,
    ),
    case("priority", "tasks come by priority", queueing::priority),
    case("swap", "a worker is swapped while its tasks run", queueing::swap),
];

pub(crate) fn promises() -> Vec<&'static str> {
    CASES.iter().map(|case| case.promise).collect()
}

/// An engine, and a host with the probes. Shared by the cases: each has process definitions of its own.
pub(crate) struct Bench {
    // Dropped in this order.
    _host: Host,
    pub(crate) proxy: Proxy,
    pub(crate) workers: WorkersFolder,
    pub(crate) rest: Rest,
    /// Where built workers are.
    pub(crate) built: PathBuf,
    _engine: Option<Engine>,
}

impl Bench {
    pub(crate) fn start(stage: &Stage, kind: Kind) -> Result<Self> {
        let places = stage.places(&format!("matrix-{}", kind.word()));
        let (engine, address, rest) = match kind {
            Kind::Ours => {
                let engine = Engine::start(places.engine("engine", None)?)?;
                let (address, rest) = (engine.address(), engine.rest().clone());
                (Some(engine), address, rest)
            }
            Kind::Camunda => {
                let camunda = stage.camunda()?;
                (None, camunda.address(), camunda.rest().clone())
            }
        };
        let proxy = Proxy::start(&address, NoFaults)?;
        let workers = WorkersFolder::create(&places.workers, &places.dir.join("workers"))?;
        workers.add("probe")?;
        let options = places.host("host", &proxy.engine_rest(), &proxy.engine_rest(), workers.path())?;
        let host = Host::start(HostOptions {
            engines: vec![("engine".to_owned(), proxy.engine_rest())],
            // Neither engine tells a waiting poll that a failed task is due again, or that its lock has run out.
            engine_settings: "long-poll-ms = 1000".to_owned(),
            configuration: "[workers.grants.probe]\nprocesses = [\"engine\"]\ntasks = [\"engine\"]\n".to_owned(),
            ..options
        })?;
        Ok(Self {
            _host: host,
            proxy,
            workers,
            rest,
            built: places.workers,
            _engine: engine,
        })
    }

    pub(crate) fn deploy(&self, id: &str, model: &str) -> Result<()> {
        self.rest.deploy(&format!("{id}.bpmn"), model).map(drop)
    }

    /// Deploys a model and starts its process.
    pub(crate) fn run(&self, id: &str, model: &str, variables: Value) -> Result<String> {
        self.deploy(id, model)?;
        self.rest.start(id, id, variables)
    }

    /// Asks until there is an answer.
    pub(crate) fn until<T>(&self, what: &str, probe: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        eventually(what, STATE_LIMIT, probe)
    }

    /// The instance's state in the history.
    pub(crate) fn history(&self, instance: &str) -> Result<Value> {
        self.rest.get(&format!("/history/process-instance/{instance}"))
    }

    /// Waits until the instance has ended by itself; its history.
    pub(crate) fn until_completed(&self, instance: &str) -> Result<Value> {
        self.until(&format!("instance {instance} to end"), || {
            let found = self.history(instance)?;
            let open = || -> Result<String> {
                let tasks = self.rest.get(&format!("/external-task?processInstanceId={instance}"))?;
                Ok(format!("it is {} with {tasks}", found["state"]))
            };
            match found["state"].as_str() {
                Some("COMPLETED") => Ok(Some(found)),
                _ => Err(anyhow::anyhow!("{}", open()?)),
            }
        })
    }

    /// The instance's only external task.
    pub(crate) fn task(&self, instance: &str) -> Result<Option<Value>> {
        let tasks = self.rest.get(&format!("/external-task?processInstanceId={instance}"))?;
        Ok(tasks.get(0).cloned())
    }

    /// The value that the history has of a variable of an instance.
    pub(crate) fn variable(&self, instance: &str, name: &str) -> Result<Value> {
        let rows = self.rest.get(&format!(
            "/history/variable-instance?processInstanceId={instance}&variableName={name}&deserializeValues=false"
        ))?;
        let row = rows
            .get(0)
            .with_context(|| format!("instance {instance} never had {name}"))?;
        Ok(row["value"].clone())
    }

    /// How often the activity ended in the instance.
    pub(crate) fn ended(&self, instance: &str, activity: &str) -> Result<u64> {
        self.rest.count(&format!(
            "/history/activity-instance/count?processInstanceId={instance}&activityId={activity}&finished=true"
        ))
    }

    /// Calls for one task, such as `/failure`.
    pub(crate) fn calls(&self, task: &str, call: &str) -> Vec<Exchange> {
        let target = format!("/external-task/{task}{call}");
        let all = self.proxy.exchanges();
        all.into_iter().filter(|one| one.target.ends_with(&target)).collect()
    }

    /// How often a task was given out.
    pub(crate) fn deliveries(&self, task: &str) -> usize {
        let given = |exchange: &Exchange| {
            let tasks = exchange.response_json();
            exchange.is_fetch() && tasks.as_array().into_iter().flatten().any(|one| one["id"] == task)
        };
        self.proxy.count(given)
    }
}

/// A text variable, as REST wants it.
pub(crate) fn text(value: &str) -> Value {
    json!({"type": "String", "value": value})
}
