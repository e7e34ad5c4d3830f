"""The settings of the WeChat Official Account, part of `bot.settings.Settings`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from bot.channels.wechat.account import Mode
from bot.channels.wechat.sealing import AES_KEY


def _origin(value: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?", value):
        raise ValueError("an origin is written https://bank.example, without a path")
    return value.lower()


def _address(value: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?", value):
        raise ValueError("an address is written https://api.weixin.qq.com")
    return value.rstrip("/")


def _pairs(value: object) -> object:
    """ "a=b, c=d" as an environment variable says it; a table of the file stays one."""
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if not parts or not all(re.fullmatch(r"\w+=\w+", part, re.ASCII) for part in parts):
        raise ValueError("pairs are written title=thing1,text=thing2,time=time3")
    return dict(part.split("=", 1) for part in parts)


Origin = Annotated[str, AfterValidator(_origin)]
Address = Annotated[str, AfterValidator(_address)]
DOMAIN_FILE_BYTES_MAX = 1024
TOKEN = re.compile(r"[A-Za-z0-9]{3,32}")  # what Tencent's console takes
Pairs = Annotated[dict[str, str], NoDecode, BeforeValidator(_pairs)]


def _given(value: SecretStr | str | None) -> bool:
    """Whether there is something in it; an empty token would let anybody sign."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return bool(text and text.strip())


class WechatSettings(BaseModel):
    """Without an app id there is no such channel."""

    public_url: Origin | None = Field(
        None,
        description="Where customers' browsers reach this server: `https://bank.example`. WeChat needs it; the "
        "pictures of receiving codes hold a link to it.",
    )
    wechat_app_id: str = Field(
        "",
        description="App id of the WeChat Official Account; empty: no such channel. See [WeChat](wechat.md).",
    )
    wechat_app_secret: SecretStr | None = Field(None, description="App secret of the account.")
    wechat_token: SecretStr | None = Field(
        None, description="Token that callbacks are signed with, 3 to 32 letters and digits."
    )
    wechat_aes_key: SecretStr | None = Field(
        None, description="EncodingAESKey, 43 letters and digits; needed unless the mode is `plain`."
    )
    wechat_mode: Mode = Field(
        "safe", description="How callbacks come, as set in the account's console. Production refuses `plain`."
    )
    wechat_menu_messages: bool = Field(
        False,
        description="The account may send menu messages, whose choices are tapped (certified services).",
    )
    wechat_menu_path: Path | None = Field(
        None, description="YAML with the account's menu, set by `zhanggui wechat menu`; default: ours."
    )
    wechat_alert_template: str = Field("", description="Id of the template for alerts; empty: none are sent.")
    wechat_alert_fields: Pairs = Field(
        {"title": "thing1", "text": "thing2", "time": "time3"},
        validate_default=True,
        description="What the template's fields are called: `title=thing1,text=thing2,time=time3`.",
    )
    wechat_domain_file: Path | None = Field(
        None,
        description="The file `MP_verify_….txt` that the account's console gives for the web authorisation domain; "
        "served under its name.",
    )
    wechat_api_url: Address = Field(
        "https://api.weixin.qq.com", description="Where Tencent is called, or the simulator."
    )
    wechat_oauth_url: Address = Field(
        "https://open.weixin.qq.com", description="Where browsers ask who they are, or the simulator."
    )

    def check_wechat(self, *, production: bool) -> None:
        """An account is set up wholly or not at all; no secret of it has a default. Raises ValueError."""
        if not self.wechat_app_id:
            return
        sealed = () if self.wechat_mode == "plain" else ("wechat_aes_key",)
        needed = ("wechat_app_secret", "wechat_token", *sealed, "public_url")
        missing = [f"ZHANGGUI_{name.upper()}" for name in needed if not _given(getattr(self, name))]
        if missing:
            raise ValueError(f"ZHANGGUI_WECHAT_APP_ID needs {', '.join(missing)}")
        if production and self.wechat_mode == "plain":
            raise ValueError("production mode refuses ZHANGGUI_WECHAT_MODE=plain: bodies would not be signed")
        if production and not str(self.public_url).startswith("https://"):
            raise ValueError("production mode wants ZHANGGUI_PUBLIC_URL over https")
        token = self.wechat_token.get_secret_value() if self.wechat_token else ""
        if not TOKEN.fullmatch(token):
            raise ValueError(
                "ZHANGGUI_WECHAT_TOKEN has 3 to 32 letters and digits, as in the account's console"
            )
        key = self.wechat_aes_key.get_secret_value() if self.wechat_aes_key else ""
        if sealed and not AES_KEY.fullmatch(key):
            raise ValueError("ZHANGGUI_WECHAT_AES_KEY has 43 letters and digits")
        self._check_domain_file()
        if not set(self.wechat_alert_fields) <= {"title", "text", "time"}:
            raise ValueError("ZHANGGUI_WECHAT_ALERT_FIELDS names title, text and time")

    def _check_domain_file(self) -> None:
        path = self.wechat_domain_file
        if path is None:
            return
        named = re.fullmatch(r"MP_verify_[A-Za-z0-9]{1,64}\.txt", path.name)
        if not named or not path.is_file() or path.stat().st_size > DOMAIN_FILE_BYTES_MAX:
            raise ValueError(
                "ZHANGGUI_WECHAT_DOMAIN_FILE is not the MP_verify_….txt of the account's console"
            )
