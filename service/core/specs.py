"""What a stream is made of, as its creator states it: input, learner and query policy, each with its defaults."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

from learner import BiMURule
from learner.asking.policy import Policy
from learner.asking.strategies import STRATEGIES
from learner.encoders.image import Threshold
from learner.memory.recollection import RATES
from learner.synapses.gating import Gate

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"
TEXT_PATTERN = r"^[^\x00-\x1f\x7f]*$"

Label = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=TEXT_PATTERN)]
StreamName = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
SampleId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=TEXT_PATTERN)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
LARGEST_FEATURES = 1_000_000


class Spec(BaseModel):
    """Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Levels = Annotated[int, Field(ge=1, le=63, strict=True, description="thresholds of each number in the memory's code")]
Projection = Annotated[
    int, Field(ge=0, le=8192, strict=True, description="bits of a random sign projection in the memory's code")
]


class VectorInput(Spec):
    """A list of `dim` finite numbers."""

    kind: Literal["vector"]
    dim: Annotated[int, Field(ge=1, le=100_000, strict=True)]
    levels: Levels = 7
    projection: Projection = 0


class ImageInput(Spec):
    """A picture, resized to `width` × `height`."""

    kind: Literal["image"]
    width: Annotated[int, Field(ge=1, le=1024, strict=True)]
    height: Annotated[int, Field(ge=1, le=1024, strict=True)]
    channels: Annotated[Literal[1, 3], Field(description="1 is grey, 3 is red, green and blue")] = 1
    levels: Levels = 1
    projection: Projection = 0
    threshold: Annotated[
        Threshold,
        Field(
            description="what the memory's code compares a pixel with: its picture's mean, "
            "or the middle between black and white"
        ),
    ] = "mean"


class TextInput(Spec):
    """A text, as hashed words and characters in `dim` buckets."""

    kind: Literal["text"]
    dim: Annotated[int, Field(ge=16, le=2**16, strict=True)] = 8192
    separate: Annotated[
        bool, Field(strict=True, description="pieces of words have buckets of their own and weigh half in the memory")
    ] = True


class TabularInput(Spec):
    """An object with a number, a category or nothing in each field; categories are hashed into `buckets`."""

    kind: Literal["tabular"]
    fields: Annotated[dict[Label, Literal["number", "category"]], Field(min_length=1, max_length=1000)]
    buckets: Annotated[int, Field(ge=2, le=65_536, strict=True)] = 32


AnyInputSpec = VectorInput | ImageInput | TextInput | TabularInput

InputSpec = Annotated[AnyInputSpec, Field(discriminator="kind")]

_INPUT: TypeAdapter[AnyInputSpec] = TypeAdapter(InputSpec)


class LearnerSpec(Spec):
    """The network and its rule. Equal seed and equal log give an equal learner."""

    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = Field(default_factory=lambda: secrets.randbits(32))
    hidden: Annotated[list[Annotated[int, Field(ge=1, le=8192, strict=True)]], Field(max_length=4)] = Field(
        default_factory=lambda: [256]
    )
    votes: Annotated[int, Field(ge=2, le=100, strict=True)] = 10
    components: Annotated[
        int | None,
        Field(
            ge=1,
            le=256,
            strict=True,
            description="components of a class in the slowest memory, 64 for images and 16 for the rest unless given; "
            "the other memories have at most 16",
        ),
    ] = None
    rates: Annotated[
        list[Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]],
        Field(max_length=5, description="rate floors of the memories, slowest first; none: the network learns alone"),
    ] = Field(default_factory=lambda: list(RATES))
    gate: Annotated[
        Gate,
        Field(
            description="engram gates of the network: stochastic opens each hidden unit with a probability of the "
            "input's own; sparse_code lets the network see which 2 % of 4,096 random units the input drives most"
        ),
    ] = "none"
    fixed_point: Annotated[
        bool, Field(strict=True, description="synapses of 16 bits, rounded at random after each update: half the bytes")
    ] = False
    lr: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = 160.0
    lr_max: Annotated[float, Field(gt=0, le=1e3, allow_inf_nan=False)] = 0.02
    likelihood_multiplier: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = 12.3
    kl_multiplier: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = 4.72
    memory_window: Annotated[float, Field(gt=1, le=1e12, allow_inf_nan=False)] = 6100.0
    pull_floor: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            allow_inf_nan=False,
            description="least factor of the pull to the prior; 0: the published rule, whose synapses saturate",
        ),
    ] = 1.0
    pull_every: Annotated[
        int,
        Field(
            ge=1,
            le=1000,
            strict=True,
            description="the prior pulls at every so many entries of the log, then as many times as strongly; "
            "below memory_window",
        ),
    ] = 1

    @model_validator(mode="after")
    def _pulls_within_the_window(self) -> Self:
        self.rule()  # says what is wrong
        return self

    def rule(self) -> BiMURule:
        """Return the constants of the network's rule."""
        return BiMURule(
            lr=self.lr,
            lr_max=self.lr_max,
            likelihood_multiplier=self.likelihood_multiplier,
            kl_multiplier=self.kl_multiplier,
            memory_window=self.memory_window,
            pull_floor=self.pull_floor,
            pull_every=self.pull_every,
        )


Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


