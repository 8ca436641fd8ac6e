#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Holds the includes to the arrows of docs/design.md: cli → lab → {devices, topology, ports} → driver → {inv, queue,
# pgtable} → hw → port.
#
# usage: tools/layers.sh
# Exit status: 0 every include points down, 1 one does not (printed).
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
	include/smmuv3/port.h include/smmuv3/port_generic.h include/smmuv3/types.h include/smmuv3/atomic.h src/util
forbid "hw reaches up" "$upper|smmuv3/(inv|queue|pgtable)[^>\"]*" include/smmuv3/hw src/hw src/print
forbid "inv reaches sideways or up" "$upper|smmuv3/(queue|pgtable)[^>\"]*" include/smmuv3/inv.h src/inv
forbid "queue reaches sideways or up" "$upper|smmuv3/(inv|pgtable)[^>\"]*" include/smmuv3/queue.h src/queue
forbid "pgtable reaches sideways or up" "$upper|smmuv3/(inv|queue|hw/)[^>\"]*" include/smmuv3/pgtable.h src/pgtable
forbid "vsmmu reaches sideways or up" "$upper|smmuv3/(inv|queue|pgtable|port)[^>\"]*" include/smmuv3/vsmmu.h src/vsmmu
# What a device sees of the driver is memory and registers alone.
forbid "the model knows the driver" "$upper|smmuv3/(inv|queue|pgtable|pool)[^>\"]*" devices/model
# A run knows nothing of argv, and a reader of tables nothing of runs.
commands='options|commands|cmd_[a-z]*|report_print'
forbid "the lab reaches up" "($commands)\.h" lab
forbid "topology reaches up" "($commands|machine|workload|backend|config)\.h" topology
forbid "the devices reach up" "($commands|workload|backend|config|oracle)\.h" devices
exit $failed
