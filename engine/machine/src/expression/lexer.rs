//! Tokens of the inside of `${…}`.

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Identifier(String),
    Integer(i64),
    Float(f64),
    Text(String),
    /// An operator, a bracket, a comma, a dot, a colon or a question mark. Word forms of operators are given as signs.
    Sign(&'static str),
    /// `true`, `false`, `null`
    True,
    False,
    Null,
    /// The `}` that ends the expression.
    Close,
}

/// What is wrong at which byte.
pub(super) type LexError = (String, usize);

pub(super) struct Lexer<'a> {
    source: &'a str,
    position: usize,
}

const SIGNS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "(", ")", "[", "]", ".", ",", "?", ":",
    "=", ";",
];

impl<'a> Lexer<'a> {
    /// Reads `source` from a byte just after `${`.
    pub(super) fn new(source: &'a str, position: usize) -> Self {
        Self { source, position }
    }

    /// The byte after the last token.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// What is not read yet.
    pub(super) fn rest(&self) -> &'a str {
        &self.source[self.position..]
    }

    pub(super) fn next(&mut self) -> Result<(Token, usize), LexError> {
        let rest = &self.source[self.position..];
        let trimmed = rest.trim_start();
        self.position += rest.len() - trimmed.len();
        let start = self.position;
        let Some(first) = trimmed.chars().next() else {
            return Err(("an expression is not closed, expected '}'".to_owned(), start));
        };
        let token = match first {
            '}' => {
                self.position += 1;
                Token::Close
            }
            '\'' | '"' => self.text(first)?,
            '0'..='9' => self.number()?,
            '.' if trimmed[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number()?,
            c if c.is_alphabetic() || c == '_' || c == '$' => self.word(),
            _ => match SIGNS.iter().find(|sign| trimmed.starts_with(**sign)) {
                Some(sign) => {
                    self.position += sign.len();
                    Token::Sign(sign)
                }
                None => return Err((format!("unexpected character '{first}'"), start)),
            },
        };
        Ok((token, start))
    }

    fn word(&mut self) -> Token {
        let rest = &self.source[self.position..];
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
            .unwrap_or(rest.len());
        self.position += length;
        match &rest[..length] {
            "true" => Token::True,
            "false" => Token::False,
            "null" => Token::Null,
            "and" => Token::Sign("&&"),
            "or" => Token::Sign("||"),
            "not" => Token::Sign("!"),
            "eq" => Token::Sign("=="),
            "ne" => Token::Sign("!="),
            "lt" => Token::Sign("<"),
            "gt" => Token::Sign(">"),
            "le" => Token::Sign("<="),
            "ge" => Token::Sign(">="),
            "div" => Token::Sign("/"),
            "mod" => Token::Sign("%"),
            word => Token::Identifier(word.to_owned()),
        }
    }

    fn number(&mut self) -> Result<Token, LexError> {
        let start = self.position;
        let bytes = self.source.as_bytes();
        let digits = |mut at: usize| {
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        let mut end = digits(start);
        let mut float = false;
        if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
            float = true;
            end = digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end + 1 + sign);
            if exponent > end + 1 + sign {
                float = true;
                end = exponent;
            }
        }
        self.position = end;
        let text = &self.source[start..end];
        if float {
            text.parse()
                .map(Token::Float)
                .map_err(|_| (format!("'{text}' is not a number"), start))
        } else {
            text.parse()
                .map(Token::Integer)
                .map_err(|_| (format!("'{text}' is not a number of 64 bits"), start))
        }
    }

    fn text(&mut self, quote: char) -> Result<Token, LexError> {
        let start = self.position;
        let mut text = String::new();
        let mut chars = self.source[start + 1..].char_indices();
        while let Some((offset, c)) = chars.next() {
            if c == quote {
                self.position = start + 1 + offset + 1;
                return Ok(Token::Text(text));
            }
            if c == '\\' {
                match chars.next() {
                    Some((_, escaped @ ('\\' | '\'' | '"'))) => text.push(escaped),
                    Some((_, other)) => return Err((format!("'\\{other}' is not an escape"), start + 1 + offset)),
                    None => break,
                }
            } else {
                text.push(c);
            }
        }
        Err(("a string is not closed".to_owned(), start))
    }
}
