"""Chapter 2: the two programmes, each with its legal basis, its rules as data, its budget line."""

from typing import Any

from stack.story.teller import Memory, Teller, document

DEATH_BENEFIT: dict[str, Any] = {
    "ast": {
        "v": 1,
        "unit": "deceased",
        "basis": "event_date",
        "criteria": [
            {"c": "domisili", "e": {"region_in": ["domicile", ["32.76"]]}, "at": "EF", "hard": True},
            {
                "c": "bukan_asn",
                "e": {"not": {"overlaps": ["employment", ["asn", "tni", "polri", "pensiunan"]]}},
                "at": "EF",
                "unknown": "pass",
            },
        ],
        "claim": {"cure_days": 14, "appeal_days": 14},
    },
    "benefit": {"component": "uang", "form": "fixed", "amount_idr": 2_000_000, "per": "once"},
    "docs": [
        {"code": "akta_kematian", "once": True},
        {"code": "surat_permohonan"},
        {"code": "kk_almarhum", "any_of": ["kk_almarhum", "ktp_almarhum"]},
        {"code": "ktp_ahli_waris"},
        {"code": "pernyataan_ahli_waris", "follows_days": 14},
    ],
}
"""Depok 2023: Rp 2,000,000, akta compulsory, heir in person (domain.md 3.1)."""

ELDERLY: dict[str, Any] = {
    "ast": {
        "v": 1,
        "unit": "person",
        "basis": "period_start",
        "criteria": [
            {"c": "hidup", "e": {"eq": ["life", "alive"]}, "at": "EFP", "hard": True},
            {"c": "umur_min", "e": {"age_ge": ["birth_date", 60]}, "at": "E"},
            {"c": "domisili", "e": {"region_in": ["domicile", ["32.76"]]}, "at": "EFP", "hard": True},
        ],
    },
    "benefit": {
        "component": "uang",
        "form": "fixed",
        "amount_idr": 150_000,
        "per": "month",
        "due_if_alive_on": "period_start",
    },
    "docs": [],
}
"""A monthly aid for elders; the figure is an example."""


async def tell(teller: Teller, memory: Memory) -> None:
    """Propose, review, publish, plan and activate, each by the person whose part it is."""
    teller.day(0, 11)
    memory.line_id = await _line(teller, "santunan", "4.06.02", 800_000_000)
    memory.programme = await _programme(
        teller,
        "SANKEM_DPK",
        "Santunan kematian",
        "Death benefit",
        "death_benefit",
        "deceased",
        memory.line_id,
        DEATH_BENEFIT,
    )
    elderly_line = await _line(teller, "lansia", "4.06.03", 200_000_000)
    memory.elderly = await _programme(
        teller, "LANSIA_DPK", "Bantuan lansia", "Aid for elders", "recurring_cash", "person", elderly_line, ELDERLY
    )
    teller.say("Two programmes are active: the death benefit of Rp 2,000,000 and a monthly aid for elders")


async def _line(teller: Teller, name: str, programme: str, pagu: int) -> str:
    line = await teller.do(
        "bendahara", "disbursement", "/v1/budget-lines",
        {
            "fiscal_year": 2023, "unit": "dinsos", "programme_code": programme, "activity_code": f"{programme}.1",
            "account_code": "5.1.06.01", "pagu_idr": pagu, "client_ref": f"cerita-{name}",
        },
        key=f"pagu-{name}",
    )  # fmt: skip
    opened = await teller.do(
        "bpkad", "disbursement", f"/v1/budget-lines/{line['id']}:open", key=f"pagu-buka-{name}", version=line["version"]
    )
    return str(opened["id"])


async def _programme(
    teller: Teller, code: str, name_id: str, name_en: str, kind: str, unit: str, line_id: str, rule: dict[str, Any]
) -> dict[str, Any]:
    """One programme from its proposal to its first day in force."""
    slug = code.lower().replace("_", "-")
    basis = await teller.do(
        "program_manager", "disbursement", "/v1/legal-bases",
        {
            "kind": "perwal", "number": f"{code}/2023", "issued_on": "2023-01-02", "subject": f"{name_id} Kota Depok",
            "document_sha256": document(code, "perwal"), "client_ref": f"cerita-{slug}",
        },
        key=f"{slug}-dasar",
    )  # fmt: skip
    programme = await teller.do(
        "program_manager", "disbursement", "/v1/programmes",
        {
            "code": code, "name_id": name_id, "name_en": name_en, "kind": kind, "unit": unit, "owner_unit": "dinsos",
            "owner_regions": ["32.76"], "owner_from": "2021-02-26", "owner_to": "2026-02-26", "plan_ref": "RPJMD 2021-2026",
            "legal_basis_id": basis["id"], "funding_line_id": line_id, "client_ref": f"cerita-{slug}",
        },
        key=f"{slug}-usul",
    )  # fmt: skip
    version = await teller.do(
        "program_manager", "disbursement", f"/v1/programmes/{programme['id']}/rule-versions",
        {
            **rule, "effective_from": "2023-01-01", "effective_to": "2025-07-01", "legal_basis_id": basis["id"],
            "funding_line_id": line_id, "retro_document": "Nota dinas 12/2023", "client_ref": f"cerita-{slug}",
        },
        key=f"{slug}-aturan",
    )  # fmt: skip
    version = await teller.do(
        "program_manager_2",
        "disbursement",
        f"/v1/rule-versions/{version['id']}:review",
        key=f"{slug}-tinjau",
        version=version["version"],
    )
    programme = await teller.do(
        "kadis",
        "disbursement",
        f"/v1/programmes/{programme['id']}:plan",
        key=f"{slug}-rencana",
        version=programme["version"],
    )
    await teller.do(
        "kadis",
        "disbursement",
        f"/v1/rule-versions/{version['id']}:publish",
        key=f"{slug}-terbit",
        version=version["version"],
    )
    return await teller.do(
        "kadis",
        "disbursement",
        f"/v1/programmes/{programme['id']}:activate",
        key=f"{slug}-aktif",
        version=programme["version"],
    )
