//! Texts that are nearly right: what is right, with some of its symbols changed.

use std::ops::Range;

use proptest::prelude::*;

/// The longest text that comes of mutations, in bytes.
const LENGTH_MAX: usize = 1 << 18;

/// A change. Numbers that name places are taken modulo what there is.
#[derive(Clone, Debug)]
enum Mutation {
    Remove {
        at: usize,
        count: usize,
    },
    Repeat {
        at: usize,
        count: usize,
        times: usize,
    },
    Swap {
        at: usize,
        with: usize,
        count: usize,
    },
    /// Symbols of another text are put in.
    Graft {
        from: usize,
        start: usize,
        count: usize,
        at: usize,
    },
    /// A symbol that means something is put in, or takes another one's place.
    Word {
        word: usize,
        at: usize,
        replaces: bool,
    },
    /// What opens and closes goes around symbols, many times over.
    Nest {
        pair: usize,
        at: usize,
        count: usize,
        depth: usize,
    },
    Cut {
        at: usize,
    },
    /// A value between quotes becomes another one of its text, or a word.
    Value {
        at: usize,
        with: usize,
        word: bool,
    },
    /// A whole element goes, or comes a second time elsewhere.
    Element {
        at: usize,
        to: usize,
        goes: bool,
        comes: bool,
    },
}

/// What a kind of text is made of.
#[derive(Clone, Copy)]
pub(super) struct Language {
    /// Symbols that mean something.
    pub(super) words: &'static [&'static str],
    /// What opens, and what closes it.
    pub(super) pairs: &'static [(&'static str, &'static str)],
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let any = proptest::arbitrary::any::<usize>;
    prop_oneof![
        3 => (any(), 1..8_usize).prop_map(|(at, count)| Mutation::Remove { at, count }),
        2 => (any(), 1..12_usize, prop_oneof![4 => 1..4_usize, 1 => 4..6_000_usize])
            .prop_map(|(at, count, times)| Mutation::Repeat { at, count, times }),
        2 => (any(), any(), 1..6_usize).prop_map(|(at, with, count)| Mutation::Swap { at, with, count }),
        3 => (any(), any(), 1..40_usize, any())
            .prop_map(|(from, start, count, at)| Mutation::Graft { from, start, count, at }),
        5 => (any(), any(), prop::bool::ANY).prop_map(|(word, at, replaces)| Mutation::Word { word, at, replaces }),
        2 => (any(), any(), 0..30_usize, prop_oneof![4 => 1..4_usize, 2 => 20..130_usize, 1 => 1_000..4_000_usize])
            .prop_map(|(pair, at, count, depth)| Mutation::Nest { pair, at, count, depth }),
        1 => any().prop_map(|at| Mutation::Cut { at }),
    ]
}

/// Changes that leave XML well-formed, mostly, so that they are seen behind its parser.
fn xml_mutation() -> impl Strategy<Value = Mutation> {
    let any = proptest::arbitrary::any::<usize>;
    prop_oneof![
        8 => (any(), any(), prop::bool::weighted(0.3)).prop_map(|(at, with, word)| Mutation::Value { at, with, word }),
        8 => (any(), any(), prop::bool::ANY, prop::bool::ANY)
            .prop_map(|(at, to, goes, comes)| Mutation::Element { at, to, goes, comes }),
        1 => mutation(),
    ]
}

/// Texts of a corpus with a few changes.
pub(super) fn mutated(corpus: &'static [String], language: Language) -> impl Strategy<Value = String> {
    changed(corpus, language, mutation())
}

/// Files in XML of a corpus with a few changes.
pub(super) fn mutated_xml(corpus: &'static [String], language: Language) -> impl Strategy<Value = String> {
    changed(corpus, language, xml_mutation())
}

fn changed(
    corpus: &'static [String],
    language: Language,
    mutation: impl Strategy<Value = Mutation>,
) -> impl Strategy<Value = String> {
    let mutations = prop::collection::vec(mutation, 0..6);
    (0..corpus.len(), mutations).prop_map(move |(of, mutations)| {
        let mut symbols = symbols(&corpus[of]);
        for mutation in &mutations {
            apply(mutation, &mut symbols, corpus, language);
        }
        let mut text = symbols.concat();
        if text.len() > LENGTH_MAX {
            let end = (0..=LENGTH_MAX).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(end.unwrap_or(0));
        }
        text
    })
}

