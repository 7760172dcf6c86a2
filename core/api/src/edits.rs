//! What is to change: the bodies of `PATCH /v1/bench` and of `POST /v1/transactions/{id}/edits`.

use serde_json::Value as Json;
use setpoint_bench::{Edit, KeyPath, TextEdit, Value, edit::Spot};

use crate::{
    input::{Fields, type_name},
    problem::Problem,
};

/// What a `PATCH` asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// What to change, in order; at least one.
    pub edits: Vec<TextEdit>,
    /// Why; may be empty.
    pub message: String,
}

/// Most characters of a reason.
const MESSAGE_LIMIT: usize = 2_000;

impl Patch {
    /// Reads a body.
    ///
    /// # Errors
    /// 400 with the place of the first thing wrong in it, or of something asked for that this
    /// version does not do.
    pub fn read(mut body: Fields) -> Result<Self, Problem> {
        let edits = edits(&mut body)?.unwrap_or_default();
        let message = message(&mut body)?;
        match body.any("confirm_s") {
            None | Some(Json::Null) => {}
            Some(Json::Number(seconds)) if seconds.as_f64() == Some(0.0) => {}
            Some(Json::Number(_)) => return Err(unsupported("confirm_s", "0")),
            Some(other) => {
                let found = type_name(&other);
                return Err(Problem::malformed(format!("confirm_s is {found}, not a number")));
            }
        }
        for (key, default) in [("force", false), ("cascade", false), ("persist", true)] {
            if body.flag(key)?.is_some_and(|asked| asked != default) {
                return Err(unsupported(key, if default { "true" } else { "false" }));
            }
        }
        body.finish("edits, message, confirm_s, force, cascade and persist")?;
        if edits.is_empty() {
            return Err(Problem::malformed("edits is empty: there is nothing to change"));
        }
        Ok(Self { edits, message })
    }
}

/// What a transaction gets, or what is taken out of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Staged {
    /// Edits in order; at least one.
    Edits(Vec<Edit>),
    /// Keys whose edits are taken back; at least one.
    Unstage(Vec<KeyPath>),
}

impl Staged {
    /// Reads a body.
    ///
    /// # Errors
    /// 400 with the place of the first thing wrong in it.
    pub fn read(mut body: Fields) -> Result<Self, Problem> {
        let (edits, unstage) = (edits(&mut body)?, body.list("unstage")?);
        body.finish("edits or unstage")?;
        match (edits, unstage) {
            (Some(_), Some(_)) => Err(Problem::malformed("edits and unstage exclude each other")),
            (Some(edits), None) if !edits.is_empty() => {
                let put = |(index, edit)| match edit {
                    TextEdit::Put(edit) => Ok(edit),
                    _ => Err(Problem::malformed(format!(
                        "edits[{index}].rename cannot be staged: it takes value or remove; rename \
                         with PATCH /v1/bench"
                    ))),
                };
                let edits = edits.into_iter().enumerate().map(put);
                Ok(Self::Edits(edits.collect::<Result<_, _>>()?))
            }
            (None, Some(paths)) if !paths.is_empty() => {
                let one = |(index, json)| match json {
                    Json::String(text) => path(&text, &format!("unstage[{index}]")),
                    other => {
                        let found = type_name(&other);
                        Err(Problem::malformed(format!("unstage[{index}] is {found}, not a text")))
                    }
                };
                let paths = paths.into_iter().enumerate().map(one);
                Ok(Self::Unstage(paths.collect::<Result<_, _>>()?))
            }
            (None, Some(_)) => Err(Problem::malformed("unstage is empty: there is nothing to do")),
            (_, None) => Err(Problem::malformed("edits is empty: there is nothing to change")),
        }
    }
}

/// The key `edits`, if it is there.
fn edits(body: &mut Fields) -> Result<Option<Vec<TextEdit>>, Problem> {
    let Some(list) = body.list("edits")? else { return Ok(None) };
    let mut edits = Vec::with_capacity(list.len());
    for (index, json) in list.into_iter().enumerate() {
        edits.extend(edit(Fields::new(json, format!("edits[{index}]"))?)?);
    }
    Ok(Some(edits))
}

/// The key `message`, why; may be empty.
///
/// # Errors
/// 400 if it is no text, or longer than a reason should be.
pub fn message(body: &mut Fields) -> Result<String, Problem> {
    let message = body.text("message")?.unwrap_or_default();
    if message.chars().count() > MESSAGE_LIMIT {
        let detail = format!("message is longer than {MESSAGE_LIMIT} characters");
        return Err(Problem::malformed(detail));
    }
    Ok(message)
}

