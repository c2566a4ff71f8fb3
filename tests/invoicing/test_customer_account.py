"""What a customer's page says: the October story's figures, and the words for every other state."""

from dataclasses import replace
from decimal import Decimal as D
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.demo import scenes, story
from billing_site.foundation import tokens
from billing_site.foundation.ids import uuid7
from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import Period
from billing_site.foundation.refusals import NotFound
from invoicing import portal
from invoicing.portal import PriceRow, Row, page_of
from invoicing.portal.charts import COLOURS
from invoicing.portal.page import PRICES_SHOWN
from invoicing.queries.account import account
from invoicing.queries.balances import balances
from invoicing.queries.changes import version_of
from invoicing.queries.spending import LONGEST_BY_DAY
from invoicing.services import finalize_due
from pricing.models import Product, RateCard
from tests.factories.contracts import CustomerFactory, OverrideFactory, ScheduledChargeFactory
from tests.factories.pricing import ProductFactory, RateFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, commit_of, contract_for, sdk

pytestmark = pytest.mark.django_db


@pytest.fixture
def october(clock_at):
    """The demo's customer on the evening of 31 October, the deal made, and a price of xl scheduled for December."""
    clock_at("2025-10-31T23")
    client = sdk(tokens.create_token("tests", scope="admin", at=OCTOBER, by=ADA)[1])
    cast = scenes.Cast(**scenes.set_the_stage(client), admin_token="", customer_token="")
    scenes.send_usage(client, Period(story.TERM.starting_at, story.OPENING))
    scenes.make_the_deal(client, cast)
    RateFactory(
        rate_card=RateCard.objects.get(),
        product=Product.objects.get(name="Model xl"),
        starting_at=DECEMBER,
        price=D(3_000),
    )
    return account(UUID(cast.customer_id), at=story.OPENING)


def shown(acme, when="2025-10-20", **options):
    return page_of(account(acme.customer.pk, at=at(when), **options))


def test_october_so_far(october):
    [headline] = page_of(october).headlines
    assert headline == portal.Headline(
        title="October so far",
        contract="",
        amount="$36,000.00",
        final="final on 2 November 2025, 00:00 UTC",
        saved="$15,000.00 saved since 15 October",
        warning="",
        forecast="By the end of 31 October usage comes to about $36,000.",
        how=headline.how,  # told in test_forecasts
    )


def test_a_row_a_product_with_both_prices(october):
    [table] = page_of(october).tables
    assert table.total == "$36,000.00"
    assert table.rows[0] == Row(
        name="API calls",
        prices="$0.002 until 14 October, $0.001 since",
        quantity="1,000,000",
        quantity_parts="400,000 + 600,000",
        amount="$1,400.00",
        amount_parts="$800.00 + $600.00",
    )
    assert table.rows[-1] == Row(
        name="Model xl",
        prices="$40.00 until 14 October, $20.00 since · per million tokens",
        quantity="500",
        quantity_parts="200 + 300",
        amount="$14,000.00",
        amount_parts="$8,000.00 + $6,000.00",
    )


def test_the_days_add_up_to_the_draft_and_to_the_list(october):
    [spent] = october.spending
    assert len(spent.windows) == 31
    assert exact_sum([amount for series in spent.series for amount in series.amounts]) == 3_600_000
    assert exact_sum(spent.list_amounts) == 5_100_000
    first_half = [exact_sum([series.amounts[day] for series in spent.series]) for day in range(14)]
    assert first_half == list(spent.list_amounts[:14])
    [chart] = page_of(october).charts
    assert chart.summary.startswith("1–31 October 2025: $36,000.00 in all, $51,000.00 at list prices. ")
    assert chart.summary.endswith("the most for Model xl, $14,000.00.")
    assert [series["name"] for series in chart.data["series"]] == [good.name for good in story.GOODS]
    assert chart.data["titles"][0] == chart.days[0].day == "1 October 2025"
    assert (chart.data["list"]["values"][30], chart.days[30].list_total) == ("1925.77", "$1,925.77")


