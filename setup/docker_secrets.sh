#!/usr/bin/env bash
# Makes what docker-compose.yml needs and no repository holds: passwords and keys in secrets/, and .env. What is there
# stays. Run again after a new secret was added. $1: the name customers type, bank.example.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 077
domain=${1:-localhost}

random() { head -c 32 /dev/urandom | base64 | tr -d '+/=\n'; }
keep() { [ -s "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"; }
url() { printf 'postgresql+asyncpg://zhanggui:%s@postgres:5432/%s' "$(cat secrets/postgres_password)" "$1"; }

mkdir -p secrets
keep postgres_password "$(random)"
keep zhanggui_database_url "$(url zhanggui)"
keep zhanggui_sandbox_database_url "$(url zhanggui_sandbox)"
keep zhanggui_nlu_token "$(random)"
keep zhanggui_otp_key "$(random)"
keep_keys() { # file, ring
  [ ! -s "secrets/$1" ] || return 0
  if [ -x .venv/bin/zhanggui ]; then
    .venv/bin/zhanggui keys init --ring "$2" "secrets/$1"
  else
    docker build --quiet --target app --tag zhanggui-app . >/dev/null
    docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD/secrets:/made" zhanggui-app keys init --ring "$2" "/made/$1"
  fi
}
keep_keys zhanggui_keys data
keep_keys zhanggui_voice_keys voice
[ -e .env ] || printf 'ZHANGGUI_DOMAIN=%s\nZHANGGUI_UID=%s\nZHANGGUI_GID=%s\n' "$domain" "$(id -u)" "$(id -g)" >.env
echo "secrets/ 和 .env 已就绪。请备份 secrets/zhanggui_keys：没有它，个人资料再也打不开；还有 secrets/zhanggui_voice_keys：没有它，声纹都要重新录。"
