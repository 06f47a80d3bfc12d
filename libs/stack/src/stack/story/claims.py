"""Chapter 5: the heirs claim; kelurahan, kecamatan and dinas each do their part, each by another person."""

from stack.story.deaths import OPERATORS, papers
from stack.story.teller import Case, Memory, Teller

CHECKERS = {"32.76.03.1001": "pemeriksa_kel", "32.76.03.1002": "pemeriksa_kel_bedahan"}


async def tell(teller: Teller, memory: Memory) -> None:
    """Two hundred files from the counter to the decision."""
    teller.day(7, 8)
    await teller.each(memory.cases, lambda case: _account(teller, case))
    teller.day(7, 9)
    await teller.each(memory.cases, lambda case: _file(teller, memory, case))
    teller.say(f"{len(memory.cases)} heirs have handed in their claims; each has a receipt number")
    await _step(teller, memory, 8, "check-kel", "pemeriksa", {"visited": True})
    await _step(teller, memory, 9, "check-kec", "pemeriksa_kec", None)
    await _step(teller, memory, 10, "verify", "verifikator_2", None)
    await _step(teller, memory, 11, "approve", "kadis", {"decree_no": "466/101/2023"})
    teller.say("Kelurahan, kecamatan and verifier have checked them; the head of the office has approved")
    await teller.each(memory.cases, lambda case: _payable(teller, case))
    teller.say("All are payable: the money is committed on the budget line")


async def _file(teller: Teller, memory: Memory, case: Case) -> None:
    operator = OPERATORS[case.village]
    case.relationship = await _relationship(teller, operator, case)
    opened = await teller.do(
        operator, "disbursement", "/v1/claims",
        {
            "programme_id": memory.programme["id"], "death_record_id": case.death["id"], "claimant_person_id": case.heir_id,
            "relationship": case.relationship, "documents": papers(case), "client_ref": f"cerita-{case.number}",
        },
        key=f"klaim-{case.number}",
    )  # fmt: skip
    case.claim = await teller.do(
        operator,
        "disbursement",
        f"/v1/claims/{opened['id']}:file",
        key=f"ajukan-{case.number}",
        version=opened["version"],
    )


async def _account(teller: Teller, case: Case) -> None:
    """The bank confirms the heir's account; who captured it does not check it."""
    accounts = await teller.ask("verifikator", "registry", f"/v1/persons/{case.heir_id}/payee-accounts")
    account = next(a for a in accounts["items"] if a["is_default"])
    if account["state"] == "captured":
        await teller.do(
            "verifikator", "registry", f"/v1/payee-accounts/{account['id']}:record-check", {"state": "active", "name_match": "exact"},
            key=f"cek-rek-{case.number}", version=account["version"],
        )  # fmt: skip


async def _relationship(teller: Teller, operator: str, case: Case) -> str:
    """How the heir is related, as the registry says."""
    found = await teller.ask(operator, "registry", f"/v1/persons/{case.deceased_id}/relatives?kind=heirs")
    (relation,) = [r["relationship"] for r in found["items"] if r["person_id"] == case.heir_id]
    return str(relation)


async def _step(
    teller: Teller, memory: Memory, day: int, command: str, person: str, body: dict[str, object] | None
) -> None:
    teller.day(day, 9)

    async def one(case: Case) -> None:
        who = CHECKERS[case.village] if person == "pemeriksa" else person
        case.claim = await teller.do(
            who, "disbursement", f"/v1/claims/{case.claim['id']}:{command}", body, key=f"{command}-{case.number}",
            version=case.claim["version"],
        )  # fmt: skip

    await teller.each(memory.cases, one)


async def _payable(teller: Teller, case: Case) -> None:
    async def found() -> dict[str, object] | None:
        claim = await teller.ask("verifikator_2", "disbursement", f"/v1/claims/{case.claim['id']}")
        return claim if claim["state"] != "approved" else None

    case.claim = await teller.until("the claims become payable", found)
