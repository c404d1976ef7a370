"""JSON schemas for kubeconform: of the API that the cluster has, and of the custom resources defined in it.

Strict, as upstream's own: what a schema does not know is refused, where the API server would drop it without
a word. Not checked, because a JSON schema cannot say it: CEL rules, and what an API server validates in code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from infra.manifests import Manifest

Schema = dict[str, Any]

LOCATION = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"
"""Where a schema lies, in kubeconform's own notation. The group of core kinds is their version."""

_REF = "#/components/schemas/"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_KIND = "x-kubernetes-group-version-kind"
_OPEN = "x-kubernetes-preserve-unknown-fields"
_EITHER = "x-kubernetes-int-or-string"


def write_schemas(openapi: Path, objects: Iterable[Manifest], folder: Path) -> None:
    """Write a schema for every kind that a document of `openapi` or a definition among `objects` knows.

    Args:
        openapi: the folder `api/openapi-spec/v3` of Kubernetes, one document a group and version.
        objects: what is to be checked. Documents that none of it is of are not read.
        folder: where they go, see `LOCATION`.
    """
    given = list(objects)
    for version in sorted({str(each["apiVersion"]) for each in given}):
        document = openapi / f"{'apis/' if '/' in version else 'api/'}{version}_openapi.json".replace(
            "/", "__"
        )
        if document.is_file():
            _write_built_in(_components(document), version, folder)
    meta = _closure(_META, _components(openapi / "api__v1_openapi.json"))
    for definition in given:
        if definition["kind"] == "CustomResourceDefinition":
            _write_custom(definition, meta, folder)


def _components(document: Path) -> dict[str, Schema]:
    text = json.loads(document.read_text(encoding="utf-8"))
    return cast("dict[str, Schema]", text["components"]["schemas"])


def _write_built_in(schemas: Mapping[str, Schema], version: str, folder: Path) -> None:
    group, _, short = version.rpartition("/")
    for name, schema in schemas.items():
        for kind in schema.get(_KIND, ()):
            if (kind["group"], kind["version"]) == (group, short):
                document = _document({"$ref": f"{_REF}{name}"}, _closure(name, schemas))
                _write(folder, group or short, kind["kind"], short, document)


def _write_custom(definition: Manifest, meta: Mapping[str, Schema], folder: Path) -> None:
    spec: Schema = definition["spec"]
    for version in spec["versions"]:
        if version["served"]:
            schema = strict(_with_head(version["schema"]["openAPIV3Schema"]))
            _write(folder, spec["group"], spec["names"]["kind"], version["name"], _document(schema, meta))


def _with_head(schema: Schema) -> Schema:
    """Add what every object has, and a definition need not say."""
    own: dict[str, Schema] = schema.get("properties", {})
    text: Schema = {"type": "string"}
    named = {"allOf": [{"$ref": f"{_REF}{_META}"}, own.get("metadata", {})]}
    return {**schema, "properties": {"apiVersion": text, "kind": text, **own, "metadata": named}}


def _document(schema: Schema, components: Mapping[str, Schema]) -> Schema:
    return {"allOf": [schema], "components": {"schemas": {k: strict(v) for k, v in components.items()}}}


def _write(folder: Path, group: str, kind: str, version: str, document: Schema) -> None:
    path = folder / group / f"{kind.lower()}_{version}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")


def _closure(name: str, schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return the schema `name` and all that it refers to, through however many others."""
    found: dict[str, Schema] = {}
    wanted = [name]
    while wanted:
        each = wanted.pop()
        if each not in found:
            found[each] = schemas[each]
            wanted += (ref.removeprefix(_REF) for ref in _references(schemas[each]))
    return found


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in cast("dict[str, object]", node).items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for value in cast("list[object]", node):
            yield from _references(value)


def strict(schema: Schema) -> Schema:
    """Return a schema that refuses fields it does not name, in the words of JSON schema.

    What is combined (allOf, anyOf, oneOf, not) stays as it is: in definitions it adds conditions to fields
    that are named elsewhere.
    """
    made = dict(schema)
    if "properties" in schema:
        made["properties"] = {name: strict(each) for name, each in schema["properties"].items()}
        if "additionalProperties" not in schema and not schema.get(_OPEN):
            made["additionalProperties"] = False
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            made[key] = strict(schema[key])
    if schema.get(_EITHER) and "anyOf" not in schema:
        made["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    return {"anyOf": [{"type": "null"}, made]} if schema.get("nullable") else made
