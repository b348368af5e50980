//! Far more than an engine can do: it has a processor to itself, and on another one 2,048 clients start, fetch and
//! complete without a pause, and ask again at once where they are refused.

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use handoff_harness::Engine;
use serde_json::{Value, json};

use super::{
    Bench, block_on,
    client::{LONG_LOCK, id_of, one_of},
    http::{Answer, Connection},
    machinery::{Pinned, allow_files, two_processors},
    megabytes,
    models::{Step, WORKER, chain},
    table::Table,
    times::Times,
};

const KEY: &str = "overload";
/// Clients that an engine serves well: with them it is at its peak.
const FEW: u32 = 32;
/// Nobody may wait longer than this for an answer, or an end.
const PATIENCE: Duration = Duration::from_secs(30);
/// This part of the time is not counted.
const WARM_UP: u32 = 6;
/// Memory is looked at so often.
const LOOK: Duration = Duration::from_millis(500);

/// What came of one kind of request.
#[derive(Debug, Default)]
struct Kind {
    done: u32,
    /// Answered 503.
    shed: u32,
    refusals: Times,
}

impl Kind {
    /// Of 100 requests, how many were refused.
    fn share_shed(&self) -> f64 {
        100.0 * f64::from(self.shed) / f64::from((self.done + self.shed).max(1))
    }
}

#[derive(Debug, Default)]
struct Tally {
    starts: Kind,
    fetches: Kind,
    completions: Kind,
    /// Neither successes nor refusals.
    other: u32,
    /// The first of those.
    surprise: Option<String>,
}

/// How it went with so many clients.
struct Outcome {
    tally: Tally,
    seconds: f64,
    /// Resident memory of the engine, over time.
    memory: Vec<f64>,
}

impl Outcome {
    fn goodput(&self) -> f64 {
        f64::from(self.tally.completions.done) / self.seconds
    }
}

pub(super) fn run(bench: &Bench<'_>, table: &mut Table) -> Result<()> {
    let (one, other) = two_processors()?;
    let many = bench.args.connections;
    allow_files(u64::from(many) + 1_000)?;
    let pinned = Pinned::to(one)?;
    let engine = bench.engine("overload")?;
    pinned.move_to(other)?;
    engine.rest().deploy("overload.bpmn", &chain(KEY, 1, Step::External))?;

    let seconds = bench.args.seconds;
    let warm_up = load(&engine, FEW, Duration::from_secs(2))?;
    ensure!(warm_up.tally.completions.done > 0, "nothing was completed");
    let peak = load(&engine, FEW, Duration::from_secs((seconds / 4).max(2).into()))?;
    let mut over = load(&engine, many, Duration::from_secs(seconds.into()))?;

    table.value(
        format!("completed with {FEW} connections: the peak"),
        peak.goodput(),
        "/s",
    );
    let share = 100.0 * over.goodput() / peak.goodput();
    table.at_least(
        format!("completed with {many} connections for {seconds} s, of the peak"),
        share,
        "%",
        80.0,
    );
    let Tally {
        starts,
        fetches,
        completions,
        ..
    } = &over.tally;
    table.value("refused: starts", starts.share_shed(), "%");
    table.value("refused: fetches", fetches.share_shed(), "%");
    // Completions come last: they are not refused more often than what is refused first.
    let first = starts.share_shed().max(fetches.share_shed());
    table.at_most("refused: completions", completions.share_shed(), "%", first);
    let refusals = &mut over.tally.starts.refusals;
    if refusals.len() > 0 {
        table.value("a refusal of a start, p50", refusals.p50(), "ms");
    }
    table.at_most(
        "answers that are neither success nor 503",
        f64::from(over.tally.other),
        "",
        0.0,
    );
    if let Some(surprise) = &over.tally.surprise {
        eprintln!("    the first of them: {surprise}");
    }
    let (early, late) = thirds(&over.memory);
    table.value("resident in the first third, most", early, "MB");
    table.at_most("resident in the last third, most", late, "MB", early * 1.1 + 4.0);
    drop(pinned);
    bench.discard(engine)
}

