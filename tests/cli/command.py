# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the command share: they are called with the command and the folder of data."""

import os
import subprocess
import sys
import unittest

SMMUV3, DATA = sys.argv[1], sys.argv[2]
TRACE = os.path.join(DATA, 'nvme-iommu.trace.gz')
# What the JSON of every run has.
KEYS = ['result', 'design', 'device', 'seed', 'smmus', 'devices', 'ats', 'threads', 'ops', 'maps',
        'unmaps', 'attaches', 'detaches', 'removals', 'dma', 'blocked', 'stale', 'quarantined',
        'survived', 'unconfirmed', 'revived', 'faults', 'commands', 'driver', 'unmap_ns', 'interrupted',
        'stopped', 'violations']


def run(*args):
    """Its exit status, output and errors."""
    p = subprocess.run([SMMUV3, *map(str, args)], capture_output=True, text=True, timeout=250)
    return p.returncode, p.stdout, p.stderr


def main():
    unittest.main(argv=sys.argv[:1], verbosity=1)
