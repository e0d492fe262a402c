#!/usr/bin/env bash
# smoke.sh PROGRAM FOLDER TEXT PICTURE [options]: the program runs to its end, says TEXT and leaves PICTURE in FOLDER.
set -euo pipefail
program=$1 folder=$2 text=$3 picture=$4
shift 4
rm -rf "$folder"
said=$("$program" --out "$folder" "$@")
echo "$said"
grep -q -- "$text" <<<"$said"
[ -s "$folder/$picture" ]
