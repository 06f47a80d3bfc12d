"""From the uploaded list to persons and families, and what a second list changes."""

from collections import Counter

import pytest
from stack.synthetic import families

KK, NIK, NAME, RELATION, STREET, PHONE, STATUS, DIED = (
    families.COLUMNS.index(c)
    for c in ("no_kk", "nik", "nama", "hubungan", "alamat", "telepon", "status_dasar", "tanggal_meninggal")
)


async def versions(office) -> dict[str, str]:
    """Fingerprint of every row version of every table about people."""
    tables = ("person", "person_name", "identity_claim", "family", "family_card", "family_member", "residence", "contact",
        "payee_account", "desil", "person_facts", "import_subject")  # fmt: skip
    found = {}
    for table in tables:
        rows = await office.registry.sql(
            f"SELECT count(*) AS n, coalesce(sum(xmin::text::bigint), 0) AS x FROM {table}"
        )
        found[table] = (rows[0]["n"], rows[0]["x"])
    return found


async def told(office) -> Counter:
    return Counter(e.name for e in await office.registry.outbox() if e.topic in ("registry.person", "registry.family"))


async def test_a_list_becomes_persons_and_families_and_each_is_announced_once(office, lists):
    lines = lists.listed(60)
    run = await office.imported(lists.as_csv(lines))
    assert (run["rows_read"], run["rows_rejected"], run["new_rows"]) == (len(lines), 0, len(lines))
    counts = await office.counts()
    assert counts["person"] == counts["person_name"] == counts["residence"] == counts["person_facts"] == len(lines)
    assert counts["family"] == 60
    events = await told(office)
    assert events["person.registered"] == len(lines)
    assert events["family.formed"] == 60
    assert [e.name for e in await office.registry.outbox() if e.topic == "registry.import"] == [
        "import.received", "import.parsed", "import.diffed", "import.approved", "import.applied"]  # fmt: skip


async def test_the_same_file_again_answers_with_its_first_run(office, lists):
    content = lists.as_csv(lists.listed(5))
    first = await office.imported(content)
    again = await office.send(content)
    assert again.status_code == 200
    assert again.json()["id"] == first["id"]
    assert len(list(office.folder.iterdir())) == 1


async def test_the_same_rows_in_another_file_change_no_row_and_tell_nothing(office, lists):
    lines = lists.listed(40)
    await office.imported(lists.as_csv(lines))
    before, spoken = await versions(office), await told(office)
    run = await office.imported(lists.as_csv(lines[::-1], delimiter=";"))
    assert (run["new_rows"], run["changed_rows"], run["unchanged_rows"], run["gone_rows"]) == (0, 0, len(lines), 0)
    assert await versions(office) == before
    assert await told(office) == spoken


async def test_only_what_a_new_list_says_otherwise_is_touched(office, lists):
    lines = lists.listed(60)
    await office.imported(lists.as_csv(lines))
    changed = [list(line) for line in lines]
    moved, renamed = changed[0], changed[-1]
    moved[STREET], renamed[NAME] = "Jl. Baru No. 1", "Sotavel Muxuzan"
    spoken = await told(office)
    run = await office.imported(lists.as_csv(changed), as_of="2026-02-01")
    assert (run["changed_rows"], run["unchanged_rows"]) == (2, len(lines) - 2)
    rows = await office.registry.sql(
        "SELECT valid_from, valid_to FROM residence WHERE valid_from IS NOT NULL OR valid_to IS NOT NULL"
    )
    assert sorted(str(r["valid_from"] or r["valid_to"]) for r in rows) == ["2026-02-01", "2026-02-01"]
    names = await office.registry.sql("SELECT name FROM person_name WHERE valid_from = '2026-02-01'")
    assert [r["name"] for r in names] == ["Sotavel Muxuzan"]
    new = await told(office) - spoken
    assert set(new) <= {"person.facts_changed"}


async def test_a_person_moves_to_another_family_and_both_are_told(office, lists):
    lines = list(lists.listed(30))
    await office.imported(lists.as_csv(lines))
    by_family = Counter(line[1] for line in lines)
    big = next(family for family, size in by_family.items() if size >= 3)
    target = next(line for line in lines if line[1] != big)
    changed = [list(line) for line in lines]
    mover = next(line for line in changed if line[1] == big and line[RELATION] == "4")
    mover[1], mover[KK] = target[1], target[KK]
    await office.imported(lists.as_csv(changed), as_of="2026-02-01")
    names = [e.name for e in await office.registry.outbox() if e.topic == "registry.family"]
    assert names[-2:] == ["family.member_left", "family.member_joined"]
    sizes = await office.registry.sql(
        "SELECT family_id, count(*) AS n FROM family_member WHERE valid_to IS NULL GROUP BY 1"
    )
    facts = await office.registry.sql("SELECT DISTINCT family_id, family_size AS n FROM person_facts")
    assert sorted(map(tuple, sizes)) == sorted(map(tuple, facts))


