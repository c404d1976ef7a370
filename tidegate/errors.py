"""The one error a user sees."""

from __future__ import annotations


class TidegateError(Exception):
    """Something the user or the environment must mend.

    The command line prints it as one line and exits with status 3; it never shows a traceback.

    Args:
        what: what went wrong, as a clause without a full stop.
        where: the file, key, host or object it concerns; empty when `what` says it already.
        cure: what to do about it, as an imperative; empty when there is nothing to do.
    """

    def __init__(self, what: str, *, where: str = "", cure: str = "") -> None:
        self.what = what
        self.where = where
        self.cure = cure
        place = f" ({where})" if where else ""
        remedy = f". Cure: {cure}" if cure else ""
        super().__init__(" ".join(f"{what}{place}{remedy}".split()))
