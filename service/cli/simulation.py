"""What query policies would have cost on a labelled file, side by side: read, replay, tell."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from rich.console import Console

from learner.asking.policy import Policy
from learner.simulation import Labelled, Outcome, outcome, replay
from service.cli.failures import CommandError
from service.cli.transfer import progress_bar
from service.core.errors import EngramError
from service.core.inputs import parse
from service.core.models.training import learner_of
from service.core.specs import LearnerSpec, as_input
from service.datasets import DatasetError, input_of, read
from service.settings import Settings

_LOOKS = 20
_LEAST = 2


class Source(NamedTuple):
    """Which rows of a file come, in which order.

    Attributes:
        path, data_field, label_field: the file and what is read of it.
        most: rows that are taken, the first ones; None for all.
        held_out: share of them, the last ones, that is not posted but tested on.
        shuffled: whether they are drawn in an order of the seed's own first.
    """

    path: Path
    data_field: str
    label_field: str
    most: int | None
    held_out: float
    shuffled: bool


class Material(NamedTuple):
    """A file as a stream has it: what its input is told, and the samples."""

    described: dict[str, Any]
    samples: list[Labelled]


class Run(NamedTuple):
    """What one policy came to with one seed."""

    policy: Policy
    seed: int
    outcome: Outcome


class Plan(NamedTuple):
    """What is run: every policy with every seed.

    Attributes:
        policies: side by side.
        seeds: of learner, coins and, where rows are shuffled, order.
        curve: whether to test on the way.
    """

    policies: list[Policy]
    seeds: range
    curve: bool


def gather(source: Source, settings: Settings) -> Material:
    """Return a file's labelled rows as the learner takes them.

    Raises:
        CommandError: where the file is not usable, naming the row that is not.
    """
    if not source.path.is_file():
        raise CommandError(f"{source.path}: there is no such file")
    try:
        rows = [row for row in read(source.path, source.data_field, source.label_field) if row.label is not None]
        rows = rows[: source.most]
        described = input_of(source.path, [row.data for row in rows]) if rows else {}
    except DatasetError as error:
        raise CommandError(str(error)) from None
    if len(rows) < _LEAST:
        raise CommandError(f"{source.path}: at least {_LEAST} rows must have a label, {len(rows)} have one")
    spec, samples = as_input(described), list[Labelled]()
    for number, row in enumerate(rows, 1):
        try:
            samples.append((parse(row.data, spec, max_pixels=settings.max_image_pixels), str(row.label)))
        except EngramError as error:
            raise CommandError(f"{source.path}, labelled row {number}: {error}") from None
    return Material(described, samples)


def simulate(plan: Plan, source: Source, settings: Settings, console: Console) -> tuple[Material, list[Run]]:
    """Run a plan over a file, with a progress bar on a terminal.

    Raises:
        CommandError: where the file is not usable.
    """
    torch.set_num_threads(1)  # as the service computes
    material = gather(source, settings)
    total, runs = len(material.samples) - _held_out(material, source), list[Run]()
    with progress_bar(console) as bar:
        task = bar.add_task(source.path.name, total=total * len(plan.policies) * len(plan.seeds))
        for policy in plan.policies:
            for seed in plan.seeds:
                bar.update(task, description=f"{policy.strategy} at {policy.budget:g}")
                told = partial(bar.advance, task)
                runs.append(Run(policy, seed, _run(policy, seed, plan, source, material, told)))
    return material, runs


def _run(
    policy: Policy, seed: int, plan: Plan, source: Source, material: Material, told: Callable[[int], None]
) -> Outcome:
    learner = learner_of(material.described, LearnerSpec(seed=seed), "cpu")
    samples = material.samples
    if source.shuffled:
        order = np.random.Generator(np.random.Philox(seed)).permutation(len(samples))
        samples = [samples[index] for index in order]
    end = len(samples) - _held_out(material, source)
    steps = replay(learner, policy, samples[:end], seed=seed)
    return outcome(steps, end, learner, samples[end:], looks=_LOOKS if plan.curve else 1, told=told)


def _held_out(material: Material, source: Source) -> int:
    return min(len(material.samples) - 1, round(source.held_out * len(material.samples)))
