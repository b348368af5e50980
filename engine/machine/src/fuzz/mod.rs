//! Fuzzing, on stable Rust and as a part of the tests: whatever is read, nothing panics, overflows the stack or runs on.
//!
//! Inputs are what has been recorded, mutated by its symbols ([`mutation`]), and texts of a grammar. Each follows from a
//! seed ([`each_seed`]); one that fails is made smaller before it is told.

mod bpmn;
mod corpus;
mod dmn;
mod feel;
mod juel;
mod large;
mod mutation;

use std::time::Duration;

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use crate::testing::each_seed;

/// The longest that one input may take: far more than any needs, even without optimisation beside other tests.
const LIMIT: Duration = Duration::from_secs(60);

/// Tries `test` with the inputs of as many seeds.
fn fuzz<S, T>(seeds: u64, strategy: impl Fn() -> S + Send + Sync + 'static, test: T)
where
    S: Strategy,
    T: Fn(S::Value) + Send + Sync + 'static,
{
    each_seed(seeds, LIMIT, move |seed| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let config = Config {
            failure_persistence: None,
            max_shrink_time: 20_000,
            ..Config::default()
        };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let tree = strategy().new_tree(&mut runner).unwrap();
        // Of one that does not come back nothing else is told.
        if std::env::var_os("HANDOFF_SEED").is_some() {
            println!("{:?}", tree.current());
        }
        let tried = runner.run_one(tree, |input| {
            test(input);
            Ok(())
        });
        if let Err(TestError::Fail(reason, input)) = tried {
            panic!("{reason}: {input:?}");
        }
    });
}
