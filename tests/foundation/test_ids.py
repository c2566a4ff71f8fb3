"""Ids of new rows: of their version, and ascending within a process, threads or not."""

import threading
from itertools import chain

from billing_site.foundation.ids import uuid7


def test_ids_that_are_made_one_after_the_other_ascend():
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert {(each.version, each.variant) for each in made} == {(7, "specified in RFC 4122")}


def test_each_thread_sees_its_ids_ascend_and_no_two_are_alike():
    made: list[list[object]] = [[] for _ in range(4)]
    threads = [
        threading.Thread(target=lambda mine: mine.extend(uuid7() for _ in range(2_000)), args=(mine,)) for mine in made
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(mine == sorted(mine) for mine in made)
    assert len(set(chain.from_iterable(made))) == 8_000
