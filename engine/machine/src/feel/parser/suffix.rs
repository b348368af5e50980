//! What follows a value: properties, filters, arguments.

use std::sync::Arc;

use super::{Parsed, Parser};
use crate::feel::ast::{Arguments, Node};
use crate::feel::lexer::Token;
use crate::feel::names;

impl Parser {
    pub(super) fn suffixed(&mut self) -> Parsed {
        let mut node = self.primary()?;
        loop {
            if self.accept(".") {
                node = Node::Path(Box::new(node), self.property()?);
            } else if self.is_sign("[") && !self.is_interval_end() {
                self.next += 1;
                let filter = self.expression()?;
                self.expect("]")?;
                node = Node::Filter(Box::new((node, filter)));
            } else if self.is_sign("(") && matches!(node, Node::Path(..) | Node::Function(..) | Node::Invoke(..)) {
                node = Node::Invoke(Box::new(node), self.arguments()?);
            } else {
                return Ok(node);
            }
        }
    }

    /// Whether the bracket closes an interval: `[1..5[`.
    fn is_interval_end(&self) -> bool {
        matches!(
            self.peek(1),
            Token::End | Token::Sign("," | ")" | "]" | "}") | Token::Word(_)
        ) && self.tokens[..self.next]
            .iter()
            .rev()
            .take(16)
            .any(|(token, _)| *token == Token::Sign(".."))
            && !matches!(self.peek(1), Token::Word(word) if !names::KEYWORDS.contains(&word.as_str()))
    }

    fn property(&mut self) -> Parsed<Arc<str>> {
        match self.advance() {
            Token::Word(word) => {
                if let Token::Word(second) = self.token() {
                    let both = format!("{word} {second}");
                    if names::PROPERTIES.contains(&both.as_str()) {
                        self.next += 1;
                        return Ok(both.into());
                    }
                }
                Ok(word.into())
            }
            Token::Quoted(name) => Ok(name.into()),
            _ => {
                self.next -= 1;
                self.fail("the name of a property")
            }
        }
    }

    pub(super) fn name(&mut self) -> Parsed<Arc<str>> {
        match self.advance() {
            Token::Word(word) if !names::KEYWORDS.contains(&word.as_str()) => Ok(word.into()),
            Token::Quoted(name) => Ok(name.into()),
            _ => {
                self.next -= 1;
                self.fail("a name")
            }
        }
    }

    pub(super) fn arguments(&mut self) -> Parsed<Arguments> {
        self.expect("(")?;
        if self.accept(")") {
            return Ok(Arguments::Positional(Vec::new()));
        }
        let mut named = Vec::new();
        while let Some((name, length)) = self.argument_name() {
            self.next += length + 1;
            named.push((name, self.expression()?));
            if !self.accept(",") {
                break;
            }
        }
        if !named.is_empty() {
            self.expect(")")?;
            return Ok(Arguments::Named(named));
        }
        let mut positional = vec![self.expression()?];
        while self.accept(",") {
            positional.push(self.expression()?);
        }
        self.expect(")")?;
        Ok(Arguments::Positional(positional))
    }

    /// Words before a colon, and how many symbols they are.
    pub(super) fn argument_name(&self) -> Option<(Arc<str>, usize)> {
        let mut words = Vec::new();
        loop {
            match self.peek(words.len()) {
                Token::Word(word) | Token::Quoted(word) => words.push(word.as_str()),
                Token::Sign(":") if !words.is_empty() => return Some((words.join(" ").into(), words.len())),
                _ => return None,
            }
        }
    }
}
