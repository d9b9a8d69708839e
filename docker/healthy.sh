#!/usr/bin/env bash
# Exit code 0 while some run writes: its table or its log is younger than HEALTHY_MINUTES (10).
set -euo pipefail
find "${1:-checkpoints}" \( -name training.csv -o -name training.log \) -mmin "-${HEALTHY_MINUTES:-10}" 2> /dev/null | grep -q .
