//! Values: literals, names, brackets, contexts, and what begins with a keyword.

use std::sync::Arc;

use super::{Parsed, Parser};
use crate::feel::ast::{Node, Source};
use crate::feel::lexer::Token;
use crate::feel::value::Feel;
use crate::feel::{names, temporal};

impl Parser {
    pub(super) fn primary(&mut self) -> Parsed {
        match self.token().clone() {
            Token::Number(number) => {
                self.next += 1;
                Ok(Node::Literal(Feel::Number(number)))
            }
            Token::Text(text) => {
                self.next += 1;
                Ok(Node::Literal(Feel::text(text)))
            }
            Token::Quoted(name) => {
                self.next += 1;
                Ok(Node::Name(name.into()))
            }
            Token::Sign("?") => {
                self.next += 1;
                self.saw_input = true;
                Ok(Node::Input)
            }
            Token::Sign("@") => {
                self.next += 1;
                match self.advance() {
                    Token::Text(text) => Ok(Node::Literal(temporal::literal(&text))),
                    _ => {
                        self.next -= 1;
                        self.fail("a text")
                    }
                }
            }
            Token::Sign("{") => self.context(),
            Token::Sign(open @ ("[" | "(" | "]")) => self.bracketed(open),
            Token::Word(word) => self.word(&word),
            Token::Sign(_) | Token::End => self.fail("an expression"),
        }
    }

    /// A list, an interval, or an expression in brackets.
    fn bracketed(&mut self, open: &'static str) -> Parsed {
        self.next += 1;
        if open == "[" && self.accept("]") {
            return Ok(Node::List(Vec::new()));
        }
        let first = self.expression()?;
        if self.accept("..") {
            return self.interval_end(first, open == "[");
        }
        match open {
            "(" => {
                self.expect(")")?;
                Ok(first)
            }
            "[" => {
                let mut items = vec![first];
                while self.accept(",") {
                    items.push(self.expression()?);
                }
                self.expect("]")?;
                Ok(Node::List(items))
            }
            _ => self.fail("'..'"),
        }
    }

    /// The rest of an interval behind its `..`: both ends, and which of them belong to it.
    pub(super) fn interval_end(&mut self, start: Node, closed_start: bool) -> Parsed {
        let end = self.deeper(|parser| parser.binary(1))?;
        let closed = match self.advance() {
            Token::Sign("]") => true,
            Token::Sign(")" | "[") => false,
            _ => {
                self.next -= 1;
                return self.fail("the end of the interval");
            }
        };
        Ok(Node::Range(Box::new((start, end)), [closed_start, closed]))
    }

    fn context(&mut self) -> Parsed {
        self.next += 1;
        let mut entries = Vec::new();
        if self.accept("}") {
            return Ok(Node::Context(entries));
        }
        loop {
            let key = match self.token().clone() {
                Token::Text(text) => {
                    self.next += 1;
                    Arc::from(text)
                }
                _ => match self.argument_name() {
                    Some((name, length)) => {
                        self.next += length;
                        name
                    }
                    None => return self.fail("a key"),
                },
            };
            self.expect(":")?;
            entries.push((key, self.expression()?));
            if self.accept("}") {
                return Ok(Node::Context(entries));
            }
            self.expect(",")?;
        }
    }

    /// A keyword, a call or a variable.
    fn word(&mut self, word: &str) -> Parsed {
        if let Some((name, length)) = self.called() {
            self.next += length;
            return Ok(Node::Call(name, self.arguments()?));
        }
        match word {
            "true" | "false" => {
                self.next += 1;
                Ok(Node::Literal(Feel::Boolean(word == "true")))
            }
            "null" => {
                self.next += 1;
                Ok(Node::Literal(Feel::Null))
            }
            "if" => {
                self.next += 1;
                let condition = self.expression()?;
                self.expect_word("then")?;
                let yes = self.expression()?;
                self.expect_word("else")?;
                Ok(Node::If(Box::new((condition, yes, self.expression()?))))
            }
            "for" => {
                self.next += 1;
                let sources = self.sources()?;
                self.expect_word("return")?;
                Ok(Node::For(sources, Box::new(self.expression()?)))
            }
            "some" | "every" => {
                self.next += 1;
                let sources = self.sources()?;
                self.expect_word("satisfies")?;
                Ok(Node::Quantified(word == "some", sources, Box::new(self.expression()?)))
            }
            "function" => self.function(),
            _ => self.name().map(Node::Name),
        }
    }

    fn sources(&mut self) -> Parsed<Vec<(Arc<str>, Source)>> {
        let mut sources = Vec::new();
        loop {
            let name = self.name()?;
            self.expect_word("in")?;
            let first = self.expression()?;
            let source = match self.accept("..") {
                true => Source::Span(first, self.expression()?),
                false => Source::List(first),
            };
            sources.push((name, source));
            if !self.accept(",") {
                return Ok(sources);
            }
        }
    }

    fn function(&mut self) -> Parsed {
        self.next += 1;
        self.expect("(")?;
        let mut parameters = Vec::new();
        while !self.accept(")") {
            parameters.push(self.name()?);
            if self.accept(":") {
                self.type_name()?;
            }
            if !self.is_sign(")") {
                self.expect(",")?;
            }
        }
        Ok(Node::Function(parameters, Arc::new(self.expression()?)))
    }

    /// The name of a function that is called here, and how many symbols it is.
    fn called(&self) -> Option<(Arc<str>, usize)> {
        for name in names::WITH_KEYWORDS {
            let words = name.split(' ').count();
            let here = name
                .split(' ')
                .enumerate()
                .all(|(ahead, word)| self.is_word(ahead, word));
            if here && matches!(self.peek(words), Token::Sign("(")) {
                return Some((name.into(), words));
            }
        }
        let mut words = Vec::new();
        loop {
            match self.peek(words.len()) {
                Token::Word(word) if word == "of" || !names::KEYWORDS.contains(&word.as_str()) => {
                    words.push(word.as_str());
                }
                Token::Sign("(") if !words.is_empty() => return Some((words.join(" ").into(), words.len())),
                _ => return None,
            }
        }
    }
}
