"""`manage.py import_events`: the same ledger as by the API, a bad row costs only itself, twice is as good as once."""

import hashlib
import io
import os
import threading
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from billing_site.foundation.ids import uuid7
from ledger.models import EventBody, EventKey, IngestCall
from ledger.queries.usage import Window, usage_in
from tests.factories.pricing import MetricFactory

pytestmark = pytest.mark.django_db

DAY = datetime(2025, 10, 1, tzinfo=UTC), datetime(2025, 10, 2, tzinfo=UTC)
TOKENS, CALLS = uuid7(), uuid7()
LOG = """at,who,tokens,model
2025-10-01T08:00:00Z,acme,12.50,xl
2025-10-01 09:30:00,acme,0.000000000001,xl
2025-10-01T10:00:00+02:00,globex,,small
"""
AS_LOGGED = ("--timestamp-column=at", "--customer-column=who", "--event-type=completion")


@pytest.fixture(autouse=True)
def metrics():
    MetricFactory(
        id=TOKENS, aggregation_type="SUM", aggregation_key="tokens", event_type_filter={}, group_keys=[["model"]]
    )
    MetricFactory(id=CALLS, event_type_filter={"in_values": ["completion"]})


@pytest.fixture
def file(tmp_path):
    """Write a file of that content and name, and give its path."""

    def make(content: str | bytes, name: str = "events.csv") -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return make


def run(*arguments: str) -> list[str]:
    """What the command says, line by line."""
    out = io.StringIO()
    call_command("import_events", *arguments, stdout=out)
    return out.getvalue().splitlines()


def refused(*arguments: str) -> tuple[str, list[str]]:
    """Why the command ended with 1, and what it said before."""
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command("import_events", *arguments, stdout=out)
    assert error.value.returncode == 1
    return str(error.value), out.getvalue().splitlines()


def used(*subjects: str) -> dict[str, Decimal]:
    """Tokens by model, and calls, of the day."""
    [used] = usage_in([Window(subjects, *DAY)], metric_ids=[TOKENS, CALLS])
    return {
        dict(series.values).get("model", "calls") or "none": quantity for series, quantity in used.quantities.items()
    }


def test_each_row_is_one_event(file, capsys):
    path = file(LOG)
    assert run(path, *AS_LOGGED) == ["3 rows: 3 accepted, 0 duplicates, 0 conflicts, 0 refused."]
    assert used("acme") == {"calls": 2, "xl": Decimal("12.500000000001")}
    assert used("globex") == {"calls": 1}
    digest = hashlib.sha256(LOG.encode()).hexdigest()
    assert list(EventBody.objects.order_by("transaction_id").values_list("transaction_id", "properties")) == [
        (f"{digest}:1", {"tokens": "12.50", "model": "xl"}),
        (f"{digest}:2", {"tokens": "0.000000000001", "model": "xl"}),
        (f"{digest}:3", {"model": "small"}),
    ]
    assert IngestCall.objects.get().source.startswith("import_events by ")
    assert capsys.readouterr().err == ""  # no progress bar where nobody looks


def test_importing_twice_changes_nothing(file):
    path = file(LOG)
    run(path, *AS_LOGGED)
    before = used("acme", "globex")
    assert run(path, *AS_LOGGED) == ["3 rows: 0 accepted, 3 duplicates, 0 conflicts, 0 refused."]
    assert used("acme", "globex") == before


def test_equal_rows_of_one_file_are_events_of_their_own(file):
    row = "2025-10-01,acme,1,xl\n"
    assert run(file("at,who,tokens,model\n" + row * 3), *AS_LOGGED)[0].startswith("3 rows: 3 accepted")
    assert used("acme") == {"calls": 3, "xl": 3}


