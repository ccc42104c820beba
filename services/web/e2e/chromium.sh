#!/usr/bin/env bash
# chromium.sh prints the path of a Chromium that works, for the end-to-end tests: the one named by CHROMIUM, one on this
# machine, or Debian's package, installed by apt-get where that is allowed (root, or sudo without a password).
set -euo pipefail

say() { printf '[chromium] %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
works() { [ -x "$1" ] && timeout 30 "$1" --version >/dev/null 2>&1; } # Ubuntu's is a stub that asks for a snap

if [ -n "${CHROMIUM:-}" ]; then
  works "$CHROMIUM" || { say "CHROMIUM=$CHROMIUM is not a browser that runs here"; exit 1; }
  echo "$CHROMIUM"
  exit
fi

find_one() {
  local candidate
  while IFS= read -r candidate; do
    if works "$candidate"; then
      echo "$candidate"
      return
    fi
  done < <(
    for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do type -aP "$name" || true; done
    find "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}" -path '*chrome-linux*/chrome' -type f 2>/dev/null | sort -r || true
    echo "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    echo "/Applications/Chromium.app/Contents/MacOS/Chromium"
  )
  return 1
}

find_one && exit

privileged=()
if [ "$(id -u)" != 0 ]; then
  if have sudo && sudo -n true 2>/dev/null; then
    privileged=(sudo -n env)
  else
    say "there is no Chromium here: install it (Debian: apt-get install chromium) or name one in CHROMIUM"
    exit 1
  fi
fi
have apt-get || { say "there is no Chromium here and no apt-get to install it: name one in CHROMIUM"; exit 1; }
say "installing Debian's chromium"
export DEBIAN_FRONTEND=noninteractive
install() { "${privileged[@]}" apt-get install -y -qq --no-install-recommends chromium fonts-liberation </dev/null >&2; }
install 2>/dev/null || { "${privileged[@]}" apt-get update -qq </dev/null >&2; install; } || { say "apt-get could not install chromium"; exit 1; }
find_one || { say "the chromium just installed does not run"; exit 1; }
