//! A small power supply, written from the instrument's manual and not from Setpoint's driver.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, mpsc},
    thread,
};

use crate::{
    Bench,
    bench::{demo_text, with},
};

/// A Rigol DP832 as far as Setpoint asks it: identity, errors, setpoints, outputs, measurements.
#[derive(Debug)]
pub struct FakeSupply {
    received: Arc<Mutex<Vec<String>>>,
    silent_from: Arc<Mutex<Option<String>>>,
    // When this goes, the listening thread finds the other end gone after the next connection.
    _alive: mpsc::SyncSender<()>,
}

impl FakeSupply {
    /// Listens on a port of this machine.
    pub fn listen(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        let received = Arc::<Mutex<Vec<String>>>::default();
        let (alive, gone) = mpsc::sync_channel(1);
        let silent_from = Arc::<Mutex<Option<String>>>::default();
        let state = Arc::<State>::default();
        let (lines, silent) = (Arc::clone(&received), Arc::clone(&silent_from));
        let accept = move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if gone.try_recv() == Err(mpsc::TryRecvError::Disconnected) {
                    return;
                }
                let (lines, silent) = (Arc::clone(&lines), Arc::clone(&silent));
                let state = Arc::clone(&state);
                let name = "fake supply connection".to_owned();
                let talk = move || converse(&stream, &lines, &silent, &state);
                thread::Builder::new().name(name).spawn(talk).expect("a thread");
            }
        };
        thread::Builder::new().name("fake supply".to_owned()).spawn(accept).expect("a thread");
        Self { received, silent_from, _alive: alive }
    }

    /// The demo bench, with such a supply in place of the simulated one: it may take so long to
    /// answer.
    pub fn on_the_demo(reply_timeout: &str) -> (Bench, Self) {
        let port = closed_port();
        let supply = Self::listen(port);
        let simulated = "address = \"sim:\"            # a simulated one; a real one: \
                         \"tcp://192.0.2.21:5555\"";
        let real = format!(
            "address = \"tcp://127.0.0.1:{port}\"\nwire = {{ reply_timeout = \"{reply_timeout}\" }}"
        );
        (Bench::of(with(&demo_text(), simulated, &real)), supply)
    }

    /// Takes a line that begins so when it comes, and answers nothing from then on, as long as
    /// that connection lasts.
    pub fn silent_from(&self, line: &str) {
        *self.silent_from.lock().expect("no panic while held") = Some(line.to_owned());
    }

    /// All lines it got, in order.
    pub fn received(&self) -> Vec<String> {
        self.received.lock().expect("no panic while held").clone()
    }
}

/// A port that nobody listens on now.
pub fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// What was set, whoever set it.
type State = Mutex<HashMap<String, String>>;

fn converse(
    stream: &TcpStream,
    received: &Mutex<Vec<String>>,
    silent_from: &Mutex<Option<String>>,
    state: &State,
) {
    let mut silent = false;
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        received.lock().expect("no panic while held").push(line.clone());
        let reply = reply(line.trim(), &mut state.lock().expect("no panic while held"));
        let mut from = silent_from.lock().expect("no panic while held");
        if from.as_ref().is_some_and(|from| line.starts_with(from)) {
            (*from, silent) = (None, true);
        }
        drop(from);
        if let Some(reply) = reply
            && !silent
            && (&mut &*stream).write_all(format!("{reply}\n").as_bytes()).is_err()
        {
            return;
        }
    }
}

/// What the device answers; `None` to a command.
fn reply(line: &str, state: &mut HashMap<String, String>) -> Option<String> {
    let (head, argument) = line.split_once(' ').unwrap_or((line, ""));
    let Some(question) = head.strip_suffix('?') else {
        // `:OUTP CH1,ON` names its channel in the argument, `:SOUR1:VOLT 5` in the head.
        let (key, value) = match argument.split_once(',') {
            Some((channel, value)) => (format!("{head} {channel}"), value),
            None => (head.to_owned(), argument),
        };
        state.insert(key, value.to_owned());
        return None;
    };
    Some(match question {
        "*IDN" => "RIGOL TECHNOLOGIES,DP832,DP8F000000001,00.01.16".to_owned(),
        ":SYST:ERR" => "0,\"No error\"".to_owned(),
        ":MEAS:ALL" => "0.000,0.000,0.000".to_owned(),
        _ => {
            let key = format!("{question} {argument}").trim_end().to_owned();
            let unset = if question.starts_with(":OUTP") && !question.ends_with(":VAL") {
                "OFF"
            } else {
                "0.000"
            };
            state.get(&key).cloned().unwrap_or_else(|| unset.to_owned())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_answered() {
        let mut state = HashMap::new();
        assert_eq!(reply(":SOUR1:VOLT 3.300", &mut state), None);
        assert_eq!(reply(":OUTP CH2,ON", &mut state), None);
        assert_eq!(reply(":SOUR1:VOLT?", &mut state).as_deref(), Some("3.300"));
        assert_eq!(reply(":OUTP? CH2", &mut state).as_deref(), Some("ON"));
        assert_eq!(reply(":OUTP? CH1", &mut state).as_deref(), Some("OFF"));
    }
}
