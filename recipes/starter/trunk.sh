#!/bin/sh
# The trunk of both starters: Darknet-19 x .25 on one WordTree (paper, sections 3 and 4).
#
#   recipes/starter/trunk.sh SETS RUNS        SETS: what sets.py made; RUNS: gets a folder a stage
#
# Cost and score: see README.md of this folder. Stop it anywhere and start it again: stages that are
# done are skipped, the others go on from their last epoch.
set -eu
sets=$1 runs=$2
cd "$(dirname "$0")/../.."
yolov2=${YOLOV2:-yolov2}

test -f "$sets/starter.tree" ||
    $yolov2 wordtree build --leaves "$sets/wnids.txt" --out "$sets/starter.tree" \
        --names "$sets/starter.names"

# stage NAME DATA OPTIONS...
stage() {
    name=$1 data=$2
    shift 2
    test -f "$runs/$name/done" && return
    resume=
    test -f "$runs/$name/last.keras" && resume=--resume
    $yolov2 classify train "$data" --split train --val-split val --tree "$sets/starter.tree" \
        --names "$sets/starter.names" --width 0.25 --precision mixed_bfloat16 \
        --out "$runs/$name" "$@" $resume
    touch "$runs/$name/done"
}

# Small and many pictures first, then sharp ones.
stage trunk64 "$sets/small" --size 64 --epochs 4 --batch-size 128 --learning-rate 0.05 \
    --zoom 0.8-1.8
stage trunk128 "$sets/photos" --size 128 --epochs 5 --batch-size 64 --learning-rate 0.025 \
    --zoom 0.7-1.8 --weights "$runs/trunk64/last.keras"
