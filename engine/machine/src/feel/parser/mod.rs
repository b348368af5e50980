//! Symbols to syntax tree, by recursive descent: here are the operators, and what all of it reads with.

mod primary;
mod suffix;
mod test;

use super::SyntaxError;
use super::ast::{Binary, Node, Tests};
use super::lexer::{self, LexError, Token};

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
        self.tokens
            .get(self.next + ahead)
            .map_or(&Token::End, |(token, _)| token)
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
}
