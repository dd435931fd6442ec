# SPDX-License-Identifier: Apache-2.0
"""HTML pages that open from disk: one file, without a server."""

import re
from html import escape

# Control characters, and the halves that stand for bytes of file names in no encoding.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def html_page(title: str, style: str, body: str) -> str:
    """A complete page. title: plain text; style: CSS; body: HTML."""
    name = escape(title)
    page = (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{name}</title><style>{style}</style></head>"
        f"<body><h1>{name}</h1>{body}</body></html>\n"
    )
    return _NO_TEXT.sub("?", page)
