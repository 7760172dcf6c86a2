//! Regular expressions for texts, in the subset that ECMAScript, Rust and Python share.

/// A text with a reference in it, which is resolved before anything else looks at it.
pub(super) const REFERENCE: &str = "[$][{][^{}]+[}]";

/// What a component or a role may be called.
pub(super) const NAME: &str = "^[A-Za-z][A-Za-z0-9_-]*$";

/// A number and a unit of time. The pattern is for the whole text, without its ends.
pub(super) const DURATION: &str = r"\s*([0-9]+[.]?[0-9]*|[.][0-9]+)\s*(us|ms|s|min|h|d)\s*";

/// A slash and letters.
pub(super) const MOUNT_POINT: &str = "/[A-Za-z0-9/._-]+";

/// A fraction above 0 of frames a second.
pub(super) const FRACTION: &str = "[0-9]{1,10}/0*[1-9][0-9]{0,9}";

/// A dotted key as TOML writes it.
pub(super) fn path() -> String {
    let key = r#"([A-Za-z0-9_-]+|"[^"\\]*"|'[^']*')"#;
    format!(r"\s*{key}(\s*[.]\s*{key})*\s*")
}

/// Where an instrument is.
pub(super) fn address() -> String {
    let port = whole(1, 65_535);
    let host = r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])";
    let port_path = r"/[^\x00-\x1f\x7f-\x9f]+";
    format!("(sim:|tcp://{host}:{port}|serial://{port_path})")
}

/// Width and height.
pub(super) fn resolution() -> String {
    let side = whole(super::SIDE.0.into(), super::SIDE.1.into());
    format!("{side}x{side}")
}

/// A whole text, or a text with a reference in it.
pub(super) fn or_reference(pattern: &str) -> String {
    format!("^({pattern})$|{REFERENCE}")
}

/// These characters and no others.
pub(super) fn exactly(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, '_' | '-') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// A whole number between two, both allowed, zeros before it too.
pub(super) fn whole(least: u64, greatest: u64) -> String {
    let mut ways = Vec::new();
    let mut from = least;
    while from <= greatest {
        let digits = from.checked_ilog10().unwrap_or(0) + 1;
        let longest = 10_u64.checked_pow(digits).map_or(u64::MAX, |next| next - 1);
        let to = greatest.min(longest);
        ways.push(of_one_length(from.to_string().as_bytes(), to.to_string().as_bytes()));
        let Some(next) = to.checked_add(1) else { break };
        from = next;
    }
    format!("0*({})", ways.join("|"))
}

/// Numbers between two that have the same number of digits.
fn of_one_length(least: &[u8], greatest: &[u8]) -> String {
    let (Some((&first, low)), Some((&last, high))) = (least.split_first(), greatest.split_first())
    else {
        return String::new();
    };
    if first == last {
        return format!("{}{}", char::from(first), of_one_length(low, high));
    }
    let (zeros, nines) = (vec![b'0'; low.len()], vec![b'9'; high.len()]);
    let mut ways = Vec::new();
    let (mut from, mut to) = (first, last);
    if low != zeros {
        ways.push(format!("{}{}", char::from(first), of_one_length(low, &nines)));
        from += 1;
    }
    if high != nines {
        to -= 1;
    }
    if from <= to {
        let any = match low.len() {
            0 => String::new(),
            1 => "[0-9]".to_owned(),
            count => format!("[0-9]{{{count}}}"),
        };
        ways.push(format!("[{}-{}]{any}", char::from(from), char::from(to)));
    }
    if high != nines {
        ways.push(format!("{}{}", char::from(last), of_one_length(&zeros, high)));
    }
    if ways.len() == 1 { ways.concat() } else { format!("({})", ways.join("|")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether the library of the schema tests finds the pattern in the text.
    fn matches(pattern: &str, text: &str) -> bool {
        let schema = serde_json::json!({"pattern": pattern});
        jsonschema::validator_for(&schema).unwrap().is_valid(&text.into())
    }

    #[test]
    fn sides_and_ports_end_where_they_should() {
        for (least, greatest) in [(1_u64, 65_535_u64), (16, 4_096), (0, 9), (7, 7), (99, 101)] {
            let pattern = format!("^{}$", whole(least, greatest));
            let ends = [least, greatest, least.saturating_sub(1), least + 1, greatest + 1];
            for number in ends.into_iter().chain([9, 10, 99, 100, 999, 1_000, 9_999, 10_000]) {
                let within = (least..=greatest).contains(&number);
                assert_eq!(matches(&pattern, &number.to_string()), within, "{pattern} {number}");
                assert_eq!(matches(&pattern, &format!("00{number}")), within);
            }
        }
    }

    proptest! {
        #[test]
        fn a_number_matches_if_it_is_between(a in 0_u64..70_000, b in 0_u64..70_000, c: u16) {
            let (least, greatest) = (a.min(b), a.max(b));
            let pattern = format!("^{}$", whole(least, greatest));
            let within = (least..=greatest).contains(&c.into());
            prop_assert_eq!(matches(&pattern, &c.to_string()), within, "{}", pattern);
        }
    }
}
