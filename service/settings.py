"""Settings, from the environment alone, prefix ENGRAM_; each has a line in the README's table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import sqlalchemy as sa
from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Positive = Annotated[int, Field(gt=0)]

_DRIVERS = ("postgresql", "postgres", "postgresql+psycopg", "sqlite", "sqlite+pysqlite")


class Settings(BaseSettings):
    """All that an operator can set."""

    model_config = SettingsConfigDict(env_prefix="ENGRAM_", frozen=True, extra="ignore")

    data_dir: Path = Field(Path("engram-data"), description="folder of the embedded database, the token and the lock")
    database_url: str | None = Field(
        None, description="SQLAlchemy address of a PostgreSQL database; without one, SQLite in the data folder"
    )
    redis_url: str | None = Field(None, description="address of a Redis that carries wake-ups between processes")
    device: str = Field("cpu", description="where the learner computes, as PyTorch names it")
    max_body_bytes: Positive = Field(32 * 1024 * 1024, description="largest request body")
    max_image_pixels: Positive = Field(20_000_000, description="largest picture, width times height, before resizing")
    max_classes: Positive = Field(1000, description="most classes of one stream")
    max_synapses: Positive = Field(20_000_000, description="most binary synapses of one stream's network")
    write_queue_limit: Positive = Field(
        1000, description="writes that may wait for the database before requests get 429"
    )
    lease_seconds: Positive = Field(
        60, description="how long an annotator holds a query without a heartbeat; with them at most 20 times as long"
    )
    ranked_per_update: Positive = Field(
        20_480, description="open queries ranked anew after an update, while nothing waits to be learned"
    )
    snapshot_every: Positive = Field(200, description="updates between two snapshots of a stream")
    snapshot_seconds: Positive = Field(60, description="longest time between a learned label and the next snapshot")
    snapshots_kept: Positive = Field(
        8, description="newest snapshots of each stream that are all kept; older ones are kept ever sparser"
    )
    learn_after_seconds: Annotated[float, Field(ge=0)] = Field(
        0.0, description="how long an annotator's answer waits before it is learned; until then an undo is free"
    )
    events_kept: Positive = Field(5000, description="newest events kept of each stream, for subscribers that resume")
    idempotency_hours: Positive = Field(24, description="how long an Idempotency-Key is remembered")
    window_samples: Positive = Field(500, description="samples in the fading window of rates and accuracy")
    poll_seconds: Annotated[float, Field(gt=0)] = Field(
        1.0, description="how often consumers look for work that no wake-up told them of"
    )
    worker_heartbeat_seconds: Annotated[float, Field(gt=0)] = Field(
        2.0, description="how often a worker says that it lives"
    )
    worker_lease_seconds: Positive = Field(
        6, description="how long a worker holds its streams without a heartbeat; at least two heartbeats"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, value: str | None) -> str | None:
        if value is not None and _driver(value) not in _DRIVERS:
            raise ValueError("must be postgresql://user@host:port/database or sqlite:///file")
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_a_redis(cls, value: str | None) -> str | None:
        if value is not None and _scheme(value) not in ("redis", "rediss", "unix"):
            raise ValueError("must be redis://host:port/number, rediss://… or unix://path")
        return value

    @field_validator("device")
    @classmethod
    def _computes_here(cls, value: str) -> str:
        if value != "cpu" and not _computes(value):
            raise ValueError("must be a device on which PyTorch computes here, as 'cpu'")
        return value

    @field_validator("worker_lease_seconds")
    @classmethod
    def _outlasts_two_heartbeats(cls, value: int, others: ValidationInfo) -> int:
        beat = others.data.get("worker_heartbeat_seconds")
        if beat is not None and value < 2 * beat:
            raise ValueError(f"must be at least twice ENGRAM_WORKER_HEARTBEAT_SECONDS, {beat}")
        return value

    @property
    def database(self) -> str:
        """The database's address, the embedded one where none is set."""
        if self.database_url is None:
            return f"sqlite:///{self.data_dir / 'engram.db'}"
        return self.database_url.replace("postgresql://", "postgresql+psycopg://", 1).replace(
            "postgres://", "postgresql+psycopg://", 1
        )


def _driver(url: str) -> str | None:
    """Return by what a database's address is reached, or None where it is no address."""
    try:
        return sa.make_url(url).drivername
    except (sa.exc.ArgumentError, ValueError):
        return None


def _scheme(url: str) -> str | None:
    """Return how an address begins, or None where it is none."""
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:  # of a port that is none
        return None
    return parts.scheme


def _computes(device: str) -> bool:
    """Return whether PyTorch computes on a device here."""
    import torch  # noqa: PLC0415 - a second of loading that most commands can do without

    try:
        return bool(torch.ones(1, device=device).sum().item() == 1)
    except (RuntimeError, AssertionError):  # no such device; PyTorch was built without it
        return False
