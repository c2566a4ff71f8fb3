"""Usage events come in here."""

import zlib
from typing import IO, Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import clock
from billing_site.foundation.models import ApiToken
from billing_site.foundation.refusals import FieldError, Refusal
from ledger.presentation import trial_json
from ledger.serializers import IngestReply, SentEvent, TrialReply
from ledger.services.dry_run import try_events
from ledger.services.ingest import Call, Source, read_events
from ledger.services.ingest.gate import Gate
from ledger.services.ingest.reading import MAX_EVENTS
from ledger.services.ingest.transaction import ingest_calls

MAX_BYTES = 16 * 1024 * 1024

_gate = Gate(ingest_calls)


class EventsParser(BaseParser):
    """The bytes of the body, unpacked where they came packed, and never more than the limit of them."""

    media_type = "*/*"

    def parse(self, stream: IO[bytes], media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read(MAX_BYTES + 1)
        encoding = parser_context["request"].META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
        if encoding in ("gzip", "x-gzip"):
            body = unpacked(body)
        elif encoding not in ("", "identity"):
            raise Refusal.of("Content-Encoding", encoding, "must be gzip or identity")
        if len(body) > MAX_BYTES:
            raise Refusal.of("body", f"more than {MAX_BYTES} bytes", f"must have at most {MAX_BYTES} bytes")
        return body


def unpacked(body: bytes) -> bytes:
    """What a gzip body holds; one byte more than the limit at the most. Raises Refusal."""
    parts: list[bytes] = []
    size = 0
    try:
        while body and size <= MAX_BYTES:
            member = zlib.decompressobj(wbits=31)
            part = member.decompress(body, MAX_BYTES + 1 - size)
            size += len(part)
            parts.append(part)
            if not member.eof and size <= MAX_BYTES:
                raise Refusal.of("body", f"{len(body)} bytes", "must be complete gzip")
            body = member.unused_data
    except zlib.error as error:
        raise Refusal("The body is not gzip.", FieldError("body", str(error), "must be gzip")) from error
    return b"".join(parts)


class Ingest(GenericAPIView):
    """Store usage events, each exactly once."""

    required_scope = "ingest"
    parser_classes = [EventsParser]

    @extend_schema(
        summary="Post usage events",
        description=f"Up to {MAX_EVENTS:,} events and {MAX_BYTES // 2**20} MiB a call; gzip is welcome. One bad event "
        "refuses the call, and each bad one is named with field, value and rule. A repeat changes nothing.",
        request=SentEvent(many=True),
        responses=IngestReply,
    )
    def post(self, request: Request) -> Response:
        at = clock.now()
        body: Any = request.data or b""  # bytes: what the parser gives, and it is not asked about nothing
        receipt = _gate.submit(Call.of(read_events(body, at=at), at=at, source=source_of(request)))
        conflicts = [
            {
                "index": conflict.index,
                "transaction_id": conflict.transaction_id,
                "customer_id": conflict.customer_id,
                "differs": list(conflict.differs),
            }
            for conflict in receipt.conflicts
        ]
        return Response({"accepted": receipt.accepted, "duplicates": receipt.duplicates, "conflicts": conflicts})


def source_of(request: Request) -> Source:
    """The system behind a token, or the person trying the reference page."""
    token = request.auth
    if isinstance(token, ApiToken):
        return Source(token.source, token.pk)
    return Source(request.user.get_username())


class DryRun(GenericAPIView):
    """Say what events would do: which metrics would count them and why the others not, whose they are, at what price.

    Nothing is stored. Each event is looked at by itself.
    """

    required_scope = "read"
    parser_classes = [EventsParser]
    pagination_class = None

    @extend_schema(summary="Try usage events", request=SentEvent(many=True), responses=TrialReply(many=True))
    def post(self, request: Request) -> Response:
        body: Any = request.data or b""
        return Response({"data": [trial_json(trial) for trial in try_events(body, at=clock.now())]})
