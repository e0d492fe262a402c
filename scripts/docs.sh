#!/usr/bin/env bash
# Builds the documentation site in build/docs/site, or fails at the first warning: a link that leads nowhere, a
# page in no list, a misspelt word.
#   scripts/docs.sh              builds it
#   scripts/docs.sh serve        builds it, then serves it at http://localhost:8000
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/docs
mkdir -p $out
python3 scripts/docs/check_links.py
if [ ! -e $out/venv/done ]; then
  echo "installing mkdocs-material and codespell into $out/venv" >&2
  python3 -m venv $out/venv
  $out/venv/bin/pip install --quiet --requirement scripts/docs/requirements.txt
  touch $out/venv/done
fi
$out/venv/bin/codespell --ignore-words scripts/docs/words.txt ./*.md docs/*.md scripts/docs include src
python3 scripts/docs/make_site.py $out
NO_MKDOCS_2_WARNING=1 PYTHONPATH=scripts/docs $out/venv/bin/mkdocs build --quiet --strict --config-file $out/mkdocs.yml
echo "$PWD/$out/site/index.html; with search: scripts/docs.sh serve"
if [ "${1:-}" = serve ]; then exec python3 -m http.server --directory $out/site 8000; fi
