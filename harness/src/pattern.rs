//! The whole set-up of the pattern: Order Management's engine, Inventory's engine, and the host beside it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, bail};

use crate::{
    Engine, EngineOptions, Host, HostOptions, WorkersFolder, eventually, free_port, history, models,
    orders::{ORDER_PROCESS, Order, Outcome},
};

/// Workers of the pattern.
pub const WORKERS: [&str; 5] = ["inventory-check", "count-stock", "tell-order", "ship", "refund"];

/// What the operator allows the workers of the pattern.
const GRANTS: &str = r#"
[workers.grants.inventory-check]
processes = ["inventory"]
tasks = ["order"]

[workers.grants.complete-in-handler]
processes = ["inventory"]

[workers.grants.tell-order]
processes = ["order"]
"#;

/// The token of the delegates' endpoint. These processes are reachable from this machine only, and live for minutes.
pub const TOKEN: &str = "a-token-of-the-test-set-up";

/// Where the executable, the workers and the set-up's own files are.
#[derive(Debug, Clone)]
pub struct Places {
    /// The `handoff` executable.
    pub program: PathBuf,
    /// Where `cargo xtask workers` has put components and manifests.
    pub workers: PathBuf,
    /// Where compiled components are kept; shared by all set-ups.
    pub cache: PathBuf,
    /// The set-up's own folder.
    pub dir: PathBuf,
}

impl Places {
    /// The file with the token that engines show to the delegates' endpoint; it is written if it is not there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn token_file(&self) -> Result<PathBuf> {
        let file = self.dir.join("delegates.token");
        std::fs::create_dir_all(&self.dir)?;
        std::fs::write(&file, TOKEN)?;
        Ok(file)
    }

    /// How to start an engine whose delegates are at `delegates`, which is `host:port`.
    ///
    /// # Errors
    /// The token cannot be written.
    pub fn engine(&self, name: &str, delegates: Option<&str>) -> Result<EngineOptions> {
        let token_file = self.token_file()?;
        Ok(EngineOptions {
            program: self.program.clone(),
            name: name.to_owned(),
            dir: self.dir.clone(),
            delegates: delegates.map(|address| (format!("http://{address}"), token_file)),
            arguments: Vec::new(),
        })
    }

    /// How to start a host for the engines at these URLs.
    ///
    /// # Errors
    /// The token cannot be written.
    pub fn host(&self, name: &str, order_url: &str, inventory_url: &str, workers: &Path) -> Result<HostOptions> {
        Ok(HostOptions {
            program: self.program.clone(),
            name: name.to_owned(),
            dir: self.dir.clone(),
            engines: vec![
                ("order".to_owned(), order_url.to_owned()),
                ("inventory".to_owned(), inventory_url.to_owned()),
            ],
            engine_settings: String::new(),
            workers: workers.to_owned(),
            cache: self.cache.clone(),
            delegates_port: free_port()?,
            token_file: self.token_file()?,
            configuration: GRANTS.to_owned(),
        })
    }

    /// A workers' folder with the workers of the pattern.
    ///
    /// # Errors
    /// They have not been built.
    pub fn workers_folder(&self, name: &str) -> Result<WorkersFolder> {
        let folder = WorkersFolder::create(&self.workers, &self.dir.join(name))?;
        WORKERS.iter().try_for_each(|worker| folder.add(worker))?;
        Ok(folder)
    }
}

/// Two engines and a host, running. They stop in this order when it is dropped.
#[derive(Debug)]
pub struct Pattern {
    /// The sidecar.
    pub host: Host,
    /// Order Management's engine.
    pub order: Engine,
    /// Inventory's engine.
    pub inventory: Engine,
    /// The host's workers.
    pub workers: WorkersFolder,
}

impl Pattern {
    /// Starts all three and deploys both models.
    ///
    /// # Errors
    /// One does not come up.
    pub fn start(places: &Places) -> Result<Self> {
        let pattern = Self::launch(places)?;
        pattern
            .order
            .rest()
            .deploy("order-management.bpmn", models::ORDER_MANAGEMENT)?;
        pattern.inventory.rest().deploy("inventory.bpmn", models::INVENTORY)?;
        Ok(pattern)
    }

    /// Starts all three; nothing is deployed.
    ///
    /// # Errors
    /// One does not come up.
    pub fn launch(places: &Places) -> Result<Self> {
        let workers = places.workers_folder("workers")?;
        let order = Engine::start(places.engine("order", None)?)?;
        // The engine must know where its delegates are, and the host where its engines are: the port comes first.
        let port = free_port()?;
        let inventory = Engine::start(places.engine("inventory", Some(&format!("127.0.0.1:{port}")))?)?;
        let options = places.host("host", order.rest().base(), inventory.rest().base(), workers.path())?;
        let host = Host::start(HostOptions {
            delegates_port: port,
            ..options
        })?;
        Ok(Self {
            host,
            order,
            inventory,
            workers,
        })
    }

    /// Leaves all three running after this process has ended.
    pub fn leave_running(self) {
        self.host.leave_running();
        self.order.leave_running();
        self.inventory.leave_running();
    }

    /// Waits until as many orders have ended, and all of Inventory's instances with them, and checks how.
    ///
    /// # Errors
    /// They have not within `limit`, or not as they must: the error lists what is wrong.
    pub fn await_orders(&self, orders: &[Order], limit: Duration) -> Result<Outcome> {
        await_orders(self.order.rest(), self.inventory.rest(), orders, limit)
    }
}

/// See [`Pattern::await_orders`].
///
/// # Errors
/// See [`Pattern::await_orders`].
pub fn await_orders(
    order: &crate::Rest,
    inventory: &crate::Rest,
    orders: &[Order],
    limit: Duration,
) -> Result<Outcome> {
    let what = format!("{} orders to end", orders.len());
    let waited = eventually(&what, limit, || {
        let ended = history::count_ended(order, ORDER_PROCESS)?;
        let told = inventory.count("/process-instance/count")?;
        if ended < orders.len() as u64 || told > 0 {
            bail!(
                "{ended} of {} have ended, and {told} instances of Inventory run",
                orders.len()
            );
        }
        Ok(Some(()))
    });
    let outcome = Outcome::read(order, inventory)?;
    let problems = outcome.problems(orders);
    if problems.is_empty() {
        return waited.map(|()| outcome);
    }
    let shown = problems.iter().take(20).cloned().collect::<Vec<_>>().join("\n  ");
    let waited = waited.err().map(|error| format!("{error:#}; ")).unwrap_or_default();
    bail!("{waited}{} problems:\n  {shown}", problems.len())
}
