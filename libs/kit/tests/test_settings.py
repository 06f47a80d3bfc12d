"""A service that starts has settings that are complete; one that does not says everything that is wrong."""

from pathlib import Path
from typing import ClassVar

import pytest
from kit.settings import KNOWN_SECRET, Base, GivenSecret, SettingsError, load, table
from pydantic_settings import SettingsConfigDict

SECRET = "x" * 40
KEYS = "1:" + "ab" * 32
GOOD = {
    "database_url": "postgresql://a@h/d", "client_secret": SECRET, "cursor_secret": SECRET, "field_keys": KEYS,
    "index_keys": KEYS,
}  # fmt: skip


class Example(Base):
    model_config: ClassVar[SettingsConfigDict] = {"env_prefix": "EXAMPLE_"}


def test_everything_that_is_wrong_is_said_at_once_and_no_value_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_PORT", "seventy-secret")
    monkeypatch.setenv("EXAMPLE_CURSOR_SECRET", "short-secret")
    with pytest.raises(SettingsError) as wrong:
        load(Example)
    told = str(wrong.value)
    for variable in ("DATABASE_URL", "PORT", "CURSOR_SECRET", "CLIENT_SECRET", "FIELD_KEYS", "INDEX_KEYS"):
        assert f"EXAMPLE_{variable} " in told
    assert "EXAMPLE_DATABASE_URL is missing" in told
    assert "seventy" not in told
    assert "short-secret" not in told


def test_production_starts_with_secrets_of_its_own() -> None:
    assert load(Example, **GOOD).profile == "production"


def test_what_somebody_else_chose_may_be_short_and_is_no_published_default_either() -> None:
    class Sender(Example):
        password: GivenSecret = GivenSecret(KNOWN_SECRET + "password")

    assert load(Sender, **GOOD, password="kata-sandi").password.get_secret_value() == "kata-sandi"
    with pytest.raises(SettingsError, match="PASSWORD"):
        load(Sender, **GOOD)


@pytest.mark.parametrize(
    "shortcut",
    [
        {"clock_file": "clock"},
        {"jwks_url": "file:///jwks.json"},
        {"cursor_secret": "demonstration-only-cursors-and-more-text"},
        {"cursor_secret": "short"},
    ],
)
def test_production_refuses_every_shortcut(shortcut: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        load(Example, **{**GOOD, **shortcut})


def test_the_business_clock_moves_only_in_a_story_or_a_test(tmp_path: Path) -> None:
    for profile in ("demonstration", "test"):
        assert load(Example, profile=profile, clock_file=tmp_path / "c", database_url="postgresql://a@h/d").clock_file
    with pytest.raises(SettingsError, match="CLOCK_FILE"):
        load(Example, profile="development", clock_file=tmp_path / "c", database_url="postgresql://a@h/d")


def test_a_shared_variable_counts_unless_the_service_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANTUN_ISSUER", "https://everyone")
    monkeypatch.setenv("SANTUN_AUDIENCE", "everyone")
    monkeypatch.setenv("EXAMPLE_AUDIENCE", "mine")
    settings = load(Example, **GOOD)
    assert (settings.issuer, settings.audience) == ("https://everyone", "mine")


def test_secrets_may_stand_in_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "example_database_url").write_text("postgresql://from@file/d")
    monkeypatch.setenv("SANTUN_SECRETS_DIR", str(tmp_path))
    without = {name: value for name, value in GOOD.items() if name != "database_url"}
    assert load(Example, **without).database_url.get_secret_value() == "postgresql://from@file/d"


def test_every_setting_says_what_it_is_for_and_secrets_stay_hidden() -> None:
    rows = table(load(Example, **GOOD))
    assert all(about for _, _, about in rows)
    assert SECRET not in str(rows)
    assert ("EXAMPLE_PORT", "8100") in {(name, value) for name, value, _ in rows}


def test_kafka_is_asked_as_the_settings_say() -> None:
    plain = load(Example, **GOOD).kafka()
    assert (plain["security_protocol"], plain["ssl_context"], plain["sasl_plain_password"]) == ("PLAINTEXT", None, None)
    named = load(Example, **GOOD, kafka_security="SASL_PLAINTEXT", kafka_user="registry", kafka_password=SECRET).kafka()
    assert (named["sasl_mechanism"], named["sasl_plain_username"]) == ("SCRAM-SHA-512", "registry")
    assert (named["sasl_plain_password"], named["ssl_context"]) == (SECRET, None)
    assert load(Example, **GOOD, kafka_security="SSL").kafka()["ssl_context"].check_hostname
    with pytest.raises(SettingsError, match="KAFKA_PASSWORD"):
        load(Example, **GOOD, kafka_security="SASL_SSL", kafka_user="registry")
