#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""smmuv3 bench, from outside: usage: test_bench.py SMMUV3 DATA_FOLDER"""

import json
import shutil
import subprocess
import tempfile
import unittest

from command import PATIENCE, SMMUV3, TRACE, main, run


class Bench(unittest.TestCase):
    """Figures that are exact hold what they promise; of the others only that they are there."""

    def test_short(self):
        rc, out, err = run('bench', '--short', '--trace', TRACE, '--json', '-')
        # Without valgrind nobody counts instructions, and without its header not even the program is there.
        for line in err.splitlines():
            self.assertRegex(line, 'valgrind|left out: (something|its program) is not installed')
        self.assertEqual(rc, 0)
        tables = {t['name']: t for t in json.loads(out)['benchmarks']}
        self.assertEqual(set(tables), {
            'instances', 'latencies', 'slow-one', 'guests', 'trace', 'commands', 'atc-spans', 'attach', 'lookup', 'interrupts', 'designs',
            'instructions', 'threads', 'threads-ahead', 'threads-scaling', 'locks', 'grace', 'startup', 'startup-memory', 'memory',
            'simulator', 'others'})

        def value(table, design, **params):
            found = [r['value'] for r in tables[table]['rows']
                     if r['design'] == design and all(r.get(k) == v for k, v in params.items())]
            self.assertEqual(len(found), 1, (table, design, params))
            return found[0]
        for ats in (0, 1, 4):
            def unmap(design, smmus, rate=0):
                return value('instances', design, smmus=smmus, ats=ats, cpu_rate=rate)
            self.assertLessEqual(unmap('sweep', 4), 1.05 * unmap('sweep', 1))
            self.assertGreater(unmap('serial', 4), 3.9 * unmap('serial', 1))
            for design in ('sweep', 'serial', 'list', 'flush'):
                # The processor takes its time in each, more for more SMMUs.
                added = [unmap(design, n, 3000) - unmap(design, n) for n in (1, 4)]
                self.assertGreater(added[0], 40)
                self.assertGreater(added[1], added[0])
            # Also with it, waiting once is less than waiting for each.
            self.assertLess(unmap('sweep', 4, 3000), unmap('serial', 4, 3000))
        for cpu in (0, 3000):
            self.assertLess(value('slow-one', 'sweep', smmus=8, slow_percent=200, cpu_rate=cpu),
                            value('slow-one', 'serial', smmus=8, slow_percent=200, cpu_rate=cpu))
        self.assertLessEqual(value('slow-one', 'sweep', smmus=8, slow_percent=200, cpu_rate=0),
                             1.05 * value('slow-one', 'sweep', smmus=1, slow_percent=200, cpu_rate=0))
        for atc in (1000, 10000, 100000):
            self.assertLessEqual(value('latencies', 'sweep', smmus=8, atc_ns=atc, sync_ns=550, cpu_rate=0),
                                 1.05 * value('latencies', 'sweep', smmus=1, atc_ns=atc, sync_ns=550, cpu_rate=0))
            self.assertGreater(value('latencies', 'sweep', smmus=1, atc_ns=atc, sync_ns=550, cpu_rate=0), atc)
        self.assertEqual(value('commands', 'sweep, most above the fewest'), 0)
        self.assertEqual(value('atc-spans', 'sweep', pages=7), 0)
        for t in tables.values():
            self.assertTrue(t.get('left_out') or (t['rows'] and t['unit']), t['name'])
            self.assertFalse(t.get('left_out') and t['rows'], t['name'])

    def test_named(self):
        rc, out, err = run('bench', 'instances', '--short', '--cpu-rate', 1000)
        self.assertEqual((rc, err), (0, ''))
        self.assertIn('cpu_rate 1000', out)
        # What is named has to be measured: without valgrind, or without the program that its header makes, there is nothing.
        p = subprocess.run([SMMUV3, 'bench', 'instructions'], capture_output=True, text=True, env={'PATH': '/nowhere'})
        self.assertEqual((p.returncode, p.stdout), (2, ''))
        self.assertRegex(p.stderr, 'valgrind, which is not installed|its program is not installed')

    def test_alone(self):
        # The command without the programs that lie beside it: what they measure is left out, and said to be.
        with tempfile.TemporaryDirectory() as folder:
            alone = shutil.copy(SMMUV3, folder)
            p = subprocess.run([alone, 'bench', '--short', 'commands', '--json', '-'], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual((p.returncode, p.stderr), (0, ''))
            p = subprocess.run([alone, 'bench', '--short', '--json', '-'], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(p.returncode, 0)
            self.assertIn('threads is left out: its program is not installed', p.stderr)
            out = {t['name'] for t in json.loads(p.stdout)['benchmarks'] if t.get('left_out')}
            self.assertLessEqual({'threads', 'startup', 'memory', 'instructions'}, out)

    def test_processor(self):
        """What the processor does takes time in a replay, if it is asked for."""
        times = [json.loads(run('replay', TRACE, '--design', 'sweep', '--json', '-', '--cpu-rate', rate)[1])
                 for rate in (0, 2000, 1000)]
        self.assertEqual([t['cpu_rate'] for t in times], [0, 2000, 1000])
        total = [t['unmap_ns']['total'] for t in times]
        # Half the rate, twice the time, to the nanosecond that each part is rounded to.
        self.assertAlmostEqual((total[2] - total[0]) / (total[1] - total[0]), 2, places=1)


if __name__ == '__main__':
    main()
