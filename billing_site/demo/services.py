"""The services of Acme and of all the others: as the test clock goes on, they post what is used, through the API."""

from metronome import Metronome

from billing_site.demo import scenes, story
from billing_site.foundation import followers
from billing_site.foundation.periods import Period, floor_day

NAME = "The demo's services"


class Services:
    """They follow the clock, which waits for them; see `followers`."""

    def __init__(self, client: Metronome) -> None:
        self.client = client
        followers.follow(NAME, fed_until=story.OPENING)

    def look(self) -> bool:
        """Post the usage that the clock waits for, day by day. Gives whether it waited."""
        stretch = followers.asked(NAME)
        if stretch is None:
            return False
        start, end = stretch.starting_at, stretch.ending_before
        assert end is not None
        while start < end:
            stop = min(floor_day(start) + followers.STRIDE, end)
            for send in (scenes.send_usage, scenes.send_usage_of_the_town):
                send(self.client, Period(start, stop))
            followers.fed(NAME, until=stop)
            start = stop
        return True
