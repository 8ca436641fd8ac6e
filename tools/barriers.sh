#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Holds include/smmuv3/barriers.h to the sources: every name in it is used, every name used is in it, no barrier of src/ is
# without a name, and proofs/README.md says for each name what it is, in how many places, and what shows its removal.
#
# usage: tools/barriers.sh
# Exit status: 0 all agree, 1 something does not (printed).
set -eu
cd "$(dirname "$0")/.."
failed=0
fail() {
	echo "barriers: $*" >&2
	failed=1
}

listed=$(sed -n "s|^[[:space:]]*X(\([a-z_0-9]*\), .*|\1|p" include/smmuv3/barriers.h | sort)
# A name may stand on the line after the parenthesis.
used=$(cat src/*/*.[ch] include/smmuv3/rcu_epoch.h | tr '\n' ' ' |
	grep -o 'SMMU_BARRIER( *[a-z_0-9]*' | sed 's/.*( *//' | sort -u)
for name in $listed; do
	echo "$used" | grep -qx "$name" || fail "$name is in barriers.h and nowhere in the sources"
	grep -q "^| \`$name\` |" proofs/README.md || fail "$name: proofs/README.md does not say what shows its removal"
	litmus=$(sed -n "s!^| \`$name\` | .*| \`\([a-z0-9-]*\)\`.*!\1!p" proofs/README.md)
	grep -q "{\"$name\", \"$litmus\"}" lab/litmus.c || fail "$name: lab/litmus.c does not say $litmus as proofs/README.md does"
	[ -f "proofs/litmus/$litmus.lit" ] || fail "$name: there is no proofs/litmus/$litmus.lit"
done
for name in $used; do
	echo "$listed" | grep -qx "$name" || fail "$name is used and not in barriers.h"
done
# What stands in the sources: "name `operation` × places", as the table has it.
places=$(cat src/*/*.[ch] include/smmuv3/rcu_epoch.h | tr '\n\t' '  ' | tr -s ' ' |
	grep -o 'SMMU_BARRIER( *[a-z_0-9]*, *[a-z_0-9]*(' | sed 's/SMMU_BARRIER( *//; s/, */ /; s/($//' | sort | uniq -c |
	awk '{ what = "`" $3 "`" ($1 > 1 ? " × " $1 : ""); if ($2 in all) all[$2] = all[$2] ", " what; else all[$2] = what }
		END { for (name in all) print "| `" name "` | " all[name] " |" }')
for name in $listed; do
	place=$(printf '%s\n' "$places" | grep "^| .$name. |" || true)
	grep -qF "$place" proofs/README.md || fail "$name: in the sources it is \"$place\", which proofs/README.md does not say"
done
# shellcheck disable=SC2013,SC2016 # names are words, and the quotes are Markdown's
for name in $(sed -n 's/^| `\([a-z_0-9]*\)` | .*/\1/p' proofs/README.md | grep _); do
	echo "$listed" | grep -qx "$name" || fail "$name is in proofs/README.md and not in barriers.h"
done
if grep -nE '(^|[^_a-z])smmu_(dma_wmb|dma_rmb|mb|fence|store_release|rcu_publish)\(' src/*/*.[ch] |
	grep -vE 'SMMU_BARRIER|^[^:]*:[0-9]*:[[:space:]]*(\*|smmu_store_release)'; then
	fail "a barrier without a name"
fi
exit $failed
