//! Text to syntax tree.

use super::SyntaxError;
use super::ast::{Binary, Composite, Node, Part, Unary};
use super::datum::Datum;
use super::lexer::{LexError, Lexer, Token};

/// The deepest nesting of an expression: each level costs stack here and in the evaluation.
const DEPTH_MAX: usize = 64;

/// The most nodes of one text: long chains of operators nest to the left, level by level.
const NODES_MAX: usize = 512;

pub(super) fn parse(source: &str) -> Result<Composite, SyntaxError> {
    composite(source).map_err(|(reason, position)| SyntaxError {
        source_text: source.to_owned(),
        reason,
        position,
    })
}

fn composite(source: &str) -> Result<Composite, LexError> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut position = 0;
    let mut nodes = 0;
    while position < source.len() {
        let rest = &source[position..];
        if rest.starts_with("\\${") || rest.starts_with("\\#{") {
            text.push_str(&rest[1..3]);
            position += 3;
        } else if rest.starts_with("${") || rest.starts_with("#{") {
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text).into()));
            }
            let mut parser = Parser {
                lexer: Lexer::new(source, position + 2),
                token: Token::Close,
                at: 0,
                nodes,
            };
            parser.advance()?;
            let node = parser.expression(0)?;
            if parser.token != Token::Close {
                return Err((format!("expected '}}', found {}", parser.found()), parser.at));
            }
            parts.push(Part::Expression(node));
            position = parser.lexer.position();
            nodes = parser.nodes;
        } else if let Some(c) = rest.chars().next() {
            text.push(c);
            position += c.len_utf8();
        }
    }
    if parts.is_empty() {
        return Ok(Composite::Text(text.into()));
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.into()));
    }
    if parts.len() == 1
        && let Some(Part::Expression(node)) = parts.pop()
    {
        return Ok(Composite::Single(node));
    }
    Ok(Composite::Mixed(parts))
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    token: Token,
    at: usize,
    nodes: usize,
}

/// The binary operators, loosest first.
const LEVELS: [&[(&str, Binary)]; 6] = [
    &[("||", Binary::Or)],
    &[("&&", Binary::And)],
    &[("==", Binary::Equal), ("!=", Binary::NotEqual)],
    &[
        ("<", Binary::Less),
        ("<=", Binary::LessEqual),
        (">", Binary::Greater),
        (">=", Binary::GreaterEqual),
    ],
    &[("+", Binary::Add), ("-", Binary::Subtract)],
    &[("*", Binary::Multiply), ("/", Binary::Divide), ("%", Binary::Modulo)],
];

