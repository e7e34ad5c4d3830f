"""docker-compose.yml and the Dockerfile name only what exists in the product. No image is built here."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from banking_core.vault import RINGS
from bot.cli.main import cli
from bot.running.wechat import account_of
from bot.settings import ROOT, SECRETS, Settings, load_settings

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
SETTINGS_PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
INTERPOLATED = re.compile(r"\$\{(?P<name>\w+)(?::?(?P<how>[-?])(?P<rest>[^}]*))?\}")
CHOSEN = {"ZHANGGUI_DOMAIN": "bank.example", "ZHANGGUI_UID": "1000", "ZHANGGUI_GID": "1000"}
PER_MACHINE = {*CHOSEN}  # of the composition, not of the product


def stages() -> dict[str, list[tuple[str, str]]]:
    """Instructions and their arguments, by stage of the Dockerfile."""
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in re.sub(r"\\\n", " ", DOCKERFILE).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            name = rest.split(" AS ")[1]
        if word and not word.startswith("#"):
            found.setdefault(name, []).append((word, rest.strip()))
    return found


STAGES = stages()


def interpolated(value: object) -> str:
    """A value as Compose would write it, with what docker_secrets.sh puts into .env."""

    def put(match: re.Match[str]) -> str:
        chosen = CHOSEN.get(match["name"])
        if chosen is None:
            assert match["how"] == "-", f"{match['name']} is needed, but nobody sets it"
            return match["rest"]
        return chosen

    return INTERPOLATED.sub(put, str(value))


def environment(service: str) -> dict[str, str]:
    """What a service of ours finds in its environment, the image's own settings included."""
    given = {name: interpolated(value) for name, value in SERVICES[service].get("environment", {}).items()}
    lines = [rest for word, rest in STAGES[SERVICES[service]["build"]["target"]] if word == "ENV"]
    image = dict(part.split("=", 1) for line in lines for part in shlex.split(line))
    return {name: value for name, value in (image | given).items() if name.startswith("ZHANGGUI_")}


@pytest.mark.parametrize("name", sorted({*re.findall(r"ZHANGGUI_\w+", json.dumps(COMPOSE) + DOCKERFILE)}))
def test_every_setting_named_is_documented(name: str) -> None:
    assert name in PER_MACHINE or f"`{name}`" in SETTINGS_PAGE or f"`{name}=" in SETTINGS_PAGE


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_copied_exists_in_the_repository(stage: str) -> None:
    for word, rest in STAGES[stage]:
        if word == "COPY" and "--from=" in rest:
            assert re.search(r"--from=(\S+)", rest)[1] in STAGES  # type: ignore[index]
        elif word == "COPY":
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source


def test_what_is_copied_is_not_left_out_of_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = {
        source
        for instructions in STAGES.values()
        for word, rest in instructions
        if word == "COPY" and "--from=" not in rest
        for source in rest.split()[:-1]
    }
    assert not copied & set(ignored)
    assert {"secrets", ".env", ".git", "var"} <= set(ignored)


@pytest.mark.parametrize("stage", ["app", "understanding"])
def test_an_image_runs_as_nobody_in_particular_and_says_how_it_is(stage: str) -> None:
    words = [word for word, _ in STAGES[stage]]
    assert dict(STAGES[stage])["USER"] == "zhanggui"
    assert "HEALTHCHECK" in words and words.index("USER") < words.index("ENTRYPOINT")


def test_the_health_check_asks_an_address_the_product_has() -> None:
    check = dict(STAGES["app"])["HEALTHCHECK"]
    server = (ROOT / "bot" / "running" / "server.py").read_text(encoding="utf-8")
    assert "/healthz" in check and '"/healthz"' in server
    port = Settings.model_fields["port"].default
    assert f":{port}/" in check and f"app {port}" in (ROOT / "setup" / "Caddyfile").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("service", OURS)
