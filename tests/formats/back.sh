#!/bin/sh
# Going back a version: has REV (a tag or commit) go on with a journal that this tree wrote, with all that REV does not know.
# Needs git and cargo. Usage: tests/formats/back.sh REV
set -eu
revision=${1:?usage: tests/formats/back.sh REV}
tree=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
place=$(mktemp -d)
trap 'git -C "$tree" worktree remove --force "$place/before" 2>/dev/null || true; rm -rf "$place"' EXIT
cd "$tree"
TILL_JOURNAL=$place/till.db cargo test --quiet -p till --test formats -- --exact a_journal_of_today_is_written_for_the_version_before
git worktree add --quiet --detach "$place/before" "$revision"
mkdir -p "$place/before/examples"
cp tests/formats/before.rs "$place/before/examples/before.rs"
cd "$place/before"
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$place/target} cargo run --quiet -p till --no-default-features --example before -- go-on "$place/till.db"
echo "$revision goes on with a journal of this tree"
