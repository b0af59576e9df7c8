"""An HTTP proxy before the real gateway: counts requests, holds some back, and loses replies after the gateway has done the work."""

from __future__ import annotations

import asyncio
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

CHUNK = 1 << 16


@dataclass(frozen=True)
class Request:
    """The head of a request."""

    method: str
    target: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        """Path without the query, decoded."""
        return urllib.parse.unquote(self.target.partition("?")[0])

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def is_copy(self) -> bool:
        return "x-amz-copy-source" in self.headers


def nth(number: int, matches: Callable[[Request], bool]) -> Callable[[Request], bool]:
    """Matches once: the request of that number, from 1, among those that match."""
    seen: list[Request] = []

    def is_it(request: Request) -> bool:
        if not matches(request):
            return False
        seen.append(request)
        return len(seen) == number

    return is_it


class Held:
    """Requests that are held back before the gateway sees them.

    Attributes:
        request: the first of them.
    """

    def __init__(self) -> None:
        self.request: Request | None = None
        self._arrived = threading.Event()
        self._ended = threading.Event()
        self._are_dropped = False

    def wait_for_one(self, seconds: float) -> None:
        assert self._arrived.wait(seconds), "no such request came"

    def release(self) -> None:
        """Lets them pass, and those that come after them."""
        self._ended.set()

    def drop(self) -> None:
        """Closes their connections: the gateway never sees them. Those that come after them pass."""
        self._are_dropped = True
        self._ended.set()

    def hold(self, request: Request) -> None:
        """Waits for the end; called by the proxy.

        Raises:
            ConnectionResetError: the request was dropped.
        """
        if self._ended.is_set():
            return
        self.request = self.request or request
        self._arrived.set()
        self._ended.wait()
        if self._are_dropped:
            raise ConnectionResetError


@dataclass
class Proxy:
    """A proxy that runs. `url` takes the place of the gateway's."""

    url: str
    requests: list[Request] = field(default_factory=list)
    _answers: list[tuple[Request, int]] = field(default_factory=list)
    _holds: list[tuple[Callable[[Request], bool], Held]] = field(default_factory=list)
    _loses: Callable[[Request], bool] = lambda _: False
    lost: int = 0

    def hold(self, matches: Callable[[Request], bool]) -> Held:
        """Holds back every request that matches until it is released."""
        held = Held()
        self._holds.append((matches, held))
        return held

    def status_of(self, request: Request | None) -> int | None:
        """What the gateway has answered to this very request; `None` as long as it has not."""
        return next((status for answered, status in self._answers if answered is request), None)

    def lose_replies(self, matches: Callable[[Request], bool]) -> None:
        """Closes the connection instead of answering, after the gateway has answered."""
        self._loses = matches

    async def _before(self, request: Request) -> None:
        self.requests.append(request)
        for matches, held in self._holds:
            if matches(request):
                await asyncio.to_thread(held.hold, request)

    def _is_lost(self, request: Request) -> bool:
        lost = self._loses(request)
        self.lost += lost
        return lost


@contextmanager
def proxy_before(url: str) -> Iterator[Proxy]:
    """A proxy before the plain gateway at `url`."""
    upstream = urllib.parse.urlsplit(url)
    assert upstream.scheme == "http"
    assert upstream.hostname
    assert upstream.port
    address = (upstream.hostname, upstream.port)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    proxy = Proxy("")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _connection(proxy, address, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # either side may go at any time
        finally:
            writer.close()

    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20), loop).result()
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        for _, held in proxy._holds:
            held.drop()
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    connections = asyncio.all_tasks() - {asyncio.current_task()}
    for connection in connections:
        connection.cancel()
    await asyncio.gather(*connections, return_exceptions=True)


async def _connection(
    proxy: Proxy, address: tuple[str, int], client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter
) -> None:
    reader, writer = await asyncio.open_connection(*address, limit=1 << 20)
    try:
        while head := await _head(client_reader):
            first, headers = _parse(head)
            method, target, _ = first.split(" ", 2)
            request = Request(method, target, headers)
            await proxy._before(request)
            writer.write(head)
            if headers.get("expect", "").lower() != "100-continue":
                await _copy(client_reader, writer, int(headers.get("content-length", "0")))
            await writer.drain()
            if not await _answer(proxy, request, reader, client_writer):
                return
    finally:
        writer.close()


async def _answer(proxy: Proxy, request: Request, reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> bool:
    """Hands the answer on, or loses it; whether the connection can go on."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, headers = _parse(head)
    status = int(first.split(" ", 2)[1])
    proxy._answers.append((request, status))
    is_lost = proxy._is_lost(request)
    sink = None if is_lost else client_writer
    if sink:
        sink.write(head)
    if request.method == "HEAD" or status in (204, 304):
        pass
    elif headers.get("transfer-encoding", "").lower() == "chunked":
        await _copy_chunks(reader, sink)
    else:
        await _copy(reader, sink, int(headers.get("content-length", "0")))
    if sink:
        await sink.drain()
    return not is_lost and headers.get("connection", "").lower() != "close"


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return b""


def _parse(head: bytes) -> tuple[str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return first, {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None, length: int) -> None:
    while length > 0:
        data = await reader.read(min(length, CHUNK))
        if not data:
            raise ConnectionResetError
        length -= len(data)
        if writer:
            writer.write(data)
            await writer.drain()


async def _copy_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None) -> None:
    while True:
        line = await reader.readuntil(b"\r\n")
        data = await reader.readexactly(int(line.split(b";")[0], 16) + 2)
        if writer:
            writer.write(line + data)
        if line.split(b";")[0].strip() == b"0":
            return
