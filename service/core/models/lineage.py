"""Which entries of a log count at one of its moments, and what later entries made of them.

A rollback to N continues from N: what lies between counts no more, itself included whatever was revised there, and
nothing of it is removed. So the history behind a moment is a chain of spans, and going back to a moment inside a span
that was left revives it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from service.storage import log
from service.storage.tables import AnyRow


class Span(NamedTuple):
    """Entries that follow one another, both ends included."""

    first: int
    last: int


class Revision(NamedTuple):
    """A retraction (`label` None) or correction: its own entry, the entry that it is about, what that says now."""

    seq: int
    target: int
    label: str | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """The history behind the entry `until`.

    Attributes:
        until: the moment.
        spans: the entries that count, ascending.
        revised: by revised entry, the newest revision that counts.
        revisions: every revision that counts, ascending.
    """

    until: int
    spans: tuple[Span, ...]
    revised: Mapping[int, Revision]
    revisions: tuple[Revision, ...]

    @classmethod
    def of(cls, rows: Iterable[AnyRow], until: int) -> Lineage:
        """Return the history behind `until`; `rows` are the log's revisions as `log.revisions` gives them.

        Example:
            >>> from types import SimpleNamespace as Row
            >>> back = Row(seq=9, kind="rollback", target_seq=5, label=None)
            >>> Lineage.of([back], 12).spans
            (Span(first=1, last=5), Span(first=9, last=12))
        """
        known = [row for row in rows if row.seq <= until]
        spans: list[Span] = []
        last = until
        for row in reversed(known):
            if row.kind == log.ROLLBACK and row.seq <= last:
                spans.append(Span(row.seq, last))
                last = row.target_seq
        if last:
            spans.append(Span(1, last))
        made = cls(until, tuple(reversed(spans)), {}, ())
        revisions = tuple(
            Revision(row.seq, row.target_seq, row.label)
            for row in known
            if row.kind != log.ROLLBACK and made.counts(row.seq)
        )
        return cls(until, made.spans, {revision.target: revision for revision in revisions}, revisions)

    def counts(self, seq: int) -> bool:
        """Return whether this entry belongs to the history; 0, the start, always does."""
        return seq == 0 or any(span.first <= seq <= span.last for span in self.spans)

    def stands(self, seq: int) -> bool:
        """Return whether this entry belongs to the history and was not taken back."""
        revision = self.revised.get(seq)
        return self.counts(seq) and (revision is None or revision.label is not None)

    def label_of(self, seq: int, label: str) -> str:
        """Return what a label entry that stands says, where the entry itself says `label`."""
        revision = self.revised.get(seq)
        return label if revision is None or revision.label is None else revision.label

    def continues(self, seq: int, as_of: int) -> bool:
        """Return whether the state after `seq`, made knowing the revisions up to `as_of`, leads to this moment."""
        return self.counts(as_of) and not any(
            revision.seq > as_of and revision.target <= seq for revision in self.revisions
        )

    def shares(self, other: Lineage) -> int:
        """Return the last entry up to which this history and another have the same entries."""
        last = 0
        for ours, theirs in zip(self.spans, other.spans, strict=False):
            if ours.first != theirs.first:
                break
            last = min(ours.last, theirs.last)
            if ours.last != theirs.last:
                break
        return last

    def after(self, seq: int) -> list[Span]:
        """Return the spans that follow the state after `seq`."""
        return [Span(max(span.first, seq + 1), span.last) for span in self.spans if span.last > seq]