async def test_a_list_that_changes_too_much_is_held_and_only_the_head_lets_it_in(office, lists):
    lines = lists.listed(20)
    await office.imported(lists.as_csv(lines))
    run = await office.upload(
        lists.as_csv([[*line[:12], "Jl. Lain", *line[13:]] for line in lines]), as_of="2026-02-01"
    )
    await office.work()
    assert (await office.read(run))["state"] == "held"
    assert (await office.read(run))["brake"] == ["rem_perubahan"]
    refused = await office.approve(run, who=office.kabid)
    assert refused.status_code == 403
    assert (await office.approve(run, who=office.kadis)).status_code == 200


async def test_who_vanishes_from_a_full_list_is_marked_and_kept(office, lists):
    lines = lists.listed(40)
    await office.imported(lists.as_csv(lines))
    run = await office.imported(lists.as_csv(lines[:-2]), as_of="2026-02-01")
    assert run["gone_rows"] == 2
    counts = await office.counts()
    assert counts["person"] == len(lines)
    gone = await office.registry.sql("SELECT count(*) AS n FROM person WHERE NOT registered")
    assert gone[0]["n"] == 2
    back = await office.imported(lists.as_csv(lines), as_of="2026-03-01")
    assert back["changed_rows"] == 2
    assert (await office.registry.sql("SELECT count(*) AS n FROM person WHERE NOT registered"))[0]["n"] == 0


async def test_the_uploader_never_approves_even_with_the_role(office, lists):
    both = office.registry.client("op_kab", roles=["op_kab", "kabid"], regions=["32.76"], sub="both-1")
    run = (await office.send(lists.as_csv(lists.listed(3)), client=both)).json()
    await office.work()
    refused = await office.approve(run, who=both)
    assert refused.status_code == 409
    assert "pengunggah_menyetujui" in refused.text


async def test_nobody_approves_a_list_without_its_sample(office, lists):
    run = await office.upload(lists.as_csv(lists.listed(3)))
    await office.work()
    version = (await office.read(run))["version"]
    refused = await office.kabid.post(f"/v1/imports/{run['id']}:approve", headers={"If-Match": f'"{version}"'})
    assert refused.status_code == 409
    assert "laporan_belum_dibaca" in refused.text


async def test_an_officer_of_another_region_neither_uploads_nor_sees(office, lists):
    stranger = office.registry.client("op_kab", regions=["34.04"], sub="op-kab-sleman")
    content = lists.as_csv(lists.listed(3))
    assert (await office.send(content, client=stranger)).status_code == 404
    run = await office.upload(content)
    for path in ("", "/sample", "/rejects"):
        assert (await stranger.get(f"/v1/imports/{run['id']}{path}")).status_code == 404
    assert (await stranger.get("/v1/imports")).json()["items"] == []
    assert [r["id"] for r in (await office.op_kab.get("/v1/imports")).json()["items"]] == [run["id"]]


async def test_a_second_list_of_the_source_waits_for_the_first(office, lists):
    await office.upload(lists.as_csv(lists.listed(3)))
    refused = await office.send(lists.as_csv(lists.listed(4)))
    assert refused.status_code == 409
    assert "impor_masih_berjalan" in refused.text


async def test_an_older_list_does_not_undo_a_newer_one(office, lists):
    await office.imported(lists.as_csv(lists.listed(3)), as_of="2026-02-01")
    refused = await office.send(lists.as_csv(lists.listed(4)), as_of="2026-01-01")
    assert refused.status_code == 409
    assert "lebih_lama_dari_yang_ada" in refused.text


async def test_every_defect_of_a_nik_keeps_the_person(office, lists):
    lines = lists.listed(5)[:5]
    for number, line in enumerate(lines):
        line[1], line[RELATION], line[STATUS], line[DIED] = f"F{number}", "1", "1", ""
        line[KK] = f"327602180718926{number}"
    good = next(line[NIK] for line in lists.listed(50) if len(line[NIK]) == 16 and line[NIK].isdigit())
    for line, nik in zip(lines, (good, good, "0000000000000000", "32760217128596", "3276029912859684"), strict=True):
        line[NIK] = nik
    run = await office.imported(lists.as_csv(lines))
    assert run["rows_rejected"] == 0
    claims = await office.registry.sql("SELECT state FROM identity_claim ORDER BY state")
    assert [c["state"] for c in claims] == ["conflict", "conflict", "quarantined", "quarantined"]
    provisional = await office.registry.sql("SELECT count(*) AS n FROM person WHERE provisional")
    assert provisional[0]["n"] >= 3
    codes = {(r["column"], r["code"]) for r in run["reasons"]}
    assert {("nik", "nik_ganda"), ("nik", "nik_kosong"), ("nik", "nik_bukan_16_angka")} <= codes


