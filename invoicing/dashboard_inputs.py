"""The request for an address of a dashboard, as the compatible API has it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from rest_framework import serializers

from billing_site.foundation.fields import Shape, TextField, text_map
from billing_site.foundation.refusals import NotSupported, Refusal
from invoicing.embedding import COLOURS, DASHBOARDS, HEX, INVOICES, LONGEST, USAGE, Embed, KeyName, signed
from pricing.serializers.common import OPTIONAL

BOOLEANS = ("true", "false")
OF_INVOICES: Mapping[str, Sequence[str]] = {
    "show_zero_usage_line_items": BOOLEANS,
    "invoice_type": ("USAGE", "SCHEDULED"),
    "invoice_status_filter": ("VOID", "FINALIZED", "DRAFT", "FINALIZED_AND_DRAFT", "ALL"),
    "hide_voided_invoices": BOOLEANS,
}
OF_BALANCES: Mapping[str, Sequence[str]] = {"hide_grant_name": BOOLEANS}
IDS = {"contract_id": (INVOICES,), "credit_ledger_credit_type_id": tuple(set(DASHBOARDS) - {INVOICES, USAGE})}


class KeyNameRequest(Shape):
    group_key_name = TextField()
    display_name = TextField(**OPTIONAL)
    value_display_names = text_map(help_text="What values of the key are called.", **OPTIONAL)


class ColourRequest(Shape):
    name = serializers.ChoiceField(sorted(COLOURS))
    value = TextField(help_text="Hex: #rgb or #rrggbb.")


class OptionRequest(Shape):
    key = TextField(help_text=f"One of {', '.join(sorted({*OF_INVOICES, *OF_BALANCES, *IDS}))}.")
    value = TextField()


class EmbeddableUrlRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    dashboard = serializers.ChoiceField(list(DASHBOARDS))
    bm_group_key_overrides = KeyNameRequest(
        many=True, help_text="Names of group keys and of their values, on the usage dashboard.", **OPTIONAL
    )
    color_overrides = ColourRequest(many=True, **OPTIONAL)
    dashboard_options = OptionRequest(many=True, **OPTIONAL)


class EmbeddableUrlReply(serializers.Serializer):
    url = serializers.CharField(help_text="For an iframe; it holds for an hour.")


def to_embed(sent: Mapping[str, Any]) -> Embed:
    """What the request asks for. Raises Refusal naming field, value and rule; NotSupported."""
    embed = Embed(
        customer_id=sent["customer_id"],
        dashboard=sent["dashboard"],
        options=dict(_options(sent.get("dashboard_options") or (), sent["dashboard"])),
        colours=dict(_colours(sent.get("color_overrides") or ())),
        names={
            each["group_key_name"]: KeyName(
                each.get("display_name") or each["group_key_name"], each.get("value_display_names") or {}
            )
            for each in sent.get("bm_group_key_overrides") or ()
        },
    )
    length = len(signed(embed))
    if length > LONGEST:
        rule = f"makes the address {length} characters long, and {LONGEST} are the most: name fewer values"
        raise Refusal.of("bm_group_key_overrides", len(embed.names), rule)
    return embed


def _colours(sent: Iterable[Mapping[str, str]]) -> Iterable[tuple[str, str]]:
    for index, colour in enumerate(sent):
        if not HEX.fullmatch(colour["value"]):
            rule = "must be a hex value such as #0f766e"
            raise Refusal.of(f"color_overrides[{index}].value", colour["value"], rule)
        yield colour["name"], colour["value"]


def _options(sent: Iterable[Mapping[str, str]], dashboard: str) -> Iterable[tuple[str, str]]:
    own = OF_INVOICES if dashboard == INVOICES else OF_BALANCES if dashboard != USAGE else {}
    for index, option in enumerate(sent):
        key, value, field = option["key"], option["value"], f"dashboard_options[{index}]"
        if key == "billable_status_filter":
            raise NotSupported("billable_status_filter is about plans, which this server does not have.")
        if key in IDS and dashboard in IDS[key]:
            yield key, _id(value, f"{field}.value")
        elif key not in own:
            known = sorted({*own, *(name for name, on in IDS.items() if dashboard in on)})
            rule = f"must be an option of the dashboard {dashboard}, which are: {', '.join(known) or 'none'}"
            raise Refusal.of(f"{field}.key", key, rule)
        elif value not in own[key]:
            raise Refusal.of(f"{field}.value", value, f"must be one of {', '.join(own[key])}")
        else:
            yield key, value


def _id(value: str, field: str) -> str:
    try:
        return str(UUID(value))
    except ValueError as error:
        raise Refusal.of(field, value, "must be a UUID") from error
