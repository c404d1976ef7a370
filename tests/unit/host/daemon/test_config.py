from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from tidegate.host.daemon.config import BOUNDED, containerd_config, dockerd_config, runtime_shim, write_config
from tidegate.host.daemon.layout import Layout
from tidegate.host.daemon.settings import EngineSettings

LAYOUT = Layout(root=Path('/srv/st"ate'), run=Path("/run/short"))


def test_everything_is_below_our_folders() -> None:
    config = dockerd_config(LAYOUT, EngineSettings(), bounded=False)
    assert config["hosts"] == ["unix:///run/short/docker.sock"]
    assert config["group"] == "root"
    assert config["data-root"] == '/srv/st"ate/data'
    assert config["exec-root"] == "/run/short/exec"
    assert config["pidfile"] == '/srv/st"ate/docker.pid'
    assert config["containerd"] == "/run/short/containerd.sock"
    assert config["iptables"] is True
    assert not {"default-runtime", "runtimes", "bridge", "bip"} & set(config)


def test_the_bounded_runtime_is_the_default_only_where_it_is_needed() -> None:
    config = dockerd_config(LAYOUT, EngineSettings(), bounded=True)
    assert config["default-runtime"] == BOUNDED
    assert config["runtimes"] == {BOUNDED: {"path": '/srv/st"ate/tidegate-runc'}}


def test_bridge_and_address() -> None:
    """dockerd refuses a bridge and an address together: the bridge has its address already."""
    own = dockerd_config(
        LAYOUT, EngineSettings(bridge="tg0", bip="10.9.0.1/24", iptables=False), bounded=False
    )
    assert own["bridge"] == "tg0"
    assert "bip" not in own
    assert own["iptables"] is own["ip6tables"] is own["ip-masq"] is False
    assert dockerd_config(LAYOUT, EngineSettings(bip="10.9.0.1/24"), bounded=False)["bip"] == "10.9.0.1/24"


@pytest.mark.parametrize(
    "wrong",
    [
        {"bridge": "tg0"},
        {"bridge": "a-name-over-15-chars", "bip": "10.9.0.1/24"},
        {"bridge": "tg0; reboot", "bip": "10.9.0.1/24"},
        {"bip": "10.9.0.0/24"},
        {"bip": "10.9.0.1/31"},
        {"bip": "ten"},
        {"ready_timeout_s": 0},
        {"unknown": 1},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EngineSettings.model_validate(wrong)


def test_containerd_is_a_private_one() -> None:
    config = tomllib.loads(containerd_config(LAYOUT))
    assert config["version"] == 2
    assert config["root"] == '/srv/st"ate/data/containerd'
    assert config["state"] == "/run/short/exec/containerd"
    assert config["grpc"]["address"] == "/run/short/containerd.sock"
    assert "io.containerd.grpc.v1.cri" in config["disabled_plugins"]


def test_the_shim_runs_the_script_isolated_whatever_its_path(tmp_path: Path) -> None:
    script = tmp_path / "a 'quoted' $(path).py"
    script.write_text("import sys; print(sys.flags.isolated, sys.flags.no_site, sys.argv[1:])")
    shim = tmp_path / "shim"
    shim.write_text(runtime_shim(Path(sys.executable).resolve(), script))
    shim.chmod(0o755)
    done = subprocess.run([shim, "a b", "", "$c"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "1 1 ['a b', '', '$c']"


def test_files_are_written_for_their_readers(tmp_path: Path) -> None:
    layout = Layout(root=tmp_path, run=tmp_path)
    write_config(layout, EngineSettings(), bounded=True)
    assert json.loads(layout.config.read_text())["default-runtime"] == BOUNDED
    assert layout.runtime_shim.stat().st_mode & 0o777 == 0o755
    assert layout.config.stat().st_mode & 0o777 == 0o600
    assert str(layout.runtime_script) in layout.runtime_shim.read_text()
    interpreter = layout.runtime_shim.read_text().split()[2]
    assert Path(interpreter).is_absolute()
    assert not Path(interpreter).is_symlink()
    plain = Layout(root=tmp_path / "plain", run=tmp_path / "plain")
    plain.root.mkdir()
    write_config(plain, EngineSettings(), bounded=False)
    assert not plain.runtime_shim.exists()