/// Words, white space, and all other characters one by one.
fn symbols(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 1,
        c if c.is_whitespace() => 2,
        _ => 0,
    };
    let mut symbols = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (at, c) in text.char_indices() {
        let kind = kind(c);
        if at > start && (kind == 0 || before != Some(kind)) {
            symbols.push(&text[start..at]);
            start = at;
        }
        before = Some(kind);
    }
    symbols.push(&text[start..]);
    symbols
}

fn apply<'t>(mutation: &Mutation, symbols: &mut Vec<&'t str>, corpus: &'t [String], language: Language) {
    let place = |at: usize| at % (symbols.len() + 1);
    let range = |at: usize, count: usize| {
        let start = at % (symbols.len() + 1);
        start..(start + count).min(symbols.len())
    };
    match mutation {
        Mutation::Remove { at, count } => {
            symbols.drain(range(*at, *count));
        }
        Mutation::Repeat { at, count, times } => {
            let range = range(*at, *count);
            let repeated = symbols[range.clone()].repeat(*times);
            symbols.splice(range.end..range.end, repeated);
        }
        Mutation::Swap { at, with, count } => {
            let (one, other) = (range(*at, *count), range(*with, *count));
            for (one, other) in one.zip(other) {
                symbols.swap(one, other);
            }
        }
        Mutation::Graft { from, start, count, at } => {
            let other = self::symbols(&corpus[from % corpus.len()]);
            let start = start % other.len();
            let end = (start + count).min(other.len());
            let at = place(*at);
            symbols.splice(at..at, other[start..end].iter().copied());
        }
        Mutation::Word { word, at, replaces } => {
            let at = place(*at);
            let end = (at + usize::from(*replaces)).min(symbols.len());
            symbols.splice(at..end, [language.words[word % language.words.len()]]);
        }
        Mutation::Nest { pair, at, count, depth } => {
            let (open, close) = language.pairs[pair % language.pairs.len()];
            let range = range(*at, *count);
            symbols.splice(range.end..range.end, [close].repeat(*depth));
            symbols.splice(range.start..range.start, [open].repeat(*depth));
        }
        Mutation::Cut { at } => symbols.truncate(place(*at)),
        Mutation::Value { at, with, word } => {
            let values = values(symbols);
            let Some(value) = pick(&values, *at) else { return };
            let new = match (word, pick(&values, *with)) {
                (false, Some(other)) => symbols[other.clone()].to_vec(),
                _ => vec![language.words[with % language.words.len()]],
            };
            symbols.splice(value.clone(), new);
        }
        Mutation::Element { at, to, goes, comes } => {
            let elements = elements(symbols);
            let Some(element) = pick(&elements, *at) else { return };
            let copy = symbols[element.clone()].to_vec();
            let place = pick(&elements, *to).map_or(element.start, |other| other.start);
            let outside = !element.contains(&place);
            if *comes && place >= element.end {
                symbols.splice(place..place, copy.iter().copied());
            }
            if *goes {
                symbols.drain(element.clone());
            }
            if *comes && outside && place < element.start {
                symbols.splice(place..place, copy);
            }
        }
    }
}

fn pick<T>(from: &[T], at: usize) -> Option<&T> {
    from.get(at.checked_rem(from.len())?)
}

/// What is between the quotes of attributes.
fn values(symbols: &[&str]) -> Vec<Range<usize>> {
    let quotes: Vec<usize> = (0..symbols.len()).filter(|at| symbols[*at] == "\"").collect();
    quotes.chunks_exact(2).map(|pair| pair[0] + 1..pair[1]).collect()
}

/// The elements within the outermost one, from `<` to behind `>`.
fn elements(symbols: &[&str]) -> Vec<Range<usize>> {
    let (mut found, mut open) = (Vec::new(), Vec::new());
    for at in 0..symbols.len() {
        let behind = |ahead: usize| symbols.get(at + ahead).copied();
        match (symbols[at], behind(1), behind(2)) {
            ("<", Some("/"), _) => {
                let end = symbols[at..].iter().position(|symbol| *symbol == ">");
                if let (Some(start), Some(end)) = (open.pop(), end) {
                    found.push(start..at + end + 1);
                }
            }
            ("<", Some("!" | "?"), _) => {}
            ("<", ..) => open.push(at),
            ("/", Some(">"), _) => found.extend(open.pop().map(|start| start..at + 2)),
            _ => {}
        }
    }
    found.retain(|element| element.start > open.first().copied().unwrap_or(0) && element.len() < symbols.len() / 2);
    found
}
