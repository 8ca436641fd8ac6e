#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Counts instructions with callgrind and prints a table, or JSON: an array of {name, unit, rows: [{design, value}]}.
#
# usage: bench/instructions/count.sh [--json] PROGRAM
# PROGRAM is the smmuv3-count of a build folder (ninja bench/instructions/smmuv3-count).
# Exit status: 0 done, 1 the program failed or counted nothing, 2 usage.
set -eu
json=0
if [ "${1-}" = --json ]; then
	json=1
	shift
fi
[ $# -eq 1 ] || { echo "usage: $0 [--json] PROGRAM" >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
valgrind --tool=callgrind --collect-atstart=no --callgrind-out-file="$dir/out" "$1" >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
# Each dump says which mark it is of ("desc: Trigger: Client Request: mark;row;design;allocations;frees"), and its total.
find "$dir" -name 'out.*' | sort -t. -k3n | xargs grep -h -e '^desc: Trigger: Client Request: mark;' -e '^totals:' |
	awk -F';' -v json=$json '
	/^desc:/ { row = $2; design = $3; allocs = $4; frees = $5; next }
	{
		if (row == "")
			next
		sub(/^totals: */, "")
		n = $0 + 0
		# What the marks themselves cost comes first.
		if (row == "empty")
			empty = n
		else if (row == "alloc")
			alloc = n - empty
		else if (row == "free")
			free = n - empty
		else {
			if (!(row in seen)) { rows[++nrows] = row; seen[row] = 1 }
			key = row SUBSEP design
			value[key] = n - empty - allocs * alloc - frees * free
			if (!(design in known)) { designs[++ndesigns] = design; known[design] = 1 }
		}
		row = ""
	}
	# What one more costs, from two rows that are n apart.
	function further(name, more, less, n,   j, a, b) {
		rows[++nrows] = name
		for (j = 1; j <= ndesigns; j++) {
			a = more SUBSEP designs[j]
			b = less SUBSEP designs[j]
			if ((a in value) && (b in value))
				value[name SUBSEP designs[j]] = sprintf("%.1f", (value[a] - value[b]) / n)
		}
	}
	END {
		if (!nrows)
			exit 1
		further("each further ATS entry", "sweep of 4K, 1 SMMU, 512 ATS", "sweep of 4K, 1 SMMU, 64 ATS", 448)
		further("each further command", "sweep of 256 commands", "sweep of 16 commands", 240)
		further("each further SMMU", "sweep of 4K, 16 SMMUs, 0 ATS", "sweep of 4K, 1 SMMU, 0 ATS", 15)
		if (json) {
			printf "["
			for (i = 1; i <= nrows; i++) {
				printf("%s\n  {\"name\": \"%s\", \"unit\": \"instructions\", \"rows\": [", (i > 1 ? "," : ""), rows[i])
				first = 1
				for (j = 1; j <= ndesigns; j++) {
					key = rows[i] SUBSEP designs[j]
					if (key in value) {
						printf("%s{\"design\": \"%s\", \"value\": %s}", (first ? "" : ", "), designs[j], value[key])
						first = 0
					}
				}
				printf "]}"
			}
			print "\n]"
			exit
		}
		printf "%-48s", "instructions"
		for (j = 1; j <= ndesigns; j++)
			printf "%12s", designs[j]
		print ""
		for (i = 1; i <= nrows; i++) {
			printf "%-48s", rows[i]
			for (j = 1; j <= ndesigns; j++) {
				key = rows[i] SUBSEP designs[j]
				printf("%12s", ((key in value) ? value[key] : "-"))
			}
			print ""
		}
	}'
