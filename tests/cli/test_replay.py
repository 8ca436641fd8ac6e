#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""smmuv3 replay and smmuv3 arrays, from outside: usage: test_replay.py SMMUV3 DATA_FOLDER"""

import json
import tempfile
import unittest

from command import KEYS, TRACE, main, run


class Replay(unittest.TestCase):
    def test_designs(self):
        rc, out, err = run('replay', TRACE, '--smmus', 4, '--ats', 2, '--json', '-')
        self.assertEqual((rc, err), (0, ''))
        result = json.loads(out)
        for key in KEYS:
            self.assertIn(key, result)
        self.assertEqual((result['result'], result['design'], result['maps'], result['unmaps']),
                         ('ok', 'sweep', 12068, 6772))
        self.assertEqual([r['design'] for r in result['compare']], ['sweep', 'serial', 'list', 'flush'])
        sweep, serial = result['compare'][:2]
        self.assertEqual(sweep['commands']['tlbi'], serial['commands']['tlbi'])
        # Four SMMUs alike: one after the other takes nearly four times as long.
        for other in result['compare'][1:]:
            self.assertGreater(other['unmap_ns']['p50'], 3 * sweep['unmap_ns']['p50'])

    def test_table(self):
        rc, out, err = run('replay', TRACE)
        self.assertEqual((rc, err), (0, ''))
        for words in ('stale 0', 'sweep', 'serial', 'ATC_INV'):
            self.assertIn(words, out)

    def test_fault(self):
        rc, out, err = run('replay', TRACE, '--inject', 'drop-tlbi:100', '--json', '-')
        self.assertEqual(rc, 1)
        self.assertEqual({v['missing'] for v in json.loads(out)['violations']}, {'tlbi'})

    def test_bad_trace(self):
        with tempfile.NamedTemporaryFile('w', suffix='.trace') as f:
            f.write('# tracer: nop\n x-1 [0] ..... 1.0: map: IOMMU: iova=0x1000 - 0x2000 '
                    'paddr=0x3000 size=4097\n')
            f.flush()
            rc, out, err = run('replay', f.name)
            self.assertEqual((rc, out), (2, ''))
            self.assertIn(f.name + ': ', err)
            self.assertIn('line 2: size=4097: expected', err)


class Arrays(unittest.TestCase):
    def test_arrays(self):
        rc, out, err = run('arrays', '--smmus', 2, '--devices', 4, '--ats', 1, '--domains', 1,
                           '--json', '-')
        self.assertEqual((rc, err), (0, ''))
        (domain,) = json.loads(out)['domains']
        self.assertEqual([(e['smmu'], e['kind'], e['users']) for e in domain['operations']],
                         [(0, 's1-asid', 4), (0, 'ats', 1), (1, 's1-asid', 4), (1, 'ats', 1)])
        rc, out, err = run('arrays', '--stage', '1,2')
        self.assertEqual(rc, 0)
        self.assertIn('s2-vmid', out)
        for stage, ats in ('nested', 'ats-full'), ('sva', 'ats'):
            rc, out, err = run('arrays', '--stage', stage, '--domains', 2, '--json', '-')
            self.assertEqual((rc, err), (0, ''))
            for domain in json.loads(out)['domains']:
                self.assertEqual(domain['stage'], stage)
                per = [[(e['kind'], e['id'], e['substream']) for e in domain['operations'] if e['smmu'] == i]
                       for i in range(2)]
                for mine in per:
                    if stage == 'nested':
                        # The guest's VMID, what was combined under it, and all of each ATC.
                        self.assertEqual([e[0] for e in mine[:2]], ['s2-vmid', 's1-clear'])
                        self.assertEqual(mine[0][1], mine[1][1])
                        mine = mine[1:]
                    else:
                        self.assertEqual(mine[0], ('s1-asid', per[0][0][1], None))
                        self.assertTrue(all(e[2] for e in mine[1:]))
                    self.assertEqual({e[0] for e in mine[1:]}, {ats})


if __name__ == '__main__':
    main()
