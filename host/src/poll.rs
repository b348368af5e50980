//! Long polls of one engine.
//!
//! One poll asks for all topics that have free slots. While it waits, a topic that becomes free (a slot of a worker at
//! its cap, a new worker) does not wait for it: a further lane asks for that topic, up to the configured number of
//! polls. The last lane waits only shortly, so that there is always one that comes free soon; the first lane takes
//! everything over again when it returns.
//!
//! `maxTasks` is what can run now. Since it holds for all topics of a poll, it is bounded by the topic with the fewest
//! free slots; when that turns out to keep others back, the first lane leaves such topics to the next one.
//!
//! Errors back off with jitter; empty answers do not, unless an engine gives them without waiting. Without topics
//! nothing is sent.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use handoff_runtime::TopicSubscription;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    config::EngineConfig,
    dispatch::{Dispatcher, Line},
    engines::{Fault, Features, Fetch, Fetched, Locked},
    health::Health,
    slots::Slots,
    sweep::Sweeper,
    worker::Workforce,
};

/// How long the last lane waits at most.
const LAST_LANE_WAIT: Duration = Duration::from_secs(1);
/// How long a busy host collects free slots before it fetches for them.
const REPLENISH: Duration = Duration::from_millis(4);

/// How much later than promised the poller may be heard of.
const LATE_MAX: Duration = Duration::from_secs(5);

/// Polls one engine.
#[derive(Clone)]
pub struct Poller {
    /// The engine.
    pub line: Line,
    /// What is known of it.
    pub health: Arc<Health>,
    /// Told of polls that ended badly.
    pub sweeper: Arc<Sweeper>,
    /// Takes the tasks.
    pub dispatcher: Arc<Dispatcher>,
    /// What bounds them.
    pub slots: Arc<Slots>,
    /// Who wants them.
    pub workforce: watch::Receiver<Arc<Workforce>>,
    /// How to poll.
    pub config: EngineConfig,
}

/// One poll that is under way.
struct Lane {
    topics: HashSet<String>,
    fetch: Fetch,
    sent: Instant,
    /// `maxTasks` is what one worker's cap left, and less than what others could take.
    kept_back: bool,
}

struct LaneEnd {
    index: usize,
    result: Result<Fetched, Fault>,
}

/// A topic that could be asked for.
struct Candidate<'a> {
    subscription: &'a TopicSubscription,
    free: u32,
}

impl Poller {
    /// Polls until `stop`, come what may, and lets go of the polls that are under way then; see [`Poller::let_go`]. True:
    /// answers are lost.
    pub async fn keep_running(self, stop: CancellationToken) -> bool {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
        loop {
            match tokio::spawn(self.clone().run(stop.clone())).await {
                Ok(abandoned) => return abandoned,
                Err(error) if error.is_cancelled() => return true,
                Err(error) => {
                    let engine = self.line.engine.name();
                    tracing::error!(engine, %error, "the poller panicked and is started again");
                    metrics::counter!("handoff_poller_restarts_total", "engine" => engine.to_owned()).increment(1);
                    self.sweeper.request(Instant::now() + self.config.long_poll());
                }
            }
            tokio::select! {
                () = stop.cancelled() => return true,
                () = tokio::time::sleep(backoff.next_wait()) => {}
            }
        }
    }

