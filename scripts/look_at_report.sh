#!/usr/bin/env bash
# How a report looks: scripts/look_at_report.sh REPORT.html [FOLDER] leaves light.png, dark.png, phone.png and print.pdf.
# Needs chromium (apt install chromium).
set -euo pipefail

page=$(realpath "${1:?the page to look at}")
out=$(realpath -m "${2:-.}")
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

look() {
  chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --allow-file-access-from-files \
    --user-data-dir="$work/profile" "$@" 2>/dev/null
}

# A window is never narrower than 500 pixels, a frame in it is.
printf '<body style="margin:0"><iframe src="file://%s" style="width:390px;height:5000px;border:0"></iframe>' \
  "$page" >"$work/phone.html"
look --window-size=1200,5000 --screenshot="$out/light.png" "file://$page"
look --window-size=1200,5000 --blink-settings=preferredColorScheme=0 --screenshot="$out/dark.png" "file://$page"
look --window-size=500,5000 --screenshot="$out/phone.png" "file://$work/phone.html"
look --no-pdf-header-footer --print-to-pdf="$out/print.pdf" "file://$page"
ls -l "$out"/{light,dark,phone}.png "$out/print.pdf"
