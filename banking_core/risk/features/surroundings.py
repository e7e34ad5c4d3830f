"""Device and place."""

from __future__ import annotations

from banking_core.risk.features.feature import Feature, flag
from banking_core.risk.features.moment import NEVER_DAYS, Moment
from banking_core.risk.profile import Seen

WEEK_DAYS = 7.0


def _age(m: Moment, seen: Seen | None) -> float:
    return m.days_since(seen[0]) if seen else 0.0


def _idle(m: Moment, seen: Seen | None) -> float:
    return m.days_since(seen[1]) if seen else NEVER_DAYS


def _uses(seen: Seen | None) -> float:
    return seen[2] if seen else 0.0


def _newest_days(m: Moment, all_seen: dict[str, Seen]) -> float:
    return m.days_since(max((seen[0] for seen in all_seen.values()), default=0.0))


def _changed(known: str, now: str) -> bool:
    return bool(known and now and known != now)


def _device_new(m: Moment) -> bool:
    return _new(m.surroundings.device, m.device, m.profile.devices)


def _network_new(m: Moment) -> bool:
    return _new(m.surroundings.network, m.network, m.profile.networks)


def _new(now: str, seen: Seen | None, all_seen: dict[str, Seen]) -> bool:
    """Never seen while others are known: of whoever was seen nowhere yet, the first place says nothing."""
    return bool(now and all_seen) and seen is None


FEATURES = (
    flag("device_missing", "device", "不知道是什么设备", lambda m: not m.surroundings.device),
    flag("device_known", "device", "以前用过这个设备", lambda m: m.device is not None),
    flag("device_new", "device", "第一次用这个设备（以前用过别的）", _device_new),
    flag(
        "device_young",
        "device",
        "这个设备用了不到7天",
        lambda m: m.device is not None and _age(m, m.device) < WEEK_DAYS,
    ),
    flag("device_bound", "device", "设备已绑定", lambda m: m.surroundings.device_bound),
    flag(
        "device_changed",
        "device",
        "和上次的设备不同",
        lambda m: _changed(m.profile.last_device, m.surroundings.device),
    ),
    flag("device_mobile", "device", "是手机", lambda m: m.surroundings.mobile),
    Feature("device_age_days", "device", "days", "第一次用这个设备至今", lambda m: _age(m, m.device)),
    Feature("device_idle_days", "device", "days", "上次用这个设备至今", lambda m: _idle(m, m.device)),
    Feature("device_uses", "device", "count", "用这个设备的次数", lambda m: _uses(m.device)),
    Feature("devices_count", "device", "count", "用过的设备数", lambda m: len(m.profile.devices)),
    Feature(
        "devices_newest_days",
        "device",
        "days",
        "最近一次换新设备至今",
        lambda m: _newest_days(m, m.profile.devices),
    ),
    Feature(
        "device_customers_30d",
        "device",
        "count",
        "30天内用同一设备的其他客户数",
        lambda m: m.surroundings.device_customers_30d,
    ),
    flag(
        "device_shared_new",
        "device",
        "新设备，且其他客户也用过",
        lambda m: _device_new(m) and m.surroundings.device_customers_30d > 0,
    ),
    flag(
        "device_new_and_large",
        "device",
        "新设备上金额高于本人95%的付款",
        lambda m: _device_new(m) and m.habit.count >= 5 and m.amount > m.quantiles[5],
    ),
    flag("network_missing", "place", "不知道网络地址", lambda m: not m.surroundings.network),
    flag("network_known", "place", "以前来自这个网段", lambda m: m.network is not None),
    flag("network_new", "place", "第一次来自这个网段（以前来自别处）", _network_new),
    flag(
        "network_changed",
        "place",
        "和上次的网段不同",
        lambda m: _changed(m.profile.last_network, m.surroundings.network),
    ),
    Feature("network_age_days", "place", "days", "第一次来自这个网段至今", lambda m: _age(m, m.network)),
    Feature("network_idle_days", "place", "days", "上次来自这个网段至今", lambda m: _idle(m, m.network)),
    Feature("network_uses", "place", "count", "来自这个网段的次数", lambda m: _uses(m.network)),
    Feature("networks_count", "place", "count", "来过的网段数", lambda m: len(m.profile.networks)),
    Feature(
        "network_customers_1d",
        "place",
        "count",
        "24小时内同一网段的其他客户数",
        lambda m: m.surroundings.network_customers_1d,
    ),
    flag("place_missing", "place", "不知道在哪个城市", lambda m: not m.surroundings.place),
    flag("place_known", "place", "以前在这个城市", lambda m: m.place is not None),
    flag(
        "place_new",
        "place",
        "第一次在这个城市（以前在别处）",
        lambda m: _new(m.surroundings.place, m.place, m.profile.places),
    ),
    flag(
        "place_changed",
        "place",
        "和上次的城市不同",
        lambda m: _changed(m.profile.last_place, m.surroundings.place),
    ),
    flag(
        "place_jump",
        "place",
        "两小时内换了城市",
        lambda m: (
            _changed(m.profile.last_place, m.surroundings.place) and m.hours_since(m.profile.last_seen_s) < 2
        ),
    ),
    Feature("place_uses", "place", "count", "在这个城市的次数", lambda m: _uses(m.place)),
    Feature("places_count", "place", "count", "到过的城市数", lambda m: len(m.profile.places)),
    flag("is_abroad", "place", "在境外", lambda m: m.surroundings.abroad),
    flag("is_proxy", "place", "经代理或机房出口", lambda m: m.surroundings.proxy),
    flag(
        "all_new",
        "place",
        "设备、网段都是新的",
        lambda m: _device_new(m) and _network_new(m),
    ),
    flag(
        "new_surroundings_and_payee",
        "place",
        "设备或网段是新的，收款人也是第一次",
        lambda m: bool(m.payee_key) and m.paid_count_to_payee == 0 and (_device_new(m) or _network_new(m)),
    ),
)
