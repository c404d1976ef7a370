"""What all models share: they are frozen, refuse unknown keys, and their numbers know their unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, Strict
from pydantic_core import CoreSchema


class Model(BaseModel):
    """A frozen model. An unknown key is an error: a misspelt setting must never be silently a default."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=False
    )


@dataclass(frozen=True)
class Unit:
    """The unit of a number, carried into the JSON schema and into error messages.

    Args:
        name: what the number counts, in words.
        example: a valid value as a user would write it.
    """

    name: str
    example: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Add `unit` to the field's JSON schema."""
        described = handler(schema)
        described["unit"] = self.name
        return described


# Strict, because YAML and JSON have types of their own: "500" or true where a number is meant is a slip.
MilliCores = Annotated[int, Strict(), Unit("whole milli-cores (1000 = one core)", "500")]
MebiBytes = Annotated[int, Strict(), Unit("whole mebibytes (Mi)", "256")]
Seconds = Annotated[int, Strict(), Unit("whole seconds", "15")]
SecondsFloat = Annotated[float, Strict(), Unit("seconds", "2.5")]
MilliSeconds = Annotated[float, Strict(), Unit("milliseconds", "250")]
WholePercent = Annotated[int, Strict(), Unit("a whole percentage", "60")]
Percent = Annotated[float, Strict(), Unit("a percentage between 0 and 100", "99.9")]
Ratio = Annotated[float, Strict(), Unit("a ratio, where 0.1 is ten percent", "0.1")]
RequestsPerSecond = Annotated[float, Strict(), Unit("requests a second", "40")]
Count = Annotated[int, Strict(), Unit("a whole number", "2")]
Port = Annotated[int, Strict(), Unit("a TCP port", "8080")]
UnixSeconds = Annotated[float, Strict(), Unit("seconds since 1970 UTC", "1767225600.0")]
