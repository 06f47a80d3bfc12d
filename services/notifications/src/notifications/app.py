"""Notifications as one `Service`: its routes, handlers, jobs and invariants. No logic."""

from pathlib import Path

from kit.service import Job, Service

from notifications.consumers import HANDLERS
from notifications.directory.api import router as directory
from notifications.figures import FIGURES
from notifications.messages.api import paper
from notifications.messages.api import router as messages
from notifications.messages.clockwork import tick
from notifications.messages.preparing import prepare
from notifications.messages.sending import send
from notifications.receipts.api import router as receipts
from notifications.receipts.commands import settle
from notifications.settings import Settings
from notifications.suppression.api import router as suppressions
from notifications.templates.api import router as templates
from notifications.verifying import INVARIANTS
from notifications.wiring import wire

SERVICE = Service(
    name="notifications",
    title="Santun notifications",
    description="Tells people and offices what happened: rules, texts, channels, proof (pemberitahuan).",
    settings=Settings,
    migrations=Path(__file__).parents[2] / "migrations",
    routers=(messages, paper, receipts, templates, suppressions, directory),
    handlers=HANDLERS,
    jobs=(
        Job("prepare-messages", 1.0, prepare),
        Job("send-messages", 1.0, send),
        Job("message-clock", 5.0, tick),
        Job("provider-receipts", 1.0, settle),
    ),
    invariants=INVARIANTS,
    figures=FIGURES,
    wire=wire,
)
