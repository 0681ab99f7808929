"""Charts: marks stand where their values say, the axis ends in a number one can read, and the table says the same."""

from __future__ import annotations

import html5lib
import pytest
from flask import Flask, render_template_string

from preferences.web.admin.numbers.charts import HEIGHT, LEFT, MOST_LABELS, WIDTH, Chart, Point, chart

PAGE = """<!doctype html><title>x</title>{% from "components/chart.html" import bar_chart, line_chart %}
{{ bar_chart(one) }}{{ line_chart(one) }}"""


def of(*values: int) -> Chart:
    return chart("Val", ("Vecka", "Antal"), [Point(f"v. {number}", value) for number, value in enumerate(values, 1)])


def test_the_highest_bar_is_the_largest_value_and_all_stand_on_the_base() -> None:
    found = of(3, 10, 0)
    assert found.marks[1].height > found.marks[0].height > found.marks[2].height == 0
    assert {round(mark.y + mark.height) for mark in found.marks} == {found.base}
    assert all(mark.x >= LEFT and mark.x + mark.width <= WIDTH and 0 <= mark.y <= HEIGHT for mark in found.marks)


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (1, 1), (2, 2), (3, 4), (5, 10), (11, 20), (99, 100), (101, 200), (2_000_001, 4_000_000)]
)
def test_axis_ends_in_a_number_that_can_be_read_and_halved(most: int, top: int) -> None:
    lines = of(most).grid
    assert (lines[0].value, lines[-1].value) == (0, top)
    assert len(lines) == (3 if top > 1 else 2)


def test_many_points_keep_their_labels_apart() -> None:
    assert sum(mark.shows_label for mark in of(*range(53)).marks) <= MOST_LABELS
    assert of().marks == []
    assert of().is_empty
    assert of(0, 0).is_empty


def test_drawing_parses_strictly_holds_nothing_inline_and_shows_its_table(app: Flask) -> None:
    one = chart("Val & <b>", ("Vecka", "Antal"), [Point("<script>", 7, "/admin/audit?x=1&y=2"), Point("b", 3)])
    for drawn in (one, of(0), of()):
        with app.test_request_context("/admin"):
            page = render_template_string(PAGE, one=drawn)
        root = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
        assert "<script" not in page
        assert "style=" not in page
        assert len(list(root.iter("table"))) == (2 if drawn.marks else 0)
