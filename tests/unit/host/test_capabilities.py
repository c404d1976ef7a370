from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.host.capabilities import CAP_SYS_RESOURCE, bounding_set, lacks_sys_resource

STATUS = "Name:\tcat\nCapEff:\t0000000000000000\nCapBnd:\t{}\nCapAmb:\t0000000000000000\n"


@pytest.mark.parametrize(
    ("mask", "lacks"),
    [("000001ffffffffff", False), ("000001fffeffffff", True), ("0000000001000000", False), ("0", True)],
)
def test_reads_the_bounding_set(tmp_path: Path, mask: str, lacks: bool) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7/status").write_text(STATUS.format(mask))
    assert bounding_set(STATUS.format(mask)) == int(mask, 16)
    assert lacks_sys_resource(7, proc=tmp_path) is lacks


def test_tells_nothing_where_nothing_is_told(tmp_path: Path) -> None:
    assert bounding_set("Name:\tcat\n") is None
    assert bounding_set("CapBnd:\tzz\n") is None
    assert lacks_sys_resource(7, proc=tmp_path) is None


def test_agrees_with_the_kernel_about_this_process() -> None:
    """prctl(2) PR_CAPBSET_READ answers for one capability."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    assert lacks_sys_resource() is (libc.prctl(23, CAP_SYS_RESOURCE, 0, 0, 0) == 0)
