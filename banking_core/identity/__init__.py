"""Proofs of identity: passwords, one-time codes, and the log of their use."""

from __future__ import annotations

from dataclasses import dataclass

from banking_core.clock import Clock
from banking_core.configuration import Terms
from banking_core.customers.service import Customers
from banking_core.identity.devices import Devices
from banking_core.identity.errors import (
    DeviceNameInvalid,
    DeviceUnknown,
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
from banking_core.identity.models import BankSession, Device, SecurityEvent
from banking_core.identity.notices import SecurityNotices
from banking_core.identity.origin import NOWHERE, Origin
from banking_core.identity.otp import OneTimeCodes, OtpOutcome, OtpSent
from banking_core.identity.passwords import PasswordOutcome, Passwords
from banking_core.identity.purposes import LOGIN, CodePurpose
from banking_core.identity.sessions import LoginView, Sessions
from banking_core.identity.totp import TotpCodes, TotpEnrolment, TotpOutcome, TotpStatus
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
    "LoginView",
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
    log: SecurityLog

    @classmethod
    def build(
        cls, settings: BankSettings, clock: Clock, terms: Terms, customers: Customers, sms: SmsGateway
    ) -> Identity:
        """Wires the services; raises UnknownTerm when a term they need is missing."""
        security_log = SecurityLog(clock)
        fingerprints = Fingerprints(settings.otp_key)
        sessions = Sessions(clock=clock, terms=terms, settings=settings, security_log=security_log)
        devices = Devices(
            clock=clock,
            terms=terms,
            customers=customers,
            sessions=sessions,
            security_log=security_log,
            fingerprints=fingerprints,
        )
        return cls(
            passwords=Passwords(
                clock=clock,
                terms=terms,
                customers=customers,
                security_log=security_log,
                fingerprints=fingerprints,
                notices=SecurityNotices(sms, terms.text(HOTLINE_TERM)),
                hashes=PasswordHashes.of_settings(settings),
                sessions=sessions,
                devices=devices,
            ),
            otp=OneTimeCodes(
                fingerprints=fingerprints,
                clock=clock,
                terms=terms,
                customers=customers,
                sms=sms,
                security_log=security_log,
            ),
            totp=TotpCodes(
                clock=clock,
                terms=terms,
                customers=customers,
                security_log=security_log,
                fingerprints=fingerprints,
            ),
            sessions=sessions,
            devices=devices,
            log=security_log,
        )
