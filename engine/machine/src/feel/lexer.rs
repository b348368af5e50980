//! Text to symbols.

use rust_decimal::Decimal;

/// A symbol.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword.
    Word(String),
    /// A name in back quotes: never a keyword.
    Quoted(String),
    Number(Decimal),
    Text(String),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

/// What is wrong at which byte.
pub(super) type LexError = (String, usize);

const SIGNS: [&str; 24] = [
    "..", "<=", ">=", "!=", "**", "->", "<", ">", "=", "+", "-", "*", "/", "(", ")", "[", "]", "{", "}", ",", ":", ".",
    "?", "@",
];

/// All symbols of a text, each with its first byte; the last one is [`Token::End`].
///
/// # Errors
/// A text or comment is not closed, a number is too long, a character has no meaning, or there are more than `max`
/// symbols.
pub(super) fn tokens(source: &str, max: usize) -> Result<Vec<(Token, usize)>, LexError> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        at = skip(source, at)?;
        if found.len() > max {
            return Err((format!("an expression has more than {max} symbols"), at));
        }
        let rest = &source[at..];
        let Some(first) = rest.chars().next() else {
            found.push((Token::End, at));
            return Ok(found);
        };
        let (token, length) = match first {
            '"' => text(rest, at)?,
            '`' => match rest[1..].find('`') {
                Some(end) => (Token::Quoted(rest[1..=end].to_owned()), end + 2),
                None => return Err(("a quoted name is not closed".to_owned(), at)),
            },
            '0'..='9' => number(rest, at)?,
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => number(rest, at)?,
            c if is_start(c) => {
                let length = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
                (Token::Word(rest[..length].to_owned()), length)
            }
            c => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => (Token::Sign(sign), sign.len()),
                None => return Err((format!("unexpected character '{c}'"), at)),
            },
        };
        found.push((token, at));
        at += length;
    }
}

fn is_start(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The first byte that is neither white space nor in a comment.
fn skip(source: &str, mut at: usize) -> Result<usize, LexError> {
    loop {
        let rest = source[at..].trim_start();
        at = source.len() - rest.len();
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if let Some(comment) = rest.strip_prefix("/*") {
            match comment.find("*/") {
                Some(end) => at += end + 4,
                None => return Err(("a comment is not closed".to_owned(), at)),
            }
        } else {
            return Ok(at);
        }
    }
}

fn number(rest: &str, at: usize) -> Result<(Token, usize), LexError> {
    let digits = |from: usize| {
        rest[from..]
            .find(|c: char| !c.is_ascii_digit())
            .map_or(rest.len(), |end| from + end)
    };
    let mut end = digits(0);
    if rest[end..].starts_with('.') && rest[end + 1..].starts_with(|c: char| c.is_ascii_digit()) {
        end = digits(end + 1);
    }
    let parsed = rest[..end].parse();
    parsed
        .map(|number| (Token::Number(number), end))
        .map_err(|_| (format!("the number {} has more than 28 digits", &rest[..end]), at))
}

/// A text in double quotes: `\n`, `\r`, `\t`, `\"` and `\\` are replaced, every other backslash is kept.
fn text(rest: &str, at: usize) -> Result<(Token, usize), LexError> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((position, c)) = chars.next() {
        match c {
            '"' => return Ok((Token::Text(text), position + 1)),
            '\\' => {
                let replaced = match chars.peek().map(|(_, next)| *next) {
                    Some('n') => Some('\n'),
                    Some('r') => Some('\r'),
                    Some('t') => Some('\t'),
                    Some(c @ ('"' | '\\')) => Some(c),
                    _ => None,
                };
                match replaced {
                    Some(c) => {
                        text.push(c);
                        chars.next();
                    }
                    None => text.push('\\'),
                }
            }
            c => text.push(c),
        }
    }
    Err(("a text is not closed".to_owned(), at))
}
