#!/bin/sh
# Installs what is needed and not here, with apt-get, as root or through sudo; where nothing lacks it
# does nothing, and with NO_INSTALL=1 it only says what lacks.
#
#   tests/deps.sh main    what 'make' and 'make test' need
#   tests/deps.sh all     also what some tests are skipped without
#   tests/deps.sh peers   also what 'make bench-peers' compares with
#
# SPDX-License-Identifier: MIT-0
set -eu

# Debian's name of a compiler's package.
package_of()
{
    case $1 in
    cc) echo gcc ;;
    c++) echo g++ ;;
    clang++*) echo "clang${1#clang++}" ;;
    *) echo "$1" ;;
    esac
}
cc=${CC:-cc} cxx=${CXX:-c++}
cc_program=${cc%% *} cxx_program=${cxx%% *}

# Which run needs it, package, what shows that it is here.
packages="
main $(package_of "$cc_program")   program $cc_program
main $(package_of "$cxx_program")  program $cxx_program
main libc6-dev           header  stdio.h
main lua5.4              program lua5.4
main lua-argparse        module  argparse
main lua-cjson           module  cjson
main lua-filesystem      module  lfs
main lua-busted          program busted
main lua-check           program luacheck
main libcmocka-dev       header  cmocka.h
main libbenchmark-dev    header  benchmark/benchmark.h
main gnuplot-nox         program gnuplot
peers libdnnl-dev        header  dnnl.h
peers libxnnpack-dev     header  xnnpack.h
peers libpthreadpool-dev header  pthreadpool.h
peers libopenblas-dev    package libopenblas-dev
all  binutils-aarch64-linux-gnu program aarch64-linux-gnu-objdump
all  locales             package locales
all  clang-14            program clang-14
all  clang-19            program clang-19
all  libclang-rt-14-dev  package libclang-rt-14-dev
all  libclang-rt-19-dev  package libclang-rt-19-dev
all  qemu-user           program qemu-aarch64
all  gcc-aarch64-linux-gnu    program aarch64-linux-gnu-gcc
all  libc6-dev-arm64-cross    package libc6-dev-arm64-cross
all  libdnnl-dev         header  dnnl.h
all  libonnx-testdata    package libonnx-testdata
"

is_here()
{
    case $1 in
    program) command -v "$2" ;;
    module) lua5.4 -E -e "require '$2'" ;;
    header) printf '#if !__has_include(<%s>)\n#error\n#endif\n' "$2" | $cc -E - ;;
    package) dpkg-query -W -f '${Status}' "$2" | grep 'ok installed' ;;
    esac >/dev/null 2>&1
}

lacking() # what lacks for the run $1
{
    echo "$packages" | while read -r run package kind what; do
        case $run in main | "$1") is_here "$kind" "$what" || printf ' %s' "$package" ;; esac
    done
}

say() { echo "convgen: $*" >&2; }

names=$(lacking "$1")
[ "$names" ] || exit 0
if [ "${NO_INSTALL:-0}" != 0 ]; then
    say "not here, and not installed because of NO_INSTALL:$names"
    exit 0
fi

if [ "$(id -u)" = 0 ]; then
    sudo=
elif sudo -n true 2>/dev/null; then
    sudo=sudo
else
    sudo=none
fi
if [ "$sudo" = none ] || ! command -v apt-get >/dev/null; then
    say "these packages are needed and not here:$names"
    say "stopped: installing them takes apt-get, and root or sudo without a password"
    exit 1
fi

run_apt()
{
    set -- $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 "$@"
    echo "$@"
    "$@" </dev/null
}

exec 9</var/lib/dpkg # one at a time: another make may be installing the same
flock 9
names=$(lacking "$1")
[ "$names" ] || exit 0
apt-get -s install $names >/dev/null 2>&1 || run_apt update
run_apt install --no-install-recommends $names ||
    { run_apt update && run_apt install --no-install-recommends $names; } # the lists were old
names=$(lacking "$1")
[ -z "$names" ] || { say "installed, but still not found:$names"; exit 1; }
