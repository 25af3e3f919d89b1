#!/bin/sh
# The detector of VOC's 20 classes on the trunk: YOLOv2 x .25 with passthrough, multi-scale, at last
# with larger pictures and views of four.
#
#   recipes/starter/detector.sh SETS RUNS     after trunk.sh
#
# Cost and score: see README.md of this folder. Stop it anywhere and start it again.
set -eu
sets=$1 runs=$2
cd "$(dirname "$0")/../.."
yolov2=${YOLOV2:-yolov2}

# stage NAME OPTIONS...
stage() {
    name=$1
    shift
    test -f "$runs/$name/done" && return
    resume=
    test -f "$runs/$name/last.keras" && resume=--resume
    $yolov2 train "$sets/voc" --recipe paper --split train --val-split val \
        --batch-size 32 --optimizer adam --schedule cosine --precision mixed_bfloat16 --mean 0.999 \
        --jitter 0.2 --clip-norm 10 --out "$runs/$name" "$@" $resume
    touch "$runs/$name/done"
}

small="--width 0.25 --passthrough squeezed --size 256"
# shellcheck disable=SC2086
{
    stage first $small --weights "$runs/trunk128/last.keras" --multi-scale 192-288 --epochs 14
    stage starter $small --weights "$runs/first/model.keras" --multi-scale 192-320 --epochs 28
    stage longer $small --weights "$runs/starter/model.keras" --multi-scale 192-320 --minutes "${MINUTES:-105}"
}
stage larger --model "$runs/longer/model.keras" --size 384 --multi-scale 320-448 --learning-rate 0.0005 \
    --minutes "${MINUTES:-66}"
# The last two took seven minutes of a GPU; two cores would need two hours, at 40 pictures a second.
last="--size 384 --multi-scale 288-448 --batch-size 64"
# shellcheck disable=SC2086
{
    stage mosaic --model "$runs/larger/last.keras" $last --epochs 24 --learning-rate 0.001 --jitter 0.3 --box-mosaic 0.4
    stage plain --model "$runs/mosaic/model.keras" $last --epochs 1 --learning-rate 0.0003
}
