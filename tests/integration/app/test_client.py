"""A client generated from the live document, as a user of the API would get one, against the live service."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from support.children import wait_until
from support.login import DEMO_PASSWORD, account
from support.redis_server import RedisServer
from support.service_process import ServiceProcess

pytestmark = pytest.mark.integration

StartService = Callable[..., ServiceProcess]
PACKAGE = "generated_shop_client"


def _generate(document: dict[str, Any], folder: Path) -> None:
    source = folder / "openapi.json"
    source.write_text(json.dumps(document))
    configuration = folder / "generator.json"
    configuration.write_text(json.dumps({"post_hooks": []}))
    program = Path(sys.executable).with_name("openapi-python-client")
    command = [str(program), "generate", "--path", str(source), "--meta", "none", "--fail-on-warning"]
    command += ["--config", str(configuration), "--output-path", str(folder / PACKAGE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _importable(folder: Path) -> Generator[Callable[[str], Any]]:
    """Import modules of the generated package, and forget them again."""
    sys.path.insert(0, str(folder))
    try:
        yield lambda name: importlib.import_module(f"{PACKAGE}{name}")
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


def test_a_generated_client_buys_something(
    migrated_url: str, redis_server: RedisServer, start_service: StartService, tmp_path: Path
) -> None:
    settings = {"DATABASE_URL": migrated_url, "REDIS_URL": redis_server.url}
    with start_service("app", **settings).wait_ready() as web:
        start_service("app.worker", **settings)
        document = httpx.get(f"{web.base_url}/openapi.json").json()
        validate(document, cls=OpenAPIV31SpecValidator)
        _generate(document, tmp_path)
        with _importable(tmp_path) as module:
            _buy(module, str(web.base_url))


def _buy(module: Callable[[str], Any], url: str) -> None:
    with (
        module("").Client(base_url=url) as anonymous,
        module("").AuthenticatedClient(base_url=url, token="-") as bearer,
    ):
        _log_in_and_buy(module, anonymous, bearer)


def _log_in_and_buy(module: Callable[[str], Any], anonymous: Any, client: Any) -> None:
    models = module(".models")

    def operation(tag: str, name: str) -> Any:
        return module(f".api.{tag}.{name}")

    form = models.TokenForm(grant_type="password", username=account(1), password=DEMO_PASSWORD)
    login = operation("auth", "issue_token_v2")
    token = login.sync(client=anonymous, body=form)
    assert isinstance(token, models.TokenOut)
    wrong = login.sync(client=anonymous, body=models.TokenForm("password", account(1), "not the password"))
    assert isinstance(wrong, models.Problem)
    assert (wrong.status, wrong.instance) == (400, "/api/v2/auth/token")

    page = operation("products", "list_products_v2").sync(client=anonymous, limit=3)
    assert isinstance(page, models.ProductPageOut)
    assert len(page.items) == 3

    order_in = models.OrderIn(lines=[models.OrderLineIn(product_id=page.items[0].id, quantity=2)])
    place = operation("orders", "place_order_v2")
    refused = place.sync(client=anonymous, body=order_in)
    assert isinstance(refused, models.Problem)
    assert refused.status == 401
    client.get_httpx_client().headers["Authorization"] = f"Bearer {token.access_token}"
    answer = place.sync_detailed(client=client, body=order_in, idempotency_key="once")
    assert answer.status_code == 202
    order = answer.parsed
    assert isinstance(order, models.OrderOutV2)
    assert answer.headers["Location"] == f"/api/v2/orders/{order.id}"
    again = place.sync(client=client, body=order_in, idempotency_key="once")
    assert again.id == order.id

    get_order = operation("orders", "get_order_v2")

    def decided() -> bool:
        return get_order.sync(order.id, client=client).status != models.OrderStatus.PENDING

    wait_until(decided, what="the decision")
    final = get_order.sync(order.id, client=client)
    assert final.decided_at is not None
    assert final.amount_cents == 2 * page.items[0].price_cents
