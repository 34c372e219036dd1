"""What requests and answers look like."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from service.core.specs import (
    Consensus,
    DriftExploration,
    DriftSamples,
    GoldShare,
    InputSpec,
    Label,
    LearnerSpec,
    MaxOpen,
    Overlap,
    PerTime,
    QuerySpec,
    RetentionSpec,
    SampleId,
    Seconds,
    Share,
    Spec,
    Strategy,
    StreamName,
)

COLOUR_PATTERN = r"^#[0-9a-fA-F]{6}$"
MOMENT_PATTERN = r"^(now|[0-9]{1,18})$"

Colour = Annotated[str, StringConstraints(pattern=COLOUR_PATTERN)]
Guidelines = Annotated[str, StringConstraints(max_length=20_000)]
Classes = Annotated[list[Label], Field(max_length=10_000)]
LeaseToken = Annotated[str, StringConstraints(min_length=1, max_length=200)]

_DEEPEST_DISPLAY = 32


def _shallow(value: dict[str, Any]) -> dict[str, Any]:
    level: list[Any] = [value]
    for _ in range(_DEEPEST_DISPLAY):
        inside = (part.values() if isinstance(part, dict) else part for part in level)
        level = [part for parts in inside for part in parts if isinstance(part, dict | list)]
        if not level:
            return value
    raise ValueError(f"display must be nested at most {_DEEPEST_DISPLAY} deep")


# What is deeper than the writer of answers goes could be stored but never shown.
Display = Annotated[dict[str, Any], AfterValidator(_shallow)]


class StreamBody(Spec):
    """A new stream; everything but name and input has a default."""

    name: StreamName
    input: InputSpec
    classes: Classes = Field(default_factory=list)
    open_classes: bool = True
    learner: LearnerSpec = Field(default_factory=LearnerSpec)
    query: QuerySpec = Field(default_factory=QuerySpec)
    guidelines: Guidelines = ""
    colours: dict[Label, Colour] = Field(default_factory=dict)
    retention: RetentionSpec = Field(default_factory=RetentionSpec)


class QueryPatch(Spec):
    """Parts of a query policy."""

    strategy: Strategy | None = None
    budget: Share | None = None
    exploration: Share | None = None
    warmup_labels: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] | None = None
    labels_per_hour: PerTime | None = None
    labels_per_day: PerTime | None = None
    max_open: MaxOpen | None = None
    rarity: Share | None = None
    duplicate_radius: Share | None = None
    withdraw_below: Share | None = None
    expire_after_seconds: Seconds | None = None
    overlap: Overlap | None = None
    overlap_share: Share | None = None
    consensus: Consensus | None = None
    gold_share: GoldShare | None = None
    drift_exploration: DriftExploration | None = None
    drift_samples: DriftSamples | None = None

    def changes(self) -> dict[str, Any]:
        """Return what it names; null only where it takes a bound away."""
        named = self.model_dump(exclude_unset=True)
        bounds = ("labels_per_hour", "labels_per_day")
        return {name: value for name, value in named.items() if value is not None or name in bounds}


class StreamPatch(Spec):
    """What may change of a stream."""

    query: QueryPatch | None = None
    guidelines: Guidelines | None = None
    colours: dict[Label, Colour] | None = None
    add_classes: Classes = Field(default_factory=list)
    open_classes: bool | None = None
    retention: RetentionSpec | None = Field(None, description="what it does not name stays as it is")


class Answered(BaseModel):
    """Answers may carry more fields than are named here."""

    model_config = ConfigDict(extra="allow")


class StreamAnswer(Answered):
    """A stream."""

    name: str
    input: dict[str, Any]
    classes: list[str]
    open_classes: bool
    learner: dict[str, Any]
    query: dict[str, Any]
    guidelines: str
    colours: dict[str, str]
    retention: dict[str, Any]
    horizon_seq: int
    created_at: str


class Page(Answered):
    """One page of a list."""

    items: list[Any]
    next_cursor: str | None


class SampleBody(Spec):
    """One input. `data` is as the stream's input kind has it; `display` only helps people."""

    id: SampleId | None = None
    data: Any
    display: Display | None = None
    label: Label | None = None


class BatchBody(Spec):
    """Up to 1000 samples."""

    samples: Annotated[list[Any], Field(min_length=1, max_length=1000)]


class PredictionAnswer(Answered):
    """What the learner says."""

    label: str
    confidence: float
    probabilities: dict[str, float]


class UncertaintyAnswer(Answered):
    """How sure it is: entropies in bits, variation ratio in 0 … 1, novelty in standard deviations."""

    predictive_entropy: float
    aleatoric: float
    epistemic: float
    variation_ratio: float
    novelty: float


class AskedAnswer(Answered):
    """The question that a sample became."""

    id: str
    reason: Literal["uncertain", "novel", "exploration"]
    propensity: float