    /// See [`Poller::keep_running`].
    pub async fn run(mut self, stop: CancellationToken) -> bool {
        let mut lanes: Vec<Option<Lane>> = (0..self.config.polls).map(|_| None).collect();
        let mut polls: FuturesUnordered<BoxFuture<'static, LaneEnd>> = FuturesUnordered::new();
        let mut errors = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
        let mut hasty = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
        let mut not_before: Option<Instant> = None;
        let mut split = false;
        // Lowered where answers are too large, and raised again step by step.
        let most = self.config.max_tasks;
        // The last answer was as long as it could be: more tasks wait, and are fetched many at a time.
        let mut more_wait = false;
        loop {
            let enough = (self.config.max_tasks.min(self.slots.total()) / 4).max(1);
            let gathering = more_wait && self.slots.free() < enough;
            let workforce = self.workforce.borrow_and_update().clone();
            not_before = not_before.filter(|at| *at > Instant::now());
            let mut short_of_slots = Vec::new();
            while not_before.is_none() && !gathering {
                let Some(index) = lanes.iter().position(Option::is_none) else {
                    break;
                };
                let Some(lane) = self.plan(&workforce, &lanes, index, split, &mut short_of_slots) else {
                    break;
                };
                polls.push(self.poll(index, lane.fetch.clone()));
                lanes[index] = Some(lane);
            }
            if workforce.assignments(self.line.engine.name()).is_empty() {
                self.health.not_polled();
            }
            self.health.poller_due(self.due(&lanes, not_before));
            tokio::select! {
                biased;
                () = stop.cancelled() => return self.let_go(polls).await,
                Some(LaneEnd { index, result }) = polls.next(), if !polls.is_empty() => {
                    let Some(lane) = lanes[index].take() else { continue };
                    match result {
                        Ok(Fetched { tasks, cut }) => {
                            errors.reset();
                            let number = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
                            if cut.is_some() {
                                self.config.max_tasks = number.max(lane.fetch.max_tasks / 2);
                            } else if number > 0 {
                                self.config.max_tasks = most.min(self.config.max_tasks + 1);
                            }
                            more_wait = cut.is_some() || number >= lane.fetch.max_tasks;
                            if index == 0 {
                                split = lane.kept_back && more_wait;
                            }
                            if self.took(&lane, tasks, cut.as_ref()) {
                                hasty.reset();
                            } else if lane.sent.elapsed() < lane.fetch.wait / 2 {
                                not_before = Some(Instant::now() + hasty.next_wait());
                            }
                        }
                        Err(fault) => {
                            if matches!(fault, Fault::TooLarge(_)) {
                                self.config.max_tasks = (lane.fetch.max_tasks / 2).max(1);
                            }
                            not_before = Some(Instant::now() + self.failed(&lane, &fault, &mut errors));
                        }
                    }
                }
                changed = self.workforce.changed() => if changed.is_err() {
                    // Whoever says what to poll for has gone: so does this poller, when it is told to.
                    stop.cancelled().await;
                    return self.let_go(polls).await;
                },
                () = self.slots.gathered(enough, REPLENISH), if gathering && not_before.is_none() => more_wait = false,
                () = self.slots.replenished(&short_of_slots, enough, REPLENISH), if !short_of_slots.is_empty() && not_before.is_none() => {}
                () = until(not_before), if not_before.is_some() => {}
            }
        }
    }

    /// When this poller has to be heard of again; none while it waits for topics or slots.
    fn due(&self, lanes: &[Option<Lane>], not_before: Option<Instant>) -> Option<Instant> {
        let polls = lanes
            .iter()
            .flatten()
            .map(|lane| lane.sent + lane.fetch.wait + self.config.request_timeout() * 2);
        polls.chain(not_before).min().map(|due| due + LATE_MAX)
    }

    /// Ends the polls that are under way; true: there were some, whose answers are lost.
    ///
    /// An engine that does not notice that a client has gone serves its poll all the same, and locks tasks for it when
    /// nobody looks for them any more. So its polls are waited for, and what they bring is given back. The caller bounds
    /// the time.
    async fn let_go(&self, mut polls: FuturesUnordered<BoxFuture<'static, LaneEnd>>) -> bool {
        let serves_on = |features: &Features| !features.drops_abandoned_fetches;
        if !self.health.features().as_ref().is_some_and(serves_on) {
            return !polls.is_empty();
        }
        let engine = &*self.line.engine;
        let mut lost = false;
        while let Some(LaneEnd { result, .. }) = polls.next().await {
            match result {
                Ok(Fetched { tasks, cut }) => {
                    lost |= cut.is_some();
                    for locked in tasks {
                        lost |= engine.release(&locked.task.id.id).await.is_err();
                    }
                }
                Err(_) => lost = true,
            }
        }
        lost
    }

