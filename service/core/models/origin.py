"""What a state is computed with: whatever of it differs could make a replay differ."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import llvmlite.binding
import torch

_LIBRARIES = ("engram", "torch", "numpy", "numba")


@lru_cache(maxsize=8)
def origin(device: str) -> Mapping[str, Any]:
    """Return versions, thread count, processor and platform of this process."""
    features = llvmlite.binding.get_host_cpu_features()
    return {
        **{name: version(name) for name in _LIBRARIES},
        "python": platform.python_version(),
        "device": device,
        "threads": torch.get_num_threads(),
        "cpu": llvmlite.binding.get_host_cpu_name(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cpu_features": ",".join(sorted(name for name, there in features.items() if there)),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def differences(stored: Mapping[str, Any] | None, here: Mapping[str, Any]) -> list[str]:
    """Return what of a snapshot's origin is not as it is here, each as one phrase."""
    made_with = (stored or {}).get("made_with") or {}
    return [
        f"{name} was {_short(made_with[name])}, is {_short(here[name])}"
        for name in here
        if name in made_with and made_with[name] != here[name]
    ]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}…"
