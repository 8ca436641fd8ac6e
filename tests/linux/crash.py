# SPDX-License-Identifier: BSD-2-Clause
"""What a kernel for crashes is given in the memory that was set aside for it (see guest/crash_load.c): its device tree."""
import struct
import subprocess

BASE = 0x60000000
SIZE = 0x10000000
DTB_AT, ELF_AT, INITRD_AT = 128 << 20, 140 << 20, 144 << 20
ARGUMENT = f'crashkernel={SIZE >> 20}M@{BASE:#x}'

# Devicetree Specification, 5: the flattened format.
BEGIN, END, PROPERTY, NOP, LAST = 1, 2, 3, 4, 9


def with_properties(blob, node, wanted):
    """A flattened device tree in which NODE of the root has the properties WANTED (names and bytes) in place of its own."""
    head = list(struct.unpack('>10I', blob[:40]))
    tree, names = blob[head[2]:head[2] + head[9]], blob[head[3]:head[3] + head[8]]
    out, at, depth, inside, found = b'', 0, 0, False, False
    while True:
        token, = struct.unpack_from('>I', tree, at)
        end = at + 4
        keep = True
        if token == BEGIN:
            stop = tree.index(b'\0', end)
            depth += 1
            inside = depth == 2 and tree[end:stop] == node.encode()
            end = (stop + 4) & ~3
        elif token == END:
            depth -= 1
            inside = inside and depth > 1
        elif token == PROPERTY:
            size, name = struct.unpack_from('>2I', tree, end)
            end = (end + 8 + size + 3) & ~3
            keep = not inside or names[name:names.index(b'\0', name)].decode() not in wanted
        if keep:
            out += tree[at:end]
        if token == BEGIN and inside:
            found = True
            for name, value in wanted.items():
                out += struct.pack('>3I', PROPERTY, len(value), len(names)) + value + b'\0' * (-len(value) % 4)
                names += name.encode() + b'\0'
        at = end
        if token == LAST:
            break
    if not found:
        raise ValueError('no ' + node)
    reserved = blob[head[4]:head[2]] if head[4] < head[2] else b'\0' * 16
    start = 40 + len(reserved)
    total = start + len(out) + len(names)
    head[1:5] = total, start, start + len(out), 40
    head[8:10] = len(names), len(out)
    return struct.pack('>10I', *head) + reserved + out + names


def device_tree(machine, path, initrd_size, arguments, crashed=True):
    """Of the machine that QEMU's command line MACHINE makes, for a kernel with ARGUMENTS in its own part of memory."""
    machine = list(machine)
    machine[machine.index('-M') + 1] += f',dumpdtb={path}'
    subprocess.run(machine, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    with open(path, 'rb') as f:
        blob = f.read()
    # One that is crashed has its header's place kept free.
    return with_properties(blob, 'chosen', {
        'bootargs': arguments.encode() + b'\0',
        **({'linux,elfcorehdr': struct.pack('>2Q', BASE + ELF_AT, 4096)} if crashed else {}),
        'linux,usable-memory-range': struct.pack('>2Q', BASE, SIZE),
        'linux,initrd-start': struct.pack('>Q', BASE + INITRD_AT),
        'linux,initrd-end': struct.pack('>Q', BASE + INITRD_AT + initrd_size),
    })
