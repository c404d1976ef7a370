from __future__ import annotations

from pathlib import Path

import pytest

from bench.cache import hit_ratio, lookups, product_queries
from bench.connections import reachable
from bench.front import configuration
from bench.queue_jobs.job import submit_all
from bench.served import PATH, make

_METRICS = """# HELP tidegate_cache_lookups_total Lookups
tidegate_cache_lookups_total{layer="response",result="hit"} 90.0
tidegate_cache_lookups_total{layer="response",result="stale"} 5.0
tidegate_cache_lookups_total{layer="response",result="miss"} 5.0
tidegate_cache_lookups_total{layer="query",result="made"} 3.0
tidegate_rate_limit_total{use="reads",result="local"} 7.0
"""


def test_lookups_are_read_from_the_metrics_and_from_no_others() -> None:
    assert lookups(_METRICS) == {
        "response": {"hit": 90.0, "stale": 5.0, "miss": 5.0},
        "query": {"made": 3.0},
    }


def test_a_stale_answer_is_a_hit_and_no_lookups_have_no_ratio() -> None:
    assert hit_ratio({"hit": 90.0, "stale": 5.0, "miss": 5.0}) == pytest.approx(0.95)
    assert hit_ratio({}) is None


def test_queries_for_products_are_counted_in_the_log() -> None:
    log = (
        "LOG:  execute __asyncpg_stmt_1__: SELECT products.id, products.name FROM products WHERE id = $1\n"
        "LOG:  statement: BEGIN;\n"
        "LOG:  execute __asyncpg_stmt_2__: SELECT orders.id FROM orders\n"
        "LOG:  execute <unnamed>: SELECT products.id\n\tFROM products ORDER BY id\n"
    )

    assert product_queries(log) == 2


@pytest.mark.parametrize(("limit", "count"), [(65_536, 20_000), (20_000, 19_900), (1_024, 924)])
def test_no_more_connections_than_files_may_be_open(limit: int, count: int) -> None:
    assert reachable(20_000, limit) == count


def test_nginx_is_given_every_upstream_and_writes_in_its_folder_only(tmp_path: Path) -> None:
    text = configuration(tmp_path, 8001, [9001, 9002])

    assert "server 127.0.0.1:9001;" in text
    assert "server 127.0.0.1:9002;" in text
    assert "listen 127.0.0.1:8001" in text
    assert text.count(str(tmp_path)) == 6


def test_jobs_are_numbered_on_and_told_when_they_were_submitted(capsys: pytest.CaptureFixture[str]) -> None:
    taken: list[str] = []

    submit_all(taken.append, first=5, count=3, rate=0)

    assert taken == ["5", "6", "7"]
    assert capsys.readouterr().out.count('"') == 6


def test_there_are_two_variants_of_the_route() -> None:
    from app.core.settings import load_settings

    with pytest.raises(ValueError, match="no variant"):
        make("half", load_settings("web"))
    assert PATH in {getattr(route, "path", None) for route in make("bare", load_settings("web")).routes}