fn unsupported(key: &str, default: &str) -> Problem {
    Problem::malformed(format!("{key} is not supported yet: leave it out or set it to {default}"))
}

/// What an edit may say besides its path.
const WAYS: &str = "path with value, remove, rename, move_to, before or after";

/// The keys of which an edit has one.
const KEYS: [&str; 4] = ["rename", "move_to", "before", "after"];

fn edit(mut fields: Fields) -> Result<Vec<TextEdit>, Problem> {
    let place = fields.place("path");
    let path = path(&fields.needed_text("path")?, &place)?;
    let remove = fields.flag("remove")?.unwrap_or(false);
    let mut asked: Vec<(&str, String)> = Vec::new();
    for key in KEYS {
        asked.extend(fields.text(key)?.map(|text| (key, text)));
    }
    let value_place = fields.place("value");
    let value = fields.any("value");
    if let Some((key, text)) = asked.pop() {
        let place = fields.place(key);
        let others = [("remove", remove), ("value", value.is_some())];
        let others = others.into_iter().filter(|(_, there)| *there).map(|(other, _)| other);
        if let Some(other) = others.chain(asked.iter().map(|(other, _)| *other)).next() {
            return Err(Problem::malformed(format!("{place} and {other} exclude each other")));
        }
        fields.finish(WAYS)?;
        return Ok(match key {
            "rename" => vec![TextEdit::rename(path, text)],
            "move_to" => TextEdit::moved(path, &self::path(&text, &place)?),
            "before" => vec![TextEdit::Move { path, to: Spot::Before(text) }],
            _ => vec![TextEdit::Move { path, to: Spot::After(text) }],
        });
    }
    let value = match (value, remove) {
        (None, true) => None,
        (Some(json), false) => Some(self::value(json, &value_place)?),
        (None, false) => {
            return Err(Problem::malformed(format!(
                "{value_place} is missing, and remove is not true"
            )));
        }
        (Some(_), true) => {
            return Err(Problem::malformed(format!(
                "{value_place} is there although remove is true"
            )));
        }
    };
    fields.finish(WAYS)?;
    Ok(vec![TextEdit::Put(Edit { path, value })])
}

/// A key out of a request; `place` says where it stands.
///
/// # Errors
/// 400
pub fn path(text: &str, place: &str) -> Result<KeyPath, Problem> {
    text.parse().map_err(|error| Problem::malformed(format!("{place}: {error}")))
}

