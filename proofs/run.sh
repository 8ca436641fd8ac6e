#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Explores every litmus test of the project under x86 and an Arm-like model, with all barriers and without each one. Where
# herd7 is installed (HERD7: the command, with arguments) it judges the four tests that are written for it, too.
#
# usage: proofs/run.sh [EXPLORER]     (else the explorer is compiled with CC, default cc)
# Exit status: 0 all outcomes are as expected, 1 one is not.
set -eu
explorer=${1:+$(realpath "$1")}
cd "$(dirname "$0")"
: "${HERD7:=herd7}"
if [ -z "$explorer" ]; then
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	${CC:-cc} -O2 -o "$dir/explore" explore.c
	explorer=$dir/explore
fi
status=0
"$explorer" litmus/*.lit || status=1
../tools/barriers.sh || status=1

command -v "${HERD7%% *}" >/dev/null || exit $status
check() {
	# shellcheck disable=SC2086 # a command with its arguments
	seen=$($HERD7 -model "$2" "litmus/$1.litmus" | sed -n 's/^Observation [^ ]* \([A-Za-z]*\) .*/\1/p')
	if [ "$seen" = "$3" ]; then
		echo "ok: herd7: $1: $seen"
	else
		echo "FAILED: $1: expected $3, herd7 says '$seen'"
		status=1
	fi
}
check unmap-attach rc11.cat Never
check unmap-attach-no-fence-in-attach rc11.cat Sometimes
check unmap-attach-no-fence-in-unmap rc11.cat Sometimes
check unmap-attach-aarch64 aarch64.cat Never
exit $status
