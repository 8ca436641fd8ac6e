#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds what the documents name to what there is.

In every document (*.md, and the manual page):
  - files in code spans and links exist; a bare name with an ending is that of some file in the tree;
  - names of C (smmu_…, SMMU_…) stand in the sources, mutants and settings of Meson and goals of make likewise exist;
  - command lines of smmuv3 are understood, and other options are some script's;
  - the manual has every option of every command, every command and fault, and no option that there is not.
In every source: a path that starts with one of our folders leads to something.

usage: tools/docs.py SMMUV3 [--outputs [--write]]
--outputs: in place of that, what README.md shows of runs (behind <!-- output: ARGUMENTS -->) is what they print; with
--write it is brought up to date.
Exit status: 0 all of it exists, 1 something does not (printed).
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ('include', 'src', 'ports', 'devices', 'topology', 'lab', 'cli', 'examples', 'tests', 'docs', 'bench', 'proofs', 'packaging', 'tools',
           'data', '.ci')
ENDINGS = ('c', 'h', 'S', 'py', 'sh', 'md', 'svg', 'mut', 'lit', 'txt', 'dtb', 'dts', 'trace', 'json', 'bash', 'build', 'ld', 'iort', 'tsv')
SOURCES = ENDINGS[:6] + ('build', 'bash', 'mut', 'lit')
# What the documents speak of and that is not ours: of Linux, of EDK2, of a user.
FOREIGN = {'mmu-notifiers.h', 'mmu_notifier.h', 'io-pgtable-arm.c', 'arm-smmu-v3.c', 'iommu.h', 'core.c', 'yours.h', 'yours.c'}
FOREIGN_PATH = re.compile(r'^(include/(linux|asm|uapi|generated|trace|soc|acpi|kvm|net)\b|tools/testing\b|tests/[A-Z]+\b)')
COMMANDS = ('run', 'replay', 'bench', 'topology', 'arrays', 'decode')


def tree():
    files = []
    for folder, folders, names in os.walk(TOP):
        at = pathlib.Path(folder).relative_to(TOP)
        folders[:] = [f for f in folders if not f.startswith('build') and f not in ('.git', '.cache', '__pycache__')
                      and not (at / f).as_posix().startswith('subprojects')]
        files += [(at / name).as_posix() for name in names]
    return sorted(files)


