//! Conditions in driver files: comparisons joined by `and`, `or`, `not`.
//!
//! `code != 0`, `code & 48 != 0`, `ch.output = on and not ch.voltage > 5`. A name whose value is
//! not known makes its comparison false.

/// A parsed condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// True if every comparison of any of these is.
    any: Vec<Vec<Comparison>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Comparison {
    negated: bool,
    name: String,
    /// Bits of a whole number that are looked at.
    mask: Option<i64>,
    operator: Operator,
    right: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Longer ones first, so that `>=` is not read as `>`.
const OPERATORS: [(&str, Operator); 7] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("==", Operator::Equal),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
];

impl Expression {
    /// Reads a condition.
    ///
    /// # Errors
    /// A sentence naming the part that cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let any = text
            .split(" or ")
            .map(|part| part.split(" and ").map(comparison).collect())
            .collect::<Result<Vec<Vec<_>>, String>>()?;
        Ok(Self { any })
    }

    /// The names it looks at.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.any.iter().flatten().map(|comparison| comparison.name.as_str())
    }

    /// The same condition with other names.
    pub fn renamed(mut self, rename: impl Fn(&str) -> String) -> Self {
        for comparison in self.any.iter_mut().flatten() {
            comparison.name = rename(&comparison.name);
        }
        self
    }

    /// Whether it holds; `value` gives the text of a name's value.
    pub fn holds(&self, value: &dyn Fn(&str) -> Option<String>) -> bool {
        self.any.iter().any(|all| {
            all.iter().all(|one| {
                value(&one.name).and_then(|left| one.holds(&left)).is_some_and(|held| held)
            })
        })
    }
}

impl Comparison {
    fn holds(&self, left: &str) -> Option<bool> {
        let masked = match self.mask {
            Some(mask) => (left.trim().parse::<i64>().ok()? & mask).to_string(),
            None => left.trim().to_owned(),
        };
        let numbers = (masked.parse::<f64>(), self.right.parse::<f64>());
        let order = match numbers {
            (Ok(left), Ok(right)) => left.partial_cmp(&right)?,
            _ => masked.as_str().cmp(self.right.as_str()),
        };
        let held = match self.operator {
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::Greater => order.is_gt(),
            Operator::GreaterOrEqual => order.is_ge(),
        };
        Some(held != self.negated)
    }
}

fn comparison(text: &str) -> Result<Comparison, String> {
    let text = text.trim();
    let wrong = || format!("“{text}” is not a comparison such as code != 0");
    let (negated, body) = match text.strip_prefix("not ") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let place = body.find(['!', '=', '<', '>']).ok_or_else(wrong)?;
    let (left, rest) = body.split_at(place);
    let (symbol, operator) =
        OPERATORS.iter().find(|(symbol, _)| rest.starts_with(symbol)).ok_or_else(wrong)?;
    let right = rest[symbol.len()..].trim().trim_matches('"').to_owned();
    let (name, mask) = match left.split_once('&') {
        Some((name, mask)) => (name, Some(mask.trim().parse::<i64>().map_err(|_| wrong())?)),
        None => (left, None),
    };
    let name = name.trim().to_owned();
    let odd = |c: char| c.is_whitespace() || "!=<>&".contains(c);
    if name.is_empty() || right.is_empty() || name.contains(odd) || right.contains(odd) {
        return Err(wrong());
    }
    Ok(Comparison { negated, name, mask, operator: *operator, right })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, values: &[(&str, &str)]) -> bool {
        Expression::parse(text).unwrap().holds(&|name| {
            values.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn comparisons() {
        assert!(holds("code != 0", &[("code", "-113")]));
        assert!(!holds("code != 0", &[("code", "0")]));
        assert!(holds("code & 48 != 0", &[("code", "160")]));
        assert!(!holds("code & 48 != 0", &[("code", "128")]));
        assert!(holds("out = on and v >= 3", &[("out", "on"), ("v", "3.0")]));
        assert!(!holds("out = on and v >= 3", &[("out", "on"), ("v", "2.9")]));
        assert!(holds("a = 1 or not b = 1", &[("a", "0"), ("b", "0")]));
        assert!(!holds("gone = 1", &[]), "an unknown value must not hold");
    }

    #[test]
    fn refused() {
        for text in ["", "code", "= 3", "code !", "code ! 3", "a = b = c", "a & x = 1"] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
    }
}
