//! The network between host and engine, and what becomes of it: refused, reset, half-open, slow, cut off.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Pass,
    /// Nobody listens, and what was connected is cut.
    Refuse,
    /// Connections are accepted and reset, also those that were open.
    Reset,
    /// Connections are accepted, and nothing passes any more, also on those that were open; for ever.
    HalfOpen,
    /// Each piece of an answer takes this much longer.
    Slow(Duration),
    /// An answer breaks off after so many bytes.
    Cut(usize),
}

#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    mode: Arc<watch::Sender<Mode>>,
    target: Arc<watch::Sender<SocketAddr>>,
    accepted: Arc<AtomicUsize>,
}

impl Wire {
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self {
            address: listener.local_addr().unwrap(),
            mode: Arc::new(watch::Sender::new(Mode::Pass)),
            target: Arc::new(watch::Sender::new(target)),
            accepted: Arc::default(),
        };
        tokio::spawn(wire.clone().serve(listener));
        wire
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/engine-rest", self.address)
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Leads new connections elsewhere, and cuts those that are open.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(target);
    }

    /// Connections that were accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    async fn serve(self, listener: TcpListener) {
        let mut mode = self.mode.subscribe();
        let mut listener = Some(listener);
        loop {
            if *mode.borrow_and_update() == Mode::Refuse {
                listener = None;
                mode.changed().await.unwrap();
                continue;
            }
            let bound = match listener.take() {
                Some(bound) => bound,
                None => match TcpListener::bind(self.address).await {
                    Ok(bound) => bound,
                    // Somebody's outgoing connection has the port for a moment.
                    Err(_) => {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        continue;
                    }
                },
            };
            tokio::select! {
                _ = mode.changed() => {}
                accepted = bound.accept() => {
                    self.accepted.fetch_add(1, Ordering::SeqCst);
                    tokio::spawn(self.clone().connection(accepted.unwrap().0));
                }
            }
            listener = Some(bound);
        }
    }

    async fn connection(self, near: TcpStream) {
        let mut mode = self.mode.subscribe();
        let mut target = self.target.subscribe();
        let address = *target.borrow_and_update();
        let Ok(far) = TcpStream::connect(address).await else {
            return;
        };
        near.set_zero_linger().unwrap();
        let (near_read, near_write) = near.into_split();
        let (far_read, far_write) = far.into_split();
        let there = pump(near_read, far_write, self.mode.subscribe(), false);
        let back = pump(far_read, near_write, self.mode.subscribe(), true);
        let cut = mode.wait_for(|mode| matches!(mode, Mode::Refuse | Mode::Reset));
        // Dropping the halves resets the connection: it does not linger.
        tokio::select! {
            () = async { tokio::join!(there, back); } => {}
            _ = cut => {}
            _ = target.changed() => {}
        }
    }
}

/// Passes bytes on as long as the network does.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mode: watch::Receiver<Mode>, is_answer: bool) {
    let mut buffer = vec![0; 16 << 10];
    let mut passed = 0;
    loop {
        let Ok(length) = from.read(&mut buffer).await else {
            return;
        };
        if length == 0 {
            return;
        }
        let now = *mode.borrow();
        let mut piece = &buffer[..length];
        match now {
            // What is forgotten stays forgotten, whatever the network does to others later.
            Mode::HalfOpen => std::future::pending().await,
            Mode::Slow(time) if is_answer => tokio::time::sleep(time).await,
            Mode::Cut(bytes) if is_answer => {
                piece = &piece[..length.min(bytes.saturating_sub(passed))];
                passed += length;
            }
            _ => {}
        }
        if to.write_all(piece).await.is_err() || to.flush().await.is_err() {
            return;
        }
        if matches!(now, Mode::Cut(bytes) if is_answer && passed >= bytes) {
            return;
        }
    }
}