impl Parser<'_> {
    fn advance(&mut self) -> Result<Token, LexError> {
        let (token, at) = self.lexer.next()?;
        self.at = at;
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err((format!("an expression has more than {NODES_MAX} symbols"), at));
        }
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn found(&self) -> String {
        match &self.token {
            Token::Close => "'}'".to_owned(),
            Token::Sign(sign) => format!("'{sign}'"),
            Token::Identifier(name) => format!("'{name}'"),
            other => format!("{other:?}"),
        }
    }

    fn accept(&mut self, sign: &str) -> Result<bool, LexError> {
        let hit = matches!(&self.token, Token::Sign(found) if *found == sign);
        if hit {
            self.advance()?;
        }
        Ok(hit)
    }

    fn expect(&mut self, sign: &str) -> Result<(), LexError> {
        if self.accept(sign)? {
            Ok(())
        } else {
            Err((format!("expected '{sign}', found {}", self.found()), self.at))
        }
    }

    fn expression(&mut self, depth: usize) -> Result<Node, LexError> {
        if depth > DEPTH_MAX {
            return Err((
                format!("an expression is nested deeper than {DEPTH_MAX} levels"),
                self.at,
            ));
        }
        let condition = self.binary(0, depth + 1)?;
        if !self.accept("?")? {
            return Ok(condition);
        }
        let yes = self.expression(depth + 1)?;
        self.expect(":")?;
        let no = self.expression(depth + 1)?;
        Ok(Node::Ternary(condition.into(), yes.into(), no.into()))
    }

    fn binary(&mut self, level: usize, depth: usize) -> Result<Node, LexError> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary(depth);
        };
        let mut left = self.binary(level + 1, depth)?;
        loop {
            let Token::Sign(sign) = self.token else { return Ok(left) };
            let Some((_, operator)) = operators.iter().find(|(name, _)| *name == sign) else {
                return Ok(left);
            };
            self.advance()?;
            left = Node::Binary(*operator, left.into(), self.binary(level + 1, depth)?.into());
        }
    }

    fn unary(&mut self, depth: usize) -> Result<Node, LexError> {
        if depth > DEPTH_MAX {
            return Err((
                format!("an expression is nested deeper than {DEPTH_MAX} levels"),
                self.at,
            ));
        }
        let operator = match &self.token {
            Token::Sign("!") => Unary::Not,
            Token::Sign("-") => Unary::Negate,
            Token::Identifier(word) if word == "empty" => Unary::Empty,
            _ => return self.suffixed(depth),
        };
        self.advance()?;
        Ok(Node::Unary(operator, self.unary(depth + 1)?.into()))
    }

    fn suffixed(&mut self, depth: usize) -> Result<Node, LexError> {
        let mut node = self.primary(depth)?;
        loop {
            if self.accept(".")? {
                let at = self.at;
                let Token::Identifier(name) = self.advance()? else {
                    return Err(("expected a property or method after '.'".to_owned(), at));
                };
                node = if matches!(self.token, Token::Sign("(")) {
                    Node::Method(node.into(), name.into(), self.arguments(depth)?)
                } else {
                    Node::Property(node.into(), Node::Literal(Datum::text(name)).into())
                };
            } else if self.accept("[")? {
                let index = self.expression(depth + 1)?;
                self.expect("]")?;
                node = Node::Property(node.into(), index.into());
            } else {
                return Ok(node);
            }
        }
    }

    fn arguments(&mut self, depth: usize) -> Result<Vec<Node>, LexError> {
        self.expect("(")?;
        let mut arguments = Vec::new();
        if self.accept(")")? {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression(depth + 1)?);
            if self.accept(")")? {
                return Ok(arguments);
            }
            self.expect(",")?;
        }
    }

    fn primary(&mut self, depth: usize) -> Result<Node, LexError> {
        let at = self.at;
        if matches!(self.token, Token::Close) {
            return Err(("expected an expression, found '}'".to_owned(), at));
        }
        Ok(match self.advance()? {
            Token::True => Node::Literal(Datum::Boolean(true)),
            Token::False => Node::Literal(Datum::Boolean(false)),
            Token::Null => Node::Literal(Datum::Null),
            Token::Integer(number) => Node::Literal(Datum::Long(number)),
            Token::Float(number) => Node::Literal(Datum::Double(number)),
            Token::Text(text) => Node::Literal(Datum::text(text)),
            Token::Identifier(mut name) => {
                if matches!(self.token, Token::Sign("(")) {
                    return Ok(Node::Function(name.into(), self.arguments(depth)?));
                }
                // `prefix:name(…)` reads as a name here only where the call follows at once, so that `a ? b : c` stays.
                if matches!(self.token, Token::Sign(":")) && self.prefixed_call() {
                    self.advance()?;
                    if let Token::Identifier(local) = self.advance()? {
                        name = format!("{name}:{local}");
                    }
                    return Ok(Node::Function(name.into(), self.arguments(depth)?));
                }
                Node::Identifier(name.into())
            }
            Token::Sign("(") => {
                let node = self.expression(depth + 1)?;
                self.expect(")")?;
                node
            }
            Token::Sign(sign) => return Err((format!("expected an expression, found '{sign}'"), at)),
            Token::Close => return Err(("expected an expression, found '}'".to_owned(), at)),
        })
    }

    /// Whether `name(` follows the colon without a space.
    fn prefixed_call(&self) -> bool {
        let rest = self.lexer.rest();
        let name = rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
        name.len() < rest.len() && name.starts_with('(')
    }
}
