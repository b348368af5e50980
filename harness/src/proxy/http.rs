//! As much of HTTP/1.1 as a proxy needs to see whole messages: heads, and bodies by length or in chunks.

use std::io::{BufRead, BufReader, Read};

use anyhow::{Context, Result, anyhow, bail};

const HEAD_BYTES_MAX: usize = 64 << 10;
const HEADERS_MAX: usize = 64;

/// A whole message as it was sent, and what it means.
#[derive(Debug, Clone, Default)]
pub(super) struct Message {
    /// The bytes of head and body, to be passed on unchanged.
    pub(super) raw: Vec<u8>,
    /// How many of `raw` are the head.
    pub(super) head_length: usize,
    /// Method and target of a request; empty for a response.
    pub(super) method: String,
    pub(super) target: String,
    /// The status of a response; 0 for a request.
    pub(super) status: u16,
    /// The body, without the framing of chunks.
    pub(super) body: Vec<u8>,
}

enum Framing {
    None,
    Length(usize),
    Chunks,
}

/// Reads the next request; none at the end of the connection.
pub(super) fn read_request(reader: &mut BufReader<impl Read>) -> Result<Option<Message>> {
    let Some(head) = read_head(reader)? else {
        return Ok(None);
    };
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(&head)?;
    let mut message = Message {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        head_length: head.len(),
        ..Message::default()
    };
    let framing = framing(request.headers)?;
    message.raw = head;
    read_body(reader, &framing, &mut message)?;
    Ok(Some(message))
}

/// Reads the response to a request that was sent; none at the end of the connection.
pub(super) fn read_response(reader: &mut BufReader<impl Read>) -> Result<Option<Message>> {
    let Some(head) = read_head(reader)? else {
        return Ok(None);
    };
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    response.parse(&head)?;
    let status = response.code.ok_or_else(|| anyhow!("a response without a status"))?;
    let mut message = Message {
        status,
        head_length: head.len(),
        ..Message::default()
    };
    let framing = if matches!(status, 100..200 | 204 | 304) {
        Framing::None
    } else {
        framing(response.headers)?
    };
    message.raw = head;
    read_body(reader, &framing, &mut message)?;
    Ok(Some(message))
}

fn read_head(reader: &mut BufReader<impl Read>) -> Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    loop {
        let before = head.len();
        reader
            .by_ref()
            .take((HEAD_BYTES_MAX - before) as u64)
            .read_until(b'\n', &mut head)?;
        if head.len() == before {
            if before == 0 {
                return Ok(None);
            }
            bail!("a message ends or is too long in its head");
        }
        if head.ends_with(b"\r\n\r\n") {
            return Ok(Some(head));
        }
    }
}

fn framing(headers: &[httparse::Header<'_>]) -> Result<Framing> {
    let find = |name: &str| headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    if find("transfer-encoding").is_some_and(|header| header.value.eq_ignore_ascii_case(b"chunked")) {
        return Ok(Framing::Chunks);
    }
    match find("content-length") {
        Some(header) => Ok(Framing::Length(std::str::from_utf8(header.value)?.trim().parse()?)),
        None => Ok(Framing::None),
    }
}

fn read_body(reader: &mut BufReader<impl Read>, framing: &Framing, message: &mut Message) -> Result<()> {
    match framing {
        Framing::None => {}
        Framing::Length(length) => {
            message.body.resize(*length, 0);
            reader
                .read_exact(&mut message.body)
                .context("a message ends in its body")?;
            message.raw.extend_from_slice(&message.body);
        }
        Framing::Chunks => loop {
            let mut line = Vec::new();
            reader.read_until(b'\n', &mut line)?;
            message.raw.extend_from_slice(&line);
            let size = std::str::from_utf8(&line)?.trim().split(';').next().unwrap_or_default();
            let size = usize::from_str_radix(size, 16).context("the size of a chunk")?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).context("a message ends in a chunk")?;
            message.raw.extend_from_slice(&chunk);
            message.body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        },
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_by_length_and_in_chunks_are_read_whole() {
        let input: &[u8] = b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n";
        let mut reader = BufReader::new(input);
        let first = read_request(&mut reader).unwrap().unwrap();
        assert_eq!(
            (first.method.as_str(), first.target.as_str(), first.body.as_slice()),
            ("POST", "/a", &b"abc"[..])
        );
        let second = read_request(&mut reader).unwrap().unwrap();
        assert_eq!((second.target.as_str(), second.body.len()), ("/b", 0));
        assert!(read_request(&mut reader).unwrap().is_none());

        let input: &[u8] =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\nHTTP/1.1 204 No\r\n\r\n";
        let mut reader = BufReader::new(input);
        let first = read_response(&mut reader).unwrap().unwrap();
        assert_eq!((first.status, first.body.as_slice()), (200, &b"abc"[..]));
        assert_eq!(read_response(&mut reader).unwrap().unwrap().status, 204);
    }

    #[test]
    fn a_message_that_ends_early_is_an_error() {
        for input in ["POST / HTTP/1.1\r\n", "POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc"] {
            assert!(
                read_request(&mut BufReader::new(input.as_bytes())).is_err(),
                "{input:?}"
            );
        }
    }
}
