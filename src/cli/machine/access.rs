//! Whether the service's user may open a file.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use super::Tree;

/// A user with all of its groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    id: u32,
    groups: Vec<u32>,
}

impl User {
    /// The user that the service runs as: its groups are those of `/etc/group` and those that its unit adds. `None`: the
    /// system has no such user yet.
    pub(crate) fn of_service(tree: &Tree) -> Option<Self> {
        let name = "till";
        let users = tree.text("/etc/passwd")?;
        let fields: Vec<&str> = users
            .lines()
            .map(|line| line.split(':').collect())
            .find(|fields: &Vec<&str>| fields.first() == Some(&name))?;
        let id = fields.get(2)?.parse().ok()?;
        let own = fields.get(3)?.parse().ok()?;
        let added = added_groups(tree);
        let groups = tree.text("/etc/group").unwrap_or_default();
        let others = groups.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let (group, _, number, members) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
            let is_in = members.split(',').any(|member| member == name) || added.iter().any(|added| added == group);
            number.parse().ok().filter(|_| is_in)
        });
        Some(Self { name: name.to_owned(), id, groups: std::iter::once(own).chain(others).collect() })
    }
}

/// `SupplementaryGroups=` of the unit and of what changes it.
fn added_groups(tree: &Tree) -> Vec<String> {
    let lines = tree.unit_lines();
    let lines = lines.iter().filter_map(|line| line.strip_prefix("SupplementaryGroups="));
    lines.flat_map(|names| names.split_whitespace().map(ToOwned::to_owned)).collect()
}

/// Whether the user may read and write what has these owners and this mode. Rules beyond owner, group and others, such as
/// access lists, are not looked at.
pub(crate) fn may_open(user: &User, file: &Metadata) -> bool {
    may(user, (file.uid(), file.gid(), file.mode()))
}

fn may(user: &User, (owner, group, mode): (u32, u32, u32)) -> bool {
    let rights = if user.id == owner {
        mode >> 6
    } else if user.groups.contains(&group) {
        mode >> 3
    } else {
        mode
    };
    user.id == 0 || rights & 0o6 == 0o6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_owner_group_and_others_that_fits_decides() {
        let till = User { name: "till".to_owned(), id: 990, groups: vec![990, 20] };
        for (owner, group, mode, may_it) in [
            (0, 20, 0o660, true),
            (0, 5, 0o660, false),
            (0, 5, 0o666, true),
            (0, 20, 0o640, false),
            (990, 5, 0o600, true),
            (990, 20, 0o066, false),
        ] {
            assert_eq!(may(&till, (owner, group, mode)), may_it, "{owner} {group} {mode:o}");
        }
        assert!(may(&User { name: "root".to_owned(), id: 0, groups: vec![] }, (5, 5, 0o000)));
    }
}
