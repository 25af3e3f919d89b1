#!/usr/bin/env bash
# Compiles the app's resources, and packs models with them:
#
#     android_demo/resources.sh FOLDER MODEL.tflite ...
#
# writes FOLDER/resources.apk, FOLDER/AndroidManifest.xml and FOLDER/gen with R.java.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
. "$here/tools.sh"

(($# > 1)) || fail "needs a folder and models"
out=$1
shift
package=yolov2tf.demo
min_sdk=24
target_sdk=35
version_code=1
version_name=0.1.0

# framework-res: aapt here reads resources up to Android 10; the app needs none that are newer.
need aapt android-framework-res unzip
framework=/usr/share/android-framework-res/framework-res.apk

rm -rf "$out"
mkdir -p "$out"/{assets,gen}
for model in "$@"; do
    unzip -l "$model" yolov2.json labels.txt >/dev/null 2>&1 \
        || fail "$model says nothing about itself: yolov2 export --format tflite writes such files"
    cp "$model" "$out/assets/"
    echo "$(basename "$model"): $(unzip -p "$model" labels.txt | grep -c '') classes"
done

# Gradle wants the package's name in its own file, aapt in the manifest.
sed "s/<manifest /<manifest package=\"$package\" /" "$here/app/src/main/AndroidManifest.xml" \
    >"$out/AndroidManifest.xml"
aapt package -f -m -J "$out/gen" -F "$out/resources.apk" \
    -M "$out/AndroidManifest.xml" -S "$here/app/src/main/res" -A "$out/assets" -I "$framework" \
    -0 tflite --min-sdk-version "$min_sdk" --target-sdk-version "$target_sdk" \
    --version-code "$version_code" --version-name "$version_name"
