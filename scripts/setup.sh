#!/usr/bin/env bash
# Installs what is missing on a bare Debian or Ubuntu, and says where LibTorch is.
#   scripts/setup.sh            LibTorch from the distribution (libtorch-dev)
#   MTL_TORCH=pip scripts/setup.sh   LibTorch from PyPI's torch, in a virtual environment under build/
# Prints nothing but the LibTorch folder on standard output: empty for the distribution's.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

packages=(g++ cmake ninja-build pkg-config ccache python3 python3-venv libeigen3-dev libfmt-dev nlohmann-json3-dev libcli11-dev
          catch2 libbenchmark-dev libgloo-dev libjpeg-dev libpng-dev zlib1g-dev gnuplot-nox fontconfig fonts-noto-cjk)
torch=${MTL_TORCH:-system}
case $torch in
  # With OpenBLAS's pthread build two threads are six times slower than one: it and torch's OpenMP fight for the cores.
  system) packages+=(libtorch-dev libopenblas0-openmp) ;;
  pip) packages+=(libgomp1) ;;
  *) echo "MTL_TORCH is '$torch'; it can be 'system' or 'pip'" >&2; exit 2 ;;
esac

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing: ${missing[*]}" >&2
  sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq >&2
  if ! "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2; then
    echo "apt-get could not install: ${missing[*]}" >&2
    [ "$torch" = system ] && echo "Where the distribution has no libtorch-dev, use MTL_TORCH=pip." >&2
    exit 1
  fi
fi

if [ "$torch" = pip ]; then
  venv=$root/build/torch-venv
  if [ ! -e "$venv/done" ]; then
    echo "installing PyPI's torch into $venv" >&2
    python3 -m venv "$venv"
    # The CPU part needs these two packages of the CUDA runtime and nothing else: 1.3 GB instead of 6.
    "$venv/bin/pip" install --quiet --no-deps torch nvidia-cuda-cupti nvidia-cuda-runtime >&2
    touch "$venv/done"
  fi
  echo "$venv"/lib/python3*/site-packages/torch
fi
