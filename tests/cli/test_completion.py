#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What bash completes of the command: usage: test_completion.py SMMUV3 DATA_FOLDER"""

import os
import re
import subprocess
import tempfile
import unittest

from command import PATIENCE, SMMUV3, main, run

SCRIPT = os.path.join(os.path.dirname(__file__), '..', '..', 'tools', 'completion', 'smmuv3.bash')
COMMANDS = ['run', 'replay', 'bench', 'topology', 'arrays', 'decode']


def complete(*words):
    """What is offered for the last of the words, which stand behind the command's name."""
    code = ('. "$1"; shift; COMP_WORDS=(smmuv3 "$@"); COMP_CWORD=$#; _smmuv3; '
            'for word in "${COMPREPLY[@]}"; do printf "%s\\n" "$word"; done')
    path = os.path.dirname(os.path.abspath(SMMUV3)) + os.pathsep + os.environ['PATH']
    with tempfile.TemporaryDirectory() as folder:
        open(os.path.join(folder, 'a-file'), 'w').close()
        p = subprocess.run(['bash', '-c', code, 'bash', os.path.abspath(SCRIPT), *words], cwd=folder, env={**os.environ, 'PATH': path},
                           capture_output=True, text=True, timeout=PATIENCE)
    return p.stdout.split()


class Completion(unittest.TestCase):
    def test_commands(self):
        self.assertEqual(complete(''), COMMANDS + ['help', '--help', '--version'])
        self.assertEqual(complete('re'), ['replay'])
        self.assertEqual(complete('help', ''), COMMANDS)

    def test_options(self):
        """Every option that the help of a command has, and nothing else."""
        for command in COMMANDS:
            offered = complete(command, '--')
            self.assertEqual(sorted(offered), sorted(set(offered)))
            help_text = run(command, '--help')[1]
            self.assertEqual(set(offered), set(re.findall(r'^  (--[a-z0-9-]+)', help_text, re.M)), command)
            self.assertIn('--json', offered)

    def test_values(self):
        self.assertEqual(complete('run', '--stage', ''), ['1', '2', 'nested', 'sva', '1,2'])
        self.assertEqual(complete('run', '--device', ''), ['model', 'qemu'])
        self.assertEqual(complete('replay', '--design', 's'), ['sweep', 'serial'])
        self.assertIn('no-barrier', complete('run', '--inject', ''))
        self.assertEqual(complete('run', '--inject', 'adopt'), ['adopt-corrupt'])
        for words in (['run', '--iort'], ['bench', '--trace'], ['bench', '--svg'], ['replay', '--timeline'], ['topology', '--dot'], ['replay']):
            self.assertEqual(complete(*words, ''), ['a-file'], words)
        # A number is nobody's to guess.
        self.assertEqual(complete('bench', '--seed', ''), [])
        self.assertEqual(complete('run', '--smmus', ''), [])

    def test_words(self):
        self.assertEqual(complete('bench', 'threads'), ['threads', 'threads-ahead', 'threads-scaling'])
        self.assertIn('instances', complete('bench', '--short', ''))
        self.assertEqual(set(complete('decode', '')), {'cmd', 'event', 'ste', 'cd', 'reg', 'pri', 'l1std', 'l1cd'})


if __name__ == '__main__':
    main()
