"""The same words of the bank in any files, any order and any number end in the same states and the same ledger (M6)."""

from collections import Counter
from datetime import date
from random import Random

import pytest
from disbursement.payments.files import result_csv
from disbursement.payments.files.rows import ResultRow
from stack import bank

DAY = date(2026, 8, 4)
RANK = {"ACSP": 0, "PDNG": 0, "BLCK": 1, "RJCT": 2, "settled": 3, "returned": 4}
ENDS = {0: "in_flight", 1: "blocked", 2: "repair", 3: "settled", 4: "repair"}


@pytest.mark.parametrize("seed", [7, 42, 1998])
async def test_any_order_of_any_files_ends_the_same(office, seed):
    random = Random(seed)
    await office.open_budget(1_000_000_000)
    await office.grant(24, 150_000)
    batch = await office.approved()
    await office.fund(batch)
    await office.export(batch)
    await office.sent(batch)
    [order] = await office.orders(batch)
    said = [
        ResultRow(
            0,
            transfer.reference,
            status,
            150_000,
            bank_ref=bank.booking(transfer.reference, status),
            reason="AC04",
            value_date=DAY,
        )
        for transfer in order.transfers
        for status in random.sample(sorted(RANK), random.randint(1, 3))
    ]
    words = said + random.choices(said, k=len(said) // 2)
    random.shuffle(words)
    while words:
        part = [words.pop() for _ in range(min(len(words), random.randint(1, 25)))]
        await office.bank_says(result_csv.build(tuple(part)), "csv")
    strongest = {t.reference: max(RANK[r.status] for r in said if r.reference == t.reference) for t in order.transfers}
    rows = await office.sql("SELECT reference, line.state FROM attempt JOIN line ON line.id = attempt.line_id")
    assert {row["reference"]: row["state"] for row in rows} == {ref: ENDS[rank] for ref, rank in strongest.items()}
    ends = Counter(strongest.values())
    balances = await office.balances()
    assert balances.get("C130", 0) == (ends[0] + ends[1]) * 150_000
    assert balances.get("C110", 0) == (ends[2] + ends[4]) * 150_000
    assert -balances.get("C200", 0) == (24 - ends[3]) * 150_000
