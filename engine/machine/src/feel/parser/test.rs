//! Tests: the entries of decision tables, and what follows `in` and `instance of`.

use std::sync::Arc;

use super::{COMPARISONS, Parsed, Parser};
use crate::feel::ast::{Node, Test, Tests};
use crate::feel::lexer::Token;

impl Parser {
    /// The entry of a decision table.
    pub(super) fn entry(&mut self) -> Parsed<Tests> {
        if matches!(self.peek(1), Token::End) {
            for (word, truth) in [("true", true), ("false", false)] {
                if self.accept_word(word) {
                    return Ok(Tests::Exactly(truth));
                }
            }
        }
        // `not(…)` denies all tests in it, but only where it is the whole entry.
        let start = self.next;
        if self.is_word(0, "not") && matches!(self.peek(1), Token::Sign("(")) {
            self.next += 2;
            if let Ok(tests) = self.list_of_tests()
                && self.accept(")")
                && *self.token() == Token::End
            {
                return Ok(Tests::OneOf(vec![Test::Not(tests)]));
            }
            self.next = start;
        }
        self.list_of_tests().map(Tests::OneOf)
    }

    fn list_of_tests(&mut self) -> Parsed<Vec<Test>> {
        let mut tests = vec![self.test()?];
        while self.accept(",") {
            tests.push(self.test()?);
        }
        Ok(tests)
    }

    fn test(&mut self) -> Parsed<Test> {
        for (sign, operator) in &COMPARISONS[2..] {
            if self.accept(sign) {
                return Ok(Test::Compare(*operator, self.binary(1)?));
            }
        }
        let before = std::mem::replace(&mut self.saw_input, false);
        let expression = self.expression();
        let names_input = std::mem::replace(&mut self.saw_input, before);
        Ok(match expression? {
            Node::Range(ends, closed) => Test::Range(ends, closed),
            expression => Test::Expression(expression, names_input),
        })
    }

    /// What follows `in`: one test, or several in brackets.
    pub(super) fn membership(&mut self) -> Parsed<Vec<Test>> {
        if self.accept("(") {
            return self.deeper(Self::bracketed_tests);
        }
        for (sign, operator) in &COMPARISONS[2..] {
            if self.accept(sign) {
                return Ok(vec![Test::Compare(*operator, self.binary(1)?)]);
            }
        }
        Ok(vec![match self.binary(1)? {
            Node::Range(ends, closed) => Test::Range(ends, closed),
            expression => Test::Expression(expression, false),
        }])
    }

    /// Tests behind `(`, or the interval that it opens. Which of them it is shows behind the first value: nothing is read
    /// twice, which in nested ones would double at each level.
    fn bracketed_tests(&mut self) -> Parsed<Vec<Test>> {
        let mut tests = vec![self.test()?];
        if self.accept("..") {
            if let Some(Test::Expression(start, _)) = tests.pop()
                && let Node::Range(ends, closed) = self.interval_end(start, false)?
            {
                return Ok(vec![Test::Range(ends, closed)]);
            }
            self.next -= 1;
            return self.fail("')'");
        }
        while self.accept(",") {
            tests.push(self.test()?);
        }
        self.expect(")")?;
        Ok(tests)
    }

    pub(super) fn type_name(&mut self) -> Parsed<Arc<str>> {
        let mut words = Vec::new();
        while let Token::Word(word) = self.token() {
            // The words of types' names; any other one belongs to what follows.
            let part = ["date", "and", "time", "years", "months", "duration", "days"].contains(&word.as_str());
            if !words.is_empty() && !part {
                break;
            }
            words.push(word.clone());
            self.next += 1;
        }
        match words.is_empty() {
            true => self.fail("a type"),
            false => Ok(words.join(" ").into()),
        }
    }
}
