"""How choices about name and image are shown: for all trainings, and for one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask_babel import gettext as _

from preferences.domain.purpose import About
from preferences.queries.choices.preference_page import Control, PreferencePage
from preferences.queries.photos.photos import TrainingChoices, TrainingControl
from preferences.queries.photos.trainings import Training
from preferences.web.controls import Fragment, fragment
from preferences.web.dates import date_in_words, in_words
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings


@dataclass(frozen=True, slots=True)
class Shown:
    """One control, ready for recipient/control.html."""

    one: Fragment
    since: str
    paused_until: str


@dataclass(frozen=True, slots=True)
class TrainingShown:
    """One training with its controls."""

    training: Training
    label: str
    controls: tuple[Shown, ...]


def training_label(training: Training) -> str:
    """Title, place and date in one line; of a cancelled one, that it is."""
    parts = (training.title, training.place, date_in_words(training.held_on, request_locale()))
    label = ", ".join(part for part in parts if part)
    return label if training.cancelled_at is None else _("%(training)s (cancelled)", training=label)


def for_all_trainings(page: PreferencePage) -> list[list[Shown]]:
    """A card for each purpose about publishing, with its topics, as on the preference page."""
    cards = [card for card in page.controls if card.purpose.about is About.PUBLICATION]
    return [[shown_control(card), *(shown_control(topic, card) for topic in card.topics)] for card in cards]


def shown_control(control: Control, above: Control | None = None) -> Shown:
    """A control in general; a topic is told which card it stands on."""
    one = fragment(control, request_locale(), settings().default_locale, is_topic=above is not None)
    return Shown(one, in_words(control.since), in_words(control.paused_until))


def for_one_training(choices: TrainingChoices, *, suffix: str = "") -> TrainingShown:
    """The controls of one training. `suffix` makes their names their own where a form holds several trainings."""
    controls = tuple(shown_for_training(one, suffix) for one in choices.controls)
    return TrainingShown(choices.training, training_label(choices.training), controls)


def shown_for_training(one: TrainingControl, suffix: str = "") -> Shown:
    """One control for one training; where the answer is that for all trainings, it says so."""
    shown = shown_control(one.control)
    above = shown.one.above
    if one.follows_all and above:
        above = _("%(title)s (all trainings)", title=above)
    return replace(shown, one=replace(shown.one, key=shown.one.key + suffix, above=above))
