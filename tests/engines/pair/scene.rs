//! Two engines of whichever kind, a host beside Inventory, and a proxy on every way between them.

use std::sync::MutexGuard;

use anyhow::{Result, ensure};
use handoff_harness::{
    Camunda, Engine, Host, HostOptions, Rest, eventually, free_port, models,
    orders::{INVENTORY_PROCESS, Order, Outcome},
    pattern::Places,
    proxy::{Exchange, Faults, NoFaults, Proxy},
};

use crate::{
    limits::STATE_LIMIT,
    stage::{Kind, Stage},
};

/// A manifest of `inventory-check` whose task is redelivered soon, and tried as often as it takes.
pub(crate) const EAGER_CHECK: &str = r#"
engine = "order"
delegates = ["completeExternalTask"]
retries = 1000
retry-after-ms = 100

[[topics]]
name = "check-inventory"
lock-duration-ms = 1000

[grants]
processes = ["inventory"]
tasks = ["order"]
"#;

/// What differs from the pattern as it is.
pub(crate) struct Plan {
    /// Inventory's model.
    pub(crate) inventory_model: String,
    /// Between the host and Order Management.
    pub(crate) order_faults: Box<dyn Faults>,
    /// Between Inventory and the delegates of the host.
    pub(crate) delegate_faults: Box<dyn Faults>,
    /// Of `inventory-check`, instead of its own.
    pub(crate) manifest: Option<String>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            // Retried soon, and often.
            inventory_model: models::inventory_with_retry_cycle("R1000/PT1S"),
            order_faults: Box::new(NoFaults),
            delegate_faults: Box::new(NoFaults),
            manifest: None,
        }
    }
}

/// Order Management's engine.
enum Orders<'a> {
    Ours(Box<Engine>),
    Camunda(
        &'a Camunda,
        #[allow(dead_code, reason = "it is held")] MutexGuard<'a, ()>,
    ),
}

/// Inventory's engine.
enum Inventory<'a> {
    Ours(Box<Engine>),
    Camunda(MutexGuard<'a, Camunda>),
}

/// The engines, with both models deployed and no instance.
pub(crate) struct Engines<'a> {
    /// From Inventory to where the host's delegates will be. Dropped first: the next case needs its port as soon as it
    /// has the engine.
    pub(crate) delegate_proxy: Proxy,
    orders: Orders<'a>,
    inventory: Inventory<'a>,
    pub(crate) delegates_port: u16,
    pub(crate) places: Places,
}

/// They, and a host.
pub(crate) struct Scene<'a> {
    // The host goes first.
    _host: Stopping,
    /// From the host to Order Management.
    pub(crate) order_proxy: Proxy,
    pub(crate) engines: Engines<'a>,
}

impl<'a> Engines<'a> {
    pub(crate) fn start(
        stage: &'a Stage,
        name: &str,
        [order, inventory]: [Kind; 2],
        inventory_model: &str,
        delegate_faults: impl Faults,
    ) -> Result<Self> {
        let places = stage.places(&format!("{name}-{}-{}", order.word(), inventory.word()));
        let delegates_port = free_port()?;
        let delegates = format!("127.0.0.1:{delegates_port}");
        // In this order everywhere: who waits for Inventory's engine has the orders' already.
        let orders = match order {
            Kind::Ours => Orders::Ours(Box::new(Engine::start(places.engine("order", None)?)?)),
            Kind::Camunda => {
                let (camunda, turn) = stage.camunda_for_orders()?;
                Orders::Camunda(camunda, turn)
            }
        };
        let (inventory, delegate_proxy) = match inventory {
            Kind::Ours => {
                let proxy = Proxy::start(&delegates, delegate_faults)?;
                let options = places.engine("inventory", Some(&proxy.address()))?;
                (Inventory::Ours(Box::new(Engine::start(options)?)), proxy)
            }
            Kind::Camunda => {
                let camunda = stage.camunda_for_inventory()?;
                let proxy = Proxy::start_on(camunda.delegates_port(), &delegates, delegate_faults)?;
                (Inventory::Camunda(camunda), proxy)
            }
        };
        let engines = Self {
            orders,
            inventory,
            delegate_proxy,
            delegates_port,
            places,
        };
        replace(engines.order(), "order-management.bpmn", models::ORDER_MANAGEMENT)?;
        replace(engines.inventory(), "inventory.bpmn", inventory_model)?;
        Ok(engines)
    }

    pub(crate) fn order(&self) -> &Rest {
        match &self.orders {
            Orders::Ours(engine) => engine.rest(),
            Orders::Camunda(camunda, _) => camunda.rest(),
        }
    }

    pub(crate) fn order_address(&self) -> String {
        match &self.orders {
            Orders::Ours(engine) => engine.address(),
            Orders::Camunda(camunda, _) => camunda.address(),
        }
    }

