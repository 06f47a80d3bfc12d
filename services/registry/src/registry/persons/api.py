"""Routes of persons: register, read (masked), correct by two, search by the exact NIK, reveal for a purpose."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.db.uow import UnitOfWork
from kit.errors import Missing
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.paging import Page
from kit.http.problems import problems
from kit.ids import receipt
from pydantic import Field

from registry.creation import Creation, Purpose, RegionCode
from registry.facts import queries as facts
from registry.families import queries as families
from registry.identities import commands as identity_commands
from registry.identities import queries as identities
from registry.persons import commands, queries
from registry.persons.names import initials
from registry.residences import commands as residences
from registry.residences.domain import Kind, Settle

router = Api(prefix="/v1", tags=["persons"])

MAX_NAMES = 500
MAX_IDS = 1_000
Reader = Annotated[Actor, requires("registry.persons:read", region=Region.OBJECT)]
Writer = Annotated[Actor, requires("registry.persons:write", region=Region.OBJECT)]
NameText = Annotated[str, Field(min_length=1, max_length=120)]


class FirstAddress(Body):
    kind: Kind = Kind.DOMICILE
    region_code: RegionCode
    since: date | None = None
    rt: Annotated[int, Field(ge=0, le=999)] | None = None
    rw: Annotated[int, Field(ge=0, le=999)] | None = None
    street: Annotated[str, Field(max_length=200)] | None = None


class NewPerson(Creation):
    """A person to register. A NIK is no condition: babies, street people and remote communities have none."""

    name: NameText
    name_kind: Literal["ktp", "akta", "dtsen", "alias"] = "ktp"
    birth_date: date | None = None
    birth_precision: Literal[1, 2, 3] = Field(1, description="1 the day, 2 the month, 3 the year is known.")
    sex: Literal["L", "P"] | None = None
    region_code: RegionCode
    nik: Annotated[str, Field(max_length=32)] | None = None
    address: FirstAddress | None = None
    reason: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="Why this is another person than one alike."
    )


class NewCorrection(Body):
    name: NameText | None = None
    birth_date: date | None = None
    sex: Literal["L", "P"] | None = None
    document_id: UUID | None = None


class ClaimBrief(Out):
    id: UUID
    scheme: str
    masked: str
    state: str
    structure: str
    warnings: list[str]
    version: int


class NameOut(Out):
    kind: str
    name: str
    valid_from: date | None
    valid_to: date | None


class PersonOut(Versioned):
    """A person; numbers are masked. `life` is the fact that aid follows."""

    id: UUID
    receipt: str
    state: str
    names: list[NameOut]
    birth_date: date | None
    birth_precision: int
    sex: str | None
    provisional: bool
    region_code: str
    life: str
    facts_version: int
    family_id: UUID | None
    claims: list[ClaimBrief]
    correction_pending: bool
    client_ref: str | None


class NikSearch(Body):
    nik: Annotated[str, Field(min_length=1, max_length=32)]
    purpose: Purpose = "identity_check"


class Hit(Out):
    """One person who claims the number: initials only; open the person to see more."""

    person_id: UUID
    initials: str
    claim_state: str
    life: str
    receipt: str


class Hits(Out):
    items: list[Hit]


class Reveal(Body):
    purpose: Purpose
    scheme: Literal["nik", "nik_sementara", "akta_lahir", "dtsen_id", "bpjs", "paspor", "local"] = "nik"


class Revealed(Out):
    person_id: UUID
    scheme: str
    value: str


class Ids(Body):
    person_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_IDS)]


class CanonicalOut(Out):
    person_id: UUID
    canonical_id: UUID
    state: str


class Resolution(Out):
    items: list[CanonicalOut]
    missing: list[UUID]


class NamesQuestion(Body):
    person_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_NAMES)]
    purpose: Purpose


class NamedOut(Out):
    person_id: UUID
    name: str


class NamesAnswer(Out):
    items: list[NamedOut]
    missing: list[UUID]


class RelativeOut(Out):
    """`shdk` is the relation to the head of family, `relationship` the one to the person asked about."""

    person_id: UUID
    shdk: int
    relationship: str
    life: str


class Relatives(Out):
    items: list[RelativeOut]


@router.post("/persons", status_code=201, responses=problems(404, 409, 422))
async def register_person(
    body: NewPerson, uow: Uow, _: Annotated[Actor, requires("registry.persons:write", region=Region.BODY)]
) -> PersonOut:
    """Register a person; a NIK is captured and its structure checked at once."""
    new = commands.NewPerson(**body.model_dump(exclude={"nik", "address"}))
    person = await commands.register(uow, new)
    if body.nik is not None:
        await identity_commands.capture(uow, person.id, identity_commands.Number("nik", body.nik), tell=False)
    if (at := body.address) is not None:
        settle = Settle(at.kind, at.region_code, at.since)
        await residences.settle(uow, person.id, settle, residences.Address(at.rt, at.rw, at.street), tell=False)
    await commands.registered(uow, person)
    return await _out(uow, person)


@router.get("/persons", responses=problems(404, 422))
async def find_person(
    uow: Reads, _: Reader, client_ref: Annotated[str, Query(min_length=1, max_length=64)]
) -> Page[PersonOut]:
    """The person that this client registered under its own reference, or an empty page."""
    person = await queries.by_client_ref(uow, client_ref)
    if person is None or not uow.actor.sees(person.region_code):
        return Page(items=[], next=None)
    return Page(items=[await _read(uow, person, None)], next=None)


@router.get("/persons/{person_id}", responses=problems(404))
async def get_person(
    person_id: UUID,
    uow: Reads,
    _: Reader,
    as_of: Annotated[date | None, Query(description="Names of this day.")] = None,
) -> PersonOut:
    """One person with masked numbers; the read is logged."""
    return await _read(uow, await queries.get(uow, person_id), as_of)


@router.post("/persons/{person_id}:propose-correction", responses=problems(404, 409, 412, 428))
async def propose_correction(person_id: UUID, body: NewCorrection, uow: Uow, version: IfMatch, _: Writer) -> PersonOut:
    """Propose another name, birth date or sex, with a document."""
    correction = commands.Correction(body.document_id, body.name, body.birth_date, body.sex)
    return await _out(uow, await commands.propose_correction(uow, person_id, correction, version))


@router.post("/persons/{person_id}:correct", responses=problems(404, 409, 412, 428))
async def correct_person(person_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> PersonOut:
    """Apply the proposed correction; another person than the proposer. The old name stays as a dated row."""
    return await _out(uow, await commands.correct(uow, person_id, version))


@router.post("/persons:search", responses=problems(422))
async def search_person(body: NikSearch, uow: Reads, _: Reader) -> Hits:
    """Persons who claim exactly this NIK, within the caller's regions; logged."""
    found = await identities.search(uow, body.nik)
    ids = [hit.person_id for hit in found]
    names = await queries.names(uow, ids)
    life = {row.person_id: row.life for row in await facts.batch(uow, ids)}
    await uow.log_reads(body.purpose, ["nik_match", "initials"], ids)
    return Hits(
        items=[
            Hit(
                person_id=hit.person_id, initials=initials(names.get(hit.person_id, "")), claim_state=hit.state,
                life=life.get(hit.person_id, "alive"), receipt=receipt("OR", hit.person_id),
            )
            for hit in found
        ]
    )  # fmt: skip


