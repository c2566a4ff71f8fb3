"""Tells a story: each sentence drives the running site through the official client, or reads from it.

What the client has no call for is done as the back office does it. Amounts are written in the currency of the story;
on the wire dollars are cents.
"""

from tests.scenarios import steps_dated, steps_given, steps_then, steps_when
from tests.scenarios.story import Story
from tests.scenarios.story_text import Sentence, understood

STEPS = {**steps_given.STEPS, **steps_dated.STEPS, **steps_when.STEPS, **steps_then.STEPS}


def tell(story: Story, sentence: Sentence) -> None:
    phrase, words = understood(sentence, list(STEPS))
    STEPS[phrase](story, sentence, **words)
