#!/bin/sh
# YOLO9000 on real pictures: a classifier on a WordTree, then detectors from it: joint, detection alone,
# joint as in the paper with a logit for each node, joint on a flat softmax, joint with leaves for boxes.
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
width="--width 0.25"
views="--batch-size 128 --zoom 0.9-1.4 --precision mixed_bfloat16 --mean 0.999"
names="--size 64 --epochs 13 --learning-rate 0.1 --schedule cosine $views"
fine="--size 128 --epochs 16 --learning-rate 0.1 --schedule cosine $views"
other="--size 128 --epochs 2 --learning-rate 0.05 --schedule cosine $views"
common="--size 128 --multi-scale 96-160 --batch-size 32 --optimizer adam --learning-rate 0.0005
    --schedule cosine --precision mixed_bfloat16 --mean 0.999"
passes="--epochs 10" alone="--epochs 8" first="--epochs 6" second="--epochs 8" last="--epochs 3"
wide="--multi-scale 96-192" score="--size 160"
test -z "${SMOKE:-}" || {
    names="--size 64 --epochs 1 --batch-size 16 --learning-rate 0.05 --mean 0.9"
    fine="--size 96 --epochs 1 --batch-size 16 --learning-rate 0.05 --mean 0.9"
    other=$fine
    common="--size 64 --batch-size 8 --optimizer adam --mean 0.9"
    passes="--epochs 1" alone=$passes first=$passes second=$passes last=$passes wide= score=
}

# One WordTree over both, by WordNet; a flat tree is one softmax over the same leaves.
test -f "$sets/word.names" ||
    $yolov2 wordtree build --leaves voc --leaves "$sets/labels" --out "$sets/word.tree" \
        --names "$sets/word.names" --map-out "$sets/voc.map"
test -f "$sets/flat.names" ||
    $python "$here/flat_tree.py" "$sets/word.tree" "$sets/word.names" "$sets/voc.map" "$sets/labels" "$sets/flat"
test -f "$sets/own.names" || $python "$here/box_leaves.py" tree "$sets"

# stage NAME COMMAND...: trains into RUNS/NAME, once.
stage() {
    run=$runs/$1
    shift
    test -f "$run/done" && return
    resume=
    test -f "$run/last.keras" && resume=--resume
    # shellcheck disable=SC2086
    "$@" --out "$run" $resume
    touch "$run/done"
}

# names NAME TREE LOGITS TRUNK OPTIONS...: a classifier of the tree, with logits of its nodes or leaves.
names() {
    name=$1 tree=$2 logits=$3 from=$4
    shift 4
    # shellcheck disable=SC2086
    stage "$name" $yolov2 classify train $width "$sets/named" --split train --val-split val \
        --tree "$sets/$tree.tree" --names "$sets/$tree.names" --tree-logits "$logits" --weights "$from" "$@"
}

# detects NAME TREE MAP COMMAND OPTIONS...: a detector, by `yolov2 train` or what does as it does.
detects() {
    name=$1 tree=$2 map=$3 command=$4
    shift 4
    # shellcheck disable=SC2086
    stage "$name" $command "$sets/boxed" --split train --val-split val --classes voc $common \
        --tree "$sets/$tree.tree" --names "$sets/$tree.names" --map "$sets/$map.map" "$@"
}

# from_classifier COMMAND NAME TREE MAP LOGITS CLASSIFIER OPTIONS...: from a classifier of the same,
# for labelled pictures alone teach a detector names too slowly.
from_classifier() {
    command=$1 name=$2 tree=$3 map=$4 logits=$5 classifier=$6
    shift 6
    # shellcheck disable=SC2086
    detects "$name" "$tree" "$map" "$command" --model yolo9000 $width --anchors 3 \
        --tree-logits "$logits" --weights "$runs/$classifier/model.keras" "$@"
}

labels="--classification $sets/labels --image-rule object"
joint="$labels --ratio 1:2 --spare --learning-rate 0.0003 $passes"
train="$yolov2 train" apart="$python recipes/yolo9000/box_leaves.py 0 train"
only_own="$python recipes/yolo9000/box_leaves.py $sets/own.map train"
# shellcheck disable=SC2086
{
    names names_64 word leaves "$trunk" $names
    names names_128 word leaves "$runs/names_64/model.keras" $fine
    from_classifier "$train" joint word voc leaves names_128 $joint "$@"
    from_classifier "$train" detection word voc leaves names_128 $alone "$@"
    names names_nodes word nodes "$runs/names_128/model.keras" $other
    from_classifier "$train" nodes word voc nodes names_nodes $joint "$@"
    names names_flat flat nodes "$runs/names_128/model.keras" $other
    from_classifier "$train" flat flat flat nodes names_flat $joint "$@"
    # Boxes with leaves of their own, told apart among themselves alone, and last from all others.
    names names_own own leaves "$runs/names_128/model.keras" $other
    from_classifier "$apart" own_first own own leaves names_own $joint --ratio 1:3 $first "$@"
    detects own_second own own "$apart" --model "$runs/own_first/model.keras" $joint $wide $second "$@"
    detects own own above "$only_own" --model "$runs/own_second/model.keras" $labels --ratio 1:3 \
        --learning-rate 0.003 $last "$@"
}

for name in joint detection nodes flat own; do
    case $name in flat) map=flat ;; own) map=above ;; *) map=voc ;; esac
    map=$sets/$map.map
    model="$runs/$name/model.keras" scores="--tree-scores all --boxed $map $score"
    # shellcheck disable=SC2086
    $yolov2 evaluate "$model" "$sets/boxed" --split val --map "$map" $scores \
        --json "$runs/$name/with_boxes.json"
    # shellcheck disable=SC2086
    $yolov2 evaluate "$model" "$sets/scored" --images "$sets/scored/images" $scores \
        --json "$runs/$name/never_a_box.json"
done
$python "$here/report.py" "$sets" "$runs"