def test_rows_known_by_a_column_of_theirs(file):
    first = file("id,at,who,tokens\na,2025-10-01,acme,1\nb,2025-10-01,acme,2\n", "monday.csv")
    again = file("id,at,who,tokens\nb,2025-10-01,acme,2\nc,2025-10-01,acme,4\n", "tuesday.csv")
    assert run(first, *AS_LOGGED, "--transaction-column=id")[0].startswith("2 rows: 2 accepted, 0 duplicates")
    assert run(again, *AS_LOGGED, "--transaction-column=id")[0].startswith("2 rows: 1 accepted, 1 duplicates")
    assert used("acme")["none"] == 7


def test_properties_by_other_names_and_constants(file):
    run(file(LOG), *AS_LOGGED, "--property=tokens", "--property=size=model", "--constant=region=eu=1")
    stored = EventBody.objects.order_by("transaction_id").first()
    assert stored.properties == {"tokens": "12.50", "size": "xl", "region": "eu=1"}


def test_a_bad_row_costs_only_itself(file):
    path = file(
        b"at,who,tokens,model\n"
        b"2025-10-01,acme,1,xl\n"
        b"yesterday,acme,2,xl\n"
        b"2025-10-01,acme,4\n"
        b"2025-10-01,,8,xl\n"
        b"2999-10-01,acme,16,xl\n"
        b"2025-10-01,acme,32," + b"x" * 257 + b"\n"
        b"2025-10-01,acme,64,xl\n"
    )
    message, said = refused(path, *AS_LOGGED)
    assert message == "5 rows were not imported."
    assert said == [
        "7 rows: 2 accepted, 0 duplicates, 0 conflicts, 5 refused.",
        "Refused:",
        "  row 2 (line 3): at: is not an instant in the format named (got 'yesterday')",
        "  row 3 (line 4): has 3 cells, and the header 4",
        "  row 4 (line 5): customer_id: must be text of 1 to 128 bytes (got '')",
        "  row 5 (line 6): timestamp: must not lie more than 24 hours in the future (got '2999-10-01T00:00:00+00:00')",
        "  row 6 (line 7): properties.model: must have at most 256 bytes, as usage is grouped by it "
        f"(got '{'x' * 78}…)",
    ]
    assert used("acme")["xl"] == 65


def test_the_first_twenty_bad_rows_are_named(file):
    message, said = refused(file("at,who\n" + "never,acme\n" * 130 + "2025-10-01,acme\n"), *AS_LOGGED, "--batch=50")
    assert message == "130 rows were not imported."
    assert said[:2] == [
        "131 rows: 1 accepted, 0 duplicates, 0 conflicts, 130 refused.",
        "Refused (the first 20 of 130):",
    ]
    assert len(said) == 22


def test_more_rows_too_long_to_group_by_than_one_refusal_names(file):
    rows = [f"2025-10-01,acme,1,{str(number) * 200}\n" for number in range(100, 330)]
    message, _ = refused(file("at,who,tokens,model\n" + "".join(rows) + "2025-10-01,acme,1,xl\n"), *AS_LOGGED)
    assert message == "230 rows were not imported."
    assert used("acme") == {"calls": 1, "xl": 1}


def test_a_conflict_is_named_and_the_first_content_holds(file):
    run(file("id,at,who,tokens\na,2025-10-01,acme,1\n"), *AS_LOGGED, "--transaction-column=id")
    message, said = refused(
        file("id,at,who,tokens\na,2025-10-01,acme,2\n", "other.csv"), *AS_LOGGED, "--transaction-column=id"
    )
    assert message == "1 rows were not imported."
    assert said == [
        "1 rows: 0 accepted, 0 duplicates, 1 conflicts, 0 refused.",
        "In conflict:",
        "  row 1 (line 2): the transaction id 'a' was used before with other properties.tokens",
    ]
    assert used("acme")["none"] == 1


