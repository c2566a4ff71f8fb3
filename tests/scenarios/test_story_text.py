"""What a story may not say: each error names file and line, and what is known. Nothing here asks the site."""

import pytest

from tests.scenarios.story_text import Phrase, StoryError, drawn, number, sentences, understood
from tests.scenarios.teller import STEPS

PHRASES = (
    Phrase("It is {instant}."),
    Phrase("{customer} uses:", ("when", "quantity"), ("in",)),
)
STORY = """# A story
## Given
> Nobody drives this.
- It is
  2025-10-01.
- Acme & Sons use-all uses:

| when | quantity |
|---|---|
| 2025-10-05 | −1,000.5 |
"""


@pytest.fixture
def told(tmp_path):
    """The sentences of a text."""

    def read(text):
        (tmp_path / "story.md").write_text(text, encoding="utf-8")
        return sentences(tmp_path / "story.md")

    return read


def test_sentences_with_their_tables(told):
    when, used = told(STORY)
    assert (when.place, when.text, when.rows) == ("story.md:4", "It is 2025-10-01.", ())
    [row] = used.rows
    assert (row.place, number(row["quantity"], row.place)) == ("story.md:10", number("-1000.5", ""))
    assert row.get("in") is None
    assert understood(when, PHRASES) == (PHRASES[0], {"instant": "2025-10-01"})
    assert understood(used, PHRASES)[1] == {"customer": "Acme & Sons use-all"}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param(("# A story", "A story"), r"^story.md:1: a story begins with its title", id="no title"),
        pytest.param(("## Given", "## Perhaps"), r"^story.md:2: not known is '## Perhaps'. A line is", id="heading"),
        pytest.param(("- It is\n", "It is\n"), r"^story.md:4: not known is 'It is'", id="no dash"),
        pytest.param(("- It is\n  2025-10-01.\n", "| a |\n"), r"^story.md:4: a table stands under", id="table alone"),
        pytest.param(("2025-10-01.", "soon."), r"^story.md:4: not known is 'It is soon.'. Known is:\n", id="date"),
        pytest.param((" uses:", " eats:"), r"md:6: (?s:.*)uses: \| when \| quantity \| \(in\) \|", id="verb"),
        pytest.param(("| when | q", "| hour | q"), r"md:6: column 'when' is missing; column 'hour' is", id="column"),
        pytest.param(("| 2025-10-05 | −1,000.5 |", "| 5 |"), r"md:10: the row has 1 cells, and the table", id="cells"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_named_with_its_line(told, change, error):
    with pytest.raises(StoryError, match=error):
        [understood(sentence, PHRASES) for sentence in told(STORY.replace(*change))]


def test_a_number_is_a_number(told):
    with pytest.raises(StoryError, match=r"^here: 'ten' is not a number such as 1,234.50"):
        number("ten", "here")
    with pytest.raises(StoryError, match=r"^story.md:10: quantity must be given"):
        told(STORY.replace("−1,000.5", "–"))[1].rows[0]["quantity"]


def test_a_sentence_that_may_be_two_is_refused(told):
    with pytest.raises(StoryError, match=r"^story.md:4: may be read as any of"):
        understood(told(STORY.replace("2025-10-01", "Monday"))[0], (Phrase("It is {weekday}."), Phrase("It is {day}.")))


def test_every_phrase_is_in_the_documentation(settings):
    page = (settings.BASE_DIR / "docs" / "scenarios.md").read_text(encoding="utf-8")
    missing = [str(phrase) for phrase in STEPS if f"- {phrase}\n" not in page]
    assert missing == []


def test_a_table_is_drawn_as_it_is_written(told):
    assert told(f"# T\n- It is so:\n{drawn(['a', 'b'], [['1', '2']])}")[0].rows[0].cells == {"a": "1", "b": "2"}
