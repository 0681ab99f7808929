"""The gettext catalogues: `add` begins one, `update` extracts, merges and compiles, `check` tells what is wrong, a line each.

Deterministic: sorted, without times and line numbers, so that two people who add texts do not collide.
English is the language of the msgids; every other catalogue must be complete.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.checkers import python_format
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "translations"
SOURCE_LOCALE = "en"
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None, "lazy_ngettext": (1, 2), "_setting": (1,)}
FIXED_TIME = datetime(2025, 1, 1, tzinfo=UTC)
HEADER = "# Texts of pages and mail. `make catalogues` updates this file."


def extract(root: Path = ROOT) -> Catalog:
    """Every text marked for translation in code and templates."""
    found = Catalog()
    for path, message, comments, context in _texts(root):
        found.add(message, None, [(path, 0)], auto_comments=comments, context=context)
    return found


@cache
def _texts(root: Path) -> list[tuple[str, str | tuple[str, ...], list[str], str | None]]:
    """Where each text stands, itself, what is said to translators, its context. All files are read, once in a process."""
    with (root / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(
        root, methods, options, KEYWORDS, ("Translators:",), directory_filter=_is_wanted, strip_comment_tags=True
    )
    return [(path, message, comments, context) for path, _, message, comments, context in found]


def _is_wanted(folder: str) -> bool:
    """Only the package and the templates: everything else is large and says nothing to people."""
    relative = Path(folder).absolute().relative_to(ROOT)
    return not relative.parts or relative.parts[0] in {"preferences", "templates"}


def load(locale: str, folder: Path = FOLDER) -> Catalog:
    """The stored catalogue of a language; an empty one where there is none yet."""
    path = folder / locale / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return Catalog(locale=locale)
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def locales(folder: Path = FOLDER) -> list[str]:
    """The languages that have a folder."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def merged(locale: str, template: Catalog, folder: Path = FOLDER) -> Catalog:
    """The stored catalogue brought up to date with the code: new texts empty, unused ones left out."""
    stored = load(locale, folder)
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
    """The compiled form of a .po file. A text that lacks a form is left out whole: it is shown in English, not half of it."""
    catalogue = read_po(io.BytesIO(po), locale=locale)
    for message in list(catalogue):
        if message.id and not all(message.string if isinstance(message.string, tuple) else (message.string,)):
            catalogue.delete(message.id, message.context)
    catalogue.creation_date = catalogue.revision_date = FIXED_TIME
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def update(folder: Path = FOLDER) -> None:
    """Bring every catalogue up to date with the code and compile it."""
    template = extract()
    for locale in locales(folder):
        inside = folder / locale / "LC_MESSAGES"
        po = as_po(merged(locale, template, folder))
        (inside / "messages.po").write_bytes(po)
        (inside / "messages.mo").write_bytes(as_mo(po, locale))


def add(locale: str, folder: Path = FOLDER) -> str:
    """Begin the catalogue of a language, every text empty with as many forms as its plurals have; says what comes next.

    Raises ValueError for a code that is no language, and for a language that is there.
    """
    try:
        known = str(Locale.parse(locale))
    except (ValueError, UnknownLocaleError):
        known = ""
    if not known or known != locale:
        raise ValueError(f"{locale[:16]!r} is not the code of a language; examples are fi and pt_BR")
    path = folder / locale / "LC_MESSAGES" / "messages.po"
    if path.exists():
        raise ValueError(f"{path} is there already")
    path.parent.mkdir(parents=True)
    update(folder)
    return f"Translate {path}, then run `update` again."


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
    """`check`, `update [FOLDER]` or `add LANGUAGE [FOLDER]`; the folder is that of the project unless another is given."""
    match arguments:
        case ["check"]:
            found = list(problems())
            sys.stdout.writelines(f"{line}\n" for line in found)
            return 1 if found else 0
        case ["update", *folder] if len(folder) <= 1:
            update(*map(Path, folder))
            return 0
        case ["add", locale, *folder] if len(folder) <= 1:
            try:
                sys.stdout.write(f"{add(locale, *map(Path, folder))}\n")
            except ValueError as error:
                sys.stderr.write(f"Error: {error}\n")
                return 1
            return 0
    sys.stderr.write("usage: python -m tests.support.catalogues check | update [FOLDER] | add LANGUAGE [FOLDER]\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
