//! Fetches that wait for a task (long polls). They are woken as soon as there may be one: by a new task, an unlock, a
//! lock that runs out, a retry time that comes.
//!
//! A waking is tried by one waiter after the other, in the order in which they came, until there is nothing left to
//! try it on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use handoff_machine::Millis;

use super::FetchRequest;
use crate::service::command::PendingFetch;

/// At most so many waiters of one topic try in one commit.
const TRIES_MAX: usize = 64;

/// How a waiter's try came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::service) enum Turnout {
    /// It got tasks.
    Served,
    /// There was nothing for it.
    Empty,
}

/// Something may be there to be fetched.
struct Waking {
    /// How many tasks, as far as is known.
    tasks: usize,
    /// All waiters up to this one have tried.
    tried: u64,
}

/// All that wait.
pub(in crate::service) struct Waiters {
    waiting: BTreeMap<u64, PendingFetch>,
    by_topic: HashMap<String, BTreeSet<u64>>,
    deadlines: BTreeSet<(Millis, u64)>,
    /// When a task of a topic with waiters is offered by the passing of time: the earliest for each.
    offers: HashMap<String, Millis>,
    woken: HashMap<String, Waking>,
    capacity: usize,
    last: u64,
}

impl Waiters {
    pub(in crate::service) fn new(capacity: usize) -> Self {
        Self {
            waiting: BTreeMap::new(),
            by_topic: HashMap::new(),
            deadlines: BTreeSet::new(),
            offers: HashMap::new(),
            woken: HashMap::new(),
            capacity,
            last: 0,
        }
    }

    /// Whether one more may wait. Those whose client has gone make room.
    pub(in crate::service) fn has_room(&mut self) -> bool {
        if self.waiting.len() >= self.capacity {
            let gone: Vec<u64> = self
                .waiting
                .iter()
                .filter(|(_, fetch)| fetch.reply.is_closed())
                .map(|(number, _)| *number)
                .collect();
            for number in gone {
                self.take(number);
            }
        }
        self.waiting.len() < self.capacity
    }

    /// Lets a fetch wait until `deadline`; one that has waited before keeps its place.
    pub(in crate::service) fn wait(&mut self, mut fetch: PendingFetch, deadline: Millis) {
        let (number, deadline) = fetch.waiting.unwrap_or_else(|| {
            self.last += 1;
            (self.last, deadline)
        });
        fetch.waiting = Some((number, deadline));
        for topic in &fetch.request.topics {
            self.by_topic.entry(topic.name.clone()).or_default().insert(number);
        }
        self.deadlines.insert((deadline, number));
        self.waiting.insert(number, fetch);
        metrics::gauge!("handoff_engine_waiting_fetches").set(self.waiting.len() as f64);
    }

