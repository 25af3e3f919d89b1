#!/bin/sh
# The detector of VOC's 20 classes on the trunk: YOLOv2 x .25 with passthrough, multi-scale.
#
#   recipes/starter/detector.sh SETS RUNS     after trunk.sh
#
# Cost and score: see README.md of this folder. Stop it anywhere and start it again.
set -eu
sets=$1 runs=$2
cd "$(dirname "$0")/../.."
yolov2=${YOLOV2:-yolov2}

# stage NAME WEIGHTS OPTIONS...
stage() {
    name=$1 weights=$2
    shift 2
    test -f "$runs/$name/done" && return
    resume=
    test -f "$runs/$name/last.keras" && resume=--resume
    $yolov2 train "$sets/voc" --recipe paper --split train --val-split val --width 0.25 --size 256 \
        --batch-size 32 --optimizer adam --schedule cosine --precision mixed_bfloat16 --mean 0.999 \
        --passthrough squeezed --jitter 0.2 --clip-norm 10 --weights "$weights" --out "$runs/$name" "$@" $resume
    touch "$runs/$name/done"
}

stage first "$runs/trunk128/last.keras" --multi-scale 192-288 --epochs 14
stage starter "$runs/first/model.keras" --multi-scale 192-320 --epochs 28
stage longer "$runs/starter/model.keras" --multi-scale 192-320 --minutes "${MINUTES:-105}"
