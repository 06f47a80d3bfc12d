"""What can go wrong with a request, in the words of the kit; `kit.http.problems` turns each into problem+json.

Commands and stores raise these. None may carry personal data: codes, ids and counts only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kit.machine import Reason, Refusal


class Problem(Exception):
    """Base of all answers that are not a success. `status` is the HTTP status, `slug` names the problem type."""

    status = 500
    slug = "internal"


class Missing(Problem):
    """There is no such thing, or it may not be seen from here (the two are not told apart)."""

    status, slug = 404, "not-found"

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class OutOfRegion(Missing):
    """The thing lies outside the regions of the actor; answered exactly like Missing."""

    def __init__(self) -> None:
        super().__init__("resource")


class Stale(Problem):
    """`If-Match` names another version than the stored one."""

    status, slug = 412, "stale-version"

    def __init__(self, current: int) -> None:
        super().__init__(f"current version is {current}")
        self.current = current


class Refused(Problem):
    """A rule of the field refuses the command; every reason is named. Status 403 for a role, else 409."""

    status, slug = 409, "refused"

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(", ".join(r.code for r in refusal.reasons))
        self.refusal = refusal
        if refusal.kind == "role":
            self.status, self.slug = 403, "role-not-allowed"


class Conflict(Problem):
    """The command meets something that exists already, or another request in flight."""

    status, slug = 409, "conflict"

    def __init__(self, code: str, *, retry_after: int | None = None, **params: str | int) -> None:
        super().__init__(code)
        self.reason = Reason.of(code, **params)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of one field: a JSON pointer, a reason code, and its values (never the input)."""

    pointer: str
    code: str
    params: tuple[tuple[str, str | int], ...] = ()


class Invalid(Problem):
    """The body, a parameter or a header cannot be understood."""

    status, slug = 422, "invalid"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(", ".join(f"{e.pointer} {e.code}" for e in errors))
        self.errors = tuple(errors)

    @classmethod
    def field(cls, pointer: str, code: str, **params: str | int) -> "Invalid":
        """One fault of one field."""
        return cls([FieldError(pointer, code, tuple(sorted(params.items())))])


class KeyReused(Invalid):
    """The idempotency key was used before with another body."""

    slug = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__([FieldError("/headers/idempotency-key", "kunci_dipakai_ulang")])


class HeaderRequired(Problem):
    """A header that this call needs is not there: 428 for `If-Match`, 400 for others."""

    def __init__(self, header: str) -> None:
        super().__init__(header)
        self.header = header
        self.status, self.slug = (428, "precondition-required") if header == "If-Match" else (400, "header-required")


class TooLarge(Problem):
    """The body, the file or the list is larger than the limit (in bytes or items, as `unit` says)."""

    status, slug = 413, "too-large"

    def __init__(self, limit: int, unit: str = "bytes") -> None:
        super().__init__(f"limit is {limit} {unit}")
        self.limit, self.unit = limit, unit


class Unauthorized(Problem):
    """No token, or one that cannot be trusted. The answer never says why."""

    status, slug = 401, "unauthorized"


class Forbidden(Problem):
    """The token is good and lacks the scope."""

    status, slug = 403, "scope-missing"

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


class Unavailable(Problem):
    """Something this answer needs is down; try again after `retry_after` seconds."""

    status, slug = 503, "unavailable"

    def __init__(self, dependency: str, retry_after: int = 2) -> None:
        super().__init__(dependency)
        self.dependency, self.retry_after = dependency, retry_after