    pub(crate) fn inventory(&self) -> &Rest {
        match &self.inventory {
            Inventory::Ours(engine) => engine.rest(),
            Inventory::Camunda(camunda) => camunda.rest(),
        }
    }

    pub(crate) fn inventory_address(&self) -> String {
        match &self.inventory {
            Inventory::Ours(engine) => engine.address(),
            Inventory::Camunda(camunda) => camunda.address(),
        }
    }

    /// Inventory's process.
    pub(crate) fn inventory_process(&self) -> u32 {
        match &self.inventory {
            Inventory::Ours(engine) => engine.process().id(),
            Inventory::Camunda(camunda) => camunda.process().id(),
        }
    }

    /// Starts Inventory's engine again, with its data.
    pub(crate) fn restart_inventory(&mut self) -> Result<()> {
        match &mut self.inventory {
            Inventory::Ours(engine) => engine.restart(),
            Inventory::Camunda(camunda) => camunda.restart(),
        }
    }

    /// How to start a host beside Inventory, with the workers of the pattern and this manifest of `inventory-check`.
    pub(crate) fn host(&self, name: &str, urls: [&str; 2], manifest: Option<&str>) -> Result<HostOptions> {
        let workers = self.places.workers_folder(&format!("workers-{name}"))?;
        if let Some(manifest) = manifest {
            workers.add_with_manifest("inventory-check", manifest)?;
        }
        Ok(HostOptions {
            // A Camunda tells no waiting poll that a lock has run out.
            engine_settings: "long-poll-ms = 1000".to_owned(),
            ..self.places.host(name, urls[0], urls[1], workers.path())?
        })
    }

    pub(crate) fn place(&self, count: usize) -> Result<Vec<Order>> {
        let orders = Order::series("order", count);
        Order::place_all(&orders, self.order())?;
        Ok(orders)
    }

    /// Waits until all orders have ended, each once and as its stock says, in both engines.
    pub(crate) fn until_all_end(&self, orders: &[Order]) -> Result<Outcome> {
        eventually("all orders to end", STATE_LIMIT, || {
            let outcome = Outcome::read(self.order(), self.inventory())?;
            let problems = outcome.problems(orders);
            ensure!(problems.is_empty(), "{}", problems.join("\n  "));
            Ok(Some(outcome))
        })
    }

    /// How many instances Inventory ever had.
    pub(crate) fn checks(&self) -> Result<u64> {
        self.inventory().count(&format!(
            "/history/process-instance/count?processDefinitionKey={INVENTORY_PROCESS}"
        ))
    }
}

impl<'a> Scene<'a> {
    pub(crate) fn start(stage: &'a Stage, name: &str, kinds: [Kind; 2], plan: Plan) -> Result<Self> {
        let engines = Engines::start(stage, name, kinds, &plan.inventory_model, plan.delegate_faults)?;
        let order_proxy = Proxy::start(&engines.order_address(), plan.order_faults)?;
        let urls = [&order_proxy.engine_rest(), engines.inventory().base()];
        let host = Host::start(HostOptions {
            delegates_port: engines.delegates_port,
            ..engines.host("host", urls, plan.manifest.as_deref())?
        })?;
        Ok(Self {
            _host: Stopping(host),
            order_proxy,
            engines,
        })
    }
}

/// A host that is stopped at the end of its case, as operators do it: a Camunda goes on to serve the polls of one that
/// was killed, and locks the next case's tasks for it.
pub(crate) struct Stopping(pub(crate) Host);

impl Drop for Stopping {
    fn drop(&mut self) {
        // One that does not stop is killed, which is all that can be done here.
        let _ = self.0.stop();
    }
}

/// Deploys a model in the place of what earlier cases have left: its instances go too, and their history.
fn replace(engine: &Rest, resource: &str, model: &str) -> Result<()> {
    let old = engine.get(&format!("/deployment?name={resource}"))?;
    for deployment in old.as_array().into_iter().flatten() {
        let id = deployment["id"].as_str().unwrap_or_default();
        let target = format!("/deployment/{id}?cascade=true");
        engine.request("DELETE", &target, None, &[])?.success()?;
    }
    engine.deploy(resource, model).map(drop)
}

/// The ids of the tasks of the hand-off that an answer gives out.
pub(crate) fn delivered(exchange: &Exchange) -> Vec<String> {
    if !exchange.is_fetch() {
        return Vec::new();
    }
    let tasks = exchange.response_json();
    let checks = tasks
        .as_array()
        .into_iter()
        .flatten()
        .filter(|task| task["topicName"] == "check-inventory");
    checks
        .filter_map(|task| task["id"].as_str().map(str::to_owned))
        .collect()
}

/// All of them, in turn.
pub(crate) fn deliveries(proxy: &Proxy) -> Vec<String> {
    proxy.exchanges().iter().flat_map(delivered).collect()
}
