#!/usr/bin/env bash
# Builds the pure crates for wasm32-unknown-unknown and runs the engine in node. The prebuilt toolchain has no such target,
# so Debian's compiler with its own library source is used, installed here where that is allowed. Named and skipped where
# it is not to be had.
set -euo pipefail
cd "$(dirname "$0")/.."
packages=(rustc-web cargo-web rust-web-src lld-22)
if ! dpkg -s "${packages[@]}" >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2 </dev/null || true
  fi
fi
if ! dpkg -s "${packages[@]}" >/dev/null 2>&1 || ! command -v node >/dev/null; then
  echo "skipped: no WebAssembly toolchain (apt-get install ${packages[*]} nodejs)"
  exit 0
fi

target=${CARGO_TARGET_DIR:-$PWD/target}/wasm
export CARGO_TARGET_DIR=$target RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-22
unset RUSTC_WRAPPER
build=(/usr/bin/cargo build --locked --target wasm32-unknown-unknown -Zbuild-std=std,panic_abort)
# What runs on phones and in browsers.
"${build[@]}" -p trinhky-pades -p trinhky-simpki
"${build[@]}" --manifest-path tests/wasm/Cargo.toml

scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$scratch/key.pem" -outform DER -out "$scratch/cert.der" \
  -subj "/CN=Nguyễn Văn Ân" -utf8 2>/dev/null
node tests/wasm/smoke.mjs "$target/wasm32-unknown-unknown/debug/trinhky_wasm_smoke.wasm" "$scratch/cert.der"
