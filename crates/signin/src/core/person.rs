//! What of a person goes into his session.

use guard::entrance::{LONGEST_GROUPS, LONGEST_SESSION_NAME, MOST_GROUPS};

/// The groups that a session carries: those that `wanted` names first, and of the others as many as there is room for. One whose name can not
/// be told to a target is left out.
pub(crate) fn groups(all: Vec<String>, wanted: &[String]) -> Vec<Box<str>> {
    let is_wanted = |group: &String| wanted.contains(group);
    let (first, others): (Vec<_>, Vec<_>) = all.into_iter().partition(is_wanted);
    let mut room = LONGEST_GROUPS;
    let mut kept: Vec<Box<str>> = Vec::new();
    for group in first.into_iter().chain(others) {
        let fits = !group.is_empty()
            && group.len() <= LONGEST_SESSION_NAME.min(room)
            && !group.chars().any(char::is_control);
        if fits && kept.len() < MOST_GROUPS && !kept.iter().any(|known| **known == *group) {
            room -= group.len();
            kept.push(group.into());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_that_counts_is_among_those_that_fit() {
        let mut all: Vec<_> = (0..1000)
            .map(|number| format!("group {number:0>100}"))
            .collect();
        all.push("pbx\nusers".to_owned());
        all.push(String::new());
        all.push("pbx-users".to_owned());
        all.push("pbx-users".to_owned());
        let kept = groups(all, &["pbx-users".to_owned()]);
        assert_eq!(&*kept[0], "pbx-users");
        assert_ne!(&*kept[1], "pbx-users");
        assert!(kept.iter().map(|group| group.len()).sum::<usize>() <= LONGEST_GROUPS);
        assert!(kept.len() > 50);
    }
}
