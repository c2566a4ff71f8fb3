"""Answers whose page nobody reads: what is said with the status alone, at a third of the cost."""

from typing import Any

from django.http import HttpRequest
from django.template import engines
from django.template.response import TemplateResponse


class Unrendered:
    """Middleware that leaves pages empty. Views, their queries and their permissions are as ever."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        response.template_name = engines["django"].from_string("")
        return response
