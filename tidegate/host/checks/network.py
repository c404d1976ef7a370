"""Where images and packages come from: a registry to pull from, or package registries to build from."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from tidegate.errors import TidegateError
from tidegate.host.facts import Facts
from tidegate.host.paths import project_root
from tidegate.host.pending import Pending
from tidegate.host.registries import debian_archive, go_proxy, python_index, url_answers
from tidegate.host.report import Check, Outcome

_ASK_S = 4.0


def _check(name: str, outcome: Outcome, found: str, cure: str = "") -> Check:
    return Check(group="network", name=name, outcome=outcome, found=found, cure=cure)


def judge_image_registry(answers: bool | None) -> Check:
    """Without a registry everything is built, which works and takes long."""
    name = "image registry"
    if answers is None:
        return _check(name, Outcome.OK, "not asked: no image catalogue, or no engine to ask through")
    if answers:
        return _check(name, Outcome.OK, "answers: images are pulled")
    return _check(
        name,
        Outcome.WARN,
        "does not answer: images are built from package registries, the first time for most of an hour",
        "nothing must be done; a mirror in the engine's configuration saves the time",
    )


def image_registry_check(facts: Facts) -> Check:
    """The registry of the catalogue's images."""
    return judge_image_registry(facts.registry_answers())


def judge_packages(name: str, address: str | None, answers: bool, *, needed: bool) -> Check:
    """One package registry.

    Args:
        name: what comes from it.
        address: where; None if nothing is configured.
        answers: whether it does.
        needed: nothing is built yet and no image can be pulled, so that it must.
    """
    if address is None:
        return _check(name, Outcome.OK, "not asked: none is configured here")
    host = urlsplit(address).hostname or address
    if answers:
        return _check(name, Outcome.OK, f"{host} answers")
    cure = "check proxy and certificates (HTTPS_PROXY, SSL_CERT_FILE), or configure a mirror"
    if needed:
        return _check(name, Outcome.FAIL, f"{host} does not answer, and no image registry does either", cure)
    return _check(name, Outcome.WARN, f"{host} does not answer: what comes from it cannot be built", cure)


def package_checks(facts: Facts) -> list[Check]:
    """The package registries that are configured: Go modules, Python packages, Debian packages."""
    try:
        lock: Path | None = project_root() / "uv.lock"
    except TidegateError:
        lock = None
    addresses = {
        "Go modules": go_proxy(os.environ),
        "Python packages": python_index(os.environ, home=Path.home(), lock=lock),
        "Debian packages": debian_archive(),
    }

    def asking(address: str | None) -> Pending[bool]:
        return Pending(lambda: address is not None and url_answers(address, timeout_s=_ASK_S))

    answers = {name: asking(address) for name, address in addresses.items()}
    needed = facts.cold() and facts.registry_answers() is False

    def answered(answer: Pending[bool]) -> bool:
        try:
            return answer.get(min(_ASK_S, facts.left_s() - 0.5))
        except TimeoutError:  # a name server that keeps silent heeds no time limit of ours
            return False

    return [
        judge_packages(name, address, answered(answers[name]), needed=needed)
        for name, address in addresses.items()
    ]
