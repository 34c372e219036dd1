"""How transactions are run: by one writer, whose syncs are shared (SQLite), or by a pool (PostgreSQL)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Condition, Lock, Thread
from time import monotonic, sleep
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from service.storage.syncs import SYNC_FAILED, Outcome, Syncs, UncertainError, tell

T = TypeVar("T")
Work = Callable[[Connection], T]

_LARGEST_GROUP = 128
_FEW = 4
"""So few requests are run one by one, so that what needs no sync can go between them; more share a commit."""

_WAITS_SECONDS = 0.05
"""So long requests go before the service's own work, and those that need no sync before those that do."""

_TRIES = 6
_FIRST_WAIT_SECONDS = 0.05
"""Before the second try; each further one waits twice as long, so a database that restarts has 1.5 s to come back."""


class _Part(NamedTuple):
    """What is to be run, who waits for it, since when, and whether it must be on disk first."""

    work: Work[Any]
    future: Future[Any]
    since: float
    synced: bool


class OverloadedError(Exception):
    """Too many writes are waiting for the database, or it is closed."""


class Writer(Protocol):
    """Runs write transactions, of which later ones never outlive earlier ones."""

    @property
    def sound(self) -> bool:
        """Whether what is committed lasts; once false it stays so, and nothing more is taken."""

    def submit(self, work: Work[T], *, own: bool = False, synced: bool = True) -> Future[T]:
        """Run `work` in a transaction; the result is there once it is on disk.

        Requests may be refused for what waits, the service's `own` work is not. With `synced` false the result may be
        there before, once the transaction outlives the process: a power cut soon after may undo it.
        """

    def close(self) -> None:
        """Finish what was submitted and stop."""


def passes(error: DBAPIError) -> bool:
    """Return whether the same may go well in a moment: a lost race, a lost connection, a database that starts."""
    return isinstance(error, OperationalError) or error.connection_invalidated


class GroupCommitWriter:
    """One thread, one connection: where many requests wait they share a commit, each in its savepoint.

    What runs alone needs no savepoint: the transaction is its own. What needs no sync goes first, as it is short: a
    lease does not wait for the answers that came with it. A commit does not wait for the disk, so that the next can be
    made meanwhile: who wants it synced is told by another thread, after a sync of all that was written ahead by then,
    for all who wait for it. The service's own work comes piece by piece, where no request waits, or in turns with
    requests once it has waited long enough: nobody waits for more of it than the piece that is under way and one more.
    """

    def __init__(self, engine: Engine, limit: int, sync: Callable[[], None]) -> None:
        self._engine = engine
        self._limit = limit
        self._syncs = Syncs(sync)
        self._requests: deque[_Part] = deque()
        self._own: deque[_Part] = deque()
        self._own_began = 0.0
        self._news = Condition()
        self._closed = False
        self._connection: Connection | None = None
        self._thread = Thread(target=self._run, name="engram-writer", daemon=True)
        self._thread.start()

    @property
    def sound(self) -> bool:
        """Whether the disk has never failed."""
        return not self._syncs.failed

    def submit(self, work: Work[T], *, own: bool = False, synced: bool = True) -> Future[T]:
        """Queue `work`; raise `OverloadedError` where too much waits already, or nothing is taken any more.

        Once the disk has failed, raise `UncertainError`.

        The service's `own` work, of which a few threads wait for one piece each, is not refused for what waits: a
        heartbeat that requests crowd out would cost a worker its streams.
        """
        if not self.sound:
            raise UncertainError(SYNC_FAILED)
        future: Future[T] = Future()
        with self._news:
            waiting = len(self._requests) + len(self._own) + len(self._syncs)
            if self._closed or (waiting >= self._limit and not own):
                raise OverloadedError
            (self._own if own else self._requests).append(_Part(work, future, monotonic(), synced))
            self._news.notify()
        return future

    def close(self) -> None:
        """Finish what was submitted and stop."""
        with self._news:
            self._closed = True
            self._news.notify()
        self._thread.join()
        self._syncs.close()

    def _run(self) -> None:
        while group := self._next_group():
            running = [part for part in group if part.future.set_running_or_notify_cancel()]
            if running:
                self._commit(running)
        self._hang_up()

    def _connected(self) -> Connection:
        """Return the connection, which stays open: fetching one costs two fifths of what an empty transaction takes."""
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it may be what has just broken, and this thread must go on
                connection.close()

    def _next_group(self) -> list[_Part]:
        """Wait for something to do, and return it; nothing once all is done and nothing more will come."""
        with self._news:
            while not (self._requests or self._own or self._closed):
                self._news.wait()
            if self._own and (not self._requests or self._own_is_due()):
                self._own_began = monotonic()
                return [self._own.popleft()]
            if not self._requests:
                return []
            first = self._requests[0]
            if first.synced and monotonic() - first.since <= _WAITS_SECONDS:
                first = next((part for part in self._requests if not part.synced), first)
            if not first.synced or len(self._requests) <= _FEW:
                self._requests.remove(first)
                return [first]
            return [self._requests.popleft() for _ in range(min(len(self._requests), _LARGEST_GROUP))]

    def _own_is_due(self) -> bool:
        """Return whether it has waited long enough, and no request waits that waited for a piece of it already."""
        return monotonic() - self._own[0].since > _WAITS_SECONDS and self._requests[0].since > self._own_began

    def _commit(self, group: list[_Part]) -> None:
        outcomes: list[Outcome]
        try:
            connection = self._connected()
            with connection.begin():
                if len(group) == 1:
                    outcomes = [(part.future, part.work(connection), None) for part in group]
                else:
                    outcomes = [self._part(connection, part.work, part.future) for part in group]
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits; nothing of it was kept
            outcomes = [(part.future, None, error) for part in group]
            self._hang_up()  # whatever it was, the next transaction has nothing to do with it
        later = [done for part, done in zip(group, outcomes, strict=True) if part.synced and done[2] is None]
        tell([done for part, done in zip(group, outcomes, strict=True) if not part.synced or done[2] is not None])
        if later:
            self._syncs.before(later)

    @staticmethod
    def _part(connection: Connection, work: Work[Any], future: Future[Any]) -> Outcome:
        """Run a part so that its failure spoils no other."""
        try:
            with connection.begin_nested():
                return future, work(connection), None
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for this part
            return future, None, error


