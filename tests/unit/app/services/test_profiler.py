from __future__ import annotations

import asyncio
import threading
from xml.etree import ElementTree

import pytest

from app.core.exceptions import OverloadedError
from app.services.flame_graph import flame_graph
from app.services.profiler import Profiler, folded

SVG = "{http://www.w3.org/2000/svg}"


def wait_here(stop: threading.Event) -> None:
    stop.wait()


def test_what_a_thread_does_is_seen() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=wait_here, args=(stop,), name="busy one")
    thread.start()
    try:
        samples = asyncio.run(Profiler().sample(0.1))
    finally:
        stop.set()
        thread.join()
    stacks = [stack for stack in samples if stack[0] == "busy one"]
    assert stacks
    assert all("test_profiler:wait_here" in stack for stack in stacks)
    # The loop waits meanwhile and is seen waiting; the sampler does not look at itself.
    assert any(stack[0] == "MainThread" for stack in samples)
    assert not any("profiler:_look" in stack for stack in samples)


def test_one_profile_at_a_time() -> None:
    async def scenario() -> None:
        profiler = Profiler()
        first = asyncio.create_task(profiler.sample(0.05))
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await profiler.sample(0.05)
        await first
        await profiler.sample(0.01)

    asyncio.run(scenario())


SAMPLES = {("main", "a:f", "a:g"): 6, ("main", "a:f"): 2, ("main", "b:<lambda>; x"): 2}


def test_folded_stacks_are_what_tools_read() -> None:
    assert folded(SAMPLES).splitlines() == ["main;a:f 2", "main;a:f;a:g 6", "main;b:<lambda>,_x 2"]


def test_boxes_are_as_wide_as_they_were_seen_often_and_lie_within_their_callers() -> None:
    boxes: dict[str, tuple[float, float]] = {}
    for group in ElementTree.fromstring(flame_graph(SAMPLES)).iter(f"{SVG}g"):
        title, rect = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
        assert title is not None
        assert rect is not None
        assert title.text is not None
        boxes[title.text] = (float(rect.attrib["x"]), float(rect.attrib["width"]))
    assert boxes == {
        "main 100.0%": (0, 1200),
        "a:f 80.0%": (0, 960),
        "a:g 60.0%": (0, 720),
        "b:<lambda>; x 20.0%": (960, 240),
    }


def test_nothing_seen_is_an_empty_picture() -> None:
    assert list(ElementTree.fromstring(flame_graph({}))) == []
