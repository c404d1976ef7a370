"""Entry point of `pulumi up` and `pulumi preview`."""

from __future__ import annotations

from infra.entry import main

main()
