"""Read `images/catalogue.yaml`."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from pydantic import ValidationError

from tidegate.errors import TidegateError
from tidegate.images.model import Catalogue
from tidegate.models.problems import explain

FILE = Path("images") / "catalogue.yaml"


def load_catalogue(root: Path) -> Catalogue:
    """Return the catalogue of the project at `root`.

    Raises:
        TidegateError: the file is absent, is not YAML, or says something the model does not know.
    """
    path = root / FILE
    try:
        document: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TidegateError(f"the catalogue cannot be read: {error.strerror}", where=str(path)) from error
    except yaml.YAMLError as error:
        raise TidegateError(f"the catalogue is not valid YAML: {error}", where=str(path)) from error
    try:
        return Catalogue.model_validate_json(json.dumps(document))
    except ValidationError as error:
        raise explain(error, Catalogue, file=str(path), prefix="catalogue") from error