class PooledWriter:
    """Several connections; a transaction that lost against another one, or its connection, is run again.

    Not so where the connection broke while the commit was under way: it may have happened, so that only whoever asked
    can try again, under the same id or key. Each is synced, whatever was asked for: nobody waits for another's sync.
    """

    def __init__(self, engine: Engine, connections: int, limit: int) -> None:
        self._engine = engine
        self._limit = limit
        self._waiting = 0
        self._closed = False
        self._lock = Lock()
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="engram-writer")

    @property
    def sound(self) -> bool:
        """Always so: the server sees to its disk."""
        return True

    def submit(self, work: Work[T], *, own: bool = False, synced: bool = True) -> Future[T]:  # noqa: ARG002 - all are
        """Queue `work`; raise `OverloadedError` where too much waits already and it is not the service's `own`.

        So it does once nothing is taken any more.
        """
        with self._lock:
            if self._closed or (self._waiting >= self._limit and not own):
                raise OverloadedError
            self._waiting += 1
            future = self._threads.submit(self._run, work)
        future.add_done_callback(self._done)
        return future

    def close(self) -> None:
        """Finish what was submitted and stop."""
        with self._lock:
            self._closed = True
        self._threads.shutdown(wait=True)

    def _run(self, work: Work[T]) -> T:
        for attempt in range(_TRIES):
            try:
                return self._once(work)
            except DBAPIError as error:  # nothing of it was kept
                if attempt == _TRIES - 1 or not passes(error):
                    raise
                sleep(_FIRST_WAIT_SECONDS * 2**attempt)
        raise AssertionError

    def _once(self, work: Work[T]) -> T:
        with self._engine.connect() as connection:
            transaction = connection.begin()
            with transaction:
                result = work(connection)
                try:
                    transaction.commit()
                except DBAPIError as error:
                    if passes(error):
                        raise UncertainError from error
                    raise
            return result

    def _done(self, _future: Future[Any]) -> None:
        with self._lock:
            self._waiting -= 1
