#!/bin/sh
# The small detector, for phones: three quarters of starter's filters, VOC's 20 classes, 256 px.
#
#   recipes/starter/tiny.sh SETS RUNS [OPTION...]     after sets.py; STARTER: a file, default starter
#
# 1.8 million weights, .49 GFLOPs a picture; starter has 3.2 and 1.12 at its 320 px. It begins as
# starter without the filters that matter least, and starter is its teacher: 80 minutes of two cores.
# Stop it anywhere and start it again; OPTIONs go to `yolov2 train` (e.g. --minutes 120).
set -eu
sets=$1 runs=$2
shift 2
cd "$(dirname "$0")/../.."
yolov2=${YOLOV2:-yolov2}
starter=${STARTER:-starter}
resume=
if test -f "$runs/starter-tiny/last.keras"; then
    resume=--resume
else
    mkdir -p "$runs"
    $yolov2 narrow "$starter" "$runs/narrow.keras" --share 0.75
fi
$yolov2 train "$sets/voc" --split train --val-split val --model "$runs/narrow.keras" --teacher "$starter" \
    --size 256 --multi-scale 192-288 --batch-size 32 --minutes 80 --precision mixed_bfloat16 \
    --out "$runs/starter-tiny" $resume "$@"
