"""What a service answered: the bytes as they come in, and the response that a task sees."""

# geventhttpclient and Locust type their members only in part:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import zlib
from http.client import HTTPException
from typing import Any

from geventhttpclient._parser import HTTPParseError, HTTPResponseParser
from geventhttpclient.header import Headers
from locust.contrib.fasthttp import FastResponse, LocustBadStatusCode, LocustUserAgent

FAILURES = (OSError, HTTPException, zlib.error)
"""What a service, or the way to it, makes of a request; anything else is a fault of this program."""
_GOOD = LocustUserAgent.valid_response_codes


class Message(HTTPResponseParser):
    """One answer, fed with what the connection reads.

    The parser is geventhttpclient's; of its own response class, which keeps an index of the fields up to date
    as they come, only what one request at a time needs.

    Args:
        bodiless: the answer ends with its head, whatever the head says (RFC 9110, section 9.3.2: HEAD).
    """

    __slots__ = (
        "_bodiless",
        "_name",
        "_value",
        "begun",
        "body",
        "complete",
        "fields",
        "keeps_alive",
        "status",
    )

    def __init__(self, bodiless: bool = False) -> None:
        super().__init__()
        self.status = 0
        """0 before the head is complete; that of an interim answer (1xx) does not last."""
        self.fields: list[tuple[str, str]] = []
        self.body: bytes | bytearray = b""
        self.begun = False
        """Whether any byte has come."""
        self.complete = False
        self.keeps_alive = False
        """Whether the connection may carry another request; known once the answer is complete."""
        self._bodiless = bodiless
        self._name = ""
        self._value: str | None = None

    def take(self, data: bytes) -> None:
        """Take what was read, `b""` when the other side has closed.

        Raises:
            HTTPParseError: it is not an answer, or it ended too early.
        """
        try:
            self.feed(data)
        except HTTPParseError:
            if not self.complete:
                raise
            self.keeps_alive = False  # more came than the answer; what that is nobody knows
        if data:
            self.begun = True
        elif not self.complete:
            raise HTTPParseError("Incomplete response.")

    def read(self, length: int | None = None) -> bytes:
        """Return the body and leave none, or the next `length` bytes of it, as responses of Locust do."""
        part = self.body if length is None else self.body[:length]
        self.body = self.body[len(part) :]
        return bytes(part)

    def release(self) -> None:
        """Do nothing: the connection is not the answer's."""

    def _on_message_begin(self) -> None:
        if self.complete:
            raise HTTPParseError("more than one answer to a request")

    def _on_status(self, text: str) -> None:
        pass

    def _on_header_field(self, text: str) -> None:
        if self._value is None:
            self._name += text  # the first, or the rest of one that two reads brought
        else:
            self.fields.append((self._name, self._value))
            self._name, self._value = text, None

    def _on_header_value(self, text: str) -> None:
        self._value = text if self._value is None else self._value + text

    def _on_headers_complete(self) -> bool:
        if self._name:
            self.fields.append((self._name, self._value or ""))
            self._name, self._value = "", None
        self.status = self.get_code()
        return self._bodiless

    def _on_body(self, data: bytearray) -> None:
        if self.body:
            self.body += data
        else:
            self.body = data

    def _on_message_complete(self) -> None:
        if self.status < 200:  # the answer is still to come (RFC 9110, section 15.2)
            self.status, self.fields = 0, []
        else:
            self.complete, self.keeps_alive = True, self.should_keep_alive()


class Answer(FastResponse):
    """A response as Locust's own client gives it, read to its end; without one, the failure in its place.

    `headers`, `content` and `text` are None when no answer came.

    Args:
        url: what was asked for.
        message: the answer; None if there is none.
        error: why the request failed; None to judge by the status.
    """

    error: BaseException | None = None

    def __init__(self, url: str, message: Message | None, error: BaseException | None = None) -> None:
        # Not FastResponse's own, which wants a request taken apart and a connection to release.
        self._url = url
        self._headers: Headers | None = None
        self._fields: dict[str, str] = {}
        self._status = 0
        self._message = message
        if message is None or not message.status:
            self._message = None
            self.error = error
            return
        self._status = message.status
        self._response = message  # pyright: ignore[reportAttributeAccessIssue, reportIncompatibleVariableOverride]
        self._fields = {name.lower(): value for name, value in message.fields}
        if error is not None:
            self._cached_content = b""  # part of it; whether it can be unpacked says nothing
        self.error = error or self._fault(message)

    def _fault(self, message: Message) -> BaseException | None:
        """Return what is wrong with a complete answer, None for nothing. Unpacks the body."""
        if "content-encoding" not in self._fields:
            self._cached_content = bytes(message.body)
        else:
            try:
                _ = self.content
            except (*FAILURES, ValueError) as error:
                self._cached_content = b""
                return error
        if message.status not in _GOOD:
            return LocustBadStatusCode(self._url, code=message.status)
        return None

    def __len__(self) -> int:
        """Return the length of the content."""
        return len(self.content or b"")

    @property
    def status_code(self) -> int:
        """The answer's status; 0 when no answer came."""
        return self._status

    @property
    def url(self) -> str:
        """What was asked for."""
        return self._url

    @property
    def headers(self) -> Headers | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The answer's fields, whatever the case of their names; several of one name are a list."""
        if self._headers is None and self._message is not None:
            self._headers = Headers(self._message.fields)
        return self._headers

    def field(self, name: str) -> str | None:
        """Return the field `name`, None if it is missing or stands there more than once."""
        name = name.lower()
        value = self._fields.get(name)
        if value is None or self._message is None or len(self._fields) == len(self._message.fields):
            return value
        return value if sum(each.lower() == name for each, _ in self._message.fields) == 1 else None

    def _content(self) -> Any:
        return None if self._message is None else super()._content()

    @property
    def text(self) -> str | None:
        """The body as text; None when no answer came."""
        return None if self._message is None else super().text
