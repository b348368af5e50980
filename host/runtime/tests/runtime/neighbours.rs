//! What a guest that computes for ever costs the others.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use handoff_runtime::WorkerVersion;
use tokio_util::sync::CancellationToken;

use crate::support::*;

/// How much the neighbours' 99th percentile may rise.
const RISE: Duration = Duration::from_millis(25);
const CALLS: usize = 200;
/// A machine that does other things too may spoil a measurement, but not each time.
const ROUNDS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn spinning_guests_leave_their_neighbours_alone() {
    let folder = Folder::open(&[
        ("spin", &spins(), &manifest("spin")),
        ("quick", &guest("worker", &handler("")), &manifest("quick")),
    ])
    .await;
    let processors = std::thread::available_parallelism().unwrap().get();
    let (spin, quick) = (folder.worker("spin"), folder.worker("quick"));
    let mut measured = Vec::new();
    for _ in 0..ROUNDS {
        let (alone, _) = measure(&quick).await;
        let cancel = CancellationToken::new();
        let spinning: Vec<_> = (0..processors)
            .map(|_| {
                let (worker, mut context) = (spin.clone(), within(Duration::from_secs(60)));
                context.cancel = cancel.clone();
                tokio::spawn(async move { worker.handle(task(vec![]), context).await })
            })
            .collect();
        while (spin.running() as usize) < processors {
            tokio::task::yield_now().await;
        }
        let (beside, stall) = measure(&quick).await;
        cancel.cancel();
        for task in spinning {
            task.await.unwrap().unwrap_err();
        }
        println!(
            "p99 alone {alone:?}, beside {processors} spinning guests {beside:?}; a thread wakes up {stall:?} late"
        );
        measured.push((alone, beside, stall));
        // A thread that only sleeps shows what the machine itself adds.
        if beside <= alone + RISE + stall {
            return;
        }
    }
    panic!("the neighbours wait in each round: {measured:?}");
}

/// The 99th percentiles of calls, one at a time, and of how late a sleeping thread wakes up meanwhile.
async fn measure(worker: &Arc<WorkerVersion>) -> (Duration, Duration) {
    const NAP: Duration = Duration::from_millis(1);
    let on = Arc::new(AtomicBool::new(true));
    let napping = {
        let on = on.clone();
        std::thread::spawn(move || {
            let mut late = Vec::new();
            while on.load(Ordering::Relaxed) {
                let asleep = Instant::now();
                std::thread::sleep(NAP);
                late.push(asleep.elapsed().saturating_sub(NAP));
            }
            p99(late)
        })
    };
    let mut times = Vec::new();
    for _ in 0..CALLS {
        let started = Instant::now();
        worker.handle(task(vec![]), call()).await.unwrap();
        times.push(started.elapsed());
    }
    on.store(false, Ordering::Relaxed);
    (p99(times), napping.join().unwrap())
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() * 99 / 100).copied().unwrap_or_default()
}
