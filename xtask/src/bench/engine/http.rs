//! A client of HTTP/1.1 that costs little: what it needs of the processor is not the engine's.
//!
//! One request at a time on a connection; an answer has a `content-length`, as all of the engine's have.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Below this is all of an engine's REST.
const ROOT: &str = "/engine-rest";
/// Headers of an answer. The engine sends three.
const HEADERS_MAX: usize = 32;
/// What is read at a time, at least.
const CHUNK: usize = 8 << 10;

/// An answer of whatever status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The JSON of an answer that is a success; null if it has no content.
    pub(super) fn json(self) -> Result<Value> {
        if !(200..300).contains(&self.status) {
            bail!("answered {}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body).context("an answer without JSON")
    }
}

/// A connection that is kept.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    address: String,
    received: Vec<u8>,
}

impl Connection {
    /// Connects to `host:port`.
    pub(super) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            address: address.to_owned(),
            received: Vec::new(),
        })
    }

    /// Sends a request and awaits its answer.
    pub(super) async fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Answer> {
        self.send(method, path, body).await?;
        self.receive().await.with_context(|| format!("{method} {path}"))
    }

    /// POST of JSON, for the JSON of a success.
    pub(super) async fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.ask("POST", path, &body.to_string()).await?;
        answer.json().with_context(|| format!("POST {path}"))
    }

    /// GET of JSON.
    pub(super) async fn get(&mut self, path: &str) -> Result<Value> {
        let answer = self.ask("GET", path, "").await?;
        answer.json().with_context(|| format!("GET {path}"))
    }

    /// Sends a request.
    pub(super) async fn send(&mut self, method: &str, path: &str, body: &str) -> Result<()> {
        let (address, length) = (&self.address, body.len());
        let request = format!(
            "{method} {ROOT}{path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        Ok(self.stream.write_all(request.as_bytes()).await?)
    }

    /// Awaits the answer to what was sent.
    pub(super) async fn receive(&mut self) -> Result<Answer> {
        let (status, head, length) = loop {
            if let Some(head) = parse(&self.received)? {
                break head;
            }
            self.read(CHUNK).await?;
        };
        let end = head + length;
        while self.received.len() < end {
            self.read(end - self.received.len()).await?;
        }
        let body = self.received[head..end].to_vec();
        self.received.drain(..end);
        Ok(Answer { status, body })
    }

    async fn read(&mut self, length: usize) -> Result<()> {
        self.received.reserve(length.max(CHUNK));
        if self.stream.read_buf(&mut self.received).await? == 0 {
            bail!("the engine has closed the connection");
        }
        Ok(())
    }
}

/// Status, length of the head and length of the body, once the head is whole.
fn parse(received: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(received)? else {
        return Ok(None);
    };
    let status = response.code.context("an answer without a status")?;
    let length = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = match length {
        Some(header) => std::str::from_utf8(header.value)?.parse()?,
        None if status == 204 => 0,
        None => bail!("an answer without a length"),
    };
    Ok(Some((status, head, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_when_it_is_whole() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";
        assert_eq!(parse(answer).unwrap(), Some((200, answer.len() - 2, 2)));
        assert_eq!(parse(&answer[..20]).unwrap(), None);
        assert_eq!(parse(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap(), Some((204, 27, 0)));
        assert!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
