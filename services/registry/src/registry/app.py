"""The registry as one `Service`: its routes, handlers and jobs. No logic."""

from pathlib import Path

from kit.service import Service

from registry.consumers import HANDLERS
from registry.contacts.api import router as contacts
from registry.deaths.api import router as deaths
from registry.deaths.jobs import JOBS as DEATH_JOBS
from registry.erasure.api import router as erasure
from registry.facts.api import router as facts
from registry.families.api import router as families
from registry.figures import FIGURES
from registry.identities.api import router as identities
from registry.imports.api import router as imports
from registry.imports.worker import JOBS as IMPORT_JOBS
from registry.officers.api import router as officers
from registry.payees.api import router as payees
from registry.persons.api import router as persons
from registry.regions.api import router as regions
from registry.residences.api import router as residences
from registry.settings import Settings
from registry.verifying import INVARIANTS
from registry.wiring import wire

SERVICE = Service(
    name="registry",
    title="Santun registry",
    description="Who people are: persons, families, addresses, accounts, deaths, and the facts that aid follows.",
    settings=Settings,
    migrations=Path(__file__).parents[2] / "migrations",
    routers=(
        regions,
        persons,
        erasure,
        identities,
        families,
        residences,
        contacts,
        payees,
        deaths,
        facts,
        officers,
        imports,
    ),
    handlers=HANDLERS,
    jobs=(*DEATH_JOBS, *IMPORT_JOBS),
    invariants=INVARIANTS,
    figures=FIGURES,
    wire=wire,
)
