#!/bin/sh
# YOLO9000 on real pictures: a classifier on a WordTree, then detectors from it: joint, detection alone,
# joint as in the paper with a logit for each node, joint on a flat softmax.
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
    --schedule cosine --precision mixed_bfloat16 --mean 0.999 --anchors 3"
passes="--epochs 10" alone="--epochs 8"
test -z "${SMOKE:-}" || {
    names="--size 64 --epochs 1 --batch-size 16 --learning-rate 0.05 --mean 0.9"
    fine="--size 96 --epochs 1 --batch-size 16 --learning-rate 0.05 --mean 0.9"
    other=$fine
    common="--size 64 --batch-size 8 --optimizer adam --mean 0.9 --anchors 3"
    passes="--epochs 1" alone=$passes
}

# One WordTree over both, by WordNet; a flat tree is one softmax over the same leaves.
test -f "$sets/word.names" ||
    $yolov2 wordtree build --leaves voc --leaves "$sets/labels" --out "$sets/word.tree" \
        --names "$sets/word.names" --map-out "$sets/voc.map"
test -f "$sets/flat.names" ||
    $python "$here/flat_tree.py" "$sets/word.tree" "$sets/word.names" "$sets/voc.map" "$sets/labels" "$sets/flat"

# stage NAME COMMAND OPTIONS...: trains into RUNS/NAME, once.
stage() {
    run=$runs/$1
    shift
    test -f "$run/done" && return
    resume=
    test -f "$run/last.keras" && resume=--resume
    # shellcheck disable=SC2086
    $yolov2 "$@" $width --out "$run" $resume
    touch "$run/done"
}

# names NAME TREE LOGITS TRUNK OPTIONS...: a classifier of the tree, with logits of its nodes or leaves.
names() {
    name=$1 tree=$2 logits=$3 from=$4
    shift 4
    stage "$name" classify train "$sets/named" --split train --val-split val \
        --tree "$sets/$tree.tree" --names "$sets/$tree.names" --tree-logits "$logits" --weights "$from" "$@"
}

# detector NAME TREE LOGITS CLASSIFIER OPTIONS...: from a classifier of the same, for labelled pictures
# alone teach a detector names too slowly.
detector() {
    name=$1 tree=$2 logits=$3 classifier=$4
    shift 4
    # shellcheck disable=SC2086
    stage "$name" train "$sets/boxed" --split train --val-split val --classes voc --model yolo9000 $common \
        --tree "$sets/$tree.tree" --names "$sets/$tree.names" --tree-logits "$logits" \
        --map "$(map_of "$tree")" --weights "$runs/$classifier/model.keras" "$@"
}

# Nodes of VOC's classes, as `wordtree build` and flat_tree.py call their files.
map_of() {
    test "$1" = word && echo "$sets/voc.map" || echo "$sets/$1.map"
}

joint="--classification $sets/labels --ratio 1:2 --image-rule object --spare --learning-rate 0.0003 $passes"
# shellcheck disable=SC2086
{
    names names_64 word leaves "$trunk" $names
    names names_128 word leaves "$runs/names_64/model.keras" $fine
    detector joint word leaves names_128 $joint "$@"
    detector detection word leaves names_128 $alone "$@"
    names names_nodes word nodes "$runs/names_128/model.keras" $other
    detector nodes word nodes names_nodes $joint "$@"
    names names_flat flat nodes "$runs/names_128/model.keras" $other
    detector flat flat nodes names_flat $joint "$@"
}

for name in joint detection nodes flat; do
    test "$name" = flat && map=$(map_of flat) || map=$(map_of word)
    model="$runs/$name/model.keras" scores="--tree-scores all --boxed $map"
    # shellcheck disable=SC2086
    $yolov2 evaluate "$model" "$sets/boxed" --split val --map "$map" $scores \
        --json "$runs/$name/with_boxes.json"
    # shellcheck disable=SC2086
    $yolov2 evaluate "$model" "$sets/scored" --images "$sets/scored/images" $scores \
        --json "$runs/$name/never_a_box.json"
done
$python "$here/report.py" "$sets" "$runs"
