#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes lab/processor_cost.h: what an unmap costs the processor under each design, from instructions that callgrind counted.

usage: bench/calibrate.py [--check] PROGRAM     (PROGRAM: smmuv3-count of a build folder)

Counts whole unmaps over numbers of SMMUs, devices with ATS and pages, and fits

    instructions = call + page * (pages - 1) + batch * batches + command * commands

where a batch is one write of PROD and the wait for it, and CMD_SYNC is no command. --check writes nothing and fails if what is
there is more than a quarter off what is counted now. Exit status: 0, 1 off, 2 usage or nothing counted.
"""
import os
import re
import subprocess
import sys

HEADER = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lab', 'processor_cost.h')
DESIGNS = ('sweep', 'serial', 'list', 'flush')


def counted(program):
    """{design: [(smmus, ats, pages, instructions)]}"""
    p = subprocess.run([program, '--count'], stdout=subprocess.PIPE, text=True)
    if p.returncode:
        sys.exit(2)
    rows = {d: [] for d in DESIGNS}
    for line in p.stdout.splitlines():
        f = line.split('\t')
        if f[0] == 'designs':
            n = [int(x) for x in re.findall(r'=(\d+)', f[6])]
            rows[f[1]].append((*n, float(f[3])))
    return rows


def terms(design, smmus, ats, pages):
    batches = smmus * (2 if ats and design != 'sweep' else 1)
    return [1, pages - 1, batches, smmus * (1 + ats)]


def solve(a, b):
    """Gauss, with the largest pivot."""
    n = len(b)
    m = [row[:] + [b[i]] for i, row in enumerate(a)]
    for i in range(n):
        k = max(range(i, n), key=lambda r: abs(m[r][i]))
        m[i], m[k] = m[k], m[i]
        for r in range(n):
            if r != i:
                f = m[r][i] / m[i][i]
                m[r] = [x - f * y for x, y in zip(m[r], m[i])]
    return [m[i][n] / m[i][i] for i in range(n)]


def fit(design, rows):
    """The four figures for which the sum of the squares of the relative errors is least."""
    x = [[t / v for t in terms(design, s, a, p)] for s, a, p, v in rows]
    k = range(4)
    ata = [[sum(r[i] * r[j] for r in x) for j in k] for i in k]
    return solve(ata, [sum(r[i] for r in x) for i in k])


def worst(design, cost, rows):
    return max(abs(sum(c * t for c, t in zip(cost, terms(design, s, a, p))) / v - 1) for s, a, p, v in rows)


def main():
    args = [a for a in sys.argv[1:] if a != '--check']
    if len(args) != 1:
        sys.stderr.write(__doc__)
        return 2
    rows = counted(args[0])
    if '--check' in sys.argv:
        with open(HEADER) as f:
            text = f.read()
        off = 0
        for d in DESIGNS:
            cost = [float(x) for x in re.search(r'DESIGN_%s\] = \{(.*?)\}' % d.upper(), text)[1].split(',')]
            w = worst(d, cost, rows[d])
            if w > 0.25:
                print('%s: up to %.0f%% off what is counted now; run make calibrate' % (d, 100 * w))
                off = 1
        return off
    cost = {d: fit(d, rows[d]) for d in DESIGNS}
    with open(HEADER, 'w') as f:
        f.write('''/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Made by `make calibrate` (bench/calibrate.py); not to be edited. What an unmap costs the processor under each design, in
 * instructions: per call, per page beyond the first, per batch (a write of PROD and the wait for it), per command.
 * x86-64, -O2, counted by callgrind. The counts are met to within
 *
''')
        for d in DESIGNS:
            f.write(' *   %-7s %.0f%%\n' % (d, 100 * worst(d, cost[d], rows[d])))
        f.write(''' */
#ifndef SMMU_LAB_PROCESSOR_COST_H
#define SMMU_LAB_PROCESSOR_COST_H

#include "processor.h"

static const struct processor_cost processor_cost[DESIGN_KINDS] = {
''')
        for d in DESIGNS:
            f.write('\t[DESIGN_%s] = {%s},\n' % (d.upper(), ', '.join('%.1f' % c for c in cost[d])))
        f.write('};\n\n#endif\n')
    for d in DESIGNS:
        print('%-7s call %.0f, page %.1f, batch %.0f, command %.1f; worst %.0f%%'
              % (d, *cost[d], 100 * worst(d, cost[d], rows[d])))
    return 0


sys.exit(main())
