"""The settings of the telephone, part of `bot.settings.Settings`."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode


def split(value: object) -> object:
    """ "a, b" as an environment variable says it; a list of the file stays one."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _network(value: str) -> str:
    return str(ipaddress.ip_network(value, strict=False))


def _ports(value: str) -> str:
    match = re.fullmatch(r"(\d{1,5})-(\d{1,5})", value)
    if match is None or not 1024 <= int(match[1]) < int(match[2]) <= 65_535:
        raise ValueError("ports are written 20000-20400, from 1024 on")
    return value


def _registrar(value: str) -> str:
    if value and not re.fullmatch(r"sip:[^@:;\s]+@[A-Za-z0-9.\-\[\]:]+(:\d{1,5})?", value):
        raise ValueError("a trunk is written sip:user@host or sip:user@host:port")
    return value


def _voice(value: str) -> str:
    if value != "espeak" and not re.fullmatch(r"piper:\S.*\.onnx", value):
        raise ValueError("a voice is written espeak, or piper:FILE.onnx")
    return value


LineName = Literal["sip", "media_socket", "audiosocket"]
Lines = Annotated[tuple[LineName, ...], NoDecode, BeforeValidator(split)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(split)]


class PhoneSettings(BaseModel):
    """Every setting begins with `phone_`. Without lines nobody can call but from the chat page."""

    phone_lines: Lines = Field(
        (),
        description="Lines that take calls, with commas between: `sip`, `media_socket`, `audiosocket`; "
        "empty: no telephone. See [phone](phone.md).",
    )
    phone_host: str = Field("127.0.0.1", description="Address that SIP, RTP and AudioSocket listen on.")
    phone_advertised: str = Field(
        "",
        description="Address that callers send their sound to, when it is another than phone_host: behind NAT.",
    )
    phone_sip_port: int = Field(5060, ge=1, le=65535, description="Port of SIP over UDP.")
    phone_rtp_ports: Annotated[str, AfterValidator(_ports)] = Field(
        "20000-20400", description="Ports for the sound of SIP calls, two per call."
    )
    phone_audiosocket_port: int = Field(9092, ge=1, le=65535, description="Port of AudioSocket over TCP.")
    phone_allowed: Networks = Field(
        ("127.0.0.0/8", "::1/128"),
        description="Networks of the exchanges and carriers that may call by SIP and AudioSocket, with commas between.",
    )
    phone_calls_max: int = Field(32, ge=1, le=1000, description="Calls at once, over all lines.")
    phone_trunk: Annotated[str, AfterValidator(_registrar)] = Field(
        "", description="Account to register at a carrier or exchange, `sip:user@host`; empty: none."
    )
    phone_trunk_password: SecretStr | None = Field(None, description="Password of phone_trunk.")
    phone_media_url: str = Field(
        "", description="What the carrier of the media web socket calls, `https://bank.example/phone`."
    )
    phone_media_port: int = Field(
        8090, ge=1, le=65535, description="Port on which the media web socket listens for that address."
    )
    phone_media_secret: SecretStr | None = Field(
        None, description="The carrier's secret that signs its requests (auth token)."
    )
    phone_web_calls: bool = Field(
        True, description="Customers may call from the chat page, by the browser's microphone."
    )
    phone_voice: Annotated[str, AfterValidator(_voice)] = Field(
        "espeak", description="Who speaks: `espeak`, or `piper:FILE.onnx`, a voice file of Piper."
    )

    @model_validator(mode="after")
    def _lines_complete(self) -> Self:
        """A line that could only be silent does not start."""
        if "media_socket" in self.phone_lines and not (
            self.phone_media_secret and re.match(r"https?://[^/\s]+(/[^\s?#]*)?$", self.phone_media_url)
        ):
            raise ValueError("media_socket needs ZHANGGUI_PHONE_MEDIA_URL (https://...) and _MEDIA_SECRET")
        if "sip" in self.phone_lines and not self.phone_advertised and self.phone_host in ("0.0.0.0", "::"):
            raise ValueError("with that ZHANGGUI_PHONE_HOST, sip needs ZHANGGUI_PHONE_ADVERTISED")
        if self.phone_trunk and self.phone_trunk_password is None:
            raise ValueError("ZHANGGUI_PHONE_TRUNK needs ZHANGGUI_PHONE_TRUNK_PASSWORD")
        return self
