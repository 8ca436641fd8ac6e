#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds build-timing/smmuv3-timing, statically linked: it measures threads, start-up and memory on any Linux of the same kind of
# processor, with nothing installed. For machines with more processors than the one at hand.
#
# usage: tools/timing.sh    then, over there: smmuv3-timing --max-threads 16 threads
set -eu
cd "$(dirname "$0")/.."
[ -f build-timing/build.ninja ] || meson setup build-timing -Dtests=disabled -Dcli=disabled -Dmodel=disabled -Dexamples=false \
	-Dbuildtype=release -Dc_link_args=-static >/dev/null
ninja -C build-timing bench/timing/smmuv3-timing
cp build-timing/bench/timing/smmuv3-timing build-timing/
