"""Lists in pages: an opaque cursor over (sort key, id), signed, and good only for the list and filter it came from."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BaseModel

from kit.errors import Invalid

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
_SIGNATURE = 16
_OWN = frozenset({"limit", "cursor"})

R = TypeVar("R")
O = TypeVar("O")  # noqa: E741 - what goes out


class Page(BaseModel, Generic[O]):
    """One page. `next` is the cursor of the page behind it, null on the last one. There is no total."""

    items: list[O]
    next: str | None


class Paging:
    """What the caller asked for. A query takes `limit + 1` rows after `after` and hands them to `next`."""

    def __init__(self, limit: int, after: tuple[str, UUID] | None, sign: Callable[[bytes], bytes]) -> None:
        self.limit = limit
        self.after = after
        self._sign = sign

    @property
    def take(self) -> int:
        """Rows to fetch: one more than shown, which tells whether a page follows."""
        return self.limit + 1

    def next(self, rows: Sequence[R], key: Callable[[R], tuple[str, UUID]]) -> tuple[Sequence[R], str | None]:
        """The rows to show and the cursor of the next page; `rows` are up to `take` rows in order.

        `key` gives the sort key (as text) and the id of a row, in the order in which the query sorts.
        """
        shown = rows[: self.limit]
        if len(rows) <= self.limit:
            return shown, None
        sort, id = key(shown[-1])
        place = json.dumps([sort, str(id)], separators=(",", ":")).encode()
        return shown, base64.urlsafe_b64encode(self._sign(place) + place).rstrip(b"=").decode()

    def page(self, rows: Sequence[R], key: Callable[[R], tuple[str, UUID]], show: Callable[[R], O]) -> Page[O]:
        """`next` with every row turned into its answer."""
        shown, cursor = self.next(rows, key)
        return Page(items=[show(row) for row in shown], next=cursor)


async def page_args(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most items of the page.")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=512, description="`next` of the page before.")] = None,
) -> Paging:
    """Read `limit` and `cursor`. Raises Invalid for a cursor that was changed, or made for another list or filter."""
    secret = request.app.state.runtime.settings.cursor_secret.get_secret_value().encode()
    filters = sorted((name, value) for name, value in request.query_params.multi_items() if name not in _OWN)
    digest = hashlib.sha256(json.dumps([request.url.path, filters]).encode()).digest()

    def sign(place: bytes) -> bytes:
        return hmac.digest(secret, digest + place, hashlib.sha256)[:_SIGNATURE]

    return Paging(limit, None if cursor is None else _open(cursor, sign), sign)


def _open(cursor: str, sign: Callable[[bytes], bytes]) -> tuple[str, UUID]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        place = raw[_SIGNATURE:]
        if not hmac.compare_digest(raw[:_SIGNATURE], sign(place)):
            raise ValueError("changed")
        sort, id = json.loads(place)
        return str(sort), UUID(str(id))
    except (ValueError, TypeError):  # the last: signed by us for a list that was sorted otherwise
        raise Invalid.field("/query/cursor", "kursor_salah") from None


PageArgs = Annotated[Paging, Depends(page_args)]
