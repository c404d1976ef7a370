from __future__ import annotations

from pathlib import Path

import pytest

from infra.cluster import record
from infra.cluster.record import Record
from tidegate.errors import TidegateError
from tidegate.host.paths import cluster_dir


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path))


def test_a_record_is_read_as_it_was_written() -> None:
    begun = Record(owner="tidegate/local", token="abc", config="kind: Cluster")
    begun.save("demo")
    assert record.load("demo") == begun
    done = begun.finished({"demo-control-plane": "123"})
    done.save("demo")
    assert record.load("demo") == done
    assert done.token == begun.token


def test_no_record_is_no_error() -> None:
    assert record.load("demo") is None


def test_only_the_owner_may_look_into_the_folder() -> None:
    Record(owner="o", token="t", config="c").save("demo")
    assert cluster_dir("demo").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"owner": "x"}', '{"owner":"x","token":"t","config":"c","y":1}']
)
def test_a_record_we_did_not_write_is_refused(text: str) -> None:
    path = cluster_dir("demo") / record.FILE_NAME
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(TidegateError, match="record cannot be read") as caught:
        record.load("demo")
    assert "kind delete cluster --name demo" in caught.value.cure