class Docs:
    def __init__(self, command):
        self.command = command
        self.bad = []
        self.files = tree()
        self.names = {pathlib.Path(f).name for f in self.files}
        self.text = {}
        for f in self.files:
            if f.endswith(tuple('.' + e for e in SOURCES)) or f in ('Makefile', 'meson_options.txt', '.ci/run') or 'debian' in f:
                self.text[f] = (TOP / f).read_text(errors='replace')
        code = '\n'.join(t for f, t in self.text.items() if not f.endswith('.md'))
        self.words = set(re.findall(r'\b(?:smmu|SMMU)_\w+', code))
        # Names that a macro or a loop puts together.
        self.options = set(re.findall(r'(?<![\w-])--[a-z][a-z0-9-]*', code))
        self.goals = set(re.findall(r'^([a-z][a-z-]*):', self.text['Makefile'], re.M))
        self.variables = set(re.findall(r'\b([A-Z][A-Z_]+)\b', code))
        self.settings = set(re.findall(r"^option\('(\w+)'", self.text['meson_options.txt'], re.M))
        self.help = {c: subprocess.run([command, c, '--help'], capture_output=True, text=True, check=True).stdout for c in COMMANDS}

    def say(self, where, what):
        self.bad.append(f'{where}: {what}')

    def exists(self, path):
        path = path.rstrip('/')
        return any(f == path or f.startswith(path + '/') for f in self.files)

    def path(self, where, word):
        """A word that may be a path or a file's name."""
        word = word.rstrip('.,:;')
        if re.search(r'[*<>$%{}…()\\\'"=|]|[A-Z]{3,}\b(?!\.)|NAME|XXX|\.\.', word) and not self.exists(word):
            return
        if word.split('/')[0] in FOLDERS and '/' in word:
            if not self.exists(word) and not FOREIGN_PATH.match(word):
                self.say(where, f'there is no {word}')
        elif '/' not in word and re.fullmatch(r'[\w-]+\.(%s)' % '|'.join(ENDINGS[:8]), word):
            if word not in self.names and word not in FOREIGN:
                self.say(where, f'no file is called {word}')

    def smmuv3(self, where, line):
        """A command line: with --help at its end nothing happens, but all that stands before it is understood."""
        line = re.split(r'\s(?:#|&&)|[|;>]|<\s', line)[0].strip()
        try:
            words = shlex.split(line)[1:]
        except ValueError:
            return self.say(where, f'cannot be read as a command: {line}')
        if not words or words[0] not in COMMANDS:
            if words and words[0] not in ('help', '--help', '--version', 'COMMAND'):
                self.say(where, f'smmuv3 has no command {words[0]}')
            return None
        words = [w for w in words if not re.search('…', w)]
        if any('NAME' in w for w in words):
            return None
        # A letter stands for a number.
        words = ['1' if re.fullmatch('[A-Z]', w) else w for w in words]
        if words[-1].startswith('--'):
            # Alone, an option that takes a value is meant as such.
            if not re.search(r'^  %s[ \n]' % re.escape(words[-1]), self.help[words[0]], re.M):
                self.say(where, f'smmuv3 {words[0]} has no option {words[-1]}')
            words.pop()
        p = subprocess.run([self.command, *words, '--help'], capture_output=True, text=True)
        if p.returncode:
            self.say(where, f'{line}: {p.stderr.splitlines()[0]}')
        return None

    def span(self, where, code):
        """What stands between backticks, or a line of a block."""
        code = code.strip().removeprefix('$ ')
        m = re.search(r'(?:^|[ /|])(smmuv3 (?:%s)\b.*)' % '|'.join(COMMANDS), code)
        if m:
            self.smmuv3(where, m.group(1))
        else:
            m = re.match(r'(?:\S*/)?smmuv3 ([a-z]+)\b', code)
            if m and m.group(1) != 'help':
                self.say(where, f'smmuv3 has no command {m.group(1)}')
            for option in re.findall(r'(?<![\w-])--[a-z][a-z0-9-]*', code):
                if option not in self.options and not any(option in h for h in self.help.values()) and ' ' not in code:
                    self.say(where, f'nothing here has the option {option}')
        m = re.match(r'make ((?:[A-Z_]+=\S+ )*)([a-z][a-z-]*)?', code)
        if m and m.group(2) and m.group(2) not in self.goals:
            self.say(where, f'make has no goal {m.group(2)}')
        for setting in re.findall(r'(?:^|\s)-D([a-z]\w*)\b', code):
            if setting not in self.settings and not setting.startswith('b_') and setting not in ('werror', 'prefix', 'buildtype', 'debug'):
                self.say(where, f'meson_options.txt has no {setting}')
        for word in re.findall(r'[\w./*<>{}…-]+', code):
            self.path(where, word.lstrip('./') if word.startswith('./') else word)
        for name in re.findall(r'\b(?:smmu|SMMU)_\w+\b(?!\.[ch]\b)', code):
            if name not in self.words and not name.endswith('_') and not re.search(re.escape(name) + r'[*…]', code):
                self.say(where, f'the sources have no {name}')

    def markdown(self, file):
        # What has changed has the names of its time.
        past = file == 'CHANGELOG.md'
        block = False
        for number, line in enumerate((TOP / file).read_text().splitlines(), 1):
            where = f'{file}:{number}'
            if line.strip().startswith('```'):
                block = not block
                continue
            for target in re.findall(r'\]\(([^)#:]+)\)', line):
                if not (TOP / file).parent.joinpath(target).exists():
                    self.say(where, f'the link leads to no {target}')
            if block:
                if not re.match(r'\s*(//|/\*)', line):
                    self.span(where, line)
            elif not past:
                for code in re.findall(r'(?<!`)`([^`]+)`(?!`)', line):
                    self.span(where, code)

    def manual(self, file='docs/man/smmuv3.1'):
        text = (TOP / file).read_text()
        has = set(re.findall(r'\bFl Fl ([a-z][a-z0-9-]*)', text)) | set(re.findall(r'--([a-z][a-z0-9-]*)', text))
        real = set()
        for command, shown in self.help.items():
            mine = set(re.findall(r'^  --([a-z0-9-]+)', shown, re.M))
            real |= mine
            for option in sorted(mine - has):
                self.say(file, f'does not have --{option} of {command}')
            if not re.search(r'^\.It Cm %s\b' % command, text, re.M):
                self.say(file, f'does not have the command {command}')
        for option in sorted(has - real - {'help', 'version'}):
            if '--' + option not in self.options:
                self.say(file, f'has --{option}, which no command has')
        for fault in re.findall(r'^  ([a-z-]+):\d+ ', self.help['run'], re.M):
            if not re.search(r'^\.It (Cm|Li) %s\b' % fault, text, re.M):
                self.say(file, f'does not have the fault {fault}')
        for number, line in enumerate(text.splitlines(), 1):
            if re.match(r'smmuv3 [a-z]', line) or re.match(r'\.Dl .*smmuv3 [a-z]', line):
                self.span(f'{file}:{number}', line.removeprefix('.Dl '))

    def sources(self):
        pattern = re.compile(r'(?<![\w/.$}-])((?:%s)/[\w./-]*\w)' % '|'.join(re.escape(f) for f in FOLDERS))
        for file, text in self.text.items():
            if file.startswith('docs/') or file.endswith('.md') or file == 'tools/docs.py':
                continue
            here = pathlib.Path(file).parent
            for number, line in enumerate(text.splitlines(), 1):
                for path in pattern.findall(line):
                    if 'NAME' not in path and not self.exists(path) and not self.exists((here / path).as_posix()) and not FOREIGN_PATH.match(path) \
                            and re.search(r'\.(%s)$' % '|'.join(ENDINGS), path):
                        self.say(f'{file}:{number}', f'there is no {path}')


