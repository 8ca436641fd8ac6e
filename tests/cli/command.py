# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the command share: they are called with the command and the folder of data."""

import os
import subprocess
import sys
import unittest

SMMUV3, DATA = sys.argv[1], sys.argv[2]
PATIENCE = 1200  # seconds: a busy machine
TRACE = os.path.join(DATA, 'nvme-iommu.trace.gz')
# What the JSON of every run has.
KEYS = ['result', 'design', 'device', 'seed', 'smmus', 'devices', 'ats', 'threads', 'ops', 'maps',
        'unmaps', 'attaches', 'detaches', 'removals', 'dma', 'blocked', 'stale', 'quarantined',
        'survived', 'unconfirmed', 'revived', 'faults', 'commands', 'driver', 'unmap_ns', 'interrupted',
        'stopped', 'violations']


def run(*args, stdin=None):
    """Its exit status, output and errors. Input is bytes."""
    p = subprocess.run([SMMUV3, *map(str, args)], capture_output=True, timeout=PATIENCE, input=stdin)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def main():
    unittest.main(argv=sys.argv[:1], verbosity=1)
