#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Inputs as people have them: usage: test_inputs.py SMMUV3 DATA_FOLDER CASES_FOLDER"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

from command import DATA, SMMUV3, main, run

CASES = sys.argv[3]


def case(name):
    return os.path.join(CASES, name)


def contents(path):
    with open(path, 'rb') as f:
        return f.read()


class Topology(unittest.TestCase):
    def table(self, option, path, *args, warnings=0, left_out=0):
        rc, out, err = run('topology', option, path, '--json', '-', *args)
        self.assertEqual(rc, 0, err)
        result = json.loads(out)
        self.assertEqual((len(result['warnings']), result['left_out']), (warnings, left_out), result['warnings'])
        self.assertEqual(err.count('warning: '), warnings)
        for warning in result['warnings']:
            self.assertIn(warning, err)
            self.assertIn('expected', warning)
        rc, out, strict = run('topology', option, path, '--strict', *args)
        self.assertEqual(rc, 2 if warnings else 0)
        if warnings:
            self.assertIn(result['warnings'][0], strict)
        return result

    def test_checksum(self):
        result = self.table('--iort', case('iort-checksum-zero.dat'), warnings=1)
        self.assertEqual(len(result['smmus']), 1)
        self.assertIn('checksum', result['warnings'][0])

    def test_ids_one_too_many(self):
        result = self.table('--iort', case('iort-ids-one-too-many.dat'), warnings=1)
        streams = result['roots'][0]['streams']
        self.assertEqual([(s['first'], s['count'], s['smmu'], s['stream']) for s in streams],
                         [(0, 0x100, 0, 0), (0x100, 0x101, 1, 0x100)])

    def test_null_reference(self):
        result = self.table('--iort', case('iort-null-reference.dat'), warnings=1, left_out=1)
        self.assertEqual([len(r['streams']) for r in result['roots']], [1, 0])
        self.assertIn('offset 0xf4', result['warnings'][0])
        self.assertIn('1 item left out', run('topology', '--iort', case('iort-null-reference.dat'))[1])

    def test_no_ats(self):
        result = self.table('--iort', case('iort-no-ats.dat'))
        self.assertFalse(result['roots'][0]['ats'])
        rc, out, err = run('arrays', '--iort', case('iort-no-ats.dat'), '--json', '-')
        self.assertEqual((rc, err), (0, ''))
        result = json.loads(out)
        self.assertEqual((result['warnings'], result['left_out']), ([], 0))
        self.assertEqual({o['kind'] for d in result['domains'] for o in d['operations']}, {'s1-asid'})
        rc, out, err = run('run', '--iort', case('iort-no-ats.dat'), '--ops', 500, '--json', '-')
        result = json.loads(out)
        self.assertEqual((rc, result['ats'], result['result']), (0, 0, 'ok'))
        rc, out, err = run('run', '--iort', case('iort-no-ats.dat'), '--ops', 500, '--json', '-', '--ats', 3)
        self.assertEqual(json.loads(out)['ats'], 3)
        rc, out, err = run('run', '--iort', case('iort-checksum-zero.dat'), '--ops', 500, '--json', '-')
        result = json.loads(out)
        self.assertEqual((rc, result['ats'], len(result['warnings'])), (0, 4, 1))
        self.assertEqual(run('run', '--iort', case('iort-checksum-zero.dat'), '--strict')[0], 2)

    def test_reserved(self):
        result = self.table('--iort', case('iort-rmr-not-shown.dat'))
        (reserved,) = result['reserved']
        self.assertEqual((reserved['base'], reserved['size'], reserved['smmu'], reserved['stream'], reserved['count']),
                         (0x80000000, 0x10000, 0, 0x100, 1))
        self.assertIn('0x80000000-0x8000ffff', run('topology', '--iort', case('iort-rmr-not-shown.dat'))[1])

    def test_acpidump(self):
        want = self.table('--iort', case('iort-no-ats.dat'))
        self.assertEqual(self.table('--iort', case('acpidump.txt')), want)
        with open(case('acpidump.txt'), 'rb') as f:
            text = f.read()
        # A whole dump has other tables before and after it.
        other = b'SSDT @ 0x0000000000000000\n    0000: 53 53 44 54 24 00 00 00 01 00 20 20 20 20 20 20  SSDT$.....\n\n'
        for data in (text, other + text + other, text.lower().replace(b'iort @', b'IORT @'),
                     gzip.compress(text)):
            rc, out, err = run('topology', '--iort', '-', '--json', '-', stdin=data)
            self.assertEqual((rc, err), (0, ''))
            self.assertEqual(json.loads(out), want)
        rc, out, err = run('topology', '--iort', '-', stdin=other)
        self.assertEqual(rc, 2)
        self.assertIn('without an IORT', err)

    def test_packed(self):
        for option, path in (('--iort', os.path.join(DATA, 'two-smmus.iort')),
                             ('--dtb', os.path.join(DATA, 'virt-smmuv3.dtb'))):
            want = self.table(option, path)
            with open(path, 'rb') as f:
                packed = gzip.compress(f.read())
            rc, out, err = run('topology', option, '-', '--json', '-', stdin=packed)
            self.assertEqual((rc, json.loads(out)), (0, want))
            rc, out, err = run('topology', option, '-', stdin=packed[:len(packed) // 2])
            self.assertEqual(rc, 2)
            self.assertIn('standard input', err)

    def test_interrupts(self):
        result = self.table('--dtb', case('four-cell-interrupts.dtb'))
        self.assertEqual(result['smmus'][0]['gsivs'],
                         {'event': 132, 'gerror': 133, 'pri': 134, 'sync': 135, 'combined': False})
        result = self.table('--dtb', case('combined-interrupt.dtb'))
        gsivs = [s['gsivs'] for s in result['smmus']]
        self.assertEqual(gsivs[0], {'event': 201, 'gerror': 201, 'pri': 201, 'sync': 201, 'combined': True})
        self.assertEqual((gsivs[1]['event'], gsivs[1]['gerror']), (4100, 4096))

    def test_disabled(self):
        result = self.table('--dtb', case('disabled-only.dtb'))
        self.assertEqual(result['smmus'], [])
        self.assertEqual([(o['kind'], o['name']) for o in result['others']],
                         [('SMMUv3, reserved', '/iommu@2000000')])
        rc, out, err = run('topology', '--dtb', case('disabled-only.dtb'))
        self.assertIn('1 SMMUv3 disabled', out)
        self.assertIn('--all', out)
        result = self.table('--dtb', case('disabled-only.dtb'), '--all')
        self.assertEqual((len(result['smmus']), result['smmus'][0]['disabled']), (1, True))
        self.assertEqual(len(result['roots'][0]['streams']), 1)
        rc, out, err = run('run', '--dtb', case('disabled-only.dtb'), '--all', '--ops', 300)
        self.assertEqual((rc, err), (0, ''))

    def test_one_bad_device(self):
        result = self.table('--dtb', case('one-bad-device.dtb'), warnings=2, left_out=2)
        self.assertEqual([len(r['streams']) for r in result['roots']], [0, 1])
        self.assertIn('/pcie@8000000', result['warnings'][0])

    def test_no_devices(self):
        with open(os.path.join(DATA, 'two-smmus.iort'), 'rb') as f:
            table = bytearray(f.read())
        table[36] = 3  # no root complex: the last node is gone
        rc, out, err = run('run', '--iort', '-', '--ops', 300, stdin=bytes(table))
        self.assertEqual(rc, 2)
        self.assertIn('--devices', err)
        rc, out, err = run('run', '--iort', '-', '--ops', 300, '--devices', 3, '--json', '-', stdin=bytes(table))
        self.assertEqual(rc, 0)
        self.assertEqual(json.loads(out)['devices'], 6)

    def test_named(self):
        """What a file is instead, and what to do with it."""
        iort, dtb = os.path.join(DATA, 'two-smmus.iort'), os.path.join(DATA, 'virt-smmuv3.dtb')
        with open(case('one-bad-device.dts'), 'rb') as f:
            dts = f.read()
        dsl = b'/*\n * Intel ACPI Component Architecture\n */\n[000h 0000   4]   Signature : "IORT"\n'
        fadt = b'FACP' + (276).to_bytes(4, 'little') + bytes(268)
        for option, data, words in (
                ('--iort', contents(dtb), 'this is a device tree; expected an IORT: use --dtb'),
                ('--dtb', contents(iort), 'use --iort'),
                ('--dtb', dts, 'dtc -I dts'), ('--iort', dts, 'use --dtb'),
                ('--iort', dsl, 'iasl'), ('--iort', fadt, 'ACPI table FACP'),
                ('--dtb', contents(case('acpidump.txt')), '--iort'),
                ('--iort', b'\xfd7zXZ\0', 'xz -d'), ('--dtb', b'\x28\xb5\x2f\xfd', 'zstd -d'),
                ('--dtb', b'\xd7\xb7\xab\x1e', 'overlays'), ('--iort', b'\x7fELF', 'a program'),
                ('--iort', b'', 'expected'), ('--dtb', b'hello\n', 'expected')):
            rc, out, err = run('topology', option, '-', stdin=data)
            self.assertEqual((rc, out), (2, ''), data[:20])
            self.assertIn(words, err)
            self.assertIn('standard input: ', err)
        rc, out, err = run('topology', '--dtb', CASES)
        self.assertEqual(rc, 2)
        self.assertIn('this is a folder', err)

    def test_pictures(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ('iort-ids-one-too-many.dat', 'iort-rmr-not-shown.dat'):
                svg, dot = os.path.join(folder, 'a.svg'), os.path.join(folder, 'a.dot')
                rc, out, err = run('topology', '--iort', case(name), '--svg', svg, '--dot', dot)
                self.assertEqual(rc, 0)
                self.assertIn('SMMUv3 instance', out)
                text = ' '.join(xml.etree.ElementTree.parse(svg).getroot().itertext())
                for words in ('smmu 0', 'ATS', 'streams 0x0-0x'):
                    self.assertIn(words, text)
                with open(dot) as f:
                    self.assertIn('root0 -> smmu0', f.read())
        rc, out, err = run('topology', '--svg', '-')
        self.assertEqual((rc, err), (0, ''))
        xml.etree.ElementTree.fromstring(out)
        rc, out, err = run('arrays', '--smmus', 3, '--svg', '-')
        self.assertEqual((rc, err), (0, ''))
        text = ' '.join(xml.etree.ElementTree.fromstring(out).itertext())
        for words in ('domain 0', 'smmu 2', 's1-asid', 'ats'):
            self.assertIn(words, text)
        self.assertEqual(run('topology', '--svg', '/no/such/folder/x')[0], 2)
        self.assertEqual(run('topology', '--dot', '/no/such/folder/x')[0], 2)
        self.assertEqual(run('arrays', '--svg', '/no/such/folder/x')[0], 2)


class Replay(unittest.TestCase):
    def trace(self, path, *args, stdin=None, warnings=0, left_out=0):
        rc, out, err = run('replay', path, '--json', '-', '--design', 'sweep', *args, stdin=stdin)
        self.assertEqual(rc, 0, err)
        result = json.loads(out)
        self.assertEqual((result['result'], result['violations']), ('ok', []))
        self.assertEqual((len(result['warnings']), result['left_out']), (warnings, left_out), result['warnings'])
        self.assertEqual(err.count('warning: '), warnings)
        self.assertEqual(run('replay', path, '--strict', '--design', 'sweep', *args, stdin=stdin)[0],
                         2 if warnings else 0)
        return result['trace'] | {'maps': result['maps'], 'unmaps': result['unmaps']}

    def test_cases(self):
        t = self.trace(case('two-domains.trace'))
        self.assertEqual((t['domains'], t['used'], t['maps'], t['unmaps']), (2, 4, 2, 2))
        t = self.trace(case('starts-late.trace'), warnings=1, left_out=1)
        self.assertEqual((t['events'], t['used'], t['left_out']['unmapped_unknown']), (3, 2, 1))
        t = self.trace(case('mixed-events.trace'))
        self.assertEqual((t['used'], t['other_events'], t['maps'], t['unmaps']), (2, 4, 1, 1))
        t = self.trace(case('unmapped-size-less.trace'))
        self.assertEqual((t['used'], t['maps'], t['unmaps']), (2, 1, 1))
        t = self.trace(case('scattered.trace.gz'))
        self.assertEqual((t['used'], t['maps'], t['unmaps'], t['domains']), (4200, 2100, 2100, 1))
        for name in ('trace-cmd-report.txt', 'perf-script.txt', 'dev-field.trace'):
            t = self.trace(case(name))
            self.assertEqual((t['events'], t['used'], t['maps'], t['unmaps']), (2, 2, 1, 1), name)

    def test_share(self):
        rc, out, err = run('replay', case('starts-late.trace'), '--design', 'sweep')
        self.assertIn('2 of 3 map and unmap events used (66.7%)', out)
        self.assertIn('1 left out', out)
        rc, out, err = run('replay', case('mixed-events.trace'), '--design', 'sweep')
        self.assertIn('4 other events skipped', out)

    def test_stdin(self):
        """Read more than once, though it can be read once only."""
        want = self.trace(case('scattered.trace.gz'))
        packed = contents(case('scattered.trace.gz'))
        self.assertEqual(self.trace('-', stdin=packed), want)
        self.assertEqual(self.trace('-', stdin=gzip.decompress(packed)), want)
        rc, out, err = run('replay', '-', '--json', '-', stdin=packed)
        self.assertEqual([r['result'] for r in json.loads(out)['compare']], ['ok'] * 4)
        rc, out, err = run('replay', '-', '--iort', '-', stdin=b'')
        self.assertEqual(rc, 2)
        self.assertIn('cannot both be standard input', err)

    def test_granules(self):
        head = ' dd-1 [000] ..... 1.0: '
        for size in (0x10000, 0x4000):
            lines = [head + 'map: IOMMU: iova=0x%x paddr=0x%x size=%d' % (i * size, (i ^ 5) * size, size)
                     for i in range(40)]
            lines += [head + 'unmap: IOMMU: iova=0 size=%d unmapped_size=%d' % (40 * size, 40 * size)]
            t = self.trace('-', stdin='\n'.join(lines).replace('iova=0 ', 'iova=0x0 ').encode())
            self.assertEqual((t['granule'], t['maps'], t['unmaps']), (size, 40, 1))
            self.trace('-', '--stage', 2, stdin='\n'.join(lines).replace('iova=0 ', 'iova=0x0 ').encode())

    def test_blocks(self):
        """An unmap of a part of a block: the rest of it stays mapped."""
        head = ' dd-1 [000] ..... 1.0: '
        text = (head + 'map: IOMMU: iova=0x40000000 paddr=0x80000000 size=1073741824\n' +
                head + 'unmap: IOMMU: iova=0x40001000 size=4096 unmapped_size=4096\n' +
                head + 'unmap: IOMMU: iova=0x401ff000 size=8192 unmapped_size=8192\n' +
                head + 'map: IOMMU: iova=0x40001000 paddr=0x1000 size=4096\n' +
                head + 'unmap: IOMMU: iova=0x40002000 size=2088960 unmapped_size=2080768\n')
        t = self.trace('-', stdin=text.encode())
        self.assertEqual((t['maps'], t['unmaps']), (2, 3))
        self.assertEqual(t['split_blocks'], 2)

    def test_faults_are_caught(self):
        for name in ('two-domains.trace', 'scattered.trace.gz'):
            rc, out, err = run('replay', case(name), '--inject', 'drop-tlbi:1', '--json', '-')
            self.assertEqual(rc, 1, err)
            self.assertEqual({v['missing'] for v in json.loads(out)['violations']}, {'tlbi'})

    def test_named(self):
        for data, words in ((b'\x17\x08\x44tracing6\0', 'trace-cmd report'), (b'PERFILE2\0\0', 'perf script'),
                            (b'', 'expected at least one event'), (b'\0\0', 'no text'),
                            (contents(os.path.join(DATA, 'two-smmus.iort')), '--iort')):
            rc, out, err = run('replay', '-', stdin=data)
            self.assertEqual((rc, out), (2, ''))
            self.assertIn(words, err)
            self.assertIn('standard input: ', err)

    def test_memory(self):
        """A longer trace takes no more memory."""
        most = []
        make = os.path.join(os.path.dirname(CASES), 'lab', 'make_trace.py')
        for megabytes in (2, 8):
            with tempfile.NamedTemporaryFile() as f:
                subprocess.run([sys.executable, make, str(megabytes)], stdout=f, check=True)
                with tempfile.TemporaryFile() as result:
                    p = subprocess.Popen([SMMUV3, 'replay', f.name, '--design', 'sweep', '--json', '-'], stdout=result)
                    _, status, usage = os.wait4(p.pid, 0)
                    p.returncode = os.waitstatus_to_exitcode(status)
                    result.seek(0)
                    t = json.load(result)['trace']
                self.assertEqual((status, t['domains'], t['events']), (0, 3, t['used']))
                most.append(usage.ru_maxrss)
        self.assertLess(most[1], most[0] + 4096, 'KiB')


class Decode(unittest.TestCase):
    def decode(self, *args, stdin=None):
        rc, out, err = run('decode', *args, '--json', '-', stdin=stdin)
        self.assertEqual((rc, err), (0, ''))
        result = json.loads(out)
        self.assertEqual((result['warnings'], result['left_out']), ([], 0))
        return result['structures']

    def test_event(self):
        for kind in (['event'], []):
            (event,) = self.decode(*kind, stdin=contents(case('dmesg-event.txt')))
            self.assertEqual((event['kind'], event['name']), ('event', 'F_TRANSLATION'))
            self.assertEqual((event['fields']['SID'], event['fields']['InputAddr']), (0x123, 0xffff1000))
            self.assertEqual([r['section'] for r in event['remarks'] if r['kind'] == 'cause'], ['7.3.13'])
        rc, out, err = run('decode', stdin=contents(case('dmesg-event.txt')))
        self.assertIn('SID=0x123 ', out)
        self.assertIn('IHI 0070 G.b, 7.3.13', out)

    def test_queue(self):
        for kind in (['reg'], []):
            error, timeout = self.decode(*kind, stdin=contents(case('dmesg-cmdq.txt')))
            self.assertEqual((error['name'], error['fields']), ('CMDQ error', {'RD': 3, 'ERR': 'CERROR_ATC_INV_SYNC'}))
            self.assertIn('ATC_INV', error['remarks'][0]['text'])
            self.assertEqual((timeout['name'], timeout['fields']),
                             ('CMD_SYNC timeout', {'at': 0x146, 'hwprod': 0x146, 'hwcons': 0}))
            self.assertTrue(any('hwcons is 0' in r['text'] for r in timeout['remarks']))

    def test_nothing(self):
        for data in (b'', b'nothing\n', b'\0\1\2'):
            rc, out, err = run('decode', stdin=data)
            self.assertEqual((rc, out), (2, ''))
            self.assertIn('nothing to decode', err)


class Help(unittest.TestCase):
    def test_examples(self):
        """Each input with the command that makes it on a live machine."""
        for command, words in (('topology', ('/sys/firmware/acpi/tables/IORT', 'acpidump', '/sys/firmware/fdt', 'dtc',
                                             'iasl', 'fdtoverlay')),
                               ('replay', ('tracing/events/iommu', 'trace-cmd', 'perf script', 'gzip')),
                               ('decode', ('dmesg |', 'journalctl', 'crash', 'ARM_SMMU_IDR0'))):
            rc, out, err = run(command, '--help')
            self.assertEqual(rc, 0)
            for word in words:
                self.assertIn(word, out, command)
            with open(os.path.join(os.path.dirname(DATA), 'docs', 'man', 'smmuv3.1')) as f:
                man = f.read()
            for word in words[:-1]:
                self.assertIn(word, man, command)


if __name__ == '__main__':
    main()