/// A JSON value as a bench file holds it. Whole numbers stay whole: `3` is not `3.0`.
fn value(json: Json, place: &str) -> Result<Value, Problem> {
    Ok(match json {
        Json::Null => {
            return Err(Problem::malformed(format!(
                "{place} is null, which a bench file cannot hold; to take the key out, say \
                 \"remove\": true instead"
            )));
        }
        Json::Bool(flag) => Value::Bool(flag),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Int(whole),
            (None, Some(float)) if !number.is_u64() => Value::Float(float),
            _ => {
                return Err(Problem::malformed(format!(
                    "{place} is {number}, more than a bench file can hold"
                )));
            }
        },
        Json::String(text) => Value::String(text),
        Json::Array(items) => Value::Array(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| value(item, &format!("{place}[{index}]")))
                .collect::<Result<_, _>>()?,
        ),
        Json::Object(map) => Value::Table(
            map.into_iter()
                .map(|(key, item)| {
                    let item = value(item, &format!("{place}.{key}"))?;
                    Ok((key, item))
                })
                .collect::<Result<_, Problem>>()?,
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::parse;

    fn read(body: &str) -> Result<Patch, String> {
        let patch = parse(body.as_bytes()).and_then(Patch::read);
        patch.map_err(|problem| {
            assert_eq!(problem.status(), 400);
            problem.detail().to_owned()
        })
    }

    #[test]
    fn edits_keep_their_order_and_types() {
        let patch = read(
            r#"{"edits":[
                {"path":"instruments.psu.set.ch1.voltage","value":3.45},
                {"path":"sources.ball.framerate","value":30,"remove":false},
                {"path":"instruments.\"odd name\"","remove":true},
                {"path":"instruments.psu.limits","value":{"ch1":{"voltage":[0,3.6]}}},
                {"path":"instruments.psu","rename":"supply 2"}
            ],"message":"higher","confirm_s":0,"force":false,"cascade":null,"persist":true}"#,
        )
        .unwrap();
        let (last, puts) = patch.edits.split_last().unwrap();
        assert_eq!(last, &TextEdit::rename("instruments.psu".parse().unwrap(), "supply 2"));
        let put = |edit: &TextEdit| match edit {
            TextEdit::Put(edit) => edit.clone(),
            other => panic!("{other:?}"),
        };
        let puts: Vec<Edit> = puts.iter().map(put).collect();
        let [first, second, third, fourth] = puts.as_slice() else { panic!("{patch:?}") };
        assert_eq!(first.path, KeyPath::setpoint("psu", "ch1.voltage"));
        assert_eq!(first.value, Some(Value::Float(3.45)));
        assert_eq!(second.value, Some(Value::Int(30)));
        assert_eq!((third.path.names()[1].as_str(), &third.value), ("odd name", &None));
        let limits = fourth.value.as_ref().unwrap().to_string();
        assert_eq!(limits, "{ ch1 = { voltage = [0, 3.6] } }");
        assert_eq!(patch.message, "higher");
    }

    #[test]
    fn a_key_moves_to_another_table_another_name_and_another_line() {
        let patch = read(
            r#"{"edits":[
                {"path":"a.x","move_to":"b.x"},
                {"path":"a.x","move_to":"a.y"},
                {"path":"a.x","move_to":"b.y"},
                {"path":"a.x","move_to":"x"},
                {"path":"a.x","before":"y"},
                {"path":"a.x","after":"odd name"}
            ]}"#,
        )
        .unwrap();
        let key = |path: &str| path.parse::<KeyPath>().unwrap();
        let to = |to| TextEdit::Move { path: key("a.x"), to };
        assert_eq!(
            patch.edits,
            [
                to(Spot::Into(key("b"))),
                TextEdit::rename(key("a.x"), "y"),
                to(Spot::Into(key("b"))),
                TextEdit::rename(key("b.x"), "y"),
                to(Spot::Into(KeyPath::default())),
                to(Spot::Before("y".to_owned())),
                to(Spot::After("odd name".to_owned())),
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (body, expected) in [
            (r"{}", "edits is empty"),
            (r#"{"edits":[]}"#, "edits is empty"),
            (r#"{"edits":{}}"#, "edits is an object, not a list"),
            (r#"{"edits":[3]}"#, "edits[0] is a number, not an object"),
            (r#"{"edits":[{"value":3}]}"#, "edits[0].path is missing"),
            (r#"{"edits":[{"path":"a..b","value":3}]}"#, "edits[0].path: “a..b” is not a path"),
            (r#"{"edits":[{"path":"a"}]}"#, "edits[0].value is missing"),
            (r#"{"edits":[{"path":"a","value":1,"remove":true}]}"#, "edits[0].value is there"),
            (r#"{"edits":[{"path":"a","rename":3}]}"#, "edits[0].rename is a number"),
            (
                r#"{"edits":[{"path":"a","rename":"b","remove":true}]}"#,
                "edits[0].rename and remove",
            ),
            (r#"{"edits":[{"path":"a","rename":"b","value":1}]}"#, "edits[0].rename and value"),
            (
                r#"{"edits":[{"path":"a","move_to":"b","after":"c"}]}"#,
                "edits[0].after and move_to exclude",
            ),
            (r#"{"edits":[{"path":"a","move_to":"b..c"}]}"#, "edits[0].move_to: “b..c” is not"),
            (r#"{"edits":[{"path":"a","value":null}]}"#, "edits[0].value is null"),
            (r#"{"edits":[{"path":"a","value":{"b":[1,null]}}]}"#, "edits[0].value.b[1] is null"),
            (r#"{"edits":[{"path":"a","value":18446744073709551615}]}"#, "edits[0].value is 184"),
            (r#"{"edits":[{"path":"a","value":1,"valu":1}]}"#, "edits[0].valu is not a key"),
            (r#"{"edits":[{"path":"a","value":1}],"msg":"x"}"#, "msg is not a key"),
            (r#"{"edits":[{"path":"a","value":1}],"message":7}"#, "message is a number"),
        ] {
            let found = read(body).unwrap_err();
            assert!(found.starts_with(expected), "{body}: {found}");
        }
    }

    #[test]
    fn what_is_not_supported_is_refused_and_not_ignored() {
        for extra in
            [r#""confirm_s":120"#, r#""force":true"#, r#""cascade":true"#, r#""persist":false"#]
        {
            let body = format!(r#"{{"edits":[{{"path":"a","value":1}}],{extra}}}"#);
            let found = read(&body).unwrap_err();
            assert!(found.contains("is not supported yet"), "{extra}: {found}");
        }
    }
}
