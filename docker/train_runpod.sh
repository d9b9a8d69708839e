#!/usr/bin/env bash
# Train on a rented pod from a clone of this repository, with any image that has pip, such as RunPod's PyTorch templates:
#   bash docker/train_runpod.sh
# Settings are those of entrypoint.sh. What is learned lies in VOLUME (/workspace), so a pod that was interrupted goes on where it was.
# STOP_WHEN_DONE=1 stops the pod, and with it the bill for its GPU, when the training has ended by itself.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
volume=${VOLUME:-/workspace}
export RESUME=${RESUME:-auto} PIP_ROOT_USER_ACTION=ignore
export UV_PROJECT_ENVIRONMENT=${UV_PROJECT_ENVIRONMENT:-$HOME/.mario-rl} # not on the volume: small files are slow there

mkdir -p "$volume/checkpoints"
uv --version &> /dev/null || pip install --quiet uv
uv sync --quiet --project "$repository" --extra libretro --extra ray
cd "$volume"
export PATH="$UV_PROJECT_ENVIRONMENT/bin:$PATH"

bash "$repository/docker/entrypoint.sh" "$@" &
training=$!
trap 'kill -TERM "$training" 2> /dev/null || true' TERM INT # the learner saves; we wait for it
code=0
wait "$training" || code=$?
while kill -0 "$training" 2> /dev/null; do code=0; wait "$training" || code=$?; done

if [[ "$code" == 0 && "${STOP_WHEN_DONE:-0}" == 1 ]]; then runpodctl stop pod "${RUNPOD_POD_ID:?only a pod has this}"; fi
exit "$code"
