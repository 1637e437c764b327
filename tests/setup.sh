#!/usr/bin/env bash
# Installs what demo, tests and benchmarks need: Debian packages (as root), Python packages into a venv of our own,
# cargo tools into the cache. Names what is missing and ends with 1 where it may not install. Quick when all is there.
# setup.sh [demo]: only what `make demo` needs, so that a newcomer waits for nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-all}
cache=${TRINHKY_CACHE:-$HOME/.cache/trinhky}
mkdir -p "$cache"

# command → Debian package: what the demo needs, then what only tests and benchmarks do.
declare -A wanted=([cc]=gcc [g++]=g++ [python3]=python3 [openssl]=openssl [softhsm2-util]=softhsm2)
if [ "$purpose" = all ] || [ -n "${JUDGES:-}" ]; then
  wanted+=([pdfsig]=poppler-utils [qpdf]=qpdf [mutool]=mupdf-tools [certutil]=libnss3-tools)
fi
if [ "$purpose" = all ]; then
  wanted+=([zip]=zip [clamd]=clamav-daemon [valgrind]=valgrind [javac]=default-jdk-headless [mvn]=maven [chromium]=chromium)
fi
packages=()
for command in "${!wanted[@]}"; do
  PATH=$PATH:/usr/sbin command -v "$command" >/dev/null || packages+=("${wanted[$command]}")
done
[ "$purpose" = demo ] || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || packages+=(postgresql)
# Letters for the pages in Chromium: Vietnamese, and Debian's chromium brings none.
[ "$purpose" != all ] || [ -d /usr/share/fonts/truetype/noto ] || packages+=(fonts-noto-core)
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

[ "$purpose" = all ] || exit 0

# Judges on a JVM, made again when their source changes. They are optional: what is not to be had is written down, and
# the files that they would have judged are reported as not judged.
judges=$cache/judges
stamp=$(find tests/judges/java -type f | sort | xargs cat | sha256sum | cut -d' ' -f1)
if [ "$(cat "$judges/ready" 2>/dev/null)" != "$stamp" ]; then
  echo "setup: judges on a JVM" >&2
  rm -rf "$judges"
  mkdir -p "$judges"
  if mvn -B -q -f tests/judges/java/pom.xml -Djudges.build="$judges" compile dependency:copy-dependencies >"$judges/log" 2>&1 </dev/null; then
    echo "$stamp" >"$judges/ready"
  else
    grep -m1 '^\[ERROR\]' "$judges/log" >"$judges/trouble" || echo "mvn failed: $judges/log" >"$judges/trouble"
    echo "setup: no judges on a JVM: $(cat "$judges/trouble")" >&2
  fi
fi

# Cargo tools, built once.
for tool in cargo-deny cargo-fuzz; do
  if [ ! -x "$cache/tools/bin/$tool" ]; then
    echo "setup: building $tool" >&2
    CARGO_TARGET_DIR=$cache/tools-target cargo install -q --locked --root "$cache/tools" "$tool" >&2
  fi
done
rm -rf "$cache/tools-target"
