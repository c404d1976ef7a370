"""Render a chart into plain objects with `helm template`.

Rendering happens on this machine, before Pulumi sees anything: hooks become ordinary objects, nothing is
decided by a release's state in the cluster, and the same manifests can be checked without one.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from infra.cluster.docker import tool_env
from infra.manifests import Manifest
from tidegate.errors import TidegateError
from tidegate.proc import run

_HOOK_PREFIX = "helm.sh/hook"


def template(
    chart: Path, release: str, namespace: str, values: Mapping[str, Any], *, include_crds: bool = False
) -> list[Manifest]:
    """Return the objects that `chart` makes of `values`, hooks included and their annotations removed.

    Raises:
        TidegateError: helm is absent, or the chart refused the values (its reason is given).
    """
    env = tool_env()
    helm = shutil.which("helm", path=env["PATH"])
    if helm is None:
        raise TidegateError("helm was not found", cure="run `tidegate doctor`")
    cmd = [helm, "template", release, chart, "--namespace", namespace, "--values", "-"]
    if include_crds:
        cmd.append("--include-crds")
    text = run(cmd, env=env, input=json.dumps(values), timeout_s=120).stdout
    return [_without_hooks(each) for each in documents(text)]


def documents(text: str) -> list[Manifest]:
    """Return the objects in a YAML text; empty documents are none."""
    found = cast("list[Manifest | None]", list(yaml.load_all(text, Loader=_loader())))
    return [each for each in found if each]


def _loader() -> type[yaml.SafeLoader]:
    # A gateway's resource definitions are 4 MB; PyYAML's own scanner takes half a minute for them.
    return cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _without_hooks(manifest: Manifest) -> Manifest:
    metadata: dict[str, Any] = manifest["metadata"]
    annotations: dict[str, str] = metadata.get("annotations") or {}
    kept = {key: value for key, value in annotations.items() if not key.startswith(_HOOK_PREFIX)}
    metadata = {
        key: value for key, value in metadata.items() if key not in ("annotations", "creationTimestamp")
    }
    if kept:
        metadata["annotations"] = kept
    return {**manifest, "metadata": metadata}
