//! The socket of an instrument, spoken to without Setpoint.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

use crate::{Api, until};

/// A line to a device.
#[derive(Debug)]
pub struct Wire {
    stream: BufReader<TcpStream>,
}

impl Wire {
    /// To the device that an instrument is linked with.
    pub fn of(api: &Api, instrument: &str) -> Self {
        let seen = api.until_instrument(instrument, "connected");
        let link = seen["link"].as_str().expect("a connected instrument has a link");
        let address = link.strip_prefix("tcp://").expect("the link is a TCP address");
        let stream = TcpStream::connect(address).expect("the device takes connections");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit can be set");
        Self { stream: BufReader::new(stream) }
    }

    /// Sends a line and returns the reply, line ends left out.
    pub fn ask(&mut self, line: &str) -> String {
        self.stream.get_mut().write_all(format!("{line}\n").as_bytes()).expect("it can be sent");
        let mut reply = String::new();
        self.stream.read_line(&mut reply).unwrap_or_else(|error| panic!("{line}: {error}"));
        reply.trim_end().to_owned()
    }

    /// A reply as a number.
    pub fn number(&mut self, line: &str) -> f64 {
        let reply = self.ask(line);
        reply.parse().unwrap_or_else(|_| panic!("{line} was answered {reply:?}, no number"))
    }

    /// Waits until the device answers this number.
    pub fn until(&mut self, line: &str, value: f64) {
        until(&format!("{line} answered with {value}"), || {
            ((self.number(line) - value).abs() < 1e-6).then_some(())
        });
    }
}
