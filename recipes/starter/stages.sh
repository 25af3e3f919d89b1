#!/bin/sh
# What each stage of the starters adds, at a small budget that is the same for all.
#
#   recipes/starter/stages.sh SETS RUNS SCORED     after trunk.sh; SCORED: pictures never trained on
#
# Detectors: from nothing, from each stage of the trunk, without the mean of the weights. Narrowed
# ones: with a teacher and without. EPOCHS (2) of 12,032 pictures of 192 px each; six trainings of
# four to six minutes beside other work. Stop it anywhere and start it again.
set -eu
sets=$1 runs=$2 scored=$3
cd "$(dirname "$0")/../.."
yolov2=${YOLOV2:-yolov2} starter=${STARTER:-starter}
common="--split train --val-split val --size 192 --multi-scale 160-224 --batch-size 32
    --optimizer adam --schedule cosine --precision mixed_bfloat16 --epochs ${EPOCHS:-2}"
detector="--recipe paper --width 0.25 --passthrough squeezed --jitter 0.2 --clip-norm 10"

# stage NAME OPTIONS...
stage() {
    name=$1
    shift
    out=$runs/stages/$name
    test -f "$out/scored.json" && return
    resume=
    test -f "$out/last.keras" && resume=--resume
    # shellcheck disable=SC2086
    test -f "$out/done" || $yolov2 train "$sets/voc" $common --out "$out" "$@" $resume
    touch "$out/done"
    $yolov2 evaluate "$out/model.keras" "$scored" --json "$out/scored.json"
}

# shellcheck disable=SC2086
{
    stage nothing $detector --mean 0.998
    stage trunk64 $detector --mean 0.998 --weights "$runs/trunk64/last.keras"
    stage trunk128 $detector --mean 0.998 --weights "$runs/trunk128/last.keras"
    stage no_mean $detector --mean 0 --weights "$runs/trunk128/last.keras"
}
test -f "$runs/stages/narrow.keras" ||
    $yolov2 narrow "$starter" "$runs/stages/narrow.keras" --share 0.75
stage narrowed --model "$runs/stages/narrow.keras" --mean 0.998
stage taught --model "$runs/stages/narrow.keras" --mean 0.998 --teacher "$starter"
