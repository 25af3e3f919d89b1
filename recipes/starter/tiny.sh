#!/bin/sh
# The small detector, for phones: Tiny YOLOv2 x .25 of VOC's 20 classes at 224 px, from nothing.
#
#   recipes/starter/tiny.sh SETS RUNS [OPTION...]     after sets.py; needs no trunk
#
# A million weights, .13 GFLOPs a picture; starter has three and .7. Tiny YOLOv2 has no classifier
# whose trunk fits it, so it sees boxes from the first step: 100 passes of 12,032 pictures.
# Stop it anywhere and start it again; OPTIONs go to `yolov2 train` (e.g. --epochs 40).
set -eu
sets=$1 runs=$2
shift 2
cd "$(dirname "$0")/../.."
yolov2=${YOLOV2:-yolov2}
resume=
test -f "$runs/starter-tiny/last.keras" && resume=--resume
$yolov2 train "$sets/voc" --from-scratch --split train --val-split val --model tiny --width 0.25 --anchors 5 --size 224 \
    --multi-scale 160-288 --epochs 100 --batch-size 32 --optimizer adam --schedule cosine \
    --precision mixed_bfloat16 --mean 0.999 --out "$runs/starter-tiny" $resume "$@"
