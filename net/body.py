"""Reading a body: whole, uncompressed, and never larger or slower than allowed, whatever a server sends."""

import zlib
from collections.abc import Callable, Iterator

import httpx

from core.errors import SourceChanged, SourceDown

_CHUNK = 64 * 1024


def pieces(source: str, response: httpx.Response, *, max_bytes: int, in_time: Callable[[], bool]) -> Iterator[bytes]:
    """Yield the body, uncompressed, never more than `max_bytes` in all, as long as it is `in_time`.

    Raises:
        SourceDown: it is too slow, too short, or broken on the way.
        SourceChanged: it is too large, or in a coding nobody asked for.
    """
    if response.is_stream_consumed:  # made in memory, by a test or a proxy of ours: whole and expanded already
        if len(response.content) > max_bytes:
            raise SourceChanged(source, f"sent more than {max_bytes} bytes")
        yield response.content
        return
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise SourceChanged(source, f"sent content-encoding {coding!r}, which was not asked for")
    expand = _Inflater() if "gzip" in coding or coding == "deflate" else None
    raw = total = 0
    for chunk in response.iter_raw(_CHUNK):
        raw += len(chunk)
        if not in_time():
            raise SourceDown(source, "took too long to answer")
        for piece in expand(source, chunk) if expand else (chunk,):
            total += len(piece)
            if total > max_bytes:
                raise SourceChanged(source, f"sent more than {max_bytes} bytes")
            yield piece
    _whole(source, response, raw, expand)


def _whole(source: str, response: httpx.Response, raw: int, expand: "_Inflater | None") -> None:
    bodiless = response.request.method == "HEAD" or response.status_code in (204, 304)
    length = response.headers.get("content-length", "")
    if length.isdigit() and not bodiless and int(length) != raw:
        raise SourceDown(source, f"sent {raw} of {length} bytes")
    if expand is not None and raw and not expand.finished:
        raise SourceDown(source, "sent a compressed answer that breaks off")


class _Inflater:
    """gzip or deflate, in pieces of bounded size."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(47)
        self._started = False

    @property
    def finished(self) -> bool:
        return self._zlib.eof

    def __call__(self, source: str, chunk: bytes) -> Iterator[bytes]:
        try:
            yield from self._inflate(chunk)
        except zlib.error as error:
            if self._started:
                raise SourceDown(source, f"sent a broken compressed answer: {error}") from None
            self._zlib = zlib.decompressobj(-15)  # "deflate" without its header, as some servers send it
            self._started = True
            yield from self(source, chunk)

    def _inflate(self, chunk: bytes) -> Iterator[bytes]:
        while chunk and not self._zlib.eof:
            piece = self._zlib.decompress(chunk, _CHUNK)
            self._started = True
            chunk = self._zlib.unconsumed_tail
            if self._zlib.eof and self._zlib.unused_data[:2] == b"\x1f\x8b":  # gzip may come in several members
                chunk, self._zlib = self._zlib.unused_data, zlib.decompressobj(47)
            yield piece
