"""What a product is at an instant, after updates in any order of date and publication."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal as D
from threading import Barrier

import pytest
from django.db import connection

from billing_site.foundation import jobs
from billing_site.foundation.models import Job, TestClock
from billing_site.foundation.refusals import Refusal
from pricing import services, tasks
from pricing.models import Product, ProductVersion, Publication
from pricing.presentation import product_json
from pricing.queries import catalog, product, version_in_force
from tests.factories.pricing import CompositeProductFactory, MetricFactory, ProductFactory

MONTHS = {month: datetime(2025, month, 1, tzinfo=UTC) for month in range(1, 13)}


def made(told, **definition):
    """A product called Tokens, and its whole definition."""
    metric = definition.pop("metric", None) or MetricFactory(group_keys=[["model"], ["region"]])
    return services.create_product("Tokens", type="USAGE", billable_metric_id=metric.pk, **definition, **told)


def changed(told, of, month, **changes):
    return services.update_product(of.pk, starting_at=MONTHS[month], changes=changes, **told)


def over_time(of, *fields, months=(9, 10, 11, 12), at_publication=None):
    """What these fields say in each of the months."""
    found = product(of.pk, at_publication=at_publication)
    versions = [version_in_force(found, MONTHS[month]) for month in months]
    return [tuple(getattr(version, field) for field in fields) for version in versions]


FIRST, SECOND = ("Tokens", ["ai"]), ("Text", ["text"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("updates", "expected"),
    [
        pytest.param([(11, {"name": "Text"})], [FIRST, FIRST, ("Text", ["ai"]), ("Text", ["ai"])], id="one"),
        pytest.param(
            [(10, {"name": "Text"}), (11, {"tags": ["text"]})],
            [FIRST, ("Text", ["ai"]), SECOND, SECOND],
            id="one after the other",
        ),
        pytest.param(
            [(11, {"tags": ["text"]}), (10, {"name": "Text"})],
            [FIRST, ("Text", ["ai"]), SECOND, SECOND],
            id="the earlier one last: its field reaches the later one",
        ),
        pytest.param(
            [(11, {"name": "Late"}), (10, {"name": "Text", "tags": ["text"]})],
            [FIRST, SECOND, ("Late", ["text"]), ("Late", ["text"])],
            id="what the later one names itself stays",
        ),
        pytest.param(
            [(11, {"tags": ["late"]}), (12, {"name": "Last"}), (10, {"name": "Text", "tags": ["text"]})],
            [FIRST, SECOND, ("Text", ["late"]), ("Last", ["late"])],
            id="through two, each field up to where it is named",
        ),
        pytest.param(
            [(12, {"tags": ["late"]}), (11, {"name": "Text"}), (10, {"tags": ["text"]})],
            [FIRST, ("Tokens", ["text"]), SECOND, ("Text", ["late"])],
            id="each before the other",
        ),
        pytest.param(
            [(11, {"tags": ["one"]}), (11, {"name": "Text"}), (10, {"tags": ["text"], "name": "Early"})],
            [FIRST, ("Early", ["text"]), ("Text", ["one"]), ("Text", ["one"])],
            id="two of one instant name together",
        ),
        pytest.param(
            [(11, {"name": "One"}), (11, {"name": "Text"})],
            [FIRST, FIRST, ("Text", ["ai"]), ("Text", ["ai"])],
            id="of one instant the last holds",
        ),
        pytest.param(
            [(12, {"name": "Last"}), (10, {"tags": ["one"]}), (10, {"tags": ["text"]})],
            [FIRST, ("Tokens", ["text"]), ("Tokens", ["text"]), ("Last", ["text"])],
            id="a carried field gives way to a later word",
        ),
    ],
)
def test_a_field_holds_until_it_is_named_again(told, updates, expected):
    of = made(told, tags=["ai"])
    for month, changes in updates:
        changed(told, of, month, **changes)
    assert over_time(of, "name", "tags") == expected


@pytest.mark.django_db
def test_the_order_of_publication_decides_nothing_between_instants(told):
    """Updates of three instants that name fields of their own and of each other."""
    updates = [(10, {"name": "A", "tags": ["a"]}), (11, {"tags": ["b"]}), (12, {"name": "C"})]
    found = []
    for order in ([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]):
        of = made(told)
        for index in order:
            changed(told, of, updates[index][0], **updates[index][1])
        found.append(over_time(of, "name", "tags"))
    assert found == [[("Tokens", []), ("A", ["a"]), ("A", ["b"]), ("C", ["b"])]] * 6


@pytest.mark.django_db
def test_what_was_taken_away_stays_away_later(told):
    conversion, rounding = services.QuantityConversion(D(1000), "DIVIDE"), services.QuantityRounding(0, "ROUND_UP")
    of = made(told, quantity_conversion=conversion, quantity_rounding=rounding)
    changed(told, of, 12, name="Text")
    changed(told, of, 11, quantity_conversion=None)
    assert over_time(of, "conversion_factor", "rounding_method") == [
        (1000, "ROUND_UP"),
        (1000, "ROUND_UP"),
        (None, "ROUND_UP"),
        (None, "ROUND_UP"),
    ]


@pytest.mark.django_db
def test_what_was_known_before_the_earlier_update_is_still_known(told):
    of = made(told)
    changed(told, of, 12, name="Last")
    known = Publication.objects.order_by("-number").first().number
    changed(told, of, 11, tags=["text"])
    assert over_time(of, "name", "tags", months=(11, 12), at_publication=known) == [("Tokens", []), ("Last", [])]
    assert over_time(of, "name", "tags", months=(11, 12)) == [("Tokens", ["text"]), ("Last", ["text"])]
    versions = catalog(rate_card_ids=[]).products[of.pk]
    assert [(version.starting_at, version.name, version.tags) for version in versions] == [
        (None, "Tokens", ()),
        (MONTHS[12], "Last", ()),
        (MONTHS[11], "Tokens", ("text",)),
        (MONTHS[12], "Last", ("text",)),
    ]


@pytest.mark.django_db
def test_a_definition_that_a_later_one_cannot_take_is_refused(told):
    metric = MetricFactory(name="Tokens", group_keys=[["model"], ["model", "region"]])
    other = MetricFactory(name="Bytes", group_keys=[["model"]])
    of = made(told, metric=metric, pricing_group_key=["model"])
    changed(told, of, 12, billable_metric_id=other.pk)
    with pytest.raises(Refusal) as refusal:
        changed(told, of, 11, presentation_group_key=["region"])
    assert [(error.field, error.rule) for error in refusal.value.errors] == [
        (
            "pricing_group_key",
            "pricing_group_key and presentation_group_key together must be one of the metric's group keys: "
            "[['model']]; a later definition, of 2025-12-01T00:00:00+00:00, would come to this",
        )
    ]
    assert ProductVersion.objects.filter(product=of).count() == 2


@pytest.mark.django_db
def test_a_product_keeps_a_metric_that_is_archived(told):
    metric, other = MetricFactory(group_keys=[["model"]]), MetricFactory(name="Retired", group_keys=[["model"]])
    of = made(told, metric=metric)
    for each in (metric, other):
        services.archive_metric(each.pk, **told)
    changed(told, of, 11, name="Text", pricing_group_key=["model"], billable_metric_id=metric.pk)
    assert over_time(of, "name", "pricing_group_key", months=(11,)) == [("Text", ["model"])]
    with pytest.raises(Refusal, match="the billable metric Retired is archived"):
        changed(told, of, 12, billable_metric_id=other.pk)


@pytest.mark.django_db
def test_a_tag_that_closes_a_circle_later_is_refused(told):
    """From December on Outer takes Inner in by tag; a tag from November on would take Outer into Inner."""
    inner = CompositeProductFactory(
        name="Inner", version__composite_tags=["outer"], version__include_composite_spend=True, version__tags=["inner"]
    )
    ai = ProductFactory(version__tags=["ai"])
    outer = services.create_product("Outer", type="COMPOSITE", composite_product_ids=[ai.pk], **told)
    changed(told, outer, 12, composite_tags=["inner"], include_composite_spend=True)
    with pytest.raises(Refusal) as refusal:
        changed(told, outer, 11, tags=["outer"])
    assert [(error.field, error.value) for error in refusal.value.errors] == [("tags", ["outer"])]
    assert "2025-12-01T00:00:00+00:00" in refusal.value.message
    changed(told, inner, 11, include_composite_spend=False)  # no way back any more
    changed(told, inner, 11, name="Inner share")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ({"tags": ["b"], "include_composite_spend": True}, {"composite_tags": ["a"]}, "composite_tags"),
        ({"tags": ["b"], "composite_tags": ["a"]}, {"include_composite_spend": True}, "include_composite_spend"),
        ({"composite_tags": ["a"], "include_composite_spend": True}, {"tags": ["b"]}, "tags"),
    ],
)
def test_a_circle_is_refused_by_the_field_that_closes_it(told, before, after, field):
    with_tags = {"composite_tags": ["c"]} | before
    made_before = services.create_product("B", type="COMPOSITE", **with_tags, **told)
    services.create_product(
        "A", type="COMPOSITE", composite_tags=["b"], tags=["a"], include_composite_spend=True, **told
    )
    with pytest.raises(Refusal, match="B would be a share of itself") as refusal:
        changed(told, made_before, 11, **after)
    assert [error.field for error in refusal.value.errors] == [field]


@pytest.mark.django_db
def test_a_product_gets_its_new_name_when_that_begins(told, settings):
    settings.SANDBOX = True
    clock = TestClock.objects.create(instant=MONTHS[10])
    of, other = made(told), made(told)
    changed(told, of, 11, name="Text")
    changed(told, other, 11, tags=["text"])
    tasks.queue_naming()
    assert not Job.objects.exists()
    TestClock.objects.filter(pk=clock.pk).update(instant=MONTHS[11])
    for _ in range(2):
        tasks.queue_naming()
        for row in Job.objects.filter(state=Job.State.QUEUED):
            jobs.run(str(row.pk))
    of.refresh_from_db()
    other.refresh_from_db()
    assert (of.name, other.name, Job.objects.count()) == ("Text", "Tokens", 1)
    assert of.history.first().history_change_reason == "The name of its definition"


def at_once(*calls):
    """Runs them in threads of their own, all at once: whether each was refused."""
    start = Barrier(len(calls))

    def run(call):
        start.wait(5)
        try:
            call()
        except Refusal as refusal:
            return refusal.message
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return [done.result(30) for done in [threads.submit(run, call) for call in calls]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_two_composites_made_at_once_do_not_take_each_other_in(told, attempt):
    def composite(name, tag, of):
        services.create_product(
            name, type="COMPOSITE", tags=[tag], composite_tags=[of], include_composite_spend=True, **told
        )

    refused = at_once(lambda: composite("A", "a", "b"), lambda: composite("B", "b", "a"))
    assert len([message for message in refused if message]) == 1
    assert Product.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_updates_at_once_do_not_close_a_circle(told):
    one, other = (
        services.create_product(name, type="COMPOSITE", composite_tags=["api"], include_composite_spend=True, **told)
        for name in "AB"
    )
    refused = at_once(
        lambda: changed(told, one, 11, tags=["a"], composite_tags=["b"]),
        lambda: changed(told, other, 11, tags=["b"], composite_tags=["a"]),
    )
    assert len([message for message in refused if message]) == 1
    assert ProductVersion.objects.count() == 3


@pytest.mark.django_db
def test_a_reply_lists_what_was_asked_for_and_not_where_it_reached(told):
    of = made(told, tags=["ai"])
    changed(told, of, 12, name="Last")
    changed(told, of, 11, tags=["text"])
    shown = product_json(product(of.pk), at=MONTHS[12])
    assert (shown["initial"]["name"], shown["initial"]["tags"]) == ("Tokens", ["ai"])
    assert (shown["current"]["name"], shown["current"]["tags"]) == ("Last", ["text"])
    named = [
        {name: value for name, value in update.items() if not name.startswith("created_")}
        for update in shown["updates"]
    ]
    assert named == [
        {"starting_at": "2025-12-01T00:00:00+00:00", "name": "Last"},
        {"starting_at": "2025-11-01T00:00:00+00:00", "tags": ["text"]},
    ]
