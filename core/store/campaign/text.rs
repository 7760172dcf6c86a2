//! The texts that the committer writes, one for each number.

/// What a bench file holds after commit `number`: valid TOML, of another length each time, with
/// its number in every line, so that a mixture of two shows.
pub fn text(number: u64) -> String {
    let mut text = format!("# commit {number}\n[bench]\nname = \"crash {number}\"\n");
    for line in 0..number * 37 % 150 {
        text.push_str(&format!("# {number}: line {line} of a bench that is written again\n"));
    }
    text.push_str(&format!("# end of {number}\n"));
    text
}

/// The number of the text, if it is one of these, whole.
pub fn number(found: &str) -> Option<u64> {
    let number = found.lines().next()?.strip_prefix("# commit ")?.parse().ok()?;
    (found == text(number)).then_some(number)
}
