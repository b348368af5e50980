//! A host with nothing to do does nothing.

use std::time::Duration;

use handoff_harness::{
    Engine, Host, HostOptions, Process, WorkersFolder, free_port,
    proxy::{NoFaults, Proxy},
};

use crate::scene::Ground;

/// How long it is watched.
const WATCHED: Duration = Duration::from_secs(3);
/// The processor's time that it may use then: a busy loop uses all of it.
const PROCESSOR_TIME_MAX: Duration = Duration::from_millis(150);

#[test]
fn zero_workers_in_the_folder_cost_no_processor_time() {
    let ground = Ground::new();
    let places = &ground.places;
    let folder = WorkersFolder::create(&places.workers, &places.dir.join("workers")).unwrap();
    let engine = Engine::start(places.engine("inventory", None).unwrap()).unwrap();
    let proxy = Proxy::start(&engine.address(), NoFaults).unwrap();
    let host = Host::start(HostOptions {
        program: places.program.clone(),
        name: "host".to_owned(),
        dir: places.dir.clone(),
        engines: vec![("inventory".to_owned(), proxy.engine_rest())],
        engine_settings: "long-poll-ms = 500\n".to_owned(),
        workers: folder.path().to_owned(),
        cache: places.cache.clone(),
        delegates_port: free_port().unwrap(),
        token_file: places.token_file().unwrap(),
        configuration: String::new(),
    })
    .unwrap();
    let used = |process: &Process| process.processor_time().unwrap();
    let (before, asked) = (used(host.process()), proxy.exchanges().len());
    // Nothing to await: this is about what does not happen.
    std::thread::sleep(WATCHED);
    let spent = used(host.process()) - before;
    assert!(spent <= PROCESSOR_TIME_MAX, "{spent:?} of the processor in {WATCHED:?}");
    assert!(
        proxy.exchanges().len() - asked <= 1,
        "without topics nothing is fetched: {:?}",
        proxy.exchanges()
    );

    // It is there for the first worker that comes.
    folder.add("count-stock").unwrap();
    handoff_harness::wait_until("the worker to be polled for", Duration::from_secs(60), || {
        Ok(proxy
            .exchanges()
            .iter()
            .any(|exchange| exchange.target.ends_with("/fetchAndLock")))
    })
    .unwrap();
}
