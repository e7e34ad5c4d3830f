"""The outside parties: ports, and the sandbox that stands in for them until a real one is registered.

A real provider is one class and one `register_provider("sms", "carrier_x", CarrierX.from_settings)` call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from banking_core.checked import checked_function
from banking_core.clock import Clock
from banking_core.providers.errors import ProviderKeyConflict, UnknownProvider
from banking_core.providers.protocols import (
    BILLERS,
    Biller,
    BillingProvider,
    InterbankClearing,
    InterbankPayment,
    ProviderBill,
    ProviderResult,
    RealNameAnswer,
    RealNameRegister,
    SmsGateway,
    TopupProvider,
)
from banking_core.providers.sandbox.billing import BillingSandbox
from banking_core.providers.sandbox.clearing import ClearingSandbox
from banking_core.providers.sandbox.realname import RealNameSandbox
from banking_core.providers.sandbox.sms import SentSms, SmsSandbox
from banking_core.providers.sandbox.store import SandboxStore
from banking_core.providers.sandbox.topup import TopupSandbox
from banking_core.settings import BankSettings

__all__ = [
    "BILLERS",
    "Biller",
    "BillingProvider",
    "BillingSandbox",
    "ClearingSandbox",
    "InterbankClearing",
    "InterbankPayment",
    "ProviderBill",
    "ProviderKeyConflict",
    "ProviderResult",
    "Providers",
    "RealNameAnswer",
    "RealNameRegister",
    "RealNameSandbox",
    "SentSms",
    "SmsGateway",
    "SmsSandbox",
    "TopupProvider",
    "TopupSandbox",
    "UnknownProvider",
    "build_providers",
    "register_provider",
]

SANDBOX_PARTIES = (SmsSandbox, BillingSandbox, TopupSandbox, ClearingSandbox, RealNameSandbox)
Port = Literal["sms", "billing", "topup", "clearing", "realname"]
Factory = Callable[
    [BankSettings, Clock, SandboxStore], Any
]  # returns an implementation of the port's protocol
_factories: dict[tuple[Port, str], Factory] = {
    ("sms", "sandbox"): lambda settings, clock, store: SmsSandbox(store),
    ("billing", "sandbox"): lambda settings, clock, store: BillingSandbox(store),
    ("topup", "sandbox"): lambda settings, clock, store: TopupSandbox(store),
    ("clearing", "sandbox"): lambda settings, clock, store: ClearingSandbox(store),
    ("realname", "sandbox"): lambda settings, clock, store: RealNameSandbox(store),
}


@checked_function
def register_provider(port: Port, name: str, factory: Factory) -> None:
    """Makes a provider selectable by name in the settings."""
    _factories[(port, name)] = factory


@dataclass(frozen=True)
class Providers:
    """The providers in use. `store` is the sandbox parties' database; it is only opened when one is used."""

    sms: SmsGateway
    billing: BillingProvider
    topup: TopupProvider
    clearing: InterbankClearing
    realname: RealNameRegister
    store: SandboxStore

    @property
    def sandbox_sms(self) -> SmsSandbox | None:
        """The SMS sandbox when it is in use: the developers' page reads it."""
        return self.sms if isinstance(self.sms, SmsSandbox) else None

    @property
    def sandbox_billing(self) -> BillingSandbox | None:
        """The billing sandbox when it is in use: the demo issues bills with it."""
        return self.billing if isinstance(self.billing, BillingSandbox) else None

    async def start(self) -> None:
        """Opens the sandbox store if a sandbox party is in use; safe to call again."""
        parties = (self.sms, self.billing, self.topup, self.clearing, self.realname)
        if any(isinstance(party, SANDBOX_PARTIES) for party in parties):
            await self.store.start()

    async def close(self) -> None:
        """Closes the sandbox store."""
        await self.store.close()


@checked_function
def build_providers(settings: BankSettings, clock: Clock) -> Providers:
    """The providers the settings name; raises UnknownProvider."""
    store = SandboxStore(settings.sandbox_database_url, clock)

    def make(port: Port, name: str) -> Any:
        factory = _factories.get((port, name))
        if factory is None:
            known = ", ".join(sorted(n for p, n in _factories if p == port))
            raise UnknownProvider(f"no {port} provider {name!r}; known: {known}")
        return factory(settings, clock, store)

    return Providers(
        sms=make("sms", settings.sms_provider),
        billing=make("billing", settings.billing_provider),
        topup=make("topup", settings.topup_provider),
        clearing=make("clearing", settings.clearing_provider),
        realname=make("realname", settings.realname_provider),
        store=store,
    )
