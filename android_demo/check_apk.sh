#!/usr/bin/env bash
# Checks what devices and stores want of an APK, and says how large its parts are:
#
#     android_demo/check_apk.sh APP.apk PAGE MIN_SDK ABI ...
#
# It is signed; each native library is for one of the ABIs, is stored at a multiple of PAGE bytes,
# and lets its segments be mapped at multiples of PAGE: Google Play wants 16384 for API 35.
set -euo pipefail
. "$(dirname "$0")/tools.sh"

apk=$(realpath "$1") page=$2 min_sdk=$3
shift 3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

apksigner verify --min-sdk-version "$min_sdk" "$apk" || fail "the signature is not valid"
zipalign -c "$page" "$apk" >/dev/null || fail "the APK's files do not begin at multiples of $page"

unzip -qo "$apk" 'lib/*' -d "$folder"
found=$(cd "$folder/lib" && printf '%s ' *)
[[ $found == "$* " ]] || fail "the APK has libraries for $found, not for $*"
while read -r library; do
    least=$(readelf -lW "$library" | awk '$1 == "LOAD" {print $NF}' | sort -u | head -1)
    echo "${library#"$folder/"}: pages of $least"
    [[ -n $least ]] && ((least >= page)) \
        || fail "${library#"$folder/"} is for pages of $least bytes, not of $page"
done < <(find "$folder/lib" -name '*.so' | sort)

unzip -v "$apk" | awk '
    $1 ~ /^[0-9]+$/ && NF == 8 {
        part = $8
        if (part ~ /^lib\//) { split(part, path, "/"); part = "lib/" path[2] }
        else if (part ~ /\.tflite$/) part = "models"
        else if (part ~ /\.dex$/) part = "classes"
        else part = "resources and signature"
        size[part] += $3
    }
    END { for (part in size) printf "%10d bytes  %s\n", size[part], part }' | sort -k3
