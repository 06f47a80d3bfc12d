"""What a duty officer asks of money: does it wait, is an answer overdue, is a right about to lapse. Counts and ages only."""

from kit.figures import Figure

FIGURES = (
    Figure(
        "payments", "Payments by where they stand", label="state",
        sql="SELECT state, count(*) FROM line WHERE state IN ('frozen', 'ready', 'in_flight', 'repair', 'blocked') GROUP BY 1",
    ),
    Figure(
        "payments_idr", "Rupiah of payments by where they stand", label="state",
        sql="SELECT state, sum(amount_idr) FROM line WHERE state IN ('frozen', 'ready', 'in_flight', 'repair', 'blocked') GROUP BY 1",
    ),
    Figure(
        "payments_unanswered", "Payments whose answer from the bank is overdue, or whose fate nobody knows",
        sql="SELECT count(*) FROM attempt WHERE state = 'unknown' OR (state IN ('sent', 'accepted', 'pending') AND answer_due < current_date)",
    ),
    Figure(
        "repairs_overdue", "Payments that came back and were not mended in time",
        sql="SELECT count(*) FROM line WHERE state = 'repair' AND repair_due < current_date",
    ),
    Figure(
        "batch_waiting_seconds", "How long the oldest list of payments has stood where it stands", label="state",
        sql="SELECT state, extract(epoch FROM now() - min(updated_at)) FROM batch"
            " WHERE state NOT IN ('draft', 'closed', 'cancelled') GROUP BY 1",
    ),
    Figure(
        "claims_waiting_seconds", "How long the oldest claim has stood where it stands", label="state",
        sql="SELECT state, extract(epoch FROM now() - min(updated_at)) FROM claim"
            " WHERE state IN ('incomplete', 'filed', 'checked_kel', 'checked_kec', 'verified', 'approved', 'payable', 'appealed') GROUP BY 1",
    ),
    Figure(
        "claims_overdue", "Claims whose missing papers are past their day and that nobody let lapse",
        sql="SELECT count(*) FROM claim WHERE state = 'incomplete' AND cure_due < now() - interval '1 day'",
    ),
    Figure(
        "recon_open", "Differences between our books and the bank's that nobody has explained",
        sql="SELECT count(*) FROM recon_item WHERE state = 'open'",
    ),
)  # fmt: skip
