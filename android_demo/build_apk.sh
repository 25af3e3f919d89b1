#!/usr/bin/env bash
# Builds and signs the app without Gradle: Debian's packages and Maven Central are enough.
#
#     android_demo/build_apk.sh [MODEL.tflite ...]
#
# packs the models that are named, else those in app/src/main/assets. Every step that fails ends
# the build. The APK is android_demo/build/yolov2-demo.apk.
set -euo pipefail

step() { echo "== $*"; }
fail() { echo "build_apk.sh: $*" >&2; exit 2; }

models=()
for model in "$@"; do
    [[ -f $model ]] || fail "no such model: $model"
    models+=("$(realpath "$model")")
done
cd "$(dirname "$0")"

package=yolov2tf.demo
min_sdk=24
target_sdk=35
version_code=1
version_name=0.1.0
build=$PWD/build
libraries=$build/libraries
apk=$build/yolov2-demo.apk

step "Tools"
# framework-res: aapt here reads resources up to Android 10; the app needs none that are newer.
packages=(openjdk-17-jdk-headless maven aapt android-framework-res zipalign apksigner unzip zip)
missing=()
for name in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
done
if ((${#missing[@]})); then
    echo "installing ${missing[*]}"
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" \
        || fail "needs the Debian packages ${missing[*]}"
fi
framework=/usr/share/android-framework-res/framework-res.apk

step "Model"
((${#models[@]})) || mapfile -t models < <(find "$PWD/app/src/main/assets" -name '*.tflite' | sort)
((${#models[@]})) || fail "no model in app/src/main/assets: name one, e.g. make android" \
    "MODEL=model.tflite (yolov2 export writes it)"
rm -rf "$build/apk" "$apk"
mkdir -p "$build/apk"/{assets,classes,dex,gen,lib} "$libraries"
for model in "${models[@]}"; do
    unzip -l "$model" yolov2.json labels.txt >/dev/null 2>&1 \
        || fail "$model says nothing about itself: yolov2 export --format tflite writes such files"
    cp "$model" "$build/apk/assets/"
    echo "$(basename "$model"): $(unzip -p "$model" labels.txt | grep -c '') classes"
done

step "Libraries"
# Strict checksums: a damaged download ends the build.
mvn -B -q -C -f libraries.xml dependency:copy-dependencies -DoutputDirectory="$libraries" \
    || fail "Maven Central did not give the libraries"
jars=()
for name in tensorflow-lite tensorflow-lite-api tensorflow-lite-gpu tensorflow-lite-gpu-api; do
    unzip -qo "$libraries/$name.aar" -d "$libraries/$name"
    jars+=("$libraries/$name/classes.jar")
    for abi in arm64-v8a x86_64; do
        mkdir -p "$build/apk/lib/$abi"
        find "$libraries/$name" -path "*/jni/$abi/*.so" -exec cp {} "$build/apk/lib/$abi/" \;
    done
done
classpath=$(IFS=:; echo "${jars[*]}")

step "Resources"
# Gradle wants the package's name in its own file, aapt in the manifest.
sed "s/<manifest /<manifest package=\"$package\" /" app/src/main/AndroidManifest.xml \
    >"$build/apk/AndroidManifest.xml"
aapt package -f -m -J "$build/apk/gen" -F "$build/apk/unaligned.apk" \
    -M "$build/apk/AndroidManifest.xml" -S app/src/main/res -A "$build/apk/assets" -I "$framework" \
    -0 tflite --min-sdk-version "$min_sdk" --target-sdk-version "$target_sdk" \
    --version-code "$version_code" --version-name "$version_name"

step "Classes"
# Java 8's library is what Android 7 has; the platform's jar brings android.* alone.
mapfile -t sources < <(find core/src/main/java app/src/main/java "$build/apk/gen" -name '*.java')
javac --release 8 -encoding UTF-8 -Xlint:all,-options,-classfile,-path,-deprecation -Werror \
    -XDsuppressNotes -cp "$libraries/android-all.jar:$classpath" -d "$build/apk/classes" "${sources[@]}"
(cd "$build/apk/classes" && zip -qr ../classes.jar .)
java_home=$(dirname "$(dirname "$(readlink -f "$(command -v java)")")") # for java.lang itself
java -cp "$libraries/r8.jar" com.android.tools.r8.D8 --release --min-api "$min_sdk" \
    --lib "$libraries/android-all.jar" --lib "$java_home" --output "$build/apk/dex" \
    "$build/apk/classes.jar" "${jars[@]}"

step "Package"
# Android maps native libraries from the APK, so they are stored, not compressed.
(cd "$build/apk/dex" && zip -q ../unaligned.apk classes*.dex)
(cd "$build/apk" && zip -q -0 -r unaligned.apk lib)
zipalign -f -p 4 "$build/apk/unaligned.apk" "$build/apk/aligned.apk"

step "Signature"
# A key for debugging, made on the spot; a new one means uninstalling the app before it updates.
[[ -f $build/debug.keystore ]] || keytool -genkeypair -keystore "$build/debug.keystore" \
    -storepass android -keypass android -alias debug -dname "CN=Android Debug,O=Android,C=US" \
    -keyalg RSA -keysize 2048 -validity 10000 >/dev/null 2>&1
apksigner sign --ks "$build/debug.keystore" --ks-pass pass:android --key-pass pass:android \
    --v4-signing-enabled false --out "$apk" "$build/apk/aligned.apk"

step "Check"
zipalign -c -p 4 "$apk" || fail "the APK is not aligned"
apksigner verify --verbose --min-sdk-version "$min_sdk" "$apk"
badging=$(aapt dump badging "$apk")
echo "$badging"
content=$(unzip -Z1 "$apk")
expect() { grep -qF -- "$2" <<<"$1" || fail "the APK lacks $2"; }
expect "$badging" "package: name='$package'"
expect "$badging" "sdkVersion:'$min_sdk'"
expect "$badging" "targetSdkVersion:'$target_sdk'"
expect "$badging" "launchable-activity: name='$package.MainActivity'"
expect "$badging" "uses-permission: name='android.permission.CAMERA'"
expect "$badging" "native-code: 'arm64-v8a' 'x86_64'"
for name in AndroidManifest.xml resources.arsc classes.dex \
    lib/{arm64-v8a,x86_64}/libtensorflowlite{,_gpu}_jni.so; do
    expect "$content" "$name"
done
for model in "${models[@]}"; do
    expect "$content" "assets/$(basename "$model")"
done
echo "$apk: $(stat -c %s "$apk") bytes. Install it with: adb install -r $apk"
