"""What happens when a contract ends: `docs/end_policies.md`, by the official client and the due work of the clock."""

import metronome
import pytest
from django.db import IntegrityError, transaction

from billing_site.foundation import tokens
from billing_site.foundation.models import Job
from contracts import services
from contracts.models import Contract, ContractTerms
from contracts.queries import agreement
from contracts.wording import history_in_words
from invoicing.queries import next_due
from invoicing.services import do_due_work, queue_due_work
from pricing.services import archive_rate_card
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, OCTOBER, at, sdk, use

pytestmark = pytest.mark.django_db

START, END = at("2025-01-31"), at("2025-07-31")


@pytest.fixture
def api(clock_at):
    clock_at("2025-01-31")
    return sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1])


@pytest.fixture
def half_year(api, price_list):
    """The contract of the worked table, with this policy."""
    customer = CustomerFactory(name="Acme", aliases=["acme"])
    pack = {
        "type": "PREPAID",
        "product_id": str(FixedProductFactory().pk),
        "name": "Pack",
        "access_schedule": {
            "schedule_items": [{"amount": 10000, "starting_at": START, "ending_before": at("2025-04-30")}]
        },
    }
    half = {"type": "MULTIPLIER", "multiplier": 0.5, "starting_at": at("2025-02-28")}

    def made(policy, **more):
        terms = {
            "starting_at": START,
            "ending_before": END,
            "name": "Half a year",
            "net_payment_terms_days": 14,
            "custom_fields": {"crm": "7"},
            "usage_statement_schedule": {"frequency": "MONTHLY", "day": "CONTRACT_START"},
            "commits": [pack],
            "overrides": [half],
            "rate_card_id": str(price_list.card.pk),
        }
        body = {"end_policy": policy} if policy else {}
        made = api.v1.contracts.create(customer_id=str(customer.pk), extra_body=body, **{**terms, **more})
        return Contract.objects.select_related("customer", "rate_card").get(pk=made.data.id)

    return made


def successors(contract):
    found = Contract.objects.filter(renews=contract)
    return [agreement(each.customer_id, each.pk) for each in found]


def edited(api, contract, **body):
    ids = {"customer_id": str(contract.customer_id), "contract_id": str(contract.pk)}
    return api.v2.contracts.edit(**ids, extra_body=body).data.edit.to_dict()


def policy_of(contract):
    return agreement(contract.customer_id, contract.pk).terms.end_policy


# --- At the end -----------------------------------------------------------------------------------------------------


def test_it_stops_where_nothing_else_is_said(half_year):
    contract = half_year(None)
    do_due_work(at=END)
    assert (policy_of(contract), successors(contract)) == ("STOP", [])


@pytest.mark.parametrize(
    ("policy", "end", "commits", "overrides"),
    [
        ("LIST_PRICE", None, [], []),
        ("RENEW", at("2026-01-31"), [(at("2025-07-31"), at("2025-10-31"))], [at("2025-08-31")]),
    ],
)
def test_the_worked_table(half_year, policy, end, commits, overrides):
    contract = half_year(policy)
    assert next_due(at("2025-07-30"), END) == END
    do_due_work(at=at("2025-07-30T23"))
    assert successors(contract) == []
    do_due_work(at=END)
    do_due_work(at=at("2025-08-15"))

    [after] = successors(contract)
    terms = after.terms
    assert (after.contract.starting_at, terms.ending_before, terms.end_policy) == (
        END,
        end,
        policy if end else "STOP",
    )
    assert (terms.name, terms.net_payment_terms_days, after.contract.custom_fields) == ("Half a year", 14, {"crm": "7"})
    assert (after.contract.billing_anchor_at, after.contract.created_at) == (START, END)
    segments = [segment for each in after.commits for segment in each.segments]
    assert [(each.starting_at, each.ending_before) for each in segments] == commits
    assert [each.starting_at for each in after.overrides] == overrides
    assert after.contract.created_by == "end of contract"
    assert [each.state for each in Job.objects.filter(kind="go_on")] == ["DONE"]


def test_it_renews_again_and_again_and_bills_each_time(half_year, price_list, api):
    contract = half_year("RENEW")
    use(price_list.calls_made, "2025-07-31T00", 100, {})
    for month in ("2025-07-31", "2026-01-31", "2026-07-31"):
        do_due_work(at=at(month))
    assert Contract.objects.count() == 4
    [second] = successors(contract)
    found = api.v1.customers.invoices.list(customer_id=str(contract.customer_id), type="USAGE")
    [first] = [each for each in found if (each.contract_id, each.start_timestamp) == (str(second.contract.pk), END)]
    assert sorted((line.name, line.total) for line in first.line_items) == [("API calls", 200), ("Pack", -200)]


def test_two_workers_let_it_go_on_once(half_year):
    contract = half_year("RENEW")
    told = {"at": END, "by": ADA}
    first = services.go_on(contract.customer, contract.pk, **told)
    assert (first is not None, services.go_on(contract.customer, contract.pk, **told)) == (True, None)
    assert len(successors(contract)) == 1


def test_the_job_is_asked_for_once_by_those_who_look_each_minute(half_year):
    half_year("LIST_PRICE")
    asked = [[job.kind for job in queue_due_work(at=END)].count("go_on") for _ in range(2)]
    assert asked == [1, 0]


