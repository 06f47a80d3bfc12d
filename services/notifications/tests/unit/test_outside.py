"""What comes from outside: receipts in both shapes, signatures, addresses, quiet hours."""

from datetime import UTC, datetime

import pytest
from kit.ids import new_id
from notifications.channels.addresses import masked, normal
from notifications.messages.quiet import morning_after
from notifications.messages.states import Channel
from notifications.receipts.commands import signed
from notifications.receipts.reading import Report, Status, Unreadable, read


def test_our_own_receipts_are_read():
    reference = new_id()
    body = {"receipts": [{"id": "p1", "reference": str(reference), "status": "failed", "error": "nomor_mati"}]}
    assert read(body) == [Report(Status.FAILED, "p1", reference, "nomor_mati")]


def test_receipts_in_the_shape_of_meta_are_read():
    statuses = [
        {"id": "wamid.1", "status": "delivered", "recipient_id": "6281"},
        {"id": "wamid.2", "status": "failed", "errors": [{"code": 131026}]},
        {"id": "wamid.3", "status": "failed", "errors": [{"code": 130429}]},
        {"id": "wamid.4", "status": "read"},
    ]
    body = {"object": "whatsapp_business_account", "entry": [{"changes": [{"value": {"statuses": statuses}}]}]}
    said = [(r.provider_ref, r.status, r.code) for r in read(body)]
    assert said == [
        ("wamid.1", Status.DELIVERED, None),
        ("wamid.2", Status.FAILED, "bukan_whatsapp"),
        ("wamid.3", Status.REFUSED_FOR_NOW, "batas_penyedia"),
        ("wamid.4", Status.READ, None),
    ]


def test_an_error_that_could_hold_a_number_is_not_kept():
    said = read({"receipts": [{"id": "p1", "status": "failed", "error": "08123456789"}]})
    assert said[0].code == "ditolak_penyedia"


@pytest.mark.parametrize("body", [[], {}, {"receipts": 5}, {"receipts": [{}]}, {"entry": [{}]}, {"receipts": [1]}])
def test_anything_else_is_unreadable(body):
    with pytest.raises(Unreadable):
        read(body)


def test_a_signature_is_over_the_raw_bytes():
    good = "sha256=d87d9cf9a2a3b0ac0ed5b0ca4d0d0f9d0"
    assert not signed(b"{}", good, "secret")
    assert not signed(b"{}", "", "secret")
    import hashlib
    import hmac

    digest = hmac.new(b"secret", b"{}", hashlib.sha256).hexdigest()
    assert signed(b"{}", f"sha256={digest}", "secret")
    assert not signed(b"{ }", f"sha256={digest}", "secret")


def test_addresses_are_normalised_and_shown_masked():
    assert normal(Channel.SMS, "0812-3456-7890") == "+6281234567890"
    assert normal(Channel.SMS, "bukan nomor") is None
    assert normal(Channel.EMAIL, " Warga@Contoh.ID ") == "warga@contoh.id"
    assert normal(Channel.EMAIL, "a@b\nBcc: c@d.id") is None
    assert masked(Channel.SMS, "+6281234567890") == "+62***890"
    assert masked(Channel.EMAIL, "warga@contoh.id") == "w***@***.id"


@pytest.mark.parametrize(
    ("hour_utc", "region", "ends"),
    [
        (12, "32.76", None),  # 19.00 in Depok
        (13, "32.76", 0),  # 20.00: the night begins
        (12, "91.71", 22),  # 21.00 in Jayapura
        (0, "32.76", None),  # 07.00: the night has ended
        (23, "32.76", 24),  # 06.00
        (23, "73.71", None),  # 07.00 in Makassar
    ],
)
def test_the_night_is_that_of_the_place(hour_utc, region, ends):
    until = morning_after(datetime(2026, 7, 1, hour_utc, tzinfo=UTC), region)
    if ends is None:
        assert until is None
    else:
        assert until is not None
        assert until.astimezone(UTC).hour == ends % 24
        assert until.hour == 7
