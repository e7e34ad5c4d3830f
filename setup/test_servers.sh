#!/usr/bin/env bash
# The programs that some tests need: Chromium for the pages, PostgreSQL for the bank on its second engine,
# baresip and sipp as telephones.
#
# As root on Debian they are installed. Elsewhere the tests that need them are skipped with a reason;
# in CI (CI=true) a missing one is a failure.
set -uo pipefail

has_chromium() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null; }
has_phones() { command -v baresip >/dev/null && command -v sipp >/dev/null; }
has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }

packages=()
has_chromium || packages+=(chromium)
fc-list :lang=zh 2>/dev/null | grep -q . || packages+=(fonts-noto-cjk)
has_postgres || packages+=(postgresql postgresql-contrib)
has_phones || packages+=(baresip-core sip-tester)
[ ${#packages[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "安装测试用的程序：${packages[*]} …"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${packages[@]}"; } >/dev/null 2>&1
fi
has_chromium && has_postgres && has_phones && exit 0
if [ "${CI:-}" = true ]; then
  echo "缺少测试用的程序（${packages[*]}），装不上；在 CI 里它们是必需的。" >&2
  exit 2
fi
echo "没有装 ${packages[*]}：需要它们的测试会跳过，并说明原因。"
