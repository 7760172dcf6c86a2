//! Bytes to messages: terminators, silence between messages, deadlines.

use std::{future::poll_fn, io, pin::Pin, task::Poll, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadBuf},
    time::{Instant, sleep_until, timeout_at},
};

use crate::{driver::Wire, transport::Stream};

/// More than any reply; a device that sends this much without an end is not speaking this wire.
const LONGEST: usize = 64 * 1024;

/// Why a message did not get through.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// No reply in time.
    #[error("no reply in time")]
    Timeout,
    /// The other end is gone.
    #[error("the connection was closed")]
    Closed,
    /// 64 KiB without an end.
    #[error("the device sends without end")]
    TooLong,
    /// Anything else.
    #[error("{0}")]
    Io(io::Error),
}

impl From<io::Error> for LineError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::UnexpectedEof => Self::Closed,
            // EIO: what a serial line says whose device was unplugged.
            _ if error.raw_os_error() == Some(5) => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

/// An open link that carries messages.
pub struct Line {
    stream: Box<dyn Stream>,
    wire: Wire,
    /// What has arrived and is not a message yet; kept here so that a reading that is given up
    /// loses nothing.
    buffer: Vec<u8>,
    /// No message is sent before.
    quiet_until: Instant,
}

impl Line {
    /// Messages over an open transport.
    pub fn new(stream: Box<dyn Stream>, wire: Wire) -> Self {
        Self { stream, wire, buffer: Vec::new(), quiet_until: Instant::now() }
    }

    /// Its settings.
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Sends one message, after the silence it needs.
    ///
    /// # Errors
    /// [`LineError`]; [`LineError::Timeout`] if the device does not take it.
    pub async fn send(&mut self, text: &str) -> Result<(), LineError> {
        sleep_until(self.quiet_until).await;
        if self.wire.drain_before {
            self.discard_arrived().await?;
        }
        let mut bytes = encode(text);
        bytes.extend(encode(&self.wire.tx_end));
        let deadline = Instant::now() + self.wire.reply_timeout;
        let written = timeout_at(deadline, self.stream.write_all(&bytes)).await;
        self.rest();
        written.map_err(|_| LineError::Timeout)??;
        Ok(())
    }

    /// The next message, without its end.
    ///
    /// # Errors
    /// [`LineError`]; what has arrived by the deadline is kept.
    pub async fn receive(&mut self, deadline: Instant) -> Result<String, LineError> {
        let end = encode(&self.wire.rx_end);
        loop {
            if let Some(place) = find(&self.buffer, &end) {
                let message: Vec<u8> = self.buffer.drain(..place + end.len()).take(place).collect();
                let text = decode(message);
                let text = text.trim_end_matches(|c| self.wire.rx_strip.contains(c));
                if self.wire.skip_blank && text.trim().is_empty() {
                    continue;
                }
                self.rest();
                return Ok(text.to_owned());
            }
            if self.buffer.len() > LONGEST {
                return Err(LineError::TooLong);
            }
            let mut chunk = [0; 4096];
            let read = timeout_at(deadline, self.stream.read(&mut chunk)).await;
            match read.map_err(|_| LineError::Timeout)?? {
                // Also what an unplugged serial port says, for ever.
                0 => return Err(LineError::Closed),
                count => self.buffer.extend(&chunk[..count]),
            }
        }
    }

    /// Throws away what arrives until there is silence for as long as given; for four times as
    /// long at most.
    ///
    /// # Errors
    /// [`LineError`]
    pub async fn hush(&mut self, silence: Duration) -> Result<(), LineError> {
        let end = Instant::now() + silence * 4;
        let mut chunk = [0; 4096];
        while Instant::now() < end {
            let deadline = Instant::now() + silence;
            match timeout_at(deadline, self.stream.read(&mut chunk)).await {
                Err(_) => break,
                Ok(Ok(0)) => return Err(LineError::Closed),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error.into()),
            }
        }
        self.buffer.clear();
        Ok(())
    }

    /// Throws away what has arrived already; does not wait.
    async fn discard_arrived(&mut self) -> Result<(), LineError> {
        self.buffer.clear();
        let mut chunk = [0; 4096];
        loop {
            let stream = &mut self.stream;
            let arrived = poll_fn(|context| {
                let mut buffer = ReadBuf::new(&mut chunk);
                Poll::Ready(match Pin::new(&mut **stream).poll_read(context, &mut buffer) {
                    Poll::Pending => None,
                    Poll::Ready(read) => Some(read.map(|()| buffer.filled().len())),
                })
            })
            .await;
            match arrived {
                None => return Ok(()),
                Some(Ok(0)) => return Err(LineError::Closed),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }

    fn rest(&mut self) {
        self.quiet_until = Instant::now() + self.wire.gap;
    }
}

/// Text as bytes: Latin-1 where it fits, as most instruments have it, UTF-8 otherwise.
pub(crate) fn encode(text: &str) -> Vec<u8> {
    let latin: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    latin.unwrap_or_else(|| text.as_bytes().to_vec())
}

/// Bytes as text: UTF-8 where it is, Latin-1 otherwise.
pub(crate) fn decode(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len().max(1)).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;
    use crate::driver::{Driver, Medium, WireOverrides};

    fn wire() -> Wire {
        let text = "schema = 1\n[driver]\nid = \"x\"\n[wire]\nrx_end = \"\\n\"\nrx_strip = \"\\r\"\n\
                    skip_blank = true\ndrain_before = true\nreply_timeout = \"5s\"\n";
        Driver::from_toml("x.toml", text).unwrap().wire(Medium::Tcp, &WireOverrides::default())
    }

    #[tokio::test(start_paused = true)]
    async fn messages_are_cut_and_stripped() {
        let (near, mut far) = duplex(256);
        let mut line = Line::new(Box::new(near), wire());
        far.write_all(b"\r\n4.2 \xb0C\r\nrest").await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(1);
        assert_eq!(line.receive(deadline).await.unwrap(), "4.2 °C");
        assert!(matches!(line.receive(deadline).await, Err(LineError::Timeout)));
        far.write_all(b" of it\n").await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(1);
        assert_eq!(line.receive(deadline).await.unwrap(), "rest of it");
    }

    #[tokio::test(start_paused = true)]
    async fn leftovers_do_not_answer_the_next_question() {
        let (near, mut far) = duplex(256);
        let mut line = Line::new(Box::new(near), wire());
        far.write_all(b"late\n").await.unwrap();
        line.send("V?").await.unwrap();
        far.write_all(b"3.3\n").await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(1);
        assert_eq!(line.receive(deadline).await.unwrap(), "3.3");
    }

    #[tokio::test(start_paused = true)]
    async fn messages_keep_their_distance() {
        let (near, _far) = duplex(256);
        let mut settings = wire();
        settings.gap = Duration::from_millis(50);
        let mut line = Line::new(Box::new(near), settings);
        let start = Instant::now();
        for _ in 0..3 {
            line.send("X").await.unwrap();
        }
        assert!(start.elapsed() >= Duration::from_millis(100), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_end_is_told_apart_from_silence() {
        let (near, far) = duplex(256);
        let mut line = Line::new(Box::new(near), wire());
        drop(far);
        let deadline = Instant::now() + Duration::from_secs(1);
        assert!(matches!(line.receive(deadline).await, Err(LineError::Closed)));
    }
}
