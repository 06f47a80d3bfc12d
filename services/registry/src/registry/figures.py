"""What a duty officer asks of the registry: does a list hang, does a reported death wait. Counts and ages only."""

from kit.figures import Figure

FIGURES = (
    Figure(
        "import_waiting_seconds", "How long the oldest list has stood where it stands", label="state",
        sql="SELECT state, extract(epoch FROM now() - min(updated_at)) FROM import_run"
            " WHERE state IN ('received', 'parsed', 'ready', 'held', 'approved') GROUP BY 1",
    ),
    Figure(
        "deaths_waiting_seconds", "How long the oldest reported death has waited for its papers",
        sql="SELECT extract(epoch FROM now() - min(reported_at)) FROM death_record WHERE state IN ('reported', 'corroborated')",
    ),
)  # fmt: skip
