"""Disbursement as one `Service`: its routes, handlers, jobs and invariants. No logic."""

from pathlib import Path

from kit.service import Service

from disbursement.batches.api import router as batches
from disbursement.budget.api import router as budget
from disbursement.claims.api import router as claims
from disbursement.claims.api_office import router as claims_office
from disbursement.clockwork import JOBS
from disbursement.consumers import HANDLERS
from disbursement.enrolments.api import router as enrolments
from disbursement.explanations.api import router as explanations
from disbursement.figures import FIGURES
from disbursement.ledger.api import router as ledger
from disbursement.payments.api import router as payments
from disbursement.payments.invariants import INVARIANTS as MONEY_INVARIANTS
from disbursement.payments.jobs import JOBS as PAYMENT_JOBS
from disbursement.programmes.api import router as programmes
from disbursement.recon.api import router as recon
from disbursement.recovery.api import router as recovery
from disbursement.rights.api import router as rights
from disbursement.rights.invariants import INVARIANTS as RIGHTS_INVARIANTS
from disbursement.settings import Settings
from disbursement.treasury.api import router as treasury
from disbursement.wiring import wire

# explanations stand first: `/claims/{id}:why` would else be read as the id of a claim
RIGHTS = (explanations, programmes, enrolments, rights, claims, claims_office, recovery)
MONEY = (budget, ledger, treasury, batches, payments, recon)

SERVICE = Service(
    name="disbursement",
    title="Santun disbursement",
    description="Who is entitled, who was paid, and why: programmes, rights, claims, budget, payments (penyaluran).",
    settings=Settings,
    migrations=Path(__file__).parents[2] / "migrations",
    routers=(*RIGHTS, *MONEY),
    handlers=HANDLERS,
    jobs=(*JOBS, *PAYMENT_JOBS),
    invariants={**RIGHTS_INVARIANTS, **MONEY_INVARIANTS},
    figures=FIGURES,
    wire=wire,
)
