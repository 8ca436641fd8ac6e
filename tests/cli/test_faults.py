#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Faults put in on purpose: what has to be caught is, what has to be survived is: usage: test_faults.py SMMUV3 DATA_FOLDER"""

import json
import re
import unittest

from command import TRACE, main, run

CAUGHT = {
    'drop-tlbi': ({'tlb', 'walk-cache', 'atc'}, {'tlbi'}),
    'drop-atc': ({'atc'}, {'atc_inv'}),
    # An old CD also lets walks fill the caches again under the tag that it has.
    'drop-cfgi': ({'config-cache', 'walk-cache', 'tlb'}, {'cfgi', 'tlbi'}),
    'drop-sync': ({'tlb', 'atc', 'config-cache', 'walk-cache'}, {'sync'}),
    # What cleans an id before it is used again goes astray as well; then it shows far from where it struck.
    'wrong-id': ({'tlb', 'walk-cache', 'atc'}, {'tlbi', 'atc_inv of'}),
    'wrong-instance': ({'tlb', 'walk-cache', 'atc'}, {'tlbi', 'atc_inv on'}),
    'atc-first': ({'atc'}, {'tlbi before atc_inv'}),
    # Memory too: a page that is mapped lands where the table that was freed leads to.
    'early-free': ({'walk-cache', 'tlb', 'atc', 'config-cache', 'memory'}, {'sync before free'}),
    'torn-pair': ({'config-cache', 'tlb', 'walk-cache', 'atc', 'memory'}, {'atomicity'}),
    'no-barrier': ({'tlb', 'atc', 'walk-cache', 'memory'}, {'barrier', 'none'}),
}
SURVIVED = ['atc-timeout', 'cmd-error', 'cmd-abort', 'slow-sync', 'event-overflow', 'alloc-fail']


class Faults(unittest.TestCase):
    def test_caught(self):
        for fault, (held, missing) in CAUGHT.items():
            rc, out, err = run('run', '--json', '-', '--inject', fault, '--ops', 60000)
            result = json.loads(out)
            self.assertEqual((rc, result['result']), (1, 'violation'), fault)
            self.assertGreater(result['stale'] + result['lost'], 0, fault)
            for v in result['violations']:
                # A device whose ATS went off is believed as long as the SMMU has its STE of before.
                if v['missing'] == 'isolation' and fault in ('drop-sync', 'drop-cfgi'):
                    continue
                self.assertIn(v['held_by'], held, (fault, v))
                self.assertTrue(any(v['missing'].startswith(m) for m in missing), (fault, v))
                self.assertIn('seed 1', v['text'])
                self.assertTrue({'iova', 'stream', 'smmu'} <= set(v))

    def test_cleans(self):
        rc, out, err = run('run', '--json', '-', '--inject', 'drop-clean', '--non-coherent')
        self.assertEqual(rc, 1)
        for v in json.loads(out)['violations']:
            self.assertEqual(v['missing'], 'clean', v)

    def test_quirks(self):
        self.ok_with_errata()
        rc, out, err = run('run', '--json', '-', '--smmus', 8, '--stage', '1,2', '--inject', 'no-quirk')
        result = json.loads(out)
        self.assertEqual((rc, result['result']), (1, 'violation'))
        self.assertGreater(result['stale'], 0)
        # What the SMMUs are that it happened on, and how they choose.
        self.assertTrue(any('errata=1' in text for text in result['described']), result['described'])
        rc, out, err = run('run', '--inject', 'no-quirk', '--smmus', 2)
        self.assertEqual(rc, 2)
        self.assertIn('never struck', err)

    def ok_with_errata(self):
        rc, out, err = run('run', '--smmus', 8, '--stage', '1,2', '--ops', 5000)
        self.assertEqual((rc, err), (0, ''), out)

    def test_litmus(self):
        # A run that misses a barrier says who does not.
        rc, out, err = run('run', '--inject', 'no-barrier:outq_record_before_cons', '--ops', 500)
        self.assertEqual(rc, 0)
        self.assertIn('proofs/litmus/outq-cons.lit', re.sub(r'\s+', '', out))
        rc, out, err = run('run', '--json', '-', '--inject', 'no-barrier:map_leaves_visible')
        fault = json.loads(out)['faults'][0]
        self.assertEqual((rc, fault['litmus']), (1, 'map-leaves'))

    def test_said(self):
        rc, out, err = run('run', '--inject', 'drop-atc', '--seed', 4)
        self.assertEqual(rc, 1)
        for words in ('VIOLATION', 'held by atc', 'missing: atc_inv', '--seed 4', 'stopped here',
                      'there are 10 violations'):
            self.assertIn(words, out)
        for line in out.splitlines():
            self.assertLessEqual(len(line), 100, line)

    def test_never_struck(self):
        for args in (['--ats', '0', '--inject', 'drop-atc'], ['--inject', 'cmd-error:1000000'],
                     ['--ops', '40', '--inject', 'early-free'],
                     ['--inject', 'slow-sync', '--inject', 'drop-tlbi:1000000']):
            rc, out, err = run('run', *args)
            self.assertEqual(rc, 2, args)
            self.assertIn('never struck', err)
            self.assertIn('struck 0 times', out)
            self.assertIn(args[-1], err)
        rc, out, err = run('replay', TRACE, '--ats', '0', '--inject', 'drop-atc')
        self.assertEqual(rc, 2)
        self.assertIn('never struck', err)

    def test_honest_errors(self):
        # What was not confirmed may still be reached, and the call said so.
        for seed in (1, 2):
            for fault in ('cmd-error:20', 'cmd-error:5', 'cmd-abort:2'):
                rc, out, err = run('run', '--inject', fault, '--ops', 4000, '--seed', seed, '--json',
                                   '-')
                result = json.loads(out)
                self.assertEqual((rc, result['result']), (0, 'ok'), (fault, result['violations']))
                self.assertGreater(result['faults'][0]['struck'], 0)

    def test_survived(self):
        for fault in SURVIVED:
            rc, out, err = run('run', '--json', '-', '--inject', fault, '--ops', 8000)
            result = json.loads(out)
            self.assertEqual((rc, result['result']), (0, 'ok'), (fault, result))
            self.assertGreater(result['survived'], 0, fault)

    def test_quarantine(self):
        rc, out, err = run('run', '--json', '-', '--inject', 'atc-timeout:500', '--ops', 8000)
        self.assertEqual(rc, 0, out)
        self.assertGreater(json.loads(out)['quarantined'], 0)


if __name__ == '__main__':
    main()
