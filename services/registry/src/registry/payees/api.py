"""Routes of payee accounts: captured and replaced by officers, opened only for the writing of a payment file."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.problems import problems
from kit.ids import receipt
from pydantic import Field

from registry.creation import Creation, Purpose
from registry.payees import commands, queries
from registry.payees.domain import NameMatch, RecordCheck, State
from registry.persons import queries as people

router = Api(prefix="/v1", tags=["payees"])

MAX_PAYEES = 1_000
Writer = Annotated[Actor, requires("registry.payees:write", region=Region.OBJECT)]
Viewer = Annotated[Actor, requires("registry.payees:view", region=Region.OBJECT)]
Code = Annotated[str, Field(pattern=r"^[a-z0-9_]{2,40}$")]


class NewAccount(Creation):
    """An account as on the passbook; `pos` is cash at the post office and has no number."""

    person_id: UUID
    rail: Literal["bank", "pos"]
    bank_code: Annotated[str, Field(pattern=r"^[A-Z0-9]{3,11}$")] | None = None
    account: Annotated[str, Field(max_length=40)] | None = None
    holder_name: Annotated[str, Field(min_length=1, max_length=120)]
    document_id: UUID | None = None


class CheckResult(Body):
    """What the bank or Pos reported."""

    state: Literal["opening", "active", "rejected", "dormant", "closed", "blocked"]
    name_match: NameMatch = NameMatch.UNKNOWN
    reason: Code | None = None


class Replacement(Body):
    replacement_id: UUID
    document_id: UUID | None = None


class AccountOut(Versioned):
    id: UUID
    receipt: str
    person_id: UUID
    rail: str
    bank_code: str | None
    masked: str | None
    name_match: str
    is_default: bool
    state: str
    reason: str | None
    checked_at: datetime | None
    usable_from: datetime | None
    replacement_id: UUID | None
    client_ref: str | None

    @classmethod
    def of(cls, account: queries.Row) -> "AccountOut":
        """The answer about an account, masked."""
        given = {name: getattr(account, name) for name in cls.model_fields if name not in {"receipt", "masked"}}
        masked = None if account.last4 is None else "*" * 6 + account.last4
        return cls(**given, receipt=receipt("RK", account.id), masked=masked)


class Accounts(Out):
    items: list[AccountOut]


class PayeesQuestion(Body):
    person_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_PAYEES)]
    purpose: Purpose
    batch_id: UUID | None = None


class PayeeOut(Out):
    person_id: UUID
    account_id: UUID
    rail: str
    bank_code: str | None
    account: str | None
    holder_name: str
    state: str
    payee_token: str | None
    usable_from: datetime | None


class PayeesAnswer(Out):
    items: list[PayeeOut]
    missing: list[UUID]


class PersonIds(Body):
    person_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_PAYEES)]


class FingerprintOut(Out):
    person_id: UUID
    rail: str
    bank_code: str | None
    state: str
    name_match: str
    payee_token: str | None
    usable_from: datetime | None


class FingerprintsAnswer(Out):
    items: list[FingerprintOut]
    missing: list[UUID]


@router.post("/payee-accounts", status_code=201, responses=problems(404, 409, 422))
async def capture_account(body: NewAccount, uow: Uow, _: Writer) -> AccountOut:
    """Write down an account (rekening penerima); a person's first becomes the default."""
    return AccountOut.of(await commands.capture(uow, commands.NewAccount(**body.model_dump())))


@router.get("/payee-accounts/{account_id}", responses=problems(404))
async def get_account(account_id: UUID, uow: Reads, _: Viewer) -> AccountOut:
    """One account, masked."""
    account = await queries.get(uow, account_id)
    await people.get(uow, account.person_id)
    return AccountOut.of(account)


@router.get("/persons/{person_id}/payee-accounts", responses=problems(404))
async def list_accounts(person_id: UUID, uow: Reads, _: Viewer) -> Accounts:
    """All accounts of a person, masked, newest first."""
    await people.get(uow, person_id)
    return Accounts(items=[AccountOut.of(account) for account in await queries.of_person(uow, person_id)])


@router.post("/payee-accounts/{account_id}:record-check", responses=problems(404, 409, 412, 428))
async def record_check(account_id: UUID, body: CheckResult, uow: Uow, version: IfMatch, _: Writer) -> AccountOut:
    """Take what the bank reported; never by the one who captured the account."""
    check = RecordCheck(State(body.state), body.name_match, body.reason)
    return AccountOut.of(await commands.record_check(uow, account_id, check, version))


@router.post("/payee-accounts/{account_id}:propose-replacement", responses=problems(404, 409, 412, 428))
async def propose_replacement(account_id: UUID, body: Replacement, uow: Uow, version: IfMatch, _: Writer) -> AccountOut:
    """Ask that another account of the same person takes the place of this default account."""
    by, document = body.replacement_id, body.document_id
    return AccountOut.of(await commands.propose_replacement(uow, account_id, by, document, version))


@router.post("/payee-accounts/{account_id}:confirm-replacement", responses=problems(404, 409, 412, 428))
async def confirm_replacement(account_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> AccountOut:
    """A second person agrees; answers the new default account, usable after one day."""
    return AccountOut.of(await commands.confirm_replacement(uow, account_id, version))


@router.post("/payees:batch-get", responses=problems(422))
async def batch_get(
    body: PayeesQuestion, uow: Reads, _: Annotated[Actor, requires("registry.payees:read", region=Region.OBJECT)]
) -> PayeesAnswer:
    """Accounts in clear of up to 1,000 persons, for one export run; logged; memory only, never in a table."""
    found = await queries.open_defaults(uow, body.person_ids)
    purpose = body.purpose if body.batch_id is None else f"{body.purpose}:{body.batch_id}"
    await uow.log_reads(purpose, ["account", "holder_name"], sorted(p.person_id for p in found))
    items = [
        PayeeOut(
            person_id=p.person_id, account_id=p.account_id, rail=p.rail, bank_code=p.bank_code, account=p.account,
            holder_name=p.holder_name, state=p.state, payee_token=p.token.hex() if p.token else None, usable_from=p.usable_from,
        )
        for p in found
    ]  # fmt: skip
    return PayeesAnswer(items=items, missing=_missing(body.person_ids, [p.person_id for p in found]))


@router.post("/payees:fingerprint", responses=problems(422))
async def fingerprint(
    body: PersonIds, uow: Reads, _: Annotated[Actor, requires("registry.payees:fingerprint", region=Region.OBJECT)]
) -> FingerprintsAnswer:
    """State and token of the default account of up to 1,000 persons; may be stored: it tells no number."""
    found = await queries.fingerprints(uow, body.person_ids)
    items = [
        FingerprintOut(
            person_id=f.person_id, rail=f.rail, bank_code=f.bank_code, state=f.state, name_match=f.name_match,
            payee_token=f.token.hex() if f.token else None, usable_from=f.usable_from,
        )
        for f in found
    ]  # fmt: skip
    return FingerprintsAnswer(items=items, missing=_missing(body.person_ids, [f.person_id for f in found]))


def _missing(asked: list[UUID], found: list[UUID]) -> list[UUID]:
    here = set(found)
    return [id for id in dict.fromkeys(asked) if id not in here]
