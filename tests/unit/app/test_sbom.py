"""`python -m app.sbom`."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import sbom


def test_it_prints_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sbom.cdx.json"
    path.write_text('{"bomFormat": "CycloneDX"}\n')
    assert sbom.main(path) == 0
    assert capsys.readouterr().out == '{"bomFormat": "CycloneDX"}\n'


def test_without_an_image_there_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sbom.main(tmp_path / "none") == 1
    assert "only the image has one" in capsys.readouterr().err
