"""Put JSON into a page without letting it become markup."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

_ESCAPES = {
    ord("<"): "\\u003c",
    ord(">"): "\\u003e",
    ord("&"): "\\u0026",
    ord("\u2028"): "\\u2028",
    ord("\u2029"): "\\u2029",
}


def script_json(value: Any) -> Markup:
    """Return `value` as JSON that may stand inside a script element.

    A script element ends at `</script` wherever it stands, in a string too, and `<!--` changes how the rest
    is read (HTML standard, "Restrictions for contents of script elements"). JSON may spell any character
    by its number, so `<` never appears.
    """
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.translate(_ESCAPES))  # noqa: S704 - escaped in the line itself
