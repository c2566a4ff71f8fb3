"""In a running site, what lists show follows events, edits and the death of the refresher."""

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from metronome import Metronome

from billing_site.demo import scenes, story
from billing_site.foundation.periods import Period
from billing_site.server import embedded
from tests.site.running import Site, manage, migrated, serving, until

FIRST_HOUR = Period(story.TERM.starting_at, story.TERM.starting_at + timedelta(hours=1))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrated(tmp_path_factory, "live")


def client_of(data: Path, site: Site) -> Metronome:
    secret = manage(data, "create_token", "tests", "--scope", "admin").stdout.split()[-1]
    return Metronome(bearer_token=secret, base_url=site.address, max_retries=0)


def test_events_and_edits_show_within_a_moment_and_the_refreshers_death_is_made_up_for(data: Path) -> None:
    with serving(data) as site, psycopg.connect(embedded.database_url(data), autocommit=True) as database:
        client = client_of(data, site)
        cast = scenes.Cast(**scenes.set_the_stage(client), admin_token="", customer_token="")

        def october() -> list[tuple]:
            return database.execute(
                "SELECT total FROM invoicing_draftsummary WHERE starting_at = %s", [story.TERM.starting_at]
            ).fetchall()

        def first_hour_is_in() -> bool:
            return [total > 0 for (total,) in october()] == [True]

        until(lambda: [total for (total,) in october()] == [0])
        scenes.send_usage(client, FIRST_HOUR)
        began = time.monotonic()
        until(first_hour_is_in, seconds=10)
        assert time.monotonic() - began < 5  # within a second, where the machine has nothing else to do
        [(before,)] = october()

        os.kill(site.noted()["refresher"], signal.SIGKILL)
        scenes.make_the_deal(client, cast)
        until(lambda: database.execute("SELECT count(*) FROM invoicing_commitmentsummary").fetchone() == (1,))
        assert october() == [(before,)]  # half off from the 15th says nothing of the first hour
        assert database.execute("SELECT count(*) FROM foundation_touched").fetchone() == (0,)
