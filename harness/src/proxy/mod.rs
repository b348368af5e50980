//! A proxy between two processes that sees every exchange and can break it: refuse it, hold it, cut its answer, or do
//! something else at the very moment an answer passes, such as killing a process.
//!
//! Invariant: an answer is seen whole by the [`Faults`] before a byte of it is delivered.

mod gate;
mod http;

use std::{
    io::{BufReader, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::Result;

pub use self::gate::Gate;
use self::http::{Message, read_request, read_response};

/// An HTTP request, and its response where there is one.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The request's body.
    pub request: Vec<u8>,
    /// The response's status; 0 while there is none.
    pub status: u16,
    /// The response's body.
    pub response: Vec<u8>,
}

impl Exchange {
    /// Whether this asks for tasks.
    #[must_use]
    pub fn is_fetch(&self) -> bool {
        self.target.ends_with("/external-task/fetchAndLock")
    }

    /// Whether this completes an external task.
    #[must_use]
    pub fn is_completion(&self) -> bool {
        self.target.contains("/external-task/") && self.target.ends_with("/complete")
    }

    /// The request's body as JSON; null if it is none.
    #[must_use]
    pub fn request_json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.request).unwrap_or_default()
    }

    /// The response's body as JSON; null if it is none.
    #[must_use]
    pub fn response_json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.response).unwrap_or_default()
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// It is passed on.
    Forward,
    /// It is answered with this status, and does not arrive.
    Refuse(u16),
    /// It is answered with success and this JSON, and does not arrive.
    Answer(String),
    /// The connection is closed, and it does not arrive.
    Drop,
}

/// What becomes of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// It is passed on.
    Deliver,
    /// Half of its body is passed on, then the connection is closed.
    Cut,
    /// The connection is closed.
    Drop,
}

/// Decides what breaks. Both functions may block: that delays the one exchange.
pub trait Faults: Send + Sync + 'static {
    /// A request has arrived.
    fn request(&self, _exchange: &Exchange) -> Request {
        Request::Forward
    }

    /// The server has answered.
    fn response(&self, _exchange: &Exchange) -> Response {
        Response::Deliver
    }
}

/// Breaks nothing: the proxy only records.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl Faults for NoFaults {}

impl Faults for Box<dyn Faults> {
    fn request(&self, exchange: &Exchange) -> Request {
        self.as_ref().request(exchange)
    }

    fn response(&self, exchange: &Exchange) -> Response {
        self.as_ref().response(exchange)
    }
}

impl<F: Faults> Faults for Arc<F> {
    fn request(&self, exchange: &Exchange) -> Request {
        F::request(self, exchange)
    }

    fn response(&self, exchange: &Exchange) -> Response {
        F::response(self, exchange)
    }
}

/// A proxy that runs until it is dropped.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    accepting: Option<thread::JoinHandle<()>>,
}

struct Shared {
    upstream: String,
    faults: Box<dyn Faults>,
    exchanges: Mutex<Vec<Exchange>>,
    connections: Mutex<Vec<TcpStream>>,
    closing: AtomicBool,
}

impl Proxy {
    /// Starts a proxy in front of `upstream`, which is `host:port`.
    ///
    /// # Errors
    /// There is no port to listen on.
    pub fn start(upstream: &str, faults: impl Faults) -> Result<Self> {
        Self::start_on(0, upstream, faults)
    }

