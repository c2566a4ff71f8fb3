"""Every story in `texts/`, told to the running site; see docs/scenarios.md."""

from pathlib import Path

import pytest
from metronome import Metronome

from billing_site.foundation import tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.periods import parse_instant
from tests.scenarios.story import Story
from tests.scenarios.story_text import sentences
from tests.scenarios.teller import tell

STORIES = sorted((Path(__file__).parent / "texts").glob("*.md"))


@pytest.fixture
def client(live_server, settings):
    settings.SANDBOX = True
    made = {"scope": "admin", "at": parse_instant("2020-01-01"), "by": Actor.command("Ada")}
    _, secret = tokens.create_token("stories", **made)
    return Metronome(bearer_token=secret, base_url=live_server.url, max_retries=0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("file", STORIES, ids=[file.stem for file in STORIES])
def test_it_is_as_the_story_says(client, file):
    story = Story(client)
    for sentence in sentences(file):
        tell(story, sentence)
