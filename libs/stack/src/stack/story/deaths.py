"""Chapter 4: deaths are reported in the kelurahan and certified with their akta by another person."""

from typing import Any

from stack.story.teller import Case, Memory, Teller, document

OPERATORS = {"32.76.03.1001": "op_desa", "32.76.03.1002": "op_desa_bedahan"}
DIED_ON = "2023-03-07"


async def tell(teller: Teller, memory: Memory) -> None:
    """Report and certify every death of the story."""
    teller.day(2, 9)
    await teller.each(memory.cases, lambda case: _find(teller, case))
    teller.say(f"{len(memory.cases)} deaths are reported in the kelurahan; payments to these persons stop at once")
    await teller.each(memory.cases, lambda case: _report(teller, case))
    teller.day(3, 9)
    await teller.each(memory.cases, lambda case: _certify(teller, case))
    teller.say("The akta kematian are there: the deaths are certified, the aid of the dead ends")


async def _find(teller: Teller, case: Case) -> None:
    operator = OPERATORS[case.village]
    case.deceased_id = await find(teller, operator, case.deceased_nik, f"cari-{case.number}-a")
    case.heir_id = await find(teller, operator, case.heir_nik, f"cari-{case.number}-w")


async def find(teller: Teller, person: str, nik: str, key: str) -> str:
    """The registry's id of the person who bears this NIK."""
    found: dict[str, Any] = await teller.do(person, "registry", "/v1/persons:search", {"nik": nik}, key=key)
    (hit,) = found["items"]
    return str(hit["person_id"])


async def _report(teller: Teller, case: Case) -> None:
    case.death = await teller.do(
        OPERATORS[case.village], "registry", "/v1/deaths",
        {
            "person_id": case.deceased_id, "source": "rt", "died_on": DIED_ON, "region_code": case.village,
            "client_ref": f"cerita-{case.number}",
        },
        key=f"lapor-{case.number}",
    )  # fmt: skip


async def _certify(teller: Teller, case: Case) -> None:
    case.death = await teller.do(
        "verifikator", "registry", f"/v1/deaths/{case.death['id']}:certify",
        {"akta_no": case.akta_no, "issuer_code": "32.76", "issued_on": "2023-03-08"},
        key=f"sahkan-{case.number}", version=case.death["version"],
    )  # fmt: skip


def papers(case: Case) -> list[dict[str, Any]]:
    """The papers of a claim, each with its fingerprint."""
    kinds = ("akta_kematian", "surat_permohonan", "kk_almarhum", "ktp_ahli_waris", "pernyataan_ahli_waris")
    return [{"kind": kind, "sha256": document(kind, case.number), "issued_on": "2023-03-08"} for kind in kinds]