def test_the_commitment_and_where_the_pace_leads(october):
    [held] = october.commitments
    assert (held.used, held.left, held.due) == (3_600_000, 6_400_000, 6_400_000)
    [balance] = balances(october.customer_id, at=october.at)
    assert held.left == balance.statement.left
    [bar] = page_of(october).bars
    assert bar == portal.Bar(
        title="$100,000 by the end of 2025",
        term="1 October – 31 December 2025",
        standing="$36,000.00 of $100,000.00, $64,000.00 left",
        besides="",
        used_percent="36.00",
        reached_percent="88.67",
        outlook="If you used nothing more, $64,000.00 would be due on 1 January 2026; at your pace of the last 14 days"
        " you will reach about $88,700 by 31 December, so about $11,300 would be due.",
        how="The pace: $12,079.89 counted toward the commitment from 17 October, 23:00 UTC to 31 October, 23:00 UTC;"
        " as much a day is carried on to 31 December.",
    )


def test_a_price_scheduled_on_the_card_comes_through_the_contracts_discount(october):
    assert page_of(october).prices == (
        PriceRow("Model xl", "$20.00 → $15.00", "million tokens", "from 1 December 2025"),
    )


def test_without_a_contract_it_says_what_to_expect(db):
    page = page_of(account(CustomerFactory().pk, at=OCTOBER))
    assert page.notes == ("There is no contract yet. Once it is agreed, what you use appears here within two seconds.",)
    assert (page.headlines, page.charts, page.tables, page.bars, page.prices, page.documents) == ((),) * 6
    assert page.no_documents == "No invoices yet."


def test_without_usage_it_says_when_there_will_be_some(acme):
    page = shown(acme)
    [headline] = page.headlines
    assert (headline.title, headline.amount, headline.saved) == ("October so far", "$0.00", "")
    assert (
        page.no_spend == "Nothing has been used in this period yet. Usage appears here within two seconds of arriving."
    )
    assert page.no_documents == "No invoices yet. The first one follows on 2 November 2025, 00:00 UTC."
    assert page.bars == ()


def test_a_contract_that_is_over_or_still_to_come_says_so(acme):
    contract_for(acme.customer, acme.prices, starting_at=JANUARY, terms__name="Acme 2026", terms__ending_before=None)
    assert shown(acme).notes == ("Acme 2026 begins on 1 January 2026.",)
    over = contract_for(CustomerFactory(name="Globex"), acme.prices).customer
    assert page_of(account(over.pk, at=at("2026-02-01"))).notes == (
        "Your last contract ended on 31 December 2025. Usage after that is not billed until there is a new one.",
    )


def test_a_month_that_is_over_stands_behind_the_running_one_until_it_is_final(acme):
    acme.calls("2025-10-07T00", 3)
    acme.calls("2025-11-01T05", 1)
    titles = [(each.title, each.amount, each.final) for each in shown(acme, "2025-11-01T12").headlines]
    assert titles == [
        ("November so far", "$0.02", "final on 2 December 2025, 00:00 UTC"),
        ("October 2025", "$0.06", "final on 2 November 2025, 00:00 UTC"),
    ]
    assert shown(acme, "2025-11-02").headlines[1].final == "about to be made final"


def test_several_contracts_are_told_apart(acme):
    other = ProductFactory(name="Storage", version__billable_metric=acme.prices.calls_made)
    card = RateFactory(product=other, price=D(5)).rate_card
    contract_for(
        acme.customer, replace(acme.prices, card=card), terms__name="Storage deal", starting_at=at("2025-10-15")
    )
    acme.calls("2025-10-16T00", 2)
    page = shown(acme)
    assert [(each.title, each.contract, each.amount) for each in page.headlines] == [
        ("October so far", "", "$0.04"),
        ("15–31 October 2025 so far", "Storage deal", "$0.10"),
    ]
    [chart] = page.charts
    assert [series["name"] for series in chart.data["series"]] == ["API calls", "Storage"]


def test_usage_without_a_price_is_not_hidden(acme):
    acme.uses_tokens("2025-10-03T05", 7, model="huge")
    assert "could not be priced yet" in shown(acme).headlines[0].warning


def test_a_dearer_price_is_no_saving(acme):
    acme.calls("2025-10-07T00", 3)
    OverrideFactory(contract=acme.contract, starting_at=OCTOBER, multiplier=D(2))
    page = shown(acme)
    assert (page.headlines[0].amount, page.headlines[0].saved) == ("$0.12", "")


