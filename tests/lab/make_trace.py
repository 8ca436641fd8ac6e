#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A made-up trace of any length: usage: make_trace.py MEGABYTES [SEED]; text of ftrace on standard output.

Three devices map and unmap buffers that they use again and again, at the same addresses in domains of their own, with
other events between; physical memory is spread over 52 bits.
"""

import random
import sys


def main():
    left, r = float(sys.argv[1]) * 1e6, random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    live = {d: {} for d in range(3)}
    out, line, size = [], 0, 0
    while left > 0:
        d = r.randrange(3)
        task = '%s-%d' % (('nvme', 'eth0', 'gpu')[d], 100 + d)
        slot = r.randrange(400)
        iova = 0xfff00000 + slot * 0x40000
        line += 1
        head = '  %12s [%03d] ..... %6d.%06d: ' % (task, d, line // 1000000, line % 1000000)
        if r.random() < 0.02:
            text = head + 'dma_alloc: 0000:c2:00.0 dma_addr=%x size=4096 flags=GFP_KERNEL\n' % iova
        elif slot in live[d]:
            n = live[d].pop(slot)
            text = head + 'unmap: IOMMU: iova=0x%016x - 0x%016x size=%d unmapped_size=%d\n' % (iova, iova + n, n, n)
        else:
            n = live[d][slot] = 4096 << r.randrange(7)
            text = head + 'map: IOMMU: iova=0x%016x - 0x%016x paddr=0x%016x size=%d\n' % (
                iova, iova + n, r.randrange(1 << 52 - 21) << 21, n)
        out.append(text)
        size += len(text)
        if size > 1 << 20:
            sys.stdout.write(''.join(out))
            left -= size
            out, size = [], 0


main()