@router.post("/persons/{person_id}:reveal", responses=problems(404, 422))
async def reveal_number(
    person_id: UUID,
    body: Reveal,
    uow: Reads,
    _: Annotated[Actor, requires("registry.persons:reveal", region=Region.OBJECT)],
) -> Revealed:
    """The full number of one person, for a stated purpose; logged per person."""
    await queries.get(uow, person_id)
    value = await identities.reveal(uow, person_id, body.scheme)
    await uow.log_reads(body.purpose, [body.scheme], [person_id])
    return Revealed(person_id=person_id, scheme=body.scheme, value=value)


@router.post("/persons:resolve", responses=problems(422))
async def resolve_persons(
    body: Ids, uow: Reads, _: Annotated[Actor, requires("registry.facts:read", region=Region.OBJECT)]
) -> Resolution:
    """The canonical id of each person (its own, while it was not merged)."""
    states = await queries.states(uow, body.person_ids)
    return Resolution(
        items=[CanonicalOut(person_id=id, canonical_id=id, state=state) for id, state in states.items()],
        missing=[id for id in dict.fromkeys(body.person_ids) if id not in states],
    )


@router.get("/persons/{person_id}/relatives", responses=problems(404, 422))
async def relatives(
    person_id: UUID,
    uow: Reads,
    _: Annotated[Actor, requires("registry.families:read", region=Region.OBJECT)],
    kind: Literal["heirs"] = "heirs",
    as_of: Annotated[
        date | None, Query(description="Family of this day; default: the day before death, else today.")
    ] = None,
) -> Relatives:
    """The person's relatives, nearest first (ahli waris), with their life. Not to be cached."""
    person = await queries.get(uow, person_id)
    found = await families.heirs(uow, person.id, as_of)
    await uow.log_reads(kind, ["relationship", "life"], [person_id, *(r.person_id for r in found)])
    return Relatives(items=[RelativeOut.model_validate(r) for r in found])


@router.post("/names:batch-get", responses=problems(422))
async def names(
    body: NamesQuestion, uow: Reads, _: Annotated[Actor, requires("registry.names:read", region=Region.OBJECT)]
) -> NamesAnswer:
    """Names of up to 500 persons for a printed list; logged, not to be stored."""
    found = await queries.names(uow, body.person_ids)
    await uow.log_reads(body.purpose, ["name"], sorted(found))
    return NamesAnswer(
        items=[NamedOut(person_id=id, name=name) for id, name in found.items()],
        missing=[id for id in dict.fromkeys(body.person_ids) if id not in found],
    )


async def _read(uow: UnitOfWork, person: queries.Row, as_of: date | None) -> PersonOut:
    await uow.log_reads("case_work", ["name", "birth_date", "sex", "region"], [person.id])
    return await _out(uow, person, as_of)


async def _out(uow: UnitOfWork, person: queries.Row, as_of: date | None = None) -> PersonOut:
    row = next(iter(await facts.batch(uow, [person.id])), None)
    if row is None:
        raise Missing("person_facts")
    claims = await identities.of_person(uow, person.id)
    return PersonOut(
        id=person.id, receipt=receipt("OR", person.id), state=person.state, version=person.version,
        names=[NameOut.model_validate(name) for name in await queries.names_of(uow, person.id, as_of)],
        birth_date=person.birth_date, birth_precision=person.birth_precision, sex=person.sex, provisional=person.provisional,
        region_code=person.region_code, life=row.life, facts_version=row.facts_version, family_id=row.family_id,
        claims=[ClaimBrief(**{n: getattr(c, n) for n in ("id", "scheme", "state", "structure", "warnings", "version")}, masked=identities.masked(c)) for c in claims],
        correction_pending=person.correction_by is not None, client_ref=person.client_ref,
    )  # fmt: skip
