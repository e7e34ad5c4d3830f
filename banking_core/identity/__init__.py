"""Proofs of identity: passwords, one-time codes, and the log of their use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from banking_core.checked import checked
from banking_core.clock import Clock
from banking_core.configuration import Terms
from banking_core.customers.service import Customers
from banking_core.identity.callbacks import Callbacks
from banking_core.identity.devices import Devices
from banking_core.identity.errors import (
    DeviceNameInvalid,
    DeviceUnknown,
    LoginStale,
    OtpTooMany,
    OtpUnknown,
    PasswordSame,
    PasswordTooWeak,
    RecoveryPaused,
    RecoveryPhoneInvalid,
    RecoveryStale,
    SessionUnknown,
    TotpUnknown,
)
from banking_core.identity.hashing import PasswordHashes
from banking_core.identity.keys import Fingerprints
from banking_core.identity.log import SecurityLog
from banking_core.identity.login_risk import LoginRisk, LoginSubject, LoginVerdict
from banking_core.identity.logins import (
    LoginNeeds,
    LoginRefusal,
    LoginResult,
    Logins,
    proved_password,
    proved_possession,
    voice_only,
)
from banking_core.identity.models import BankSession, Device, SecurityEvent
from banking_core.identity.notices import SecurityNotices
from banking_core.identity.origin import NOWHERE, Origin
from banking_core.identity.otp import OneTimeCodes, OtpOutcome, OtpSent
from banking_core.identity.passwords import PasswordOutcome, Passwords
from banking_core.identity.purposes import LOGIN, CodePurpose
from banking_core.identity.recovery import Papers, Recoveries, RecoveryOutcome, RecoverySent
from banking_core.identity.sessions import LoginDone, LoginView, Sessions
from banking_core.identity.takeovers import Takeovers
from banking_core.identity.totp import TotpCodes, TotpEnrolment, TotpOutcome, TotpStatus
from banking_core.notices import Notices
from banking_core.providers import Providers
from banking_core.restrictions import Restrictions
from banking_core.settings import BankSettings

__all__ = [
    "LOGIN",
    "NOWHERE",
    "BankSession",
    "Callbacks",
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
    "LoginRisk",
    "LoginStale",
    "LoginSubject",
    "LoginVerdict",
    "LoginView",
    "Logins",
    "OneTimeCodes",
    "Origin",
    "OtpOutcome",
    "OtpSent",
    "OtpTooMany",
    "OtpUnknown",
    "Papers",
    "PasswordHashes",
    "PasswordOutcome",
    "PasswordSame",
    "PasswordTooWeak",
    "Passwords",
    "Recoveries",
    "RecoveryOutcome",
    "RecoveryPaused",
    "RecoveryPhoneInvalid",
    "RecoverySent",
    "RecoveryStale",
    "SecurityEvent",
    "SecurityLog",
    "SessionUnknown",
    "Sessions",
    "Takeovers",
    "TotpCodes",
    "TotpEnrolment",
    "TotpOutcome",
    "TotpStatus",
    "TotpUnknown",
    "proved_password",
    "proved_possession",
    "voice_only",
]

HOTLINE_TERM = "service.hotline"


@checked
@dataclass(frozen=True)
class Identity:
    """The identity services."""

    passwords: Passwords
    otp: OneTimeCodes
    totp: TotpCodes
    sessions: Sessions
    devices: Devices
    logins: Logins
    recoveries: Recoveries
    takeovers: Takeovers
    log: SecurityLog

    @classmethod
    def build(
        cls,
        settings: BankSettings,
        clock: Clock,
        terms: Terms,
        customers: Customers,
        providers: Providers,
        notices: Notices,
        restrictions: Restrictions,
    ) -> Identity:
        """Wires the services; raises UnknownTerm, TermsError when a term they need is missing or senseless."""
        security_log = SecurityLog(clock)
        fingerprints = Fingerprints(settings.otp_key)
        shared: dict[str, Any] = {"clock": clock, "customers": customers, "security_log": security_log}
        counting: dict[str, Any] = shared | {"terms": terms, "fingerprints": fingerprints}
        sessions = Sessions(clock=clock, terms=terms, settings=settings, security_log=security_log)
        devices = Devices(**counting, sessions=sessions)
        told = SecurityNotices(notices, terms.text(HOTLINE_TERM))
        telling: dict[str, Any] = {"restrictions": restrictions, "notices": told}
        passwords = Passwords(
            **counting,
            notices=told,
            hashes=PasswordHashes.of_settings(settings),
            sessions=sessions,
            devices=devices,
        )
        otp, totp = OneTimeCodes(**counting, sms=providers.sms), TotpCodes(**counting)
        return cls(
            passwords=passwords,
            otp=otp,
            totp=totp,
            sessions=sessions,
            devices=devices,
            logins=Logins(**counting, **telling, passwords=passwords, otp=otp, totp=totp, devices=devices),
            recoveries=Recoveries(
                **counting, **telling, passwords=passwords, otp=otp, register=providers.realname
            ),
            takeovers=Takeovers(**shared, **telling, sessions=sessions, devices=devices, otp=otp),
            log=security_log,
        )
