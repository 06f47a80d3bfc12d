"""Claims over HTTP: checking, verifying, deciding, hearing appeals, finding fraud."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from kit.auth.actor import Actor
from kit.auth.scopes import authenticated
from kit.http.api import Api
from kit.http.deps import IfMatch, Uow
from kit.http.models import Body
from kit.http.problems import problems
from pydantic import Field

from disbursement.claims import commands_office as commands
from disbursement.claims import evidence
from disbursement.claims.api import ClaimOut, Kind, Writer
from disbursement.claims.claim import Dismiss, ProposeRejection, Reject, ReportFraud, Return, Uphold, VoidClaim
from disbursement.claims.evidence import Evidence

router = Api(prefix="/v1", tags=["claims"])
Codes = Annotated[tuple[Kind, ...], Field(min_length=1, max_length=20)]


class CheckKel(Body):
    """The village office's look."""

    visited: bool = False


class ApproveClaim(Body):
    """The decision; the amount is the rule's."""

    decree_no: Annotated[str | None, Field(max_length=80)] = None


class ReturnClaim(Body):
    """What is missing, and why."""

    docs: Annotated[tuple[Kind, ...], Field(min_length=1, max_length=20)]
    reason: Kind = "dokumen_kurang"


class WithReasons(Body):
    """Reason codes of a decision."""

    reasons: Codes


class FraudFinding(Body):
    """The paper that the finding rests on."""

    document: Annotated[str, Field(min_length=1, max_length=80)]


class VoidBody(Body):
    reason: Kind = "temuan_kecurangan"


async def asked_to_check(claim_id: UUID, request: Request, actor: Annotated[Actor, Depends(authenticated)]) -> Evidence:
    """The relatives of the deceased."""
    runtime = request.app.state.runtime
    return await evidence.for_check(runtime, runtime.wiring.registry, actor, claim_id)


async def asked_to_decide(
    claim_id: UUID, request: Request, actor: Annotated[Actor, Depends(authenticated)]
) -> Evidence:
    """Death, persons, and whether the officer is family of the claimant."""
    runtime = request.app.state.runtime
    return await evidence.for_decision(runtime, runtime.wiring.registry, actor, claim_id)


Decided = Annotated[Evidence, Depends(asked_to_decide)]


@router.post("/claims/{claim_id}:check-kel", responses=problems(403, 404, 409, 412, 428, 503))
async def check_at_village(
    claim_id: UUID,
    body: CheckKel,
    asked: Annotated[Evidence, Depends(asked_to_check)],
    uow: Uow,
    version: IfMatch,
    _: Writer,
) -> ClaimOut:
    """Check heirs and papers at the village office (kelurahan)."""
    return ClaimOut.of(await commands.check_kel(uow, claim_id, version, asked, visited=body.visited))


@router.post("/claims/{claim_id}:check-kec", responses=problems(403, 404, 409, 412, 428))
async def check_at_district(claim_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> ClaimOut:
    """Check at the district office (kecamatan)."""
    return ClaimOut.of(await commands.check_kec(uow, claim_id, version))


@router.post("/claims/{claim_id}:verify", responses=problems(403, 404, 409, 412, 428, 503))
async def verify_claim(claim_id: UUID, asked: Decided, uow: Uow, version: IfMatch, _: Writer) -> ClaimOut:
    """Verify death, payee and criteria."""
    return ClaimOut.of(await commands.verify(uow, claim_id, version, asked))


@router.post("/claims/{claim_id}:approve", responses=problems(403, 404, 409, 412, 428, 503))
async def approve_claim(
    claim_id: UUID, body: ApproveClaim, asked: Decided, uow: Uow, version: IfMatch, _: Writer
) -> ClaimOut:
    """Approve: the rule gives the amount, the budget commits it."""
    return ClaimOut.of(await commands.approve(uow, claim_id, version, asked, decree_no=body.decree_no))


@router.post("/claims/{claim_id}:return", responses=problems(403, 404, 409, 412, 422, 428))
async def return_claim(claim_id: UUID, body: ReturnClaim, uow: Uow, version: IfMatch, _: Writer) -> ClaimOut:
    """Send the file back for papers."""
    return ClaimOut.of(await commands.send_back(uow, claim_id, Return(body.docs, body.reason), version))


@router.post("/claims/{claim_id}:propose-rejection", responses=problems(403, 404, 409, 412, 422, 428))
async def propose_rejection(claim_id: UUID, body: WithReasons, uow: Uow, version: IfMatch, _: Writer) -> ClaimOut:
    """Propose to reject."""
    return ClaimOut.of(await commands.propose_rejection(uow, claim_id, ProposeRejection(body.reasons), version))


@router.post("/claims/{claim_id}:reject", responses=problems(403, 404, 409, 412, 422, 428))
async def reject_claim(
    claim_id: UUID, body: WithReasons, asked: Decided, uow: Uow, version: IfMatch, _: Writer
) -> ClaimOut:
    """Reject what a verifier proposed to reject; the heir may appeal."""
    return ClaimOut.of(await commands.reject(uow, claim_id, Reject(body.reasons, conflict=asked.conflict), version))


@router.post("/claims/{claim_id}:uphold", responses=problems(403, 404, 409, 412, 422, 428))
async def uphold_appeal(claim_id: UUID, body: WithReasons, uow: Uow, version: IfMatch, _: Writer) -> ClaimOut:
    """Follow the appeal: the claim is looked at again."""
    return ClaimOut.of(await commands.uphold(uow, claim_id, Uphold(body.reasons), version))


@router.post("/claims/{claim_id}:dismiss", responses=problems(403, 404, 409, 412, 422, 428))
async def dismiss_appeal(claim_id: UUID, body: WithReasons, uow: Uow, version: IfMatch, _: Writer) -> ClaimOut:
    """Do not follow the appeal: final."""
    return ClaimOut.of(await commands.dismiss(uow, claim_id, Dismiss(body.reasons), version))


@router.post("/claims/{claim_id}:report-fraud", responses=problems(403, 404, 409, 412, 422, 428))
async def report_fraud(claim_id: UUID, body: FraudFinding, uow: Uow, version: IfMatch, _: Writer) -> ClaimOut:
    """Record a finding of the inspectorate."""
    return ClaimOut.of(await commands.report_fraud(uow, claim_id, ReportFraud(body.document), version))


@router.post("/claims/{claim_id}:void", responses=problems(403, 404, 409, 412, 422, 428))
async def void_claim(claim_id: UUID, body: VoidBody, uow: Uow, version: IfMatch, _: Writer) -> ClaimOut:
    """Declare void for fraud; the deceased can never be claimed for again."""
    return ClaimOut.of(await commands.void(uow, claim_id, VoidClaim(body.reason), version))
