"""The gettext catalogues: `update` extracts, merges and compiles them; `check` tells what is wrong, a line each.

Deterministic: sorted, without times and line numbers, so that two people who add texts do not collide.
English is the language of the msgids; every other catalogue must be complete.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.checkers import python_format
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "translations"
SOURCE_LOCALE = "en"
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None, "lazy_ngettext": (1, 2)}
FIXED_TIME = datetime(2025, 1, 1, tzinfo=UTC)
HEADER = "# Texts of pages and mail. `make catalogues` updates this file."


def extract(root: Path = ROOT) -> Catalog:
    """Every text marked for translation in code and templates."""
    with (root / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = Catalog()
    for path, _, message, comments, context in extract_from_dir(
        root, methods, options, KEYWORDS, ("Translators:",), directory_filter=_is_wanted, strip_comment_tags=True
    ):
        found.add(message, None, [(path, 0)], auto_comments=comments, context=context)
    return found


def _is_wanted(folder: str) -> bool:
    """Only the package and the templates: everything else is large and says nothing to people."""
    relative = Path(folder).absolute().relative_to(ROOT)
    return not relative.parts or relative.parts[0] in {"preferences", "templates"}


def load(locale: str) -> Catalog:
    """The stored catalogue of a language; an empty one where there is none yet."""
    path = FOLDER / locale / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return Catalog(locale=locale)
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def locales() -> list[str]:
    """The languages that have a folder."""
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def merged(locale: str, template: Catalog) -> Catalog:
    """The stored catalogue brought up to date with the code: new texts empty, unused ones left out."""
    stored = load(locale)
    fresh = Catalog(locale=locale, header_comment=HEADER, fuzzy=False)
    for message in template:
        if not message.id:
            continue
        known = stored.get(message.id, message.context)
        fresh.add(
            message.id,
            known.string if known is not None else None,
            sorted(message.locations),
            flags=(known.flags if known is not None else message.flags) | (message.flags & {"python-format"}),
            auto_comments=message.auto_comments,
            context=message.context,
        )
    return fresh


def as_po(catalogue: Catalog) -> bytes:
    """The text of a .po file."""
    out = io.BytesIO()
    write_po(out, catalogue, sort_output=True, width=100, include_lineno=False, omit_header=True)
    plural = catalogue.plural_forms
    head = (
        f'{HEADER}\nmsgid ""\nmsgstr ""\n"Language: {catalogue.locale}\\n"\n"MIME-Version: 1.0\\n"\n'
        f'"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n"Plural-Forms: {plural}\\n"\n\n'
    )
    return head.encode() + out.getvalue()


def as_mo(po: bytes, locale: str) -> bytes:
    """The compiled form of a .po file."""
    catalogue = read_po(io.BytesIO(po), locale=locale)
    catalogue.creation_date = catalogue.revision_date = FIXED_TIME
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def update() -> None:
    """Bring every catalogue up to date with the code and compile it."""
    template = extract()
    for locale in locales():
        folder = FOLDER / locale / "LC_MESSAGES"
        po = as_po(merged(locale, template))
        (folder / "messages.po").write_bytes(po)
        (folder / "messages.mo").write_bytes(as_mo(po, locale))


def problems() -> Iterator[str]:
    """Everything that is wrong with the catalogues, a line each."""
    template = extract()
    wanted = {(message.id, message.context) for message in template if message.id}
    for locale in locales():
        folder = FOLDER / locale / "LC_MESSAGES"
        po = (folder / "messages.po").read_bytes()
        stored = read_po(io.BytesIO(po), locale=locale)
        present = {(message.id, message.context): message for message in stored if message.id}
        for key in sorted(wanted - present.keys(), key=str):
            yield f"{locale}: missing {key[0]!r}; run `make catalogues`"
        for key in sorted(present.keys() - wanted, key=str):
            yield f"{locale}: no longer used {key[0]!r}; run `make catalogues`"
        for key, message in present.items():
            strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
            if message.fuzzy:
                yield f"{locale}: fuzzy {key[0]!r}"
            if locale != SOURCE_LOCALE and not all(strings):
                yield f"{locale}: not translated {key[0]!r}"
            if all(strings) and message.python_format:
                yield from _format_problems(locale, stored, message)
        compiled = folder / "messages.mo"
        if not compiled.exists() or compiled.read_bytes() != as_mo(po, locale):
            yield f"{locale}: messages.mo is stale; run `make catalogues`"


def _format_problems(locale: str, catalogue: Catalog, message: object) -> Iterator[str]:
    try:
        python_format(catalogue, message)  # type: ignore[arg-type]
    except Exception as error:
        yield f"{locale}: {error}: {message.id!r}"  # type: ignore[attr-defined]


def main(arguments: list[str]) -> int:
    """`check` or `update`."""
    if arguments == ["update"]:
        update()
        return 0
    if arguments != ["check"]:
        sys.stderr.write("usage: python -m tests.support.catalogues check|update\n")
        return 2
    found = list(problems())
    for line in found:
        sys.stdout.write(f"{line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
