"""Web workers that let the one with fewest connections go first."""

from pathlib import Path

import pytest

from billing_site.server.balance import Board, open_board


@pytest.mark.parametrize(
    ("ours", "theirs", "ahead"),
    [
        pytest.param(0, 0, False, id="both idle"),
        pytest.param(1, 0, True, id="one and none"),
        pytest.param(2, 2, False, id="a tie"),
        pytest.param(1, 2, False, id="behind"),
        pytest.param(100, 95, False, id="nearly the same of many"),
        pytest.param(100, 80, True, id="clearly more of many"),
    ],
)
def test_a_worker_is_ahead_when_another_holds_clearly_fewer(
    tmp_path: Path, ours: int, theirs: int, ahead: bool
) -> None:
    with open_board(tmp_path, workers=2) as file:
        Board(file.fileno(), 1).post(theirs)
        assert Board(file.fileno(), 0).is_ahead(ours) is ahead


def test_alone_nobody_is_ahead(tmp_path: Path) -> None:
    with open_board(tmp_path, workers=1) as file:
        assert not Board(file.fileno(), 0).is_ahead(50)
