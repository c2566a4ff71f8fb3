"""Finding customers, contracts and balances by what people call them. Each query is answered by an index and bounded.

Names are found by the beginnings of their words: those of `words_of`, all of which they have. Ids of other systems, and
subjects, by their beginning. Values of custom fields, whatever their key, as a whole.
"""

import json
import re
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import BooleanField, Func, Q, QuerySet, Value

from contracts.models import Claim, Commit, Contract, ContractTerms, Customer

CONFIG = "simple"  # words as they are, in any language
NAMED = SearchVector("name", config=CONFIG)  # as in the indexes
MOST_WORDS = 6


def words_of(text: str) -> SearchQuery | None:
    """What names are asked for; None where there is no word in it."""
    words = re.findall(r"\w+", text.lower())[:MOST_WORDS]
    if not words:
        return None
    return SearchQuery(" & ".join(f"'{word}':*" for word in words), config=CONFIG, search_type="raw")


def customers_called(text: str) -> QuerySet[Customer]:
    found = Q(salesforce_account_id__startswith=text) | _has_value(text)
    return _called(Customer.objects.filter(archived_at=None), text, found).order_by("name", "pk")


def contracts_called(text: str) -> QuerySet[ContractTerms]:
    """The terms that stand; with contract and customer."""
    standing = ContractTerms.objects.filter(removed_by_edit=None, contract__archived_at=None)
    orders = Contract.objects.filter(
        Q(salesforce_opportunity_id__startswith=text) | Q(netsuite_sales_order_id__startswith=text) | _has_value(text)
    )
    named = _called(standing, text, Q(pk__in=[])).values("contract")
    found = standing.filter(contract__in=named.union(orders.values("pk"), all=True))
    return found.select_related("contract__customer").order_by("name", "pk")


def commits_called(text: str) -> QuerySet[Commit]:
    """By the name that they were added with, or the order that they were sold by."""
    found = _called(Commit.objects.filter(removed_by_edit=None), text, Q(netsuite_sales_order_id__startswith=text))
    return found.select_related("customer").order_by("name", "pk")


def subjects_called(text: str) -> QuerySet[Claim]:
    """The last claim of each subject, with its customer."""
    return (
        Claim.objects.filter(subject__startswith=text)
        .select_related("customer")
        .order_by("subject", "-sequence")
        .distinct("subject")
    )


def _called(rows: QuerySet[Any], text: str, otherwise: Q) -> QuerySet[Any]:
    words = words_of(text)
    if words is None:
        return rows.filter(otherwise)
    return rows.annotate(words=NAMED).filter(Q(words=words) | otherwise)


class _Matches(Func):
    """Of a JSON column and a path: what `@?` says, which the column's index answers."""

    template = "%(expressions)s"
    arg_joiner = " @? "
    output_field = BooleanField()


def _has_value(text: str) -> Q:
    """Some custom field says just this. `text` stands in the path as a JSON string."""
    path = Func(Value(f"$.* ? (@ == {json.dumps(text)})"), template="%(expressions)s::jsonpath")
    return Q(_Matches("custom_fields", path))
