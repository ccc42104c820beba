#!/usr/bin/env bash
# promtool.sh ARGUMENT... runs promtool in deploy/prometheus, wherever it comes from: this machine, the image of
# Prometheus that compose.yaml names, or Debian's package unpacked below the cache directory. It has no Go module of a size
# that could be pinned beside the other tools. PROMTOOL_FROM narrows the choice, for example PROMTOOL_FROM=package.
#
#   cd deploy/prometheus && promtool.sh test rules tests/*.yaml
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cd "$root/deploy/prometheus"
PROMTOOL_FROM=${PROMTOOL_FROM:-local docker package}
DEBIAN_SUITE=${PROMTOOL_SUITE:-bookworm} DEBIAN_MIRROR=http://deb.debian.org/debian
DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
image=$(sed -nE 's,^ +image: (prom/prometheus:.*)$,\1,p' "$root/compose.yaml" | head -n 1)
cache=${TALLYBOARD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tallyboard}/packages/prometheus-$DEBIAN_SUITE
have() { command -v "$1" >/dev/null 2>&1; }
may() { case " $PROMTOOL_FROM " in *" $1 "*) ;; *) return 1 ;; esac; }

# fetch unpacks Debian's package, whose signature apt checks; nothing is installed.
fetch() {
  local mirror apt options
  have apt-get && have dpkg || return 1
  [ -r "$DEBIAN_KEYRING" ] || { echo "[promtool] $DEBIAN_KEYRING is missing: install the package debian-archive-keyring (Ubuntu has it, too)" >&2; return 1; }
  # shellcheck disable=SC2016 # apt-get fills in $(REPO_URI)
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -E '/debian/?$' | head -n 1 || true)
  echo "[promtool] fetching prometheus from Debian $DEBIAN_SUITE" >&2
  rm -rf "$cache"
  apt=$cache/apt
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$cache/root"
  : >"$apt/status"
  echo "deb [signed-by=$DEBIAN_KEYRING] ${mirror:-$DEBIAN_MIRROR} $DEBIAN_SUITE main" >"$apt/sources.list"
  options=(-o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State="$apt" -o Dir::State::Lists="$apt/lists"
    -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3)
  apt-get -qq "${options[@]}" update >&2 || return 1
  (cd "$apt" && apt-get -qq "${options[@]}" download prometheus >&2) || return 1
  dpkg -x "$apt"/prometheus_*.deb "$cache/root" || return 1
  rm -rf "$apt"
  touch "$cache/complete"
}

if may local && have promtool; then
  exec promtool "$@"
elif may docker && have docker && { docker image inspect "$image" || docker pull -q "$image"; } >/dev/null 2>&1; then
  exec docker run --rm --network none --volume "$PWD:/prometheus-rules:ro" --workdir /prometheus-rules --entrypoint promtool "$image" "$@"
elif may package && { [ -e "$cache/complete" ] || fetch; }; then
  exec "$cache/root/usr/bin/promtool" "$@"
fi
echo "promtool is missing: install Prometheus, start Docker, or use Debian, or Ubuntu with the package debian-archive-keyring" >&2
exit 1
