"""Every setting of the product: environment variables `ZHANGGUI_*`, files with one secret each, or `zhanggui.toml`.

`zhanggui settings` prints these descriptions.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from banking_core.settings import BankSettings
from banking_core.vault import CipherName, KeyFile, KeyRingInvalid, RingName, Vault
from bot.phone_settings import PhoneSettings, split
from bot.wechat_settings import Origin, WechatSettings

log = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parent.parent
ANNOUNCED_FOLDER = ROOT / "nlu_data" / "skills"
SETTINGS_FILE = Path("zhanggui.toml")
SECRETS = ("nlu_token", "otp_key")
KEY_FILES = ("key_file", "voice_key_file")
SECRETS_FOLDER = (
    "ZHANGGUI_SECRETS_DIR"  # the variable that names it; files are called zhanggui_otp_key and so on
)


class SettingsError(Exception):
    """The settings cannot be used; the text says which and why, without any value."""

    code = "settings_invalid"


def _address(value: str) -> str:
    return str(ipaddress.ip_address(value))


Addresses = Annotated[tuple[Annotated[str, AfterValidator(_address)], ...], NoDecode, BeforeValidator(split)]
Origins = Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(split)]


class Settings(PhoneSettings, WechatSettings, BaseSettings):
    """Settings with their defaults; production has no default for any secret."""

    model_config = SettingsConfigDict(env_prefix="ZHANGGUI_", toml_file=SETTINGS_FILE, extra="forbid")

    mode: Literal["development", "production"] = Field(
        "development",
        description="`production` demands every secret, HTTPS cookies, and hides developer pages.",
    )
    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(8080, ge=1, le=65535, description="Port of the web server.")
    data_dir: Path = Field(ROOT / "var", description="Where databases, the NLU model and caches are kept.")
    cache_dir: Path | None = Field(
        None, description="Where what is computed from the data files is kept; default: data_dir/cache."
    )
    database_url: str = Field("", description="SQLAlchemy URL of the bank; empty: SQLite in data_dir.")
    sandbox_database_url: str = Field(
        "", description="SQLAlchemy URL of the sandbox providers; empty: SQLite in data_dir."
    )
    demo_bank: bool = Field(True, description="Fill an empty bank with the demo customers and agents.")
    terms_path: Path | None = Field(None, description="YAML with the bank's own fees, limits and hours.")
    rules_path: Path | None = Field(
        None, description="YAML with sections of the bank's own rules, in place of the packaged ones."
    )
    nlu_url: str = Field(
        "",
        description="Address of the NLU service, or of several copies with commas between, which are asked in turn; "
        "empty: `run` starts one at http://127.0.0.1:nlu_port.",
    )
    nlu_host: str = Field(
        "127.0.0.1",
        description="Address that `zhanggui nlu` listens on. Another than loopback only in a network that strangers "
        "cannot reach.",
    )
    nlu_port: int = Field(
        5005, ge=1, le=65535, description="Port of the NLU service that `run` and `zhanggui nlu` start."
    )
    nlu_model_dir: Path = Field(Path(), description="Where the NLU model lies; default: data_dir/nlu.")
    nlu_token: SecretStr | None = Field(None, description="Secret shared with the NLU service.")
    otp_key: SecretStr | None = Field(
        None, description="Key of the one-time codes' hashes, 32 characters or more."
    )
    key_file: Path | None = Field(
        None,
        description="File with the keys that seal personal data; in development default data_dir/keys.json, made "
        "at the first start; in production there is no default: make it with `zhanggui keys init`.",
    )
    voice_key_file: Path | None = Field(
        None,
        description="File with the keys that seal voiceprints, and nothing else; in development default "
        "voice-keys.json beside key_file, made at the first start; in production there is no default: make it with "
        "`zhanggui keys init --ring voice`.",
    )
    cipher: CipherName = Field("aes-256-gcm", description="What personal data is sealed with from now on.")
    password_time_cost: int = Field(3, ge=1, le=20, description="Passes of argon2id over its memory.")
    password_memory_kib: int = Field(
        65_536, ge=8192, le=4_194_304, description="Memory of argon2id per password check, in KiB."
    )
    password_lanes: int = Field(4, ge=1, le=16, description="Lanes of argon2id, computed side by side.")
    session_ttl_h: int = Field(12, ge=1, le=720, description="Hours until a customer's log-in expires.")
    session_idle_min: int = Field(
        30, ge=1, le=720, description="Minutes without a word after which a log-in expires."
    )
    voice_audio_days: int = Field(
        0,
        ge=0,
        le=3650,
        description="Days for which recordings of spoken passwords are kept, sealed; 0 keeps fingerprints only.",
    )
    secure_cookies: bool | None = Field(None, description="Cookies only over HTTPS; default: in production.")
    developer_pages: bool | None = Field(
        None, description="/dev/sms on loopback; default: not in production."
    )
    allowed_origins: Origins = Field(
        (),
        description="Where the pages are reached when a proxy changes the Host header, with commas between: "
        "`https://bank.example`.",
    )
    trusted_proxies: Addresses = Field(
        (),
        description="Addresses of the reverse proxies whose X-Forwarded-For is believed, with commas between. "
        "Behind a proxy it is needed: without it all customers share one address's limits.",
    )
    sms_provider: str = Field("sandbox", description="Who sends text messages.")
    billing_provider: str = Field("sandbox", description="Who keeps household bills.")
    topup_provider: str = Field("sandbox", description="Who sells phone credit.")
    clearing_provider: str = Field("sandbox", description="Who carries interbank transfers.")
    realname_provider: str = Field("sandbox", description="Who knows which name belongs to an ID number.")
    hearing_model: str = Field(
        "bundled",
        description="What hears callers: `bundled`, the folder of a Vosk model, or the name of one that Vosk fetches "
        "by itself, such as `vosk-model-small-cn-0.22`.",
    )
    hearing_free_speech: bool = Field(
        False,
        description="Let callers speak freely where no closed answer is expected. Needs a model of the whole "
        "language; with the bundled one leave it off.",
    )
    voiceprint_model: str = Field(
        "bundled",
        description="What knows callers by their voice: `bundled`, the path of an ONNX file, or the name of a "
        "SpeechBrain model such as `speechbrain/spkrec-ecapa-voxceleb`. Another model needs new enrolments.",
    )
    desk_idle_lock_min: int = Field(
        15, ge=1, le=480, description="Minutes without input until an agent's page is locked."
    )
    messages_per_s: float = Field(
        1.0,
        gt=0,
        description="Messages a customer may send per second, after a burst of twelve times as many.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Detail of the log.")
    _own_nlu: bool = PrivateAttr(True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then files with one secret each, then the file."""
        return init_settings, env_settings, file_secret_settings, TomlConfigSettingsSource(settings_cls)

    @model_validator(mode="after")
    def _complete(self) -> Settings:
        if self.mode == "production":
            missing = [name for name in (*SECRETS, *KEY_FILES) if getattr(self, name) is None]
            if missing:
                names = ", ".join(f"ZHANGGUI_{name.upper()}" for name in missing)
                raise ValueError(f"production mode needs {names}")
        self.check_wechat(production=self.mode == "production")
        self.key_file = self.key_file or self.data_dir / "keys.json"
        self.voice_key_file = self.voice_key_file or self.key_file.with_name("voice-keys.json")
        self.database_url = self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'bank.db'}"
        self.sandbox_database_url = (
            self.sandbox_database_url or f"sqlite+aiosqlite:///{self.data_dir / 'sandbox.db'}"
        )
        if self.nlu_model_dir == Path():
            self.nlu_model_dir = self.data_dir / "nlu"
        self.cache_dir = self.cache_dir or self.data_dir / "cache"
        self._own_nlu = not self.nlu_url
        self.nlu_url = self.nlu_url or f"http://127.0.0.1:{self.nlu_port}"
        production = self.mode == "production"
        self.secure_cookies = production if self.secure_cookies is None else self.secure_cookies
        self.developer_pages = not production if self.developer_pages is None else self.developer_pages
        return self

    @property
    def own_nlu(self) -> bool:
        """Whether `run` starts the NLU service itself."""
        return self._own_nlu

    @property
    def pages_url(self) -> str:
        """Where customers' browsers reach the pages, as far as the settings say."""
        return self.public_url or next(iter(self.allowed_origins), f"http://{self.host}:{self.port}")

    def keys(self, ring: RingName = "data") -> KeyFile:
        """The file with the keys of a ring: personal data, or voiceprints."""
        path = self.voice_key_file if ring == "voice" else self.key_file
        assert path is not None
        return KeyFile(path, ring)

    def open_vault(self) -> Vault:
        """What seals and opens personal data; development makes its keys at first. Raises KeyRingInvalid.

        Without usable keys of the voiceprints the bank goes on without voices, and the log says so.
        """
        keys, voice = self.keys(), self.keys("voice")
        if self.mode == "development":
            for file in (keys, voice):
                if file.create(datetime.now(UTC)):
                    log.info(
                        "key file made, keep a copy apart from backups ring=%s path=%s", file.name, file.path
                    )
        vault = Vault(keys, cipher=self.cipher)
        try:
            return Vault(keys, voice=voice, cipher=self.cipher)
        except KeyRingInvalid as error:
            log.error("no voiceprints, their keys cannot be used code=%s: %s", error.code, error)
            return vault

    def bank_settings(self) -> BankSettings:
        """What the bank is told."""
        assert self.otp_key is not None
        return BankSettings(
            database_url=self.database_url,
            sandbox_database_url=self.sandbox_database_url,
            otp_key=self.otp_key.get_secret_value().encode(),
            sms_provider=self.sms_provider,
            billing_provider=self.billing_provider,
            topup_provider=self.topup_provider,
            clearing_provider=self.clearing_provider,
            realname_provider=self.realname_provider,
            terms_path=self.terms_path,
            rules_path=self.rules_path,
            password_time_cost=self.password_time_cost,
            password_memory_kib=self.password_memory_kib,
            password_lanes=self.password_lanes,
            session_ttl_h=self.session_ttl_h,
            session_idle_min=self.session_idle_min,
            voice_audio_days=self.voice_audio_days,
        )


def load_settings(**overrides: object) -> Settings:
    """The settings in force; in development missing secrets are made once and kept. Raises SettingsError."""
    folder = os.environ.get(SECRETS_FOLDER)
    if folder and not Path(folder).is_dir():
        raise SettingsError(f"{SECRETS_FOLDER}: {folder} is no folder")
    try:
        settings = Settings(_secrets_dir=folder or None, **overrides)  # type: ignore[call-arg, arg-type]
    except TOMLDecodeError as error:
        raise SettingsError(f"{SETTINGS_FILE}: {error}") from None
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors()
        )
        raise SettingsError(problems) from None
    if settings.mode == "development":
        _development_secrets(settings)
    return settings


def _development_secrets(settings: Settings) -> None:
    path = settings.data_dir / "development-secrets.json"
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    fresh = {name: secrets.token_urlsafe(32) for name in SECRETS if name not in kept}
    if fresh:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(kept | fresh))
    for name, value in (kept | fresh).items():
        if getattr(settings, name) is None:
            setattr(settings, name, SecretStr(value))
