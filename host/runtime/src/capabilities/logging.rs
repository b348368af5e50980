//! `logging`: structured lines, with the bounds of the call's log.

use crate::{
    bindings::imports::logging::{Host, Level},
    state::RunState,
};

impl Host for RunState {
    fn log(&mut self, level: Level, message: String, fields: Vec<(String, String)>) {
        self.run.log.line(level, "log", &message, &fields);
    }
}
