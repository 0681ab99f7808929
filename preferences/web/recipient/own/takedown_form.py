"""What a person typed to have something removed: read within bounds, and every mistake told at once (WCAG 3.3.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from flask_babel import gettext

from preferences.domain.errors import InvalidValue
from preferences.domain.photo import MOST_NOTE_CHARACTERS, MOST_URL_CHARACTERS, TakedownWhat, read_published_url
from preferences.domain.text import is_storable, printable
from preferences.services.photos.takedown import NewTakedown

Errors = list[tuple[str, str]]
"""(id of the field, what is wrong with it)."""

WHAT_FIELD = f"field-what-{TakedownWhat.NAME}"
"""Where the summary leads when nothing was chosen: the first of the group."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Typed:
    """The fields as they were sent, bounded so that they can be shown again."""

    url: str = ""
    what: str = ""
    training: str = "0"
    note: str = ""
    objections: Mapping[str, str] = field(default_factory=dict)
    """The fields of ticked objections, as the preference page would send them."""
    errors: Errors = field(default_factory=list)

    @property
    def objects_to(self) -> set[str]:
        """Keys of the purposes that were ticked."""
        return {name.removeprefix("answer-") for name in self.objections if name.startswith("answer-")}

    def as_new(self) -> NewTakedown:
        """What to ask for; only without errors."""
        return NewTakedown(url=self.url, what=TakedownWhat(self.what), training_id=int(self.training), note=self.note)


def read_typed(form: Mapping[str, str], *, trainings: Collection[int], purposes: Collection[str]) -> Typed:
    """Read the form. `trainings` are the person's own, `purposes` those that the page offered to say no to."""
    url, note = form.get("url", "").strip(), form.get("note", "").replace("\r\n", "\n").strip()
    what, training = form.get("what", ""), form.get("training", "0")
    objections: dict[str, str] = {}
    for key in purposes:
        if form.get(f"object-{key}") == "no":
            objections |= {f"shown-{key}": form.get(f"shown-{key}", ""), f"answer-{key}": "no"}
    return Typed(
        url=printable(url[: MOST_URL_CHARACTERS + 1]),
        what=what if what in {*TakedownWhat} else "",
        training=training if training in {"0", *map(str, trainings)} else "0",
        note=printable(note[: MOST_NOTE_CHARACTERS + 1]),
        objections=objections,
        errors=list(_errors(url, what, training, note, trainings)),
    )


def _errors(url: str, what: str, training: str, note: str, trainings: Collection[int]) -> Iterator[tuple[str, str]]:
    try:
        read_published_url(url)
    except InvalidValue:
        yield "field-url", _url_error(url)
    if what not in {*TakedownWhat}:
        yield WHAT_FIELD, gettext("Choose what shall go.")
    if training not in {"0", *map(str, trainings)}:
        yield "field-training", gettext("Choose one of your trainings, or none.")
    if len(note) > MOST_NOTE_CHARACTERS or not is_storable(note):
        yield "field-note", gettext("Write at most %(most)s characters.", most=MOST_NOTE_CHARACTERS)


def _url_error(url: str) -> str:
    if not url:
        return str(gettext("Paste the address of the page."))
    if len(url) > MOST_URL_CHARACTERS:
        return str(gettext("The address is too long. Copy it without what follows a question mark."))
    return str(gettext("This is no address of a page. It begins with https:// and has no spaces."))
