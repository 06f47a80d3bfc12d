"""Chapter 8: one institution (LKS) is listed, registered and accredited, and appears in the funnel."""

from typing import Any

from stack.story.teller import Memory, Teller, document, paper_id

INSTITUTION = "0198c0de-0000-7000-8000-0000000000a1"
"""The institution of the demonstration's own users (libs/stack/demo/persons.yaml)."""


async def tell(teller: Teller, memory: Memory) -> None:
    """From the list of the office to the certificate of BALKS."""
    teller.day(35, 9)
    await _register(teller)
    teller.say("An institution is registered: checked by one person, signed by another")
    teller.day(49, 9)
    await _accredit(teller)
    funnel = await teller.ask("kabid", "grants", "/v1/funnel?region=32.76")
    memory.figures["funnel"] = {
        name: funnel[name] for name in ("known", "registered", "accredited", "accredited_not_registered")
    }
    teller.say(
        f"The funnel of institutions: {funnel['known']} known, {funnel['registered']} registered, {funnel['accredited']} accredited"
    )


async def _register(teller: Teller) -> None:
    listed = await teller.do(
        "dinsos_operator", "grants", "/v1/institutions",
        {
            "id": INSTITUTION, "name": "LKSA Contoh Sawangan", "kind": "lksa", "legal_form": "yayasan",
            "region_code": "32.76.03.1001", "client_ref": "cerita-lks",
        },
        key="lks-daftar",
    )  # fmt: skip
    listed = await teller.do(
        "dinsos_operator", "grants", f"/v1/institutions/{INSTITUTION}:record-officer",
        {"position": "ketua", "person_id": paper_id("ketua-lks"), "proved": True}, key="lks-ketua", version=listed["version"],
    )  # fmt: skip
    found = await teller.ask("dinsos_operator", "grants", f"/v1/institutions/{INSTITUTION}")
    await teller.do(
        "lks_pengurus", "grants", f"/v1/institutions/{INSTITUTION}:declare-account",
        {"account": {"bank": "110", "number": "7700001234"}}, key="lks-rekening", version=found["version"],
    )  # fmt: skip
    file = await teller.do(
        "lks_pengurus",
        "grants",
        "/v1/registrations",
        {"institution_id": INSTITUTION, "client_ref": "cerita-td"},
        key="lks-mulai",
    )
    sections = {name: {"isi": "lengkap"} for name in ("profil", "pengurus", "kegiatan", "sarana", "keuangan")}
    steps: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
        ("lks_pengurus", "edit", {"sections": sections}),
        ("lks_pimpinan", "submit", None),
        ("verifikator", "take", {"conflict_of_interest": False}),
        (
            "verifikator",
            "record-visit",
            {"visited_on": "2023-04-10", "minutes": _paper("berita-acara", "BA-7/2023", "2023-04-10")},
        ),
        (
            "verifikator",
            "recommend",
            {"checklist": {"akta_notaris": True, "ad_art": True, "pengurus": True, "domisili": True}},
        ),
        (
            "kadis",
            "issue",
            {"certificate": _paper("tanda-daftar", "TD-12/2023", "2023-04-10"), "valid_until": "2026-04-10"},
        ),
    )
    for person, command, body in steps:
        file = await teller.do(
            person,
            "grants",
            f"/v1/registrations/{file['id']}:{command}",
            body,
            key=f"lks-{command}",
            version=file["version"],
        )


async def _accredit(teller: Teller) -> None:
    cycle = await teller.do(
        "lks_pengurus",
        "grants",
        "/v1/accreditations",
        {"institution_id": INSTITUTION, "client_ref": "cerita-akr"},
        key="akr-mulai",
    )
    standards = ("program", "proses", "manajemen", "sdm", "sarana", "hasil")
    steps: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
        ("lks_pengurus", "answer", {"answers": {name: _answer(name) for name in standards}}),
        ("lks_pimpinan", "request", None),
        ("verifikator", "verify", {"document": _paper("kunjungan", "BA-9/2023", "2023-04-24")}),
        ("kadis", "recommend", {"document": _paper("rekomendasi", "466/201/2023", "2023-04-24")}),
        ("dinsos_operator", "forward", {"document": _paper("kirim", "KIRIM-3/2023", "2023-04-24")}),
        ("dinsos_operator", "schedule-visit", {"on": "2023-04-24"}),
        ("dinsos_operator", "record-visit", {"on": "2023-04-24"}),
        ("dinsos_operator", "enter-result", {"grade": "b", "certificate": _paper("balks", "BALKS-55/2023", "2023-04-24"), "issued_on": "2023-04-24", "valid_until": "2026-04-24"}),
        ("kadis", "confirm-result", None),
    )  # fmt: skip
    for person, command, body in steps:
        cycle = await teller.do(
            person,
            "grants",
            f"/v1/accreditations/{cycle['id']}:{command}",
            body,
            key=f"akr-{command}",
            version=cycle["version"],
        )


def _answer(standard: str) -> dict[str, Any]:
    return {"score": 80, "evidence_sha256": document("bukti", standard)}


def _paper(name: str, number: str, dated: str) -> dict[str, Any]:
    return {"number": number, "dated": dated, "issuer": "Dinas Sosial Kota Depok", "sha256": document(name, number)}
