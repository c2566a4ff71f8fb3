"""What a reader sees of a page."""

import re

from django.http import HttpResponse


def words(response: HttpResponse) -> str:
    """The page's text, its spaces as one."""
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode().replace("&nbsp;", " ")).split())
