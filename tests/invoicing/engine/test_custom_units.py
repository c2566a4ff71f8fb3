"""Usage priced in a custom unit: balances in that unit first, then the rest in money."""

from billing_site.foundation.periods import Period
from invoicing.engine.rounding import finalized
from pricing.engine.tariffs import flat
from tests.invoicing.engine.world import (
    CREDITS,
    EUR,
    LATE_OCTOBER,
    NOVEMBER,
    OCTOBER,
    USD,
    D,
    card,
    computed,
    contract,
    given,
    on,
    override,
    package,
    postpaid,
    prepaid,
    product,
    rate,
    target,
    the_usage,
    used,
)

A, B, C = product("A"), product("B"), product("C")
RATES = [rate("A", "5", unit=CREDITS), rate("B", "1", unit=CREDITS), rate("C", "3")]
USED = [used("A", on(10, 5), 10), used("B", on(10, 6), 10)]  # 60 credits


def october(*commits, events=USED, rates=RATES, credits_at: str | None = "2", **terms):
    agreed = contract(commits=commits, **terms)
    inputs = given(LATE_OCTOBER, [agreed], [card(*rates, credits_at=credits_at)], (A, B, C))
    return the_usage(computed(inputs, events))


def read(document) -> list[tuple[object, ...]]:
    """Type, name, quantity, unit price, total, unit, whether it counts, who pays."""
    return [
        (
            line.type,
            line.name,
            line.quantity,
            line.unit_price,
            line.total,
            line.unit.name,
            line.counts,
            line.commit_type,
        )
        for line in document.lines
        if line.quantity != 0
    ]


def in_credits(*amounts: str, **terms):
    return prepaid(*amounts, unit=CREDITS, name="credits", **terms)


def test_the_table_of_conversions():
    """50 credits by A, 20 of them paid in credits; 10 by B; at 2 cents a credit, with a balance of 30 cents."""
    document = october(in_credits("20"), prepaid("30", name="cents"))
    assert read(document) == [
        ("usage", "A", 4, 5, 20, "credits", False, "PREPAID"),
        ("applied_commit_or_credit", "credits", None, None, -20, "credits", False, "PREPAID"),
        ("usage", "A", 6, 5, 30, "credits", False, ""),
        ("usage", "B", 10, 1, 10, "credits", False, ""),
        ("cpu_conversion", "credits in USD (cents)", 15, 2, 30, "USD (cents)", True, "PREPAID"),
        ("applied_commit_or_credit", "cents", None, None, -30, "USD (cents)", True, "PREPAID"),
        ("cpu_conversion", "credits in USD (cents)", 25, 2, 50, "USD (cents)", True, ""),
    ]
    assert document.total == 50
    assert sorted(entry.amount for entry in document.entries) == [-30, -20]


def test_balances_in_the_unit_go_first_whatever_their_class_and_priority():
    document = october(
        prepaid("30", name="cents", priority=D(1)), postpaid("20", unit=CREDITS, name="credits", priority=D(999))
    )
    assert [(line.name, line.total) for line in document.lines if line.total < 0] == [("credits", -20), ("cents", -30)]


def test_money_is_offered_with_the_targeting_of_its_balance():
    """The balance is for B alone: 20 cents of its 10 credits, although A is the first to be used."""
    document = october(prepaid("30", name="cents", targets=(target("B"),)))
    assert [(line.quantity, line.total, line.commit_type) for line in document.lines if line.converted] == [
        (10, 20, "PREPAID"),
        (50, 100, ""),
    ]
    assert [entry.amount for entry in document.entries] == [-20]


def test_money_pays_for_usage_in_money_and_for_what_is_converted():
    """3 C at 3 cents are cheaper to the list than a credit's 10, so A goes first: 8 of 50 x 2 cents are left over."""
    events = [used("A", on(10, 5), 10), used("C", on(10, 5), 3)]
    document = october(prepaid("92", name="cents"), events=events)
    assert [(line.type, line.total, line.commit_type) for line in document.lines if line.counts] == [
        ("usage", 9, ""),
        ("cpu_conversion", 92, "PREPAID"),
        ("applied_commit_or_credit", -92, "PREPAID"),
        ("cpu_conversion", 8, ""),
    ]
    # A credit is 0.1 cents: now C is the dearer one.
    document = october(prepaid("10", name="cents"), events=events, credits_at="0.1")
    assert [(line.type, line.total, line.commit_type) for line in document.lines if line.counts] == [
        ("usage", 9, "PREPAID"),
        ("applied_commit_or_credit", -9, "PREPAID"),
        ("cpu_conversion", 1, "PREPAID"),
        ("applied_commit_or_credit", -1, "PREPAID"),
        ("cpu_conversion", 4, ""),
    ]


