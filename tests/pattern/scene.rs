//! What every test here starts from: two engines, a host beside Inventory, and a proxy on every way between them.

use std::path::{Path, PathBuf};

use handoff_harness::{
    Engine, Host, HostOptions, Rest, WorkersFolder, free_port, models,
    orders::{Order, Outcome},
    pattern::{Places, await_orders},
    proxy::{Faults, NoFaults, Proxy},
};
use tempfile::TempDir;

use crate::limits::ORDERS_LIMIT;

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

/// A folder of the test's own, and where everything built is.
pub(crate) struct Ground {
    pub(crate) places: Places,
    _dir: TempDir,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let dir = tempfile::tempdir_in(scratch).unwrap();
        let places = Places {
            program: PathBuf::from(env!("CARGO_BIN_EXE_handoff")),
            workers: scratch.parent().unwrap().join("workers"),
            cache: scratch.join("worker-cache"),
            dir: dir.path().to_owned(),
        };
        Self { places, _dir: dir }
    }
}

/// What differs from the pattern as it is.
pub(crate) struct Plan {
    /// Inventory's model.
    pub(crate) inventory_model: String,
    /// Between the host and Order Management.
    pub(crate) order_faults: Box<dyn Faults>,
    /// Between the host and Inventory.
    pub(crate) inventory_faults: Box<dyn Faults>,
    /// Between Inventory and the delegates of the host.
    pub(crate) delegate_faults: Box<dyn Faults>,
    /// Manifests of workers, instead of their own.
    pub(crate) manifests: Vec<(&'static str, String)>,
    /// More of each engine's table in the host's configuration.
    pub(crate) engine_settings: String,
    /// More of the host's configuration.
    pub(crate) host_settings: String,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            inventory_model: models::INVENTORY.to_owned(),
            order_faults: Box::new(NoFaults),
            inventory_faults: Box::new(NoFaults),
            delegate_faults: Box::new(NoFaults),
            manifests: Vec::new(),
            engine_settings: String::new(),
            host_settings: String::new(),
        }
    }
}

/// The set-up, running.
pub(crate) struct Scene {
    pub(crate) host: Host,
    pub(crate) order: Engine,
    pub(crate) inventory: Engine,
    /// From the host to Order Management.
    pub(crate) order_proxy: Proxy,
    /// From Inventory to the delegates of the host.
    pub(crate) delegate_proxy: Proxy,
    _inventory_proxy: Proxy,
    pub(crate) ground: Ground,
}

impl Scene {
    pub(crate) fn start(plan: Plan) -> Self {
        let ground = Ground::new();
        let workers = ground.places.workers_folder("workers").unwrap();
        override_manifests(&workers, &plan.manifests);
        let (order, inventory, delegate_proxy, delegates_port) = engines(&ground.places, plan.delegate_faults);
        inventory
            .rest()
            .deploy("inventory.bpmn", &plan.inventory_model)
            .unwrap();
        let order_proxy = Proxy::start(&order.address(), plan.order_faults).unwrap();
        let inventory_proxy = Proxy::start(&inventory.address(), plan.inventory_faults).unwrap();
        let (order_url, inventory_url) = (order_proxy.engine_rest(), inventory_proxy.engine_rest());
        let options = ground
            .places
            .host("host", &order_url, &inventory_url, workers.path())
            .unwrap();
        let host = Host::start(HostOptions {
            delegates_port,
            engine_settings: plan.engine_settings,
            configuration: format!("{}\n{}", options.configuration, plan.host_settings),
            ..options
        })
        .unwrap();
        Self {
            host,
            order,
            inventory,
            order_proxy,
            delegate_proxy,
            _inventory_proxy: inventory_proxy,
            ground,
        }
    }

    pub(crate) fn place(&self, prefix: &str, count: usize) -> Vec<Order> {
        let orders = Order::series(prefix, count);
        Order::place_all(&orders, self.order.rest()).unwrap();
        orders
    }

    /// All orders end, each once and as its stock says.
    pub(crate) fn assert_all_end(&self, orders: &[Order]) -> Outcome {
        await_orders(self.order.rest(), self.inventory.rest(), orders, ORDERS_LIMIT).unwrap()
    }
}

/// Two engines with Order Management's model, and a proxy before the port on which a host will serve its delegates.
pub(crate) fn engines(places: &Places, delegate_faults: impl Faults) -> (Engine, Engine, Proxy, u16) {
    let delegates_port = free_port().unwrap();
    let delegate_proxy = Proxy::start(&format!("127.0.0.1:{delegates_port}"), delegate_faults).unwrap();
    let order = Engine::start(places.engine("order", None).unwrap()).unwrap();
    let inventory = Engine::start(places.engine("inventory", Some(&delegate_proxy.address())).unwrap()).unwrap();
    order
        .rest()
        .deploy("order-management.bpmn", models::ORDER_MANAGEMENT)
        .unwrap();
    (order, inventory, delegate_proxy, delegates_port)
}

pub(crate) fn override_manifests(workers: &WorkersFolder, manifests: &[(&'static str, String)]) {
    for (name, manifest) in manifests {
        workers.add_with_manifest(name, manifest).unwrap();
    }
}

/// How many messages found no receiver: the engine's own count, which its metrics repeat.
pub(crate) fn mismatches(engine: &Engine) -> u64 {
    let count = engine.rest().description().unwrap()["mismatchedMessages"]
        .as_u64()
        .unwrap();
    let metrics = Rest::new(&format!("http://{}", engine.address()))
        .try_get("/metrics")
        .unwrap()
        .text;
    let metric = metrics
        .lines()
        .find_map(|line| line.strip_prefix("handoff_engine_message_mismatches_total"))
        .map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap());
    assert!(
        (metric - count as f64).abs() < 0.5,
        "the metric says {metric}, the description {count}"
    );
    count
}
