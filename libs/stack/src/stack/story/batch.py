"""Chapter 6: the batch. Frozen, checked, approved by two, funded, exported; the bank answers; what went wrong is mended."""

from typing import Any

from stack import bank
from stack.story.deaths import OPERATORS
from stack.story.teller import Case, Memory, Teller, paper_id
from stack.trouble import Trouble

PAYMENT = "/v1/payments"


async def tell(teller: Teller, memory: Memory) -> None:
    """From the due rights to the last rupiah that can be paid."""
    teller.day(14, 9)
    batch = await _list(teller, memory)
    batch = await _approve(teller, batch)
    batch = await _fund(teller, batch)
    teller.day(18, 9)
    batch = await _step(teller, "exporter", batch, "export")
    file, *_ = await teller.ask("exporter", "disbursement", f"/v1/batches/{batch['id']}/files")
    order = bank.read(await _content(teller, file["id"]))
    batch = await _step(teller, "exporter", batch, "confirm-sent", {"receipt": "BJB 2023/03/24-001"})
    memory.batch = batch
    teller.say(f"The batch is at the bank: {order.total_idr:,} rupiah in {len(order.transfers)} transfers")
    await _answers(teller, memory, order, file["id"])


async def _list(teller: Teller, memory: Memory) -> dict[str, Any]:
    batch = await teller.do(
        "program_manager", "disbursement", "/v1/batches",
        {
            "programme_id": memory.programme["id"], "region_code": "32.76", "budget_line_id": memory.line_id,
            "due_on": "2023-03-24", "description": "Santunan kematian tahap 1", "client_ref": "cerita-tahap-1",
        },
        key="batch-susun",
    )  # fmt: skip
    for command, body in (("freeze", None), ("check", None), ("submit", {"report_read": True})):
        batch = await _step(teller, "program_manager", batch, command, body)
    memory.figures["batch_count"], memory.figures["batch_total_idr"] = batch["count"], batch["total_idr"]
    teller.say(f"A batch of {batch['count']} claims is frozen and checked, {batch['removed_count']} taken out")
    return dict(batch)


async def _approve(teller: Teller, batch: dict[str, Any]) -> dict[str, Any]:
    teller.day(15, 9)
    now = await teller.ask("verifikator", "disbursement", f"/v1/batches/{batch['id']}")
    if now["state"] == "submitted":
        sample = await teller.ask("verifikator", "disbursement", f"/v1/batches/{batch['id']}/sample")
        batch = await _step(teller, "verifikator", batch, "verify", {"viewed": [line["id"] for line in sample]})
    for person in ("kabid", "kadis"):
        shown = {"list_sha256": batch["list_sha256"], "total_idr": batch["total_idr"]}
        batch = await _step(teller, person, batch, "approve", shown, key=f"approve-{person}")
        if batch["state"] == "approved":
            break
    teller.say("Two persons approved exactly this list; a changed one would need them again")
    return batch


async def _fund(teller: Teller, batch: dict[str, Any]) -> dict[str, Any]:
    for day, person, command, number in (
        (16, "bendahara", "request-payment", "SPP-0101/2023"),
        (16, "ppk", "order", "SPM-0101/2023"),
        (17, "bpkad", "fund", "SP2D-0101/2023"),
    ):
        at = teller.day(day, 10 if person != "ppk" else 14)
        paper = {"number": number, "dated_on": at.date().isoformat(), "amount_idr": batch["total_idr"]}
        batch = await _step(teller, person, batch, command, paper)
    return batch


async def _answers(teller: Teller, memory: Memory, order: bank.Order, file_id: str) -> None:
    """All are paid but three: one comes back, one is refused, one the bank does not mention."""
    by_person = await _lines(teller, memory)
    returned, refused, silent = (by_person[case.heir_id] for case in memory.cases[:3])
    faults = bank.Faults(
        returned={returned["reference"]: "BE01"},
        rejected={refused["reference"]: "AC04"},
        silent=frozenset({silent["reference"]}),
    )
    day = teller.day(21, 9).date()
    await _result(teller, bank.answer(order, bank.Format.PAIN002, day, faults), "pain002", "status", file_id)
    await _result(teller, bank.answer(order, bank.Format.CAMT054, day, faults), "camt054", "buku", file_id)
    teller.say(
        "The bank's files are in: all paid but three, one returned (name differs), one rejected, one not mentioned"
    )
    at = teller.day(25, 9).date()
    rest = bank.Order(
        order.reference,
        order.block,
        order.total_idr,
        tuple(t for t in order.transfers if t.reference == silent["reference"]),
    )
    await _result(teller, bank.answer(rest, bank.Format.CSV, at), "csv", "tanya", None)
    teller.say("The one without an answer was asked about, not sent again: the bank had paid it")
    await _repair(teller, memory, memory.cases[0], returned["id"])
    memory.figures["refused_payment"] = refused["id"]


async def _lines(teller: Teller, memory: Memory) -> dict[str, dict[str, Any]]:
    """Payment and reference of each of the first three heirs."""
    found: dict[str, dict[str, Any]] = {}
    cursor = ""
    while True:
        page = await teller.ask(
            "recon_officer", "disbursement", f"{PAYMENT}?batch_id={memory.batch['id']}&limit=200{cursor}"
        )
        wanted = {case.heir_id for case in memory.cases[:3]}
        for line in page["items"]:
            if line["payee_ref"] in wanted:
                payment = await teller.ask("recon_officer", "disbursement", f"{PAYMENT}/{line['id']}")
                found[line["payee_ref"]] = {"id": line["id"], "reference": payment["attempts"][0]["reference"]}
        if not page["next"]:
            return found
        cursor = f"&cursor={page['next']}"


