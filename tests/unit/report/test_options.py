"""What is in a report only where a policy asks for more than the HPA."""

from __future__ import annotations

from pathlib import Path

from support.added_node import NODE, added_node
from support.advice import advice
from support.synthetic_run import build_run

from tidegate.report import collect, write_report
from tidegate.run import RunReader


def test_recommendations_are_a_table_in_one_unit_each(tmp_path: Path) -> None:
    run = build_run(tmp_path, more=advice())
    cpu, memory = collect(RunReader(run)).advice
    assert (cpu.unit, cpu.target, cpu.request, cpu.lower, cpu.upper) == ("cores", 0.083, 0.1, 0.025, 1.5)
    assert (memory.unit, memory.target, memory.request, memory.upper) == ("MiB", 128, 160, 1024)
    html = write_report(run).read_text(encoding="utf-8")
    section = html[html.index('<section id="advice">') :].partition("</section>")[0]
    for figure in ("tidegate-web / web", ">0.100<", "<b>0.083</b>", ">0.025<", "<b>128</b>", ">1024<", "Off"):
        assert figure in section, figure


def test_a_node_that_was_added_tells_where_its_time_went(tmp_path: Path) -> None:
    run = build_run(tmp_path, more=added_node())
    (node,) = collect(RunReader(run)).nodes
    assert (node.node, node.total_s, node.parts["provision"]) == (NODE, 23.5, 7.75)
    html = write_report(run).read_text(encoding="utf-8")
    section = html[html.index('<section id="nodes">') :].partition("</section>")[0]
    assert NODE in section
    assert section.count("<th ") >= 10


def test_a_run_without_them_has_no_empty_sections(tmp_path: Path) -> None:
    html = write_report(build_run(tmp_path)).read_text(encoding="utf-8")
    assert 'id="advice"' not in html
    assert 'id="nodes"' not in html
