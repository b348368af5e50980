//! Large things beside small ones of the same kind: what a unit costs, an activity, a megabyte or a variable. It may
//! cost less in a large thing, and should not cost more.

use std::time::{Duration, Instant};

use anyhow::Result;
use handoff_harness::Engine;
use serde_json::{Map, Value, json};

use super::{
    Bench, block_on,
    client::{LONG_LOCK, one_of},
    http::Connection,
    models::{Step, chain},
    table::Table,
    times::Times,
};

/// How much more a unit may cost in a large thing: what two runs of the same differ by is below it.
const MORE: f64 = 1.5;
const ACTIVITIES: [usize; 2] = [20, 500];
/// Of a variable, in bytes.
const BYTES: [usize; 2] = [256 << 10, 4 << 20];
const VARIABLES: [usize; 2] = [200, 10_000];
/// Each is done so often: small things more often, so that their time can be measured.
const ROUNDS: [usize; 2] = [40, 8];
/// A variable among others is set so often in each instance.
const SETS: i32 = 10;

pub(super) fn run(bench: &Bench<'_>, table: &mut Table) -> Result<()> {
    let engine = bench.engine("cliffs")?;
    activities(&engine, table)?;
    block_on(bytes(&engine, table))?;
    block_on(variables(&engine, table))?;
    bench.discard(engine)
}

/// One thing that is done with small and with large ones.
#[derive(Default)]
struct Pair {
    what: &'static str,
    times: [Times; 2],
}

impl Pair {
    fn new(what: &'static str) -> Self {
        Self {
            what,
            ..Self::default()
        }
    }

    fn push(&mut self, size: usize, time: Duration) {
        self.times[size].push(time);
    }

    /// Puts both into the table, as times of a unit in microseconds.
    fn print(mut self, table: &mut Table, unit: &str, units: [usize; 2]) {
        let [small, large] = [0, 1].map(|size: usize| self.times[size].p50() * 1e3 / units[size] as f64);
        let [few, many] = units;
        table.value(format!("{}, {few} {unit}: each", self.what), small, "µs");
        table.at_most(format!("{}, {many} {unit}: each", self.what), large, "µs", small * MORE);
    }
}

fn activities(engine: &Engine, table: &mut Table) -> Result<()> {
    let mut deploy = Pair::new("deploy");
    let mut walk = Pair::new("walk, with a wait at each activity");
    let mut pass = Pair::new("start, passing all activities");
    for (size, count) in ACTIVITIES.into_iter().enumerate() {
        let (walked, passed) = (format!("walked-{count}"), format!("passed-{count}"));
        for round in 0..ROUNDS[size] {
            // Nothing is deployed that was there before.
            let model = chain(&walked, count, Step::External) + &format!("<!-- {round} -->");
            let began = Instant::now();
            engine.rest().deploy("walked.bpmn", &model)?;
            deploy.push(size, began.elapsed());
        }
        engine
            .rest()
            .deploy("passed.bpmn", &chain(&passed, count, Step::Passed))?;
        block_on(async {
            let mut connection = Connection::open(&engine.address()).await?;
            for _ in 0..ROUNDS[size] {
                let began = Instant::now();
                connection.start(&passed, json!({})).await?;
                pass.push(size, began.elapsed());
            }
            let fetch = one_of(&walked, LONG_LOCK, json!({}));
            for _ in 0..ROUNDS[size].min(4) {
                connection.start(&walked, json!({})).await?;
                let began = Instant::now();
                for _ in 0..count {
                    let task = connection.fetch(&fetch).await?;
                    connection.complete(&task).await?;
                }
                walk.push(size, began.elapsed());
            }
            Ok(())
        })?;
    }
    for pair in [deploy, pass, walk] {
        pair.print(table, "activities", ACTIVITIES);
    }
    Ok(())
}

async fn bytes(engine: &Engine, table: &mut Table) -> Result<()> {
    const KEY: &str = "bytes";
    engine.rest().deploy("bytes.bpmn", &chain(KEY, 1, Step::External))?;
    let mut connection = Connection::open(&engine.address()).await?;
    let (mut set, mut get, mut fetch) = (Pair::new("set"), Pair::new("get"), Pair::new("fetch"));
    for (size, count) in BYTES.into_iter().enumerate() {
        let body = json!({"value": "x".repeat(count), "type": "String"}).to_string();
        for _ in 0..ROUNDS[size] {
            let id = connection.start(KEY, json!({})).await?;
            let path = format!("/process-instance/{id}/variables/large");
            let began = Instant::now();
            connection.ask("PUT", &path, &body).await?.json()?;
            set.push(size, began.elapsed());
            let began = Instant::now();
            connection.ask("GET", &path, "").await?.json()?;
            get.push(size, began.elapsed());
            let began = Instant::now();
            let task = connection.fetch(&one_of(KEY, LONG_LOCK, json!({}))).await?;
            fetch.push(size, began.elapsed());
            connection.complete(&task).await?;
        }
    }
    for pair in [set, get, fetch] {
        pair.print(table, "KB of a variable", BYTES.map(|bytes| bytes >> 10));
    }
    Ok(())
}

async fn variables(engine: &Engine, table: &mut Table) -> Result<()> {
    const KEY: &str = "variables";
    engine.rest().deploy("variables.bpmn", &chain(KEY, 1, Step::External))?;
    let mut connection = Connection::open(&engine.address()).await?;
    let (mut start, mut get) = (Pair::new("start"), Pair::new("get all"));
    let (mut fetch, mut complete) = (Pair::new("fetch"), Pair::new("complete"));
    let mut set = <[Times; 2]>::default();
    for (size, count) in VARIABLES.into_iter().enumerate() {
        let many: Map<String, Value> = (0..count)
            .map(|number| (format!("v{number}"), json!({"value": number, "type": "Integer"})))
            .collect();
        let many = Value::Object(many);
        for _ in 0..ROUNDS[size] {
            let began = Instant::now();
            let id = connection.start(KEY, many.clone()).await?;
            start.push(size, began.elapsed());
            let path = format!("/process-instance/{id}/variables");
            // Many times: the first meets what the start has left to be done beside it.
            for value in 0..SETS {
                let began = Instant::now();
                let more = json!({"value": value, "type": "Integer"}).to_string();
                connection.ask("PUT", &format!("{path}/more"), &more).await?.json()?;
                set[size].push(began.elapsed());
            }
            let began = Instant::now();
            connection.get(&path).await?;
            get.push(size, began.elapsed());
            let began = Instant::now();
            let task = connection.fetch(&one_of(KEY, LONG_LOCK, json!({}))).await?;
            fetch.push(size, began.elapsed());
            let began = Instant::now();
            connection.complete(&task).await?;
            complete.push(size, began.elapsed());
        }
    }
    for pair in [start, get, fetch, complete] {
        pair.print(table, "variables", VARIABLES);
    }
    let [few, many] = VARIABLES;
    let [beside_few, beside_many] = &mut set;
    let least = beside_few.p50();
    table.value(format!("set a variable, {few} beside"), least, "ms");
    table.at_most(
        format!("set a variable, {many} beside"),
        beside_many.p50(),
        "ms",
        least * MORE,
    );
    Ok(())
}
