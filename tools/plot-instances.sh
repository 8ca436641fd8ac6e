#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Replays the trace of an NVMe disk over 1 to 16 SMMUs under each design and draws the median time of one unmap (virtual
# clock): docs/unmap-instances.svg, the picture of the README. Needs gnuplot and jq.
#
# usage: tools/plot-instances.sh [COMMAND [FILE.svg]]    (default: build/smmuv3 docs/unmap-instances.svg)
set -eu
cd "$(dirname "$0")/.."
command=${1:-build/smmuv3}
svg=${2:-docs/unmap-instances.svg}
table=$(mktemp)
trap 'rm -f "$table"' EXIT

for n in 1 2 4 8 16; do
	printf '%s' "$n" >>"$table"
	for ats in 0 2; do
		for design in sweep serial; do
			ns=$("$command" replay data/nvme-iommu.trace.gz --smmus "$n" --ats "$ats" --design "$design" --json - |
				jq .unmap_ns.p50)
			printf ' %s' "$ns" >>"$table"
		done
	done
	echo >>"$table"
done
echo "SMMUs, sweep, serial, sweep with ATS, serial with ATS: median ns of one unmap"
cat "$table"
gnuplot <<PLOT
set terminal svg size 760,400 font "sans-serif,13" background "white"
set output "$svg"
set title "One unmap of a domain shared by N SMMUs (4 devices on each)"
set xlabel "SMMU instances"; set ylabel "virtual time, microseconds"
set logscale x 2; set xtics (1,2,4,8,16); set xrange [0.9:18]; set yrange [0:*]
set key top left; set grid ytics lc rgb "#dddddd"
plot "$table" using 1:(\$5/1000) with linespoints lw 2 pt 7 lc rgb "#c0392b" title "serial, 2 of 4 devices with ATS", \
     "$table" using 1:(\$3/1000) with linespoints lw 2 pt 7 lc rgb "#e8a79e" title "serial, no ATS", \
     "$table" using 1:(\$4/1000) with linespoints lw 2 pt 7 lc rgb "#1f4e79" title "sweep, 2 of 4 devices with ATS", \
     "$table" using 1:(\$2/1000) with linespoints lw 2 pt 7 lc rgb "#8fb8de" title "sweep, no ATS"
PLOT
