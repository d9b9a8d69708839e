#!/usr/bin/env bash
# Trains, with flags of `mario_rl_train` taken from the environment: LEVEL, WORKERS, STEPS, DECISIONS, WORLD_MODEL, EMULATOR,
# SEED, DEVICE, BUFFER_SIZE, SAVE_REPLAY, RUN_DIR, ENGINE, RAY_ADDRESS, and RESUME: a run's folder, or `auto` for the latest
# one (a new one where there is none). Arguments are added to the flags; if the first is a command, that one runs instead.
# `exec` everywhere: the trainer is process 1 itself, gets SIGTERM and saves.
set -euo pipefail

case "${1:-}" in
    mario_rl_* | tensorboard | ray | python | bash | sh) exec "$@" ;;
esac

flags=()
value() { if [[ -n "${!1:-}" ]]; then flags+=("$2" "${!1}"); fi; }
switch() {
    case "${!1:-}" in
        '') ;;
        1 | true | yes | on) flags+=("--$2") ;;
        0 | false | no | off) flags+=("--no-$2") ;;
        *) echo "entrypoint: $1 is '${!1}': use 1 or 0" >&2; exit 2 ;;
    esac
}
latest() { find checkpoints -mindepth 2 -maxdepth 2 -name checkpoint.pt -printf '%T@ %h\n' 2> /dev/null | sort -n | tail -n 1 | cut -d ' ' -f 2-; }

run=${RESUME:-}
if [[ "$run" == auto ]]; then run=$(latest); fi
if [[ -n "$run" ]]; then
    flags+=(--resume "$run") # its own settings hold, but for what is said below
else
    WORLD_MODEL=${WORLD_MODEL:-1} EMULATOR=${EMULATOR:-auto}
    value RUN_DIR --run-dir
fi
value LEVEL --level
value WORKERS --workers
value STEPS --learner-steps
value DECISIONS --decisions
switch WORLD_MODEL world-model
value EMULATOR --emulator
value SEED --seed
value DEVICE --device
value BUFFER_SIZE --buffer-size
switch SAVE_REPLAY save-replay
value ENGINE --engine
value RAY_ADDRESS --ray-address
exec mario_rl_train "${flags[@]}" "$@"
