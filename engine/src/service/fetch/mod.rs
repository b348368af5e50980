//! Fetching external tasks: which are offered, locking them, and those who wait for one.

mod lock;
mod request;
mod select;
mod waiters;

pub(super) use self::lock::{lock, take_back};
pub use self::request::{CreateOrder, FetchRequest, FetchTopic, LockedTask};
pub(super) use self::select::{next_offer, select};
pub(super) use self::waiters::{Turnout, Waiters};
