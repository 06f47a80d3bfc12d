"""Chapter 7: one of the dead comes back. The death is revoked after the payment; the money is asked back, with a hearing."""

from typing import Any

from stack.story.teller import Memory, Teller, paper_id


async def tell(teller: Teller, memory: Memory) -> None:
    """Revoke, see the claim flagged and the recovery opened, tell the person."""
    case = memory.cases[5]
    teller.day(30, 9)
    death = await teller.ask("kadis", "registry", f"/v1/deaths/{case.death['id']}")
    if death["state"] != "revoked":
        await teller.do(
            "kadis", "registry", f"/v1/deaths/{death['id']}:revoke",
            {"basis": "dukcapil", "document_id": paper_id("surat-dukcapil", case.number), "dpo_informed": True},
            key="cabut", version=death["version"],
        )  # fmt: skip

    async def found() -> dict[str, Any] | None:
        page = await teller.ask("kabid", "disbursement", f"/v1/recoveries?person_id={case.heir_id}")
        return page["items"][0] if page["items"] else None

    recovery = await teller.until("the recovery is found", found)
    claim = await teller.ask("kabid", "disbursement", f"/v1/claims/{case.claim['id']}")
    memory.figures["flagged"] = claim["flagged"]
    teller.day(31, 9)
    if recovery["state"] == "found":
        recovery = await teller.do(
            "kabid", "disbursement", f"/v1/recoveries/{recovery['id']}:notify", key="tagih", version=recovery["version"]
        )
    memory.figures["recovery_idr"] = recovery["amount_idr"]
    teller.say(
        f"A certified death was false: the claim is flagged, {recovery['amount_idr']:,} rupiah are asked back, with 14 days to object"
    )
