"""Why a line of a contract costs what it does: where it comes from, what lost, and what it was before."""

import re
from decimal import Decimal as D
from html import unescape

import pytest

from invoicing.queries.documents import drafts_of
from tests.factories.contracts import OverrideFactory
from tests.invoicing.conftest import OCTOBER, at
from tests.invoicing.contract_page.deal_form import Deal, page, split, text_of, the_deal

pytestmark = pytest.mark.django_db


class TestWhy:
    def test_each_line_says_where_it_comes_from(self, revops, october):
        Deal(revops, october.contract).save(**the_deal(october))
        draft = drafts_of(october.customer.pk, at=at("2025-10-31T23"))[0]

        shown = text_of(revops.get(page("why", october.contract.pk, draft.id, 0)))

        assert "Tokens (model: xl) : $6.00 on Draft, 1–31 October 2025." in shown
        assert "the sum of “tokens” over this customer's events of type tokens. This is 20 of it." in shown
        assert "1–14 October 2025: 10 × $0.40 = $4.00" in shown
        assert "15–31 October 2025: 10 × $0.20 = $2.00" in shown
        assert "The contract has no price or discount of its own for it then." in shown
        assert "50 % off the list price of API calls and Tokens from 15 October 2025, agreed in edit" in shown
        assert "by grace on 31 October 2025, 23:00 UTC (“the deal”)." in shown
        assert "Counts toward the postpaid commit “Year end” of $100.00" in shown

    def test_a_line_leads_to_its_events_each_with_its_part_and_each_of_them_to_what_was_sent(self, revops, october):
        draft = drafts_of(october.customer.pk, at=at("2025-10-31T23"))[0]

        shown = revops.get(page("why", october.contract.pk, draft.id, 0)).content.decode()

        (link,) = re.findall(r'href="([^"]*)">each with its part</a>', shown)
        events = revops.get(unescape(link))
        assert "20 was metered for this line" in text_of(events)
        rows = re.findall(r"<tr><td>(.*?)</tr>", events.content.decode(), re.DOTALL)
        assert [(row[:14], row.split('class="number">')[1]) for row in rows] == [
            ("3 October 2025", "10</td>"),
            ("20 October 202", "10</td>"),
        ]
        sent = text_of(revops.get(unescape(re.findall(r'href="(/admin/[^"]*transaction_id[^"]*)"', rows[0])[0])))
        assert re.findall(r"tokens at 2025-10-\d\d", sent) == ["tokens at 2025-10-03"]

    def test_events_of_no_such_line_or_from_no_such_place_are_not_there(self, revops, october):
        draft = drafts_of(october.customer.pk, at=at("2025-10-31T23"))[0]
        assert revops.get(page("events", october.contract.pk, draft.id, 99)).status_code == 404
        assert revops.get(page("events", october.contract.pk, draft.id, 0), {"after": "elsewhere"}).status_code == 404

    def test_an_override_that_lost_is_named_with_the_reason(self, revops, october):
        OverrideFactory(contract=october.contract, multiplier=D("0.9"), starting_at=OCTOBER)
        OverrideFactory(contract=october.contract, multiplier=D("0.8"), starting_at=OCTOBER)
        draft = drafts_of(october.customer.pk, at=at("2025-10-31T23"))[0]

        shown = text_of(revops.get(page("why", october.contract.pk, draft.id, 0)))

        assert "The contract has its own: 20 % off the list price" in shown
        assert "Not applied: 10 % off the list price" in shown
        assert "A smaller multiplier holds." in shown

    def test_a_line_as_it_was_known_before_the_deal_stands_beside_what_it_is_now(self, revops, october):
        Deal(revops, october.contract).save(**the_deal(october))
        draft = drafts_of(october.customer.pk, at=at("2025-10-31T23"))[0]
        why = page("why", october.contract.pk, draft.id, 0)

        shown = text_of(revops.get(why, split("as_of", at("2025-10-30"))))
        assert "known on 30 October 2025, 00:00 UTC, and the usage known now. Now it is $6.00 on Draft" in shown
        assert "Tokens (model: xl) : $8.00 on Draft" in shown
        assert "agreed in edit" not in shown
        assert why in revops.get(why, split("as_of", at("2025-10-30"))).content.decode()

        shown = text_of(revops.get(why, split("as_of", at("2025-11-30"))))
        assert "Nothing is known yet of what comes after 31 October 2025, 23:00 UTC." in shown
        assert "Tokens (model: xl) : $6.00 on Draft" in shown

    def test_a_line_that_was_not_there_then_says_so(self, revops, october):
        Deal(revops, october.contract).save(**the_deal(october))
        draft = drafts_of(october.customer.pk, at=at("2025-10-31T23"))[0]
        early = october.contract.starting_at.replace(year=2024)
        shown = text_of(revops.get(page("why", october.contract.pk, draft.id, 0), split("as_of", early)))
        assert "There was no such document then." in shown
        assert "Tokens (model: xl) : $6.00 on Draft" in shown

    def test_htmx_gets_the_panel_alone(self, revops, october):
        draft = drafts_of(october.customer.pk, at=at("2025-10-31T23"))[0]
        panel = revops.get(page("why", october.contract.pk, draft.id, 0), headers={"HX-Request": "true"})
        assert "<html" not in panel.content.decode()

    def test_a_line_that_is_not_there_is_not_found(self, revops, october):
        draft = drafts_of(october.customer.pk, at=at("2025-10-31T23"))[0]
        assert revops.get(page("why", october.contract.pk, draft.id, 99)).status_code == 404
        assert revops.get(page("why", october.contract.pk, october.customer.pk, 0)).status_code == 404
