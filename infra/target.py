"""Where objects go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class Target:
    """A cluster as the layers above it see it.

    Args:
        provider: the Kubernetes provider that speaks to it.
        cluster: the resource that is the cluster. When it is deleted its objects need no deleting, which
            saves minutes and cannot hang on a finalizer.
        ready: what must be done before any pod can start there, its images in the first place.
    """

    provider: pulumi.ProviderResource
    cluster: pulumi.Resource
    ready: Sequence[pulumi.Resource] = ()
