#!/usr/bin/env bash
# Installs what demo, tests and benchmarks need: Debian packages (as root), Python packages into a venv of our own,
# cargo tools into the cache. Names what is missing and ends with 1 where it may not install. Quick when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${TRINHKY_CACHE:-$HOME/.cache/trinhky}
mkdir -p "$cache"

# command → Debian package
declare -A wanted=(
  [cc]=gcc [g++]=g++ [python3]=python3 [openssl]=openssl [zip]=zip
  [softhsm2-util]=softhsm2 [pdfsig]=poppler-utils [qpdf]=qpdf [mutool]=mupdf-tools
  [certutil]=libnss3-tools [clamd]=clamav-daemon
)
packages=()
for command in "${!wanted[@]}"; do
  PATH=$PATH:/usr/sbin command -v "$command" >/dev/null || packages+=("${wanted[$command]}")
done
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || packages+=(postgresql)
python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
if [ ${#packages[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "setup: installing ${packages[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2 </dev/null
  else
    echo "setup: missing: ${packages[*]}. Install them (apt-get install ${packages[*]}) and try again." >&2
    exit 1
  fi
fi
command -v cargo >/dev/null || { echo "setup: missing: Rust (rustup, stable, at least $(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml))" >&2; exit 1; }

# Python: one venv, made again when a requirements file changes.
stamp=$(cat tests/*/requirements.txt | sha256sum | cut -d' ' -f1)
if [ "$(cat "$cache/venv/.stamp" 2>/dev/null)" != "$stamp" ]; then
  echo "setup: Python packages" >&2
  rm -rf "$cache/venv"
  python3 -m venv "$cache/venv"
  requirements=()
  for file in tests/*/requirements.txt; do requirements+=(-r "$file"); done
  "$cache/venv/bin/pip" install -q --disable-pip-version-check "${requirements[@]}" >&2
  echo "$stamp" >"$cache/venv/.stamp"
fi

# Cargo tools, built once.
for tool in cargo-deny cargo-fuzz; do
  if [ ! -x "$cache/tools/bin/$tool" ]; then
    echo "setup: building $tool" >&2
    CARGO_TARGET_DIR=$cache/tools-target cargo install -q --locked --root "$cache/tools" "$tool" >&2
  fi
done
rm -rf "$cache/tools-target"