def test_a_price_between_two_others_and_one_within_a_day(acme):
    for start, multiplier in (("2025-10-10", "0.5"), ("2025-10-20T13", "0.25")):
        OverrideFactory(contract=acme.contract, starting_at=at(start), multiplier=D(multiplier))
    for day in ("2025-10-01T00", "2025-10-12T00", "2025-10-25T00"):
        acme.calls(day, 100)
    row = shown(acme, "2025-10-26").tables[0].rows[-1]
    assert row.prices == "$0.02 until 9 October, $0.01 until 20 October, 13:00 UTC, $0.005 since"
    assert row.amount_parts == "$2.00 + $1.00 + $0.50"


def test_what_several_payers_took_at_one_price_is_one_row(acme):
    commit_of(acme, D(101))
    acme.calls("2025-10-07T00", 100)
    row = shown(acme).tables[0].rows[-1]
    assert (row.prices, row.quantity, row.quantity_parts, row.amount) == ("$0.02", "100", "", "$2.00")


@pytest.mark.parametrize(
    ("calls", "when", "outlook"),
    [
        pytest.param(
            {"2025-10-01T05": 100},
            "2025-10-01T12",
            "If you used nothing more, $98.00 would be due on 1 January 2026. Your pace is shown once a day has"
            " passed.",
            id="on the first day",
        ),
        pytest.param(
            {"2025-10-01T05": 100, "2025-10-02T05": 100},
            "2025-10-03",
            "If you used nothing more, $96.00 would be due on 1 January 2026; at your pace since 1 October you will"
            " have used all of it by about 20 November, and owe nothing more.",
            id="used up before the end",
        ),
        pytest.param(
            {"2025-10-01T05": 100},
            "2025-11-20",
            "If you used nothing more, $98.00 would be due on 1 January 2026. Nothing has counted toward it in the last"
            " 14 days.",
            id="nothing of late",
        ),
        pytest.param(
            {"2025-10-01T05": 5_000},
            "2025-10-20",
            "You have met this commitment: nothing more is due for it on 1 January 2026.",
            id="met",
        ),
        pytest.param(
            {"2025-10-01T05": 100},
            "2026-01-01T05",
            "The commitment ended on 31 December 2025. $98.00 is due on 1 January 2026.",
            id="over",
        ),
    ],
)
def test_the_outlook_of_a_commitment_in_words(acme, calls, when, outlook):
    commit_of(acme, D(10_000))
    for hour, number in calls.items():
        acme.calls(hour, number)
    assert [bar.outlook for bar in shown(acme, when).bars] == [outlook]


def test_a_pace_reaches_back_into_documents_that_are_final(acme):
    commit_of(acme, D(100_000))
    acme.calls("2025-10-28T00", 100)
    acme.calls("2025-11-02T00", 40)
    finalize_due(acme.customer.pk, at=at("2025-11-02T00"), by=ADA)
    [held] = account(acme.customer.pk, at=at("2025-11-03")).commitments
    assert held.pace is not None
    assert (held.pace.window, held.pace.counted) == (Period(at("2025-10-20"), at("2025-11-03")), D(280))
    assert held.pace.reached == 280 + D(280) / 14 * 59


def test_usage_of_the_running_hour_counts_and_makes_no_pace(acme):
    commit_of(acme, D(100_000))
    acme.calls("2025-10-02T05", 140)
    acme.calls("2025-10-15T10:10", 100)
    [held] = account(acme.customer.pk, at=at("2025-10-15T10:30")).commitments
    assert held.used == 480
    assert held.pace is not None
    assert held.pace.counted == 280


def test_a_commitment_is_gone_with_its_true_up(acme):
    commit_of(acme, D(10_000))
    acme.calls("2025-10-07T00", 3)
    finalize_due(acme.customer.pk, at=at("2026-01-02"), by=ADA)
    page = shown(acme, "2026-01-02")
    assert page.bars == ()
    assert [(row.about, row.issued, row.total) for row in page.documents if row.total != "$0.00"] == [
        ("True-up", "1 January 2026", "$99.94"),
        ("Usage, October 2025", "1 November 2025", "$0.06"),
    ]


def test_documents_come_newest_first_with_their_lines_and_older_ones_are_counted(acme):
    acme.calls("2025-10-07T00", 3)
    finalize_due(acme.customer.pk, at=at("2025-12-02"), by=ADA)
    page = shown(acme, "2025-12-02", document_limit=1)
    assert [(row.number, row.about) for row in page.documents] == [("INV-000002", "Usage, November 2025")]
    assert page.older_documents == 1
    everything = shown(acme, "2025-12-02", document_limit=None)
    assert everything.older_documents == 0
    [calls] = [row for row in everything.documents[1].rows if row.name == "API calls"]
    assert (calls.prices, calls.quantity, calls.amount) == ("$0.02", "3", "$0.06")