    fn poll(&self, index: usize, fetch: Fetch) -> BoxFuture<'static, LaneEnd> {
        let engine = self.line.engine.clone();
        Box::pin(async move {
            LaneEnd {
                index,
                result: engine.fetch(&fetch).await,
            }
        })
    }

    /// What lane `index` should ask for now, if anything.
    fn plan(
        &self,
        workforce: &Workforce,
        lanes: &[Option<Lane>],
        index: usize,
        split: bool,
        short_of_slots: &mut Vec<(String, u32)>,
    ) -> Option<Lane> {
        let covered = |topic: &str| lanes.iter().flatten().any(|lane| lane.topics.contains(topic));
        let mut candidates = Vec::new();
        for assignment in workforce.assignments(self.line.engine.name()) {
            let profile = assignment.worker.profile();
            // The first lane takes everything over; the others take what nobody asks for.
            if index > 0 && covered(&assignment.subscription.name) {
                continue;
            }
            match self.slots.free_for(&profile.name, profile.concurrency) {
                0 => short_of_slots.push((profile.name.clone(), profile.concurrency)),
                free => candidates.push(Candidate {
                    subscription: &assignment.subscription,
                    free,
                }),
            }
        }
        let most = candidates
            .iter()
            .map(|candidate| candidate.free)
            .max()?
            .min(self.config.max_tasks);
        if split && index == 0 && lanes.len() > 1 {
            candidates.retain(|candidate| candidate.free >= most.div_ceil(2));
        }
        candidates.truncate(self.line.engine.topics_per_fetch());
        let max_tasks = candidates
            .iter()
            .map(|candidate| candidate.free)
            .min()?
            .min(self.config.max_tasks);
        let last = index > 0 && index + 1 == lanes.len();
        Some(Lane {
            topics: candidates
                .iter()
                .map(|candidate| candidate.subscription.name.clone())
                .collect(),
            fetch: Fetch {
                subscriptions: candidates
                    .into_iter()
                    .map(|candidate| candidate.subscription.clone())
                    .collect(),
                max_tasks,
                priority: self.config.priority,
                order: self.config.order,
                wait: if last {
                    self.config.long_poll().min(LAST_LANE_WAIT)
                } else {
                    self.config.long_poll()
                },
                lock_duration: self.config.lock_duration(),
            },
            sent: Instant::now(),
            kept_back: max_tasks < most,
        })
    }

    /// Hands tasks over, and has those looked for that were cut off. False: there was no new one among them.
    fn took(&self, lane: &Lane, tasks: Vec<Locked>, cut: Option<&Fault>) -> bool {
        let engine = self.line.engine.name();
        self.health.polled(engine);
        let result = match cut {
            Some(fault) => fault.label(),
            None if tasks.is_empty() => "empty",
            None => "tasks",
        };
        metrics::counter!("handoff_polls_total", "engine" => engine.to_owned(), "result" => result).increment(1);
        if let Some(fault) = cut {
            tracing::warn!(engine, %fault, max_tasks = lane.fetch.max_tasks, tasks = tasks.len(), "a poll's answer was cut off");
            self.sweeper.request(Instant::now());
        }
        tracing::trace!(engine, tasks = tasks.len(), max_tasks = lane.fetch.max_tasks, "polled");
        let mut new = false;
        for task in tasks {
            new |= self.dispatcher.deliver(&self.line, task);
        }
        new
    }

    /// Notes a failed poll; answers how long to wait.
    fn failed(&self, lane: &Lane, fault: &Fault, errors: &mut Backoff) -> Duration {
        let engine = self.line.engine.name();
        metrics::counter!("handoff_polls_total", "engine" => engine.to_owned(), "result" => fault.label()).increment(1);
        self.health.poll_failed(engine, fault);
        if fault.may_have_had_effect() || matches!(fault, Fault::TooLarge(_)) {
            self.sweeper.request(lane.sent + lane.fetch.wait);
        }
        errors.next_wait_at_least(fault.retry_after())
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
