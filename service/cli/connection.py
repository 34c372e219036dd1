"""How a command reaches the service of a data folder: the one that runs, or one of its own for the moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import httpx

from service.cli.failures import CommandError, must_be_there
from service.core.errors import ServingError
from service.serving import TOKEN_FILE, address, admin_token, listen, make_server, opened, url_of
from service.settings import Settings

_TIMEOUT = httpx.Timeout(60.0, connect=5.0)


@contextmanager
def connected(settings: Settings) -> Iterator[httpx.Client]:
    """Return a client with the folder's admin token.

    Raises:
        CommandError: where there is no such folder, or the service cannot be reached or has no admin token here.
    """
    must_be_there(settings)
    try:
        with _reached(settings) as client:
            yield client
    except httpx.HTTPError as error:
        raise CommandError(f"the service does not answer: {error}") from None


@contextmanager
def _reached(settings: Settings) -> Iterator[httpx.Client]:
    try:
        with opened(settings) as parts:
            bound = listen("127.0.0.1", 0)
            server = make_server(parts, bound)
            token, _new = admin_token(parts, settings.data_dir)
            thread = Thread(target=server.run_here, args=(bound,), daemon=True)
            thread.start()
            try:
                parts.ready.wait()
                with _client(url_of(bound), token, settings) as client:
                    yield client
            finally:
                parts.stopping.set()
                server.should_exit = True
                thread.join()
    except ServingError:
        url = address(settings.data_dir)
        if url is None:
            raise
        path = settings.data_dir / TOKEN_FILE
        with _client(url, path.read_text().strip() if path.exists() else None, settings) as client:
            yield client


def _client(url: str, token: str | None, settings: Settings) -> httpx.Client:
    if token is None:
        raise CommandError(f"there is no {settings.data_dir / TOKEN_FILE}; make one with 'engram token create'")
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=_TIMEOUT, trust_env=False)


def checked(answer: httpx.Response) -> httpx.Response:
    """Return a good answer.

    Raises:
        CommandError: with the problem's detail where it is not good.
    """
    if answer.is_success:
        return answer
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError):
        detail = answer.text[:200]
    raise CommandError(f"{detail} (status {answer.status_code})")
