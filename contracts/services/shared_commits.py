"""Commits and credits of the customer, which its contracts share.

What is invoiced for one is on documents of the contract that it names, in the money of that contract. One that bills
nothing may be held in any money, and is drawn on by contracts in that money. An archived contract bills nothing more:
it can be named neither way.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.problems import Problems
from contracts.inputs import SharedCommitInput
from contracts.models import Commit, Contract, ContractEdit, Customer
from contracts.queries import AgreedCommit, customer_terms, dates_charged, no_such_customer
from contracts.services.additions import Added
from contracts.services.checks import OF_THE_CUSTOMER, Deal, fiat_of, not_archived, short_text, uniqueness_key
from contracts.services.commits import commit_rows
from contracts.services.contracts import key_was_used, refuse_archived
from contracts.services.recording import add_terms, record_edit, stamp
from contracts.terms import CustomerTerms
from contracts.transactions import money_transaction
from pricing.models import PricingUnit
from pricing.queries import default_unit, products_by_id, units_by_id


@money_transaction
def create_shared_commit(
    customer: Customer, given: SharedCommitInput, *, reason: str = "", at: datetime, by: Actor
) -> Commit:
    """A new commit or credit of the customer, as one edit.

    Raises NotFound, Conflict where the uniqueness key was used, and Refusal naming every field that breaks a rule.
    """
    committed = plan_shared_commit(customer, given, at=at)
    edit = record_edit(customer, ContractEdit.Kind.BALANCE, reason=reason, at=at, by=by)
    for terms in committed.rows():
        add_terms(edit, terms)
    return committed.commit


def terms_after_shared_commit(customer_id: UUID, given: SharedCommitInput, *, at: datetime) -> CustomerTerms:
    """What would be agreed with the customer if `create_shared_commit` were called. Writes nothing.

    Read it in one snapshot with what it is compared to. Raises what `create_shared_commit` raises.
    """
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        raise no_such_customer(customer_id)
    committed = plan_shared_commit(customer, given, at=at)
    now = customer_terms(customer_id)
    edit = ContractEdit(customer=customer, number=now.edit_number + 1, created_at=at)
    for terms in committed.rows():
        stamp(edit, terms)
    added = committed.to_commit()
    return replace(now, edit_number=edit.number, commits=(*now.commits, added))


def plan_shared_commit(customer: Customer, given: SharedCommitInput, *, at: datetime) -> AgreedCommit:
    """The rows that `create_shared_commit` would write. Raises what it raises."""
    refuse_archived(customer)
    key = given.uniqueness_key
    if key and Commit.objects.filter(customer=customer, uniqueness_key=key).exists():
        raise key_was_used(key)
    problems = Problems()
    uniqueness_key(problems, key)
    short_text(problems, "salesforce_opportunity_id", given.salesforce_opportunity_id)
    contracts = {
        each.pk: each for each in Contract.objects.filter(customer=customer).select_related("rate_card__fiat_unit")
    }
    for index, contract_id in enumerate(given.applicable_contract_ids):
        _check_contract(problems, f"applicable_contract_ids[{index}]", contract_id, contracts)
    biller = _biller(given, contracts, problems)
    committed = commit_rows(given.commit, 0, _deal(given, contracts, biller, at), problems)
    problems.refuse()
    commit = committed.commit
    commit.applicable_contract_ids = [str(contract_id) for contract_id in dict.fromkeys(given.applicable_contract_ids)]
    commit.invoice_contract = biller
    commit.uniqueness_key = key
    commit.salesforce_opportunity_id = given.salesforce_opportunity_id
    return committed


def _check_contract(problems: Problems, name: str, contract_id: UUID, contracts: Mapping[UUID, Contract]) -> None:
    contract = contracts.get(contract_id)
    if contract is None:
        problems.add(name, contract_id, OF_THE_CUSTOMER)
    else:
        not_archived(problems, name, contract)


def _biller(given: SharedCommitInput, contracts: Mapping[UUID, Contract], problems: Problems) -> Contract | None:
    """The contract on whose documents it is billed."""
    biller_id, schedule = given.invoice_contract_id, given.commit.invoice_schedule
    if biller_id is not None:
        _check_contract(problems, "invoice_contract_id", biller_id, contracts)
    if biller_id is None and schedule is not None and not schedule.do_not_invoice:
        or_not = "" if given.commit.type == Commit.Type.POSTPAID else ", or do_not_invoice"
        problems.add("invoice_contract_id", None, f"is required: say which contract bills it{or_not}")
    elif biller_id in contracts and schedule is None:
        problems.add("invoice_contract_id", biller_id, "must not be given without an invoice_schedule")
    return contracts.get(biller_id) if biller_id is not None else None


def _deal(given: SharedCommitInput, contracts: Mapping[UUID, Contract], biller: Contract | None, at: datetime) -> Deal:
    """What the commit is checked against; at most five queries."""
    commit = given.commit
    added = Added("", (), (commit,), (), ())
    units = units_by_id(added.unit_ids())
    sharing = [contracts[each] for each in given.applicable_contract_ids if each in contracts] or contracts.values()
    return Deal(
        fiat=_fiat(biller, units),
        prioritization="",
        products=products_by_id(added.product_ids()),
        billed_through=_latest(contract.billed_through for contract in sharing),
        dates_charged=dates_charged(biller, at=at) if biller is not None else frozenset(),
        units=units,
    )


def _fiat(biller: Contract | None, units: Mapping[UUID, PricingUnit]) -> PricingUnit:
    if biller is not None:
        return fiat_of(biller)
    named = [unit for unit in units.values() if unit.is_currency]
    return named[0] if named else default_unit()


def _latest(instants: Iterable[datetime | None]) -> datetime | None:
    return max((instant for instant in instants if instant is not None), default=None)
