"""Reading rows: what is right comes out exactly, what is wrong is named and costs only its own row."""

import io
from decimal import Decimal

import pytest

from ledger import rows
from ledger.rows import BadFile, CsvFile, JsonLinesFile, Row


def csv_rows(content: bytes, **options: str) -> list[Row]:
    return list(CsvFile(io.BytesIO(content), **options))


def json_rows(content: bytes) -> list[Row]:
    return list(JsonLinesFile(io.BytesIO(content)))


def test_cells_of_csv_are_the_text_that_is_there():
    assert csv_rows(b'\xef\xbb\xbfat,tokens,note\r\n2025-10-01,0012.50,"a ""b"",\r\nc"\r\n\r\n2025-10-02,,\r\n') == [
        Row(1, 3, {"at": "2025-10-01", "tokens": "0012.50", "note": 'a "b",\r\nc'}),
        Row(2, 5, {"at": "2025-10-02", "tokens": "", "note": ""}),
    ]


def test_other_delimiters():
    assert csv_rows(b"a;b\n1,5;2\n", delimiter=";") == [Row(1, 2, {"a": "1,5", "b": "2"})]


def test_a_bad_csv_row_costs_only_itself():
    found = csv_rows(b'a,b\n1\n2,3,4\n\xff,5\n"x"y,6\n7,8\n"9,10')
    assert [(row.number, row.line, row.problem) for row in found] == [
        (1, 2, "has 1 cells, and the header 2"),
        (2, 3, "has 3 cells, and the header 2"),
        (3, 4, "is not UTF-8"),
        (4, 5, "is not CSV: ',' expected after '\"'"),
        (5, 6, ""),
        (6, 7, "is not CSV: unexpected end of data"),
    ]
    assert found[4].cells == {"a": "7", "b": "8"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no header"),
        (b"\n1,2\n", "no header"),
        (b"a,b,a\n1,2,3\n", "'a' more than once"),
        (b"a,\xff\n", "not UTF-8"),
        (b'"a\n', "not CSV"),
    ],
)
def test_a_file_without_a_usable_header_is_refused(content, reason):
    with pytest.raises(BadFile, match=reason):
        csv_rows(content)


def test_a_csv_line_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(rows, "MAX_LINE", 10)
    with pytest.raises(BadFile, match="Line 3 is longer than 10"):
        csv_rows(b"a\n1\n" + b"2" * 11)


def test_numbers_of_json_lines_are_exact():
    assert json_rows(b'\xef\xbb\xbf{"tokens": 0.1000000000000000055}\n\n {"nested": {"n": 12}} \r\n{"text": "1"}') == [
        Row(1, 1, {"tokens": Decimal("0.1000000000000000055")}),
        Row(2, 3, {"nested": {"n": 12}}),
        Row(3, 4, {"text": "1"}),
    ]


def test_a_bad_json_line_costs_only_itself(monkeypatch):
    monkeypatch.setattr(rows, "MAX_LINE", 200_000)
    content = b'[1]\n{"a": NaN}\n{"a"\n{"a": "\xff"}\n' + b"[" * 150_000 + b"\n" + b"1" * 450_000 + b'\n{"a": 1}\n'
    assert [(row.number, row.line, row.problem.partition(":")[0]) for row in json_rows(content)] == [
        (1, 1, "is not a JSON object"),
        (2, 2, "is not JSON"),
        (3, 3, "is not JSON"),
        (4, 4, "is not UTF-8"),
        (5, 5, "is nested too deeply"),
        (6, 6, "is longer than 200000 bytes"),
        (7, 7, ""),
    ]
