"""Same-origin proof, headers, addresses, static files and the developer-only page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from banking_core.clock import ManualClock
from bot.channels.web import Rate, WebLimits
from bot.channels.web.limits import Gate
from bot.surfaces.origin import Trust
from bot.surfaces.rates import TokenBuckets

STATIC = Path(__file__).parents[4] / "bot" / "channels" / "web" / "static"
POSTS = ["/api/session", "/api/login", "/api/login/resend", "/api/login/verify", "/api/logout"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_a_post_from_another_site_is_refused(site, path, headers):
    status, answer = await site.visitor().post(path, {}, **headers)

    assert (status, answer["error"]["code"]) == (403, "cross_site")


@pytest.mark.parametrize("path", POSTS)
async def test_a_post_that_proves_no_origin_is_refused(site, path):
    async with site.visitor().http.post(path, json={}) as answer:
        assert answer.status == 403


async def test_a_form_post_is_refused(site):
    visitor = site.visitor()
    await visitor.arrive()
    async with visitor.http.post(
        "/api/login", data={"phone": "1"}, headers={"Origin": visitor.origin}
    ) as answer:
        assert answer.status == 400


async def test_a_further_origin_can_be_allowed(open_site):
    async with open_site(trust=Trust(origins=frozenset({"https://bank.example"}))) as site:
        status, _ = await site.visitor().post("/api/session", Origin="https://bank.example")

    assert status == 200


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/static/none", "/api/me", "/dev/sms"])
async def test_every_answer_carries_the_security_headers(site, path):
    async with site.visitor().http.get(path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_a_strange_host_name_cannot_reach_into_the_policy(site):
    async with site.visitor().http.get("/", headers={"Host": "x; script-src *"}) as answer:
        assert "*" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "app.py", ".", "none.js"])
async def test_only_the_pages_own_files_are_served(site, name):
    async with site.visitor().http.get(f"/static/{name}") as answer:
        assert answer.status == 404


async def test_a_file_the_browser_already_has_is_not_sent_again(site):
    visitor = site.visitor()
    async with visitor.http.get("/static/app.js") as first:
        assert first.content_type == "text/javascript"
        tag = first.headers["ETag"]
    async with visitor.http.get("/static/app.js", headers={"If-None-Match": tag}) as second:
        assert second.status == 304


def test_the_scripts_never_parse_text_as_markup_nor_run_text_as_code():
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
    for script in STATIC.glob("*.js"):
        assert not re.search(forbidden, script.read_text()), script.name


def test_the_page_has_no_inline_script_or_style_and_no_outside_resource():
    page = (STATIC / "index.html").read_text()

    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    for file in STATIC.iterdir():
        outside = set(re.findall(r"https?://[^\s\"')]+", file.read_text())) - {"http://www.w3.org/2000/svg"}
        assert outside == set(), file.name


async def test_every_file_the_page_names_exists(site):
    visitor = site.visitor()
    named = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', (STATIC / "index.html").read_text()))
    for script in STATIC.glob("*.js"):
        named |= {f"/static/{name}" for name in re.findall(r'from "\./([^"]+)"', script.read_text())}
    assert len(named) > 10
    for path in named:
        async with visitor.http.get(path) as answer:
            assert answer.status == 200, path


async def test_the_sms_page_shows_the_newest_first_and_escapes_what_it_shows(open_site):
    async with open_site(developer_pages=True) as site:
        visitor = site.visitor()
        await visitor.arrive()
        await visitor.log_in()
        site.clock.advance(seconds=60)
        await site.bank.providers.sms.send(key="k", phone="13800000001", text="<script>x</script>")
        async with visitor.http.get("/dev/sms") as answer:
            assert answer.status == 200
            page = await answer.text()

    assert "<script>" not in page
    assert page.index("&lt;script&gt;") < page.index("验证码246810")
    assert 'http-equiv="refresh"' in page


async def test_the_sms_page_does_not_exist_unless_switched_on(site):
    async with site.visitor().http.get("/dev/sms") as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=1.2.3.4"}]
)
async def test_the_sms_page_is_for_this_machine_only(open_site, headers):
    async with (
        open_site(developer_pages=True) as site,
        site.visitor().http.get("/dev/sms", headers=headers) as answer,
    ):
        assert answer.status == 404


async def test_a_forwarded_address_counts_only_from_a_trusted_proxy(open_site):
    limits = WebLimits(sessions_address=Rate(1, 0.001))
    async with open_site(limits=limits) as site:
        untrusted = [
            (await site.visitor().post("/api/session", **{"X-Forwarded-For": f"9.9.9.{n}"}))[0]
            for n in range(2)
        ]
    async with open_site(limits=limits, trust=Trust(proxies=frozenset({"127.0.0.1"}))) as site:
        trusted = [
            (await site.visitor().post("/api/session", **{"X-Forwarded-For": f"9.9.9.{n}"}))[0]
            for n in range(2)
        ]

    assert untrusted == [200, 429]
    assert trusted == [200, 200]


def test_a_bucket_gives_its_burst_then_its_rate(clock: ManualClock):
    gate = Gate(clock, Rate(3, 0.5), Rate(100, 1.0))

    burst = [gate.attempt("s", "a") for _ in range(4)]
    clock.advance(seconds=2)

    assert burst[:3] == [0, 0, 0]
    assert burst[3] == pytest.approx(2.0)
    assert gate.attempt("s", "a") == 0
    assert gate.attempt("s", "a") > 0


def test_a_refused_attempt_costs_nothing(clock: ManualClock):
    gate = Gate(clock, Rate(100, 1.0), Rate(1, 0.1))
    gate.attempt("s", "a")

    waits = [gate.attempt("s", "a") for _ in range(200)]
    clock.advance(seconds=10)

    assert all(waits)
    assert gate.attempt("s", "a") == 0


def test_buckets_forget_the_longest_unseen_key_first(clock: ManualClock):
    buckets = TokenBuckets(clock, Rate(1, 0.001), keys_max=2)

    for key in ("a", "b", "c"):
        buckets.take(key)

    assert buckets.wait_s("a") == 0
    assert buckets.wait_s("b") > 0
    assert buckets.wait_s("c") > 0
