# shellcheck shell=bash disable=SC2034 # variables are for servers.sh and its other parts
# Where test servers come from, sourced by servers.sh: this machine, a Docker engine, packages unpacked below the cache directory.

DEBIAN_MIRROR=http://deb.debian.org/debian
DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

from_local() {
  local binary version seen=' '
  local NAMES=() HOMES=()
  "local_$E"
  while read -r binary; do
    [ -x "$binary" ] || continue
    binary=$(readlink -f "$binary" 2>/dev/null || echo "$binary")
    case $seen in *" $binary "*) continue ;; esac
    seen+="$binary "
    version=$("accept_$E" "$binary") || continue
    serve local "$version" "$binary" && return 0
  done < <(for name in "${NAMES[@]}"; do type -aP "$name" || true; printf "%s/$name\n" "${HOMES[@]}" | sort -rV; done)
  return 1
}

from_docker() {
  have docker && timeout 20 docker info >/dev/null 2>&1 || return 1
  local name IMAGE INSIDE OPTIONS=() FLAGS=()
  "image_$E"
  name=tallyboard-test-$E${VARIANT:+-$VARIANT}-$(cksum <<<"$CACHE" | cut -d " " -f 1)
  docker image inspect "$IMAGE" >/dev/null 2>&1 || { say "$E: pulling $IMAGE"; timeout 900 docker pull -q "$IMAGE" >/dev/null || return 1; }
  docker rm -fv "$name" >/dev/null 2>&1 || true
  docker run -d --name "$name" -p "127.0.0.1::$INSIDE" "${OPTIONS[@]}" "$IMAGE" "${FLAGS[@]}" >/dev/null || return 1
  PORT=$(docker port "$name" "$INSIDE/tcp" | head -n 1)
  PORT=${PORT##*:} SOURCE=docker PID=$name VERSION=${IMAGE#*:}
  echo "$SOURCE $PID $PORT $VERSION" >"$DIR/state"
  wait_ready && return 0
  say "$E: the container of $IMAGE did not get ready:"
  docker logs --tail 5 "$name" >&2 || true
  docker rm -fv "$name" >/dev/null 2>&1 || true
  rm -f "$DIR/state"
  return 1
}

from_packages() {
  mkdir -p "$CACHE/packages"
  "packages_$E"
}

# fetch_debian DIRECTORY SUITE PACKAGE...: download packages with all they need from Debian's archive, signatures
# checked, and unpack them there; the machine's own packages and lists stay as they are.
fetch_debian() {
  local to=$1 suite=$2 mirror apt deb
  shift 2
  [ ! -e "$to/complete" ] || return 0
  if ! have apt-get || ! have dpkg; then
    say "$E: no apt-get here, so Debian's packages cannot be had"
    return 1
  fi
  [ -r "$DEBIAN_KEYRING" ] || { say "$E: $DEBIAN_KEYRING is missing (package debian-archive-keyring)"; return 1; }
  # shellcheck disable=SC2016 # apt-get fills in $(REPO_URI)
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -E '/debian/?$' | head -n 1 || true)
  say "$E: fetching $* from Debian $suite"
  rm -rf "$to"
  apt=$to/apt
  mkdir -p "$apt"/{lists/partial,cache/archives/partial} "$to/root"
  : >"$apt/status"
  echo "deb [signed-by=$DEBIAN_KEYRING] ${mirror:-$DEBIAN_MIRROR} $suite main" >"$apt/sources.list"
  # Hooks that images for containers bring would empty the machine's own cache.
  printf '#clear %s;\n' APT::Update::Post-Invoke APT::Update::Post-Invoke-Success DPkg::Post-Invoke >"$apt/conf"
  local options=(-c "$apt/conf" -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State="$apt"
    -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root
    -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o Acquire::Retries=3)
  apt-get -qq "${options[@]}" update >&2 || return 1
  apt-get -qq "${options[@]}" install -y --no-install-recommends --download-only "$@" >/dev/null || return 1
  for deb in "$apt"/cache/archives/*.deb; do
    case $deb in */perl* | */libperl* | */gcc-*-base* | */openssl-provider*) continue ;; esac
    dpkg -x "$deb" "$to/root" || return 1
  done
  rm -rf "$apt"
  touch "$to/complete"
}

# serve_debian DIRECTORY BINARY: run a server unpacked by fetch_debian with the loader and libraries it came with.
serve_debian() {
  local root=$1/root binary=$1/root/usr/sbin/$2 loader libraries version
  loader=$(find "$root" -name 'ld-linux*.so.*' \( -type f -o -type l \) | sort | tail -n 1)
  [ -n "$loader" ] || { say "$E: no loader below $root"; return 1; }
  libraries=$(find "$root" -type d \( -path '*/lib/*-linux-gnu' -o -path '*/lib/*-linux-gnueabihf' \) | tr '\n' ':')
  version=$(as "$loader" --library-path "${libraries%:}" "$binary" --no-defaults --version | grep -oE 'Ver [0-9.]+' | number) ||
    { say "$E: $binary does not run here"; return 1; }
  serve packages "$version" "$binary" "$loader" "${libraries%:}"
}
