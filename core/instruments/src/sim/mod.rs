//! Simulated instruments: real servers, spoken to as real devices are.
//!
//! A [`Simulator`] listens on a loopback socket or holds a pseudo-terminal and answers what a
//! driver file says its device answers: identity, errors, every get, set and group. Values it was
//! not set to follow from the file's `sim` keys. Nothing here is reached in any other way than
//! through that socket or terminal.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    address::Address,
    driver::{Driver, Medium, Wire, WireOverrides},
};

mod device;
#[cfg(unix)]
mod pty;
mod server;
mod values;

use device::Device;

/// A running simulated instrument. It stops, and its address with it, when this is dropped.
#[derive(Debug)]
pub struct Simulator {
    /// Where it can be reached: `tcp://127.0.0.1:PORT` or `serial:///dev/pts/N`.
    pub address: Address,
    server: JoinHandle<()>,
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Simulator {
    /// Starts one with its driver's own wire settings. Needs a tokio runtime.
    ///
    /// # Errors
    /// If no socket or pseudo-terminal is to be had.
    pub async fn start(driver: Arc<Driver>) -> io::Result<Self> {
        Self::start_with(driver, &WireOverrides::default()).await
    }

    /// Starts one that expects what a bench file replaces of the wire settings.
    ///
    /// # Errors
    /// If no socket or pseudo-terminal is to be had.
    pub async fn start_with(driver: Arc<Driver>, wire: &WireOverrides) -> io::Result<Self> {
        let medium = driver.sim_medium();
        let wire = driver.wire(medium, wire);
        let device = Shared(Arc::new(Mutex::new(Device::new(driver))));
        match medium {
            Medium::Tcp => {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
                let port = listener.local_addr()?.port();
                let server = tokio::spawn(server::listen(listener, device, wire));
                Ok(Self { address: Address::Tcp { host: "127.0.0.1".to_owned(), port }, server })
            }
            #[cfg(unix)]
            Medium::Serial => {
                let (master, path) = pty::open()?;
                let server = tokio::spawn(async move {
                    if let Err(error) = pty::serve(master, device, wire).await {
                        tracing::warn!("simulated serial line ended: {error}");
                    }
                });
                Ok(Self { address: Address::Serial { path }, server })
            }
            #[cfg(not(unix))]
            Medium::Serial => Err(io::Error::other("no pseudo-terminals on this system")),
        }
    }
}

/// The device, shared by everyone who is connected to it.
#[derive(Clone)]
struct Shared(Arc<Mutex<Device>>);

impl Shared {
    /// What the device answers to a line.
    fn handle(&self, line: &str) -> Option<String> {
        // A panic in one connection must not end the others.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).handle(line)
    }
}

/// Cuts what arrives into lines and gives the bytes of the replies.
struct Conversation {
    device: Shared,
    wire: Wire,
    buffer: Vec<u8>,
}

impl Conversation {
    fn new(device: Shared, wire: Wire) -> Self {
        Self { device, wire, buffer: Vec::new() }
    }

    fn forget(&mut self) {
        self.buffer.clear();
    }

    fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.buffer.extend(bytes);
        // The last byte of the end is enough: a device that wants \r\n takes \n too.
        let end = self.wire.tx_end.bytes().last().unwrap_or(b'\n');
        let mut replies = Vec::new();
        while let Some(place) = self.buffer.iter().position(|byte| *byte == end) {
            let line: Vec<u8> = self.buffer.drain(..=place).take(place).collect();
            let line = crate::line::decode(line);
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            if let Some(reply) = self.device.handle(line) {
                replies.extend(crate::line::encode(&reply));
                replies.extend(crate::line::encode(&self.wire.rx_end));
            }
        }
        // Nothing a device takes is that long.
        if self.buffer.len() > 64 * 1024 {
            self.buffer.clear();
        }
        replies
    }
}
