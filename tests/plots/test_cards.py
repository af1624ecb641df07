"""A card must say everything without style, and show text as text."""

import re

from ift_course.plots.cards import Card, show

CARD = Card("bad", "does not hold", "<script>alert(1)</script> & more", ["one", "2 < 3"])


def test_text_is_escaped():
    html = CARD.html()
    assert "<script>" not in html and "&lt;script&gt;" in html and "2 &lt; 3" in html


def test_it_reads_the_same_without_tags_and_as_plain_text():
    bare = re.sub(r"<[^>]+>", " ", CARD.html())
    assert "✗ does not hold:" in bare
    assert str(CARD).splitlines()[0] == "✗ does not hold: <script>alert(1)</script> & more"
    assert str(CARD).splitlines()[1:] == ["  one", "  2 < 3"]


def test_it_leaves_the_pages_own_colors_for_text_and_background():
    assert not re.search(r"[\s\";](color|background)", CARD.html())


def test_outside_a_notebook_it_is_printed(capsys):
    show(CARD)
    assert capsys.readouterr().out == f"{CARD}\n"
