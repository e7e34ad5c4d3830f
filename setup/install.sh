#!/usr/bin/env bash
# Installs both environments, each only when its lock changed. Called by `make install`.
#
# Every failure is one clear sentence on stderr and exit code 2; what a tool printed stays in var/install.log.
set -uo pipefail
cd "$(dirname "$0")/.."

LOG=var/install.log
NLU=bot/nlu
UV="$PWD/.tools/bin/uv"
APP_PYTHON=.venv/bin/python
NLU_PYTHON=$NLU/.venv/bin/python
APP_DISK_MB=1200  # what each environment takes, unpacked and with the downloads beside it
NLU_DISK_MB=4500

fail() { echo "安装失败：$1" >&2; exit 2; }

# Runs a step, quietly on a pipe and with its progress on a terminal. $1: the sentence said when it fails.
step() {
  local sentence=$1; shift
  echo "+ $*" >>"$LOG"
  if [ -t 2 ]; then "$@" 2> >(tee -a "$LOG" >&2); else "$@" >>"$LOG" 2>&1; fi && return
  if tail -n 40 "$LOG" | grep -qiE 'no space left|os error 28'; then fail "磁盘满了，请腾出空间再运行一次。"; fi
  if tail -n 40 "$LOG" | grep -qiE 'connect|resolve|timed? ?out|dns|unreachable|network|no matching distribution'; then
    fail "连不上 Python 软件源（PyPI），请检查网络、代理或软件源设置，再运行一次（细节在 $LOG）。"
  fi
  fail "$sentence（细节在 $LOG）"
}

need_disk() {
  local free_mb
  free_mb=$(df -Pm . | awk 'NR == 2 { print $4 }')
  [ "$free_mb" -ge "$1" ] || fail "磁盘空间不够：$2 约需要 $1 MB，现在只剩 $free_mb MB，请腾出空间再运行一次。"
}

find_app_python() {
  local name
  for name in python3 python3.13 python3.12 python3.11; do
    "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11)); ' 2>/dev/null || continue
    "$name" -c 'import sys; print(sys.executable)'
    return
  done
  return 1
}

# On PATH, or through pyenv, which obeys bot/nlu/.python-version.
find_nlu_python() {
  (cd "$NLU" && python3.10 -c 'import sys; print(sys.executable)' 2>/dev/null)
}

# A stamp holds the checksum of what an environment was made from.
checksum() { cat "$@" | cksum; }
is_current() { [ -x "$1" ] && [ "$(cat "$2" 2>/dev/null)" = "$3" ]; }

install_tools() {
  [ -x "$UV" ] && return
  echo "[1/3] 安装工具 uv …"
  step "建不了工具环境：Python 缺少 venv 模块（Debian 上请装 python3-venv）。" "$1" -m venv .tools
  step "安装 uv 没有成功。" .tools/bin/pip install --quiet --disable-pip-version-check --retries 2 uv
}

install_app() {
  local made_from
  made_from=$(checksum requirements-dev.lock pyproject.toml)
  is_current "$APP_PYTHON" .venv/.made_from "$made_from" && return
  need_disk $APP_DISK_MB "应用环境"
  install_tools "$1"
  echo "[2/3] 安装应用环境（Python 3.11+，约 600 MB）…"
  step "应用环境没有建成。" "$UV" venv --allow-existing --python "$1" .venv
  step "应用环境没有装好。" "$UV" pip sync --python "$APP_PYTHON" --require-hashes requirements-dev.lock
  step "应用没有装好。" "$UV" pip install --python "$APP_PYTHON" --no-deps --editable .
  echo "$made_from" >.venv/.made_from
}

install_nlu() {
  local made_from nlu_base
  made_from=$(checksum $NLU/requirements.lock)
  is_current "$NLU_PYTHON" $NLU/.venv/.made_from "$made_from" && return
  nlu_base=$(find_nlu_python) && [ -n "$nlu_base" ] ||
    fail "没有找到 Python 3.10：请安装它（PATH 上的 python3.10，或 pyenv install 3.10），再运行一次。"
  need_disk $NLU_DISK_MB "理解服务环境"
  install_tools "$1"
  echo "[3/3] 安装理解服务环境（Python 3.10，约 2.5 GB，首次要几分钟）…"
  step "理解服务环境没有建成。" "$UV" venv --allow-existing --python "$nlu_base" $NLU/.venv
  step "理解服务环境没有装好。" "$UV" pip sync --python "$NLU_PYTHON" --require-hashes $NLU/requirements.lock
  echo "$made_from" >$NLU/.venv/.made_from
}

mkdir -p var 2>/dev/null && : >>"$LOG" || fail "写不了 var 目录：请检查磁盘空间和目录权限。"
app_base=$(find_app_python) || fail "没有找到 Python 3.11 或更新的版本：请安装它，再运行一次。"
install_app "$app_base"
install_nlu "$app_base"
