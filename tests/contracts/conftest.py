import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from metronome import Metronome

from billing_site.foundation import tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.refusals import Refusal
from contracts import services
from contracts.inputs import EditInput
from contracts.models import Contract, ContractEdit
from tests.factories.contracts import NEXT_YEAR, OCTOBER, ContractFactory

NOW = datetime(2025, 10, 31, 23, tzinfo=UTC)
ADA = Actor("USER", "Ada", "7", "ADMIN")


def token(scope: str, customer_id: UUID | None = None) -> str:
    return tokens.create_token("Provisioning", scope=scope, customer_id=customer_id, at=NOW, by=ADA)[1]


class Api:
    """A machine with a token, calling without the SDK."""

    def __init__(self, secret: str) -> None:
        self.client = Client(headers={"authorization": f"Bearer {secret}"})

    def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        text = "" if body is None else json.dumps(body)
        return self._checked(self.client.post(path, text, content_type="application/json"), status)

    def get(self, path: str, *, status: int = 200) -> Any:
        return self._checked(self.client.get(path), status)

    def _checked(self, response: Any, status: int) -> Any:
        assert response.status_code == status, response.content
        return json.loads(response.content, parse_float=Decimal) if response.content else None


@pytest.fixture
def api(db: None) -> Api:
    return Api(token("admin"))


@pytest.fixture
def api_bound_to(db: None) -> Callable[[UUID], Api]:
    """A machine with a read token for one customer."""
    return lambda customer_id: Api(token("read", customer_id))


@pytest.fixture
def sdk(live_server: Any) -> Iterator[Metronome]:
    """The official client, against the running server."""
    with Metronome(bearer_token=token("admin"), base_url=live_server.url, max_retries=0) as client:
        yield client


@pytest.fixture
def told() -> dict[str, Any]:
    """When and by whom, for a service."""
    return {"at": NOW, "by": ADA}


@pytest.fixture
def contract(db: None) -> Contract:
    """A contract over the last quarter of 2025."""
    return ContractFactory(starting_at=OCTOBER, terms__ending_before=NEXT_YEAR)


@pytest.fixture
def edit(contract: Contract, told: dict[str, Any]) -> Callable[..., ContractEdit]:
    """Edit the contract; in the words of `EditInput`."""
    return lambda **given: services.edit_contract(contract.customer, contract.pk, EditInput(**given), **told)


@pytest.fixture
def refused(edit: Callable[..., ContractEdit]) -> Callable[..., list[tuple[str, str]]]:
    """The (field, rule) of each refusal of an edit, which has left nothing behind."""

    def refusals(**given: Any) -> list[tuple[str, str]]:
        before = ContractEdit.objects.count()
        with pytest.raises(Refusal) as refusal:
            edit(**given)
        assert ContractEdit.objects.count() == before
        return [(error.field, error.rule) for error in refusal.value.errors]

    return refusals
