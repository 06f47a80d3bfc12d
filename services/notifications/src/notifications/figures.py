"""What a duty officer asks of messages: do they leave, and does anybody know what became of them. Counts and ages only."""

from kit.figures import Figure

FIGURES = (
    Figure(
        "messages", "Messages by where they stand", label="state",
        sql="SELECT state, count(*) FROM message WHERE state IN"
            " ('planned', 'rendered', 'queued', 'deferred', 'sending', 'retry_wait', 'unknown') GROUP BY 1",
    ),
    Figure(
        "message_waiting_seconds", "How long the oldest message that may go now has waited",
        sql="SELECT extract(epoch FROM now() - min(greatest(created_at, not_before))) FROM message"
            " WHERE state IN ('planned', 'rendered', 'queued', 'retry_wait') AND not_before <= now()",
    ),
    Figure(
        "messages_unwritten", "Messages that could not be written, for want of a text or of words for a code, and are still of use",
        sql="SELECT count(*) FROM message WHERE state = 'render_failed' AND expires_at > now()",
    ),
)  # fmt: skip
