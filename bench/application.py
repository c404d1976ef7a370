"""The service's application for servers that the service itself does not offer."""

from __future__ import annotations

from fastapi import FastAPI

from app.core.logging import configure_logging
from app.core.settings import load_settings
from app.main import create_app
from app.resources import Resources


def make() -> FastAPI:
    """The application with the settings of the environment."""
    settings = load_settings("web")
    configure_logging(settings)
    return create_app(Resources.create(settings, application="bench"))
