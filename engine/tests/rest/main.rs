//! The engine's REST over real sockets: the recordings of a real Camunda 7.24, bad input, long polls, starting once,
//! authentication, and what clients are known to send.

mod access;
mod attachments;
mod bad_input;
mod breadth;
mod clients;
mod conditions;
mod conformance;
mod drain;
mod forms;
mod levels;
mod long_poll;
mod models;
mod official;
mod once;
mod player;
mod recordings;
mod schemathesis;
mod server;
mod tasks;
