"""Grants as one `Service`: its routes, handlers, jobs and invariants. No logic."""

from pathlib import Path

from kit.service import Job, Service

from grants.accreditation.api import adoption
from grants.accreditation.api import router as accreditations
from grants.clockwork import pass_time
from grants.consumers import HANDLERS
from grants.documents.api import router as documents
from grants.eligibility.api import router as eligibility
from grants.figures import FIGURES
from grants.funnel.api import router as funnel
from grants.institutions.api import router as institutions
from grants.registration.api import router as registrations
from grants.reminders.commands import remind
from grants.settings import Settings
from grants.verifying import INVARIANTS
from grants.wiring import wire

SERVICE = Service(
    name="grants",
    title="Santun grants",
    description="Institutions (LKS): registration, accreditation, eligibility, the funnel.",
    settings=Settings,
    migrations=Path(__file__).parents[2] / "migrations",
    routers=(institutions, eligibility, registrations, accreditations, adoption, documents, funnel),
    handlers=HANDLERS,
    jobs=(Job("file-clock", 60.0, pass_time), Job("expiry-ladder", 300.0, remind)),
    invariants=INVARIANTS,
    figures=FIGURES,
    wire=wire,
)
