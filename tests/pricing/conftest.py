import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from billing_site.foundation import tokens
from tests.factories.pricing import ADA, NOW


class Api:
    """A machine with a token, calling without the SDK."""

    def __init__(self, secret: str) -> None:
        self.client = Client(headers={"authorization": f"Bearer {secret}"})

    def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        text = "" if body is None else json.dumps(body)
        return self._checked(self.client.post(path, text, content_type="application/json"), status)

    def put(self, path: str, body: Any, *, status: int = 200) -> Any:
        return self._checked(self.client.put(path, json.dumps(body), content_type="application/json"), status)

    def get(self, path: str, *, status: int = 200) -> Any:
        return self._checked(self.client.get(path), status)

    def _checked(self, response: Any, status: int) -> Any:
        assert response.status_code == status, response.content
        return json.loads(response.content, parse_float=Decimal)


@pytest.fixture
def api_for() -> Callable[[str], Api]:
    """A machine whose token has the scope."""

    def make(scope: str) -> Api:
        return Api(tokens.create_token("Provisioning", scope=scope, at=NOW, by=ADA)[1])

    return make


@pytest.fixture
def api(db: None, api_for: Callable[[str], Api]) -> Api:
    return api_for("admin")


@pytest.fixture
def told() -> dict[str, Any]:
    """When and by whom, for a service."""
    return {"at": NOW, "by": ADA}
