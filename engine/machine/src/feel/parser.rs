//! Symbols to syntax tree, by recursive descent.

use std::sync::Arc;

use super::SyntaxError;
use super::ast::{Arguments, Binary, Node, Source, Test, Tests};
use super::lexer::{self, LexError, Token};
use super::names;
use super::temporal;
use super::value::Feel;

/// The deepest nesting: each level costs stack here and in the evaluation.
const DEPTH_MAX: usize = 64;

/// The most symbols of one text.
const TOKENS_MAX: usize = 5_000;

pub(super) fn expression(source: &str) -> Result<Node, SyntaxError> {
    parse(source, |parser| parser.expression())
}

pub(super) fn tests(source: &str) -> Result<Tests, SyntaxError> {
    parse(source, Parser::entry)
}

fn parse<T>(source: &str, read: impl FnOnce(&mut Parser) -> Result<T, LexError>) -> Result<T, SyntaxError> {
    let parsed = lexer::tokens(source, TOKENS_MAX).and_then(|tokens| {
        let mut parser = Parser {
            tokens,
            next: 0,
            depth: 0,
            saw_input: false,
        };
        let root = read(&mut parser)?;
        match parser.token() {
            Token::End => Ok(root),
            _ => parser.fail("the end"),
        }
    });
    parsed.map_err(|(reason, position)| SyntaxError {
        source_text: source.to_owned(),
        reason,
        position,
    })
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
    depth: usize,
    /// Whether `?` has been read.
    saw_input: bool,
}

type Parsed<T = Node> = Result<T, LexError>;

/// Operators of one level, all of them left-associative.
const COMPARISONS: [(&str, Binary); 6] = [
    ("=", Binary::Equal),
    ("!=", Binary::NotEqual),
    ("<=", Binary::LessEqual),
    (">=", Binary::GreaterEqual),
    ("<", Binary::Less),
    (">", Binary::Greater),
];
const SUMS: [(&str, Binary); 2] = [("+", Binary::Add), ("-", Binary::Subtract)];
const PRODUCTS: [(&str, Binary); 2] = [("*", Binary::Multiply), ("/", Binary::Divide)];
const POWERS: [(&str, Binary); 1] = [("**", Binary::Power)];

impl Parser {
    fn token(&self) -> &Token {
        self.peek(0)
    }

    fn peek(&self, ahead: usize) -> &Token {
        self.tokens.get(self.next + ahead).map_or(&Token::End, |(token, _)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(0, |(_, at)| *at)
    }

    fn advance(&mut self) -> Token {
        let token = self.token().clone();
        self.next += 1;
        token
    }

    fn fail<T>(&self, expected: &str) -> Parsed<T> {
        let found = match self.token() {
            Token::Word(word) => format!("'{word}'"),
            Token::Quoted(name) => format!("'`{name}`'"),
            Token::Number(number) => number.to_string(),
            Token::Text(text) => format!("{text:?}"),
            Token::Sign(sign) => format!("'{sign}'"),
            Token::End => "the end".to_owned(),
        };
        Err((format!("expected {expected}, found {found}"), self.at()))
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.token(), Token::Sign(found) if *found == sign)
    }