class SampleAnswer(Answered):
    """A sample's prediction, uncertainty and query."""

    id: str
    prediction: PredictionAnswer | None
    uncertainty: UncertaintyAnswer | None
    query: AskedAnswer | None
    model_version: int


class BatchAnswer(Answered):
    """Answers in the order of the samples; a problem object in place of each that was not acceptable.

    `known` are the places of those whose id was there before: they are answered as the first time, and of what they say
    now, a label too, nothing is taken.
    """

    results: list[Any]
    known: list[int]


class LeaseBody(Spec):
    """How many queries, and how long to wait for the first."""

    limit: Annotated[int, Field(ge=1, le=10, strict=True)] = 1
    wait_seconds: Annotated[float, Field(ge=0, le=30, allow_inf_nan=False)] = 0


class LeaseAnswer(Answered):
    """When the lease ends."""

    token: str
    expires_at: str


class LeasedQuery(Answered):
    """A query with all that a person needs to answer it."""

    id: str
    sample_id: str
    data: Any
    display: dict[str, Any] | None
    prediction: PredictionAnswer | None
    uncertainty: UncertaintyAnswer | None
    reason: str
    lease: LeaseAnswer


class LeasedAnswer(Answered):
    """Leased queries, most valuable first."""

    queries: list[LeasedQuery]


class AnswerBody(Spec):
    """A person's answer."""

    lease_token: LeaseToken
    label: Label
    duration_ms: Annotated[int, Field(ge=0, le=10**10)] | None = None


class HoldBody(Spec):
    """A lease."""

    lease_token: LeaseToken


class SkipBody(HoldBody):
    """A lease, and why the query is not answered."""

    reason: Literal["unclear", "not_for_me", "none_of_these"]


class HeldAnswer(Answered):
    """When the lease ends now."""

    expires_at: str


class TruthBody(Spec):
    """The truth of an earlier sample."""

    sample_id: SampleId
    label: Label


class LabelAnswer(Answered):
    """A label's id and its number in the log."""

    label_id: str
    seq: int


class RecordedAnswer(Answered):
    """A label's id and its number in the log; both null, and `pending`, where others are asked of the sample too."""

    label_id: str | None
    seq: int | None
    pending: bool = False


class GoldBody(Spec):
    """A sample whose label is known: one that came before, by its id, or another, by its data."""

    sample_id: SampleId | None = None
    data: Any = None
    display: Display | None = None
    label: Label


class GoldAnswer(Answered):
    """A sample that is gold."""

    id: str
    sample_id: str
    label: str
    by: str
    at: str


class ShareAnswer(Answered):
    """A share with its 95 % interval, and of how many answers."""

    estimate: float | None
    low: float | None
    high: float | None
    answers: int


class AnnotatorAnswer(Answered):
    """One person: what was answered and skipped, how fast, how often like the others, and how often rightly."""

    id: str
    name: str
    answers: int
    skips: int
    median_duration_ms: float | None
    agreement: ShareAnswer
    gold: ShareAnswer
    reliability: float


class AgreementAnswer(Answered):
    """How far people agree on the samples that several answered."""

    percent: float | None
    alpha: float | None
    samples: int


class AnnotatorsAnswer(Answered):
    """Everybody who answered."""

    items: list[AnnotatorAnswer]
    agreement: AgreementAnswer


class CorrectionBody(Spec):
    """What a label should say."""

    label: Label


class JobAnswer(Answered):
    """Work that goes on after its request was answered; `done` and `total` count log entries to apply."""

    id: str
    stream: str
    kind: Literal["rebuild", "snapshot"]
    seq: int
    state: Literal["queued", "running", "done", "failed"]
    done: int
    total: int | None
    error: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None


class RevisedAnswer(LabelAnswer):
    """A label corrected or taken back, the entry that did, and the rebuild that makes the model so."""

    job: JobAnswer | None


class TakenBackAnswer(Answered):
    """An answer taken back, with the label that rested on it, if there was one, and the query leased again."""

    label_id: str | None
    seq: int | None
    retracted: bool
    query: dict[str, Any] | None
    job: JobAnswer | None


class RollbackBody(Spec):
    """The entry to go back to; 0 is the beginning."""

    seq: Annotated[int, Field(ge=0, lt=2**62, strict=True)]


class RollbackAnswer(Answered):
    """The rollback's own entry, where it went, how many labels stand no more, and the rebuild."""

    stream: str
    seq: int
    rolled_back_to: int
    labels_taken_back: int
    job: JobAnswer


class NothingBody(Spec):
    """Nothing has to be said."""


class SnapshotAnswer(Answered):
    """The job that stores a state."""

    job: JobAnswer


class SignInBody(Spec):
    """An access token."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class WhoAnswer(Answered):
    """Who is signed in."""

    name: str
    role: str


class ProblemAnswer(Answered):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
