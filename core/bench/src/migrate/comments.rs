//! Which comment belongs to which key.

use std::ops::Range;

use super::node::{Anchor, Comments, Data, Node, Tree};

/// Something that comments can hold on to.
struct Hold {
    start: usize,
    extent: Range<usize>,
    header: bool,
    /// Its number in a walk over the tree.
    number: usize,
}

/// Gives every comment of a text to the key it is about. `comments` are their stretches, in the
/// order of the text, from `#` to the end of the line.
pub(super) fn attach(text: &str, tree: &mut Tree, comments: &[Range<usize>]) {
    if comments.is_empty() {
        return;
    }
    let mut holds = Vec::new();
    let mut count = 0;
    collect(&tree.root, &mut count, &mut holds);
    // Tables go before their first key where both begin at the same place.
    holds.sort_by_key(|hold| (hold.start, hold.number));
    let mut found: Vec<Comments> = vec![Comments::default(); count];
    let mut block: Vec<String> = Vec::new();
    let mut begins_file =
        text[..comments[0].start].trim_matches(['\u{feff}', ' ', '\t']).is_empty();
    for (index, comment) in comments.iter().enumerate() {
        let line_start = text[..comment.start].rfind('\n').map_or(0, |at| at + 1);
        let own_line =
            text[line_start..comment.start].trim_matches(['\u{feff}', ' ', '\t']).is_empty();
        let shown = clean(&text[comment.clone()]);
        let next = holds.partition_point(|hold| hold.start < comment.end);
        let previous = next.checked_sub(1).and_then(|at| holds.get(at));
        let mut give = |hold: &Hold, put: &mut dyn FnMut(&mut Comments)| {
            if let Some(comments) = found.get_mut(hold.number) {
                put(comments);
            }
        };
        if let Some(holder) = previous
            && comment.start < holder.extent.end
        {
            // In the middle of a list: it stays with the key.
            give(holder, &mut |comments| comments.above.push(shown.clone()));
            begins_file = false;
            continue;
        }
        if !own_line {
            match previous {
                Some(holder) => give(holder, &mut |comments| comments.beside.push(shown.clone())),
                None => tree.head.push(shown),
            }
            begins_file = false;
            continue;
        }
        block.push(shown);
        // The block goes on in the next line, if that is a comment too.
        let after = &text[comment.end..];
        let goes_on = comments.get(index + 1).is_some_and(|following| {
            let between = &text[comment.end..following.start];
            between.trim().is_empty() && between.matches('\n').count() == 1
        });
        if goes_on {
            continue;
        }
        let mut lines = std::mem::take(&mut block);
        let rest = after.trim_start_matches([' ', '\t', '\r']).strip_prefix('\n').unwrap_or("");
        let blank_after = rest.lines().next().is_none_or(|line| line.trim().is_empty());
        let first = line_start_of(text, comments, index, lines.len());
        let blank_before = first == 0
            || text[..first].lines().next_back().is_none_or(|line| line.trim().is_empty());
        let following = holds.get(next);
        let at_head = previous.is_none()
            && (blank_after || (begins_file && following.is_some_and(|hold| !hold.header)));
        begins_file = false;
        match (previous, following) {
            _ if at_head && following.is_some() => {
                if !tree.head.is_empty() {
                    tree.head.push(String::new());
                }
                tree.head.append(&mut lines);
            }
            (Some(holder), _) if !blank_before && blank_after => {
                give(holder, &mut |comments| comments.below.append(&mut lines));
            }
            (_, Some(holder)) => give(holder, &mut |comments| {
                comments.above.append(&mut lines);
                if blank_after {
                    comments.above.push(String::new());
                }
            }),
            (_, None) => {
                if !tree.tail.is_empty() {
                    tree.tail.push(String::new());
                }
                tree.tail.append(&mut lines);
            }
        }
    }
    let mut numbered = found.into_iter();
    hand_out(&mut tree.root, &mut numbered);
}

/// Where the first line of a block of `count` comments that ends with `last` begins.
fn line_start_of(text: &str, comments: &[Range<usize>], last: usize, count: usize) -> usize {
    let first = comments.get((last + 1).saturating_sub(count)).map_or(0, |first| first.start);
    text[..first].rfind('\n').map_or(0, |at| at + 1)
}

fn collect(node: &Node, count: &mut usize, holds: &mut Vec<Hold>) {
    let number = *count;
    *count += 1;
    let extent = node.extent.clone();
    match node.anchor {
        Anchor::None => {}
        Anchor::Key(start) => holds.push(Hold { start, extent, header: false, number }),
        Anchor::Header(start) => holds.push(Hold { start, extent, header: true, number }),
    }
    match &node.data {
        Data::List(items) => items.iter().for_each(|item| collect(item, count, holds)),
        Data::Map(entries) => entries.iter().for_each(|(_, node)| collect(node, count, holds)),
        Data::Plain(..) | Data::Odd(..) => {}
    }
}

fn hand_out(node: &mut Node, found: &mut impl Iterator<Item = Comments>) {
    if let Some(comments) = found.next() {
        node.comments = comments;
    }
    match &mut node.data {
        Data::List(items) => items.iter_mut().for_each(|item| hand_out(item, found)),
        Data::Map(entries) => entries.iter_mut().for_each(|(_, node)| hand_out(node, found)),
        Data::Plain(..) | Data::Odd(..) => {}
    }
}

/// A comment that TOML takes: control characters are spelt out.
fn clean(comment: &str) -> String {
    let comment = comment.trim_end();
    if !comment.contains(|c: char| c.is_control() && c != '\t') {
        return comment.to_owned();
    }
    let spell = |c: char| {
        let control = c.is_control() && c != '\t';
        if control { format!("\\u{:04X}", u32::from(c)) } else { c.to_string() }
    };
    comment.chars().map(spell).collect()
}