/// The most of the first third and of the last.
fn thirds(values: &[f64]) -> (f64, f64) {
    let third = values.len().div_ceil(3);
    let most = |part: &[f64]| part.iter().copied().fold(f64::NAN, f64::max);
    (most(&values[..third]), most(&values[values.len() - third..]))
}

fn load(engine: &Engine, clients: u32, time: Duration) -> Result<Outcome> {
    let address = engine.address();
    block_on(async {
        let tally = Rc::new(RefCell::new(Tally::default()));
        let mut connections = Vec::new();
        for _ in 0..clients {
            connections.push(Connection::open(&address).await?);
        }
        let until = Instant::now() + time;
        let mut tasks = Vec::new();
        for connection in connections {
            let client = Client {
                connection,
                tally: Rc::clone(&tally),
                until,
            };
            tasks.push(tokio::task::spawn_local(client.run()));
        }
        // All begin with a start: it takes a while until there is as much of everything.
        tokio::time::sleep(time / WARM_UP).await;
        *tally.borrow_mut() = Tally::default();
        let began = Instant::now();
        let mut memory = Vec::new();
        while Instant::now() < until {
            tokio::time::sleep(LOOK.min(time / 10)).await;
            memory.push(megabytes(engine)?);
        }
        let seconds = began.elapsed().as_secs_f64();
        let counted = std::mem::take(&mut *tally.borrow_mut());
        for task in tasks {
            tokio::time::timeout(PATIENCE, task).await???;
        }
        Ok(Outcome {
            tally: counted,
            seconds,
            memory,
        })
    })
}

/// One that never pauses.
struct Client {
    connection: Connection,
    tally: Rc<RefCell<Tally>>,
    until: Instant,
}

impl Client {
    async fn run(mut self) -> Result<()> {
        let start = json!({"variables": super::open::variables()}).to_string();
        let fetch = one_of(KEY, LONG_LOCK, json!({})).to_string();
        let complete = json!({"workerId": WORKER}).to_string();
        let start_path = format!("/process-definition/key/{KEY}/start");
        while Instant::now() < self.until {
            self.insist(&start_path, &start, |tally| &mut tally.starts).await?;
            let fetched = self
                .insist("/external-task/fetchAndLock", &fetch, |tally| &mut tally.fetches)
                .await?;
            let tasks: Vec<Value> = match fetched {
                Some(answer) => serde_json::from_slice(&answer.body)?,
                None => Vec::new(),
            };
            for task in tasks {
                let path = format!("/external-task/{}/complete", id_of(&task)?);
                self.insist(&path, &complete, |tally| &mut tally.completions).await?;
            }
        }
        Ok(())
    }

    /// Asks until it is not refused; the answer, if it is a success.
    async fn insist(&mut self, path: &str, body: &str, kind: fn(&mut Tally) -> &mut Kind) -> Result<Option<Answer>> {
        loop {
            let began = Instant::now();
            let answer = self.connection.ask("POST", path, body).await?;
            let mut tally = self.tally.borrow_mut();
            match answer.status {
                200..=299 => {
                    kind(&mut tally).done += 1;
                    return Ok(Some(answer));
                }
                503 if Instant::now() < self.until => {
                    let kind = kind(&mut tally);
                    kind.shed += 1;
                    kind.refusals.push(began.elapsed());
                }
                503 => return Ok(None),
                status => {
                    tally.other += 1;
                    let text = format!("POST {path}: {status} {}", String::from_utf8_lossy(&answer.body));
                    tally.surprise.get_or_insert(text);
                    return Ok(None);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_compared_between_its_thirds() {
        assert_eq!(thirds(&[1.0, 3.0, 9.0, 9.0, 2.0, 1.0]), (3.0, 2.0));
        assert_eq!(thirds(&[5.0]), (5.0, 5.0));
    }
}
