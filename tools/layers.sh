#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Holds the includes to the arrows of docs/design.md: cli → lab → {devices, topology, ports} → driver → {inv, queue,
# pgtable} → hw → port.
#
# Where there is a build folder it also holds the files of each library to an order: none may use, through others, what uses
# it. Circles that are accepted are named below, each with its reason.
#
# usage: tools/layers.sh [BUILD]     (default: build, if there is one)
# Exit status: 0 every include points down and there is no circle, 1 one does not or there is one (printed).
set -eu
cd "$(dirname "$0")/.."
failed=0

# forbid WHAT INCLUDED FOLDERS…: no file in the folders includes a header that matches INCLUDED
forbid() {
	what=$1 included=$2
	shift 2
	if grep -rnE --include='*.[ch]' "^ *# *include *[<\"]($included)[>\"]" "$@"; then
		echo "layers: $what" >&2
		failed=1
	fi
}

upper='smmuv3/(driver|instance|device|domain|nested)[^>"]*'
forbid "src/ and include/ reach outside the library" '(ports|devices|topology|lab|cli|tests)/[^>"]*|smmu_posix\.h|bus\.h' src include
forbid "the port layer reaches up" "$upper|smmuv3/(hw/|inv|queue|pgtable)[^>\"]*" \
	include/smmuv3/port.h include/smmuv3/port_generic.h include/smmuv3/port_barriers.h include/smmuv3/types.h include/smmuv3/atomic.h src/util
forbid "hw reaches up" "$upper|smmuv3/(inv|queue|pgtable)[^>\"]*" include/smmuv3/hw src/hw src/print
forbid "inv reaches sideways or up" "$upper|smmuv3/(queue|pgtable)[^>\"]*" include/smmuv3/inv*.h src/inv
forbid "queue reaches sideways or up" "$upper|smmuv3/(inv|pgtable)[^>\"]*" include/smmuv3/queue.h src/queue
forbid "pgtable reaches sideways or up" "$upper|smmuv3/(inv|queue|hw/)[^>\"]*" include/smmuv3/pgtable.h src/pgtable
forbid "vsmmu reaches sideways or up" "$upper|smmuv3/(inv|queue|pgtable|port)[^>\"]*" include/smmuv3/vsmmu.h src/vsmmu
forbid "the Linux module reaches into src/" '(\.\./)*src/[^>"]*|(\.\./)*driver/[^>"]*' ports/linux
# What a device sees of the driver is memory and registers alone.
forbid "the model knows the driver" "$upper|smmuv3/(inv|queue|pgtable|pool)[^>\"]*" devices/model
# A run knows nothing of argv, and a reader of tables nothing of runs.
commands='options|commands|cmd_[a-z]*|report_print'
forbid "the lab reaches up" "($commands)\.h" lab
forbid "topology reaches up" "($commands|machine|workload|backend|config)\.h" topology
forbid "the devices reach up" "($commands|workload|backend|config|oracle)\.h" devices

build=${1:-build}
[ -f "$build/libsmmuv3.a" ] || exit $failed
loops=$(mktemp)
trap 'rm -f "$loops"' EXIT

# circles ARCHIVE GROUP…: no file of the archive is in a circle, but with those of its group ("first file… ")
circles() {
	archive=$1
	shift
	[ -f "$archive" ] || return 0
	# member and symbol, what it defines before what it uses; tsort names the members of a circle
	nm -A -g "$archive" | awk -v groups="$(printf '%s;' "$@")" '
		BEGIN {
			n = split(groups, group, ";")
			for (i = 1; i <= n; i++) {
				m = split(group[i], member, " ")
				for (j = 1; j <= m; j++)
					in_group[member[j]] = member[1] "_and_others"
			}
		}
		{
			file = $1
			sub(/^[^:]*:/, "", file)
			sub(/\.c\.o:.*/, "", file)
			sub(/.*\//, "", file)
			sub(/^src_/, "", file)
			if (file in in_group)
				file = in_group[file]
			if ($(NF - 1) == "U")
				uses[file " " $NF] = 1
			else
				where[$NF] = file
		}
		END {
			for (use in uses) {
				split(use, u, " ")
				if ((u[2] in where) && where[u[2]] != u[1])
					print u[1], where[u[2]]
			}
		}' | tsort >/dev/null 2>"$loops" || {
		echo "layers: $archive has a circle of files: $(sed -n 's/^tsort: //p' "$loops" | grep -v loop: | sort -u | tr '\n' ' ')" >&2
		failed=1
	}
}

# Who submits waits for room, who waits serves errors, and an error is read where CONS is.
circles "$build/libsmmuv3.a" "queue_cmdq queue_cmdq_wait queue_cmdq_error"
circles "$build/devices/model/libsmmuv3-model.a"
circles "$build/devices/qemu/libsmmu_qemu.a"
circles "$build/devices/tamper/libsmmuv3-tamper.a"
circles "$build/topology/libsmmuv3-topology.a"
circles "$build/ports/posix/libsmmuv3-posix.a"
# A simulated thread yields at its points, where stores land, interrupts strike and the next thread is chosen: one machine.
circles "$build/ports/sim/libsmmuv3-sim.a" "sim sim_point sim_memory sim_sched sim_irq .._posix_posix_rcu"
circles "$build/lab/libsmmuv3-lab.a"
circles "$build/bench/libsmmuv3-suite.a"
circles "$build/cli/libsmmuv3-cli.a"
exit $failed
