"""The answer that the page proposes, in the person's language, from what was done: staff change it and send it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask_babel import force_locale, gettext, lazy_gettext, ngettext

from preferences.domain.rights import COPIES, RefusalGround, RequestStep
from preferences.queries.recipients.recipients import RecipientView
from preferences.queries.rights.request_history import RequestEvent
from preferences.queries.rights.rights_queue import RequestToWork


def propose(
    found: RequestToWork,
    recipient: RecipientView | None,
    history: Sequence[RequestEvent],
    *,
    title: Callable[[str], str],
) -> str:
    """A text for what was done so far; empty where nothing was. `title` names a purpose in the person's language."""
    steps: dict[str, Mapping[str, Any]] = {}
    for event in history:
        if event.data.get("step"):
            steps.setdefault(str(event.data["step"]), {})
            steps[str(event.data["step"])] = event.data
    with force_locale(found.locale):
        said = [text for step, data in steps.items() if (text := _said(step, data, title))]
        if not said and recipient is None and found.kind in COPIES:
            said.append(
                gettext(
                    "We have looked for the name and the addresses that you gave us. We store nothing about you in this "
                    "service."
                )
            )
    return "\n\n".join(said)


def erased(locale: str) -> str:
    """The answer to somebody who is about to be erased; what is left and why the last mail says by itself."""
    with force_locale(locale):
        return str(gettext("You asked us to erase what we store about you. That is done."))


def erasure_in(history: Sequence[RequestEvent]) -> Mapping[str, Any]:
    """The counts of the erasure that the request ended with; empty where it did not."""
    return next((one.data for one in history if one.data.get("step") == RequestStep.ERASED), {})


def left_after_erasure(data: Mapping[str, Any]) -> list[str]:
    """What an erasure took and what it left, counted, in the language of the page."""
    fields, entries = int(data.get("fields", 0)), int(data.get("entries", 0))
    return [
        ngettext("Erased: %(num)s field of their data.", "Erased: %(num)s fields of their data.", fields),
        gettext(
            "Erased: %(evidence)s pieces of evidence, %(trainings)s trainings, and the words of their requests.",
            evidence=int(data.get("evidence", 0)),
            trainings=int(data.get("trainings", 0)),
        ),
        gettext(
            "Kept: a coded note of the address, which cannot be read, so that nobody writes to them again (GDPR 17(3))."
        ),
        ngettext(
            "Kept: %(num)s entry of the ledger under a random number, to be able to show what we were allowed to do.",
            "Kept: %(num)s entries of the ledger under a random number, to be able to show what we were allowed to do.",
            entries,
        ),
        gettext("Kept: that this request was made, when, and how it ended (GDPR 5(2))."),
    ]


def refusal(ground: RefusalGround, locale: str) -> str:
    """How a refusal begins; where to complain is added to every refusal."""
    with force_locale(locale):
        return str(_REFUSALS[ground])


_REFUSALS = {
    RefusalGround.UNFOUNDED: lazy_gettext(
        "We do not do what you asked for, because your request is manifestly unfounded (GDPR 12(5)). "
        "This is what shows it:"
    ),
    RefusalGround.EXCESSIVE: lazy_gettext(
        "We do not do what you asked for, because you have asked for the same before and nothing has changed "
        "since (GDPR 12(5)). You got our answer on:"
    ),
    RefusalGround.IDENTITY: lazy_gettext(
        "We cannot do what you asked for, because we cannot make sure that it is you who asks (GDPR 12(6)). "
        "Write to us from the address that we have, or tell us:"
    ),
    RefusalGround.MUST_BE_KEPT: lazy_gettext(
        "We do not erase what you asked us to erase, because we must keep it (GDPR 17(3)). "
        "This is what we keep, and why:"
    ),
    RefusalGround.NO_SUCH_RIGHT: lazy_gettext(
        "We do not do what you asked for, because this right does not apply here. This is why:"
    ),
}

_SAID = {
    RequestStep.COPY_MAILED: lazy_gettext(
        "You asked for a copy of what we store about you. We have mailed you the way to it: there you can read it, "
        "print it and download it."
    ),
    RequestStep.COPY_TAKEN: lazy_gettext("You asked for a copy of what we store about you. It is enclosed."),
    RequestStep.FIELDS_WRITTEN: lazy_gettext(
        "We have corrected what you asked for. Those who send mail for us have been told."
    ),
    RequestStep.RESTRICTED: lazy_gettext(
        "Your data is blocked. We store it and do nothing else with it until you end the block."
    ),
}


def _said(step: str, data: Mapping[str, Any], title: Callable[[str], str]) -> str:
    if step == RequestStep.OBJECTED:
        titles = ", ".join(title(str(key)) for key in data.get("purposes", ()))
        return str(
            gettext("We have recorded your objection: %(what)s. It counts since your request reached us.", what=titles)
        )
    return str(_SAID[RequestStep(step)]) if step in _SAID else ""
