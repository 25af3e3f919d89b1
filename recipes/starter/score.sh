#!/bin/sh
# Scores a starter on pictures that nothing here was trained on, in every form that is exported,
# and draws twelve of them and its worst twelve.
#
#   recipes/starter/score.sh NETWORK DATA OUT     NETWORK: starter or a file; DATA: ../shared/data
#
# 413 pictures, about three minutes of two idle cores. The pictures of OUT are VOC's: look, do not
# publish them.
set -eu
network=$1 data=$2 out=$3
cd "$(dirname "$0")/../.."
yolov2=${YOLOV2:-yolov2}
$yolov2 benchmark "$network" --data "$data/voc2007_sample" --calibrate "$data/voc2012_animals" \
    --out "$out"
${PYTHON:-python} recipes/starter/sheets.py "$network" "$data/voc2007_sample" "$out"