def test_what_a_container_is_told_to_do_the_product_can_do(service: str) -> None:
    stage = dict(STAGES[SERVICES[service]["build"]["target"]])
    entry = json.loads(stage["ENTRYPOINT"])
    command = SERVICES[service].get("command") or json.loads(stage["CMD"])
    if entry == ["zhanggui"]:
        result = CliRunner().invoke(cli, [*command, "--help"])
        assert result.exit_code == 0, result.output
        return
    path = os.pathsep.join((str(ROOT / "bot" / "nlu"), *sys.path))
    done = subprocess.run(
        [sys.executable, *entry[1:], "--help"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for flag in (word for word in command if word.startswith("--")):
        assert f"{flag} " in done.stdout or f"{flag}]" in done.stdout, flag


def test_no_secret_stands_in_the_files() -> None:
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            fixed = INTERPOLATED.sub("", str(value))
            if re.search(r"PASSWORD|SECRET|TOKEN|KEY", name):
                assert fixed.startswith("/run/secrets"), name
    assert "secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()


def test_services_wait_for_services_that_are_there() -> None:
    for service in SERVICES.values():
        for other in service.get("depends_on", {}):
            assert other in SERVICES
        for secret in service.get("secrets", ()):
            assert secret in COMPOSE["secrets"]
        for network in service["networks"]:
            assert network in COMPOSE["networks"]
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (ROOT / source).is_file(), source


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Path]:
    """A folder in which docker_secrets.sh was run twice."""
    (tmp_path / "setup").mkdir()
    shutil.copy(ROOT / "setup" / "docker_secrets.sh", tmp_path / "setup")
    program = tmp_path / ".venv" / "bin" / "zhanggui"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m bot.cli "$@"\n')
    program.chmod(0o755)
    command = ["bash", "setup/docker_secrets.sh", CHOSEN["ZHANGGUI_DOMAIN"]]
    texts = []
    for _ in range(2):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        texts.append({path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()})
    assert texts[0] == texts[1], "what is there stays"
    yield tmp_path


def test_the_script_makes_every_secret_for_one_pair_of_eyes(made: Path) -> None:
    files = {path.name: path.stat().st_mode & 0o777 for path in (made / "secrets").iterdir()}
    assert files == dict.fromkeys(COMPOSE["secrets"], 0o600)
    chosen = dict(line.split("=", 1) for line in (made / ".env").read_text().splitlines())
    assert chosen.keys() == CHOSEN.keys() and chosen["ZHANGGUI_DOMAIN"] == CHOSEN["ZHANGGUI_DOMAIN"]


@pytest.mark.parametrize("service", [name for name in OURS if "environment" in SERVICES[name]])
def test_the_product_starts_in_production_with_what_a_container_is_given(
    made: Path, service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in os.environ if name.startswith("ZHANGGUI_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    assert set(SERVICES[service]["secrets"]) <= {path.name for path in (made / "secrets").iterdir()}
    for name, value in environment(service).items():
        monkeypatch.setenv(name, value.replace("/run/secrets", str(made / "secrets")))
    settings = load_settings()
    assert settings.mode == "production" and not settings.demo_bank and not settings.own_nlu
    assert settings.database_url.startswith("postgresql+asyncpg://zhanggui:")
    assert settings.sandbox_database_url.endswith("/zhanggui_sandbox")
    assert all(getattr(settings, name) is not None for name in SECRETS)
    assert settings.open_vault().rings == RINGS
    assert SERVICES["proxy"]["networks"]["inside"]["ipv4_address"] in settings.trusted_proxies


def test_the_override_for_wechat_is_all_that_the_channel_needs(
    made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "scale-out.md").read_text(encoding="utf-8")
    override = yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])
    names = override["services"]["app"]["secrets"]
    assert set(names) == set(override["secrets"])
    assert all(secret == {"file": f"./secrets/{name}"} for name, secret in override["secrets"].items())
    for name in names:
        (made / "secrets" / name).write_text("a" * (43 if name.endswith("aes_key") else 32))
    for name in [name for name in os.environ if name.startswith("ZHANGGUI_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for name, value in (environment("app") | override["services"]["app"]["environment"]).items():
        monkeypatch.setenv(name, value.replace("/run/secrets", str(made / "secrets")))
    account = account_of(load_settings())
    assert account is not None and account.mode == "safe"
    assert account.app_secret == account.token == "a" * 32 and account.aes_key == "a" * 43
