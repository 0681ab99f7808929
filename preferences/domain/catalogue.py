"""All purposes and topics with their current texts, in the order of pages: what every decision and page looks up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .errors import UnknownPurpose
from .purpose import EVERYTHING_KEY, About, NoticeText, Purpose


@dataclass(frozen=True, slots=True)
class Described:
    """A purpose with its current notice version in every language it has."""

    purpose: Purpose
    number: int
    """The notice version's number within the purpose."""
    texts: Mapping[str, NoticeText]

    def text(self, locale: str, default_locale: str) -> NoticeText:
        """The wording in this language, else in the default language, else in any."""
        found = self.texts.get(locale) or self.texts.get(locale.split("_")[0]) or self.texts.get(default_locale)
        return found or next(iter(self.texts.values()))


class Catalogue:
    """An immutable view of the purposes. Archived ones can be found by key or id but are not listed."""

    def __init__(self, described: Iterable[Described]) -> None:
        self._ordered = tuple(described)
        self._by_key = {entry.purpose.key: entry for entry in self._ordered}
        self._by_id = {int(entry.purpose.id): entry for entry in self._ordered}

    def everything(self) -> Described:
        """The built-in purpose that stands for a global stop."""
        return self._by_key[EVERYTHING_KEY]

    def purposes(self) -> list[Described]:
        """Purposes in use, without topics and without the global stop."""
        return [
            entry
            for entry in self._ordered
            if entry.purpose.parent_id is None
            and not entry.purpose.is_archived
            and entry.purpose.about is not About.EVERYTHING
        ]

    def topics(self, purpose: Purpose) -> list[Described]:
        """Topics in use under a purpose."""
        return [
            entry for entry in self._ordered if entry.purpose.parent_id == purpose.id and not entry.purpose.is_archived
        ]

    def all(self) -> tuple[Described, ...]:
        """Everything, archived ones too."""
        return self._ordered

    def by_id(self, purpose_id: int) -> Described | None:
        """The purpose or topic with this id, archived or not."""
        return self._by_id.get(purpose_id)

    def by_key(self, key: str, *, pointer: str = "/purpose") -> Described:
        """The purpose or topic with this key. Raises UnknownPurpose."""
        found = self._by_key.get(key)
        if found is None:
            raise UnknownPurpose(f"There is no purpose or topic named {key[:64]!r}.", pointer=pointer)
        return found

    def path(self, key: str, topic_key: str | None = None) -> list[Purpose]:
        """From the purpose to the topic: one or two steps. A topic's key may stand alone. Raises UnknownPurpose."""
        found = self.by_key(key).purpose
        if topic_key is not None:
            topic = self.by_key(topic_key, pointer="/topic").purpose
            if topic.parent_id != found.id:
                raise UnknownPurpose(f"{topic_key[:64]!r} is not a topic of {key[:64]!r}.", pointer="/topic")
            return [found, topic]
        return self.path_to(found)

    def path_to(self, purpose: Purpose) -> list[Purpose]:
        """The purpose itself, with its parent before it when it is a topic."""
        if purpose.parent_id is None:
            return [purpose]
        return [self._by_id[int(purpose.parent_id)].purpose, purpose]
