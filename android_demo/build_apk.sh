#!/usr/bin/env bash
# Builds and signs the app without Gradle: Debian's packages and Maven Central are enough.
#
#     android_demo/build_apk.sh [MODEL.tflite ...]
#
# packs the models that are named, else those in app/src/main/assets and, as `make android` puts the
# starter there, in build/models. Every step that fails ends the build, and leaves the APK of the
# last one: android_demo/build/yolov2-demo.apk.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
. "$here/tools.sh"

models=()
for model in "$@"; do
    [[ -f $model ]] || fail "no such model: $model"
    models+=("$(realpath "$model")")
done
cd "$here"

package=yolov2tf.demo
min_sdk=24
page=16384 # bytes of a page of memory, on the devices with the largest
abis=(arm64-v8a x86_64)
build=$here/build
libraries=$build/libraries
work=$build/apk
apk=$build/yolov2-demo.apk

step "Tools"
need openjdk-17-jdk-headless maven zipalign apksigner unzip zip binutils

step "Model and resources"
mkdir -p "$build/models"
((${#models[@]})) || mapfile -t models < <(
    find "$here/app/src/main/assets" "$build/models" -name '*.tflite' | sort)
((${#models[@]})) || fail "no model in app/src/main/assets: name one, e.g. make android" \
    "MODEL=model.tflite (yolov2 export writes it)"
rm -rf "$work"
./resources.sh "$work" "${models[@]}"
mkdir -p "$work"/{classes,gradle,dex,lib} "$libraries"

step "Libraries"
# Strict checksums: a damaged download ends the build.
mvn -B -q -C -f libraries.xml dependency:copy-dependencies -DoutputDirectory="$libraries" \
    || fail "Maven Central did not give the libraries"
jars=("$libraries"/{tensorflow-lite,javacpp}.jar)
for jar in "$libraries"/{tensorflow-lite,javacpp}-android-*.jar; do
    unzip -qo "$jar" 'lib/*' -d "$work"
done
google=()
for name in tensorflow-lite{,-api,-gpu,-gpu-api}; do
    unzip -qo "$libraries/$name.aar" classes.jar -d "$libraries/$name"
    google+=("$libraries/$name/classes.jar")
done

step "Classes"
# Java 8's library is what Android 7 has; the platform's jar brings android.* alone.
compile() { # folder, class path, sources
    javac --release 8 -encoding UTF-8 -Werror -XDsuppressNotes \
        -Xlint:all,-options,-classfile,-path,-deprecation \
        -cp "$libraries/android-all.jar:$2" -d "$1" "${@:3}"
}
mapfile -t sources < <(find core/src/main/java app/src/main/java "$work/gen" -name '*.java')
compile "$work/classes" "${jars[0]}:${jars[1]}" "${sources[@]}" app/src/bytedeco/java/yolov2tf/demo/*
compile "$work/gradle" "$work/classes:$(IFS=:; echo "${google[*]}")" \
    app/src/litert/java/yolov2tf/demo/* # Gradle's own, to see that it fits
(cd "$work/classes" && zip -qr ../classes.jar .)
java_home=$(dirname "$(dirname "$(readlink -f "$(command -v java)")")") # for java.lang itself
java -cp "$libraries/r8.jar" com.android.tools.r8.D8 --release --min-api "$min_sdk" \
    --lib "$libraries/android-all.jar" --lib "$java_home" --output "$work/dex" \
    "$work/classes.jar" "${jars[@]}"

step "Package"
# Android maps native libraries and models from the APK, so they are stored, not compressed, and
# begin at a page.
(cd "$work/dex" && zip -q ../resources.apk classes*.dex)
(cd "$work" && zip -q -0 -D -r resources.apk lib) # signing drops folders, and moves what follows
zipalign -f "$page" "$work/resources.apk" "$work/aligned.apk"

step "Signature"
# A key for debugging, made on the spot; a new one means uninstalling the app before it updates.
[[ -f $build/debug.keystore ]] || keytool -genkeypair -keystore "$build/debug.keystore" \
    -storepass android -keypass android -alias debug -dname "CN=Android Debug,O=Android,C=US" \
    -keyalg RSA -keysize 2048 -validity 10000 >/dev/null 2>&1
apksigner sign --ks "$build/debug.keystore" --ks-pass pass:android --key-pass pass:android \
    --v4-signing-enabled false --out "$work/signed.apk" "$work/aligned.apk"

step "Check"
./check_apk.sh "$work/signed.apk" "$page" "$min_sdk" "${abis[@]}"
badging=$(aapt dump badging "$work/signed.apk")
content=$(unzip -Z1 "$work/signed.apk")
expect() { grep -qF -- "$2" <<<"$1" || fail "the APK lacks $2"; }
expect "$badging" "package: name='$package'"
expect "$badging" "launchable-activity: name='$package.MainActivity'"
expect "$badging" "uses-permission: name='android.permission.CAMERA'"
expect "$badging" "native-code: 'arm64-v8a' 'x86_64'"
for name in AndroidManifest.xml resources.arsc classes.dex; do
    expect "$content" "$name"
done
for model in "${models[@]}"; do
    expect "$content" "assets/$(basename "$model")"
done
mv "$work/signed.apk" "$apk"
echo "$apk: $(stat -c %s "$apk") bytes. Install it with: adb install -r $apk"