def _known(value: str) -> str:
    if value not in STRATEGIES:
        raise ValueError(f"strategy must be one of {', '.join(sorted(STRATEGIES))}")
    return value


Strategy = Annotated[str, AfterValidator(_known)]


PerTime = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
MaxOpen = Annotated[int, Field(ge=1, le=10**9, strict=True)]
_BY_DEFAULT = Policy()
Overlap = Annotated[int, Field(ge=1, le=10, strict=True)]
Consensus = Literal["majority", "weighted"]
GoldShare = Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)]
DriftExploration = Annotated[float, Field(ge=1, le=1e6, allow_inf_nan=False)]
DriftSamples = Annotated[int, Field(ge=1, le=10**9, strict=True)]


class QuerySpec(Spec):
    """When to ask: by which utility, how often, how much of that at random, and how many labels to begin with."""

    strategy: Strategy = _BY_DEFAULT.strategy
    budget: Annotated[Share, Field(description="queries per sample after the warm-up")] = _BY_DEFAULT.budget
    exploration: Annotated[Share, Field(description="share of the budget that is spent at random")] = (
        _BY_DEFAULT.exploration
    )
    warmup_labels: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] = _BY_DEFAULT.warmup_labels
    labels_per_hour: Annotated[
        PerTime | None, Field(description="queries per hour, beside the budget; null: no such bound")
    ] = _BY_DEFAULT.labels_per_hour
    labels_per_day: Annotated[
        PerTime | None, Field(description="queries per day, beside the budget; null: no such bound")
    ] = _BY_DEFAULT.labels_per_day
    max_open: Annotated[
        MaxOpen, Field(description="open queries beyond which none is asked; from 45 % of it on less and less is asked")
    ] = _BY_DEFAULT.max_open
    rarity: Annotated[
        Share,
        Field(
            description="how much less a sample counts whose class is probably common, and more whose class hardly "
            "ever comes; 0: all count the same. Where a strategy is named and this is not, 0: what is named is what "
            "decides"
        ),
    ] = _BY_DEFAULT.rarity
    duplicate_radius: Annotated[
        Share,
        Field(
            description="a sample whose code differs from that of a question asked lately in at most this share of its "
            "set bits is asked only at random; 0: no question counts as nearly the same"
        ),
    ] = _BY_DEFAULT.duplicate_radius
    withdraw_below: Annotated[
        Share,
        Field(description="share of the threshold below which a query's utility has it withdrawn; 0: never"),
    ] = 0.25
    expire_after_seconds: Annotated[
        Seconds, Field(description="age at which a query that nobody answered expires; 0: never")
    ] = 604_800.0
    overlap: Annotated[Overlap, Field(description="how many people are asked of one sample")] = 1
    overlap_share: Annotated[
        Share, Field(description="share of the samples asked of which so many people are; of the others one is")
    ] = 1.0
    consensus: Annotated[
        Consensus,
        Field(description="what several answers come to: that of most, or that of the most reliable"),
    ] = "majority"
    gold_share: Annotated[
        GoldShare, Field(description="share of each annotator's leases whose answer is known already")
    ] = 0.0

    @model_validator(mode="before")
    @classmethod
    def _a_strategy_by_its_name(cls, given: Any) -> Any:
        if isinstance(given, dict) and "strategy" in given and "rarity" not in given:
            return given | {"rarity": 0.0}
        return given

    @property
    def seats(self) -> float:
        """How many people are asked of one sample, in the mean."""
        return 1.0 + self.overlap_share * (self.overlap - 1)

    drift_exploration: Annotated[
        DriftExploration, Field(description="times the exploration share after an alarm; 1: no more")
    ] = _BY_DEFAULT.drift_exploration
    drift_samples: Annotated[DriftSamples, Field(description="samples after an alarm for which that holds")] = (
        _BY_DEFAULT.drift_samples
    )

    def policy(self) -> Policy:
        """Return what the learner decides by: a sample that it asks costs as many queries as it has seats."""
        named = {name: getattr(self, name) for name in Policy._fields}
        for name in ("budget", "labels_per_hour", "labels_per_day"):
            if named[name] is not None:
                named[name] /= self.seats
        return Policy(**named)


Days = Annotated[float, Field(gt=0, le=36_500, allow_inf_nan=False)]


class RetentionSpec(Spec):
    """What is kept how long; null keeps for ever."""

    payload_days: Annotated[Days | None, Field(description="life time of a sample's data, display and features")] = None
    replay_entries: Annotated[
        Annotated[int, Field(ge=1, le=10**12, strict=True)] | None,
        Field(description="newest log entries whose features are kept, so that they can be replayed"),
    ] = None
    replay_days: Annotated[Days | None, Field(description="age of the oldest log entry whose features are kept")] = None


def as_input(stored: dict[str, Any]) -> AnyInputSpec:
    """Return a stored input description."""
    return _INPUT.validate_python(stored)
