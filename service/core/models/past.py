"""Models of earlier moments, for whoever asks what was said then."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from learner.online import Scorer
from service.core.models.training import apprentice, restore
from service.storage.session import Database
from service.storage.streams import Stream

_KEPT = 4

_Key = tuple[int, int, int]


class PastModels:
    """Restores the model of a moment, and keeps the last few: what was true then stays true."""

    def __init__(self, db: Database, device: str) -> None:
        self._db = db
        self._device = device
        self._kept: OrderedDict[_Key, Scorer] = OrderedDict()
        self._lock = Lock()

    def scorer(self, stream: Stream, seq: int) -> Scorer:
        """Return the scorer of the state after entry `seq`.

        Raises:
            BeyondHorizonError: where that can no longer be computed.
        """
        key = (stream.id, stream.created_at, seq)
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            state = self._db.read_now(lambda c: restore(c, stream, self._device, until=seq))
            found = apprentice(stream, self._device).learner.scorer(state)
        with self._lock:
            self._kept[key] = found
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found
