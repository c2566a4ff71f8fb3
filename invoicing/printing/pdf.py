"""A printed document as PDF/A, by Typst.

The template is ours and fixed; all that comes from elsewhere is data that it reads as JSON. Letters come from the fonts
beside this file (Latin, Greek, Cyrillic, Arabic, Hebrew) and then from the machine's, where those of East Asia take
about 16 MB. A character that none of them has is printed by its code point, as [U+682A], and never left out.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import typst
from django.conf import settings

from invoicing.printing.page import PrintedDocument

FONTS = Path(__file__).parent / "fonts"
TEMPLATE = settings.BASE_DIR / "templates" / "invoicing" / "invoice.typ"
STANDARD: Final = "a-2b"  # for archives; it also refuses what no font can show
PROBE = b"#set page(width: auto, height: auto)\n#sys.inputs.data"
NOT_SHOWN = re.compile(r'the text `"(?P<text>.*?)"` could not be displayed')
ESCAPED = re.compile(r"\\u\{(?P<hex>[0-9a-f]+)\}")
MOST_PROBES = 500


def pdf_of(document: PrintedDocument, *, at: datetime) -> bytes:
    """The document as PDF; the same bytes for the same document, fonts and `at`, which it is dated."""
    data = asdict(document)
    unusual = {char for text in _texts(data) for char in text if not " " <= char <= "~"}
    controls = {char for char in unusual if unicodedata.category(char) == "Cc"}
    spelled = {ord(char): f"[U+{ord(char):04X}]" for char in controls | _without_glyph(unusual - controls)}
    return _compile(TEMPLATE.read_bytes(), json.dumps(_translated(data, spelled)), at)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _translated(value: Any, table: dict[int, str]) -> Any:
    if isinstance(value, str):
        return value.translate(table)
    if isinstance(value, dict):
        return {name: _translated(each, table) for name, each in value.items()}
    return [_translated(each, table) for each in value] if isinstance(value, (list, tuple)) else value


def _without_glyph(chars: set[str]) -> set[str]:
    """Those that no font has; after so many of them also what was not tried yet."""
    left, missing = set(chars), set[str]()
    for _ in range(MOST_PROBES):
        found = _first_without_glyph("".join(sorted(left)))
        if found is None:
            return missing
        missing.add(found)
        left.discard(found)
    return missing | left


def _first_without_glyph(text: str) -> str | None:
    try:
        _compile(PROBE, text)
    except typst.TypstError as error:
        found = NOT_SHOWN.search(str(error))
        if found is None:
            raise
        shown = ESCAPED.sub(lambda escaped: chr(int(escaped["hex"], 16)), found["text"])
        return next(char for char in shown if char in text)
    return None


def _compile(template: bytes, data: str, at: datetime | None = None) -> bytes:
    made: Any = typst.Compiler(font_paths=[str(FONTS)]).compile(
        input=template,
        format="pdf",
        sys_inputs={"data": data},
        pdf_standards=[STANDARD],
        timestamp=None if at is None else int(at.timestamp()),
    )
    assert isinstance(made, bytes)
    return made