    /// The topics of a request for which it is not known when time will offer a task.
    pub(in crate::service) fn topics_without_offer<'r>(&self, request: &'r FetchRequest) -> Vec<&'r str> {
        let names = request.topics.iter().map(|topic| topic.name.as_str());
        names.filter(|name| !self.offers.contains_key(*name)).collect()
    }

    /// Time will offer a task of a topic at `at`.
    pub(in crate::service) fn offer(&mut self, topic: &str, at: Millis) {
        if self.by_topic.contains_key(topic) {
            let next = self.offers.entry(topic.to_owned()).or_insert(at);
            *next = at.min(*next);
        }
    }

    /// There may be `tasks` more tasks of a topic.
    pub(in crate::service) fn wake(&mut self, topic: &str, tasks: usize) {
        if !self.by_topic.contains_key(topic) {
            return;
        }
        let waking = self
            .woken
            .entry(topic.to_owned())
            .or_insert(Waking { tasks: 0, tried: 0 });
        waking.tasks = waking.tasks.saturating_add(tasks);
        // New tasks may suit those who found nothing among the old.
        waking.tried = 0;
    }

    /// Time has offered tasks: wakes their topics.
    pub(in crate::service) fn wake_offers(&mut self, now: Millis) {
        let due: Vec<String> = self
            .offers
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(topic, _)| topic.clone())
            .collect();
        for topic in due {
            self.offers.remove(&topic);
            self.wake(&topic, usize::MAX);
        }
    }

    /// Takes those who try next. Each must come back by [`Waiters::wait`], or be answered.
    pub(in crate::service) fn take_woken(&mut self) -> Vec<PendingFetch> {
        let mut numbers = BTreeSet::new();
        let by_topic = &self.by_topic;
        self.woken.retain(|topic, waking| {
            let Some(line) = by_topic.get(topic) else { return false };
            let before = numbers.len();
            for number in line.range(waking.tried + 1..).take(waking.tasks.min(TRIES_MAX)) {
                waking.tried = *number;
                numbers.insert(*number);
            }
            numbers.len() > before
        });
        self.take_open(numbers)
    }

    /// Takes those who try in the very transaction that makes so many tasks of these topics. Each must come back by
    /// [`Waiters::wait`], or be answered.
    pub(in crate::service) fn take_for(&mut self, tasks: &BTreeMap<&str, usize>) -> Vec<PendingFetch> {
        let mut numbers = BTreeSet::new();
        for (topic, tasks) in tasks {
            if let Some(line) = self.by_topic.get(*topic) {
                numbers.extend(line.iter().take((*tasks).min(TRIES_MAX)));
            }
        }
        self.take_open(numbers)
    }

    /// Notes how a try came out: who wants any task of a topic and finds none has shown that there is none.
    pub(in crate::service) fn tried(&mut self, request: &FetchRequest, turnout: Turnout, tasks: usize) {
        for topic in &request.topics {
            let Some(waking) = self.woken.get_mut(&topic.name) else {
                continue;
            };
            match turnout {
                Turnout::Served if waking.tasks != usize::MAX => waking.tasks = waking.tasks.saturating_sub(tasks),
                Turnout::Empty if topic.is_unfiltered() => waking.tasks = 0,
                Turnout::Served | Turnout::Empty => {}
            }
            if waking.tasks == 0 {
                self.woken.remove(&topic.name);
            }
        }
    }

    /// Takes those whose time is over.
    pub(in crate::service) fn take_late(&mut self, now: Millis) -> Vec<PendingFetch> {
        let late: Vec<u64> = self
            .deadlines
            .iter()
            .take_while(|(deadline, _)| *deadline <= now)
            .map(|(_, number)| *number)
            .collect();
        late.into_iter().filter_map(|number| self.take(number)).collect()
    }

    /// The clock was set back by `millis`: who waits, waits for as long as before.
    pub(in crate::service) fn set_back(&mut self, millis: Millis) {
        self.deadlines.clear();
        for (number, fetch) in &mut self.waiting {
            if let Some((_, deadline)) = &mut fetch.waiting {
                *deadline -= millis;
                self.deadlines.insert((*deadline, *number));
            }
        }
    }

    /// Takes all.
    pub(in crate::service) fn take_all(&mut self) -> Vec<PendingFetch> {
        let numbers: Vec<u64> = self.waiting.keys().copied().collect();
        numbers.into_iter().filter_map(|number| self.take(number)).collect()
    }

    /// When there is something to do.
    pub(in crate::service) fn next(&self, now: Millis) -> Option<Millis> {
        if !self.woken.is_empty() {
            return Some(now);
        }
        let deadline = self.deadlines.first().map(|(deadline, _)| *deadline);
        deadline.into_iter().chain(self.offers.values().copied()).min()
    }

    /// Takes these, but for those whose client has gone.
    fn take_open(&mut self, numbers: BTreeSet<u64>) -> Vec<PendingFetch> {
        numbers
            .into_iter()
            .filter_map(|number| self.take(number))
            .filter(|fetch| !fetch.reply.is_closed())
            .collect()
    }

    fn take(&mut self, number: u64) -> Option<PendingFetch> {
        let fetch = self.waiting.remove(&number)?;
        if let Some((_, deadline)) = fetch.waiting {
            self.deadlines.remove(&(deadline, number));
        }
        for topic in &fetch.request.topics {
            if let Some(line) = self.by_topic.get_mut(&topic.name) {
                line.remove(&number);
                if line.is_empty() {
                    self.by_topic.remove(&topic.name);
                    self.offers.remove(&topic.name);
                }
            }
        }
        metrics::gauge!("handoff_engine_waiting_fetches").set(self.waiting.len() as f64);
        Some(fetch)
    }
}
