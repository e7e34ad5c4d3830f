"""Proofs of identity: passwords, one-time codes, and the log of their use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from banking_core.clock import Clock
from banking_core.configuration import Terms
from banking_core.customers.service import Customers
from banking_core.identity.devices import Devices
from banking_core.identity.errors import (
    DeviceNameInvalid,
    DeviceUnknown,
    LoginStale,
    OtpTooMany,
    OtpUnknown,
    PasswordSame,
    PasswordTooWeak,
    SessionUnknown,
    TotpUnknown,
)
from banking_core.identity.hashing import PasswordHashes
from banking_core.identity.keys import Fingerprints
from banking_core.identity.log import SecurityLog
from banking_core.identity.logins import LoginNeeds, LoginRefusal, LoginResult, Logins
from banking_core.identity.models import BankSession, Device, SecurityEvent
from banking_core.identity.notices import SecurityNotices
from banking_core.identity.origin import NOWHERE, Origin
from banking_core.identity.otp import OneTimeCodes, OtpOutcome, OtpSent
from banking_core.identity.passwords import PasswordOutcome, Passwords
from banking_core.identity.purposes import LOGIN, CodePurpose
from banking_core.identity.sessions import LoginDone, LoginView, Sessions
from banking_core.identity.totp import TotpCodes, TotpEnrolment, TotpOutcome, TotpStatus
from banking_core.notices import Notices
from banking_core.providers.protocols import SmsGateway
from banking_core.settings import BankSettings

__all__ = [
    "LOGIN",
    "NOWHERE",
    "BankSession",
    "CodePurpose",
    "Device",
    "DeviceNameInvalid",
    "DeviceUnknown",
    "Devices",
    "Identity",
    "LoginDone",
    "LoginNeeds",
    "LoginRefusal",
    "LoginResult",
    "LoginStale",
    "LoginView",
    "Logins",
    "OneTimeCodes",
    "Origin",
    "OtpOutcome",
    "OtpSent",
    "OtpTooMany",
    "OtpUnknown",
    "PasswordHashes",
    "PasswordOutcome",
    "PasswordSame",
    "PasswordTooWeak",
    "Passwords",
    "SecurityEvent",
    "SecurityLog",
    "SessionUnknown",
    "Sessions",
    "TotpCodes",
    "TotpEnrolment",
    "TotpOutcome",
    "TotpStatus",
    "TotpUnknown",
]

HOTLINE_TERM = "service.hotline"


@dataclass(frozen=True)
class Identity:
    """The identity services."""

    passwords: Passwords
    otp: OneTimeCodes
    totp: TotpCodes
    sessions: Sessions
    devices: Devices
    logins: Logins
    log: SecurityLog

    @classmethod
    def build(
        cls,
        settings: BankSettings,
        clock: Clock,
        terms: Terms,
        customers: Customers,
        sms: SmsGateway,
        notices: Notices,
    ) -> Identity:
        """Wires the services; raises UnknownTerm, TermsError when a term they need is missing or senseless."""
        security_log = SecurityLog(clock)
        fingerprints = Fingerprints(settings.otp_key)
        shared: dict[str, Any] = {"clock": clock, "customers": customers, "security_log": security_log}
        counting: dict[str, Any] = shared | {"terms": terms, "fingerprints": fingerprints}
        sessions = Sessions(clock=clock, terms=terms, settings=settings, security_log=security_log)
        devices = Devices(**counting, sessions=sessions)
        passwords = Passwords(
            **counting,
            notices=SecurityNotices(notices, terms.text(HOTLINE_TERM)),
            hashes=PasswordHashes.of_settings(settings),
            sessions=sessions,
            devices=devices,
        )
        otp, totp = OneTimeCodes(**counting, sms=sms), TotpCodes(**counting)
        return cls(
            passwords=passwords,
            otp=otp,
            totp=totp,
            sessions=sessions,
            devices=devices,
            logins=Logins(**shared, passwords=passwords, otp=otp, totp=totp, devices=devices),
            log=security_log,
        )
