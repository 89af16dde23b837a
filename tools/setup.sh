#!/bin/sh
# Installs the system packages that building and testing need, if they are missing. Debian and Ubuntu.
set -eu

missing=""
need() { missing="$missing $*"; }

has() { command -v "$1" >/dev/null 2>&1; }

has cargo || { echo "Rust is missing: install it from https://rustup.rs and run this again" >&2; exit 1; }
has cc || need build-essential
has pkg-config || need pkg-config
{ has pkg-config && pkg-config --exists gdal; } || need libgdal-dev pkg-config
has cmake || need cmake
# The solver's bindings are generated with libclang; libclang-cpp, which graphics drivers bring along, is another library.
# A pattern without a match stays as it is, so that no file of that name exists.
has_libclang() {
    for file in /usr/lib/llvm-*/lib/libclang.so* /usr/lib/llvm-*/lib/libclang-[0-9]*.so* \
        /usr/lib/*/libclang.so* /usr/lib/*/libclang-[0-9]*.so*; do
        [ -e "$file" ] && return 0
    done
    return 1
}
has_libclang || need libclang-dev
has node || need nodejs
has npm || need npm
has python3 || need python3
{ has python3 && python3 -c 'import ensurepip, venv' >/dev/null 2>&1; } || need python3-venv
# The map page is tested in a real browser, with Chinese labels.
has chromium || has chromium-browser || has google-chrome || need chromium
{ has fc-list && fc-list ':lang=zh' | grep -q .; } || need fonts-noto-cjk fontconfig

[ -z "$missing" ] && exit 0
echo "installing:$missing"
if ! has apt-get; then
    echo "this system has no apt-get; install the packages named above with its own package manager, then run this again" >&2
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif has sudo && sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    echo "these packages are missing and only root may install them; run:" >&2
    echo "  sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
