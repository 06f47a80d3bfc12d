"""A claim's row as its event tells it, and as a decision refers to it."""

from kit.regions import kecamatan

from disbursement.claims.tables import ClaimRow
from disbursement.events import ClaimTold
from disbursement.explanations.commands import About


def told(row: ClaimRow) -> ClaimTold:
    """The payload of every `claim.*` event."""
    return ClaimTold(
        claim_id=row.id,
        programme_id=row.programme_id,
        death_record_id=row.death_record_id,
        claimant_person_id=row.claimant_person_id,
        missing=[w["doc"] for w in row.waits],
        reasons=list(row.reasons),
        late_upload=row.late_upload,
        region=kecamatan(row.region_code),
        state=row.state,
        amount_idr=row.amount_idr,
        cure_due=row.cure_due,
    )


def about(row: ClaimRow) -> About:
    """What a decision on this claim is about: the file, and the claimant who hears of it."""
    return About("claim", row.id, row.programme_id, row.claimant_person_id, row.region_code)
