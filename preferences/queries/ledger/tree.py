"""The tree over the sealed entries: every 256th node is stored, what lies between is worked out from at most 256 below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from preferences.domain.merkle import Frontier, peaks_of
from preferences.domain.merkle import hash_node as join
from preferences.models.seal import SealedEntryRow, SealNodeRow

TILE = 8
"""Levels between kept nodes: 256 hashes lie side by side and are read together."""
_WIDTH = 1 << TILE
_MOST_TILES = 256


class TreeIncomplete(Exception):
    """A node that a proof needs is not there: the seal was damaged. `flask ledger verify` says where."""


class StoredTree:
    """The nodes of the sealed tree, read 256 at a time and kept as long as a few proofs need them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tiles: dict[tuple[int, int], _Tile] = {}

    def node_at(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree. Raises TreeIncomplete."""
        place = _tile_of(level, index)
        tile = self._tiles.get(place)
        if tile is None:
            if len(self._tiles) >= _MOST_TILES:
                self._tiles.clear()
            self._read([place])
            tile = self._tiles[place]
        return tile.node_at(level % TILE, index)

    def frontier(self, size: int) -> Frontier:
        """The tree of the first `size` leaves, to be grown."""
        return Frontier(size, [self.node_at(level, index) for level, index in peaks_of(size)])

    def read_ahead(self, leaves: Iterable[tuple[int, int]]) -> None:
        """Read at once, a statement a level, what the audit paths of these leaves take: position, and size of the tree.

        That is the tiles above each leaf, and those of the complete subtrees that the tree is made up of.
        What else was kept is let go, so that what is held depends on the number of leaves alone.
        """
        asked = list(leaves)
        wanted = {_tile_of(*peak) for size in {size for _, size in asked} for peak in peaks_of(size)}
        for position, size in asked:
            wanted |= {(level, position >> level >> TILE) for level in range(0, size.bit_length(), TILE)}
        self._tiles = {place: tile for place, tile in self._tiles.items() if place in wanted}
        self._read(wanted - self._tiles.keys())

    def _read(self, places: Iterable[tuple[int, int]]) -> None:
        by_level: dict[int, list[int]] = {}
        for level, number in sorted(places):
            self._tiles[level, number] = _Tile(level)
            by_level.setdefault(level, []).append(number)
        for level, numbers in by_level.items():
            for index, found in _stored(self._session, level, _ranges(numbers)):
                self._tiles[level, index >> TILE].keep(index, bytes(found))


class _Tile:
    """256 hashes that are stored side by side, and those above them as they are asked for."""

    def __init__(self, level: int) -> None:
        self._level = level
        self._nodes: dict[int, dict[int, bytes]] = {above: {} for above in range(TILE)}

    def keep(self, index: int, node: bytes) -> None:
        """One that is stored."""
        self._nodes[0][index] = node

    def node_at(self, above: int, index: int) -> bytes:
        """The hash so many levels above the stored ones. Raises TreeIncomplete."""
        found = self._nodes[above].get(index)
        if found is None:
            if not above:
                raise TreeIncomplete(f"node {index} of level {self._level} is missing")
            found = join(self.node_at(above - 1, 2 * index), self.node_at(above - 1, 2 * index + 1))
            self._nodes[above][index] = found
        return found


def _tile_of(level: int, index: int) -> tuple[int, int]:
    """The stored level and the number of the tile that a node is worked out from."""
    above = level % TILE
    return level - above, index << above >> TILE


def _ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """First and last index of tiles, those that lie side by side together."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        first, last = number * _WIDTH, number * _WIDTH + _WIDTH - 1
        if found and found[-1][1] == first - 1:
            first = found.pop()[0]
        found.append((first, last))
    return found


def _stored(session: Session, level: int, ranges: Sequence[tuple[int, int]]) -> Iterable[tuple[int, bytes]]:
    if level == 0:
        at = SealedEntryRow.position
        leaves = select(at, SealedEntryRow.leaf).where(or_(*(at.between(*one) for one in ranges)))
        return session.execute(leaves)
    number = SealNodeRow.number
    nodes = select(number, SealNodeRow.hash).where(
        SealNodeRow.level == level, or_(*(number.between(*one) for one in ranges))
    )
    return session.execute(nodes)
