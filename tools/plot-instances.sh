#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Draws one unmap of a domain that 1 to 16 SMMUs share, swept and in turn, the hardware's time alone (thin) and with the processor's:
# docs/unmap-instances.svg, a picture of the README. Needs gnuplot and jq.
#
# usage: tools/plot-instances.sh [COMMAND [FILE.svg]]    (default: build/smmuv3 docs/unmap-instances.svg)
set -eu
cd "$(dirname "$0")/.."
command=${1:-build/smmuv3}
svg=${2:-docs/unmap-instances.svg}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$command" bench instances --json "$dir/bench.json" >/dev/null
rate=$(jq '[.benchmarks[0].rows[].cpu_rate] | max' "$dir/bench.json")
for cpu in 0 "$rate"; do
	for n in 1 2 4 8 16; do
		printf '%s' "$n"
		for ats in 0 4; do
			for design in sweep serial; do
				jq -j --arg d "$design" --argjson n "$n" --argjson a "$ats" --argjson c "$cpu" '" ", (.benchmarks[0].rows[] |
					select(.design == $d and .smmus == $n and .ats == $a and .cpu_rate == $c) | .value)' "$dir/bench.json"
			done
		done
		echo
	done >"$dir/$cpu"
done
echo "SMMUs, sweep, serial, sweep with ATS, serial with ATS: ns of one unmap; then with the processor's time"
cat "$dir/0" "$dir/$rate"
gnuplot <<PLOT
set terminal svg size 760,420 font "sans-serif,13" background "white"
set output "$svg"
set title "One unmap of 4K, domain shared by N SMMUs (4 devices on each)"
set xlabel "SMMU instances"; set ylabel "virtual time, microseconds"
set logscale x 2; set xtics (1,2,4,8,16); set xrange [0.9:18]; set yrange [0:*]
set key top left; set grid ytics lc rgb "#dddddd"
plot "$dir/$rate" using 1:(\$5/1000) with linespoints lw 2 pt 7 lc rgb "#c0392b" title "serial, 4 devices with ATS", \
     "$dir/0" using 1:(\$5/1000) with lines lw 1 lc rgb "#e6b0aa" title "   the hardware's time alone", \
     "$dir/$rate" using 1:(\$3/1000) with linespoints lw 2 pt 7 lc rgb "#e8a79e" title "serial, no ATS", \
     "$dir/$rate" using 1:(\$4/1000) with linespoints lw 2 pt 7 lc rgb "#1f4e79" title "sweep, 4 devices with ATS", \
     "$dir/0" using 1:(\$4/1000) with lines lw 1 lc rgb "#a9c3de" title "   the hardware's time alone", \
     "$dir/$rate" using 1:(\$2/1000) with linespoints lw 2 pt 7 lc rgb "#8fb8de" title "sweep, no ATS"
PLOT
