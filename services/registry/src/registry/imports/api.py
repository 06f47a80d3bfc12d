"""Routes of import runs: upload, progress, reject file, sample, approval."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import File, Form, Query, Response, UploadFile
from fastapi.responses import StreamingResponse
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.errors import Missing
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from kit.ids import receipt
from pydantic import Field

from registry.creation import RegionCode
from registry.imports import commands, queries, rejects
from registry.imports.commands import NewRun

router = Api(prefix="/v1", tags=["imports"])
READ, WRITE = "registry.imports:read", "registry.imports:write"
MAX_UPLOAD = 512 * 1024 * 1024
"""Bytes of one upload with its form; the file itself is capped by REGISTRY_IMPORT_MAX_BYTES as well."""
RECEIPT = "IM"
_READING, _CHECKED = 40, 50
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

State = Literal["received", "rejected", "parsed", "ready", "held", "approved", "applied", "discarded"]


class FaultOut(Out):
    """Why a file was rejected as a whole: a reason code, the line, and the values of the reason."""

    code: str
    line: int | None
    params: dict[str, Any]


class ImportOut(Out):
    """An import run (impor daftar keluarga). `version` is what If-Match wants; counts move on without it."""

    id: UUID
    receipt: str
    version: int
    kind: str
    source: str
    region_code: str
    as_of: date
    extent: str
    format: str
    file_sha256: str
    file_bytes: int
    state: State
    phase: str
    percent: int
    rows_read: int
    rows_ok: int
    rows_rejected: int
    rows_warned: int
    current_rows: int
    new_rows: int
    changed_rows: int
    unchanged_rows: int
    gone_rows: int
    brake: list[str]
    fault: FaultOut | None
    created_at: datetime
    approved_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def from_run(cls, run: Any) -> "ImportOut":
        """The answer about a run as it stands."""
        rejected = run.state == "rejected" and run.reason is not None
        fault = FaultOut(code=run.reason or "", line=run.reason_line, params=run.reason_params) if rejected else None
        values = {name: getattr(run, name) for name in cls.model_fields if hasattr(run, name)}
        return cls(**values, receipt=receipt(RECEIPT, run.id), percent=percent(run), fault=fault)


class ReasonOut(Out):
    """How many lines one reason concerns."""

    column: str
    code: str
    rejected: bool
    lines: int


class ImportReport(ImportOut):
    """A run with the counts by reason."""

    reasons: list[ReasonOut]


class SampleOut(Out):
    """A row of the list as an approver sees it."""

    line: int
    name: str
    birth_date: date | None
    sex: str | None
    relation: int
    region_code: str
    nik: str
    nik_structure: str | None
    desil: int | None
    is_new: bool


class DiscardImport(Body):
    """Why the list is set aside."""

    reason: str = Field(min_length=3, max_length=500)


def percent(run: Any) -> int:
    """How far a run is: reading up to 40, checked 50, applying up to 100. Never falls, but for a database that crashed."""
    if run.state in ("applied", "rejected", "discarded"):
        return 100
    if run.state == "received":
        return min(_READING, int(run.bytes_read) * _READING // int(run.file_bytes))
    return _CHECKED + (int(run.chunks_done) * (100 - _CHECKED) // int(run.chunks) if run.chunks else 0)


@router.post(
    "/imports",
    status_code=201,
    max_body_size=MAX_UPLOAD,
    responses={
        **problems(403, 404, 409, 413, 422),
        200: {"model": ImportOut, "description": "The same file was here before."},
    },
)
async def upload_list(
    *,
    file: Annotated[UploadFile, File(description="Family list, CSV (UTF-8) or XLSX; docs/family-list.md.")],
    source: Annotated[str, Form(pattern="^[a-z][a-z0-9_]{1,39}$", description="Whose list it is: dtsen, opensid, ...")],
    region_code: Annotated[RegionCode, Form(description="Region that the list speaks about.")],
    as_of: Annotated[date, Form(description="Day that the list speaks about.")],
    uow: Uow,
    response: Response,
    _: Annotated[Actor, requires(WRITE, region=Region.BODY)],
    extent: Annotated[Literal["full", "part"], Form(description="full: who is missing is gone.")] = "full",
    client_ref: Annotated[str | None, Form(min_length=1, max_length=64)] = None,
) -> ImportOut:
    """Upload a family list. It is read and compared in the background; the same file again answers with its first run."""
    new = NewRun(source=source, region_code=region_code, as_of=as_of, extent=extent, client_ref=client_ref)
    run, first = await commands.upload(uow, new, file.file)
    if not first:
        response.status_code = 200
    return ImportOut.from_run(run)


@router.get("/imports", responses=problems(403, 422))
async def list_imports(
    uow: Reads,
    page: PageArgs,
    _: Annotated[Actor, requires(READ, region=Region.OBJECT)],
    state: Annotated[State | None, Query(description="Only runs in this state.")] = None,
    client_ref: Annotated[str | None, Query(max_length=64)] = None,
) -> Page[ImportOut]:
    """Import runs of the caller's regions, newest first."""
    runs = await queries.newest(uow, page, state=state, client_ref=client_ref)
    return page.page(runs, lambda run: ("", run.id), ImportOut.from_run)


