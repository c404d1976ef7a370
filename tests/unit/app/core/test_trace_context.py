from __future__ import annotations

import pytest

from app.core.trace_context import LONGEST, TraceParent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("03", True), ("02", False)])
def test_a_header_is_read_and_written_again(flags: str, sampled: bool) -> None:
    parent = TraceParent.parse(f"00-{TRACE}-{SPAN}-{flags}")
    assert parent == TraceParent(TRACE, SPAN, sampled)
    assert str(parent) == f"00-{TRACE}-{SPAN}-0{int(sampled)}"
    assert len(str(parent)) == LONGEST
    assert TraceParent.parse(str(parent)) == parent


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert TraceParent.parse(f"cc-{TRACE}-{SPAN}-01-more") == TraceParent(TRACE, SPAN, True)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
    ],
)
def test_what_says_nothing_reliable_is_no_parent(text: str | None) -> None:
    assert TraceParent.parse(text) is None
