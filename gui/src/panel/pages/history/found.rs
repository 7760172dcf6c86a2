//! Which revisions a search is about.

use std::{collections::BTreeSet, sync::Arc};

use setpoint_runtime::{Revision, RevisionQuery};

use super::HistoryState;
use crate::panel::{
    answers::Search,
    intent::{HistoryIntent, Intent},
    pages::{View, words},
    search,
};

/// What a search came to so far.
pub struct Found<'v> {
    /// Newest first.
    pub revisions: Vec<&'v Revision>,
    /// What is wrong with it, or with looking for it.
    pub problem: Option<String>,
    /// More may be found yet.
    pub more: bool,
}

/// Looks through what is in memory, and asks for what is not. What was found for the same words
/// before stays until the new answer is here.
pub fn found<'v>(
    view: &View<'v>,
    state: &mut HistoryState,
    intents: &mut Vec<Intent>,
) -> Found<'v> {
    let all = view.status.revisions.as_slice();
    let everything = || all.iter().collect();
    if state.search.trim().is_empty() {
        state.found = None;
        return Found { revisions: everything(), problem: None, more: false };
    }
    let query = match search::revisions(&state.search, view.now, view.zone) {
        Ok(query) => query,
        Err(problem) => {
            return Found { revisions: everything(), problem: Some(problem), more: false };
        }
    };
    let wanted = Search { typed: state.search.trim().to_owned(), stamp: stamp(all) };
    let (mut problem, mut more) = (None, false);
    match view.answers.revisions.get(&wanted) {
        Some(Ok(ids)) => state.found = Some((wanted.typed.clone(), ids.clone())),
        Some(Err(why)) => problem = Some(format!("The history could not be searched: {why}")),
        None => {
            more = true;
            if !view.answers.revisions.is_busy() {
                intents.push(HistoryIntent::Find(wanted.clone(), query.clone()).into());
            }
        }
    }
    let ids = state.found.as_ref().filter(|(typed, _)| typed == state.search.trim());
    let ids = ids.map(|(_, ids)| ids.clone());
    let listed = match state.listed.take() {
        Some(listed) if listed.of == wanted && listed.ids == ids => listed,
        _ => Listed { rows: rows(all, &query, ids.as_deref()), of: wanted, ids },
    };
    let revisions = listed.rows.iter().filter_map(|&row| all.get(row)).collect();
    state.listed = Some(listed);
    Found { revisions, problem, more }
}

/// What is listed, as long as search and answer stay the same.
#[derive(Debug)]
pub struct Listed {
    of: Search,
    ids: Option<Arc<Vec<String>>>,
    /// Places in the list of all revisions.
    rows: Vec<usize>,
}

/// Places of the revisions that were found in the history, or say the words themselves.
fn rows(all: &[Revision], query: &RevisionQuery, ids: Option<&Vec<String>>) -> Vec<usize> {
    let ids: BTreeSet<&str> = ids.into_iter().flatten().map(String::as_str).collect();
    // Keys are looked for in the history alone.
    let plain = RevisionQuery { text: String::new(), ..query.clone() } == RevisionQuery::default();
    let text = query.text.to_lowercase();
    let wanted = |one: &Revision| ids.contains(one.id.as_str()) || (plain && says(one, &text));
    all.iter().enumerate().filter(|(_, one)| wanted(one)).map(|(row, _)| row).collect()
}

/// Another list of revisions, or another label, is another search.
fn stamp(all: &[Revision]) -> String {
    let newest = all.first().map_or("", |one| one.id.as_str());
    let labelled = all.iter().filter(|one| one.label.is_some()).count();
    format!("{newest}, {} kept, {labelled} labelled", all.len())
}

fn says(revision: &Revision, text: &str) -> bool {
    let who = words::author(revision).to_lowercase();
    let label = revision.label.as_deref().unwrap_or_default().to_lowercase();
    let (id, message) = (revision.id.to_lowercase(), revision.message.to_lowercase());
    text.split_whitespace()
        .all(|word| [&id, &message, &who, &label].into_iter().any(|part| part.contains(word)))
}
