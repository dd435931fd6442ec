# SPDX-License-Identifier: Apache-2.0
"""HTML pages that open from disk: one file, without a server."""

from html import escape


def html_page(title: str, style: str, body: str) -> str:
    """A complete page. title: plain text; style: CSS; body: HTML."""
    name = escape(title)
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{name}</title><style>{style}</style></head>"
        f"<body><h1>{name}</h1>{body}</body></html>\n"
    )
