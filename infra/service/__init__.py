"""The service layer: what the kit's user deploys."""

from __future__ import annotations

from infra.service.answers import Answers
from infra.service.layer import Service, ServiceArgs

__all__ = ["Answers", "Service", "ServiceArgs"]
