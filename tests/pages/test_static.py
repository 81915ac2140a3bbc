"""What pages load."""

import re

import pytest

from config.env import ROOT
from tests.browser import MODULES, executable

STATIC = ROOT / "jointoit/pages/static/pages"


def test_the_decoder_is_the_published_one_with_a_line_that_says_whose_it_is() -> None:
    executable()  # brings the packages, or skips
    note, _, code = (STATIC / "jsQR.js").read_text().partition("\n")

    assert code == (MODULES / "jsqr/dist/jsQR.js").read_text()
    assert note.startswith("/* jsQR 1.4.0,")


@pytest.mark.parametrize("path", sorted((ROOT / "jointoit").rglob("static/**/*.css")), ids=lambda path: path.name)
def test_a_style_sheet_loads_nothing(path) -> None:
    assert re.findall(r"url\(|@import|//", path.read_text()) == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "jointoit/pages/templates").rglob("*.html")), ids=lambda path: path.name
)
def test_every_word_of_a_page_can_be_translated(path) -> None:
    text = re.sub(
        r"{% block width %}.*?{% endblock %}|&\w+;|{% blocktranslate.*?{% endblocktranslate %}|{%.*?%}|{{.*?}}|<[^>]*>",
        " ",
        path.read_text(),
        flags=re.DOTALL,
    )

    names = {"Jointoit"} if path.name in ("base.html", "footer.html") else set()
    english = {"front.html", "problem.html", "problems.html"}  # for programmers, as the documentation is
    assert path.name in english or set(re.findall(r"[^\W\d_]{2,}", text)) <= names