def test_charges_to_come_are_announced(acme):
    ScheduledChargeFactory(contract=acme.contract, name="Onboarding", item__issued_at=JANUARY)
    [charge] = shown(acme).charges
    assert charge == portal.ChargeRow("Onboarding", "1 January 2026", "$10.00")
    [overdue] = shown(acme, "2026-01-01").charges
    assert overdue == replace(charge, is_due=True)


def test_the_end_of_a_discount_and_a_new_product_are_prices_to_come(acme):
    OverrideFactory(contract=acme.contract, starting_at=OCTOBER, ending_before=NOVEMBER, product=acme.prices.calls)
    RateFactory(
        rate_card=acme.prices.card,
        product=acme.prices.tokens,
        pricing_group_values={"model": "huge"},
        starting_at=DECEMBER,
        price=D("0.00025"),
    )
    assert [(row.name, row.change, row.when) for row in shown(acme).prices] == [
        ("API calls", "$0.01 → $0.02", "from 1 November 2025"),
        ("Tokens (model: huge)", "new, $0.0000025", "from 1 December 2025"),
    ]


def test_a_long_list_of_prices_to_come_is_cut(acme):
    for number in range(PRICES_SHOWN + 2):
        values = {"model": f"m{number}"}
        for start, price in ((OCTOBER, 1), (NOVEMBER, 2)):
            RateFactory(
                rate_card=acme.prices.card,
                product=acme.prices.tokens,
                pricing_group_values=values,
                starting_at=start,
                price=D(price),
            )
    page = shown(acme)
    assert (len(page.prices), page.more_prices) == (PRICES_SHOWN, "and 2 more")


def test_many_products_share_the_chart_and_a_long_time_is_shown_by_the_week(acme):
    for number in range(12):
        values = {"model": f"m{number}"}
        RateFactory(rate_card=acme.prices.card, product=acme.prices.tokens, pricing_group_values=values, price=D(1))
        acme.uses_tokens("2025-10-03T05", 100 + number, model=f"m{number}")
    read = account(acme.customer.pk, at=at("2025-12-31"))
    [spent] = read.spending
    assert (len(spent.windows), spent.windows[0]) == (14, Period(OCTOBER, at("2025-10-08")))
    assert LONGEST_BY_DAY < 92
    [chart] = page_of(read).charts
    names = [series["name"] for series in chart.data["series"]]
    assert (len(names), names[-1]) == (COLOURS, "6 further products")
    assert chart.title == "Spend by week and product"
    assert chart.days[0].total == "$12.66"


def test_an_unknown_customer_is_refused(db):
    with pytest.raises(NotFound):
        account(uuid7(), at=OCTOBER)
    with pytest.raises(NotFound):
        version_of(uuid7(), at=OCTOBER)


def test_statements_do_not_grow_with_products_contracts_and_documents(acme, django_assert_num_queries):
    commit_of(acme, D(100_000))
    acme.calls("2025-10-07T00", 3)
    ScheduledChargeFactory(contract=acme.contract, item__issued_at=JANUARY)
    finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA)
    acme.calls("2025-11-07T00", 3)
    with CaptureQueriesContext(connection) as one:
        account(acme.customer.pk, at=at("2025-11-20"))
    finalize_due(acme.customer.pk, at=at("2025-12-02"), by=ADA)
    for name in ("Storage", "Seats", "Support"):
        product = ProductFactory(name=name, version__billable_metric=acme.prices.calls_made)
        card = RateFactory(product=product, price=D(5)).rate_card
        contract = contract_for(acme.customer, replace(acme.prices, card=card), terms__name=name)
        commit_of(acme, D(10_000), contract=contract)
    finalize_due(acme.customer.pk, at=at("2025-12-02"), by=ADA)
    acme.calls("2025-12-03T00", 3)
    with CaptureQueriesContext(connection) as several:
        account(acme.customer.pk, at=at("2025-12-20"))
    assert len(several) - len(one) in (0, 4)  # four, where the price list is read anew after it has changed
