# SPDX-License-Identifier: BSD-2-Clause
"""What firmware tells, changed for a test: device trees as QEMU makes them, and its IORT."""
import struct
import subprocess

# Devicetree Specification, 5: the flattened format.
BEGIN, END, PROPERTY, NOP, LAST = 1, 2, 3, 4, 9
# How an RMR node's memory is accessed (flags).
WRITE_BACK = 5 << 2


class Node:
    """A node of a device tree: properties are bytes."""

    def __init__(self, name):
        self.name, self.properties, self.children = name, {}, []

    def find(self, start):
        """The child whose name starts so."""
        return next(child for child in self.children if child.name.startswith(start))

    def add(self, name, **properties):
        node = Node(name)
        node.properties = {key.replace('__', '#').replace('_', '-'): value for key, value in properties.items()}
        self.children.append(node)
        return node


def cells(*values):
    return struct.pack(f'>{len(values)}I', *values)


def read_tree(blob):
    head = struct.unpack('>10I', blob[:40])
    tree, names = blob[head[2]:head[2] + head[9]], blob[head[3]:head[3] + head[8]]
    at, path, root = 0, [], None
    while True:
        token, = struct.unpack_from('>I', tree, at)
        at += 4
        if token == BEGIN:
            stop = tree.index(b'\0', at)
            node = Node(tree[at:stop].decode())
            at = (stop + 4) & ~3
            if path:
                path[-1].children.append(node)
            root = root or node
            path.append(node)
        elif token == END:
            path.pop()
        elif token == PROPERTY:
            size, name = struct.unpack_from('>2I', tree, at)
            path[-1].properties[names[name:names.index(b'\0', name)].decode()] = tree[at + 8:at + 8 + size]
            at = (at + 8 + size + 3) & ~3
        elif token == LAST:
            return root


def write_tree(root):
    names, out = bytearray(), bytearray()

    def put(node):
        out.extend(cells(BEGIN) + node.name.encode() + b'\0' * (4 - len(node.name) % 4))
        for name, value in node.properties.items():
            out.extend(cells(PROPERTY, len(value), len(names)) + value + b'\0' * (-len(value) % 4))
            names.extend(name.encode() + b'\0')
        for child in node.children:
            put(child)
        out.extend(cells(END))

    put(root)
    out.extend(cells(LAST))
    start = 40 + 16
    return cells(0xd00dfeed, start + len(out) + len(names), start, start + len(out), 40, 17, 16, 0, len(names), len(out)) + \
        bytes(16) + bytes(out) + bytes(names)


def machine_tree(line, path):
    """Of the machine that QEMU's command line LINE makes."""
    line = list(line)
    line[line.index('-M') + 1] += f',dumpdtb={path}'
    subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    with open(path, 'rb') as f:
        return read_tree(f.read())


def with_messages(root, requester):
    """The SMMU's interrupts are messages, which the ITS takes for requester's."""
    its = root.find('intc').find('its')
    smmu = root.find('smmuv3')
    smmu.properties['msi-parent'] = its.properties['phandle'] + cells(requester)


def with_memory(root, slot, start, size):
    """The PCI function in SLOT of the first bus has memory of its own, one to one."""
    phandle = 0x7000
    reserved = root.add('reserved-memory', __address_cells=cells(2), __size_cells=cells(2), ranges=b'')
    # A PCI bus has addresses of three cells.
    where = cells(start >> 32, start & 0xffffffff, size >> 32, size)
    reserved.add(f'device@{start:x}', reg=where, phandle=cells(phandle), iommu_addresses=cells(phandle + 1, 0) + where)
    root.find('pcie').add(f'device@{slot:x},0', reg=cells(slot << 11, 0, 0, 0, 0), phandle=cells(phandle + 1),
                          memory_region=cells(phandle))


def with_canwbs(iort):
    """An IORT whose root complexes say that devices are coherent whatever the attributes of an access are (DEN0049E.f, Table 13)."""
    length, = struct.unpack_from('<I', iort, 4)
    nodes, at = struct.unpack_from('<2I', iort, 36)
    table = bytearray(iort[:length])
    for _ in range(nodes):
        kind, size_of_node = struct.unpack_from('<BH', iort, at)
        if kind == 2:
            table[at + 23] |= 4
        at += size_of_node
    return newer(table)


def newer(table):
    """TABLE with a newer revision than the one that is there, or it would not be taken, and its sum."""
    struct.pack_into('<I', table, 24, struct.unpack_from('<I', table, 24)[0] + 1)
    table[9] = 0
    table[9] = -sum(table) & 0xff
    return bytes(table)


def with_rmr(iort, smmu, stream, start, size):
    """An IORT with an RMR node more (DEN0049E.e, 3.1.1.5): STREAM of the SMMU of number SMMU has the memory."""
    length, = struct.unpack_from('<I', iort, 4)
    nodes, first = struct.unpack_from('<2I', iort, 36)
    at, found = first, []
    for _ in range(nodes):
        kind, size_of_node = struct.unpack_from('<BH', iort, at)
        if kind == 4:
            found.append(at)
        at += size_of_node
    # Header; flags and the number and offset of regions; one mapping with one id; one region.
    body = struct.pack('<3I', WRITE_BACK, 1, 28 + 20) + struct.pack('<5I', 0, 0, stream, found[smmu], 1) + struct.pack('<2QI', start, size, 0)
    node = struct.pack('<BHBI2I', 6, 16 + len(body), 3, nodes, 1, 28) + body
    table = bytearray(iort[:length] + node)
    struct.pack_into('<I', table, 4, len(table))
    # IORT revision 5 knows RMR nodes.
    table[8] = 5
    struct.pack_into('<I', table, 36, nodes + 1)
    return newer(table)
