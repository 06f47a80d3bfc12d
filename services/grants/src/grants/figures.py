"""What a duty officer asks of institutions: does an application wait too long. Counts and ages only."""

from kit.figures import Figure

FIGURES = (
    Figure(
        "registration_waiting_seconds", "How long the oldest application of an institution has waited for the office", label="state",
        sql="SELECT state, extract(epoch FROM now() - min(updated_at)) FROM registration"
            " WHERE state IN ('submitted', 'in_verification', 'recommended') GROUP BY 1",
    ),
)  # fmt: skip
