#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the tests cover of the lines they have to: tests/unit of what is pure, tests/integration of
# the repository. Prints the lines that are missed; ends with 1 below the percentage. `make coverage`.
set -eu
cd "$(dirname "$0")/.."
python=.venv/bin/python3
hadeb=builder/hadeb
PURE="$hadeb/manifest/* $hadeb/bundle/* $hadeb/package/* $hadeb/debian/* $hadeb/pacemaker/*
 $hadeb/lab/verdict/* $hadeb/lab/report/* $hadeb/repo/model/* $hadeb/repo/apt/dependencies.py
 $hadeb/repo/disk/indexes.py $hadeb/repo/s3/bucket.py $hadeb/repo/s3/state.py
 $hadeb/repo/site/index_page.py $hadeb/repo/site/pages.py $hadeb/repo/site/sources.py $hadeb/repo/site/template.py"

# cover TESTS PERCENT FILES: runs the tests of a directory, and reports.
cover() {
    mkdir -p dist
    export COVERAGE_FILE="dist/coverage.$1"
    rm -f "$COVERAGE_FILE" "$COVERAGE_FILE".*
    $python -m pytest --quiet --numprocesses auto --dist loadscope --cov --cov-report= "tests/$1"
    echo "tests/$1 covers:"
    $python -m coverage report --skip-covered --show-missing --fail-under="$2" \
        --include="$(echo "$3" | tr -s ' \n' ',,')"
}

failed=0
cover unit 90 "$PURE" || failed=1
cover integration 85 "$hadeb/repo/*" || failed=1
exit $failed
