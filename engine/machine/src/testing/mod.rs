//! For tests: rows in memory, and an engine of one thread and no disk around the machine.

mod driver;
mod memory;

pub use self::driver::{Driver, Responder};
pub use self::memory::Memory;