def test_what_counts_toward_a_postpaid_commit_is_still_to_be_paid():
    document = october(postpaid("100", name="promise"))
    assert [(line.total, line.counts) for line in document.lines if line.unit == USD and line.type != "usage"] == [
        (100, True),
        (-100, False),
        (20, True),
    ]
    assert document.total == 120


def test_nothing_is_converted_where_credits_pay_for_all():
    document = october(in_credits("60"))
    assert (document.total, [line for line in document.lines if line.converted]) == (0, [])


def test_without_a_conversion_the_usage_is_found_and_holds_the_bill():
    document = october(credits_at=None)
    assert [(finding.kind, finding.blocking, finding.quantity) for finding in document.findings] == [
        ("NO_CONVERSION", True, 10),
        ("NO_CONVERSION", True, 10),
    ]
    assert document.findings[0].message == (
        "A: 10 metered, priced in a unit that the rate card List converts to no money."
    )


def test_balances_in_another_money_do_not_pay():
    assert october(prepaid("999", unit=EUR, name="euros")).total == 120


def test_an_override_may_price_in_a_custom_unit_and_in_money():
    own = override(tariff=flat(D(7)), unit=CREDITS, targets=(target("C"),))
    money = override(tariff=flat(D(1)), unit=USD, targets=(target("A"),), position=1)
    document = october(events=[used("A", on(10, 5), 1), used("C", on(10, 5), 1)], overrides=(own, money))
    assert document.total == 1 + 14


def test_a_package_in_credits_is_shared_by_its_share_in_money():
    """12 credits, 24 cents: a balance of 6 cents pays a quarter, 3 credits."""
    rates = [rate("A", "0", tariff=package("12", "10"), unit=CREDITS)]
    document = october(prepaid("6", name="cents"), events=[used("A", on(10, 5), 4)], rates=rates)
    assert [(line.quantity, line.total) for line in document.lines if line.converted] == [(3, 6), (9, 18)]
    (usage,) = (line for line in document.lines if line.type == "usage")
    assert (usage.quantity, usage.total, usage.commit_type) == (1, 12, "")


def test_units_may_be_taken_whatever_they_are_priced_in():
    document = october(prepaid("4", access_type="QUANTITY", name="units", targets=(target("A"),)))
    assert [(line.quantity_consumed, line.total, line.unit) for line in document.lines if line.total < 0] == [
        (4, -20, CREDITS)
    ]
    assert document.total == 2 * 40


def test_the_parts_of_a_conversion_say_who_paid_and_what_for():
    document = october(prepaid("30", name="cents"))
    paid, unpaid = (line for line in document.lines if line.converted)
    assert [(part.quantity, part.amount, part.unit_price) for part in paid.parts] == [(15, 30, 2)]
    assert [(part.quantity, part.amount) for part in unpaid.parts] == [(35, 70), (10, 20)]
    assert {part.segment_id for part in paid.parts} == {paid.segment_id}
    assert all(part.segment_id is None for line in document.lines if line.type == "usage" for part in line.parts)
    assert (paid.period, unpaid.period) == (Period(OCTOBER, NOVEMBER), Period(OCTOBER, NOVEMBER))


def test_a_document_is_rounded_in_money_alone():
    """0.7 credits at 2 cents: the line in credits is printed as it is, the conversion to the cent."""
    document = october(in_credits("0.1"), events=[used("B", on(10, 5), "0.8")])
    final = finalized(document)
    printed = {(line.type, line.commit_type): total for line, total in zip(document.lines, final.totals, strict=True)
               if total}  # fmt: skip
    assert printed == {
        ("usage", "PREPAID"): D("0.1"),
        ("applied_commit_or_credit", "PREPAID"): D("-0.1"),
        ("usage", ""): D("0.7"),
        ("cpu_conversion", ""): 1,
    }
    assert (final.total, final.unrounded_total) == (1, D("1.4"))
    assert [entry.billed for entry in final.entries] == [D("-0.1")]


def test_what_money_paid_of_a_conversion_cancels_when_it_is_rounded():
    document = october(prepaid("0.6", name="cents"), events=[used("B", on(10, 5), "0.8")])
    final = finalized(document)
    assert [total for line, total in zip(document.lines, final.totals, strict=True) if line.counts and total] == [
        1,
        -1,
        1,
    ]
    assert (final.total, [entry.billed for entry in final.entries]) == (1, [-1])


def test_units_taken_are_posted_as_they_are():
    units = prepaid("0.25", access_type="QUANTITY", name="units")
    final = finalized(october(units, events=[used("C", on(10, 5), 1)]))
    assert [(entry.entry.amount, entry.billed) for entry in final.entries] == [(D("-0.25"), D("-0.25"))]