async def _result(teller: Teller, content: bytes, form: str, name: str, covers: str | None) -> None:
    """One person uploads the bank's file, another applies it."""
    query = f"?format={form}" + (f"&covers_file_id={covers}" if covers else "")
    desk = teller.office.desk("recon_officer", "disbursement")
    answer = await desk.post(
        f"/v1/result-files{query}", content=content,
        headers={"Idempotency-Key": f"cerita-hasil-{name}", "Content-Type": "application/octet-stream"},
    )  # fmt: skip
    if answer.is_error:
        raise Trouble(f"The bank's file ({name}) was answered {answer.status_code}: {answer.text[:600]}")
    file = answer.json()
    await teller.do(
        "recon_officer_2",
        "disbursement",
        f"/v1/result-files/{file['id']}:apply",
        key=f"terap-{name}",
        version=file["version"],
    )


async def _repair(teller: Teller, memory: Memory, case: Case, payment_id: str) -> None:
    """The heir brings the passbook; another person agrees; a day later the same right is paid on a new attempt."""
    operator = OPERATORS[case.village]
    await _new_account(teller, case, operator)
    line = await teller.ask("recon_officer", "disbursement", f"{PAYMENT}/{payment_id}")
    papers = {"documents": [paper_id("buku-tabungan", case.number), paper_id("sptjm", case.number)]}
    line = await teller.do(
        operator, "disbursement", f"{PAYMENT}/{payment_id}:fix-payee", papers, key="perbaiki", version=line["version"]
    )
    line = await teller.do(
        "verifikator",
        "disbursement",
        f"{PAYMENT}/{payment_id}:confirm-fix",
        key="perbaiki-setuju",
        version=line["version"],
    )
    teller.day(28, 11)
    line = await teller.do(
        "recon_officer",
        "disbursement",
        f"{PAYMENT}/{payment_id}:ask-reissue",
        key="ulang-minta",
        version=line["version"],
    )
    await teller.do(
        "kabid", "disbursement", f"{PAYMENT}/{payment_id}:agree-reissue", key="ulang-setuju", version=line["version"]
    )
    await teller.do(
        "exporter",
        "disbursement",
        f"/v1/batches/{memory.batch['id']}:reissue",
        {"line_ids": [payment_id]},
        key="ulang-berkas",
    )
    files = await teller.ask("exporter", "disbursement", f"/v1/batches/{memory.batch['id']}/files")
    again = max(files, key=lambda file: int(file["no"]))
    await teller.do(
        "exporter", "disbursement", f"/v1/payment-files/{again['id']}:confirm-sent", {"receipt": "BJB 2023/04/03-001"},
        key="ulang-kirim", version=again["version"],
    )  # fmt: skip
    order = bank.read(await _content(teller, again["id"]))
    day = teller.day(29, 9).date()
    await _result(teller, bank.answer(order, bank.Format.CAMT054, day), "camt054", "ulang", again["id"])
    line = await teller.ask("recon_officer", "disbursement", f"{PAYMENT}/{payment_id}")
    teller.say(
        f"The returned payment is {line['state']} on attempt {line['attempt_no']}: one right, two attempts, one benefit"
    )


async def _new_account(teller: Teller, case: Case, operator: str) -> None:
    """The old account under another spelling is replaced: captured, checked, agreed by a second person."""
    path = f"/v1/persons/{case.heir_id}/payee-accounts"

    async def known() -> dict[str, Any] | None:
        """The account, once the registry has heard that its money came back."""
        accounts = (await teller.ask(operator, "registry", path))["items"]
        default = next(account for account in accounts if account["is_default"])
        return None if default["state"] == "active" and default["client_ref"] is None else dict(default)

    old = await teller.until("the registry hears of the returned payment", known)
    if old["client_ref"] == f"cerita-rek-{case.number}":
        return
    new = await teller.do(
        operator, "registry", "/v1/payee-accounts",
        {
            "person_id": case.heir_id, "rail": "bank", "bank_code": "110", "account": f"88{case.number:010d}",
            "holder_name": "AHLI WARIS CERITA", "client_ref": f"cerita-rek-{case.number}",
        },
        key="rekening-baru",
    )  # fmt: skip
    new = await teller.do(
        "verifikator", "registry", f"/v1/payee-accounts/{new['id']}:record-check", {"state": "active", "name_match": "exact"},
        key="rekening-cek", version=new["version"],
    )  # fmt: skip
    asked = await teller.do(
        operator, "registry", f"/v1/payee-accounts/{old['id']}:propose-replacement",
        {"replacement_id": new["id"], "document_id": paper_id("buku-tabungan", case.number)}, key="rekening-ganti", version=old["version"],
    )  # fmt: skip
    await teller.do(
        "verifikator",
        "registry",
        f"/v1/payee-accounts/{old['id']}:confirm-replacement",
        key="rekening-ganti-setuju",
        version=asked["version"],
    )
    teller.day(27, 10)


async def _content(teller: Teller, file_id: str) -> bytes:
    answer = await teller.office.desk("exporter", "disbursement").get(
        f"/v1/payment-files/{file_id}/content?form=pain001"
    )
    answer.raise_for_status()
    return answer.content


async def _step(
    teller: Teller,
    person: str,
    batch: dict[str, Any],
    command: str,
    body: dict[str, Any] | None = None,
    *,
    key: str = "",
) -> dict[str, Any]:
    found: dict[str, Any] = await teller.do(
        person,
        "disbursement",
        f"/v1/batches/{batch['id']}:{command}",
        body,
        key=f"batch-{key or command}",
        version=batch["version"],
    )
    return found
