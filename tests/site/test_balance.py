"""Web workers that leave new connections to the one that holds fewest."""

import time
from pathlib import Path

from billing_site.server.balance import FRESH_SECONDS, Board, open_board


def test_whoever_holds_most_leaves_a_connection_to_the_others(tmp_path: Path) -> None:
    with open_board(tmp_path, workers=2) as file:
        busy, idle = Board(file.fileno(), 0), Board(file.fileno(), 1)
        busy.post(3)
        idle.post(2)
        assert not busy.is_our_turn(3)
        assert idle.is_our_turn(2)
        assert busy.is_our_turn(2)  # at a tie both may


def test_nobody_waits_for_a_worker_that_is_silent(tmp_path: Path) -> None:
    with open_board(tmp_path, workers=2) as file:
        busy, gone = Board(file.fileno(), 0), Board(file.fileno(), 1)
        assert busy.is_our_turn(3)  # the other has not started yet
        gone.post(0)
        assert not busy.is_our_turn(3)
        time.sleep(FRESH_SECONDS + 0.1)
        assert busy.is_our_turn(3)
