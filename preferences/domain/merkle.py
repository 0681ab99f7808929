"""Merkle trees as in RFC 6962 section 2.1: hashes, inclusion and consistency proofs, and their verification.

Positions count from 0. A proof is made from hashes of complete subtrees, asked for by level and index (`NodeAt`), so whoever
keeps those makes one from a few of them; a tree grows by its frontier, so a long one takes no more memory than a short one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

NodeAt = Callable[[int, int], bytes]
"""The hash of the complete subtree with this level (0: a leaf) and index among those of its level."""

EMPTY_ROOT = sha256(b"").digest()
"""The hash of a tree without leaves."""


def hash_leaf(content: bytes) -> bytes:
    """The hash of one leaf: SHA-256 of 0x00 and the content, so that no leaf can pass for a node."""
    return sha256(b"\x00" + content).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side: SHA-256 of 0x01 and both."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that only grows, known by the hashes of its complete subtrees from left to right, the largest first."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count():
            raise ValueError("a tree of this size has another number of complete subtrees")
        self.size = size
        self._peaks = list(peaks)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf's hash. Returns the nodes that it completes: level (1 and up), index, hash."""
        made: list[tuple[int, int, bytes]] = []
        current, index, level = leaf, self.size, 0
        while index & 1:
            current = hash_node(self._peaks.pop(), current)
            index, level = index >> 1, level + 1
            made.append((level, index, current))
        self._peaks.append(current)
        self.size += 1
        return made

    @property
    def root(self) -> bytes:
        """The hash of the tree."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = hash_node(peak, root)
        return root


def peaks_of(size: int) -> list[tuple[int, int]]:
    """Level and index of the complete subtrees that make up a tree of this size, from left to right."""
    found, start = [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            found.append((level, start >> level))
            start += 1 << level
    return found


def tree_hash(start: int, end: int, node_at: NodeAt) -> bytes:
    """The hash of the leaves from `start` up to `end`, where `start` is one that section 2.1 splits at."""
    if start == end:
        return EMPTY_ROOT
    width = end - start
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return node_at(level, start >> level)
    split = start + _split(width)
    return hash_node(tree_hash(start, split, node_at), tree_hash(split, end, node_at))


def inclusion_proof(position: int, size: int, node_at: NodeAt) -> list[bytes]:
    """The audit path of a leaf in the tree of the first `size` leaves, lowest first (section 2.1.1)."""
    if not 0 <= position < size:
        raise ValueError("there is no such leaf in this tree")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if position < split:
            path.append(tree_hash(split, end, node_at))
            end = split
        else:
            path.append(tree_hash(start, split, node_at))
            start = split
    return path[::-1]


def consistency_proof(earlier: int, later: int, node_at: NodeAt) -> list[bytes]:
    """What shows that the first `earlier` leaves of a tree are still what they were (section 2.1.2)."""
    if not 0 < earlier <= later:
        raise ValueError("the earlier tree has a leaf, and is not longer than the later one")
    path: list[bytes] = []
    start, end, is_whole = 0, later, True
    while earlier != end:
        split = start + _split(end - start)
        if earlier <= split:
            path.append(tree_hash(split, end, node_at))
            end = split
        else:
            path.append(tree_hash(start, split, node_at))
            start, is_whole = split, False
    if not is_whole:
        path.append(tree_hash(start, end, node_at))
    return path[::-1]


def verify_inclusion(leaf: bytes, position: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf's hash at this position to the root of a tree of this size (RFC 9162, 2.1.3.2)."""
    if not 0 <= position < size:
        return False
    index, last, current = position, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if index & 1 or index == last:
            current = hash_node(step, current)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            current = hash_node(current, step)
        index, last = index >> 1, last >> 1
    return last == 0 and current == root


def verify_consistency(earlier: int, later: int, path: Sequence[bytes], earlier_root: bytes, later_root: bytes) -> bool:
    """Whether the path shows that the later tree begins with the earlier one (RFC 9162, 2.1.4.2)."""
    if not 0 < earlier <= later:
        return False
    if earlier == later:
        return not path and earlier_root == later_root
    steps = [earlier_root, *path] if earlier & (earlier - 1) == 0 else list(path)
    if not steps:
        return False
    index, last = earlier - 1, later - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            first, second = hash_node(step, first), hash_node(step, second)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            second = hash_node(second, step)
        index, last = index >> 1, last >> 1
    return last == 0 and first == earlier_root and second == later_root


def _split(width: int) -> int:
    """The largest power of two smaller than `width`."""
    return 1 << (width - 1).bit_length() - 1
