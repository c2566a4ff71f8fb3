from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import clock
from billing_site.foundation.transactions import read_snapshot
from pricing import queries, services
from pricing.formula_presentation import formula_json, stated_json
from pricing.serializers.common import enveloped, given
from pricing.serializers.formulas import FormulaChange, FormulaGet, FormulaReply, FormulaSet, StatedReply
from pricing.views.base import PricingView, PricingWrite


class _StateFormula(PricingWrite):
    def state(self, sent: dict[str, Any], said: services.WholeFormula | services.ChangedNumbers) -> Response:
        card_id, product_id = sent["rate_card_id"], sent["product_id"]
        starting_at, exceptions = sent["starting_at"], sent.get("exceptions")
        if sent.get("dry_run"):
            stated = services.planned_formula(card_id, product_id, said, starting_at=starting_at, exceptions=exceptions)
        else:
            stated = services.state_formula(
                card_id,
                product_id,
                said,
                starting_at=starting_at,
                exceptions=exceptions,
                reason=sent.get("reason", ""),
                **self.told(self.request),
            )
        return Response({"data": stated_json(stated)})


class SetFormula(_StateFormula):
    serializer_class = FormulaSet

    @extend_schema(
        summary="State the prices of a usage product as a formula, expanded into a rate for each combination",
        responses={200: enveloped(StatedReply)},
    )
    def post(self, request: Request) -> Response:
        sent = given(self.read(request))
        said = services.WholeFormula(sent["nodes"], sent["entitled"], sent.get("credit_type_id"))
        return self.state(sent, said)


class ChangeFormula(_StateFormula):
    serializer_class = FormulaChange

    @extend_schema(
        summary="Change numbers of a formula from an instant on: just the prices that depend on them move",
        responses={200: enveloped(StatedReply)},
    )
    def post(self, request: Request) -> Response:
        sent = given(self.read(request))
        return self.state(sent, services.ChangedNumbers(sent["nodes"]))


class GetFormula(PricingView):
    serializer_class = FormulaGet

    @extend_schema(
        summary="Read the formula of a product on a card, with the prices that it makes beside those in force",
        responses={200: enveloped(FormulaReply)},
    )
    def post(self, request: Request) -> Response:
        sent = given(self.read(request))
        at, known = sent.get("at") or clock.now(), self.known(sent)
        with read_snapshot():
            card = queries.rate_card(sent["rate_card_id"], field="rate_card_id")
            product_id = sent["product_id"]
            statements = queries.formulas_of(card, product_id, at_publication=known)
            formula = queries.formula_in_force(statements, product_id, at=at)
            prices = queries.prices_of_formula(formula, at=at, at_publication=known)
        return Response({"data": formula_json(formula, prices, statements)})
