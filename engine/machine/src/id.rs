//! Ids and instants.
//!
//! Inside, an id is one 63-bit integer that grows with time: the primary key of its row. Outside, it is a UUID of
//! version 7 that carries the same integer and the [`Node`] of its database, so that no second index is needed to
//! find a row by its UUID, and the ids of two databases never meet.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// The bits of an [`Id`] below its milliseconds: about a million ids in a millisecond.
pub const SEQUENCE_BITS: u32 = 20;

/// The key of a row: milliseconds since 1970 in the upper 43 bits, a sequence in the lower 20. Never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(pub i64);

/// 54 random bits that a database draws when it is made. They are a part of every id outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node(u64);

impl Node {
    const MASK: u64 = (1 << 54) - 1;

    /// Takes the lower 54 bits.
    #[must_use]
    pub fn new(bits: u64) -> Self {
        Self(bits & Self::MASK)
    }

    /// The 54 bits.
    #[must_use]
    pub fn bits(self) -> u64 {
        self.0
    }
}

impl Id {
    /// The first id of a millisecond.
    #[must_use]
    pub fn first_at(now: Millis) -> Self {
        Self(now.clamp(0, (1 << 43) - 1) << SEQUENCE_BITS)
    }

    /// The UUID by which the outside knows this row.
    #[must_use]
    pub fn to_uuid(self, node: Node) -> uuid::Uuid {
        let key = self.0 as u64;
        let millis = key >> SEQUENCE_BITS;
        let sequence = key & ((1 << SEQUENCE_BITS) - 1);
        let high = (millis << 16) | 0x7000 | (sequence >> 8);
        let low = (0b10 << 62) | ((sequence & 0xff) << 54) | node.0;
        uuid::Uuid::from_u64_pair(high, low)
    }

    /// The row that the outside means by a UUID; none where it is not one of this database's.
    #[must_use]
    pub fn parse(text: &str, node: Node) -> Option<Self> {
        let (high, low) = uuid::Uuid::try_parse(text).ok()?.as_u64_pair();
        let canonical = text.len() == 36;
        if !canonical || high & 0xf000 != 0x7000 || low >> 62 != 0b10 || low & Node::MASK != node.0 {
            return None;
        }
        let sequence = ((high & 0xfff) << 8) | ((low >> 54) & 0xff);
        let millis = high >> 16;
        (millis < 1 << 43).then_some(Self(((millis << SEQUENCE_BITS) | sequence) as i64))
    }

    /// The id as text, for messages and expressions.
    #[must_use]
    pub fn text(self, node: Node) -> String {
        let mut text = uuid::Uuid::encode_buffer();
        self.to_uuid(node).hyphenated().encode_lower(&mut text).to_owned()
    }
}

/// The bare key, for logs. Answers use [`Id::to_uuid`].
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_uuid_gives_back_its_key(key in 0..i64::MAX, bits: u64) {
            let node = Node::new(bits);
            let text = Id(key).text(node);
            prop_assert_eq!(Id::parse(&text, node), Some(Id(key)));
            prop_assert_eq!(Id::parse(&text, Node::new(bits ^ 1)), None);
        }

        #[test]
        fn later_keys_sort_later(a in 0..i64::MAX, b in 0..i64::MAX, bits: u64) {
            let node = Node::new(bits);
            prop_assert_eq!(a.cmp(&b), Id(a).text(node).cmp(&Id(b).text(node)));
        }
    }
}
