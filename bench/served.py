"""`python -m bench.served bare|full PORT`: one small JSON route, on FastAPI alone or behind the whole stack.

Both have the same route, model and server. What differs is what the service puts around a request.
"""

from __future__ import annotations

import asyncio
import gc
import sys

import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import BaseModel

from app.core.logging import configure_logging
from app.core.settings import Settings, load_settings
from app.main import create_app
from app.resources import Resources
from app.server import http_options

PATH = "/bench/item"


class Item(BaseModel):
    """As small as answers get, so that the stack's share is as large as it gets."""

    id: int
    name: str
    price_cents: int


async def item() -> Item:
    """Answer with a constant."""
    return Item(id=1, name="a small thing", price_cents=995)


def make(variant: str, settings: Settings) -> FastAPI:
    """The application of a variant.

    Raises:
        ValueError: there is no such variant.
    """
    if variant == "bare":
        app = FastAPI(openapi_url=None)
        app.add_api_route(PATH, item)
        return app
    if variant != "full":
        raise ValueError(f"there is no variant {variant}")
    app = create_app(Resources.create(settings, application="bench"))
    app.add_api_route(PATH, item)
    # First, as in the bare one: the length of the table of routes is no cost of the stack.
    app.router.routes.insert(0, app.router.routes.pop())
    return app


def main() -> None:
    """Serve until killed."""
    variant, port = sys.argv[1:]
    settings = load_settings("web")
    configure_logging(settings)
    app = make(variant, settings)
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(app, host="127.0.0.1", port=int(port), **http_options(settings))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()
