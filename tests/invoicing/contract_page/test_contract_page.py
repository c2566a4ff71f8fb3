"""The page of a contract: what it costs now, and what was agreed."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories.contracts import CommitFactory, ContractFactory, OverrideFactory
from tests.factories.pricing import ProductFactory
from tests.invoicing.contract_page.deal_form import Deal, page, text_of, the_deal

pytestmark = pytest.mark.django_db


class TestScreen:
    def test_it_opens_on_what_the_contract_costs_now(self, revops, october):
        shown = text_of(revops.get(page("change", october.contract.pk)))

        assert "October so far $8.20 final on 2 November 2025, 00:00 UTC" in shown
        assert "Tokens (model: xl) $0.40 20 $8.00" in shown
        assert "API calls $0.02 10 $0.20" in shown
        assert "List prices, nothing of its own yet." in shown

    def test_after_the_deal_it_shows_both_prices_the_commitment_and_the_change_in_words(self, revops, october):
        Deal(revops, october.contract).save(**the_deal(october))

        shown = text_of(revops.get(page("change", october.contract.pk)))

        assert "October so far $6.10" in shown
        assert "$2.10 saved since 15 October" in shown
        assert "Tokens (model: xl) $0.40 until 14 October, $0.20 since 20 10 + 10 $6.00 $4.00 + $2.00" in shown
        assert "$6.10 of $100.00" in shown
        assert "$93.90 left; at the present pace about" in shown
        assert "Postpaid commit “Year end”: $100.00 (1 October – 31 December 2025); the rest is billed on" in shown
        assert "50 % off the list price of API calls and Tokens from 15 October 2025." in shown
        assert "“the deal”" in shown
        assert "by grace, 31 October 2025, 23:00 UTC" in shown

    def test_it_shows_what_was_agreed_at_an_instant(self, revops, october, clock_at):
        Deal(revops, october.contract).save(**the_deal(october))
        address = page("change", october.contract.pk)

        earlier = revops.get(address, {"as_of_0": "2025-10-31", "as_of_1": "22:59"})
        assert earlier.context["then"] == [
            f"On {october.contract.rate_card.name}.",
            "From 1 October 2025 up to 1 January 2026.",
            "Usage is billed monthly, counted from 1 October 2025.",
        ]
        assert "As agreed on 31 October 2025, 22:59 UTC. Back to now" in text_of(earlier)
        assert "50 % off" in revops.get(address, {"as_of_0": "2025-10-31", "as_of_1": "23:00"}).context["then"][-1]
        for asked, rule in (("2020-01-01", "There was no such contract yet."), ("2030-01-01", "Nothing is known yet")):
            assert rule in text_of(revops.get(address, {"as_of_0": asked}))

    def test_names_are_escaped(self, revops, october):
        october.customer.name = "<script>alert(1)</script>"
        october.customer.save()
        assert "<script>alert(1)" not in revops.get(page("change", october.contract.pk)).content.decode()

    def test_it_takes_the_same_queries_with_few_terms_and_with_many(self, revops, october):
        counts = []
        for more in (1, 4):
            for _ in range(more):
                OverrideFactory(contract=october.contract, product=ProductFactory())
                CommitFactory(contract=october.contract)
            with CaptureQueriesContext(connection) as captured:
                revops.get(page("change", october.contract.pk))
            counts.append(len(captured))

        assert counts[0] == counts[1]

    def test_a_contract_without_a_rate_card_has_a_page_too(self, revops):
        contract = ContractFactory(rate_card=None)
        assert "without a rate card" in text_of(revops.get(page("change", contract.pk)))

    def test_a_contract_that_does_not_exist_has_no_page(self, revops, october):
        for name in ("change", "edit"):
            assert revops.get(page(name, october.customer.pk)).status_code == 404
