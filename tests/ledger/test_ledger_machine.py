"""Everything that may happen to the ledger, in any order, against a model of it in plain Python."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from billing_site.foundation.actor import Actor
from billing_site.foundation.ids import uuid7
from billing_site.foundation.periods import Period
from contracts.services import create_customer, set_ingest_aliases
from ledger.queries.checks import usage_differs
from ledger.queries.holdings import claims_of
from ledger.queries.usage import windows_of
from ledger.queries.values import Question, values_of
from ledger.services.backfill import backfill_metric
from ledger.services.corrections import amend_event, void_event
from tests.factories.ledger import event, post
from tests.factories.pricing import MetricFactory

ADA = Actor.command("Ada")
START = datetime(2025, 10, 1, tzinfo=UTC)
NOW = START + timedelta(days=40)
KINDS = ("COUNT", "SUM", "MAX", "LATEST", "UNIQUE", "WEIGHTED_SUM")
SUBJECTS = ("acme", "acme-eu", "globex")
IDS = tuple("abcdef")
CONTENTS = st.tuples(
    st.sampled_from(["call", "other"]),
    st.integers(0, 35 * 24 * 4),  # quarters of an hour
    st.integers(-5, 20),
    st.sampled_from(["eu", "us", None]),
)


@dataclass
class Model:
    """What was said, and nothing of how it is kept."""

    events: dict[tuple[str, str], tuple[Any, ...] | None] = field(default_factory=dict)  # None: taken back
    first: dict[tuple[str, str], tuple[Any, ...]] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)  # subject: number of the customer

    def value(self, kind: str, owner: int, start: datetime, end: datetime, region: Any) -> Decimal | None:
        mine = [
            (START + timedelta(minutes=15 * content[1]), transaction_id, content[2])
            for (subject, transaction_id), content in self.events.items()
            if content is not None
            and content[0] == "call"
            and self.owners.get(subject) == owner
            and (region is ... or content[3] == region)
        ]
        inside = [one for one in mine if start <= one[0] < end]
        if kind == "WEIGHTED_SUM":
            minutes = sum(
                said * max(0, int((min(end, NOW) - max(when, start)) / timedelta(minutes=1))) for when, _, said in mine
            )
            return Decimal(minutes) / 60
        if not inside:
            return None
        values = [said for *_, said in inside]
        latest = max(inside)[2]
        return Decimal(
            {
                "COUNT": len(values),
                "SUM": sum(values),
                "MAX": max(values),
                "LATEST": latest,
                "UNIQUE": len(set(values)),
            }[kind]
        )


class Ledger(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.run = f"{uuid7()}-"
        self.model = Model()
        self.made: list[Any] = []
        self.customers = [create_customer(f"Customer {n}", ingest_aliases=[], at=START, by=ADA) for n in range(2)]

    def told(self) -> dict[str, Any]:
        return {"reason": "Because", "at": NOW, "by": ADA}

    def wire(self, subject: str, transaction_id: str, content: tuple[Any, ...]) -> dict[str, Any]:
        event_type, quarter, said, region = content
        return event(
            transaction_id,
            customer_id=self.run + subject,
            event_type=self.run + event_type,
            timestamp=(START + timedelta(minutes=15 * quarter)).isoformat(),
            properties={"value": str(said) if said % 2 else said, "region": region},
        )

    @rule(sent=st.lists(st.tuples(st.sampled_from(SUBJECTS), st.sampled_from(IDS), CONTENTS), min_size=1, max_size=8))
    def ingest(self, sent: list[Any]) -> None:
        """New events, repeats and conflicts, late and in whatever order."""
        expected = [0, 0, 0]
        for subject, transaction_id, content in sent:
            key = subject, transaction_id
            if key not in self.model.first:
                self.model.first[key] = self.model.events[key] = content
                expected[0] += 1
            else:
                expected[1 if self.model.first[key] == content else 2] += 1
        receipt = post(*[self.wire(*one) for one in sent], at=NOW)
        assert [receipt.accepted, receipt.duplicates, len(receipt.conflicts)] == expected

    @rule(subject=st.sampled_from(SUBJECTS), transaction_id=st.sampled_from(IDS))
    def void(self, subject: str, transaction_id: str) -> None:
        key = subject, transaction_id
        if key in self.model.events:
            repeat = void_event(transaction_id, subject=self.run + subject, **self.told()).is_repeat
            assert repeat == (self.model.events[key] is None)
            self.model.events[key] = None

    @rule(subject=st.sampled_from(SUBJECTS), transaction_id=st.sampled_from(IDS), content=CONTENTS)
    def amend(self, subject: str, transaction_id: str, content: tuple[Any, ...]) -> None:
        key = subject, transaction_id
        held = self.model.events.get(key)
        if held is None or held == content:
            return
        wire = self.wire(subject, transaction_id, content)
        changes = {name: wire[name] for name in ("event_type", "timestamp", "properties")}
        amend_event(transaction_id, subject=self.run + subject, **changes, **self.told())
        self.model.events[key] = content

    @rule(kind=st.sampled_from(KINDS))
    def make_metric(self, kind: str) -> None:
        metric = MetricFactory(
            aggregation_type=kind,
            aggregation_key="" if kind == "COUNT" else "value",
            event_type_filter={"in_values": [f"{self.run}call"]},
            group_keys=[["region"]],
        )
        self.made.append([metric, False])

    @rule(batch=st.integers(1, 5), rounds=st.integers(1, 3))
    def measure_back(self, batch: int, rounds: int) -> None:
        """A bit of it: corrections and ingest come in between."""
        for entry in self.made:
            for _ in range(rounds):
                if not entry[1]:
                    entry[1] = backfill_metric(entry[0].pk, at=NOW, seconds=0, batch=batch).is_finished

    @rule(subject=st.sampled_from(SUBJECTS), number=st.integers(0, 1))
    def claim_or_move(self, subject: str, number: int) -> None:
        held = self.model.owners.get(subject)
        if held == number:
            return
        for owner in (held, number):
            if owner is None:
                continue
            if owner == held:
                del self.model.owners[subject]
            else:
                self.model.owners[subject] = number
            mine = [self.run + one for one, other in self.model.owners.items() if other == owner]
            set_ingest_aliases(self.customers[owner].pk, mine, **self.told())

    @invariant()
    def usage_is_what_the_model_says(self) -> None:
        finished = [metric for metric, is_finished in self.made if is_finished]
        period = Period(START + timedelta(hours=7), START + timedelta(days=30, hours=5))
        claims = claims_of([customer.pk for customer in self.customers])
        for number, customer in enumerate(self.customers):
            windows = tuple(windows_of(claims[customer.pk], period))
            for keys, regions in (((), (...,)), (("region",), ("eu", "us", None))):
                answers = values_of([Question(metric, windows, keys) for metric in finished], until=NOW)
                for metric, answer in zip(finished, answers, strict=True):
                    for region in regions:
                        bounds = (period.starting_at, period.ending_before)
                        expected = self.model.value(metric.aggregation_type, number, *bounds, region)
                        found = answer.get(() if region is ... else (region,))
                        assert (found or 0) == (expected or 0), (metric.aggregation_type, region)

    def teardown(self) -> None:
        assert usage_differs() == []


@pytest.mark.django_db
def test_the_ledger_and_the_model_agree():
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            suppress_health_check=list(HealthCheck),
        ),
    )
