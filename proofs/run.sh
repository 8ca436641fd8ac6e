#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs the litmus tests and compares each observation with what is expected. HERD7: the command, with arguments.
set -u
cd "$(dirname "$0")" || exit 2
: "${HERD7:=herd7}"
command -v "${HERD7%% *}" >/dev/null || { echo "proofs: no herd7 here: install herdtools7, or set HERD7" >&2; exit 77; }

status=0
check() {
	# shellcheck disable=SC2086 # a command with its arguments
	seen=$($HERD7 -model "$2" "$1.litmus" | sed -n 's/^Observation [^ ]* \([A-Za-z]*\) .*/\1/p')
	if [ "$seen" = "$3" ]; then
		echo "ok: $1: $seen"
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
