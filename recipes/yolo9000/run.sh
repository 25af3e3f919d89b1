#!/bin/sh
# YOLO9000 on real pictures: joint on a WordTree, detection alone, joint on a flat softmax.
#
#   recipes/yolo9000/run.sh SETS TRUNK RUNS [OPTIONS OF yolov2 train...]
#
# SETS: what sets.py made. TRUNK: `starter`, or a .keras file to start from. Stop it anywhere and
# start it again. `SMOKE=1` in the environment shows in minutes that everything works.
set -eu
sets=$1 trunk=$2 runs=$3
shift 3
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
yolov2=${YOLOV2:-yolov2} python=${PYTHON:-python}
common="--width 0.25 --size 192 --multi-scale 128-192 --batch-size 32 --optimizer adam
    --schedule cosine --precision mixed_bfloat16 --mean 0.999 --anchors 5"
epochs="--epochs 12"
test -z "${SMOKE:-}" || {
    common="--width 0.25 --size 64 --batch-size 8 --optimizer adam --mean 0.9 --anchors 3"
    epochs="--epochs 1"
}

# One WordTree over both, by WordNet; a flat tree is one softmax over the same leaves.
test -f "$sets/word.tree" ||
    $yolov2 wordtree build --leaves voc --leaves "$sets/labels" --out "$sets/word.tree" \
        --names "$sets/word.names" --map-out "$sets/voc.map"
test -f "$sets/flat.tree" ||
    $python "$here/flat_tree.py" "$sets/word.tree" "$sets/voc.map" "$sets/labels" "$sets/flat"

# stage NAME OPTIONS...
stage() {
    name=$1
    shift
    test -f "$runs/$name/done" && return
    resume=
    test -f "$runs/$name/last.keras" && resume=--resume
    # shellcheck disable=SC2086
    $yolov2 train "$sets/boxed" --split train --val-split val $common $epochs --weights "$trunk" \
        --out "$runs/$name" "$@" $resume
    touch "$runs/$name/done"
}

joint="--classification $sets/labels --ratio 1:4 --mosaic 0.8 --image-rule object --spare"
# shellcheck disable=SC2086
stage joint --tree "$sets/word.tree" --map "$sets/voc.map" $joint "$@"
stage detection --tree "$sets/word.tree" --map "$sets/voc.map" "$@"
# shellcheck disable=SC2086
stage flat --tree "$sets/flat.tree" --map "$sets/flat.map" $joint "$@"

for name in detection joint flat; do
    map="$sets/voc.map"
    test "$name" = flat && map="$sets/flat.map"
    model="$runs/$name/model.keras" scores="--tree-scores all --boxed $map"
    # shellcheck disable=SC2086
    $yolov2 evaluate "$model" "$sets/boxed" --split val --map "$map" $scores \
        --json "$runs/$name/with_boxes.json"
    # shellcheck disable=SC2086
    $yolov2 evaluate "$model" "$sets/scored" --images "$sets/scored/images" $scores \
        --json "$runs/$name/never_a_box.json"
done
$python "$here/report.py" "$sets" "$runs"
