"""RFC 6962 trees: the published vectors, a naive reading of the RFC's definitions, and proofs that nobody can bend."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.domain.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    hash_leaf,
    hash_node,
    inclusion_proof,
    peaks_of,
    tree_hash,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")] + [
    bytes.fromhex("606162636465666768696a6b6c6d6e6f")
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The roots of the first one to eight of these leaves, from the test vectors of Certificate Transparency's reference code."""

sizes = st.integers(1, 70)


class Tree:
    """Every complete subtree of some leaves, for proofs to be made from."""

    def __init__(self, size: int) -> None:
        self.leaves = [hash_leaf(f"leaf {number}".encode()) for number in range(size)]

    def node_at(self, level: int, index: int) -> bytes:
        if level == 0:
            return self.leaves[index]
        return hash_node(self.node_at(level - 1, 2 * index), self.node_at(level - 1, 2 * index + 1))


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of section 2.1, word by word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    k = max(power for power in (1 << bit for bit in range(20)) if power < len(leaves))
    return hash_node(naive_root(leaves[:k]), naive_root(leaves[k:]))


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = max(power for power in (1 << bit for bit in range(20)) if power < len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: list[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of section 2.1.2."""
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = max(power for power in (1 << bit for bit in range(20)) if power < len(leaves))
    if m <= k:
        return [*naive_subproof(m, leaves[:k], whole=whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], whole=False), naive_root(leaves[:k])]


def test_roots_are_those_published() -> None:
    frontier = Frontier()
    assert frontier.root == EMPTY_ROOT == sha256(b"").digest()
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        frontier.append(hash_leaf(leaf))
        assert frontier.root.hex() == root


@given(sizes)
def test_a_growing_tree_is_the_tree_of_its_leaves_and_can_be_taken_up_anywhere(size: int) -> None:
    tree = Tree(size)
    frontier = Frontier()
    for leaf in tree.leaves:
        for level, index, made in frontier.append(leaf):
            assert made == tree.node_at(level, index)
    assert frontier.root == naive_root(tree.leaves) == tree_hash(0, size, tree.node_at)
    again = Frontier(size, [tree.node_at(*where) for where in peaks_of(size)])
    more = hash_leaf(b"one more")
    again.append(more)
    assert again.root == naive_root([*tree.leaves, more])


@given(sizes, st.data())
def test_an_inclusion_proof_is_the_rfcs_path_and_verifies(size: int, data: st.DataObject) -> None:
    tree, position = Tree(size), data.draw(st.integers(0, size - 1))
    path = inclusion_proof(position, size, tree.node_at)
    assert path == naive_path(position, tree.leaves)
    root = naive_root(tree.leaves)
    assert verify_inclusion(tree.leaves[position], position, size, path, root)
    for wrong in (position - 1, position + 1):
        assert not verify_inclusion(tree.leaves[position], wrong, size, path, root)
    assert not verify_inclusion(hash_leaf(b"x"), position, size, path, root)
    assert not verify_inclusion(tree.leaves[position], position, size, [*path, root], root)
    if path:
        assert not verify_inclusion(tree.leaves[position], position, size, path[:-1], root)
        bent = data.draw(st.integers(0, len(path) - 1))
        changed = [*path[:bent], sha256(path[bent]).digest(), *path[bent + 1 :]]
        assert not verify_inclusion(tree.leaves[position], position, size, changed, root)


@given(sizes, st.data())
def test_a_consistency_proof_is_the_rfcs_and_verifies(later: int, data: st.DataObject) -> None:
    tree, earlier = Tree(later), data.draw(st.integers(1, later))
    path = consistency_proof(earlier, later, tree.node_at)
    assert path == naive_subproof(earlier, tree.leaves, whole=True)
    before, after = naive_root(tree.leaves[:earlier]), naive_root(tree.leaves)
    assert verify_consistency(earlier, later, path, before, after)
    other = sha256(b"another past").digest()
    assert not verify_consistency(earlier, later, path, other, after)
    assert not verify_consistency(earlier, later, path, before, other)
    assert not verify_consistency(earlier, later, [*path, other], before, after)
    if path:
        assert not verify_consistency(earlier, later, path[1:], before, after)


@pytest.mark.parametrize(("position", "size"), [(0, 0), (3, 3), (-1, 3), (5, 2)])
def test_there_is_no_proof_of_what_is_not_there(position: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        inclusion_proof(position, size, Tree(8).node_at)
    assert not verify_inclusion(b"x" * 32, position, size, [], b"x" * 32)


@pytest.mark.parametrize(("earlier", "later"), [(0, 3), (4, 3), (-1, 1)])
def test_there_is_no_consistency_with_what_never_was(earlier: int, later: int) -> None:
    with pytest.raises(ValueError, match="earlier tree"):
        consistency_proof(earlier, later, Tree(8).node_at)
    assert not verify_consistency(earlier, later, [], b"x" * 32, b"x" * 32)


def test_a_frontier_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="complete subtrees"):
        Frontier(3, [b"x" * 32])
