//! For tests: rows in memory, an engine of one thread and no disk around the machine, and runs by seeds.

mod driver;
mod memory;
mod seeds;

pub use self::driver::{Driver, Responder};
pub use self::memory::Memory;
pub use self::seeds::{bounded, each_seed};
