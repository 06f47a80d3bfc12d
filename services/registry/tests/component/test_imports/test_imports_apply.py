"""From the uploaded list to persons and families, and what a second list changes."""

from collections import Counter


async def test_a_list_becomes_persons_and_families_and_each_is_announced_once(office, lists):
    lines = lists.listed(60)
    run = await office.imported(lists.as_csv(lines))
    assert (run["rows_read"], run["rows_rejected"], run["new_rows"]) == (len(lines), 0, len(lines))
    counts = await office.counts()
    assert counts["person"] == counts["person_name"] == counts["residence"] == counts["person_facts"] == len(lines)
    assert counts["family"] == 60
    told = Counter(event.name for event in await office.registry.outbox())
    assert told["person.registered"] == len(lines)
    assert told["family.formed"] == 60
    assert [e.name for e in await office.registry.outbox() if e.topic == "registry.import"] == [
        "import.received", "import.parsed", "import.diffed", "import.approved", "import.applied"]  # fmt: skip
