//! Outbound `wasi:http`, to what is granted.

pub mod rules;