    /// As [`Proxy::start`], on a port that somebody knows already.
    ///
    /// # Errors
    /// The port is taken.
    pub fn start_on(port: u16, upstream: &str, faults: impl Faults) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            faults: Box::new(faults),
            exchanges: Mutex::default(),
            connections: Mutex::default(),
            closing: AtomicBool::new(false),
        });
        let acceptor = Arc::clone(&shared);
        let accepting = Some(thread::spawn(move || acceptor.accept(&listener)));
        Ok(Self {
            port,
            shared,
            accepting,
        })
    }

    /// `host:port` where it listens.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL of the engine's REST through this proxy.
    #[must_use]
    pub fn engine_rest(&self) -> String {
        format!("http://{}/engine-rest", self.address())
    }

    /// The exchanges whose response the server has given, delivered or not, in the order of the responses.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.shared.exchanges).clone()
    }

    /// Looks at each exchange without copying them.
    pub fn count(&self, matches: impl Fn(&Exchange) -> bool) -> usize {
        lock(&self.shared.exchanges)
            .iter()
            .filter(|exchange| matches(exchange))
            .count()
    }

    /// Closes every connection that is open now.
    pub fn cut_connections(&self) {
        for connection in lock(&self.shared.connections).drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Relaxed);
        // Wakes the accepting thread.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        self.cut_connections();
        // Its port is free when this returns.
        let _ = self.accepting.take().map(thread::JoinHandle::join);
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.closing.load(Ordering::Relaxed) {
                return;
            }
            let Ok(client) = client else { continue };
            let shared = Arc::clone(self);
            // An error ends this connection, which is what the peers see of it.
            thread::spawn(move || {
                let _ = shared.serve(&client);
                let _ = client.shutdown(Shutdown::Both);
            });
        }
    }

    fn serve(&self, client: &TcpStream) -> Result<()> {
        client.set_nodelay(true)?;
        lock(&self.connections).push(client.try_clone()?);
        let mut from_client = BufReader::new(client.try_clone()?);
        let mut to_client = client.try_clone()?;
        let mut server: Option<Server> = None;
        while let Some(request) = read_request(&mut from_client)? {
            let mut exchange = Exchange {
                method: request.method.clone(),
                target: request.target.clone(),
                request: request.body.clone(),
                ..Exchange::default()
            };
            match self.faults.request(&exchange) {
                Request::Forward => {}
                Request::Refuse(status) => {
                    answer(&mut to_client, status, REFUSAL)?;
                    continue;
                }
                Request::Answer(body) => {
                    answer(&mut to_client, 200, &body)?;
                    continue;
                }
                Request::Drop => return Ok(()),
            }
            let connection = match &mut server {
                Some(connection) => connection,
                None => server.insert(Server::connect(&self.upstream, client)?),
            };
            let under_way = Arc::clone(&connection.under_way);
            let _under_way = lock(&under_way);
            let response = connection.ask(&request)?;
            exchange.status = response.status;
            exchange.response = response.body.clone();
            lock(&self.exchanges).push(exchange.clone());
            match self.faults.response(&exchange) {
                Response::Deliver => to_client.write_all(&response.raw)?,
                Response::Cut => {
                    let length = response.head_length + (response.raw.len() - response.head_length) / 2;
                    to_client.write_all(&response.raw[..length])?;
                    return Ok(());
                }
                Response::Drop => return Ok(()),
            }
        }
        Ok(())
    }
}

/// What is refused is refused as an engine would.
const REFUSAL: &str = r#"{"type":"RestException","message":"refused by the proxy","code":null}"#;

fn answer(client: &mut TcpStream, status: u16, body: &str) -> Result<()> {
    let head = format!(
        "HTTP/1.1 {status} Proxy\r\ncontent-type: application/json\r\ncontent-length: {}",
        body.len()
    );
    Ok(client.write_all(format!("{head}\r\n\r\n{body}").as_bytes())?)
}

/// The connection to the server that belongs to one of a client.
struct Server {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
    /// Held from a request until its response is passed on.
    under_way: Arc<Mutex<()>>,
}

impl Server {
    /// Connects. When one side goes away, so does the connection to the other: both see what they would see without a
    /// proxy.
    fn connect(upstream: &str, client: &TcpStream) -> Result<Self> {
        let stream = TcpStream::connect(upstream)?;
        stream.set_nodelay(true)?;
        let (from_client, to_server) = (client.try_clone()?, stream.try_clone()?);
        thread::spawn(move || {
            wait_for_end(&from_client);
            let _ = to_server.shutdown(Shutdown::Both);
        });
        let (from_server, to_client) = (stream.try_clone()?, client.try_clone()?);
        let under_way = Arc::<Mutex<()>>::default();
        let exchange = Arc::clone(&under_way);
        thread::spawn(move || {
            wait_for_end(&from_server);
            // A last response may still be on its way.
            let _exchange = lock(&exchange);
            let _ = to_client.shutdown(Shutdown::Both);
        });
        Ok(Self {
            reader: BufReader::new(stream.try_clone()?),
            stream,
            under_way,
        })
    }

    fn ask(&mut self, request: &Message) -> Result<Message> {
        self.stream.write_all(&request.raw)?;
        read_response(&mut self.reader)?.ok_or_else(|| anyhow::anyhow!("the server closed the connection"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Returns when the other side has closed a connection.
fn wait_for_end(stream: &TcpStream) {
    let mut byte = [0];
    // A byte to be read is the next message: its reader takes it.
    while let Ok(1..) = stream.peek(&mut byte) {
        thread::park_timeout(std::time::Duration::from_millis(20));
    }
}

/// A panic of another thread has failed its test already; what it left behind is only looked at.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
