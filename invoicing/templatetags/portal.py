from typing import Any

from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def to(context: template.Context, page: str, *parts: object, **query: object) -> str:
    """The address of another page for the same viewer: `{% to "invoices/" document.id ".pdf" %}`."""
    viewer: Any = context["viewer"]
    address: str = viewer.link("".join(map(str, (page, *parts))), **query)
    return address
