//! Many finished instances in the history: what they take of the speed and of the disk, and how they go.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use handoff_harness::Engine;
use rusqlite::OpenFlags;
use serde_json::json;

use super::{
    Bench,
    client::{LONG_LOCK, one_of},
    fill,
    load::{Load, Report},
    models::{Step, WORKER, chain},
    open::variables,
    table::Table,
};

const KEY: &str = "finished";
/// Of those in the history, at most so many have had their time.
const EXPIRED_MAX: u32 = 50_000;
/// What a finished instance may take of the file: three activities, three variables, three details, two log entries.
const BYTES_MAX: f64 = 4096.0;
/// How long the cleanup may take, in all.
const CLEANUP_LIMIT: Duration = Duration::from_secs(300);

pub(super) fn run(bench: &Bench<'_>, table: &mut Table) -> Result<()> {
    let count = bench
        .args
        .finished
        .unwrap_or(if bench.args.long { 5_000_000 } else { 200_000 });
    ensure!(count >= 100, "--finished must be 100 or more");
    let load = Load {
        seconds: 1,
        ..Load::of(bench)
    };
    let fresh = fresh(bench, table, load)?;

    let mut engine = bench.engine("history")?;
    engine.rest().deploy("finished.bpmn", &chain(KEY, 1, Step::External))?;
    engine.stop()?;
    let template = fill::ids_of(&mut engine, finish_one)?;
    let database = fill::database(&engine);
    let empty = std::fs::metadata(&database)?.len();
    fill::copy(&database, &template, count)?;
    fill::check(&bench.handoff, &database)?;
    let bytes = (std::fs::metadata(&database)?.len() - empty) as f64 / f64::from(count);
    table.at_most("file size for each finished instance, as filled", bytes, "B", BYTES_MAX);

    engine.restart()?;
    let full = load.run(bench, engine.rest().base())?;
    compare(table, &format!("with {count} finished"), &full, &fresh);

    engine.stop()?;
    let expired = (count / 10).min(EXPIRED_MAX);
    let changed = fill::open(&database)?.execute(
        "UPDATE historic_instance SET removal_time = 1 WHERE id IN \
         (SELECT id FROM historic_instance WHERE definition_key = ?1 ORDER BY id LIMIT ?2)",
        rusqlite::params![KEY, expired],
    )?;
    ensure!(changed == expired as usize, "{changed} of {expired} could be marked");
    let before = std::fs::metadata(&database)?.len();
    engine.restart()?;
    let began = Instant::now();
    let busy = load.run(bench, engine.rest().base())?;
    let meanwhile = f64::from(expired - left(&engine)?) / began.elapsed().as_secs_f64();
    compare(table, "while history is removed", &busy, &fresh);
    table.value("removed meanwhile", meanwhile, "instances/s");
    cleaned(table, &engine, began, before)?;
    bench.discard(engine)
}

/// The same load on an engine without a history.
fn fresh(bench: &Bench<'_>, table: &mut Table, load: Load) -> Result<Report> {
    let mut engine = bench.engine("fresh")?;
    let fresh = load.run(bench, engine.rest().base())?;
    table.value("fresh: starts", fresh.starts_per_s, "/s");
    table.value("fresh: completions", fresh.completes_per_s, "/s");
    engine.stop()?;
    let size = std::fs::metadata(fill::database(&engine))?.len() as f64;
    let instances = f64::from(load.instances + load.warm + load.rate * load.seconds);
    table.at_most(
        "file size for each finished instance, as run",
        size / instances,
        "B",
        BYTES_MAX,
    );
    engine.restart()?;
    bench.discard(engine)?;
    Ok(fresh)
}

fn compare(table: &mut Table, when: &str, report: &Report, fresh: &Report) {
    for (what, rate, fresh) in [
        ("starts", report.starts_per_s, fresh.starts_per_s),
        ("completions", report.completes_per_s, fresh.completes_per_s),
    ] {
        let share = 100.0 * rate / fresh;
        table.at_least(format!("{what} {when}, of the fresh speed"), share, "%", 80.0);
    }
}

/// Starts an instance and completes it, as the load generator does.
fn finish_one(engine: &Engine) -> Result<()> {
    let rest = engine.rest();
    rest.start(KEY, "k", variables())?;
    let fetched = rest.post("/external-task/fetchAndLock", &one_of(KEY, LONG_LOCK, json!({})))?;
    let Some(task) = fetched.as_ref().and_then(|tasks| tasks[0]["id"].as_str()) else {
        bail!("the template's task cannot be fetched: {fetched:?}");
    };
    let done = json!({"workerId": WORKER, "variables": {"done": {"value": true, "type": "Boolean"}}});
    rest.post(&format!("/external-task/{task}/complete"), &done).map(drop)
}

/// Waits until all that has had its time is gone, and its space.
fn cleaned(table: &mut Table, engine: &Engine, began: Instant, before: u64) -> Result<()> {
    // The load has added pages meanwhile, and the removal frees its own: what is left free is what was not given back.
    let expired = loop {
        let expired = left(engine)?;
        if (expired == 0 && free_bytes(engine)? < before / 100) || began.elapsed() > CLEANUP_LIMIT {
            break expired;
        }
        thread::sleep(Duration::from_millis(200));
    };
    table.at_most("left of what has had its time", f64::from(expired), "instances", 0.0);
    table.value("until all of it was gone", began.elapsed().as_secs_f64(), "s");
    let free = free_bytes(engine)? as f64;
    table.at_most(
        "space that was not given back, of the file",
        100.0 * free / before as f64,
        "%",
        1.0,
    );
    Ok(())
}

/// How many instances have had their time and are still there.
fn left(engine: &Engine) -> Result<u32> {
    let sql = "SELECT count(*) FROM historic_instance WHERE removal_time = 1";
    Ok(look(engine)?.query_row(sql, [], |row| row.get(0))?)
}

/// The pages of the file that nothing is in.
fn free_bytes(engine: &Engine) -> Result<u64> {
    let connection = look(engine)?;
    let free: u32 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
    let page: u32 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    Ok(u64::from(free) * u64::from(page))
}

/// A connection that only reads, beside a running engine.
fn look(engine: &Engine) -> Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open_with_flags(fill::database(engine), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}