@router.get("/imports/{import_id}", responses=problems(403, 404))
async def read_import(
    import_id: UUID, uow: Reads, _: Annotated[Actor, requires(READ, region=Region.OBJECT)]
) -> ImportReport:
    """State, progress and counts by reason of one run."""
    run = await queries.get(uow, import_id)
    found = [ReasonOut.model_validate(r, from_attributes=True) for r in await queries.reasons(uow, import_id)]
    return ImportReport(**ImportOut.from_run(run).model_dump(), reasons=found)


@router.get("/imports/{import_id}/sample", responses=problems(403, 404))
async def read_sample(
    import_id: UUID, uow: Reads, _: Annotated[Actor, requires(READ, region=Region.OBJECT)]
) -> list[SampleOut]:
    """Fifty rows, changed ones first, with initials and masked numbers. Whoever approves has to look here first."""
    rows = await commands.show_sample(uow, import_id)
    await uow.log_reads("import_sample", ["initials", "birth_date", "nik_masked"], [import_id])
    return [SampleOut.model_validate(row, from_attributes=True) for row in rows]


@router.get(
    "/imports/{import_id}/rejects",
    responses={**problems(403, 404, 413), 200: {"description": "The lines.", "content": {"text/csv": {}, SHEET: {}}}},
)
async def read_rejects(
    import_id: UUID,
    uow: Reads,
    actor: Annotated[Actor, requires(WRITE, region=Region.OBJECT)],
    format: Annotated[Literal["csv", "xlsx"], Query()] = "csv",
    lines: Annotated[Literal["rejected", "warned"], Query()] = "rejected",
) -> Response:
    """The rejected lines (or those with a warning) in the layout of the upload, with line, column and reason behind."""
    run = await queries.get(uow, import_id)
    if not run.file_kept:
        raise Missing("upload")
    await uow.log_reads("import_rejects", ["all_columns"], [import_id])
    rejected, runtime = lines == "rejected", uow.runtime
    headers = {
        "Content-Disposition": f'attachment; filename="import-{import_id}-{lines}.{format}"',
        "Cache-Control": "no-store",
    }
    if format == "xlsx":
        sheet = await rejects.as_xlsx(runtime, actor, run, rejected=rejected)
        return Response(sheet, media_type=SHEET, headers=headers)
    stream = rejects.as_csv(runtime, actor, run, rejected=rejected)
    return StreamingResponse(stream, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/imports/{import_id}:approve", responses=problems(403, 404, 409, 412, 428))
async def approve_import(
    import_id: UUID, uow: Uow, version: IfMatch, _: Annotated[Actor, requires(WRITE, region=Region.OBJECT)]
) -> ImportOut:
    """Let the list into the registry: kabid for a ready one, kadis for a held one, never the uploader."""
    return ImportOut.from_run(await commands.approve(uow, import_id, version))


@router.post("/imports/{import_id}:discard", responses=problems(403, 404, 409, 412, 428))
async def discard_import(
    import_id: UUID,
    body: DiscardImport,
    uow: Uow,
    version: IfMatch,
    _: Annotated[Actor, requires(WRITE, region=Region.OBJECT)],
) -> ImportOut:
    """Set the list aside, with a reason."""
    return ImportOut.from_run(await commands.discard(uow, import_id, body.reason, version))