@pytest.mark.parametrize("batch", [1, 2, 3, 10_000])
def test_the_size_of_a_batch_does_not_matter(file, batch):
    assert run(file(LOG), *AS_LOGGED, f"--batch={batch}")[0].startswith("3 rows: 3 accepted")
    assert IngestCall.objects.count() == -(-3 // batch)
    assert used("acme") == {"calls": 2, "xl": Decimal("12.500000000001")}


def test_json_lines_with_numbers_exact(file):
    content = """{"timestamp": "2025-10-01T08:00:00Z", "customer_id": "acme", "event_type": "completion",
                  "properties": {"tokens": 0.100000000005, "model": "xl", "tags": ["a"]}}
                 {"timestamp": "2025-10-01T08:00:00Z", "customer_id": 7, "event_type": "completion", "tokens": 2}"""
    lines = "\n".join("".join(line.split("\n")) for line in content.replace('",\n', '", ').splitlines())
    assert run(file(lines, "events.jsonl")) == ["2 rows: 2 accepted, 0 duplicates, 0 conflicts, 0 refused."]
    assert used("acme") == {"calls": 1, "xl": Decimal("0.100000000005")}
    assert used("7") == {"calls": 1, "none": 2}


def test_other_spellings_of_instants_and_cells(file):
    run(
        file("at\twho\ttokens\n1759305600\tacme\t5\n"),
        *AS_LOGGED,
        r"--delimiter=\t",
        "--timestamp-format=epoch",
    )
    assert EventBody.objects.get().timestamp == datetime(2025, 10, 1, 8, tzinfo=UTC)


def test_standard_input_is_the_same_file(file, monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(LOG.encode())))
    assert run("-", *AS_LOGGED)[0].startswith("3 rows: 3 accepted")
    assert run(file(LOG), *AS_LOGGED)[0].startswith("3 rows: 0 accepted, 3 duplicates")


def test_a_pipe_is_read_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=[LOG])
    writer.start()
    assert run(str(pipe), *AS_LOGGED)[0].startswith("3 rows: 3 accepted")
    writer.join()


def test_a_file_that_cannot_be_read_to_its_end_is_said_so(file):
    message, said = refused(file(LOG + "x" * 2_000_000), *AS_LOGGED)
    assert message == "The rest of the file was not read. Line 5 is longer than 1048576 characters."
    assert said == ["3 rows: 3 accepted, 0 duplicates, 0 conflicts, 0 refused."]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--timestamp-column=when"], "The file has no column 'customer_id'. Its columns are: at, who, tokens, model."),
        ([*AS_LOGGED, "--property=tokens=count"], "The file has no column 'count'."),
        ([*AS_LOGGED, "--property="], "--property: must be a name, an equals sign"),
        ([*AS_LOGGED, "--constant=region"], "--constant: must be a name, an equals sign"),
        ([*AS_LOGGED, "--batch=0"], "--batch: must be from 1 to 10000"),
        ([*AS_LOGGED, "--batch=10001"], "--batch: must be from 1 to 10000"),
        ([*AS_LOGGED, "--delimiter=;;"], "--delimiter: must be one character"),
        ([*AS_LOGGED, "--customer=acme", "--customer-column=who"], "not allowed with argument"),
    ],
)
def test_options_that_do_not_fit_the_file_import_nothing(file, arguments, reason):
    message, said = refused(file(LOG), *arguments)
    assert reason in message
    assert said == []
    assert not EventKey.objects.exists()


def test_a_file_that_is_not_there(tmp_path):
    message, _ = refused(str(tmp_path / "missing.csv"))
    assert message == f"{tmp_path / 'missing.csv'}: No such file or directory."


def test_a_column_that_looks_like_an_id_is_pointed_out(file, capsys):
    run(file("transaction_id,at,who\na,2025-10-01,acme\n"), *AS_LOGGED)
    assert "--transaction-column transaction_id" in capsys.readouterr().err


def test_a_terminal_sees_how_far_it_is(file, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    run(file(LOG), *AS_LOGGED)
    assert "100%" in terminal.getvalue()
    assert "3 rows" in terminal.getvalue()