def outputs(command, write):
    """The blocks behind <!-- output: ARGUMENTS[; LINE] -->: all of the output, or the paragraph that begins with LINE."""
    file = TOP / 'README.md'
    text = file.read_text()

    def block(m):
        args, _, line = m.group(2).partition('; ')
        out = subprocess.run([command, *args.split()], capture_output=True, text=True, cwd=TOP).stdout.strip()
        if line:
            paragraph = next(p for p in out.split('\n\n') if p.startswith(line))
            out = f'$ build/smmuv3 {args}\n…\n{paragraph}'
        return f'{m.group(1)}```\n{out}\n```\n'
    new, found = re.subn(r'(<!-- output: (.*?) -->\n\n)```\n.*?\n```\n', block, text, flags=re.S)
    if write:
        file.write_text(new)
    elif new != text or not found:
        print('docs: README.md shows other runs than these; tools/docs.py SMMUV3 --outputs --write mends it', file=sys.stderr)
        return 1
    return 0


def main():
    if len(sys.argv) < 2 or sys.argv[2:] not in ([], ['--outputs'], ['--outputs', '--write']):
        print(__doc__, file=sys.stderr)
        return 2
    if len(sys.argv) > 2:
        return outputs(os.path.abspath(sys.argv[1]), len(sys.argv) > 3)
    docs = Docs(os.path.abspath(sys.argv[1]))
    for file in docs.files:
        if file.endswith('.md'):
            docs.markdown(file)
    docs.manual()
    docs.sources()
    for line in docs.bad:
        print(f'docs: {line}', file=sys.stderr)
    return 1 if docs.bad else 0


if __name__ == '__main__':
    sys.exit(main())
