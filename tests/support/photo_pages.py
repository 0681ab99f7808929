"""The two pages on which people answer about photos: their own data, and the page that a training's notice leads to."""

from __future__ import annotations

import re

from tests.support.client import StrictClient
from tests.support.page import Page, follow, get
from tests.support.step_up import SteppedUp


def own_photos(me: SteppedUp) -> Page:
    return Page(me.client.get("/me/photos"))


def save_own_photos(me: SteppedUp, answers: dict[str, str], shown: Page | None = None) -> Page:
    """Answer on the page; `photo_image-7` is the image at training 7."""
    changes = {f"answer-{key}": value for key, value in answers.items()}
    return follow(me.client, (shown or own_photos(me)).form("save").submit(me.client, changes))


def save_for_training(client: StrictClient, path: str, **answers: str) -> Page:
    """Answer on the page for the training: `image="no"`."""
    page = get(client, path)
    number = re.findall(r"answer-photo_image-([0-9]+)", page.html)[0]
    changes = {f"answer-photo_{key}-{number}": value for key, value in answers.items()}
    return follow(client, page.form("save").submit(client, changes))
