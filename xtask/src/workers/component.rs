//! Components: made of modules for WASI 0.1, and checked to be workers.

use anyhow::{Context, Result, bail};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, DecodedWasm};

/// The contract's package; what a worker exports is one of its interfaces.
const CONTRACT: &str = "handoff:worker/";

/// Makes a component of a module that was built for `wasm32-wasip1`. The adapter turns its calls of WASI 0.1 into calls of
/// WASI 0.2, so that it is what a build for `wasm32-wasip2` is.
///
/// # Errors
/// The module's imports and exports are not those of the world that is written in it.
pub(crate) fn from_module(module: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ComponentEncoder::default().validate(true).module(module)?.adapter(
        WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
        WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
    )?;
    encoder.encode().context("make a component of the module")
}

/// Checks that a component exports a handler, a delegate or both, and says which.
///
/// # Errors
/// It is no component, or exports neither.
pub(crate) fn check(component: &[u8]) -> Result<Vec<String>> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
        bail!("this is a WIT package, no component");
    };
    let exports = &resolve.worlds[world].exports;
    let of_contract: Vec<_> = exports
        .keys()
        .map(|key| resolve.name_world_key(key))
        .filter_map(|name| name.strip_prefix(CONTRACT).map(str::to_owned))
        .collect();
    if of_contract.is_empty() {
        bail!("it exports neither {CONTRACT}handler nor {CONTRACT}delegate");
    }
    Ok(of_contract)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_worker_is_refused() {
        assert!(
            check(b"\0asm\x0d\0\x01\0").is_err(),
            "an empty component exports nothing"
        );
        assert!(check(b"not WebAssembly").is_err());
        assert!(from_module(b"\0asm\x01\0\0\0").is_ok_and(|component| check(&component).is_err()));
    }
}
