"""JSON in and out, exact: numbers are decimals from the wire to the wire and never pass through a float."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import IO, Any

import msgspec
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from billing_site.foundation.refusals import Refusal

_encoder = msgspec.json.Encoder(enc_hook=str)


class ExactJSONParser(BaseParser):
    """Reads any body as JSON, whatever its content type says. An empty body is an empty object."""

    media_type = "*/*"

    def parse(self, stream: IO[bytes], media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read()
        if not body.strip():
            return {}
        try:
            data = json.loads(body, parse_float=_number, parse_constant=Decimal)
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}.") from error
        _refuse_unstorable(data)
        if not isinstance(data, dict):
            raise ParseError("The body must be a JSON object.")
        return data


class ExactJSONRenderer(BaseRenderer):
    """Writes decimals as plain JSON numbers: no quotes, no exponent, no trailing zeros."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else _encoder.encode(exact(data))


class AlwaysJSON(BaseContentNegotiation):
    """The API speaks JSON to everybody; an Accept header never leads to 406."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


def exact(value: Any) -> Any:
    """`value` with each decimal replaced by the digits that go on the wire."""
    if isinstance(value, Decimal):
        return msgspec.Raw(plain(value).encode())
    if isinstance(value, Mapping):
        return {str(key): exact(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [exact(item) for item in value]
    return value


def plain(number: Decimal) -> str:
    """The shortest plain spelling: 12.500 is 12.5, 1E+3 is 1000, -0 is 0."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _number(text: str) -> Decimal:
    """A number with a point or an exponent. What is beyond all that decimals can hold is infinite, and refused so."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("-Infinity" if text.startswith("-") else "Infinity")


def _refuse_unstorable(data: Any) -> None:
    """PostgreSQL stores neither NUL nor lone surrogates, and we no NaN and no infinity; say so, and where."""
    pending = [("", data)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, str):
            if "\x00" in value:
                raise Refusal.of(path or "body", value, "must not contain the character U+0000")
            if any("\ud800" <= character <= "\udfff" for character in value):
                raise Refusal.of(path or "body", value, "must be text without lone surrogates")
        elif isinstance(value, Decimal):
            if not value.is_finite():
                raise Refusal.of(path or "body", value, "must be a finite number")
        elif isinstance(value, dict):
            for key, item in value.items():
                pending.append((f"{path}.(name)".lstrip("."), key))
                pending.append((f"{path}.{key}".lstrip("."), item))
        elif isinstance(value, list):
            pending.extend((f"{path}[{index}]", item) for index, item in enumerate(value))
