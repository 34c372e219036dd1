"""Work that goes on whatever happens: a failure is logged and counted, and the next round tries again."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlalchemy.exc import DBAPIError

from service.core.parts import Parts
from service.storage.syncs import UncertainError
from service.storage.writers import passes

logger = structlog.get_logger()


def attempt(parts: Parts, work: Callable[[], object]) -> bool:
    """Do one part of a round; return whether it went well."""
    try:
        work()
    except Exception as error:
        # Whatever it was, the other streams go on, and this one is tried again in the next round.
        parts.metrics.worker_failures.inc()
        if isinstance(error, UncertainError) and not parts.db.sound:
            return False  # said when the disk failed, and nothing but another start mends it
        if isinstance(error, UncertainError) or (isinstance(error, DBAPIError) and passes(error)):
            logger.warning("worker.database_away", error=str(error.__cause__ or error).partition("\n")[0])
        else:
            logger.exception("worker.round_failed")
        return False
    return True
