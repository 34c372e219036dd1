"""From a stream's answers to the output tensors of the Open Inference Protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.api.inference_protocol.inputs import TEXT
from service.core.errors import Fault, UnacceptableError

UNCERTAINTIES = ("predictive_entropy", "aleatoric", "epistemic", "variation_ratio", "novelty")


def described(classes: int) -> list[dict[str, Any]]:
    """Return the outputs as model metadata names them."""
    texts = [{"name": name, "datatype": TEXT, "shape": [-1]} for name in ("label", "sample_id", "query_id")]
    shares = {"name": "probabilities", "datatype": "FP64", "shape": [-1, classes]}
    return [
        texts[0],
        shares,
        *({"name": name, "datatype": "FP64", "shape": [-1]} for name in UNCERTAINTIES),
        *texts[1:],
    ]


def tensors(results: Sequence[dict[str, Any]], wanted: Sequence[str]) -> list[dict[str, Any]]:
    """Return the outputs for answers to samples: those `wanted` in that order, or all where none is named.

    A text that is not there (no class known yet, not asked) is empty, a number that is not there is 0.

    Raises:
        UnacceptableError: where an output is wanted that there is not.
    """
    said = [result["prediction"] or {"label": "", "probabilities": {}} for result in results]
    unsure = [result["uncertainty"] or dict.fromkeys(UNCERTAINTIES, 0.0) for result in results]
    # An id that came before is answered as the first time: classes may be fewer in that answer.
    names = max((list(one["probabilities"]) for one in said), key=len, default=[])
    rows = len(results)
    shares = [one["probabilities"].get(name, 0.0) for one in said for name in names]
    all_of_them: dict[str, dict[str, Any]] = {
        "label": _output("label", TEXT, [rows], [one["label"] for one in said]),
        "probabilities": _output("probabilities", "FP64", [rows, len(names)], shares) | {"parameters": _named(names)},
        **{name: _output(name, "FP64", [rows], [one[name] for one in unsure]) for name in UNCERTAINTIES},
        "sample_id": _output("sample_id", TEXT, [rows], [result["id"] for result in results]),
        "query_id": _output("query_id", TEXT, [rows], [(result["query"] or {"id": ""})["id"] for result in results]),
    }
    must_be_known(wanted)
    return [all_of_them[name] for name in wanted or all_of_them]


def must_be_known(wanted: Sequence[str]) -> None:
    """Pass where there are outputs of these names.

    Raises:
        UnacceptableError: where one is not.
    """
    known = [output["name"] for output in described(0)]
    for n, name in enumerate(wanted):
        if name not in known:
            detail = f"an output must be one of {', '.join(known)}, got '{name}'"
            raise UnacceptableError(detail, faults=[Fault(f"/outputs/{n}/name", detail)])


def _named(names: list[str]) -> dict[str, Any]:
    return {"content_type": "probabilities", "classes": names}


def _output(name: str, datatype: str, shape: list[int], data: list[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}