def test_what_is_refused_parks_its_job_alone_and_is_tried_again(half_year, price_list):
    contract = half_year("LIST_PRICE")
    archive_rate_card(price_list.card.pk, at=DECEMBER, by=ADA)
    do_due_work(at=END)
    job = Job.objects.get(kind="go_on")
    assert (job.state, successors(contract)) == ("FAILED", [])
    assert "archived rate card" in job.error
    price_list.card.refresh_from_db()
    price_list.card.archived_at = None
    price_list.card.save()
    do_due_work(at=at("2025-08-01"))
    assert len(successors(contract)) == 1


# --- As a term ------------------------------------------------------------------------------------------------------


def test_it_is_a_term_with_a_history_and_can_be_undone(api, half_year):
    contract = half_year("STOP")
    edit = edited(api, contract, update_end_policy="RENEW")
    assert (policy_of(contract), edit["update_end_policy"]) == ("RENEW", "RENEW")
    shown = api.v2.contracts.retrieve(customer_id=str(contract.customer_id), contract_id=str(contract.pk)).data
    assert shown.end_policy == "RENEW"
    assert history_in_words(contract)[0].changes == ("At its end it renews.",)
    services.undo_edit(contract.customer_id, contract.pk, edit["id"], at=at("2025-02-01"), by=ADA)
    assert policy_of(contract) == "STOP"


@pytest.mark.parametrize(
    ("body", "policy"),
    [
        pytest.param({"update_contract_end_date": "2025-05-31T00:00:00Z"}, "STOP", id="cut short"),
        pytest.param({"update_contract_end_date": None}, "STOP", id="opened"),
        pytest.param({"update_contract_end_date": "2025-09-30T00:00:00Z"}, "RENEW", id="prolonged"),
        pytest.param(
            {"update_contract_end_date": "2025-05-31T00:00:00Z", "update_end_policy": "LIST_PRICE"},
            "LIST_PRICE",
            id="cut short, and said",
        ),
        pytest.param({"update_contract_name": "New name"}, "RENEW", id="something else"),
    ],
)
def test_who_ends_a_contract_earlier_ends_its_policy(api, half_year, body, policy):
    contract = half_year("RENEW")
    edit = edited(api, contract, **body)
    assert policy_of(contract) == policy
    assert edit.get("update_end_policy") == (policy if policy != "RENEW" else None)


def test_what_cannot_be_said_is_refused_by_name(api, half_year, clock_at):
    def refused(call):
        with pytest.raises(metronome.BadRequestError) as refusal:
            call()
        return [(each["field"], each["rule"]) for each in refusal.value.body["errors"]]

    assert refused(lambda: half_year("FOREVER"))[0][0] == "end_policy"
    opened = refused(lambda: half_year("RENEW", ending_before=metronome.NOT_GIVEN, commits=[]))
    assert opened == [("end_policy", "must be STOP: the contract has no end")]
    [(field, rule)] = refused(lambda: half_year("LIST_PRICE", rate_card_id=metronome.NOT_GIVEN, overrides=[]))
    assert (field, rule) == ("end_policy", "needs a rate card, whose list prices would hold")
    contract = half_year("STOP")
    clock_at("2025-08-01")
    [(field, rule)] = refused(lambda: edited(api, contract, update_end_policy="RENEW"))
    assert (field, rule.startswith("must be told before the contract ends")) == ("update_end_policy", True)
    assert policy_of(contract) == "STOP"
    with pytest.raises(IntegrityError, match="what_has_no_end_goes_on_by_itself"), transaction.atomic():
        ContractTerms.objects.bulk_create(
            [
                ContractTerms(
                    contract=contract,
                    customer=contract.customer,
                    added_by_edit=contract.terms.get().added_by_edit,
                    created_at=JANUARY,
                    end_policy="RENEW",
                )
            ]
        )


def test_what_was_renewed_by_hand_goes_on_by_itself_no_more(api, half_year, price_list):
    contract = half_year("RENEW")
    api.v1.contracts.create(
        customer_id=str(contract.customer_id),
        starting_at=at("2025-06-30"),
        rate_card_id=str(price_list.card.pk),
        transition={"type": "RENEWAL", "from_contract_id": str(contract.pk)},
    )
    do_due_work(at=END)
    assert len(successors(contract)) == 1
    assert Contract.objects.count() == 2


def test_one_that_ends_before_its_usage_is_invoiced_here_renews_up_to_then_and_on(api, half_year):
    """Half-years that begin before 1 March 2026, from when on usage is invoiced; the first two end before it."""
    starts = at("2026-03-01")
    schedule = {"frequency": "MONTHLY", "day": "CONTRACT_START", "invoice_generation_starting_at": starts}
    longer = half_year("RENEW", ending_before=at("2026-07-31"), usage_statement_schedule=schedule)
    edited(api, longer, update_contract_end_date=END.isoformat(), update_end_policy="RENEW")
    do_due_work(at=END)
    [second] = successors(longer)
    assert (second.terms.ending_before, second.contract.invoicing_starts_at) == (at("2026-01-31"), starts)
    do_due_work(at=at("2026-01-31"))
    [third] = successors(second.contract)
    assert (third.terms.ending_before, third.contract.invoicing_starts_at) == (at("2026-07-31"), starts)
    assert not Job.objects.filter(state=Job.State.FAILED).exists()
