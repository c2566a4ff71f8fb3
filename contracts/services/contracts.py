"""Creating contracts."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.custom_fields import Entity, check_custom_fields
from billing_site.foundation.periods import Period, floor_day
from billing_site.foundation.problems import Problems, save
from billing_site.foundation.refusals import Conflict, Refusal
from contracts.inputs import ContractInput, StatementScheduleInput
from contracts.models import Contract, ContractEdit, ContractTerms, Customer, Package
from contracts.queries import AgreedServices, Agreement, by_what_recurs, customer_terms, providers_by_contract, to_terms
from contracts.queries.customers import no_such_customer
from contracts.services.additions import Added, AddedRows, added_rows, deal_for
from contracts.services.checks import days, instant, short_text, term_range, uniqueness_key
from contracts.services.commercial import commercial_columns
from contracts.services.end_checks import check_policy
from contracts.services.overlaps import check_overlap
from contracts.services.package_terms import from_package
from contracts.services.provider_choice import providers_at_first
from contracts.services.recording import add_terms, record_edit, stamp
from contracts.services.renewals import plan_renewal
from contracts.services.royalties import royalties_at_first
from contracts.services.usage_filters import with_filters
from contracts.terms import CustomerTerms
from contracts.transactions import money_transaction
from pricing.models import RateCard
from pricing.queries import rate_card_of_alias

DAYS = ("FIRST_OF_MONTH", "CONTRACT_START", "CUSTOM_DATE")


@money_transaction
def create_contract(customer: Customer, given: ContractInput, *, reason: str = "", at: datetime, by: Actor) -> Contract:
    """A new contract with its terms, as one edit. Where it renews another, that one ends by an edit before.

    A rate card named by its alias is the one that the alias means at the contract's start; later changes of the
    alias do not move the contract. One that is made from a package has the package's terms from then on
    (`docs/packages.md`). Raises Conflict where the uniqueness key was used, NotFound where there is no such package,
    NotSupported, and Refusal naming every field that breaks a rule.
    """
    problems = Problems()
    contract, terms, rows = _planned(customer, given, problems, at=at, by=by)
    renewal = plan_renewal(customer, given, problems, at=at)
    _check_overlap(problems, terms, apart_from=renewal.contract if renewal else None)
    problems.refuse()
    if renewal is not None:
        contract.renews = renewal.contract
        renewal.save(contract, at=at, by=by)
    save(contract, reason=reason)
    edit = record_edit(customer, ContractEdit.Kind.CREATION, contract=contract, reason=reason, at=at, by=by)
    add_terms(edit, [terms])
    rows.save(contract, edit)
    return contract


def _planned(
    customer: Customer, given: ContractInput, problems: Problems, *, at: datetime, by: Actor
) -> tuple[Contract, ContractTerms, AddedRows]:
    """The rows of a contract, from a package where one is named. What is wrong goes to `problems`."""
    refuse_archived(customer)
    key = given.uniqueness_key
    if key and Contract.objects.filter(customer=customer, uniqueness_key=key).exists():
        raise key_was_used(key)
    package: Package | None = None
    if given.package_id is not None or given.package_alias:
        package, given = from_package(given)
    contract, terms, rows = planned_contract(given, problems, customer=customer, at=at, by=by)
    contract.package = package
    return contract, terms, rows


def _check_overlap(problems: Problems, terms: ContractTerms, *, apart_from: Contract | None = None) -> None:
    contract = terms.contract
    check_overlap(
        problems,
        "starting_at",
        contract.starting_at,
        contract.customer,
        starting_at=contract.starting_at,
        ending_before=terms.ending_before,
        rate_card_id=contract.rate_card_id,
        filters=terms.to_filters(),
        apart_from=apart_from,
    )


def planned_contract(
    given: ContractInput, problems: Problems, *, customer: Customer | None, at: datetime, by: Actor
) -> tuple[Contract, ContractTerms, AddedRows]:
    """The rows of a contract with its terms, not saved; of a package's, no customer's yet. What is wrong goes to
    `problems`."""
    key = given.uniqueness_key
    term_range(problems, given.starting_at, given.ending_before)
    short_text(problems, "name", given.name)
    uniqueness_key(problems, key)
    check_custom_fields(problems, Entity.CONTRACT, given.custom_fields)
    if given.multiplier_override_prioritization not in Contract.Prioritization.values:
        problems.add(
            "multiplier_override_prioritization",
            given.multiplier_override_prioritization,
            f"must be one of {', '.join(Contract.Prioritization.values)}",
        )
    if given.scheduled_charges_on_usage_invoices not in Contract.Charges.values:
        problems.add(
            "scheduled_charges_on_usage_invoices",
            given.scheduled_charges_on_usage_invoices,
            f"must be {Contract.Charges.ALL} or absent",
        )
    net_days = days(problems, "net_payment_terms_days", given.net_payment_terms_days)
    contract = Contract(
        **({"customer": customer} if customer else {}),
        starting_at=given.starting_at,
        rate_card=_rate_card(given, problems),
        frequency=given.usage_statement_schedule.frequency,
        billing_anchor_at=_anchor(given, problems.within("usage_statement_schedule")),
        invoicing_starts_at=_start_of_invoicing(given, problems.within("usage_statement_schedule")),
        multiplier_override_prioritization=given.multiplier_override_prioritization,
        scheduled_charges_on_usage_invoices=given.scheduled_charges_on_usage_invoices,
        uniqueness_key=key,
        custom_fields=dict(given.custom_fields),
        **commercial_columns(given, problems),
        created_at=at,
        created_by=by.label,
    )
    added = Added(
        "",
        given.overrides,
        given.commits,
        given.credits,
        given.scheduled_charges,
        given.discounts,
        given.professional_services,
        given.recurring_commits,
        given.recurring_credits,
        given.subscriptions,
    )
    term = within(given.starting_at, given.ending_before)
    rows = added_rows(added, deal_for(contract, added), problems, contract=contract, term=term, at=at)
    check_policy(problems, "end_policy", given.end_policy, contract=contract, ending_before=given.ending_before)
    filters = [(problems.within("usage_filter"), given.usage_filter)] if given.usage_filter else []
    terms = ContractTerms(
        contract=contract,
        name=given.name,
        ending_before=given.ending_before,
        net_payment_terms_days=net_days,
        end_policy=given.end_policy,
        usage_filters=with_filters([], filters, contract),
        providers=providers_at_first(given, contract, problems),
        royalties=royalties_at_first(given.reseller_royalties, problems),
    )
    return contract, terms, rows


def contract_as_planned(customer_id: UUID, given: ContractInput, *, at: datetime, by: Actor) -> Agreement:
    """The contract that `create_contract` would make, which renews none. Writes nothing. Raises what that raises."""
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        raise no_such_customer(customer_id)
    problems = Problems()
    contract, terms, rows = _planned(customer, given, problems, at=at, by=by)
    _check_overlap(problems, terms)
    problems.refuse()
    edit = ContractEdit(customer=customer, number=customer.last_edit_number + 1, created_at=at, created_by=by.label)
    stamp(edit, [terms])
    rows.stamp(contract, edit)
    recurring = by_what_recurs(rows.recurring)
    return Agreement(
        contract,
        terms,
        rows.overrides,
        rows.commits,
        rows.charges,
        recurring,
        subscriptions=rows.subscriptions,
        services=AgreedServices(rows.services),
        providers=providers_by_contract([terms]).get(contract.pk, ()),
    )


def terms_with(planned: Agreement) -> CustomerTerms:
    """What would be agreed with the customer if the planned contract were made. Read it in one snapshot with what it is
    compared to."""
    now = customer_terms(planned.contract.customer_id)
    return replace(now, edit_number=now.edit_number + 1, contracts=(*now.contracts, to_terms(planned)))


def within(starting_at: datetime, ending_before: datetime | None) -> Period:
    """The term of a contract; of one that would end before it starts, and is refused for it, as if it were open."""
    is_possible = ending_before is None or ending_before > starting_at
    return Period(starting_at, ending_before if is_possible else None)


def refuse_archived(customer: Customer) -> None:
    if customer.archived_at is not None:
        raise Refusal.of("customer_id", customer.pk, "must be the id of a customer that is not archived")


def key_was_used(key: str) -> Refusal:
    return Conflict.of("uniqueness_key", key, "was already used for this customer; nothing was done again")


def _rate_card(given: ContractInput, problems: Problems) -> RateCard | None:
    if given.rate_card_id is not None and given.rate_card_alias:
        problems.add("rate_card_alias", given.rate_card_alias, "cannot be combined with rate_card_id")
        return None
    if given.rate_card_alias:
        card = rate_card_of_alias(given.rate_card_alias, at=given.starting_at)
        field, value, rule = "rate_card_alias", given.rate_card_alias, "must be an alias at the contract's start"
    elif given.rate_card_id is not None:
        card = RateCard.objects.select_related("fiat_unit").filter(pk=given.rate_card_id).first()
        field, value, rule = "rate_card_id", str(given.rate_card_id), "must be the id of a rate card"
    else:
        if not (
            given.commits
            or given.credits
            or given.recurring_commits
            or given.recurring_credits
            or given.scheduled_charges
            or given.discounts
            or given.professional_services
        ):
            problems.add("rate_card_id", None, "is required, or rate_card_alias, or terms with fixed amounts")
        return None
    if card is None:
        problems.add(field, value, rule)
    elif card.archived_at is not None:
        problems.add(field, value, "must not be that of an archived rate card")
    return card


def _anchor(given: ContractInput, problems: Problems) -> datetime:
    """Where billing periods are counted from."""
    schedule: StatementScheduleInput = given.usage_statement_schedule
    if schedule.frequency not in Contract.Frequency.values:
        problems.add("frequency", schedule.frequency, f"must be one of {', '.join(Contract.Frequency.values)}")
    if schedule.day not in DAYS:
        problems.add("day", schedule.day, f"must be one of {', '.join(DAYS)}")
    anchor = schedule.billing_anchor_date
    if schedule.day == "CUSTOM_DATE":
        if anchor is None:
            problems.add("billing_anchor_date", None, "is required for the day CUSTOM_DATE")
            return given.starting_at
        instant(problems, "billing_anchor_date", anchor)
        problems.hour("billing_anchor_date", anchor)
        return anchor
    if anchor is not None:
        problems.add("billing_anchor_date", anchor.isoformat(), "belongs to the day CUSTOM_DATE")
    return given.starting_at if schedule.day == "CONTRACT_START" else floor_day(given.starting_at).replace(day=1)


def _start_of_invoicing(given: ContractInput, problems: Problems) -> datetime | None:
    """From when on usage is on documents of ours; None: from the contract's start."""
    name, starts = "invoice_generation_starting_at", given.usage_statement_schedule.invoice_generation_starting_at
    if starts is None:
        return None
    instant(problems, name, starts)
    problems.hour(name, starts)
    if starts < given.starting_at:
        problems.add(name, starts.isoformat(), "must not be before the contract's start")
    elif (
        given.ending_before is not None
        and starts >= given.ending_before
        and not given.usage_statement_schedule.is_carried_on
    ):
        problems.add(name, starts.isoformat(), "must be before the contract's end")
    return starts
