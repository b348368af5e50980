//! Many open instances: how soon an engine is ready with them, and what a fetch takes, whatever it filters by.

use std::time::Instant;

use anyhow::{Context, Result};
use handoff_harness::Engine;
use serde_json::{Value, json};

use super::{
    Bench, block_on,
    client::{LONG_LOCK, one_of},
    fill,
    http::Connection,
    megabytes,
    models::{Step, chain},
    rest,
    table::Table,
    times::{Times, millis},
};

const KEY: &str = "open";
/// The tenant of every second instance.
const TENANT: &str = "acme";
/// Fetches by each filter. All of them together leave some of the smallest number of instances.
const FETCHES: u32 = 200;

/// What was measured with so many open instances.
struct Figures {
    count: u32,
    ready_ms: f64,
    resident_mb: f64,
    file_bytes: u64,
    /// By each filter: its name and the time in the middle.
    fetches: Vec<(&'static str, f64)>,
}

pub(super) fn run(bench: &Bench<'_>, table: &mut Table) -> Result<()> {
    let mut all = Vec::new();
    for count in &bench.args.open {
        all.push(measure(bench, *count)?);
    }
    let smallest = all.first().context("no number of open instances")?;
    for figures in &all {
        let Figures { count, .. } = figures;
        let at = format!("{count} open");
        table.at_most(format!("{at}: ready after start"), figures.ready_ms, "ms", 5_000.0);
        for ((name, time), (_, least)) in figures.fetches.iter().zip(&smallest.fetches) {
            let name = format!("{at}: fetchAndLock {name}, p50");
            if figures.count == smallest.count {
                table.value(name, *time, "ms");
            } else {
                table.at_most(name, *time, "ms", least * 1.5);
            }
        }
        if figures.count > smallest.count {
            let more = f64::from(figures.count - smallest.count);
            let bytes = (figures.resident_mb - smallest.resident_mb).max(0.0) * f64::from(1 << 20) / more;
            // What is kept of each would be more than this; what SQLite keeps of pages is bounded.
            let bound = if figures.count >= 500_000 { 64.0 } else { 640.0 };
            table.at_most(format!("{at}: memory for each, after the fetches"), bytes, "B", bound);
        }
        let bytes = figures.file_bytes as f64 / f64::from(figures.count);
        table.value(format!("{at}: file size for each"), bytes, "B");
    }
    Ok(())
}

fn measure(bench: &Bench<'_>, count: u32) -> Result<Figures> {
    let mut engine = bench.engine("open")?;
    let definition = deploy(&engine)?;
    engine.stop()?;
    let path = |tenant: &str| format!("/process-definition/key/{KEY}{tenant}/start");
    for tenant in ["".to_owned(), format!("/tenant-id/{TENANT}")] {
        let body = json!({"businessKey": format!("k{}", tenant.len()), "variables": variables()});
        let template = fill::ids_of(&mut engine, |engine| {
            engine.rest().post(&path(&tenant), &body).map(drop)
        })?;
        fill::copy(&fill::database(&engine), &template, count / 2 - 1)?;
    }
    fill::check(&bench.handoff, &fill::database(&engine))?;
    engine.restart()?;
    let ready_ms = millis(engine.ready_after());
    let fetches = block_on(fetches(&engine, &definition, count))?;
    rest();
    let resident_mb = megabytes(&engine)?;
    engine.stop()?;
    let file_bytes = std::fs::metadata(fill::database(&engine))?.len();
    engine.restart()?;
    bench.discard(engine)?;
    Ok(Figures {
        count,
        ready_ms,
        resident_mb,
        file_bytes,
        fetches,
    })
}

/// For no tenant and for one; the id of the definition without a tenant.
fn deploy(engine: &Engine) -> Result<String> {
    let model = chain(KEY, 1, Step::External);
    engine.rest().deploy("open.bpmn", &model)?;
    let boundary = "handoff-bench-boundary";
    let body = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"tenant-id\"\r\n\r\n{TENANT}\r\n\
         --{boundary}\r\ncontent-disposition: form-data; name=\"data\"; filename=\"open.bpmn\"\r\n\r\n{model}\r\n\
         --{boundary}--\r\n"
    );
    let content_type = format!("multipart/form-data; boundary={boundary}");
    let rest = engine.rest();
    rest.request("POST", "/deployment/create", Some(&content_type), body.as_bytes())?
        .success()?;
    let definition = rest.get(&format!("/process-definition/key/{KEY}"))?;
    super::client::id_of(&definition)
}

/// As the load generator's instances have them.
pub(super) fn variables() -> Value {
    json!({"orderId": {"value": "o-1", "type": "String"}, "amount": {"value": 1, "type": "Integer"}})
}

/// What the fetch of this number asks for beside its topic.
type Filter<'a> = Box<dyn Fn(u32) -> Value + 'a>;

async fn fetches(engine: &Engine, definition: &str, count: u32) -> Result<Vec<(&'static str, f64)>> {
    let mut connection = Connection::open(&engine.address()).await?;
    let last = count / 2 - 2;
    let filters: [(&'static str, Filter<'_>); 4] = [
        ("without a filter", Box::new(|_| json!({}))),
        (
            "by definition",
            Box::new(|_| json!({"processDefinitionId": definition})),
        ),
        ("by tenant", Box::new(|_| json!({"tenantIdIn": [TENANT]}))),
        // The last of those with a tenant: the other filters get the first ones.
        (
            "by business key",
            Box::new(|number| json!({"businessKey": format!("k15-{}", last - number)})),
        ),
    ];
    let mut found = Vec::new();
    for (name, filter) in filters {
        let mut times = Times::default();
        for number in 0..FETCHES {
            let fetch = one_of(KEY, LONG_LOCK, filter(number));
            let began = Instant::now();
            connection.fetch(&fetch).await.with_context(|| name.to_owned())?;
            times.push(began.elapsed());
        }
        found.push((name, times.p50()));
    }
    Ok(found)
}
