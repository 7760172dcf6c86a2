//! Large bench files to measure with, and a catalogue that knows what is in them.

use std::fmt::Write as _;

use setpoint_bench::{Catalogue, ParameterFacts, ParameterKind};

/// One type of instrument with the parameters that the file sets.
pub struct Types;

impl Catalogue for Types {
    fn types(&self) -> Vec<String> {
        vec!["supply".to_owned()]
    }

    fn parameters(&self, instrument_type: &str) -> Option<Vec<ParameterFacts>> {
        let number = |name: String, unit: &str, most| ParameterFacts {
            name,
            kind: ParameterKind::Float,
            unit: Some(unit.to_owned()),
            range: Some((0.0, most)),
            choices: Vec::new(),
            settable: true,
            hazard: None,
        };
        let channel = |n: usize| {
            [
                number(format!("ch{n}.voltage"), "V", 30.0),
                number(format!("ch{n}.current"), "A", 3.0),
            ]
        };
        (instrument_type == "supply").then(|| (1..=3).flat_map(channel).collect())
    }
}

/// A file of so many instruments with ten keys each; `volts` of each by its number.
pub fn file(instruments: usize, volts: impl Fn(usize) -> f64) -> String {
    let mut text = "# Bench for measuring\nformat = 1\n\n[bench]\nname = \"Large\"\n".to_owned();
    for n in 0..instruments {
        let (host, port, volts) = (n % 250 + 1, 5000 + n / 250, volts(n));
        write!(
            text,
            "\n# Bias supply {n}\n[instruments.psu{n:05}]\ntype = \"supply\"\n\
             address = \"tcp://192.0.2.{host}:{port}\"\nenabled = true\nlabel = \"Rack {n}\"\n\
             on_reconnect = \"compare\"\nwire.reply_timeout = \"1s\"\n\
             [instruments.psu{n:05}.set]\nch1.voltage = {volts:.3} # V\nch1.current = 0.5\n\
             ch2.voltage = 1.5\nch2.current = 0.25\n",
        )
        .unwrap();
    }
    text
}
