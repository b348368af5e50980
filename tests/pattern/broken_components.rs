//! Files that are no workers are dropped in while orders run: nothing stops, and log and readiness say what is wrong.

use handoff_harness::{orders::Order, pattern::Pattern, wait_until};

use crate::{
    limits::{ORDERS_LIMIT, STATE_LIMIT},
    scene::Ground,
};

/// A component that exports nothing: well-formed, but of another world.
const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

const MANIFEST: &str = "engine = \"order\"\ntopics = [\"nobodys-topic\"]\n";

#[test]
fn what_is_no_worker_stops_nothing_and_is_named() {
    let ground = Ground::new();
    let pattern = Pattern::start(&ground.places).unwrap();
    let built = |name: &str| std::fs::read(ground.places.workers.join(name)).unwrap();
    let mut orders = Vec::new();
    let mut place = |prefix: &str| {
        let more = Order::series(prefix, 50);
        Order::place_all(&more, pattern.order.rest()).unwrap();
        orders.extend(more);
    };

    place("before");
    let folder = &pattern.workers;
    folder.put("garbage.toml", MANIFEST.as_bytes()).unwrap();
    folder.put("garbage.wasm", b"this is no component").unwrap();
    place("garbage");
    folder
        .put("foreign.toml", MANIFEST.replace("nobodys", "strangers").as_bytes())
        .unwrap();
    folder.put("foreign.wasm", EMPTY_COMPONENT).unwrap();
    place("foreign");
    // Half of a new version over a worker that is needed: somebody is still copying.
    let whole = built("variants/count-stock-2.wasm");
    folder.put("count-stock.wasm", &whole[..whole.len() / 2]).unwrap();
    place("half-written");

    let names = ["garbage", "foreign", "count-stock"];
    wait_until("readiness and log to name all three", STATE_LIMIT, || {
        let readiness = pattern.host.readiness()?.text;
        let log = pattern.host.process().log()?;
        // Their names are in the log anyway; what matters is a line that complains.
        let complains = |name: &str| {
            log.lines()
                .any(|line| line.contains(name) && (line.contains("WARN") || line.contains("ERROR")))
        };
        Ok(names.iter().all(|name| readiness.contains(name) && complains(name)))
    })
    .unwrap();
    place("after");
    pattern.await_orders(&orders, ORDERS_LIMIT).unwrap();

    // The copy is complete: the new version takes over, and nothing is wrong with it any more.
    folder.put("count-stock.wasm", &whole).unwrap();
    wait_until("readiness to name it no more", STATE_LIMIT, || {
        let readiness = pattern.host.readiness()?.text;
        Ok(!readiness.contains("count-stock") && readiness.contains("garbage"))
    })
    .unwrap();
}
