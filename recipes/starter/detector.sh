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
resume=
test -f "$runs/starter/last.keras" && resume=--resume
$yolov2 train "$sets/voc" --recipe paper --split train --val-split val --width 0.25 --size 256 \
    --multi-scale 192-288 --epochs 14 --batch-size 32 --optimizer adam --schedule cosine \
    --precision mixed_bfloat16 --mean 0.999 --weights "$runs/trunk128/last.keras" \
    --out "$runs/starter" $resume
