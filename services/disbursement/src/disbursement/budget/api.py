"""Budget lines over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from kit.ids import receipt
from kit.money import MAX_IDR, IdrAmount
from pydantic import Field, computed_field

from disbursement.budget import commands, queries
from disbursement.budget.domain import NewLine

router = Api(prefix="/v1", tags=["budget"])
OFFICE_WIDE = Region.none("the budget belongs to the office, not to a region")
Reader = Annotated[Actor, requires("disbursement.budget:read", region=OFFICE_WIDE)]
Writer = Annotated[Actor, requires("disbursement.budget:write", region=OFFICE_WIDE)]
Code = Annotated[str, Field(max_length=60, pattern=r"^[0-9A-Za-z][0-9A-Za-z.\-/]*$")]


class NewBudgetLine(Body):
    """A line of the DPA."""

    id: UUID | None = None
    client_ref: str | None = Field(None, min_length=1, max_length=64)
    fiscal_year: int = Field(ge=2000, le=2100)
    unit: str = Field(min_length=1, max_length=60)
    programme_code: Code
    activity_code: Code | None = None
    sub_activity_code: Code | None = None
    account_code: str = Field(max_length=40, pattern=r"^[0-9]+(\.[0-9]+)*$")
    funding_source: str = Field("pad", pattern=r"^[a-z0-9_]{1,40}$")
    pagu_idr: IdrAmount

    def new(self) -> NewLine:
        """The command's words."""
        return NewLine(
            fiscal_year=self.fiscal_year,
            unit=self.unit,
            programme_code=self.programme_code,
            activity_code=self.activity_code or "",
            sub_activity_code=self.sub_activity_code or "",
            account_code=self.account_code,
            funding_source=self.funding_source,
            pagu_idr=self.pagu_idr,
            id=self.id,
            client_ref=self.client_ref,
        )


class Revision(Body):
    """A shift or change of the budget: by how much the ceiling moves."""

    difference_idr: int = Field(strict=True, ge=-MAX_IDR, le=MAX_IDR)


class FeeIn(Body):
    """A transfer fee that the bank debited, by its number."""

    amount_idr: IdrAmount
    batch_id: UUID
    reference: str = Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9 ./:\-]+$")


class FeeOut(Out):
    booked: bool


class BudgetLineOut(Versioned):
    id: UUID
    fiscal_year: int
    unit: str
    programme_code: str
    activity_code: str
    sub_activity_code: str
    account_code: str
    funding_source: str
    pagu_idr: int
    state: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def receipt(self) -> str:
        """The number for the phone."""
        return receipt("AG", self.id)


@router.post("/budget-lines", status_code=201, responses=problems(409, 422))
async def draft_line(body: NewBudgetLine, uow: Uow, _: Writer) -> BudgetLineOut:
    """Enter a budget line of the DPA."""
    return BudgetLineOut.model_validate(await commands.draft(uow, body.new()))


@router.get("/budget-lines")
async def list_lines(
    uow: Reads,
    page: PageArgs,
    _: Reader,
    fiscal_year: Annotated[int | None, Query(ge=2000, le=2100)] = None,
    client_ref: Annotated[str | None, Query(max_length=64)] = None,
) -> Page[BudgetLineOut]:
    """Budget lines in order of entry."""
    after = page.after[1] if page.after else None
    rows = await queries.page(
        uow, fiscal_year=fiscal_year, client=uow.actor.client, client_ref=client_ref, after=after, take=page.take
    )
    return page.page(rows, lambda row: ("", row.id), BudgetLineOut.model_validate)


@router.get("/budget-lines/{line_id}", responses=problems(404))
async def get_line(line_id: UUID, uow: Reads, _: Reader) -> BudgetLineOut:
    """One budget line."""
    return BudgetLineOut.model_validate(await queries.get(uow, line_id))


@router.post("/budget-lines/{line_id}:open", responses=problems(404, 409, 412, 428))
async def open_line(line_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> BudgetLineOut:
    """Put the line in force: its ceiling may be used (P01)."""
    return BudgetLineOut.model_validate(await commands.open_line(uow, line_id, version))


@router.post("/budget-lines/{line_id}:revise", responses=problems(404, 409, 412, 422, 428))
async def revise_line(line_id: UUID, body: Revision, uow: Uow, version: IfMatch, _: Writer) -> BudgetLineOut:
    """Raise or lower the ceiling (P02)."""
    return BudgetLineOut.model_validate(await commands.revise(uow, line_id, body.difference_idr, version))


@router.post("/budget-lines/{line_id}:freeze", responses=problems(404, 409, 412, 428))
async def freeze_line(line_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> BudgetLineOut:
    """Let nothing new be promised on this line."""
    return BudgetLineOut.model_validate(await commands.freeze(uow, line_id, version))


@router.post("/budget-lines/{line_id}:thaw", responses=problems(404, 409, 412, 428))
async def thaw_line(line_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> BudgetLineOut:
    """Open a frozen line again."""
    return BudgetLineOut.model_validate(await commands.thaw(uow, line_id, version))


@router.post("/budget-lines/{line_id}:close", responses=problems(404, 409, 412, 428))
async def close_line(line_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> BudgetLineOut:
    """End the year of the line: what is left lapses (P20)."""
    return BudgetLineOut.model_validate(await commands.close(uow, line_id, version))


@router.post("/budget-lines/{line_id}:record-fee", responses=problems(404, 409, 422))
async def record_fee(line_id: UUID, body: FeeIn, uow: Uow, _: Writer) -> FeeOut:
    """Book a transfer fee on its own budget line (P15): the aid stays whole."""
    booked = await commands.record_fee(uow, line_id, body.amount_idr, body.batch_id, body.reference)
    return FeeOut(booked=booked)
