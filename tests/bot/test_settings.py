"""Settings: environment over file over default; production has no default for a secret; every one is documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli.settings_page import page
from bot.settings import KEY_FILES, ROOT, SECRETS, Settings, SettingsError, load_settings

NEEDED = (*SECRETS, *KEY_FILES)
SECRET = "a-value-of-more-than-thirty-two-characters-for-tests"


pytestmark = pytest.mark.usefixtures("elsewhere")


def production(monkeypatch: pytest.MonkeyPatch, *, without: str = "") -> None:
    monkeypatch.setenv("ZHANGGUI_MODE", "production")
    for name in NEEDED:
        if name != without:
            value = f"/run/secrets/{name}" if name in KEY_FILES else SECRET
            monkeypatch.setenv(f"ZHANGGUI_{name.upper()}", value)


@pytest.mark.parametrize("missing", NEEDED)
def test_production_refuses_to_start_without_each_secret(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    production(monkeypatch, without=missing)
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert f"ZHANGGUI_{missing.upper()}" in str(refusal.value)
    assert SECRET not in str(refusal.value)


def test_production_hides_developer_pages_and_keeps_cookies_to_https(monkeypatch: pytest.MonkeyPatch) -> None:
    production(monkeypatch)
    settings = load_settings()
    assert settings.secure_cookies is True
    assert settings.developer_pages is False
    assert SECRET not in repr(settings)


def test_development_makes_its_secrets_once_and_keeps_them_from_others(elsewhere: Path) -> None:
    first, second = load_settings(), load_settings()
    for name in SECRETS:
        assert getattr(first, name).get_secret_value() == getattr(second, name).get_secret_value()
    one, other = first.open_vault(), second.open_vault()
    assert one.rings == ("data", "voice")
    assert all(one.ring_named(name) == other.ring_named(name) for name in one.rings)
    for file in ("development-secrets.json", "keys.json", "voice-keys.json"):
        assert (elsewhere / "data" / file).stat().st_mode & 0o077 == 0


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().port == 8080
    (elsewhere / "zhanggui.toml").write_text("port = 8181\nhost = '127.0.0.2'\n")
    assert (load_settings().port, load_settings().host) == (8181, "127.0.0.2")
    monkeypatch.setenv("ZHANGGUI_PORT", "8282")
    assert (load_settings().port, load_settings().host) == (8282, "127.0.0.2")


def test_a_misspelt_setting_in_the_file_is_named(elsewhere: Path) -> None:
    (elsewhere / "zhanggui.toml").write_text("prot = 8181\n")
    with pytest.raises(SettingsError, match="prot"):
        load_settings()


def test_a_settings_file_that_is_none_is_refused_with_the_line(elsewhere: Path) -> None:
    (elsewhere / "zhanggui.toml").write_text("port = 8181\nport = 8182\n")
    with pytest.raises(SettingsError, match=r"zhanggui\.toml.*line 2"):
        load_settings()


def test_every_setting_is_described_and_the_page_is_current() -> None:
    assert all(field.description for field in Settings.model_fields.values())
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == page(), "run: zhanggui settings --markdown > docs/settings.md"


def test_proxies_and_origins_are_read_with_commas_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHANGGUI_TRUSTED_PROXIES", "10.0.0.1, ::1 ,")
    monkeypatch.setenv("ZHANGGUI_ALLOWED_ORIGINS", "https://Bank.example")
    settings = load_settings()
    assert settings.trusted_proxies == ("10.0.0.1", "::1")
    assert settings.allowed_origins == ("https://bank.example",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRUSTED_PROXIES", "proxy.bank.example"),
        ("TRUSTED_PROXIES", "*"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "bank.example"),
        ("ALLOWED_ORIGINS", "https://bank.example/"),
    ],
)
def test_a_proxy_or_origin_nobody_can_mean_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"ZHANGGUI_{name}", value)
    with pytest.raises(SettingsError, match=name.lower()):
        load_settings()


WECHAT = ("wechat_app_secret", "wechat_token", "wechat_aes_key", "public_url")


def wechat(monkeypatch: pytest.MonkeyPatch, *, without: str = "") -> None:
    values = {
        "wechat_app_id": "wx5823bf96d3bd56c7",
        "wechat_app_secret": SECRET,
        "wechat_token": "a1" * 16,
        "wechat_aes_key": "a" * 43,
        "public_url": "https://bank.example",
    }
    for name, value in values.items():
        if name != without:
            monkeypatch.setenv(f"ZHANGGUI_{name.upper()}", value)


@pytest.mark.parametrize("mode", ["development", "production"])
@pytest.mark.parametrize("missing", WECHAT)
@pytest.mark.parametrize("instead", [None, "", " "])
def test_an_account_is_set_up_wholly_or_refused_in_any_mode(
    monkeypatch: pytest.MonkeyPatch, missing: str, mode: str, instead: str | None
) -> None:
    production(monkeypatch)
    monkeypatch.setenv("ZHANGGUI_MODE", mode)
    wechat(monkeypatch, without=missing)
    if instead is not None and missing != "public_url":  # an empty one is no origin, which is told first
        monkeypatch.setenv(f"ZHANGGUI_{missing.upper()}", instead)
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert f"ZHANGGUI_{missing.upper()}" in str(refusal.value)
    assert SECRET not in str(refusal.value)


def test_an_account_that_is_set_up_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    production(monkeypatch)
    wechat(monkeypatch)
    settings = load_settings()
    assert not any(secret in repr(settings) for secret in (SECRET, "a1" * 16, "a" * 43))
    assert settings.wechat_alert_fields == {"title": "thing1", "text": "thing2", "time": "time3"}


def test_production_refuses_callbacks_whose_bodies_nobody_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    wechat(monkeypatch)
    monkeypatch.setenv("ZHANGGUI_WECHAT_MODE", "plain")
    assert load_settings().wechat_mode == "plain"
    production(monkeypatch)
    with pytest.raises(SettingsError, match="ZHANGGUI_WECHAT_MODE"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("wechat_aes_key", "short"),
        ("wechat_token", "t" * 33),
        ("wechat_token", "to ken\n"),
        ("wechat_alert_fields", "colour=thing1"),
        ("wechat_alert_fields", "thing1"),
        ("wechat_alert_fields", "title=thing1,text"),
        ("wechat_api_url", "api.weixin.qq.com"),
        ("wechat_oauth_url", "javascript:alert(1)"),
        ("public_url", "https://b.example/x"),
    ],
)
def test_an_account_s_setting_that_cannot_work_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    wechat(monkeypatch)
    monkeypatch.setenv(f"ZHANGGUI_{name.upper()}", value)
    with pytest.raises(SettingsError, match=rf"(?i){name}"):
        load_settings()


def test_production_sends_nobody_to_a_page_without_https(monkeypatch: pytest.MonkeyPatch) -> None:
    wechat(monkeypatch)
    monkeypatch.setenv("ZHANGGUI_PUBLIC_URL", "http://bank.example")
    assert load_settings().public_url == "http://bank.example"
    production(monkeypatch)
    with pytest.raises(SettingsError, match="ZHANGGUI_PUBLIC_URL"):
        load_settings()


def test_a_secret_may_lie_in_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    production(monkeypatch, without="otp_key")
    (tmp_path / "zhanggui_otp_key").write_text(f"{SECRET}\n", encoding="utf-8")
    monkeypatch.setenv("ZHANGGUI_SECRETS_DIR", str(tmp_path))
    key = load_settings().otp_key
    assert key is not None and key.get_secret_value() == SECRET


def test_a_folder_of_secrets_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZHANGGUI_SECRETS_DIR", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="ZHANGGUI_SECRETS_DIR"):
        load_settings()


def test_the_file_for_wechat_s_domain_must_be_the_one_the_console_gave(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wechat(monkeypatch)
    (tmp_path / "MP_verify_a1B2.txt").write_text("a1B2")
    monkeypatch.setenv("ZHANGGUI_WECHAT_DOMAIN_FILE", str(tmp_path / "MP_verify_a1B2.txt"))
    assert load_settings().wechat_domain_file == tmp_path / "MP_verify_a1B2.txt"
    (tmp_path / "index.html").write_text("a1B2")
    (tmp_path / "MP_verify_big.txt").write_bytes(bytes(2000))
    for name in ("index.html", "MP_verify_missing.txt", "MP_verify_big.txt"):
        monkeypatch.setenv("ZHANGGUI_WECHAT_DOMAIN_FILE", str(tmp_path / name))
        with pytest.raises(SettingsError, match="ZHANGGUI_WECHAT_DOMAIN_FILE"):
            load_settings()