    fn accept(&mut self, sign: &str) -> bool {
        let hit = self.is_sign(sign);
        self.next += usize::from(hit);
        hit
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.accept(sign) {
            return Ok(());
        }
        self.fail(&format!("'{sign}'"))
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        matches!(self.peek(ahead), Token::Word(found) if found == word)
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let hit = self.is_word(0, word);
        self.next += usize::from(hit);
        hit
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.accept_word(word) {
            return Ok(());
        }
        self.fail(&format!("'{word}'"))
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH_MAX {
            return Err((
                format!("an expression is nested deeper than {DEPTH_MAX} levels"),
                self.at(),
            ));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// The entry of a decision table.
    fn entry(&mut self) -> Parsed<Tests> {
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

    fn expression(&mut self) -> Parsed {
        self.deeper(|parser| parser.disjunction())
    }

    fn disjunction(&mut self) -> Parsed {
        let mut left = self.conjunction()?;
        while self.accept_word("or") {
            left = Node::Binary(Binary::Or, Box::new((left, self.conjunction()?)));
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Parsed {
        let mut left = self.comparison()?;
        while self.accept_word("and") {
            left = Node::Binary(Binary::And, Box::new((left, self.comparison()?)));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Parsed {
        let mut left = self.binary(1)?;
        loop {
            if self.accept_word("between") {
                let low = self.binary(1)?;
                self.expect_word("and")?;
                left = Node::Between(Box::new((left, low, self.binary(1)?)));
            } else if self.accept_word("in") {
                left = Node::In(Box::new(left), self.membership()?);
            } else if self.is_word(0, "instance") && self.is_word(1, "of") {
                self.next += 2;
                left = Node::InstanceOf(Box::new(left), self.type_name()?);
            } else if let Some((_, operator)) = COMPARISONS.iter().find(|(sign, _)| self.is_sign(sign)) {
                self.next += 1;
                left = Node::Binary(*operator, Box::new((left, self.binary(1)?)));
            } else {
                return Ok(left);
            }
        }
    }

    /// What follows `in`: one test, or several in brackets.
    fn membership(&mut self) -> Parsed<Vec<Test>> {
        let start = self.next;
        if self.accept("(") {
            if let Ok(tests) = self.deeper(Self::list_of_tests)
                && self.accept(")")
            {
                return Ok(tests);
            }
            self.next = start;
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

    fn type_name(&mut self) -> Parsed<Arc<str>> {
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

    /// `+ -`, `* /` and `**`, loosest first.
    fn binary(&mut self, level: usize) -> Parsed {
        let operators: &[(&str, Binary)] = match level {
            1 => &SUMS,
            2 => &PRODUCTS,
            3 => &POWERS,
            _ => return self.unary(),
        };
        let mut left = self.binary(level + 1)?;
        while let Some((_, operator)) = operators.iter().find(|(sign, _)| self.is_sign(sign)) {
            self.next += 1;
            left = Node::Binary(*operator, Box::new((left, self.binary(level + 1)?)));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        if self.accept("-") {
            return self.deeper(|parser| Ok(Node::Negate(Box::new(parser.unary()?))));
        }
        self.suffixed()
    }

    fn suffixed(&mut self) -> Parsed {
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
        ) && self.tokens[..self.next].iter().rev().take(16).any(|(token, _)| *token == Token::Sign(".."))
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

    fn name(&mut self) -> Parsed<Arc<str>> {
        match self.advance() {
            Token::Word(word) if !names::KEYWORDS.contains(&word.as_str()) => Ok(word.into()),
            Token::Quoted(name) => Ok(name.into()),
            _ => {
                self.next -= 1;
                self.fail("a name")
            }
        }
    }

    fn arguments(&mut self) -> Parsed<Arguments> {
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
    fn argument_name(&self) -> Option<(Arc<str>, usize)> {
        let mut words = Vec::new();
        loop {
            match self.peek(words.len()) {
                Token::Word(word) | Token::Quoted(word) => words.push(word.as_str()),
                Token::Sign(":") if !words.is_empty() => return Some((words.join(" ").into(), words.len())),
                _ => return None,
            }
        }
    }

    fn primary(&mut self) -> Parsed {
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
            let end = self.deeper(|parser| parser.binary(1))?;
            let closed = match self.advance() {
                Token::Sign("]") => true,
                Token::Sign(")" | "[") => false,
                _ => {
                    self.next -= 1;
                    return self.fail("the end of the interval");
                }
            };
            return Ok(Node::Range(Box::new((first, end)), [open == "[", closed]));
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
            let here = name.split(' ').enumerate().all(|(ahead, word)| self.is_word(ahead, word));
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
