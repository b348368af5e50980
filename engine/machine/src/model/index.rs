//! Positions in a model's tables.

/// The position of an element in its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElementIx(pub(super) u32);

/// The position of a sequence flow in its process: XML order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowIx(pub(super) u32);

impl ElementIx {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl FlowIx {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}