async def test_who_the_list_calls_dead_is_reported_and_held(office, lists):
    lines = lists.listed(3)
    lines[0][STATUS], lines[0][DIED] = "2", "2025-12-24"
    await office.imported(lists.as_csv(lines))
    deaths = await office.registry.sql("SELECT state, died_on::text FROM death_record")
    assert [tuple(d) for d in deaths] == [("reported", "2025-12-24")]
    names = [e.name for e in await office.registry.outbox()]
    assert names.count("person.life_changed") == names.count("death.reported") == 1
    held = await office.registry.sql("SELECT count(*) AS n FROM person_facts WHERE life = 'death_reported'")
    assert held[0]["n"] == 1


async def test_a_list_without_row_ids_knows_its_rows_by_card_and_place(office, lists):
    columns = [c for c in lists.columns if c not in ("id_baris", "id_keluarga")]
    lines = [line[2:] for line in lists.listed(20) if line[KK].isdigit() and len(line[KK]) == 16]
    await office.imported(lists.as_csv(lines, columns))
    again = await office.imported(lists.as_csv(lines, columns, delimiter=";"), as_of="2026-02-01")
    assert (again["new_rows"], again["changed_rows"], again["gone_rows"]) == (0, 0, 0)


@pytest.mark.parametrize("step", ["received", "applied"])
async def test_no_restricted_value_stands_in_any_table_or_file(office, lists, step):
    lines = lists.listed(12, broken=0.2)
    lines[0][PHONE], lines[0][STREET] = "08123456789", "Jl. Kenari Uji No. 77"
    if step == "received":
        run = await office.upload(lists.as_csv(lines))
        await office.work()
        assert (await office.read(run))["state"] == "ready"
    else:
        await office.imported(lists.as_csv(lines))
    tables = await office.registry.sql(
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE relkind = 'r' AND nspname = 'public' AND relname <> 'region'"
    )
    dump = ""
    for table in tables:
        dump += "\n".join(
            row["t"] for row in await office.registry.sql(f'SELECT t::text AS t FROM "{table["relname"]}" AS t')
        )
    dump += b"".join(path.read_bytes() for path in office.folder.iterdir()).decode("latin-1")
    secrets = {line[i] for line in lines for i in (KK, NIK, PHONE, STREET, 14, 16) if len(line[i]) >= 10}
    assert {"08123456789", "Jl. Kenari Uji No. 77"} <= secrets
    assert not [secret for secret in secrets if secret in dump or secret.encode().hex() in dump]
    assert "+628123456789" not in dump


async def test_progress_only_rises(office, lists, monkeypatch):
    from registry.imports import applying, parsing, upload

    monkeypatch.setattr(upload, "_CHUNK", 2048)
    monkeypatch.setattr(parsing, "BATCH", 20)
    seen = []
    inner = applying.apply_chunk

    run = await office.upload(lists.as_csv(lists.listed(60)))
    keep = parsing._keep

    async def watched_keep(*args):
        await keep(*args)
        seen.append((await office.read(run))["percent"])

    async def watched_apply(uow, *args):
        seen.append((await office.read(run))["percent"])
        await inner(uow, *args)

    monkeypatch.setattr(parsing, "_keep", watched_keep)
    monkeypatch.setattr(applying, "apply_chunk", watched_apply)
    await office.work()
    seen.append((await office.read(run))["percent"])
    await office.approve(run)
    await office.work()
    seen.append((await office.read(run))["percent"])
    assert seen == sorted(seen)
    assert len(set(seen)) > 4
    assert seen[-1] == 100


async def test_a_discarded_list_leaves_nothing_and_may_come_again(office, lists):
    content = lists.as_csv(lists.listed(3))
    run = await office.upload(content)
    await office.work()
    version = (await office.read(run))["version"]
    done = await office.kabid.post(
        f"/v1/imports/{run['id']}:discard", json={"reason": "salah kecamatan"}, headers={"If-Match": f'"{version}"'}
    )
    assert done.status_code == 200
    assert (await office.counts())["person"] == 0
    assert (await office.send(content)).status_code == 201
